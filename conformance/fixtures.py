"""Fixture files to cases: `fixtures/<operation>/<name>.json`, checked by `schemas/formats/fixture.json`."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from conformance.contract import data, schema_errors
from conformance.errors import DataError
from conformance.model import Auth, Case, Expectation, Phase, Price
from conformance.operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = "formats/fixture.json"


def load_cases(folder: Path | None = None) -> list[Case]:
    """Every fixture below `folder` (ours by default), by operation and then by name."""
    return list(_ours() if folder is None else _below(folder))


@cache
def _ours() -> tuple[Case, ...]:
    """Those that come with this package, which do not change."""
    return tuple(_below(data("fixtures")))


def _below(root: Path) -> Iterator[Case]:
    for operation in OPERATIONS.values():
        for path in sorted((root / operation.id).glob("*.json")):
            yield load_case(path, operation)


def load_case(path: Path, operation: Operation) -> Case:
    """One fixture file as a case; raises DataError with the file's name."""
    try:
        raw = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}") from error
    for problem in schema_errors(FORMAT, raw):
        raise DataError(f"{path}: {problem.message} at {problem.at or '/'}", f"the format is in schemas/{FORMAT}")
    body = raw.get("body")
    writes = operation.writes and raw.get("method", operation.method) == "POST"
    return Case(
        id=f"{operation.id}/{path.stem}",
        operation=operation.id,
        purpose=raw["purpose"],
        zh=raw["zh"],
        source=raw["source"],
        method=raw.get("method", operation.method),
        path=raw.get("path", operation.path.replace("{model}", "$model")),
        expect=Expectation(raw.get("expect", "success")),
        price=Price(raw.get("price", operation.price)),
        phase=Phase(raw.get("phase", "valid")),
        body=body,
        raw=raw.get("raw"),
        headers=raw.get("headers", {}),
        auth=Auth(raw.get("auth", "key")),
        probes=frozenset(raw.get("probes", ())),
        feature=raw.get("feature", ""),
        output_tokens=raw["output_tokens"] if "output_tokens" in raw else _ceiling(path, body) if writes else 0,
        follows=raw.get("follows", ""),
        during=raw.get("during", ""),
        stop_after_events=raw.get("stop_after_events", 0),
        role=raw.get("role", ""),
        form=raw.get("form"),
        scenario=raw.get("scenario", ""),
        step=raw.get("step", 0),
    )


_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def _ceiling(path: Path, body: dict[str, Any] | None) -> int:
    """How many output tokens the request allows; a request without a limit is no fixture of ours."""
    request = body or {}
    configured = request.get("generationConfig", {})
    limit = next((request[name] for name in _LIMITS if name in request), configured.get("maxOutputTokens"))
    if not isinstance(limit, int):
        raise DataError(f"{path}: the body has no output limit", "set max_tokens: what a run may cost is announced")
    prompts = request.get("prompt")
    batch = len(prompts) if isinstance(prompts, list) and prompts and not isinstance(prompts[0], int) else 1
    return limit * (request.get("n") or 1) * batch
