"""Holds honest and faulty relays to a baseline: nothing honest may get worse, every fault must.

`python -m tools.gate_repeats [RUNS] [MAX_LATENCY_MS] [SHARE] [AT_ONCE]` records an honest relay of random latency that
turns away or cuts off a share of the requests: three rounds as the baseline, then so many runs, each held to it alone,
and three of them together as rounds.

`python -m tools.gate_repeats faults [NAME…]` plants each fault of the catalogue after an honest baseline: exactly the
rules that it declares must be reported as worse.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from conformance import relay
from conformance.gating.holding import hold
from conformance.gating.nouns import Gate, Kind
from conformance.ledger import read_ledger
from conformance.model import Ledger, Limits, Provider, Verdict
from conformance.planning import ceiling, plan
from conformance.profiles import load_profile
from conformance.redaction import Secrets
from conformance.relay.faults.base import GENERATED, PAGE
from conformance.rules.base import catalogue
from conformance.send import record_async
from tools.kill_matrix import PROFILE, _generated, _of_families, families_of

AT_ONCE = 12
"""Runs at the same time; relay and recorder share a processor."""
FAULTS_AT_ONCE = 4
ROUNDS = 3
_KEY = "RELAY_API_KEY"
_SECRETS = Secrets({_KEY: relay.DEFAULT_KEY})


class Unsteady:
    """An honest relay behind a network that is neither quick nor sure: it waits, turns away, and hangs up."""

    def __init__(self, app: Any, latency: float, share: float, seed: int) -> None:
        self._app = app
        self._latency, self._share = latency, share
        self._random = Random(seed)  # noqa: S311 - the same every time

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or not."""
        trouble, wait = self._random.random(), self._random.uniform(0, self._latency)
        await asyncio.sleep(wait)
        if scope["type"] != "http" or trouble >= self._share:
            await self._app(scope, receive, send)
        elif trouble < self._share / 2:
            await _turn_away(send)
        else:
            send.__self__.transport.abort()


async def _turn_away(send: Any) -> None:
    body = b'{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}'
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"1"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Figures:
    """What many runs came to."""

    codes: Counter[int]
    together: Counter[int]
    """Exit codes of three runs as rounds of one."""
    worse: Counter[str]
    slower: Counter[str]
    """Apart from `worse`: a machine that is busy now and was not before is measured as well."""
    unclear: Counter[str]


async def _record(base_url: str, path: Path, cases: Any, **limits: Any) -> Ledger:
    top = Limits(2 * len(cases) + 100, 2 * ceiling(cases).output_tokens + 10_000, run_seconds=3_600, **limits)
    return await record_async(cases, Provider(base_url, relay.DEFAULT_MODEL, _KEY), path, secrets=_SECRETS, limits=top)


async def repeat(
    runs: int, latency: float, share: float, only: Sequence[str] = (), seed: int = 0, at_once: int = AT_ONCE
) -> Figures:
    """An honest relay held to itself, again and again."""
    figures = Figures(Counter(), Counter(), Counter(), Counter(), Counter())
    room = asyncio.Semaphore(at_once)
    app = Unsteady(relay.create_app(), latency, share, seed)
    with tempfile.TemporaryDirectory() as folder, relay.BackgroundRelay(app) as server:
        cases = plan(only, dear=not only)

        async def one(number: int) -> Path:
            async with room:
                path = Path(folder) / f"{number}.jsonl"
                await _record(server.base_url, path, cases)
                return path

        # Judging would hold up whatever is being recorded, and measure this machine: it comes after. For the same
        # reason the baseline is recorded among all others.
        paths = await asyncio.gather(*(one(number) for number in range(ROUNDS + runs)))
        _hold(paths[:ROUNDS], paths[ROUNDS:], figures)
    return figures


def _hold(baseline: Sequence[Path], paths: Sequence[Path], figures: Figures) -> None:
    """Each run alone, and three of them as rounds of one."""
    before = tuple(map(read_ledger, baseline))
    for first in range(0, len(paths), ROUNDS):
        found = [read_ledger(path) for path in paths[first : first + ROUNDS]]
        for ledger in found:
            _count(hold(before, [ledger], None, ()), figures.codes, figures)
        if len(found) == ROUNDS:
            _count(hold(before, found, None, ()), figures.together, figures)


def _count(gate: Gate, codes: Counter[int], figures: Figures) -> None:
    codes[gate.exit_code] += 1
    for change in gate.of(Kind.WORSE):
        seen = change.evidence.finding if change.evidence else None
        figures.worse[f"{change.key.rule} on {change.key.operation}: {change.was} -> {change.now} {seen}"] += 1
    for pace in gate.slower:
        figures.slower[f"slower: {pace.operation} {pace.what}"] += 1
    for change in [*gate.of(Kind.UNCLEAR), *gate.of(Kind.UNDECIDED)]:
        figures.unclear[f"{change.kind.value} {change.key.rule} on {change.key.operation}"] += 1


