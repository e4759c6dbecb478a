"""What a recorded run was planned to send, read off its first line: a hundred of them fit in memory."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.contract import is_valid
from conformance.errors import LedgerError, UsageError
from conformance.gating.rounds import LEDGER, case_digest, round_paths
from conformance.gating.rounds import MOST as MOST_ROUNDS
from conformance.jsontext import parse_json
from conformance.ledger import case_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any


_NONE = "give the folders of recorded runs, or their ledger.jsonl"


@dataclass(frozen=True)
class Header:
    """One side's ledgers, and the digest of every case that all its rounds were planned to send."""

    ledgers: tuple[Path, ...]
    """The first round, then the others in their order."""
    cases: Mapping[str, str]
    """Case id -> digest of its content."""
    rules: tuple[str, ...]
    """The rule prefixes that the plan was made for; empty means all."""
    title: str

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.ledgers[0].parent

    @property
    def plan(self) -> str:
        """A digest of everything that was planned."""
        return _digest(sorted(self.cases.items()))


def read_header(path: Path) -> Header:
    """The header of a run folder or ledger; raises LedgerError or UsageError where there is none."""
    ledgers = ledgers_of(path)
    first, *others = [_first_line(ledger) for ledger in ledgers]
    cases = _digests(ledgers[0], first)
    for ledger, line in zip(ledgers[1:], others, strict=True):
        cases = dict(cases.items() & _digests(ledger, line).items())
    provider = first["provider"]
    title = provider.get("name") or provider["base_url"].partition("://")[2].partition("/")[0]
    return Header(ledgers, cases, tuple(first["rules"]), title or "relay")


def ledgers_of(path: Path) -> tuple[Path, ...]:
    """The ledgers of a run: its own, then those of `rounds/N` beside it."""
    try:
        ledgers = tuple(round_paths(path.parent if path.name == LEDGER else path))
        found = ledgers[0].is_file()
    except (OSError, ValueError):  # too long for a path, or not allowed to look
        found = False
    if not found:
        raise UsageError(f"{path} is no recorded run", _NONE)
    return ledgers[:MOST_ROUNDS]


def common_cases(headers: Sequence[Header]) -> frozenset[str]:
    """Ids of the cases that all sides were planned to send, with the same content."""
    common = set(headers[0].cases.items())
    for header in headers[1:]:
        common &= header.cases.items()
    return frozenset(id_ for id_, _ in common)


def _first_line(path: Path) -> dict[str, Any]:
    """The header of one ledger, checked against the schema."""
    try:
        with path.open("rb") as file:
            line = file.readline()
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}", _NONE) from error
    document = parse_json(line)
    found: dict[str, Any] = document.value
    if document.problem or not isinstance(found, dict) or found.get("kind") != "header":
        raise LedgerError(f"{path}: not a ledger, line 1 is no header", _NONE)
    if not is_valid("formats/ledger.json", found):
        raise LedgerError(f"{path}: line 1 is no header that this version reads", "was it recorded by another version?")
    return found


def _digests(path: Path, line: Mapping[str, Any]) -> dict[str, str]:
    try:
        cases = [case_in(raw) for raw in line["plan"]]
    except (TypeError, ValueError) as error:
        raise LedgerError(f"{path}: line 1 holds no plan: {error}", "record the run again") from error
    return {case.id: case_digest(case) for case in cases}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
