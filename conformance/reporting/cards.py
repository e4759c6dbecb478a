"""Judgements as the HTML report shows them: cards, matrix cells and rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.deviations import DEVIATIONS
from conformance.model import Verdict
from conformance.reporting.causes import causes, title
from conformance.reporting.evidence import anchor, unique
from conformance.reporting.findings import values
from conformance.reporting.requirements import operation_title, requirement
from conformance.reporting.summary import column, is_waived, matrix, worst_first
from conformance.reporting.texts import UI, Text
from conformance.reporting.visible import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.model import Exchange, Finding, Judgement
    from conformance.reporting.evidence import Evidence
    from conformance.reporting.requests import Smallest
    from conformance.reporting.requirements import Requirement
    from conformance.rules.base import Rule

OTHERS = frozenset({Verdict.INCONCLUSIVE, Verdict.UNSUPPORTED, Verdict.NOTE})
MOST_FINDINGS = 5
MOST_CASES = 6
MOST_SEEN = 2


@dataclass(frozen=True)
class Shown:
    """One finding, in one or more exchanges: values as visible text, empty where there are none."""

    expected: str
    actual: str
    at: str
    where: str
    """The id of the place that is marked for it; empty where nothing is."""
    message: Text
    cases: tuple[Evidence | str, ...]
    """Where it was seen; the bare id of a case that has no exchange here."""
    more_cases: int


@dataclass(frozen=True)
class Card:
    """One judgement with all that is said about it."""

    anchor: str
    judgement: Judgement
    about: Requirement
    operation: Text
    findings: tuple[Shown, ...]
    more_findings: int
    deviations: tuple[tuple[str, Text, str], ...]
    """Labels of known relay behaviours, each once, what they mean, and where they were seen."""
    seen: tuple[Evidence, ...]
    """The first exchanges that were looked at."""
    seen_count: int
    sample: Evidence | None
    """The exchange that shows best how to reproduce it."""
    smallest: Smallest | None
    """What is left of a generated request that fails."""

    @property
    def contract(self) -> str:
        """The column of the matrix that it belongs to."""
        return column(self.judgement.rule)

    @property
    def is_waived(self) -> bool:
        """Whether a waiver in force excuses it."""
        return is_waived(self.judgement)


@dataclass(frozen=True)
class Item:
    """Everything that has one cause, worst first."""

    anchor: str
    """Of the card itself where there is just one."""
    title: Text
    operations: tuple[Text, ...]
    cards: tuple[Card, ...]

    @property
    def lead(self) -> Card:
        """The worst."""
        return self.cards[0]

    @property
    def is_waived(self) -> bool:
        """Whether waivers in force excuse all of it."""
        return all(card.is_waived for card in self.cards)


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix: the worst verdict, all counts, and the card of the worst."""

    verdict: Verdict
    counts: tuple[tuple[Verdict, int], ...]
    anchor: str


@dataclass(frozen=True)
class Group:
    """Cards of one operation."""

    operation: Text
    cards: tuple[Card, ...]


def cards(
    judgements: Sequence[Judgement],
    rules: Mapping[str, Rule],
    shown: Mapping[str, Evidence],
    left: Mapping[tuple[str, str], Smallest] | None = None,
) -> list[Card]:
    """One card for each judgement, in the order given; `left`: the smallest failing request by rule and operation."""
    anchors = unique(f"{anchor(judgement.rule)}--{anchor(judgement.operation)}" for judgement in judgements)
    return [
        _card(judgement, name, rules, shown, left or {}) for judgement, name in zip(judgements, anchors, strict=True)
    ]


