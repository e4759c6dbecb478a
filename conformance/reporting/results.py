"""`results.json`: everything concluded, for programs; its format is `schemas/formats/results.json`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from conformance._version import __version__
from conformance.contract import CONTRACTS
from conformance.reporting.summary import counts, run_verdict, spent
from conformance.reporting.visible import bounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.model import Finding, Judgement, Ledger

FORMAT = 1
LONGEST = 4_000
"""Characters of an expected or actual value that are kept; the ledger has the rest."""


def results(judgements: Sequence[Judgement], ledger: Ledger, *, strict: bool = False) -> dict[str, Any]:
    """The document as a JSON value."""
    return {
        "format": FORMAT,
        "tool": tool(),
        "provider": {
            "name": ledger.provider.title,
            "base_url": ledger.provider.base_url,
            "model": ledger.provider.model,
        },
        "contracts": list(CONTRACTS),
        "started": instant(ledger.started),
        "seconds": round(ledger.seconds, 3),
        "spent": asdict(spent(ledger)),
        "verdict": run_verdict(judgements, ledger, strict=strict),
        "counts": counts(judgements),
        "judgements": [_judgement(judgement) for judgement in judgements],
    }


def results_text(judgements: Sequence[Judgement], ledger: Ledger, *, strict: bool = False) -> str:
    """The file's text; ASCII only, so that halves of surrogate pairs can be written."""
    return json.dumps(results(judgements, ledger, strict=strict), indent=1, allow_nan=False) + "\n"


def tool() -> str:
    """Name and version of the program that judges and reports."""
    return f"relay-conformance {__version__}"


def instant(seconds: float) -> str:
    """A Unix time in UTC, ISO 8601."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _judgement(judgement: Judgement) -> dict[str, Any]:
    return {
        "rule": judgement.rule,
        "operation": judgement.operation,
        "severity": judgement.severity.value,
        "verdict": judgement.verdict.label,
        "exchanges": list(judgement.exchanges),
        "findings": [_finding(finding) for finding in judgement.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "exchange": finding.exchange,
        "at": finding.at,
        "expected": bounded(finding.expected, LONGEST),
        "actual": bounded(finding.actual, LONGEST),
        "message": finding.message,
        "deviation": finding.deviation or None,
    }
