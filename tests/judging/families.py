"""Runs of one small family of operations, made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.fixtures import load_cases
from conformance.model import Case, Exchange, Judgement, Response, Verdict
from conformance.reasons import finding

from .runs import answer, exchange, ledger, verdicts
from .test_garbage import ODD, changed, pointers

BAD = {Verdict.WARN, Verdict.FAIL, Verdict.ERROR}
CASES = {case.id: case for case in load_cases()}


@dataclass(frozen=True)
class Family:
    """A family, and the model that is asked."""

    name: str
    model: str = "mock"

    def cases(self) -> list[Case]:
        """Its cases."""
        return [case for case in CASES.values() if case.operation.partition(".")[0] == self.name]

    def run(self, name: str, told: Any, status: int = 200) -> Exchange:
        """One case, answered so."""
        response = told if isinstance(told, Response) else answer(told, status)
        return replace(exchange(CASES[f"{self.name}/{name}" if "/" not in name else name], response), model=self.model)

    def judged(self, *exchanges: Exchange) -> Mapping[str, Judgement]:
        """What its rules say, and the rules of all operations; of several operations the worst."""
        found = sorted(verdicts(ledger(exchanges), [self.name, "operation"]).values(), key=lambda each: each.verdict)
        return {judgement.rule: judgement for judgement in found}

    def blamed(self, *exchanges: Exchange) -> set[str]:
        """The rules that warn or fail."""
        return {rule for rule, judgement in self.judged(*exchanges).items() if judgement.verdict in BAD}

    def labels(self, *exchanges: Exchange) -> set[str]:
        """The known deviations that are named."""
        found = self.judged(*exchanges).values()
        return {each.deviation for judgement in found for each in judgement.findings if each.deviation}

    def stumbles(self, *exchanges: Exchange) -> list[str]:
        """The rules that raised: each has to say where it looks instead."""
        caught = finding("blocked", "/")
        return [
            rule
            for rule, judgement in self.judged(*exchanges).items()
            for each in judgement.findings
            if judgement.verdict is Verdict.ERROR or (each.message, each.actual) == (caught.message, caught.actual)
        ]

    def stumbles_over(self, good: Mapping[str, Any]) -> Iterator[tuple[str, Any, list[str]]]:
        """What stumbles when one of these answers has something odd, or nothing, in one place."""
        for name, body in good.items():
            rest = [self.run(other, value) for other, value in good.items() if other != name]
            for at in pointers(body):
                for what, odd in ODD.items():
                    found = self.stumbles(*rest, self.run(name, changed(body, at, odd)))
                    if found:
                        yield name, (at, what), found
