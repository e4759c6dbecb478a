"""What failed in a run, and which of its requests that rests on: what is sent again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.model import Case, Judgement, Ledger, Price, Verdict
from conformance.planning import PREFLIGHT, can_be_asked, with_companions
from conformance.reporting.summary import is_waived
from conformance.rules.base import catalogue

_FAILED = {Verdict.INCONCLUSIVE, Verdict.WARN, Verdict.FAIL, Verdict.ERROR}


@dataclass(frozen=True)
class Failed:
    """What failed in a run, or could not be judged, and is not waived."""

    judgements: tuple[Judgement, ...]
    cases: tuple[Case, ...]
    """What it rests on, with all that has to go with it; without dear requests unless they are wanted."""
    dear: int
    """How many requests are left out because they are dear."""
    senseless: int = 0
    """How many, because they are about a key and none is used, or need two at once and one is sent at a time."""

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules concerned."""
        return tuple(dict.fromkeys(each.rule for each in self.judgements))


def failed_in(
    ledger: Ledger, judgements: Sequence[Judgement], *, dear: bool, keyless: bool = False, alone: bool = False
) -> Failed:
    """What to send again of a run: the cases that findings cite, for a rule about several all that it looked at."""
    found = tuple(each for each in judgements if each.verdict in _FAILED and not is_waived(each))
    needed = {case for each in found for case in _rests_on(each)} | set(PREFLIGHT)
    wanted = [case for case in ledger.plan if case.id in needed]
    asked = [case.id for case in wanted if can_be_asked(case, keyless=keyless, alone=alone)]
    cases = with_companions(asked, ledger.plan) if found else []
    scenarios = {case.scenario for case in cases if case.price is Price.DEAR and case.scenario}
    kept = [case for case in cases if dear or (case.price is not Price.DEAR and case.scenario not in scenarios)]
    return Failed(found, tuple(kept), len(cases) - len(kept), len(wanted) - len(asked))


def _rests_on(judgement: Judgement) -> Iterator[str]:
    """The cases that one judgement rests on."""
    rule = catalogue().get(judgement.rule)
    cited = {finding.exchange for finding in judgement.findings if finding.exchange}
    yield from cited if cited and rule is not None and rule.over == "exchange" else judgement.exchanges
