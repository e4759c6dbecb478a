"""JSON as page authors write it: with comments, trailing commas and `...` where something was left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.derive.nouns import DeriveError
from conformance.jsontext import parse_json_text

LONGEST = 4_000_000
"""Characters of one example that are read."""

_TOKEN = re.compile(
    r"""(?P<blank>[\s\ufeff]++)
    |(?P<comment>//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z))
    |(?P<string>"(?:[^"\\]++|\\.)*+")
    |(?P<dots>\.{3,}+|…++)
    |(?P<mark>[{}\[\]:,])
    |(?P<word>[^\s"{}\[\]:,…/]++)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True)
class Found:
    """A JSON value, where its text ends, and whether strict JSON would have refused it."""

    value: Any
    end: int
    relaxed: bool


def read_json_tolerantly(text: str, where: str = "example") -> Any:
    """The value of a text that holds one JSON value and nothing else.

    Raises DeriveError, which begins with `where`, when even a tolerant reader finds no JSON.
    """
    found = first_value(text, where)
    for kind, _ in _tokens(text, found.end):
        if kind not in ("blank", "comment", "dots"):
            raise DeriveError(f"{where}: the example has more text behind its JSON", "Keep one JSON value only.")
    return found.value


def first_value(text: str, where: str, start: int = 0) -> Found:
    """The JSON value at `start`; whatever follows it is left alone. Raises DeriveError."""
    if len(text) - start > LONGEST:
        raise DeriveError(f"{where}: the example is longer than {LONGEST:,} characters", "Shorten the example.")
    pieces, end = _clean(text, start)
    read = parse_json_text("".join(pieces))
    if read.problem:
        raise DeriveError(f"{where}: the example is no JSON ({read.problem})", "Mend the example, then derive again.")
    relaxed = bool(read.duplicates) or bool(parse_json_text(text[start:end]).problem)
    return Found(read.value, end, relaxed)


def _tokens(text: str, start: int) -> Iterator[tuple[str, re.Match[str]]]:
    position = start
    while found := _TOKEN.match(text, position):
        yield str(found.lastgroup), found
        position = found.end()


def _clean(text: str, start: int) -> tuple[list[str], int]:
    """The tokens of one value as strict JSON would have them, and where the value ends."""
    kept: list[str] = []
    depth, end = 0, start
    for kind, found in _tokens(text, start):
        if kind in ("blank", "comment"):
            continue
        end = found.end()
        _keep(kept, kind, found[0])
        depth += (found[0] in "{[") - (found[0] in "}]") if kind == "mark" else 0
        if depth <= 0 and kind != "dots":
            break
    return kept, end


def _keep(kept: list[str], kind: str, piece: str) -> None:
    """Add a token; a comma that nothing follows goes, and a value that was left out becomes null."""
    last = kept[-1] if kept else ""
    if kind == "dots":
        return
    if piece == "," and (not last or last in "{[,"):
        return
    if piece in ("}", "]", ",") and last == ":":
        kept.append("null")
    elif piece in ("}", "]") and last == ",":
        kept.pop()
    kept.append(_CONTROL.sub(_escaped, piece) if kind == "string" else piece)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
