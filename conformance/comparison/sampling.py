"""Evidence for where sides differ: the finding of each side and its answer, bounded in number and in length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.comparison.nouns import Sample
from conformance.comparison.siding import judged, profile_of
from conformance.jsonsafe import bounded as harmless
from conformance.ledger import read_ledger
from conformance.outcomes import BROKEN, Key
from conformance.reporting.visible import bounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.comparison.headers import Header
    from conformance.comparison.siding import Wanted
    from conformance.model import Exchange, Finding, Judgement, Ledger
    from conformance.outcomes import Outcome

MOST_DIFFERENCES = 150
"""Differences, the worst first, that come with evidence."""
MOST_SIDES = 12
"""Sides of one difference whose evidence is kept."""
LONGEST = 4_000
"""Characters of an answer, and of an expected or actual value."""
SHORTEST = 400
_ALL = 12_000_000
"""Characters of all evidence of a comparison together."""

Ask = tuple[Key, tuple[str, ...]]
"""A requirement of which evidence is wanted, and the cases that other sides' findings are about."""


def sides_shown(outcomes: Mapping[str, Outcome | None]) -> list[str]:
    """The sides of a difference whose evidence is kept: one of each kind before a second of any, in their order."""
    seen: dict[tuple[object, ...], int] = {}
    ranked = []
    for place, (name, outcome) in enumerate(outcomes.items()):
        if outcome is not None:
            kind = (outcome.verdict, outcome.signs)
            seen[kind] = seen.get(kind, 0) + 1
            ranked.append((seen[kind], place, name))
    kept = {name for _, _, name in sorted(ranked)[:MOST_SIDES]}
    return [name for name in outcomes if name in kept]


def cases_of(outcomes: Iterable[Outcome | None]) -> tuple[str, ...]:
    """The cases that findings are about, those of the worst side first."""
    broken = sorted((each for each in outcomes if each and each.broken), key=lambda each: -each.verdict)
    return tuple(dict.fromkeys(case for each in broken for case in each.exchanges))


def room(samples: int) -> int:
    """Characters that one answer may have where there are so many samples."""
    return max(SHORTEST, min(LONGEST, _ALL // max(1, 3 * samples)))


def samples_of(header: Header, name: str, asked: Sequence[Ask], wanted: Wanted, longest: int) -> dict[Key, Sample]:
    """Evidence of one side for the requirements that are asked for; rounds are read until each has some."""
    found: dict[Key, Sample] = {}
    for path in header.ledgers:
        open_ = [ask for ask in asked if ask[0] not in found or not _shows(found[ask[0]])]
        if open_:
            found |= _of_round(read_ledger(path), name, open_, wanted, longest)
    return found


def _shows(sample: Sample) -> bool:
    """Whether a sample holds a finding."""
    return bool(sample.at or sample.message or sample.expected is not None or sample.actual is not None)


def _of_round(ledger: Ledger, name: str, asked: Sequence[Ask], wanted: Wanted, longest: int) -> dict[Key, Sample]:
    profile = profile_of(ledger, wanted.profiles)
    rules = sorted({key.rule for key, _ in asked})
    judgements = {(each.rule, each.operation): each for each in judged(ledger, name, wanted, profile, rules)}
    return {key: _sample(ledger, name, judgements.get(key), cases, longest) for key, cases in asked}


def _sample(ledger: Ledger, name: str, judgement: Judgement | None, cases: Sequence[str], longest: int) -> Sample:
    """The first finding of a side, else its answer to what the others' findings are about."""
    broken = judgement is not None and judgement.verdict in BROKEN
    finding = judgement.findings[0] if judgement and judgement.findings and broken else None
    looked = (*((finding.exchange,) if finding else cases), *(judgement.exchanges if judgement else ()))
    exchange = next((ledger.by_case[case] for case in looked if case in ledger.by_case), None)
    return _shown(name, exchange, finding, longest)


def _shown(name: str, exchange: Exchange | None, finding: Finding | None, longest: int) -> Sample:
    body = exchange.response.body if exchange and exchange.response else b""
    failure = exchange.failure if exchange else None
    return Sample(
        side=name,
        case=exchange.case.id if exchange else "",
        status=exchange.status if exchange else 0,
        at=finding.at[:LONGEST] if finding else "",
        expected=bounded(harmless(finding.expected), longest) if finding else None,
        actual=bounded(harmless(finding.actual), longest) if finding else None,
        message=finding.message[:longest] if finding else "",
        answer=body[: 4 * longest].decode(errors="replace")[:longest],
        failure=f"{failure.kind}: {failure.detail}"[:LONGEST] if failure else "",
        cut=len(body) > 4 * longest or len(body.decode(errors="replace")) > longest,
    )
