"""Rule x exchanges -> judgement: a pure function of a ledger.

Every decision about what cannot be judged is made here: not applicable, unsupported, inconclusive. Rules
themselves see only exchanges that they can say something about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance import reasons
from conformance.contract import shape_errors
from conformance.jsonsafe import bounded
from conformance.model import Exchange, Expectation, Finding, Judgement, Ledger, Verdict
from conformance.operations import OPERATIONS
from conformance.planning import select_rules
from conformance.refusals import is_html, message_of, names_model, out_of_credit, refusal_is_plain
from conformance.rules.base import Answers, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.model import Case

MOST_FINDINGS = 10
"""Findings kept for one exchange and rule; the rest repeats them."""

_TROUBLE = frozenset({408, 409, 425, 429})
_GATEWAY_TROUBLE = frozenset({502, 504, 520, 521, 522, 523, 524, 529, 530})
_NO_ROUTE = frozenset({404, 405, 501})
_OK = range(200, 300)
_UNJUDGED = frozenset({Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE})


@dataclass(frozen=True)
class _Outcome:
    """What one rule says of one exchange, or why it says nothing."""

    verdict: Verdict
    exchange: str
    findings: tuple[Finding, ...] = ()


def judge(ledger: Ledger, only: Sequence[str] = ()) -> list[Judgement]:
    """Judge a recorded run by every rule, or by those that `only` selects; same ledger, same judgements.

    Raises UsageError for a prefix that no rule has.
    """
    rules = select_rules(only or ledger.rules)
    unsupported = {operation for operation in OPERATIONS if _absent(ledger, operation)}
    judgements = []
    for rule in rules:
        operations = rule.operations if rule.over == "exchange" else rule.operations[:1]
        for operation in operations:
            cases = [case for case in ledger.plan if _selected(rule, case, operation)]
            if cases:
                judgements.append(_judge_rule(rule, operation, cases, ledger, unsupported))
    return judgements


def _selected(rule: Rule, case: Case, operation: str) -> bool:
    """Whether a case counts for this rule on this operation."""
    return rule.selects(case) and (rule.over != "exchange" or case.operation == operation)


def _judge_rule(rule: Rule, operation: str, cases: Sequence[Case], ledger: Ledger, unsupported: set[str]) -> Judgement:
    """One rule on one operation, the outcomes of its exchanges folded with `max`."""
    found = ledger.by_case
    outcomes: list[_Outcome]
    if operation in unsupported and rule.answers is not Answers.EVERYTHING:
        outcomes = [_Outcome(Verdict.UNSUPPORTED, cases[0].id, (reasons.finding("no-route"),))]
    elif rule.over == "exchange":
        outcomes = [_outcome(rule, case, found.get(case.id), ledger) for case in cases]
    else:
        outcomes = _over_run(rule, cases, ledger)
    verdict = _folded(rule, outcomes)
    kept = [outcome for outcome in outcomes if outcome.verdict == verdict]
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
    if rule.answers in {Answers.VALID, Answers.REFUSAL}:
        return max(verdicts)
    judged = [verdict for verdict in verdicts if verdict not in _UNJUDGED]
    if not judged and rule.answers in {Answers.ERROR, Answers.ANY} and Verdict.NOT_APPLICABLE in verdicts:
        return Verdict.NOT_APPLICABLE  # nothing of the kind was seen; what was not answered was none either
    return max(judged or verdicts)


def _outcome(rule: Rule, case: Case, exchange: Exchange | None, ledger: Ledger) -> _Outcome:
    """One rule on one exchange."""
    held = _held_back(rule, case, exchange, ledger)
    if held is not None or exchange is None:
        return held or _Outcome(Verdict.NOT_APPLICABLE, case.id)
    return _checked(rule, exchange, case.id, [exchange])


def _over_run(rule: Rule, cases: Sequence[Case], ledger: Ledger) -> list[_Outcome]:
    """One rule on the relation between several exchanges."""
    usable: list[Exchange] = []
    held: list[_Outcome] = []
    for case in cases:
        exchange = ledger.by_case.get(case.id)
        outcome = _held_back(rule, case, exchange, ledger)
        if outcome is not None:
            held.append(outcome)
        elif exchange is not None and rule.applies(exchange):
            usable.append(exchange)
    if len(usable) >= rule.least:
        return [_checked(replace_applies(rule), usable, usable[0].case.id, usable)]
    return held or [_Outcome(Verdict.NOT_APPLICABLE, cases[0].id)]


def replace_applies(rule: Rule) -> Rule:
    """The rule without its guard: over a run the guard has picked the exchanges already."""
    return replace(rule, applies=lambda _: True)


def _held_back(rule: Rule, case: Case, exchange: Exchange | None, ledger: Ledger) -> _Outcome | None:
    """Why a rule cannot look at an exchange, or None when it can."""
    if exchange is None:
        code = "stopped" if ledger.stop else "interrupted"
        return _Outcome(Verdict.INCONCLUSIVE, case.id, (reasons.finding(code),))
    if exchange.failure is not None and exchange.failure.kind in {"unsent", "cancelled"}:
        unsent = reasons.finding(exchange.failure.kind, exchange.failure.detail)
        return _Outcome(Verdict.INCONCLUSIVE, case.id, (unsent,))
    if rule.answers is Answers.EVERYTHING:
        return None
    if rule.answers not in exchange.memo:
        exchange.memo[rule.answers] = _trouble(rule, exchange)
    trouble: Finding | None = exchange.memo[rule.answers]
    if trouble is not None:
        return _Outcome(Verdict.INCONCLUSIVE, case.id, (trouble,))
    if rule.answers is Answers.SUCCESS:
        return _not_a_success(exchange)
    if rule.answers is Answers.ERROR and exchange.status not in range(400, 500):
        return _Outcome(Verdict.NOT_APPLICABLE, case.id)
    return None


def _trouble(rule: Rule, exchange: Exchange) -> Finding | None:
    """Why an exchange shows nothing about the contract: no answer, a rate limit, an upstream that is down."""
    status = exchange.status
    if exchange.failure is not None:
        return reasons.finding(exchange.failure.kind, exchange.failure.detail)
    if out_of_credit(exchange):
        return reasons.finding("no-credit", message_of(exchange))
    if status in _TROUBLE or status in _GATEWAY_TROUBLE:
        return reasons.finding("trouble", f"HTTP {status} {message_of(exchange)}".strip())
    if status >= 500:  # noqa: PLR2004 - an HTTP status class
        judged = rule.answers is Answers.REFUSAL and (status != 503 or names_model(exchange))  # noqa: PLR2004
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
    if case.feature and refusal_is_plain(exchange):
        return _Outcome(Verdict.UNSUPPORTED, case.id, (reasons.finding("feature-refused", case.feature),))
    said = f"HTTP {exchange.status} {message_of(exchange)}".strip()
    return _Outcome(Verdict.INCONCLUSIVE, case.id, (reasons.finding("refused-request", said),))


def _checked(rule: Rule, subject: Exchange | list[Exchange], exchange_id: str, seen: Sequence[Exchange]) -> _Outcome:
    """Run the rule; a rule that stumbles over a body of the wrong shape is blocked, any other stumble is our bug."""
    blocked = next((where for exchange in seen for where in _blocking(rule, exchange)), None)
    if blocked is not None:
        return _Outcome(Verdict.INCONCLUSIVE, exchange_id, (reasons.finding("blocked", blocked),))
    try:
        if isinstance(subject, Exchange) and not rule.applies(subject):
            return _Outcome(Verdict.NOT_APPLICABLE, exchange_id)
        findings = _take(iter(rule.check(subject)))
    except Exception as error:  # noqa: BLE001 - whatever a rule raises is turned into a verdict here
        if any(_shape(exchange) for exchange in seen):
            return _Outcome(Verdict.INCONCLUSIVE, exchange_id, (reasons.finding("blocked", "/"),))
        return _Outcome(Verdict.ERROR, exchange_id, (reasons.finding("bug", f"{type(error).__name__}: {error}"),))
    return _Outcome(Verdict.of(rule.severity) if findings else Verdict.PASS, exchange_id, findings)


def _take(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    """The first findings; a rule that repeats itself a thousand times has been understood."""
    return tuple(finding for _, finding in zip(range(MOST_FINDINGS), findings, strict=False))


def _shape(exchange: Exchange) -> Sequence[str]:
    """Where a good answer breaks its compat schema."""
    if not OPERATIONS[exchange.case.operation].schema or exchange.status not in _OK:
        return ()
    return [error.at for error in shape_errors(exchange, "compat")]


def _blocking(rule: Rule, exchange: Exchange) -> Iterator[str]:
    """The shape errors that stand where the rule looks, above it or below it."""
    if not rule.needs or rule.answers is not Answers.SUCCESS:
        return
    for at in _shape(exchange):
        steps = re.sub(r"^/events/\d+", "", at).split("/")
        for need in rule.needs:
            wanted = need.split("/")
            if all(want in {"*", step} for want, step in zip(wanted, steps, strict=False)):
                yield at
                break


def _absent(ledger: Ledger, operation: str) -> bool:
    """Whether a relay offers no such operation: every valid request for it met no route, or a web page."""
    if OPERATIONS[operation].essential:
        return False
    answers = [
        exchange
        for exchange in ledger.exchanges
        if exchange.case.operation == operation and exchange.case.expect is Expectation.SUCCESS and exchange.answered
    ]
    return bool(answers) and all(answer.status in _NO_ROUTE or is_html(answer) for answer in answers)


def _shown(finding: Finding, exchange: str) -> Finding:
    """A finding as it is kept: with its exchange, and with values that are bounded."""
    return replace(
        finding,
        expected=bounded(finding.expected),
        actual=bounded(finding.actual),
        exchange=finding.exchange or exchange,
    )
