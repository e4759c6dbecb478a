"""Sends one case of a run: within the budget, at the pace that the relay bears, again where it was refused for now."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from conformance.exchanging import Exchanger
from conformance.materialise import Target, materialise, role_of
from conformance.model import Attempt, Case, Exchange, Failure, Limits, Phase
from conformance.refusals import GENERATED
from conformance.retrying import attempt_of, wait_before_next

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conformance.budget import Budget
    from conformance.slots import Line


class Sender:
    """What the requests of one run share: where they go, what they may cost, when the next one may."""

    def __init__(self, target: Target, limits: Limits, budget: Budget, line: Line) -> None:
        self.target = target
        self.budget = budget
        self.limits = limits
        self.begun: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """By case: whether its first event has arrived, or it has ended."""
        self.beside: dict[str, int] = {}
        """By case: how many must run while it does; they need no place of their own on the line."""
        self.valid_ended = asyncio.Event()
        """Whether every good request has ended."""
        self.started = time.monotonic()
        self._line = line
        self._exchanger = Exchanger(target.base_url, limits)
        self._not_before = 0.0
        self._slow = asyncio.Lock()
        self._benched = False

    async def __aenter__(self) -> Self:
        await self._exchanger.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._exchanger.__aexit__(*error)

    async def send(self, case: Case) -> Exchange:
        """Send a case, again after a refused connection, 429 or 503, within the budget."""
        role = role_of(case)
        if role and not self.target.model_of(case):
            self.budget.drop()
            return self.unsent(case, role, "no-model")
        if case.phase is Phase.INVALID and GENERATED in case.probes:
            # What a bad request leaves behind is found by the request that asks for it, not by a good one beside it.
            await self.valid_ended.wait()
        exchange: Exchange | None = None
        earlier: tuple[Attempt, ...] = ()
        alone = False
        async with AsyncExitStack() as place:
            while True:
                alone = await self._queue_up(case, place, alone=alone)
                sent = await self._once(case, earlier, again=exchange is not None)
                if isinstance(sent, str):
                    return exchange or self.unsent(case, sent)
                exchange = sent
                wait = wait_before_next(exchange, len(earlier), self.limits)
                if wait is None:
                    return exchange
                earlier = (*earlier, attempt_of(exchange, wait))
                self._benched = self._benched or case.phase is Phase.INVALID
                if exchange.response is None:
                    await asyncio.sleep(wait)
                else:
                    self._not_before = max(self._not_before, time.monotonic() + wait)

    async def _queue_up(self, case: Case, place: AsyncExitStack, *, alone: bool) -> bool:
        """Let bad requests go one by one where one of them met a benched upstream; whether this one goes alone.

        An upstream that is benched after an error would be benched for good by bad requests at once: they wait until
        the good ones are done (those have their places already).
        """
        if case.phase is not Phase.INVALID or not self._benched or alone:
            return alone
        await self.valid_ended.wait()
        await place.enter_async_context(self._slow)
        return True

    async def _once(self, case: Case, earlier: tuple[Attempt, ...], *, again: bool) -> Exchange | str:
        """One attempt, or why it may not be made."""
        async with self._turn(case):
            short = self._short_of(case, again=again)
            if short:
                return short
            began = self.begun[case.id].set
            exchange = replace(await self._exchanger.exchange(case, self.target, began), attempts=earlier)
        self.budget.settle(exchange)
        return exchange

    @asynccontextmanager
    async def _turn(self, case: Case) -> AsyncIterator[None]:
        """Hold a place on the line, at a time at which the relay wants no pause and the rate is kept.

        Nobody waits for a pause with a place in hand: other runs can use it.
        """
        count = 0 if case.during else 1 + self.beside.get(case.id, 0)
        while True:
            while (pause := self._not_before - time.monotonic()) > 0:  # noqa: ASYNC110 - others may put it off again
                await asyncio.sleep(pause)
            async with self._line.place(self, count):
                if self._not_before <= time.monotonic():
                    if self.limits.rate:
                        self._not_before = time.monotonic() + 1 / self.limits.rate
                    yield
                    return

    def _short_of(self, case: Case, *, again: bool) -> str:
        """Why a case may not be sent (again), or an empty string."""
        if time.monotonic() - self.started > self.limits.run_seconds:
            return f"the run took longer than {self.limits.run_seconds:g} s"
        return self.budget.take(case, again=again)

    def unsent(self, case: Case, reason: str, kind: str = "unsent") -> Exchange:
        """The exchange of a case that is not sent, and why."""
        request = materialise(case, self.target)
        failure = Failure(kind, reason)
        return Exchange(case, self.target.model_of(case), request, None, failure, round(time.time(), 3), 0.0)
