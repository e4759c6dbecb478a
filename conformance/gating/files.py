"""`baseline.json`: what is kept of a run, an entry a line, and back; its format is `schemas/formats/baseline.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from conformance.contract import schema_errors
from conformance.errors import DataError
from conformance.gating.nouns import Record, Standing, Timing
from conformance.gating.rounds import plan_digest
from conformance.jsontext import parse_json
from conformance.model import Severity, Verdict
from conformance.outcomes import Key

FORMAT = 1
_SCHEMA = "formats/baseline.json"
LARGEST = 32 * 2**20
"""Bytes of one file."""
_AGAIN = "make it again: relay-conformance baseline RUN -o FILE --update"
_VERDICTS = {verdict.label: verdict for verdict in Verdict}


def baseline_text(record: Record) -> str:
    """The file's text: the same record gives the same bytes, and each entry has a line of its own."""
    standings = [record.standings[key] for key in sorted(record.standings)]
    timings = sorted(record.timings, key=lambda each: (each.operation, each.what))
    values = {
        "format": FORMAT,
        "tool": record.tool,
        "provider": {"name": record.name, "base_url": record.base_url, "model": record.model},
        "page": record.page,
        "recorded": list(record.recorded),
        "lag": round(record.lag, 4),
        "plan": plan_digest(dict(record.cases)),
        "rules": list(record.rules),
    }
    parts = [f" {_line(name)}: {_line(value)}" for name, value in values.items()]
    parts.append(f' "entries": [{_block(_line(_entry_out(each)) for each in standings)}]')
    parts.append(f' "timings": [{_block(_line(vars(each)) for each in timings)}]')
    parts.append(f' "cases": {{{_block(f"{_line(name)}: {_line(digest)}" for name, digest in _sorted(record))}}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _sorted(record: Record) -> list[tuple[str, str]]:
    return sorted(record.cases.items())


def _block(lines: Iterable[str]) -> str:
    found = ",\n  ".join(lines)
    return f"\n  {found}\n " if found else ""


def _line(value: Any) -> str:
    """One line of ASCII, so that halves of surrogate pairs can be written."""
    return json.dumps(value, allow_nan=False)


def _entry_out(standing: Standing) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "rule": standing.rule,
        "operation": standing.operation,
        "severity": standing.severity.value,
        "verdict": standing.verdict.label,
        "cases": standing.cases,
    }
    if standing.noisy:
        entry["rounds"] = [verdict.label for verdict in standing.verdicts]
    return {**entry, "signs": sorted(standing.signs)} if standing.signs else entry


def is_baseline(path: Path) -> bool:
    """Whether a path names a baseline rather than a ledger; one that cannot be read is left to the reader."""
    if path.is_dir():
        return False
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except (OSError, ValueError):
        return path.suffix == ".json"
    return not start.startswith(b'{"kind"') and path.suffix != ".jsonl"


def read_baseline(path: Path) -> Record:
    """What a baseline has kept; raises DataError for a file that is none, or of another version."""
    raw = _parsed(path)
    written = raw.get("format") if isinstance(raw, dict) else None
    if isinstance(written, int) and not isinstance(written, bool) and written != FORMAT:
        raise DataError(f"{path}: baseline format {written}, this version reads format {FORMAT}", _AGAIN)
    for problem in schema_errors(_SCHEMA, raw):
        raise DataError(f"{path}: no baseline: {problem.message} at {problem.at or '/'}", _AGAIN)
    if raw["plan"] != plan_digest(raw["cases"]):
        raise DataError(f"{path}: its cases are not those of its plan: it was edited or damaged", _AGAIN)
    entries = [_entry_in(each) for each in raw["entries"]]
    found = {entry.key: entry for entry in entries}
    if len(found) < len(entries):
        raise DataError(f"{path}: two entries for the same rule and operation", _AGAIN)
    return Record(
        tool=raw["tool"],
        **raw["provider"],
        rules=tuple(raw["rules"]),
        recorded=tuple(raw["recorded"]),
        lag=raw.get("lag", 0.0),
        cases=raw["cases"],
        standings=found,
        timings=tuple(_timing_in(path, each, len(raw["recorded"])) for each in raw["timings"]),
        page=raw["page"],
    )


def _parsed(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise DataError(
            f"{path}: cannot be read: {said}", "relay-conformance baseline RUN -o FILE writes one"
        ) from error
    if len(content) > LARGEST:
        raise DataError(f"{path}: more than {LARGEST // 2**20} MiB", _AGAIN)
    document = parse_json(content)
    if document.problem:
        raise DataError(f"{path}: no baseline: {document.problem}", _AGAIN)
    if document.duplicates:
        raise DataError(f"{path}: {document.duplicates[0]!r} stands twice: was a conflict merged badly?", _AGAIN)
    return document.value


def _entry_in(raw: dict[str, Any]) -> Standing:
    verdict = _VERDICTS[raw["verdict"]]
    rounds = tuple(_VERDICTS[label] for label in raw.get("rounds", ()))
    return Standing(
        rule=raw["rule"],
        operation=raw["operation"],
        severity=Severity(raw["severity"]),
        verdict=verdict,
        verdicts=rounds or (verdict,),
        signs=frozenset(raw.get("signs", ())),
        cases=int(raw["cases"]),
        noisy="rounds" in raw,
    )


def _timing_in(path: Path, raw: dict[str, Any], rounds: int) -> Timing:
    if len(raw["rounds"]) != rounds:
        raise DataError(f"{path}: timings of {len(raw['rounds'])} rounds, {rounds} were recorded", _AGAIN)
    return Timing(raw["operation"], raw["what"], tuple(tuple(map(float, values)) for values in raw["rounds"]))


def key_text(key: Key) -> str:
    """A rule and an operation as reports name them."""
    return f"{key.rule} · {key.operation}"
