"""Runs against hostile relays, and what must be true of every one of them."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from conformance.contract import schema_errors
from conformance.judging import judge
from conformance.ledger import read_ledger
from conformance.model import Judgement, Ledger, Limits, Provider, Verdict
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.reporting import report
from conformance.reporting.terminal import print_summary
from conformance.send import record

from .server import KEY, MODEL

QUICK = Limits(concurrency=64, timeout=1.5, idle=0.6, retries=1, backoff=0.01, longest_wait=0.1, body_bytes=262_144)
SECRETS = Secrets({"RELAY_API_KEY": KEY})
FEW = ("chat.id.fresh", "chat.stream.usage-chunk", "models.retrieve")
"""Rules that need few requests of every kind."""
EVERY = ("auth", "chat", "error", "gateway", "http", "models")
SPELLINGS = (
    KEY,
    KEY.replace("/", "\\/"),
    quote(KEY, safe=""),
    quote(KEY, safe="").lower(),
    KEY.encode().hex(),
    "".join(f"\\u{ord(character):04x}" for character in KEY),
    *(base64.b64encode(b"\0" * shift + KEY.encode()).decode()[4 : -4 or None] for shift in range(3)),
)


@dataclass(frozen=True)
class Run:
    """A recorded, judged and reported run."""

    ledger: Ledger
    judgements: list[Judgement]
    folder: Path

    def verdict(self, rule: str, operation: str = "") -> Verdict:
        """The worst verdict of a rule, or its verdict on one operation."""
        return max(
            judgement.verdict
            for judgement in self.judgements
            if judgement.rule == rule and operation in {"", judgement.operation}
        )

    @property
    def violated(self) -> set[str]:
        """Rules with a MUST that were not kept."""
        return {judgement.rule for judgement in self.judgements if judgement.verdict is Verdict.FAIL}

    @property
    def stopped(self) -> str:
        """Why the run stopped, as a code."""
        return self.ledger.stop.code if self.ledger.stop else ""

    @property
    def failures(self) -> set[str]:
        """The kinds of failures that were met."""
        failures = {exchange.failure.kind for exchange in self.ledger.exchanges if exchange.failure}
        return failures - {"no-basis", "no-model"}  # what was never asked for met nothing


def vet(base_url: str, folder: Path, only: Sequence[str] = (), judged: Sequence[str] = (), **limits: float) -> Run:
    """Record what `only` needs, judge by `judged` and report; check what must hold whatever the relay does."""
    provider = Provider(base_url, MODEL)
    chosen = replace(QUICK, **limits)  # type: ignore[arg-type]
    record(plan(only), provider, folder / "ledger.jsonl", secrets=SECRETS, limits=chosen, rules=only)
    ledger = read_ledger(folder / "ledger.jsonl")
    judgements = judge(ledger, judged)
    files = report(judgements, ledger, folder)
    print_summary(judgements, ledger, files, strict=False)
    assert ledger.complete
    check_reports(folder)
    check_no_key(folder)
    bugs = [judgement for judgement in judgements if judgement.verdict is Verdict.ERROR]
    assert not bugs, bugs
    return Run(ledger, judgements, folder)


def check_reports(folder: Path) -> None:
    """The three files are there and are what they should be."""
    assert schema_errors("formats/results.json", json.loads((folder / "results.json").read_bytes())) == []
    assert ET.fromstring((folder / "junit.xml").read_bytes()).tag == "testsuites"
    assert (folder / "report.html").read_text().rstrip().endswith("</html>")


def check_no_key(folder: Path) -> None:
    """No file below the folder holds the key in any spelling."""
    for path in folder.rglob("*"):
        if path.is_file():
            assert spelled_in(path.read_text()) == [], path


def spelled_in(text: str) -> list[str]:
    """The spellings of the key that stand in a text."""
    lowered = text.lower()
    return [spelling for spelling in SPELLINGS if spelling.lower() in lowered]
