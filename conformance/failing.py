"""What fails in a run and is worth making smaller, and whether a smaller request fails in the same way. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from conformance.amounts import GENERATED_OPERATIONS
from conformance.contract import SchemaSet
from conformance.errors import UsageError
from conformance.judging import judge
from conformance.model import Case, Exchange, Finding, JSONValue, Judgement, Ledger, Phase, Verdict
from conformance.refusals import BUSY, GENERATED, REFUSED_KEY
from conformance.rules.base import Rule, catalogue

if TYPE_CHECKING:
    from conformance.profiles import Profile

BUDGET = 25
"""Requests that one search for a smaller failing request may take, attempts included."""

MOST_SEARCHES = 4
"""Failing cases that are made smaller after a run, each for another rule: each costs up to a budget of requests."""

_FAMILIES = tuple(dict.fromkeys(name.partition(".")[0] for name in GENERATED_OPERATIONS))
_BROKEN = (Verdict.FAIL, Verdict.WARN)
_UNSETTLED = BUSY | REFUSED_KEY
"""What says nothing of a request: a key that is refused or has run out of credit, a relay that is busy or down."""

_ABOUT_REQUESTS = ("generated.", "response.", "operation.", *(f"{family}." for family in _FAMILIES))
"""Rules for which it matters what was asked."""


@dataclass(frozen=True)
class Failing:
    """One case that breaks one rule: all that is needed to say whether another request breaks it likewise."""

    ledger: Ledger
    rule: Rule
    exchange: Exchange
    ways: frozenset[tuple[str, str]]
    """Where it is broken, and by what kind of value."""
    profile: Profile | None = None

    @cached_property
    def _page(self) -> SchemaSet | None:
        """The schemas of the provider's page, where it says what a request looks like."""
        if self.profile is None or "request" not in self.profile.schemas.get(self._schema, {}).get("$defs", {}):
            return None
        return SchemaSet(self.profile.schemas)

    @property
    def _schema(self) -> str:
        return f"{self.profile.name if self.profile else ''}/{self.case.operation.removesuffix('.stream')}.json"

    def is_allowed(self, case: Case) -> bool:
        """Whether the provider's page finds no other mistake in a smaller case than in the original one."""
        return self._mistakes(case) == self._mistakes(self.case)

    def _mistakes(self, case: Case) -> dict[str, JSONValue]:
        errors = self._page.errors(f"{self._schema}#/$defs/request", case.body) if self._page else ()
        return {error.at: error.expected for error in errors}

    @property
    def case(self) -> Case:
        """The case as it was planned."""
        return self.exchange.case

    def unsettled(self, exchange: Exchange) -> bool:
        """Whether an exchange says nothing of the request, or was not answered, unless that is what was found wrong."""
        silent = exchange.status in _UNSETTLED or exchange.failure is not None
        return silent and _outcome(exchange) != _outcome(self.exchange)

    def again(self, exchange: Exchange) -> bool:
        """Whether an exchange breaks the rule in one of the same ways."""
        if self.unsettled(exchange):
            return False
        return bool(self.ways & _ways(self.ledger, self.rule.id, exchange, self.profile))


def failing(ledger: Ledger, case_id: str, rule_id: str, profile: Profile | None = None) -> Failing:
    """A case that breaks a rule and can be made smaller; raises UsageError when it is none."""
    exchange = _exchange_of(ledger, case_id)
    rules = catalogue()
    if rule_id not in rules:
        raise UsageError(f"there is no rule {rule_id!r}", _near(rule_id, list(rules), "relay-conformance rules"))
    rule = rules[rule_id]
    if rule.over != "exchange":
        raise UsageError(
            f"{rule_id} is about several exchanges", "only a rule about one can be broken by a smaller one"
        )
    ways = _ways(ledger, rule_id, exchange, profile)
    if not ways:
        hint = (
            ", ".join(broken_rules(ledger, case_id, profile)) or "this case breaks no rule that is about one exchange"
        )
        raise UsageError(f"{case_id} does not break {rule_id}", hint)
    return Failing(ledger, rule, exchange, ways, profile)


