"""Ten providers on one local server, each with three faults and a key of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from conformance.relay import DEFAULT_MODEL, BackgroundRelay, create_app

ROOT = Path(__file__).resolve().parents[2]
PLANTED = (
    ("usage-sum-wrong", "embedding-not-normalised", "rerank-unsorted"),
    ("id-foreign", "embedding-usage-total", "messages-reason-openai"),
    ("finish-foreign", "rerank-top-n-ignored", "response-sequence-repeated"),
    ("created-milliseconds", "moderation-flag-lost", "messages-stop-missing"),
    ("tool-type-wrong", "response-created-milliseconds", "gemini-done"),
    ("stop-ignored", "embedding-base64-unasked", "completion-usage-total"),
    ("n-ignored", "rerank-documents-lost", "gemini-total-wrong"),
    ("logprobs-unsorted", "completion-stop-ignored", "messages-usage-last-piece"),
    ("json-fenced", "moderation-input-500", "response-usage-total-wrong"),
    ("done-missing", "completion-n-ignored", "gemini-finish-openai"),
)
NAMES = tuple(f"provider {number}" for number in range(len(PLANTED)))
KEYS = tuple(f"sk-test-{number}-{'qwertyuiop'[number] * 6}{number * 7919 + 104729}" for number in range(len(PLANTED)))
VARIABLES = {f"COMPARE_KEY_{number}": key for number, key in enumerate(KEYS)}


def relay(latency: float = 0.0) -> BackgroundRelay:
    """The server; every fault has a path of its own."""
    return BackgroundRelay(create_app(KEYS, latency=latency))


def providers_file(server: BackgroundRelay, folder: Path, count: int = len(PLANTED), more: str = "") -> Path:
    """A providers.toml of the first providers."""
    rows = [
        f'[[providers]]\nname = "{name}"\nbase_url = "{server.variant("fault/" + "+".join(faults))}"\n'
        f'key_env = "COMPARE_KEY_{number}"\n{more}'
        for number, (name, faults) in enumerate(zip(NAMES, PLANTED, strict=True))
    ]
    path = folder / "providers.toml"
    head = f'format = 1\n[defaults]\nmodel = "{DEFAULT_MODEL}"\n'
    path.write_text("\n".join([head, *rows[:count]]), encoding="utf-8")
    return path


def command(*arguments: str) -> list[str]:
    """Our own command."""
    return [sys.executable, "-m", "conformance", "compare", *arguments]


def environment() -> dict[str, str]:
    """With the keys."""
    return {**os.environ, **VARIABLES}


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command to its end."""
    return subprocess.run(
        command(*arguments), env=environment() | more, capture_output=True, text=True, timeout=300, check=False
    )


def trips() -> dict[str, frozenset[str]]:
    """Fault -> the rules that it trips, as the documentation says."""
    text = (ROOT / "docs" / "faults.md").read_text("utf-8").partition("## What trips each rule")[0]
    rows = re.findall(r"^\| `([\w-]+)` \|.*\| ([^|]*) \|$", text, re.MULTILINE)
    return {name: frozenset(re.findall(r"`([\w.-]+)`", rules)) for name, rules in rows}


def read(path: Path) -> dict:
    """A JSON file."""
    return json.loads(path.read_text("utf-8"))
