"""`diff.json` read back: what got worse, as judgements; its format is `schemas/formats/diff.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.contract import schema_errors
from conformance.errors import DataError
from conformance.jsontext import parse_json
from conformance.model import Finding, Judgement, Severity, Verdict
from conformance.rules.base import catalogue

SCHEMA = "formats/diff.json"
LARGEST = 64 * 2**20
"""Bytes of one file."""
_HINT = "relay-conformance diff writes it, and vet --baseline"
_VERDICTS = {verdict.label: verdict for verdict in Verdict}


def read_worse(path: Path) -> list[Judgement]:
    """What got worse over all rounds, with the one finding that the file has of each; raises DataError."""
    raw = _parsed(path)
    for problem in schema_errors(SCHEMA, raw):
        raise DataError(f"{path}: no diff.json: {problem.message} at {problem.at or '/'}", _HINT)
    return [_judgement(change) for change in raw["changes"] if change["kind"] == "worse" and change["now"]]


def _parsed(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path}: cannot be read: {said}", _HINT) from error
    if len(content) > LARGEST:
        raise DataError(f"{path}: more than {LARGEST // 2**20} MiB", _HINT)
    document = parse_json(content)
    if document.problem:
        raise DataError(f"{path}: no diff.json: {document.problem}", _HINT)
    return document.value


def _judgement(change: dict[str, Any]) -> Judgement:
    rule = catalogue().get(change["rule"])
    severity = rule.severity if rule else Severity.MUST
    case = change["case"] or ""
    finding = change["finding"]
    found = Finding(exchange=case, message=change["why"])
    if finding:
        found = Finding(finding["at"], finding["expected"], finding["actual"], finding["message"], exchange=case)
    verdict = _VERDICTS[change["now"]]
    return Judgement(change["rule"], change["operation"], severity, verdict, (case,) if case else (), (found,))
