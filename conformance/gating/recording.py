"""Rounds to a record: every round judged, and the verdicts of each rule and operation put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from conformance.gating.nouns import Evidence, Record, Standing, Timing
from conformance.gating.rounds import common_cases, digests, narrowed
from conformance.judging import judge
from conformance.measures import measures
from conformance.model import Finding, Judgement, Ledger, Verdict, Waiver
from conformance.outcomes import BROKEN, Key, Outcome, outcomes, sign
from conformance.reporting.results import instant
from conformance.reporting.visible import visible
from conformance.rules.base import catalogue
from conformance.waivers import applied

if TYPE_CHECKING:
    from conformance.profiles import Profile

JUDGED = frozenset({Verdict.PASS, Verdict.NOTE, Verdict.WARN, Verdict.FAIL})
"""Verdicts that say something of the relay's answers; an error of ours does not."""
SETTLED = JUDGED | {Verdict.UNSUPPORTED}
"""These, and that the relay plainly does not offer it."""
MOST_SIGNS, LONGEST_SIGN = 20, 200
MOST_SAMPLES = 60
"""Values that are kept of one quantity at one operation and round; of more, evenly spread ones."""


def record_of(
    ledgers: Sequence[Ledger],
    profile: Profile | None = None,
    waivers: Sequence[Waiver] = (),
    cases: Mapping[str, str] | None = None,
) -> Record:
    """A run over its rounds, judged on the cases that all of them planned, and on none that `cases` does not have."""
    plans = [digests(ledger) for ledger in ledgers]
    common = common_cases([*plans, dict(cases)] if cases is not None else plans)
    kept = [narrowed(ledger, common) for ledger in ledgers]
    judged = [judge(ledger, (), profile, waivers) for ledger in kept]
    first = ledgers[0]
    return Record(
        tool=first.tool,
        name=visible(first.provider.title),
        base_url=first.provider.base_url,
        model=first.provider.model,
        rules=first.rules,
        recorded=tuple(instant(ledger.started) for ledger in ledgers),
        cases=common_cases(plans),
        standings=standings(judged),
        timings=_timings(kept),
        trouble=next(filter(None, map(_trouble, ledgers)), ""),
        waivers=applied(each for found in judged for each in found),
        page=profile.name if profile else "",
        lag=max(ledger.lag for ledger in ledgers),
    )


def _key(judgement: Judgement) -> Key:
    return Key(judgement.rule, judgement.operation)


def _trouble(ledger: Ledger) -> str:
    """Why a round is not whole."""
    if ledger.stop is not None:
        hint = f" ({ledger.stop.hint})" if ledger.stop.hint else ""
        return f"ended early: {visible(ledger.stop.message + hint)}"
    return "" if ledger.complete else "interrupted: the record has no end"


def standings(judged: Sequence[Sequence[Judgement]]) -> dict[Key, Standing]:
    """Rule and operation -> what the rounds say of it."""
    rounds = [outcomes(judgements) for judgements in judged]
    evidence = [{_key(each): each for each in judgements} for judgements in judged]
    keys = dict.fromkeys(key for found in rounds for key in found)
    return {key: _standing([found.get(key) for found in rounds], [each.get(key) for each in evidence]) for key in keys}


def _standing(found: Sequence[Outcome | None], judged: Sequence[Judgement | None]) -> Standing:
    """One rule on one operation over the rounds; a round that has no such judgement says nothing."""
    there = [outcome for outcome in found if outcome is not None]
    verdict = folded([outcome.verdict for outcome in there])
    place = next(place for place, each in enumerate(found) if each is not None and each.verdict is verdict)
    first, rule = there[0], catalogue().get(there[0].rule)
    signs = sorted({visible(each, LONGEST_SIGN) for outcome in there for each in outcome.signs})
    return Standing(
        rule=first.rule,
        operation=first.operation,
        severity=first.severity,
        verdict=verdict,
        verdicts=tuple(outcome.verdict for outcome in there),
        signs=frozenset(signs[:MOST_SIGNS]),
        cases=max(len(each.exchanges) for each in judged if each is not None),
        noisy=rule is not None and rule.noisy,
        waived=any(outcome.waived for outcome in there),
        waiver=next(reversed(applied(each for each in judged if each is not None)), None),
        evidence=_evidence(place, judged[place], found[place]),
        shown=_shown(judged, signs[:MOST_SIGNS]),
    )


def _shown(judged: Sequence[Judgement | None], signs: Sequence[str]) -> dict[str, Evidence]:
    """Sign -> the first round, case and finding that shows it."""
    shown: dict[str, Evidence] = {}
    for place, judgement in enumerate(judged, 1):
        for finding in judgement.findings if judgement is not None else ():
            seen = visible(sign(finding), LONGEST_SIGN)
            if seen in signs:
                shown.setdefault(seen, Evidence(place, finding.exchange, finding))
    return shown


def folded(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst of the verdicts that say something; inconclusive only where all rounds are."""
    said = [verdict for verdict in verdicts if verdict in SETTLED or verdict is Verdict.ERROR]
    clear = [verdict for verdict in verdicts if verdict is not Verdict.INCONCLUSIVE]
    return max(said or clear or verdicts)


def _evidence(place: int, judgement: Judgement | None, outcome: Outcome | None) -> Evidence | None:
    """The finding that shows best what is wrong: one that points at something."""
    if judgement is None or outcome is None or not outcome.exchanges:
        return None
    finding: Finding | None = None
    if judgement.verdict in BROKEN or judgement.findings:
        finding = next((each for each in judgement.findings if each.at), next(iter(judgement.findings), None))
    return Evidence(place + 1, (finding.exchange if finding else "") or outcome.exchanges[0], finding)


def _timings(ledgers: Sequence[Ledger]) -> tuple[Timing, ...]:
    """Samples by round, of what every round has some of."""
    rounds = [{(each.operation, each.what): each.values for each in measures(ledger)} for ledger in ledgers]
    keys = [key for key in rounds[0] if all(key in found for found in rounds)]
    return tuple(Timing(*key, tuple(_sample(found[key]) for found in rounds)) for key in keys)


def _sample(values: Sequence[float]) -> tuple[float, ...]:
    """The values in order, a few evenly spread ones of many."""
    ordered = sorted(round(value, 4) for value in values)
    step = max(1.0, (len(ordered) - 1) / (MOST_SAMPLES - 1))
    return tuple(ordered[round(place * step)] for place in range(min(len(ordered), MOST_SAMPLES)))
