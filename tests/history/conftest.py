from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance import relay
from conformance.model import Limits, Provider
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.send import record

DAY = 86_400
START = 1_790_000_000
"""2026-09-21, in the afternoon."""
FAULTS = {
    "good": (),
    "id": ("request-id-missing",),
    "twice": ("json-twice",),
}
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, tuple[str, ...]], str]:
    """The text of a ledger of the reference relay by kind and rules; each is recorded once."""
    known: dict[tuple[str, tuple[str, ...]], str] = {}
    home = tmp_path_factory.mktemp("recorded")

    def text(kind: str, rules: tuple[str, ...]) -> str:
        if (kind, rules) not in known:
            path = home / f"{len(known)}" / "ledger.jsonl"
            with relay.BackgroundRelay(relay.create_app(faults=FAULTS[kind])) as background:
                provider = Provider(background.base_url, relay.DEFAULT_MODEL, "RELAY_API_KEY", "relay")
                secrets = Secrets({"RELAY_API_KEY": relay.DEFAULT_KEY})
                record(tuple(plan(rules)), provider, path, secrets=secrets, limits=Limits(), rules=rules)
            whole = path.read_text("utf-8")
            known[kind, rules] = whole.replace(background.base_url, "http://relay.example/v1")
        return known[kind, rules]

    return text


@pytest.fixture
def write(recorded: Callable[[str, tuple[str, ...]], str]) -> Write:
    """Writes a run: its folder, what the relay did wrong, on which day, and what its header says otherwise."""

    def written(
        folder: Path, kind: str = "good", day: int = 0, rules: tuple[str, ...] = ("http",), **provider: Any
    ) -> Path:
        head, rest = recorded(kind, rules).split("\n", 1)
        header = json.loads(head)
        header["started"] = START + day * DAY
        header["provider"] |= provider
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "ledger.jsonl"
        path.write_text(f"{json.dumps(header)}\n{rest}", "utf-8")
        return path

    return written
