"""Both sides of the gate: a baseline file or recorded runs, and a run held to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.errors import UsageError
from conformance.gating.comparing import compare
from conformance.gating.files import is_baseline, read_baseline
from conformance.gating.nouns import Gate, Record
from conformance.gating.recording import record_of
from conformance.gating.rounds import common_cases, digests, read_rounds
from conformance.model import Ledger, Waiver

if TYPE_CHECKING:
    from conformance.profiles import Profile

Before = Record | tuple[Ledger, ...]
"""What a run is held to: what a baseline has kept, or the rounds of an earlier run."""


def read_before(path: Path) -> Before:
    """A baseline, or an earlier run; raises DataError, LedgerError or UsageError for what is neither, or not whole."""
    if is_baseline(path):
        return read_baseline(path)
    found = tuple(read_rounds([path]))
    check_whole(found, path)
    return found


def check_whole(ledgers: Sequence[Ledger], path: Path) -> None:
    """Refuse runs that say nothing of most rules: held to them, nothing would ever get worse."""
    for ledger in ledgers:
        if ledger.stop is not None:
            raise UsageError(f"{path} ended early: {ledger.stop.message}", "a baseline needs a whole run")
        if not ledger.complete:
            raise UsageError(f"{path} was interrupted", "continue it with vet --resume, then make it the baseline")


def hold(before: Before, ledgers: Sequence[Ledger], profile: Profile | None, waivers: Sequence[Waiver]) -> Gate:
    """What the rounds of a run show that was not there before; both judged with the same page, on the same requests."""
    if isinstance(before, Record):
        return compare(before, record_of(ledgers, profile, waivers, before.cases))
    now = common_cases([digests(ledger) for ledger in ledgers])
    then = common_cases([digests(ledger) for ledger in before])
    baseline, run = record_of(before, profile, (), now), record_of(ledgers, profile, waivers, then)
    if len(common_cases([now, then])) < len(then):
        # What no common request shows was judged all the same: it has to be among what is stale.
        whole = record_of(before, profile).standings
        baseline = replace(baseline, standings={**whole, **baseline.standings})
    return compare(baseline, run)
