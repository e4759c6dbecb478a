"""Vets honest but awkward relays again and again: nothing may be found wrong.

`python -m tools.repeats [RUNS] [MAX_LATENCY_MS]` prints a table of what was found, which must be empty.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from conformance import relay
from conformance.judging import judge
from conformance.model import Judgement, Limits, Provider, Verdict
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.send import record_async

AT_ONCE = 12
_KEY = "RELAY_API_KEY"
_BAD = {Verdict.WARN, Verdict.FAIL, Verdict.ERROR}


async def vet_honest(base_url: str, path: Path) -> list[Judgement]:
    """One run against a relay that does nothing wrong; what is wrong with it all the same."""
    ledger = await record_async(
        plan(),
        Provider(base_url, relay.DEFAULT_MODEL, _KEY),
        path,
        secrets=Secrets({_KEY: relay.DEFAULT_KEY}),
        limits=Limits(),
    )
    return judge(ledger)


async def repeat(runs: int, latency: float, first: int = 0) -> tuple[Counter[str], Counter[str]]:
    """(accusations, all verdicts) over many runs with different seeds."""
    room = asyncio.Semaphore(AT_ONCE)
    accused: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        relay.BackgroundRelay(relay.create_app(quirks=relay.Quirks(0, latency=latency))) as server,
    ):

        async def one(seed: int) -> None:
            async with room:
                for judgement in await vet_honest(server.variant(f"quirks/{seed}"), Path(folder) / f"{seed}.jsonl"):
                    verdicts[judgement.verdict.label] += 1
                    if judgement.verdict in _BAD:
                        accused[
                            f"seed {seed}: {judgement.rule} on {judgement.operation}: {judgement.findings[:1]}"
                        ] += 1

        await asyncio.gather(*(one(first + seed) for seed in range(runs)))
    return accused, verdicts


def main() -> int:
    """Repeat, print, and fail when an honest relay was accused."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    latency = int(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.3
    started = time.monotonic()
    accused, verdicts = asyncio.run(repeat(runs, latency))
    print(f"{runs} runs in {time.monotonic() - started:.0f} s, latency up to {latency * 1000:.0f} ms: {dict(verdicts)}")
    for what, times in accused.most_common():
        print(f"{times} x {what}")
    print("no false accusation" if not accused else f"{len(accused)} false accusations")
    return 1 if accused else 0


if __name__ == "__main__":
    sys.exit(main())
