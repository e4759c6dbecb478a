from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import relay
from conformance.model import Limits, Provider
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.send import record

KEY = "sk-secret-of-the-job-4711"


@pytest.fixture(scope="session")
def good() -> Iterator[str]:
    with relay.BackgroundRelay(relay.create_app(KEY)) as background:
        yield background.base_url


@pytest.fixture(scope="session")
def faulty() -> Iterator[str]:
    with relay.BackgroundRelay(relay.create_app(KEY, faults=("models-object-missing", "key-in-answer"))) as background:
        yield background.base_url


@pytest.fixture(scope="session")
def run_folder(good: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small recorded run."""
    folder = tmp_path_factory.mktemp("run")
    provider = Provider(good, relay.DEFAULT_MODEL, "RELAY_API_KEY")
    cases = tuple(plan(("models",)))
    secrets = Secrets({"RELAY_API_KEY": KEY})
    record(cases, provider, folder / "ledger.jsonl", secrets=secrets, limits=Limits(), rules=("models",))
    return folder
