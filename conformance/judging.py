"""Rule x exchanges -> judgement: a pure function of a ledger.

Every decision about what cannot be judged is made here: not applicable, unsupported, inconclusive. Rules
themselves see only exchanges that they can say something about.
"""

from __future__ import annotations

import gc
import re
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from conformance import reasons
from conformance.contract import shape_errors
from conformance.documented import Documented
from conformance.jsonsafe import bounded
from conformance.model import Exchange, Expectation, Finding, Judgement, Ledger, Verdict
from conformance.operations import OPERATIONS
from conformance.planning import select_rules
from conformance.refusals import (
    BUSY,
    GENERATED,
    OTHER_FORM,
    message_of,
    names_model,
    not_offered,
    out_of_credit,
    refused_part,
    refuses_model,
)
from conformance.rules.base import Answers, Rule, catalogue
from conformance.waivers import check_known, dated, waiver_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.model import Case, Waiver
    from conformance.profiles import Profile

MOST_FINDINGS = 10
"""Findings kept for one exchange and rule; the rest repeats them."""

_NEVER_SENT = frozenset({"unsent", "cancelled"})
_OK = range(200, 300)
_NOT_ASKED = frozenset({"no-model", "no-basis"})
_UNJUDGED = frozenset({Verdict.NOT_RUN, Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE})


class _Outcome(NamedTuple):
    """What one rule says of one exchange, or why it says nothing."""

    verdict: Verdict
    exchange: str
    findings: tuple[Finding, ...] = ()
    once: bool = False
    """Whether it was found wrong, and was not when it was sent again."""


class _Run(NamedTuple):
    """What the judgements of one run have in common."""

    ledger: Ledger
    passing: frozenset[tuple[str, str]]
    """(case, rule) of what was found wrong, and was not when it was sent again."""
    unsupported: frozenset[str]
    """Operations that the relay does not offer."""
    page: Documented | None


def judge(
    ledger: Ledger, only: Sequence[str] = (), profile: Profile | None = None, waivers: Sequence[Waiver] = ()
) -> list[Judgement]:
    """Judge a recorded run by every rule, or by those that `only` selects; same input, same judgements.

    With a profile, answers are also held to what that provider's own page says. `waivers` go to the judgements that
    they excuse, told whether they had ended when the run began. Raises UsageError for a prefix that no rule has,
    DataError for a waiver of a rule that there is not.
    """
    rules = select_rules(only or ledger.rules)
    check_known(waivers, catalogue())
    unsupported = not_offered(ledger)
    passing = frozenset((each.case, each.rule) for each in ledger.minimised if not each.reproduced)
    run = _Run(ledger, passing, unsupported, Documented(profile) if profile else None)
    with _without_collector():
        found = list(_judged(run, rules))
    return _excused(found, dated(waivers, ledger.started)) if waivers else found


def _excused(judgements: Sequence[Judgement], waivers: Sequence[Waiver]) -> list[Judgement]:
    """The same, each with the waiver that there is for it."""
    return [replace(each, waiver=waiver_for(each.rule, each.operation, waivers)) for each in judgements]


@contextmanager
def _without_collector() -> Iterator[None]:
    """Reading makes many small objects and no cycles: looking for cycles would take a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _judged(run: _Run, rules: Sequence[Rule]) -> Iterator[Judgement]:
    """Every rule on every operation that the plan has cases for."""
    planned: dict[str, list[Case]] = defaultdict(list)
    for case in run.ledger.plan:
        planned[case.operation].append(case)
    for rule in rules:
        # A rule over a run relates exchanges of several operations and counts for the first of them.
        groups = [rule.operations] if rule.over == "run" else [(operation,) for operation in rule.operations]
        for group in groups:
            cases = [case for operation in group for case in planned[operation] if rule.selects(case)]
            if cases and _concerns(rule, run.page, group[0]):
                yield _judge_rule(rule, group[0], cases, run)


def _concerns(rule: Rule, page: Documented | None, operation: str) -> bool:
    """Whether a rule about a provider's page has a page that says something of the operation; others always do."""
    return rule.page is None or (page is not None and rule.page(page, operation))


def _judge_rule(rule: Rule, operation: str, cases: Sequence[Case], run: _Run) -> Judgement:
    """One rule on one operation, the outcomes of its exchanges folded with `max`."""
    outcomes: list[_Outcome]
    if operation in run.unsupported and rule.answers is not Answers.EVERYTHING:
        outcomes = [_Outcome(Verdict.UNSUPPORTED, cases[0].id, (reasons.finding("no-route"),))]
    elif rule.over == "exchange":
        outcomes = [_outcome(rule, case, run) for case in cases]
    else:
        outcomes = _over_several(rule, cases, run)
    verdict = _folded(rule, outcomes)
    kept = [outcome for outcome in outcomes if outcome.verdict == verdict]
    kept = [outcome for outcome in kept if outcome.once] or kept
    return Judgement(
        rule=rule.id,
        operation=operation,
        severity=rule.severity,
        verdict=verdict,
        exchanges=tuple(case.id for case in cases),
        findings=tuple(_shown(finding, outcome.exchange) for outcome in kept for finding in outcome.findings),
    )


