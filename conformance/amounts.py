"""How many requests are to be generated for each operation."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from conformance.errors import UsageError
from conformance.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALL = "all"
"""Stands for every operation that requests are generated for."""

MOST = 5_000
"""Requests for one operation at most."""

GENERATED_OPERATIONS = tuple(
    name for name, operation in OPERATIONS.items() if operation.method == "POST" and not operation.streams
)
"""Operations with a schema of their requests; a streamed one shares that of its plain twin, and its requests."""

_CHAT = "chat"


def parse_amounts(given: Iterable[str]) -> dict[str, int]:
    """Operation -> count from `N` (for chat) and `OPERATION=N,all=N`; raises UsageError for what is neither.

    The largest count counts where an operation is named twice.
    """
    found: dict[str, int] = {}
    for piece in (part.strip() for each in given for part in each.split(",")):
        name, mark, number = (part.strip() for part in piece.partition("="))
        name, number = (name, number) if mark else (_CHAT, name)
        check_operation(name)
        if not (number.isascii() and number.isdigit()) or len(number) > len(str(MOST)) or int(number) > MOST:
            raise UsageError(f"--generated {piece!r} is no count from 0 to {MOST}", "N, OPERATION=N or all=N")
        found[name] = max(found.get(name, 0), int(number))
    return found


def check_operation(name: str) -> None:
    """Raise UsageError for an operation that no requests are generated for."""
    known = (ALL, *GENERATED_OPERATIONS)
    if name not in known:
        near = difflib.get_close_matches(name, known, 1, 0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"operations: {', '.join(known)}"
        raise UsageError(f"no requests are generated for the operation {name!r}", hint)


def amounts(generated: int | Mapping[str, int], *, dear: bool) -> dict[str, int]:
    """Operation -> how many, from a number for chat or from numbers by operation and for `all`.

    `dear`: whether operations that cost money that one notices may be asked. Raises UsageError for an operation that
    is none, one that is dear where that is not wanted, and a negative count.
    """
    named = {_CHAT: generated} if isinstance(generated, int) else generated
    for name, count in named.items():
        check_operation(name)
        if count < 0:
            raise UsageError(f"cannot generate {count} requests", "a count from 0 on")
        if name != ALL and count and not dear and _is_dear(name):
            raise UsageError(f"requests of {name} cost money that one notices", "add --dear if you want them")
    wanted = {name: named.get(name, named.get(ALL, 0)) for name in GENERATED_OPERATIONS if dear or not _is_dear(name)}
    return {name: count for name, count in wanted.items() if count}


def _is_dear(operation: str) -> bool:
    return OPERATIONS[operation].price == "dear"
