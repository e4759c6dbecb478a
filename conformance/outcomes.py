"""Judgements boiled down to what is kept of a run when several are put side by side: small, and without evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from conformance.model import Finding, Judgement, Severity, Verdict

_INDEX = re.compile(r"/\d+(?=/|$)")


class Key(NamedTuple):
    """What verdicts of two runs are matched by."""

    rule: str
    operation: str


@dataclass(frozen=True)
class Outcome:
    """What one rule said of one operation, and in which ways it was broken."""

    rule: str
    operation: str
    severity: Severity
    verdict: Verdict
    waived: bool
    """Whether a waiver that is in force excuses it."""
    signs: frozenset[str]
    """One for each way in which it was broken: see `sign`."""
    exchanges: tuple[str, ...]
    """Cases of the findings, else those that were looked at: where to look for evidence."""

    @property
    def key(self) -> Key:
        """Rule and operation."""
        return Key(self.rule, self.operation)

    @property
    def broken(self) -> bool:
        """Whether the rule found something."""
        return self.verdict in BROKEN


BROKEN = frozenset({Verdict.NOTE, Verdict.WARN, Verdict.FAIL})
"""Verdicts of a rule that found something; an error of ours is none of the relay's."""
CONCLUSIVE = frozenset({Verdict.PASS, *BROKEN})
"""Verdicts that say something of the relay's answers."""
_EXCUSABLE = frozenset({Verdict.WARN, Verdict.FAIL})
MOST_EXCHANGES = 6


def sign(finding: Finding) -> str:
    """In which way a rule was broken, without the values: the label where there is one, else the place."""
    return finding.deviation or _INDEX.sub("/*", finding.at) or "/"


def outcomes(judgements: Iterable[Judgement]) -> dict[Key, Outcome]:
    """The outcomes of a run by rule and operation."""
    found = [_outcome(judgement) for judgement in judgements]
    return {outcome.key: outcome for outcome in found}


def _outcome(judgement: Judgement) -> Outcome:
    broken = judgement.verdict in BROKEN
    cited = [finding.exchange for finding in judgement.findings if finding.exchange]
    shown = tuple(dict.fromkeys(cited or judgement.exchanges))[:MOST_EXCHANGES]
    return Outcome(
        rule=judgement.rule,
        operation=judgement.operation,
        severity=judgement.severity,
        verdict=judgement.verdict,
        waived=judgement.verdict in _EXCUSABLE and judgement.waiver is not None and not judgement.waiver.expired,
        signs=frozenset(sign(finding) for finding in judgement.findings) if broken else frozenset(),
        exchanges=shown,
    )
