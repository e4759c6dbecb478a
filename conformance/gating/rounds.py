"""Runs and their rounds: where they lie, whether they belong together, and what they have in common.

Round 1 is `ledger.jsonl` of a run folder, the others are `rounds/2/ledger.jsonl` and so on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from conformance.errors import UsageError
from conformance.ledger import case_out, read_ledger
from conformance.model import Case, Ledger

LEDGER, ROUNDS = "ledger.jsonl", "rounds"
MOST = 100
"""Rounds that are read."""


def round_path(folder: Path, number: int) -> Path:
    """Where the ledger of a round lies, counted from one."""
    return folder / LEDGER if number == 1 else folder / ROUNDS / str(number) / LEDGER


def round_paths(path: Path) -> list[Path]:
    """The ledgers of all rounds at a path: a ledger itself, or a run folder. Others than the first may be missing."""
    if not path.is_dir():
        return [path]
    named = [each.name for each in (path / ROUNDS).glob("*") if each.name.isascii() and each.name.isdigit()]
    numbers = sorted({int(name) for name in named if name == str(int(name)) and len(name) < 5} - {0, 1})
    later = [round_path(path, number) for number in numbers]
    return [path / LEDGER, *(each for each in later if each.exists())]


def read_rounds(paths: Iterable[Path]) -> list[Ledger]:
    """Every round of these runs; raises LedgerError for what is none, UsageError for runs that are not one thing."""
    files = [file for path in paths for file in round_paths(path)]
    if len(files) > MOST:
        raise UsageError(f"{len(files)} rounds are too many", f"give at most {MOST}")
    if len({file.resolve() for file in files}) < len(files):
        raise UsageError("the same run is given twice", "each round counts once")
    found = [read_ledger(file) for file in files]
    for file, each in zip(files, found, strict=True):
        _check_belongs(file, each, found[0])
    return found


def _check_belongs(file: Path, ledger: Ledger, first: Ledger) -> None:
    asked, before = (f"{each.provider.model} at {each.provider.base_url}" for each in (ledger, first))
    if asked != before:
        raise UsageError(
            f"{file} asked {asked}, the first run {before}: these are not rounds of the same",
            "relay-conformance compare puts different ones side by side",
        )
    if set(ledger.rules) != set(first.rules):
        raise UsageError(
            f"{file} was planned for {_rules(ledger)}, the first run for {_rules(first)}", "give runs of the same plan"
        )
    if ledger.started == first.started and ledger is not first and ledger.exchanges == first.exchanges:
        raise UsageError(f"{file} is a copy of the first run", "each round counts once")


def _rules(ledger: Ledger) -> str:
    return ", ".join(ledger.rules) or "all rules"


def digests(ledger: Ledger) -> dict[str, str]:
    """Planned case -> digest of its content."""
    return {case.id: case_digest(case) for case in ledger.plan}


def case_digest(case: Case) -> str:
    """A digest of what decides what is sent and looked at; words for people may change between versions."""
    content = {name: value for name, value in case_out(case).items() if name not in {"purpose", "zh", "source"}}
    return _digest(json.dumps(content, sort_keys=True, default=str))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def plan_digest(cases: dict[str, str]) -> str:
    """One digest for a plan."""
    return _digest(json.dumps(cases, sort_keys=True))


def common_cases(plans: Sequence[dict[str, str]]) -> dict[str, str]:
    """The cases that all plans have in the same form."""
    first, *others = plans
    return {name: digest for name, digest in first.items() if all(each.get(name) == digest for each in others)}


def narrowed(ledger: Ledger, cases: Collection[str]) -> Ledger:
    """The same run as if only these cases had been planned."""
    if all(case.id in cases for case in ledger.plan):
        return ledger
    return replace(
        ledger,
        plan=tuple(case for case in ledger.plan if case.id in cases),
        exchanges=tuple(exchange for exchange in ledger.exchanges if exchange.case.id in cases),
    )
