"""Records one run: what comes first, how much at once, what waits for what. Preflight, then good requests, then bad."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from conformance.budget import Budget
from conformance.lag import LagProbe
from conformance.materialise import Target
from conformance.model import Case, Exchange, Ledger, Limits, Phase, Provider, Stop
from conformance.opening import keep_aside, open_run, take_up
from conformance.planning import PREFLIGHT, still_to_send
from conformance.preflight import reason_to_stop
from conformance.scenarios import advance, begin
from conformance.sending import Sender
from conformance.slots import Line, Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.ledger import LedgerWriter
    from conformance.redaction import Secrets

    Progress = Callable[[int, int, Exchange], None]

_NOTICE = 0.05
"""Seconds that a relay is given to notice a hang-up before the next request asks how it took it."""


class Recorder:
    """One run: what is shared between the requests that are in flight."""

    def __init__(
        self,
        planned: Sequence[Case],
        provider: Provider,
        limits: Limits,
        secrets: Secrets,
        writer: LedgerWriter,
        progress: Progress | None,
        done: Ledger | None,
        line: Line | None = None,
    ) -> None:
        self._cases = still_to_send(planned, done)
        self._planned = planned
        self._done = done
        self._recorded = len(planned) - len(self._cases)
        self._writer = writer
        self._progress = progress
        line = line or Line(limits.concurrency)
        self._room = min(limits.concurrency, line.room)
        self._slots = Slots(self._room)
        spent = (*done.preflight, *done.exchanges) if done else ()
        budget = Budget(limits, len(self._cases), spent)
        self._sender = Sender(Target(provider.base_url, provider, secrets), limits, budget, line)
        self._valid_left = 0

    async def run(self) -> None:
        """Preflight, then everything else, then the footer."""
        async with self._sender, LagProbe() as lag:
            stop = await self._preflight()
            if stop is None:
                await self._send_all()
        earlier, late = (self._done.seconds, self._done.lag) if self._done else (0.0, 0.0)
        took = time.monotonic() - self._sender.started
        self._writer.footer(earlier + took, stop, max(late, lag.seconds))

    async def _preflight(self) -> Stop | None:
        """Find out what all requests need to know, and whether it is worth going on."""
        if self._done and take_up(self._sender, self._done):
            return None
        opening = await open_run(self._sender, self._planned, self._writer)
        if opening.stop or not opening.answers:
            return opening.stop
        missing = {case.id for case in self._cases}
        # What stops a run is said in the words of the ledger, in which every secret is masked.
        models, chat = (
            self._write(exchange) if exchange.case.id in missing else keep_aside(self._sender, self._writer, exchange)
            for exchange in opening.answers
        )
        self._cases = [case for case in self._cases if case.id not in PREFLIGHT]
        return reason_to_stop(models, chat)

    async def _send_all(self) -> None:
        """Start every case in order; slots decide how many are in flight."""
        sent = {case.id for case in self._cases}
        during, after = defaultdict(list), defaultdict(list)
        for case in self._cases:
            during[case.during].append(case)
            after[case.follows].append(case)
        scenarios = {case.scenario: None for case in self._cases if case.scenario}
        for id_ in during.keys() - sent:
            self._sender.begun[id_].set()  # an interrupted run has sent it: nothing to wait for
        self._count_valid(sum(case.phase is not Phase.INVALID for case in self._cases))
        async with asyncio.TaskGroup() as group:
            for case in self._cases:
                if case.scenario in scenarios:
                    del scenarios[case.scenario]
                    group.create_task(self._send_scenario(case.scenario))
                elif not case.scenario and case.during not in sent and case.follows not in sent:
                    group.create_task(self._send_job(case, during[case.id], after[case.id]))

    async def _send_job(self, case: Case, companions: Sequence[Case], followers: Sequence[Case]) -> None:
        """One case, those that must run while it does (their places are taken together), those that come after."""
        jobs = [case, *companions]
        if len(jobs) > self._room:
            jobs, left_out = jobs[: self._room], jobs[self._room :]
            for other in left_out:
                self._write(self._sender.unsent(other, "needs --concurrency 2 or more"))
                self._count_valid(-1)
        await self._slots.take(len(jobs))
        self._sender.beside[case.id] = len(jobs) - 1
        if not companions:
            await self._send_row([case, *followers])
            return
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(self._send_row([job, *(followers if job is case else ())]))

    async def _send_row(self, cases: Sequence[Case]) -> None:
        """Cases one after the other in the same place."""
        try:
            for case in cases:
                if case.follows:
                    await asyncio.sleep(_NOTICE)
                await self._send_one(case)
        finally:
            self._slots.give()

    async def _send_scenario(self, name: str) -> None:
        """The steps of a scenario, each made from the answers before it; those of an interrupted run count."""
        steps = {case.id: case for case in self._planned if case.scenario == name}
        known = self._done.by_case if self._done else {}
        running = begin(list(steps.values()))
        missing = {case.id for case in self._cases}
        await self._slots.take(1)
        try:
            step: Case | None = next(running, None)
            while step is not None:
                del steps[step.id]
                exchange = await self._send_one(step) if step.id in missing else known[step.id]
                step = advance(running, exchange)
        finally:
            self._slots.give()
        for case in steps.values():
            self._sender.budget.drop()
            self._write(self._sender.unsent(case, "the step before it gave nothing to go on with", "no-basis"))
            self._count_valid(0 if case.phase is Phase.INVALID else -1)

    async def _send_one(self, case: Case) -> Exchange:
        try:
            if case.during:
                await self._sender.begun[case.during].wait()
            return self._write(await self._sender.send(case))
        finally:
            self._sender.begun[case.id].set()
            self._count_valid(0 if case.phase is Phase.INVALID else -1)

    def _count_valid(self, change: int) -> None:
        """Keep count of the good requests that are still to end."""
        self._valid_left += change
        if not self._valid_left:
            self._sender.valid_ended.set()

    def _write(self, exchange: Exchange) -> Exchange:
        self._recorded += 1
        written = self._writer.exchange(exchange)
        if self._progress:
            self._progress(self._recorded, len(self._planned), written)
        return written