def _card(
    judgement: Judgement,
    name: str,
    rules: Mapping[str, Rule],
    shown: Mapping[str, Evidence],
    left: Mapping[tuple[str, str], Smallest],
) -> Card:
    seen = [shown[case] for case in judgement.exchanges if case in shown]
    labels = dict.fromkeys(finding.deviation for finding in judgement.findings if finding.deviation)
    cited = [shown[finding.exchange] for finding in judgement.findings if finding.exchange in shown]
    alike = _alike(judgement.findings)
    verdict = judgement.verdict
    return Card(
        anchor=name,
        judgement=judgement,
        about=requirement(judgement.rule, rules),
        operation=operation_title(judgement.operation),
        findings=tuple(_shown(members, verdict, shown) for members in alike[:MOST_FINDINGS]),
        more_findings=max(0, len(alike) - MOST_FINDINGS),
        deviations=tuple((label, *_meaning(label)) for label in labels),
        seen=tuple(seen[:MOST_SEEN]),
        seen_count=len(seen),
        sample=next(iter(cited + seen), None),
        smallest=left.get((judgement.rule, judgement.operation)) if verdict >= Verdict.WARN else None,
    )


def _meaning(label: str) -> tuple[Text, str]:
    """What a label means, and where that was seen; a label of another version may be unknown here."""
    known = DEVIATIONS.get(label)
    return (Text(known.text, known.zh), known.seen) if known else (UI["deviation-means"], "")


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings that differ only in their exchange, together."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        compared = (shorten(finding.expected), shorten(finding.actual))
        said = (finding.at, finding.message, finding.zh)
        groups.setdefault(compared + said, []).append(finding)
    return list(groups.values())


def _shown(members: Sequence[Finding], verdict: Verdict, shown: Mapping[str, Evidence]) -> Shown:
    finding = members[0]
    compared = {name: shorten(value) for name, value in values(finding, verdict).items()}
    cases = list(dict.fromkeys(member.exchange for member in members if member.exchange))
    return Shown(
        expected=compared.get("expected", ""),
        actual=compared.get("actual", ""),
        at=finding.at,
        where=_where(members, shown),
        message=Text(finding.message or finding.zh, finding.zh or finding.message),
        cases=tuple(shown.get(case, case) for case in cases[:MOST_CASES]),
        more_cases=max(0, len(cases) - MOST_CASES),
    )


def _where(members: Sequence[Finding], shown: Mapping[str, Evidence]) -> str:
    """The first of the places that are marked for findings that are alike."""
    seen = (shown[member.exchange].marks.get(member.at, "") for member in members if member.exchange in shown)
    return next((place for place in seen if place), "")


def items(
    found: Sequence[Card],
    exchanges: Mapping[str, Exchange],
    rules: Mapping[str, Rule],
    verdicts: frozenset[Verdict],
) -> list[Item]:
    """The cards with these verdicts by cause, worst first, and what is waived behind; `exchanges` by case id."""
    by_judgement = {id(card.judgement): card for card in found}
    grouped = causes([card.judgement for card in found], exchanges, verdicts)
    made = []
    for cause in grouped:
        members = tuple(sorted((by_judgement[id(each)] for each in cause.judgements), key=lambda card: card.is_waived))
        own = members[0].anchor if len(members) == 1 else f"cause--{members[0].anchor}"
        made.append(Item(own, title(cause, rules), tuple(map(operation_title, cause.operations)), members))
    return sorted(made, key=lambda item: item.is_waived)


def by_operation(found: Sequence[Card], wanted: Verdict) -> list[Group]:
    """The cards with one verdict, by operation in the order in which they come."""
    groups: dict[str, list[Card]] = {}
    for card in found:
        if card.judgement.verdict is wanted:
            groups.setdefault(card.judgement.operation, []).append(card)
    return [Group(operation_title(name), tuple(members)) for name, members in groups.items()]


def cells(judgements: Sequence[Judgement], found: Sequence[Card]) -> list[tuple[Text, list[Cell | None]]]:
    """The rows of the matrix; a cell without judgements is None."""
    anchors = {id(card.judgement): card.anchor for card in found}
    return [
        (operation_title(operation), [_cell(members, anchors) for members in row.values()])
        for operation, row in matrix(judgements).items()
    ]


def _cell(members: Sequence[Judgement], anchors: Mapping[int, str]) -> Cell | None:
    if not members:
        return None
    worst = worst_first(members)[0]
    found = Counter(judgement.verdict for judgement in members)
    return Cell(worst.verdict, tuple(sorted(found.items(), reverse=True)), anchors[id(worst)])
