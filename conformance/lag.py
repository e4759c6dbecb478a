"""How late this machine itself is: what it adds to every time that it measures of a relay."""

from __future__ import annotations

import asyncio
import time
from typing import Self

TICK = 0.05
"""Seconds between two looks."""
_SHARE = 0.95


class LagProbe:
    """While it is entered, a task sleeps again and again; what it oversleeps is the machine's own delay."""

    def __init__(self) -> None:
        self._late: list[float] = []

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK)
            self._late.append(time.monotonic() - before - TICK)

    @property
    def seconds(self) -> float:
        """The delay that 95 of 100 looks stay below; 0 where there was no time for one."""
        ordered = sorted(self._late)
        return max(0.0, ordered[int(_SHARE * (len(ordered) - 1))]) if ordered else 0.0