def _folded(rule: Rule, outcomes: Sequence[_Outcome]) -> Verdict:
    """The worst verdict wins.

    A rule about answers is judged on the answers that there are: an exchange without one leaves no mark on it
    as long as there is another. It does on the rules about being answered.
    """
    verdicts = [outcome.verdict for outcome in outcomes]
    if rule.sampled:
        seen = [outcome.verdict for outcome in outcomes if outcome.verdict is not Verdict.INCONCLUSIVE or outcome.once]
        return max(seen, default=max(verdicts))
    if rule.answers in {Answers.VALID, Answers.REFUSAL}:
        return max(verdicts)
    judged = [outcome.verdict for outcome in outcomes if outcome.verdict not in _UNJUDGED or outcome.once]
    if not judged and rule.answers in {Answers.ERROR, Answers.ANY} and Verdict.NOT_APPLICABLE in verdicts:
        return Verdict.NOT_APPLICABLE  # nothing of the kind was seen; what was not answered was none either
    return max(judged or verdicts)


def _outcome(rule: Rule, case: Case, run: _Run) -> _Outcome:
    """One rule on one exchange."""
    found = _ready(rule, case, run.ledger)
    if isinstance(found, _Outcome):
        return found
    outcome = _checked(rule, case, [found], run.page)
    if outcome.findings and (case.id, rule.id) in run.passing:
        return _Outcome(Verdict.INCONCLUSIVE, case.id, (reasons.finding("not-again"), *outcome.findings), True)
    return outcome


def _over_several(rule: Rule, cases: Sequence[Case], run: _Run) -> list[_Outcome]:
    """One rule on the relation between several exchanges."""
    found = [_ready(rule, case, run.ledger) for case in cases]
    outcome = _checked(rule, cases[0], [each for each in found if isinstance(each, Exchange)], run.page)
    held = [each for each in found if isinstance(each, _Outcome)]
    return held if held and outcome.verdict is Verdict.NOT_APPLICABLE else [outcome]


def _ready(rule: Rule, case: Case, ledger: Ledger) -> Exchange | _Outcome:
    """The exchange of a case where the rule can look at it, else why it cannot."""
    exchange = ledger.by_case.get(case.id)
    unseen = _unseen(exchange, case, ledger)
    if unseen is not None or exchange is None:
        return unseen or _Outcome(Verdict.INCONCLUSIVE, case.id)
    if not rule.about(exchange.model):
        return _Outcome(Verdict.NOT_APPLICABLE, case.id)
    if rule.answers not in exchange.memo:
        exchange.memo[rule.answers] = _held_back(rule, exchange)
    held: _Outcome | None = exchange.memo[rule.answers]
    if held is not None:
        return held
    blocked = next(_blocking(rule, exchange), None) if rule.needs else None
    if blocked is not None:
        return _Outcome(Verdict.INCONCLUSIVE, case.id, (reasons.finding("blocked", blocked),))
    return exchange


def _unseen(exchange: Exchange | None, case: Case, ledger: Ledger) -> _Outcome | None:
    """What to say of a case that the relay never saw; None when it did."""
    kind = exchange.failure.kind if exchange is not None and exchange.failure is not None else ""
    if ledger.stop is not None:
        # What the first requests met was the key, the model or the address; it says nothing about the contract.
        return _Outcome(Verdict.INCONCLUSIVE, case.id, (_why_not_sent(None, ledger),))
    if exchange is not None and exchange.failure is not None and kind in _NOT_ASKED:
        return _Outcome(Verdict.NOT_RUN, case.id, (reasons.finding(kind, exchange.failure.detail),))
    if exchange is None or kind in _NEVER_SENT:
        return _Outcome(Verdict.INCONCLUSIVE, case.id, (_why_not_sent(exchange, ledger),))
    return None


def _why_not_sent(exchange: Exchange | None, ledger: Ledger) -> Finding:
    """Why the relay never saw a case."""
    if exchange is not None and exchange.failure is not None:
        return reasons.finding(exchange.failure.kind, exchange.failure.detail)
    return reasons.finding("stopped" if ledger.stop else "interrupted")


def _held_back(rule: Rule, exchange: Exchange) -> _Outcome | None:
    """Why a rule cannot look at an answer, or None when it can; the same for all rules about such answers."""
    if rule.answers is Answers.EVERYTHING:
        return None
    trouble = _trouble(rule, exchange)
    if trouble is not None:
        return _Outcome(Verdict.INCONCLUSIVE, exchange.case.id, (trouble,))
    if rule.answers is Answers.ERROR and exchange.status not in range(400, 500):
        return _Outcome(Verdict.NOT_APPLICABLE, exchange.case.id)
    return _not_accepted(rule, exchange) if rule.answers in {Answers.VALID, Answers.SUCCESS} else None


