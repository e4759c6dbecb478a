"""Readings to `clients.json` beside the ledger, and back; its format is `schemas/formats/clients.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance._version import __version__
from conformance.clients.readings import ClientRun, reading_in, reading_out
from conformance.contract import is_valid, schema_errors
from conformance.errors import LedgerError
from conformance.jsontext import parse_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conformance.model import Ledger

CLIENTS_FILE = "clients.json"
FORMAT = 1
_SCHEMA = "formats/clients.json"
_AGAIN = "let the clients read again: relay-conformance clients LEDGER"


def write_readings(path: Path, ledger: Ledger, runs: Sequence[ClientRun]) -> None:
    """Write what clients read of a run; raises OSError."""
    document = {
        "format": FORMAT,
        "tool": f"relay-conformance {__version__}",
        "run": ledger.started,
        "clients": [vars(run) | {"readings": [reading_out(reading) for reading in run.readings]} for run in runs],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_readings(path: Path, ledger: Ledger) -> list[ClientRun]:
    """What clients read of this run; raises LedgerError for a file that is damaged, or of another run."""
    try:
        document = parse_json(path.read_bytes())
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}", _AGAIN) from error
    raw = document.value
    if document.problem or not is_valid(_SCHEMA, raw):
        problem = document.problem or schema_errors(_SCHEMA, raw)[0].message
        raise LedgerError(f"{path}: holds no readings: {problem}", _AGAIN)
    if raw["run"] != ledger.started:
        raise LedgerError(f"{path}: these are readings of another run", _AGAIN)
    return [_run_in(each) for each in raw["clients"]]


def _run_in(raw: dict[str, Any]) -> ClientRun:
    return ClientRun(**raw | {"readings": tuple(reading_in(reading) for reading in raw["readings"])})
