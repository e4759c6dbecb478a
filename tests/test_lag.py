"""How late the recording machine is: its own blocking shows, waiting for a relay does not."""

import asyncio
import time

from conformance.lag import TICK, LagProbe


async def _probe(blocked: float, rounds: int) -> float:
    async with LagProbe() as lag:
        for _ in range(rounds):
            await asyncio.sleep(TICK / 2)
            time.sleep(blocked)  # noqa: ASYNC251 - that is what it is about
        await asyncio.sleep(TICK)
    return lag.seconds


def test_a_loop_that_is_held_up_is_late() -> None:
    assert asyncio.run(_probe(0.15, 6)) > 0.05


def test_a_run_too_short_for_a_look_is_not_late() -> None:
    async def none() -> float:
        async with LagProbe() as lag:
            return lag.seconds

    assert asyncio.run(none()) == 0
