"""Operations by providers: the worst verdict in each field, all counts, and the contracts apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.comparison.matrix import COLUMNS
from conformance.model import Verdict
from conformance.outcomes import BROKEN, CONCLUSIVE
from conformance.reporting.requirements import in_order, operation_title
from conformance.reporting.summary import column
from conformance.reporting.texts import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from conformance.comparison.nouns import Comparison, Side
    from conformance.comparison.page_differences import Card

_UNTOLD = frozenset({Verdict.NOT_APPLICABLE})
"""What no answer could show: it is left out of fields that show anything else."""

Counts = tuple[tuple[Verdict, int], ...]


@dataclass(frozen=True)
class Cell:
    """What one side is worth at one operation."""

    verdict: Verdict
    count: int
    """Judgements with this verdict."""
    unclear: int
    """Judgements without a conclusion, where that is not the sign of the field."""
    contracts: tuple[tuple[str, Verdict, Counts], ...]
    """Each contract with its worst verdict and its counts, worst first."""
    anchor: str
    """The first difference at which this side is broken here; empty for none."""


@dataclass(frozen=True)
class Row:
    """One operation."""

    operation: str
    title: Text
    cells: tuple[Cell | None, ...]
    """In the order of the sides; None where nothing was judged."""
    differ: bool
    """Whether the signs of the fields differ."""


def rows(comparison: Comparison, cards: Sequence[Card]) -> list[Row]:
    """A row for each operation that any side has an outcome of."""
    anchors = _anchors(cards)
    tables = [_table(side, anchors.get(place, {})) for place, side in enumerate(comparison.sides)]
    operations = in_order({operation for table in tables for operation in table})
    return [_row(operation, [table.get(operation) for table in tables]) for operation in operations]


def _row(operation: str, cells: list[Cell | None]) -> Row:
    signs = {cell.verdict if cell else None for cell in cells}
    return Row(operation, operation_title(operation), tuple(cells), len(signs) > 1)


def _anchors(cards: Sequence[Card]) -> dict[int, dict[str, str]]:
    """Where each side's first breach is, by operation."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for card in cards:
        for verdict, members in card.groups:
            for who in members if verdict in BROKEN else ():
                found[who.place].setdefault(card.operation, card.anchor)
    return found


def _table(side: Side, anchors: dict[str, str]) -> dict[str, Cell]:
    """The fields of one side, by operation."""
    spread: dict[str, dict[str, Counter[Verdict]]] = defaultdict(lambda: defaultdict(Counter))
    for outcome in side.outcomes.values():
        spread[outcome.operation][column(outcome.rule)][outcome.verdict] += 1
    return {operation: _cell(found, anchors.get(operation, "")) for operation, found in spread.items()}


def _cell(found: dict[str, Counter[Verdict]], anchor: str) -> Cell:
    total = sum(found.values(), Counter())
    worst = _worst(total)
    contracts = tuple((name, _worst(found[name]), _counts(found[name].items())) for name in COLUMNS if name in found)
    unclear = 0 if worst is Verdict.INCONCLUSIVE else total[Verdict.INCONCLUSIVE]
    return Cell(worst, total[worst], unclear, contracts, anchor)


def _worst(found: Collection[Verdict]) -> Verdict:
    """The worst verdict that says something of the answers; else the worst of all."""
    return max(CONCLUSIVE.intersection(found) or found)


def _counts(found: Iterable[tuple[Verdict, int]]) -> Counts:
    every = sorted(found, reverse=True)
    return tuple(pair for pair in every if pair[0] not in _UNTOLD) or tuple(every)