def broken_rules(ledger: Ledger, case_id: str, profile: Profile | None = None) -> list[str]:
    """The rules about one exchange that a case breaks, what fails before what warns.

    Raises UsageError when there is no such case, or none that can be made smaller.
    """
    rules = catalogue()
    judgements = judge(_alone(ledger, _exchange_of(ledger, case_id)), (), profile)
    return [each.rule for each in _worst_first(judgements) if rules[each.rule].over == "exchange"]


def worth_minimising(judgements: Sequence[Judgement], ledger: Ledger) -> list[tuple[str, str]]:
    """(case, rule) of generated cases that fail: for each rule and operation the case with the fewest keys.

    A few at most. What a fixed request shows as well is small already.
    """
    rules = catalogue()
    pairs: dict[tuple[str, str], tuple[str, str]] = {}
    for judgement in _worst_first(judgements):
        if rules[judgement.rule].over == "exchange" and judgement.rule.startswith(_ABOUT_REQUESTS):
            cases = [ledger.by_case[finding.exchange].case for finding in _recorded(judgement, ledger)]
            if cases and all(GENERATED in case.probes for case in cases):
                smallest = min(filter(_is_generated, cases), key=lambda case: len(case.body or {}), default=None)
                pairs |= {(judgement.rule, judgement.operation): (smallest.id, judgement.rule)} if smallest else {}
    return list(pairs.values())[:MOST_SEARCHES]


def _recorded(judgement: Judgement, ledger: Ledger) -> list[Finding]:
    """The findings on exchanges that are in the ledger."""
    return [finding for finding in judgement.findings if finding.exchange in ledger.by_case]


def _is_generated(case: Case) -> bool:
    return GENERATED in case.probes and not _obstacle(case)


def _worst_first(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Those of broken rules."""
    broken = [judgement for judgement in judgements if judgement.verdict in _BROKEN]
    return sorted(broken, key=lambda judgement: -judgement.verdict)


def _exchange_of(ledger: Ledger, case_id: str) -> Exchange:
    """The exchange of a case that can be made smaller."""
    cases = {case.id: case for case in ledger.plan}
    if case_id not in cases:
        raise UsageError(
            f"there is no case {case_id!r} in this run", _near(case_id, list(cases), "relay-conformance plan")
        )
    obstacle = _obstacle(cases[case_id])
    if obstacle:
        raise UsageError(f"{case_id} cannot be made smaller: {obstacle}", "choose a case with a JSON body")
    if case_id not in ledger.by_case:
        raise UsageError(f"{case_id} was not sent in this run", "continue the run with --resume")
    return ledger.by_case[case_id]


def _obstacle(case: Case) -> str:
    """Why a case cannot be made smaller, or an empty string."""
    if case.body is None or case.raw is not None:
        return "it has no JSON body"
    if case.phase is Phase.PREFLIGHT:
        return "every run begins with it"
    if case.during or (case.follows and not case.mutation):
        return "it is about another request before it"
    return ""


def _near(name: str, known: Sequence[str], listing: str) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.4)
    return f"did you mean {near[0]!r}?" if near else f"{listing} lists them"


def _alone(ledger: Ledger, exchange: Exchange) -> Ledger:
    """A run in which nothing else was sent."""
    return replace(
        ledger, plan=(exchange.case,), exchanges=(exchange,), preflight=(), stop=None, minimised=(), resent=()
    )


def _ways(ledger: Ledger, rule_id: str, exchange: Exchange, profile: Profile | None) -> frozenset[tuple[str, str]]:
    """In which ways an exchange breaks a rule."""
    judgements = judge(_alone(ledger, exchange), [rule_id], profile)
    return frozenset(
        _way(finding)
        for judgement in judgements
        if judgement.rule == rule_id and judgement.verdict in _BROKEN
        for finding in judgement.findings
    )


def _way(finding: Finding) -> tuple[str, str]:
    """Where, with any index for a given one, and what kind of value stands there."""
    actual = finding.actual
    if finding.at == "status" and isinstance(actual, int):
        kind = f"{actual // 100}xx"
    else:
        kind = "absent" if actual == "absent" else type(actual).__name__
    return re.sub(r"/\d+(?=/|$)", "/*", finding.at), kind


def _outcome(exchange: Exchange) -> tuple[int, str]:
    """The status, and how an exchange failed."""
    return exchange.status, exchange.failure.kind if exchange.failure else ""
