"""Room for so many requests in flight: of one run, and of several runs that share a machine."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable


class Slots:
    """Room for one run; whoever came first gets it first, also for two at once."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def take(self, count: int) -> None:
        """Wait for `count` places."""
        if not self._waiting and self._room >= count:
            self._room -= count
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((count, place))
        await place

    def give(self) -> None:
        """Give one place back."""
        self._room += 1
        while self._waiting and self._room >= self._waiting[0][0]:
            count, place = self._waiting.pop(0)
            if not place.cancelled():
                self._room -= count
                place.set_result(None)


class Line:
    """Room that several runs share: of those that wait, the one with the fewest requests in flight goes first.

    So a run that is slow, or is told to wait, cannot keep others from sending.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._free = room
        self._flying: dict[Hashable, int] = defaultdict(int)
        self._waiting: dict[Hashable, deque[tuple[int, asyncio.Future[None]]]] = {}

    @asynccontextmanager
    async def place(self, run: Hashable, count: int = 1) -> AsyncIterator[None]:
        """Hold `count` places, at most all that there are, for a run; none at all are there at once."""
        if not count:
            yield
            return
        count = min(count, self.room)
        await self._take(run, count)
        try:
            yield
        finally:
            self._give(run, count)

    async def _take(self, run: Hashable, count: int) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(run, deque()).append((count, place))
        self._serve()
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                self._give(run, count)  # the place came at the very moment in which nobody wanted it any more
            raise

    def _give(self, run: Hashable, count: int) -> None:
        self._free += count
        self._flying[run] -= count
        self._serve()

    def _serve(self) -> None:
        """Let in whoever fits; of runs with as many in flight, the one that has waited longest since its last turn."""
        while self._waiting:
            run = min(self._waiting, key=lambda each: self._flying[each])
            queue = self._waiting[run]
            count, place = queue[0]
            if place.cancelled():
                queue.popleft()
            elif count > self._free:
                return
            else:
                queue.popleft()
                self._free -= count
                self._flying[run] += count
                place.set_result(None)
                self._waiting[run] = self._waiting.pop(run)
            if not queue:
                del self._waiting[run]
