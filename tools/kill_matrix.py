"""The kill matrix: every fault of the reference relay against every rule, computed by vetting each fault.

`python -m tools.kill_matrix` prints `docs/faults.md`. A rule *trips* when it yields a finding: fail or warn, or
note for a MAY. One server serves every fault under a path of its own.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from conformance import relay
from conformance.amounts import GENERATED_OPERATIONS
from conformance.judging import judge
from conformance.model import Limits, Provider, Verdict
from conformance.operations import OPERATIONS
from conformance.planning import PREFLIGHT, plan
from conformance.profiles import load_profile
from conformance.redaction import Secrets
from conformance.relay.call import family
from conformance.relay.faults.base import GENERATED, PAGE
from conformance.rules.base import catalogue
from conformance.send import record_async

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from conformance.model import Case
    from conformance.relay.faults.base import Fault

AT_ONCE = 4
MANY, EACH = 100, 40
"""Generated requests, of chat and of another operation, that find every fault that only they can, whatever the seed."""
PROFILE = "api-call-docs"
"""The page to which faults of a page are held: it names a list of models and documents an answer in a table."""
_TRIPPED = {Verdict.NOTE, Verdict.WARN, Verdict.FAIL, Verdict.ERROR}
_KEY = "RELAY_API_KEY"


async def tripped_rules(
    base_url: str,
    path: Path,
    limits: Limits | None = None,
    *,
    needs: str = "",
    seed: int = 0,
    families: Collection[str] = (),
) -> frozenset[str]:
    """The ids of the rules that a relay trips: with fixed requests, with generated ones, or held to a page.

    `families`: only the operations of these are asked for; none for all.
    """
    profile = load_profile(PROFILE) if needs == PAGE else None
    generated = _generated(families) if needs == GENERATED else 0
    # A fault that never answers is waited for; beside it, nothing takes half a second.
    timeout = 3.0 if needs == GENERATED else 60.0
    cases = plan(generated=generated, seed=seed, profile=profile, dear=True)
    ledger = await record_async(
        _of_families(cases, families),
        Provider(base_url, relay.DEFAULT_MODEL, _KEY),
        path,
        secrets=Secrets({_KEY: relay.DEFAULT_KEY}),
        limits=limits or Limits(1_000, 100_000, timeout=timeout, backoff=0.02, longest_wait=1.0),
    )
    judgements = judge(ledger, (), profile)
    return frozenset(judgement.rule for judgement in judgements if judgement.verdict in _TRIPPED)


def _of_families(cases: Sequence[Case], families: Collection[str]) -> list[Case]:
    """The cases of these families, and every step of their scenarios; all of them for no family."""
    scenarios = {case.scenario for case in cases if case.scenario and _family(case) in families}
    return [
        case
        for case in cases
        if not families or case.id in PREFLIGHT or _family(case) in families or case.scenario in scenarios
    ]


def _generated(families: Collection[str]) -> dict[str, int]:
    """How many requests are generated for the operations of these families; for chat where there is none."""
    asked = [name for name in GENERATED_OPERATIONS if name.partition(".")[0] in (families or {"chat"})]
    return {name: MANY if name == "chat" else EACH for name in asked}


def _needed(fault: Fault) -> str:
    """The options of a run that shows a fault."""
    if fault.needs == PAGE:
        return f"`--profile {PROFILE}`"
    if fault.needs != GENERATED:
        return ""
    counts = _generated(families_of(fault))
    said = ",".join(str(count) if name == "chat" else f"{name}={count}" for name, count in counts.items())
    dear = any(OPERATIONS[name].price == "dear" for name in counts)
    return f"`--generated {said}{' --dear' if dear else ''}`"


def _family(case: Case) -> str:
    """The family of operations that a case is about: pictures that answers point to belong to images, or to chat."""
    if case.scenario == "drawing-then-fetch":
        return "chat"
    name = case.operation.partition(".")[0]
    return "images" if name == "media" else name


def families_of(fault: Fault) -> frozenset[str]:
    """The families that a fault can touch; none where it works at a stage that all requests meet."""
    found = {family(stage) for stage, _ in fault.hooks}
    return frozenset() if "" in found else frozenset(found)


def compute(names: Iterable[str], seed: int = 0) -> dict[str, frozenset[str]]:
    """Fault -> the rules that it trips, for the faults named."""
    return asyncio.run(_compute(list(names), seed))


async def _compute(names: list[str], seed: int) -> dict[str, frozenset[str]]:
    # Generated requests are many: more runs at once would starve each other, and a starved stream looks held back.
    generated = any(relay.catalogue()[name].needs == GENERATED for name in names)
    room = asyncio.Semaphore(1 if generated else AT_ONCE)
    with relay.BackgroundRelay() as background, tempfile.TemporaryDirectory() as folder:

        async def one(name: str) -> frozenset[str]:
            async with room:
                path = Path(folder) / f"{name}.jsonl"
                fault = relay.catalogue()[name]
                url = background.variant(f"fault/{name}")
                return await tripped_rules(url, path, needs=fault.needs, seed=seed, families=families_of(fault))

        return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))


def page(matrix: dict[str, frozenset[str]]) -> str:
    """The matrix as Markdown: faults with what they trip, rules with what trips them."""
    faults, rules = relay.catalogue(), catalogue()
    lines = [
        "# Faults",
        "",
        "Made by `make faults`; a test compares it with what the reference relay and the rules do.",
        "",
        f"{len(faults)} faults, {len(rules)} rules. Try one: `relay-conformance demo --fault {next(iter(faults))}`.",
        "",
        "## What each fault trips",
        "",
        "| fault | what the relay does wrong | needs | rules |",
        "| --- | --- | --- | --- |",
    ]
    for name, fault in faults.items():
        tripped = "<br>".join(f"`{rule}`" for rule in sorted(matrix[name]))
        lines.append(f"| `{name}` | {fault.sentence} | {_needed(fault)} | {tripped} |")
    lines += ["", "## What trips each rule", "", "| rule | severity | faults |", "| --- | --- | --- |"]
    for rule_id, rule in rules.items():
        by = "<br>".join(f"`{name}`" for name in faults if rule_id in matrix[name])
        lines.append(f"| `{rule_id}` | {rule.severity} | {by} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(compute(relay.catalogue())), end="")
