"""`compare.json`: a whole comparison, for programs; its format is `schemas/formats/comparison.json`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from conformance.comparison.matrix import matrix
from conformance.comparison.purposes import suited
from conformance.measures import SLOWER_IS_MORE
from conformance.reporting.results import instant, tool, waiver_value

if TYPE_CHECKING:
    from conformance.clients.verdicts import ClientVerdict
    from conformance.comparison.nouns import Comparison, Difference, Sample, Side
    from conformance.comparison.purposes import Row as Purpose
    from conformance.intervals import Interval
    from conformance.measures import Measure
    from conformance.outcomes import Key, Outcome

FORMAT = 1


def results(comparison: Comparison) -> dict[str, Any]:
    """The document as a JSON value."""
    return {
        "format": FORMAT,
        "tool": tool(),
        "control": comparison.control or None,
        "cases": comparison.cases,
        "partial": comparison.partial,
        "narrowed": comparison.narrowed,
        "left_out": dict(comparison.left_out),
        "sides": [_side(side) for side in comparison.sides],
        "counts": {
            "differences": len(comparison.differences),
            "alike": comparison.alike,
            "unsettled": comparison.unsettled,
        },
        "differences": [_difference(each) for each in comparison.differences],
        "charged": {
            name: {charge.value: count for charge, count in counts.items()}
            for name, counts in comparison.charged.items()
        },
        "purposes": [_purpose(row) for row in suited(comparison)],
    }


def results_text(comparison: Comparison) -> str:
    """The file's text; ASCII only, so that halves of surrogate pairs can be written."""
    return json.dumps(results(comparison), indent=1, allow_nan=False) + "\n"


def _side(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "folder": str(side.folder),
        "base_url": side.base_url,
        "model": side.model,
        "models": dict(side.models),
        "profile": side.profile or None,
        "started": instant(side.started),
        "seconds": round(side.seconds, 3),
        "plan": side.seed_and_plan,
        "planned": side.planned,
        "compared": side.compared,
        "rounds": side.repeats,
        "complete": side.complete,
        "stop": asdict(side.stop) if side.stop else None,
        "verdict": side.verdict,
        "spent": asdict(side.spent),
        "first_attempts": {**asdict(side.reliability), "share": _interval(side.first_attempts)},
        "matrix": {
            operation: {name: {**asdict(cell), "verdict": cell.verdict.label} for name, cell in cells.items()}
            for operation, cells in matrix(side).items()
        },
        "outcomes": [_outcome(outcome) for outcome in side.outcomes.values()],
        "parameters": [
            {"parameter": row.parameter, "support": row.support.value, "sent": row.sent, "refused": row.refused}
            for row in side.parameters
        ],
        "clients": [_client(verdict) for verdict in side.clients],
        "claims": [asdict(claim) for claim in side.claims],
        "measures": [_measure(measure) for measure in side.measures],
        "waivers": [waiver_value(waiver) for waiver in side.waivers],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "operation": outcome.operation,
        "severity": outcome.severity.value,
        "verdict": outcome.verdict.label,
        "waived": outcome.waived,
        "signs": sorted(outcome.signs),
        "exchanges": list(outcome.exchanges),
    }


def _client(verdict: ClientVerdict) -> dict[str, Any]:
    return {
        "client": verdict.client.title,
        "version": verdict.version,
        "state": verdict.state.name.lower().replace("_", "-"),
        "read": verdict.read,
    }


def _measure(measure: Measure) -> dict[str, Any]:
    interval = measure.interval
    return {
        "operation": measure.operation,
        "what": measure.what,
        "unit": "seconds" if measure.what in SLOWER_IS_MORE else "tokens a second",
        "values": [round(value, 4) for value in measure.values],
        "median": _interval(interval),
    }


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    """A middle value with its 95 % interval; None for no values, and ends of None for too few."""
    if interval is None:
        return None
    return {
        "middle": _number(interval.middle),
        "low": _number(interval.low),
        "high": _number(interval.high),
        "count": interval.count,
    }


def _number(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        **_key(difference.key),
        "verdicts": {name: each.verdict.label if each else None for name, each in difference.outcomes.items()},
        "signs": {name: sorted(each.signs) for name, each in difference.outcomes.items() if each and each.broken},
        "charges": {name: charge.value for name, charge in difference.charges.items()},
        "samples": [_sample(sample) for sample in difference.samples],
    }


def _sample(sample: Sample) -> dict[str, Any]:
    return asdict(sample)


def _key(key: Key) -> dict[str, str]:
    return {"rule": key.rule, "operation": key.operation}


def _purpose(row: Purpose) -> dict[str, Any]:
    return {
        "purpose": row.purpose.name,
        "title": row.purpose.title.en,
        "rules": list(row.purpose.rules),
        "operations": list(row.purpose.operations),
        "answers": {
            name: {"fit": answer.fit.value, "held": answer.held, "because": [_key(key) for key in answer.because]}
            for name, answer in row.answers.items()
        },
    }
