"""Ten providers at once against one: recorded in one process, and the whole command."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conformance import relay
from conformance.model import Limits, Provider
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.send import Job, record_all

COUNT = 10
_KEY = "RELAY_API_KEY"


def recording(base_url: str) -> tuple[float, float]:
    """Seconds of wall time to record the default plan: of one provider, of ten at once."""
    return _recorded(base_url, 1), _recorded(base_url, COUNT)


def command(base_url: str) -> tuple[float, float]:
    """Seconds of wall time, start, judging and reports included: `vet` of one provider, `compare` of ten."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "providers.toml"
        rows = [f'[[providers]]\nname = "p{each}"\nbase_url = "{base_url}"\n' for each in range(COUNT)]
        path.write_text(f'format = 1\ndefaults.model = "{relay.DEFAULT_MODEL}"\n' + "".join(rows), encoding="utf-8")
        one = _run("vet", base_url, "--model", relay.DEFAULT_MODEL, "--out", str(folder / "one"))
        return one, _run("compare", str(path), "--out", str(folder / "ten"))


def _recorded(base_url: str, count: int) -> float:
    cases, provider = tuple(plan()), Provider(base_url, relay.DEFAULT_MODEL, _KEY)
    secrets = Secrets({_KEY: relay.DEFAULT_KEY})
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / str(each) / "ledger.jsonl" for each in range(count)]
        started = time.perf_counter()
        record_all([Job(cases, provider, path, secrets, Limits()) for path in paths])
        return time.perf_counter() - started


def _run(*arguments: str) -> float:
    environment = {**os.environ, _KEY: relay.DEFAULT_KEY}
    started = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "conformance", *arguments], env=environment, capture_output=True, check=True
    )
    return time.perf_counter() - started