@dataclass(frozen=True)
class Planted:
    """What the gate said of one fault."""

    name: str
    missed: frozenset[str]
    """Rules that the fault declares, and that were not reported as worse."""
    beside: frozenset[str]
    """Rules that were reported as broken, and that it does not declare."""
    dropped: frozenset[str]
    """Rules about what the relay now plainly does not offer."""


def plant(names: Iterable[str]) -> list[Planted]:
    """Each of these faults, planted after an honest baseline."""
    return asyncio.run(_plant(list(names)))


async def _plant(names: list[str]) -> list[Planted]:
    honest: dict[Any, Ledger] = {}
    generated = any(relay.catalogue()[name].needs == GENERATED for name in names)
    room = asyncio.Semaphore(1 if generated else FAULTS_AT_ONCE)
    with relay.BackgroundRelay() as server, tempfile.TemporaryDirectory() as folder:
        for name in names:
            fault = relay.catalogue()[name]
            key = fault.needs, families_of(fault)
            if key not in honest:
                path = Path(folder) / f"honest-{len(honest)}.jsonl"
                honest[key] = await _of_fault(server.base_url, path, *key)

        async def one(name: str) -> Planted:
            fault = relay.catalogue()[name]
            key = fault.needs, families_of(fault)
            rounds = ROUNDS if any(catalogue()[rule].noisy for rule in fault.trips) else 1
            async with room:
                found = []
                for number in range(rounds):
                    # A relay of its own for each round: what a fault remembers of the last one is another fault.
                    with relay.BackgroundRelay(relay.create_app(faults=(name,))) as faulty:
                        found.append(await _of_fault(faulty.base_url, Path(folder) / f"{name}-{number}.jsonl", *key))
                return _planted(name, honest[key], found, fault.trips, fault.needs)

        return list(await asyncio.gather(*map(one, names)))


async def _of_fault(base_url: str, path: Path, needs: str, families: Collection[str]) -> Ledger:
    """A run that shows faults of these families."""
    profile = load_profile(PROFILE) if needs == PAGE else None
    generated = _generated(families) if needs == GENERATED else 0
    cases = _of_families(plan(generated=generated, profile=profile, dear=True), families)
    return await _record(
        base_url, path, cases, timeout=3.0 if needs == GENERATED else 60.0, backoff=0.02, longest_wait=1.0
    )


def _planted(name: str, honest: Ledger, found: Sequence[Ledger], trips: frozenset[str], needs: str) -> Planted:
    profile = load_profile(PROFILE) if needs == PAGE else None
    worse = hold((honest,), found, profile, ()).of(Kind.WORSE)
    broken = frozenset(change.key.rule for change in worse if change.now is not Verdict.UNSUPPORTED)
    dropped = frozenset(change.key.rule for change in worse) - broken
    return Planted(name, trips - broken, broken - trips, dropped)


def _faults(names: Sequence[str]) -> int:
    """Plant, print, and fail where a fault was not reported for what it is."""
    started = time.monotonic()
    chosen = list(names) or list(relay.catalogue())
    plain = [name for name in chosen if relay.catalogue()[name].needs != GENERATED]
    found = plant(plain) + plant([name for name in chosen if name not in plain])
    wrong = [each for each in found if each.missed or each.beside]
    print(f"{len(found)} faults in {time.monotonic() - started:.0f} s, {len(found) - len(wrong)} exactly as declared")
    print(f"{sum(bool(each.dropped) for each in found)} of them also make features vanish")
    for each in wrong:
        print(f"{each.name}: missed {sorted(each.missed)}, beside {sorted(each.beside)}")
    return 1 if wrong else 0


def _honest(arguments: Sequence[str]) -> int:
    """Repeat, print, and fail where an honest relay got worse."""
    runs = int(arguments[0]) if arguments else 200
    latency = int(arguments[1]) / 1000 if len(arguments) > 1 else 0.3
    share = float(arguments[2]) if len(arguments) > 2 else 0.02
    started = time.monotonic()
    at_once = int(arguments[3]) if len(arguments) > 3 else AT_ONCE
    found = asyncio.run(repeat(runs, latency, share, at_once=at_once))
    print(f"{runs} runs in {time.monotonic() - started:.0f} s, latency to {latency * 1000:.0f} ms, {share:.1%} trouble")
    print(f"exit codes of single runs {dict(found.codes)}, of three together {dict(found.together)}")
    for said in (found.worse, found.slower, found.unclear):
        for what, times in said.most_common(40):
            print(f"{times} x {what}")
    print(f"{found.worse.total()} false regressions of rules, {found.slower.total()} of time")
    return 1 if found.worse or found.slower else 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(_faults(given[1:]) if given[:1] == ["faults"] else _honest(given))
