"""Sides x operations x contracts: the worst verdict of each, and on how much it rests."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.model import Verdict
from conformance.outcomes import BROKEN, CONCLUSIVE
from conformance.reporting.requirements import in_order
from conformance.reporting.summary import column

if TYPE_CHECKING:
    from conformance.comparison.nouns import Comparison, Side
    from conformance.outcomes import Outcome

COLUMNS = ("behaviour", "documented", "compat", "strict")
"""The three contracts, and the documented one where a side is held to a page."""


@dataclass(frozen=True)
class Cell:
    """What one side comes to at one operation under one contract."""

    verdict: Verdict
    """The worst of all, as everywhere."""
    requirements: int
    judged: int
    broken: int


def operations(comparison: Comparison) -> list[str]:
    """Every operation that a side was judged at, in the usual order."""
    return in_order({key.operation for side in comparison.sides for key in side.outcomes})


def matrix(side: Side) -> dict[str, dict[str, Cell]]:
    """Operation -> column -> cell; a column without requirements is left out."""
    cells: dict[str, dict[str, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for key, outcome in side.outcomes.items():
        cells[key.operation][column(key.rule)].append(outcome)
    return {
        operation: {name: cell(found[name]) for name in COLUMNS if name in found} for operation, found in cells.items()
    }


def cell(outcomes: list[Outcome]) -> Cell:
    """What these outcomes come to."""
    verdicts = [outcome.verdict for outcome in outcomes]
    judged = [verdict for verdict in verdicts if verdict in CONCLUSIVE]
    return Cell(
        verdict=max(verdicts),
        requirements=len(verdicts),
        judged=len(judged),
        broken=sum(verdict in BROKEN for verdict in judged),
    )


def worst(side: Side, operation: str) -> Verdict | None:
    """The worst verdict of a side at an operation, all contracts together; None without any."""
    found = [outcome for key, outcome in side.outcomes.items() if key.operation == operation]
    return cell(found).verdict if found else None
