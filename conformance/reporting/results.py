"""`results.json`: everything concluded, for programs; its format is `schemas/formats/results.json`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from conformance._version import __version__
from conformance.contract import CONTRACTS
from conformance.reporting.requests import claim_rows
from conformance.reporting.scope import not_run
from conformance.reporting.summary import Tally, counts, idle_waivers, run_verdict, spent
from conformance.reporting.visible import bounded
from conformance.support import parameter_support

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.clients.comparing import State
    from conformance.clients.verdicts import ClientVerdict
    from conformance.model import Finding, Judgement, Ledger, Minimised, Waiver
    from conformance.profiles import Profile
    from conformance.support import Row

FORMAT = 1
LONGEST = 4_000
"""Characters of an expected or actual value that are kept; the ledger has the rest."""


def results(
    judgements: Sequence[Judgement],
    ledger: Ledger,
    *,
    strict: bool = False,
    profile: Profile | None = None,
    clients: Sequence[ClientVerdict] = (),
) -> dict[str, Any]:
    """The document as a JSON value."""
    return {
        "format": FORMAT,
        "tool": tool(),
        "provider": {
            "name": ledger.provider.title,
            "base_url": ledger.provider.base_url,
            "model": ledger.provider.model,
            "models": dict(ledger.models),
        },
        "contracts": [*(["documented"] if profile else []), *CONTRACTS],
        "profile": _profile(profile, judgements, ledger),
        "started": instant(ledger.started),
        "seconds": round(ledger.seconds, 3),
        "spent": asdict(spent(ledger)),
        "verdict": run_verdict(judgements, ledger, strict=strict),
        "counts": counts(judgements),
        "waived": Tally.of(judgements).waived,
        "idle_waivers": [waiver_value(each) for each in idle_waivers(judgements)],
        "not_run": [{"name": each.name, "why": each.code} for each in not_run(ledger)],
        "judgements": [_judgement(judgement) for judgement in judgements],
        "parameters": [_parameter(row) for row in parameter_support(ledger)],
        "minimised": [_minimised(found) for found in ledger.minimised],
        "clients": [_client(verdict) for verdict in clients],
    }


def results_text(
    judgements: Sequence[Judgement],
    ledger: Ledger,
    *,
    strict: bool = False,
    profile: Profile | None = None,
    clients: Sequence[ClientVerdict] = (),
) -> str:
    """The file's text; ASCII only, so that halves of surrogate pairs can be written."""
    document = results(judgements, ledger, strict=strict, profile=profile, clients=clients)
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


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
        "waiver": waiver_value(judgement.waiver) if judgement.waiver else None,
    }


def waiver_value(waiver: Waiver) -> dict[str, Any]:
    """A waiver as every format has it; null stands for every operation of its rule."""
    return {**vars(waiver), "operation": waiver.operation or None}


def _profile(profile: Profile | None, judgements: Sequence[Judgement], ledger: Ledger) -> dict[str, Any] | None:
    """What the provider's own page names, and what is known of each."""
    if profile is None:
        return None
    rows = claim_rows(profile, judgements, ledger)
    claims = [
        {"title": row.title, "operation": row.operation, "method": row.method, "state": row.state} for row in rows
    ]
    return {"name": profile.name, "title": profile.title, "digest": profile.digest, "claims": claims}


def _parameter(row: Row) -> dict[str, Any]:
    return {
        "parameter": row.parameter,
        "support": row.support.value,
        "sent": row.sent,
        "exchange": row.exchange,
        "refused": row.refused,
        "beside": list(row.beside),
    }


def _state(state: State) -> str:
    return state.name.lower().replace("_", "-")


def _client(verdict: ClientVerdict) -> dict[str, Any]:
    return {
        "rule": verdict.client.rule,
        "client": verdict.client.title,
        "version": verdict.version,
        "state": _state(verdict.state),
        "read": verdict.read,
        "operations": list(verdict.operations),
        "troubles": [
            {
                "kind": trouble.kind,
                "state": _state(trouble.state),
                "detail": trouble.detail,
                "cases": list(trouble.cases),
                "rules": list(trouble.rules),
            }
            for trouble in verdict.troubles
        ],
    }


def _minimised(found: Minimised) -> dict[str, Any]:
    return {
        "case": found.case,
        "rule": found.rule,
        "requests": found.requests,
        "reproduced": found.reproduced,
        "complete": found.complete,
        "body": bounded(found.result.body, LONGEST) if found.reproduced else None,
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
