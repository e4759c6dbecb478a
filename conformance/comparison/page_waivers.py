"""The table of waivers of a comparison: what somebody has accepted, at which sides, why, who, and until when."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.comparison.words import word
from conformance.reporting.requirements import operation_title, requirement
from conformance.reporting.waiver_rows import LOOKS, STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.comparison.nouns import Comparison
    from conformance.model import Waiver
    from conformance.reporting.texts import Text
    from conformance.rules.base import Rule

MOST = 200
"""Waivers that are listed; all of them are in compare.json."""


@dataclass(frozen=True)
class WaiverLine:
    """One waiver, and the sides to which it is applied."""

    waiver: Waiver
    names: tuple[str, ...]
    look: str
    state: Text
    requirement: Text
    operation: Text


def waivers(comparison: Comparison, rules: Mapping[str, Rule]) -> list[WaiverLine]:
    """A row for each waiver, those that have ended first; the same at several sides stands once."""
    found: dict[Waiver, list[str]] = defaultdict(list)
    for side in comparison.sides:
        for waiver in side.waivers:
            found[waiver].append(side.name)
    lines = [_line(waiver, names, rules) for waiver, names in found.items()]
    return sorted(lines, key=lambda line: not line.waiver.expired)


def _line(waiver: Waiver, names: list[str], rules: Mapping[str, Rule]) -> WaiverLine:
    state = "expired" if waiver.expired else "in-force"
    return WaiverLine(
        waiver=waiver,
        names=tuple(names),
        look=LOOKS[state],
        state=STATES[state],
        requirement=requirement(waiver.rule, rules).text,
        operation=operation_title(waiver.operation) if waiver.operation else word("every-operation"),
    )