def _not_accepted(rule: Rule, exchange: Exchange) -> _Outcome | None:
    """For rules about valid requests: why an answer is none to look at."""
    if exchange.case.role and refuses_model(exchange):
        # A variant is not the operation: a relay that lists its model and cannot serve it now breaks no contract.
        return _Outcome(Verdict.UNSUPPORTED, exchange.case.id, (reasons.finding("model-refused", exchange.model),))
    if rule.answers is Answers.SUCCESS:
        return _not_a_success(exchange)
    return _refused_part(exchange) if GENERATED in exchange.case.probes else None


def _trouble(rule: Rule, exchange: Exchange) -> Finding | None:
    """Why an exchange shows nothing about the contract: no answer, a rate limit, an upstream that is down."""
    status = exchange.status
    if exchange.failure is not None:
        return reasons.finding(exchange.failure.kind, exchange.failure.detail)
    if out_of_credit(exchange):
        return reasons.finding("no-credit", message_of(exchange))
    if status in BUSY and status != 503:
        return reasons.finding("trouble", f"HTTP {status} {message_of(exchange)}".strip())
    if status >= 500:
        judged = rule.answers is Answers.REFUSAL and (status != 503 or names_model(exchange))
        return None if judged else reasons.finding("trouble", f"HTTP {status} {message_of(exchange)}".strip())
    if exchange.stream.errors and rule.answers is Answers.SUCCESS:
        return reasons.finding("error-event")
    return None


def _not_a_success(exchange: Exchange) -> _Outcome | None:
    """For rules about the content of good answers: everything else is not theirs."""
    case = exchange.case
    if exchange.status in _OK:
        return None
    if case.expect is not Expectation.SUCCESS:
        return _Outcome(Verdict.NOT_APPLICABLE, case.id)
    refused = _refused_part(exchange)
    if refused is not None:
        return refused
    said = f"HTTP {exchange.status} {message_of(exchange)}".strip()
    return _Outcome(Verdict.INCONCLUSIVE, case.id, (reasons.finding("refused-request", said),))


def _refused_part(exchange: Exchange) -> _Outcome | None:
    """A plain refusal of something optional; None when it is no such thing."""
    part = refused_part(exchange)
    return (
        _Outcome(Verdict.UNSUPPORTED, exchange.case.id, (reasons.finding("feature-refused", part),)) if part else None
    )


def _checked(rule: Rule, case: Case, exchanges: Sequence[Exchange], page: Documented | None) -> _Outcome:
    """Run the rule; a rule that stumbles over a body of the wrong shape is blocked, any other stumble is our bug."""
    try:
        usable = [exchange for exchange in exchanges if rule.applies(exchange)]
        anchored = not rule.anchor or any(rule.anchor in exchange.case.probes for exchange in usable)
        if len(usable) < rule.least or not anchored:
            return _Outcome(Verdict.NOT_APPLICABLE, case.id)
        subject = usable[0] if rule.over == "exchange" else usable
        findings = _take(iter(rule.check(subject) if rule.page is None else rule.check(subject, page)))
    except Exception as error:  # noqa: BLE001 - whatever a rule raises is turned into a verdict here
        if any(_shape(exchange) for exchange in exchanges):
            return _Outcome(Verdict.INCONCLUSIVE, case.id, (reasons.finding("blocked", "/"),))
        return _Outcome(Verdict.ERROR, case.id, (reasons.finding("bug", f"{type(error).__name__}: {error}"),))
    return _Outcome(Verdict.of(rule.severity) if findings else Verdict.PASS, usable[0].case.id, findings)


def _take(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    """The first findings; a rule that repeats itself a thousand times has been understood."""
    return tuple(islice(findings, MOST_FINDINGS))


def _shape(exchange: Exchange) -> Sequence[str]:
    """Where a good answer breaks its compat schema."""
    if (
        not OPERATIONS[exchange.case.operation].shaped
        or exchange.status not in _OK
        or OTHER_FORM in exchange.case.probes
    ):
        return ()
    return [error.at for error in shape_errors(exchange, "compat")]


def _blocking(rule: Rule, exchange: Exchange) -> Iterator[str]:
    """The shape errors that stand where the rule looks, above it or below it."""
    for at in _shape(exchange):
        steps = re.sub(r"^/events/\d+", "", at).split("/")
        wanted = (zip(need.split("/"), steps, strict=False) for need in rule.needs)
        if any(all(want in {"*", step} for want, step in pairs) for pairs in wanted):
            yield at


def _shown(finding: Finding, exchange: str) -> Finding:
    """A finding as it is kept: with its exchange, and with values that are bounded."""
    return replace(
        finding,
        at=bounded(finding.at),
        message=bounded(finding.message),
        expected=bounded(finding.expected),
        actual=bounded(finding.actual),
        exchange=finding.exchange or exchange,
    )
