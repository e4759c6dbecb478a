"""What a rule is, and the registry that rules enter on import.

A rule is one generator. Over one exchange it takes the exchange; over a run or an operation it takes the exchanges
that carry its probe, in case order; a rule about a provider's page takes the page after that. It yields findings,
never raises, never sends, never looks at a clock.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from conformance.model import Case, Exchange, Expectation, Finding, Severity
from conformance.refusals import GENERATED

_WORD = re.compile(r"\b(MUST|SHOULD|MAY)\b")
_ID = re.compile(r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)+")


class Answers(StrEnum):
    """Which exchanges a rule can say something about; the judge sorts out the others."""

    SUCCESS = "success"
    """A 2xx answer to a valid request."""
    VALID = "valid"
    """Any answer to a valid request: the rule is about being accepted."""
    REFUSAL = "refusal"
    """An answer to a bad request, a plain HTTP 500 included."""
    ERROR = "error"
    """A 4xx answer, whatever was asked."""
    ANY = "any"
    """Any complete answer."""
    EVERYTHING = "everything"
    """Also exchanges without an answer."""


@dataclass(frozen=True)
class Rule:
    """One requirement: everything about it in one place."""

    id: str
    requirement: str
    zh: str
    text: str
    """The whole docstring; its first line is the requirement."""
    severity: Severity
    doc: str
    lines: tuple[str, ...]
    """Lines of the contract sheet that this rule checks, such as `CHAT-05`."""
    basis: str
    """`stated` by the document, or `implied` by it."""
    operations: tuple[str, ...]
    probe: str
    answers: Answers
    cases: Callable[[Case], bool]
    """Which cases count, beyond operation, probe and expectation."""
    applies: Callable[[Exchange], bool]
    about: Callable[[str], bool]
    """Which models it is about, by name."""
    needs: tuple[str, ...]
    """JSON pointers, `*` for any index, that must have the right shape for the rule to be judged."""
    breaks: str
    breaks_zh: str
    mend: str
    """What the provider can do about it, in a few words."""
    mend_zh: str
    over: str
    """`exchange`; `operation`: all exchanges of one operation at once; `run`: those of all its operations."""
    page: Callable[[Any, str], bool] | None
    """For a rule that holds a provider to its own page: whether that page says anything to it of an operation.

    Such a rule is handed the page as well, and is judged only where a profile is.
    """
    sampled: bool
    """Whether its exchanges are a sample: one without an answer leaves no mark on it as long as there is another."""
    least: int
    """For a rule over a run: how many answered exchanges it needs."""
    anchor: str
    """For a rule over a run: the probe of the exchange that it is about; without it there is nothing to judge."""
    noisy: bool
    """Whether chance has a part in it (time, or what a model happens to say): one sample never gates a regression."""
    check: Callable[..., Iterable[Finding]]

    def selects(self, case: Case) -> bool:
        """Whether this rule looks at what comes of the case."""
        if case.operation not in self.operations or not (self.probe in case.probes or not self.probe):
            return False
        if case.stop_after_events and not self.probe:
            return False  # a stream that we break off ourselves says little about streams
        if GENERATED in case.probes and self.answers is Answers.VALID and self.probe != GENERATED:
            return False  # whether a generated request is accepted is one rule's matter, whatever else it probes
        return _EXPECTED[self.answers](case.expect) and self.cases(case)


_EXPECTED: Mapping[Answers, Callable[[Expectation], bool]] = {
    Answers.SUCCESS: lambda expected: expected is not Expectation.REFUSAL,
    Answers.VALID: lambda expected: expected is Expectation.SUCCESS,
    Answers.REFUSAL: lambda expected: expected is Expectation.REFUSAL,
    Answers.ERROR: lambda _: True,
    Answers.ANY: lambda _: True,
    Answers.EVERYTHING: lambda _: True,
}

Check = Callable[..., Iterable[Finding]]
"""The generator of a rule: of an exchange or of several, and of the page for a rule that has one."""

REGISTRY: dict[str, Rule] = {}


def always(_: Exchange) -> bool:
    """Apply to every exchange."""
    return True


def rule(  # noqa: PLR0913 - the fields of a rule, each with its name
    id: str,  # noqa: A002 - the field's own word
    *,
    doc: str,
    zh: str,
    operations: Sequence[str],
    lines: Sequence[str] = (),
    probe: str = "",
    answers: Answers = Answers.SUCCESS,
    cases: Callable[[Case], bool] = lambda _: True,
    applies: Callable[[Exchange], bool] = always,
    about: Callable[[str], bool] = lambda _: True,
    needs: Sequence[str] = (),
    breaks: str = "",
    breaks_zh: str = "",
    mend: str = "",
    mend_zh: str = "",
    basis: str = "stated",
    over: str = "exchange",
    page: Callable[[Any, str], bool] | None = None,
    sampled: bool = False,
    least: int = 1,
    anchor: str = "",
    noisy: bool = False,
) -> Callable[[Check], Check]:
    """Enter a generator into the registry; a malformed rule is refused here, at import."""

    def enter(check: Check) -> Check:
        text = inspect.getdoc(check) or ""
        requirement = text.partition("\n")[0]
        words = _WORD.findall(requirement)
        if len(words) != 1 or len(requirement) > 100 or not _ID.fullmatch(id) or id in REGISTRY or not zh:
            raise ValueError(f"rule {id!r}: needs a new id in words, one MUST, SHOULD or MAY, <= 100 characters, zh")
        if not (mend and mend_zh):
            raise ValueError(f"rule {id!r}: needs mend and mend_zh, what the provider can do about it")
        REGISTRY[id] = Rule(
            id=id,
            requirement=requirement,
            zh=zh,
            text=text,
            severity=Severity(words[0]),
            doc=doc,
            lines=tuple(lines),
            basis=basis,
            operations=tuple(operations),
            probe=probe,
            answers=answers,
            cases=cases,
            applies=applies,
            about=about,
            needs=tuple(needs),
            breaks=breaks,
            breaks_zh=breaks_zh,
            mend=mend,
            mend_zh=mend_zh,
            over=over,
            page=page,
            sampled=sampled,
            least=least,
            anchor=anchor,
            noisy=noisy,
            check=check,
        )
        return check

    return enter


def catalogue() -> Mapping[str, Rule]:
    """Every rule by id, in report order."""
    from conformance import rules  # noqa: PLC0415 - the areas import this module

    rules.load()
    return REGISTRY
