"""What a run is going to do and cost, in lines for people, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.failing import MOST_SEARCHES
from conformance.gating.rounds import round_path
from conformance.ledger import is_begun, read_ledger
from conformance.materialise import role_of
from conformance.model import Phase, Price
from conformance.operations import OPERATIONS
from conformance.planning import ceiling, still_to_send
from conformance.refusals import GENERATED
from conformance.reporting.requests import CoverageLine, coverage_lines
from conformance.roles import CHAT, ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from conformance.gating.failed import Failed
    from conformance.model import Case, Ledger, Limits
    from conformance.profiles import Profile

_MOST_MISSING = 3


def announce(cases: Sequence[Case], limits: Limits, minimize_budget: int = 0, rounds: int = 1) -> list[str]:
    """What will be sent and what it can cost at most, in lines for people.

    `minimize_budget`: requests that one search for a smaller failing request may take. `rounds`: how often the plan is
    sent; the limits are for all rounds together.
    """
    top = ceiling([*cases] * rounds)
    lines = [f"{len(cases)} requests in each of {rounds} rounds; all together:"] if rounds > 1 else []
    lines += [
        (
            f"{top.requests} requests planned, at most {top.output_tokens:,} output tokens, "
            f"longest prompt {top.longest_prompt:,} characters"
        ),
        (
            f"limits: {limits.requests} requests, {limits.output_tokens:,} output tokens "
            f"({max(0, limits.requests - top.requests)} requests are left for repeating what met 429 or 503)"
        ),
    ]
    if top.dear:
        lines.append(f"{top.dear} of them are dear: billed by the piece or the call, as pictures and sounds are")
    if minimize_budget and any(GENERATED in case.probes for case in cases):
        lines.append(
            f"failing generated requests are made smaller within these limits ({MOST_SEARCHES} searches at most)"
        )
    if top.requests > limits.requests or top.output_tokens > limits.output_tokens:
        lines.append("the plan is larger than the limits: what does not fit is not sent, and is inconclusive")
    return lines


def announce_operations(cases: Sequence[Case]) -> list[str]:
    """A table for people: what each operation is asked, at which price at most, and what it can cost."""
    prices = list(Price)
    lines = [f"{'operation':20}  requests  price  output tokens"]
    for name in OPERATIONS:
        asked = [case for case in cases if case.operation == name]
        if asked:
            top, price = ceiling(asked), max((case.price for case in asked), key=prices.index)
            lines.append(f"{name:20}  {top.requests:8,}  {price:5}  {top.output_tokens:13,}")
    return lines


def announce_rest(path: Path, rounds: int = 1) -> list[str]:
    """What an interrupted run still lacks, over all its rounds."""
    files = [round_path(path.parent, number) for number in range(1, rounds + 1)]
    first, *later = [read_ledger(file) if is_begun(file) else None for file in files]
    planned = first.plan if first else ()
    left = [case for each in (first, *later) for case in still_to_send(planned, each)]
    top, whole = ceiling(left), rounds * len(planned)
    done = f"{whole - len(left)} of {whole} requests are recorded"
    return [f"{done}, {top.requests} are left, at most {top.output_tokens:,} output tokens"]


def announce_failed(failed: Failed, ledger: Ledger) -> str:
    """What is sent again of a run, in a line for people."""
    dear = f"; {failed.dear} that cost more are left out (--dear)" if failed.dear else ""
    return (
        f"{len(failed.judgements)} checks failed or could not be judged; they rest on {len(failed.cases)} "
        f"of {len(ledger.plan)} requests, those that go with them included{dear}"
    )


def announce_models(cases: Sequence[Case], given: Mapping[str, str]) -> list[str]:
    """Which model is asked for what, in lines for people: given, or picked when the run begins."""
    asked = {role_of(case) for case in cases} - {"", CHAT}
    wanted = [role for role in ROLES if role in asked]
    open_ = [role for role in wanted if role not in given and ROLES[role].falls_back not in given]
    known = [f"{role} {given[role]}" for role in wanted if role in given]
    lines = [f"models given: {', '.join(known)}"] if known else []
    if open_:
        lines.append(f"picked from the provider's list, or not run (--model ROLE=NAME): {', '.join(open_)}")
    return lines


def announce_coverage(cases: Sequence[Case], profile: Profile | None) -> list[str]:
    """Which parts of the request schema the generated cases of a plan cover, in lines for people."""
    generated = [case for case in cases if GENERATED in case.probes]
    if not generated:
        return []
    valid = sum(case.phase is Phase.VALID for case in generated)
    if not valid:
        return [f"generated: {len(generated)} invalid requests and checks after them"]
    lines = [
        f"  {line.covered} of {line.total} {line.kind.en}{_missing(line)}"
        for line in coverage_lines(generated, profile)
    ]
    said = f"generated: {valid} valid requests, {len(generated) - valid} invalid ones and checks after them; they cover"
    return [said, *lines]


def _missing(line: CoverageLine) -> str:
    """The first parts of one kind that are not covered; the report lists more of them."""
    rest = len(line.missing) + line.more - _MOST_MISSING
    shown = "; ".join(line.missing[:_MOST_MISSING])
    return f" (not: {shown}{f'; and {rest} more' if rest > 0 else ''})" if shown else ""
