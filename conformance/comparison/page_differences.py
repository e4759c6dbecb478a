"""The differences of a comparison as its page shows them: cards, worst first, with bounded evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.comparison.jsondiff import Diff, diff
from conformance.comparison.words import CHARGES
from conformance.model import Severity, Verdict
from conformance.outcomes import BROKEN
from conformance.reporting.evidence import LEAST, ROOM, anchor, unique
from conformance.reporting.requirements import Requirement, operation_title, requirement
from conformance.reporting.summary import column
from conformance.reporting.texts import Text
from conformance.reporting.visible import shorten, visible

if TYPE_CHECKING:
    from conformance.comparison.nouns import Charge, Comparison, Difference, Sample
    from conformance.outcomes import Outcome
    from conformance.rules.base import Rule

MOST_CARDS = 1_000
MOST_WAYS = 12
"""Ways in which sides answered that one card shows."""
_LINE = 260
"""What the markup around one line of a diff weighs."""


@dataclass(frozen=True)
class Who:
    """One side in a card."""

    place: int
    name: str
    verdict: Verdict | None
    charge: Charge | None
    charged: Text
    waived: bool


@dataclass(frozen=True)
class Way:
    """What one or more sides did: they have the same finding, or the same kind of good answer."""

    names: tuple[str, ...]
    verdict: Verdict | None
    case: str
    status: int
    failure: str
    at: str
    expected: str
    actual: str
    message: str
    finds: bool
    """Whether there is a finding."""
    answer: str
    """Of the first of them."""
    more: int
    """Characters that are left out here."""
    cut: bool
    diff: Diff | None = None
    other_case: bool = False
    """Whether the answer that it is compared with is one to another request."""


@dataclass(frozen=True)
class Card:
    """One difference."""

    anchor: str
    number: int
    about: Requirement
    operation: str
    title: Text
    contract: str
    severity: Severity
    verdict: Verdict
    """The worst of all sides."""
    groups: tuple[tuple[Verdict | None, tuple[Who, ...]], ...]
    """Sides by verdict, worst first."""
    labels: str
    """The verdict of each side in their order, as words for the filter."""
    ways: tuple[Way, ...]
    more_ways: int
    reference: str
    """The side whose answer the others are compared with; empty for none."""
    reference_status: int
    full: bool
    """Whether there was no room for comparing answers."""


def cards(comparison: Comparison, rules: Mapping[str, Rule]) -> list[Card]:
    """One card for each difference, in the order given, as long as the page has room for evidence."""
    found = comparison.differences[:MOST_CARDS]
    names = unique(f"d--{anchor(each.key.rule[:200])}--{anchor(each.key.operation[:80])}" for each in found)
    room = ROOM
    made = []
    for number, (each, name) in enumerate(zip(found, names, strict=True), 1):
        card = _card(comparison, each, name, number, rules)
        weight = _weight(card)
        made.append(card if weight <= room else _bare(card))
        room -= min(weight, room)
    return made


def _card(comparison: Comparison, each: Difference, name: str, number: int, rules: Mapping[str, Rule]) -> Card:
    known = [outcome for outcome in each.outcomes.values() if outcome]
    ways, reference = _ways(each, comparison.control)
    return Card(
        anchor=name,
        number=number,
        about=requirement(each.key.rule, rules),
        operation=each.key.operation,
        title=operation_title(each.key.operation),
        contract=column(each.key.rule),
        severity=known[0].severity if known else Severity.MUST,
        verdict=max((outcome.verdict for outcome in known), default=Verdict.NOT_RUN),
        groups=_groups(comparison, each),
        labels=" ".join(_label(each.outcomes.get(side.name)) for side in comparison.sides),
        ways=ways[:MOST_WAYS],
        more_ways=max(0, len(ways) - MOST_WAYS),
        reference=reference.side if reference else "",
        reference_status=reference.status if reference else 0,
        full=False,
    )


def _label(outcome: Outcome | None) -> str:
    return outcome.verdict.label if outcome else "none"


def _groups(comparison: Comparison, each: Difference) -> tuple[tuple[Verdict | None, tuple[Who, ...]], ...]:
    """The sides of each verdict; those without one last."""
    found: dict[Verdict | None, list[Who]] = {}
    for place, side in enumerate(comparison.sides):
        outcome = each.outcomes.get(side.name)
        charge = each.charges.get(side.name)
        said = CHARGES[charge] if charge else Text("", "")
        verdict = outcome.verdict if outcome else None
        who = Who(place, side.name, verdict, charge, said, bool(outcome and outcome.waived))
        found.setdefault(verdict, []).append(who)
    order = sorted(found, key=lambda verdict: Verdict.NOT_RUN - 1 if verdict is None else verdict, reverse=True)
    return tuple((verdict, tuple(found[verdict])) for verdict in order)


def _ways(each: Difference, control: str) -> tuple[tuple[Way, ...], Sample | None]:
    """What sides did, alike ones together, those with findings first; and the answer that is the reference."""
    groups: dict[tuple[object, ...], list[Sample]] = {}
    for sample in each.samples:
        groups.setdefault(_kind(sample, each), []).append(sample)
    good = [sample for sample in each.samples if _is_good(sample, each)]
    reference = next((sample for sample in good if sample.side == control), good[0] if good else None)
    ways = [_way(members, each, reference) for members in groups.values()]
    ways.sort(key=lambda way: (not way.finds, -(way.verdict or 0)))
    return tuple(ways), reference


def _is_good(sample: Sample, each: Difference) -> bool:
    """Whether an answer can be held beside a broken one."""
    outcome = each.outcomes.get(sample.side)
    return bool(sample.answer) and outcome is not None and outcome.verdict not in BROKEN


def _finds(sample: Sample) -> bool:
    return bool(sample.at or sample.message or sample.expected is not None or sample.actual is not None)


def _kind(sample: Sample, each: Difference) -> tuple[object, ...]:
    """What samples have in common that are shown as one."""
    outcome = each.outcomes.get(sample.side)
    compared = shorten(sample.expected), shorten(sample.actual), sample.message, sample.failure
    return outcome.verdict if outcome else None, _finds(sample), sample.at, sample.status, sample.case, *compared


def _way(members: Sequence[Sample], each: Difference, reference: Sample | None) -> Way:
    sample = members[0]
    outcome, finds = each.outcomes.get(sample.side), _finds(sample)
    beside = reference if finds and sample.answer else None
    return Way(
        names=tuple(member.side for member in members),
        verdict=outcome.verdict if outcome else None,
        case=sample.case,
        status=sample.status,
        failure=sample.failure,
        at=sample.at,
        expected=shorten(sample.expected, 600) if finds else "",
        actual=shorten(sample.actual, 600) if finds else "",
        message=sample.message,
        finds=finds,
        answer=visible(sample.answer, len(sample.answer), lines=True),
        more=0,
        cut=sample.cut,
        diff=diff(beside.answer, sample.answer, sample.at) if beside else None,
        other_case=beside is not None and beside.case != sample.case,
    )


def _weight(card: Card) -> int:
    """About how many characters of the page the evidence of a card takes."""
    lines = [line for way in card.ways if way.diff for line in way.diff.lines]
    return sum(len(way.answer) for way in card.ways) + sum(
        _LINE + len(line.left) + len(line.right) + len(line.name) for line in lines
    )


def _bare(card: Card) -> Card:
    """The same card with the beginning of each answer only."""
    ways = tuple(
        replace(way, diff=None, answer=way.answer[:LEAST], more=max(0, len(way.answer) - LEAST)) for way in card.ways
    )
    return replace(card, ways=ways, full=True)
