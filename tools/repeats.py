"""Vets honest but awkward relays again and again: nothing may be found wrong.

`python -m tools.repeats [RUNS] [MAX_LATENCY_MS] [GENERATED] [plain]` prints a table of what was found, which must be
empty. With generated requests, every run has another seed; `plain` leaves out what makes the relay awkward, and holds
it to the bundled pages in turn (an awkward one may lack what a page promises).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from conformance import relay
from conformance.judging import judge
from conformance.model import Judgement, Limits, Provider, Verdict
from conformance.planning import ceiling, plan
from conformance.profiles import bundled_profiles, load_profile
from conformance.redaction import Secrets
from conformance.send import record_async

AT_ONCE, AT_ONCE_GENERATED = 12, 3
"""Runs at the same time: relay and recorder share a processor, and a stream that waits for it looks held back."""
_KEY = "RELAY_API_KEY"
_BAD = {Verdict.WARN, Verdict.FAIL, Verdict.ERROR}


async def vet_honest(
    base_url: str, path: Path, generated: int = 0, seed: int = 0, pages: Sequence[str] = ("",)
) -> list[Judgement]:
    """One run against a relay that does nothing wrong, dear requests included; what is wrong with it all the same.

    `generated`: so many for chat, and a fifth of it for each other operation.
    """
    page = pages[seed % len(pages)]
    profile = load_profile(page) if page else None
    many = {"chat": generated, "all": generated // 5}
    cases = plan(generated=many, seed=seed, profile=profile, dear=True)
    ledger = await record_async(
        cases,
        Provider(base_url, relay.DEFAULT_MODEL, _KEY),
        path,
        secrets=Secrets({_KEY: relay.DEFAULT_KEY}),
        limits=Limits(2 * len(cases), 2 * ceiling(cases).output_tokens, run_seconds=3_600),
    )
    return judge(ledger, (), profile)


async def repeat(
    runs: int, latency: float, first: int = 0, generated: int = 0, *, plain: bool = False
) -> tuple[Counter[str], Counter[str]]:
    """(accusations, all verdicts) over many runs with different seeds."""
    pages = ("", *bundled_profiles()) if plain else ("",)
    room = asyncio.Semaphore(AT_ONCE_GENERATED if generated else AT_ONCE)
    accused: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        relay.BackgroundRelay(relay.create_app(quirks=None if plain else relay.Quirks(0, latency=latency))) as server,
    ):

        async def one(seed: int) -> None:
            async with room:
                base_url = server.base_url if plain else server.variant(f"quirks/{seed}")
                path = Path(folder) / f"{seed}.jsonl"
                for judgement in await vet_honest(base_url, path, generated, seed, pages):
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
    generated = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    started = time.monotonic()
    accused, verdicts = asyncio.run(repeat(runs, latency, generated=generated, plain="plain" in sys.argv))
    took = time.monotonic() - started
    print(f"{runs} runs in {took:.0f} s, {generated} generated requests each, latency up to {latency * 1000:.0f} ms")
    print(dict(verdicts))
    for what, times in accused.most_common():
        print(f"{times} x {what}")
    print("no false accusation" if not accused else f"{len(accused)} false accusations")
    return 1 if accused else 0


if __name__ == "__main__":
    sys.exit(main())
