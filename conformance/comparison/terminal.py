"""The summary of a comparison that a terminal shows: a matrix of verdicts, and how much differs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from conformance.comparison.matrix import operations, worst
from conformance.comparison.nouns import Charge
from conformance.reporting.texts import SYMBOLS
from conformance.reporting.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.comparison.nouns import Comparison, Difference, Side
    from conformance.model import Verdict

MOST_SIDES = 8
"""Sides that fit beside each other; more are shown in rows."""
_NAME = 24
_MOST, _MOST_NAMES = 5, 3


def summary_lines(comparison: Comparison) -> Iterator[str]:
    """What a person wants to know first, as plain text; details are in the files."""
    yield f"{len(comparison.sides)} sides, compared on {comparison.cases:,} requests"
    left = sum(comparison.left_out.values())
    if comparison.partial:
        yield f"  only what all of them planned: {left:,} planned requests are left out"
    yield ""
    yield from _matrix(comparison) if len(comparison.sides) <= MOST_SIDES else _rows(comparison)
    yield ""
    yield told_counts(comparison)
    for each in comparison.differences[:_MOST]:
        yield f"  {each.key.rule} on {each.key.operation}: {_told(each)}"
    if len(comparison.differences) > _MOST:
        yield f"  and {len(comparison.differences) - _MOST:,} more"
    for name, counts in comparison.charged.items():
        told = ", ".join(f"{each.value} {counts[each]:,}" for each in Charge if counts[each])
        yield f"breaches of {_short(name)}, charged to: {told or 'there are none'}"
    for side in comparison.sides:
        if side.stop:
            yield f"{_short(side.name)} stopped: {visible(side.stop.message, 300)}"
        elif not side.complete:
            yield f"{_short(side.name)} is not complete: continue it with --resume"
    yield ""


def told_counts(comparison: Comparison) -> str:
    """`1 requirement differs, 518 are alike`; what only differs because it is not offered somewhere is told apart."""
    count = len(comparison.differences)
    differ = "1 requirement differs" if count == 1 else f"{count:,} requirements differ"
    absent = sum(not any(each and each.broken for each in found.outcomes.values()) for found in comparison.differences)
    only = f" ({absent:,} only in being offered or not)" if absent else ""
    return f"{differ}{only}, {comparison.alike:,} {'is' if comparison.alike == 1 else 'are'} alike"


def _matrix(comparison: Comparison) -> Iterator[str]:
    """A row for each operation, a column for each side."""
    names = [_short(name) for name in comparison.names]
    yield f"{'':22}" + "".join(f"{name:<{_NAME + 2}}" for name in names).rstrip()
    yield f"{'all':22}" + "".join(f"{whole(side):<{_NAME + 2}}" for side in comparison.sides).rstrip()
    for operation in operations(comparison):
        cells = [_verdict(worst(side, operation)) for side in comparison.sides]
        yield f"{operation:22}" + "".join(f"{cell:<{_NAME + 2}}" for cell in cells).rstrip()


def whole(side: Side) -> str:
    """The verdict of a whole run, with its sign."""
    return f"{SYMBOLS[side.verdict]} {side.verdict}"


def _rows(comparison: Comparison) -> Iterator[str]:
    """A row for each side: its verdict, and a sign for each operation."""
    named = operations(comparison)
    yield f"signs stand for {', '.join(named)}"
    for side in comparison.sides:
        signs = "".join(_sign(worst(side, operation)) for operation in named)
        yield f"{_short(side.name):{_NAME}}  {side.verdict:<12}  {signs}"


def _told(difference: Difference) -> str:
    """Which sides have which verdict."""
    sides: dict[str, list[str]] = defaultdict(list)
    for name, outcome in difference.outcomes.items():
        if outcome is not None:
            sides[outcome.verdict.label].append(_short(name))
    return "; ".join(f"{verdict} {_listed(names)}" for verdict, names in sides.items())


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _short(name: str) -> str:
    return visible(name[:_NAME], _NAME)


def _sign(verdict: Verdict | None) -> str:
    return SYMBOLS[verdict.label] if verdict is not None else " "


def _verdict(verdict: Verdict | None) -> str:
    return f"{SYMBOLS[verdict.label]} {verdict.label}" if verdict is not None else ""
