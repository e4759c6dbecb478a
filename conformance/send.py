"""Sends the cases of a plan and records exchanges: what comes first, how much at once, and what when refused.

Preflight, then good requests, then bad ones. Nothing is written before the secrets in it are masked.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.budget import Budget
from conformance.errors import UsageError
from conformance.exchanging import Exchanger
from conformance.ledger import LedgerWriter, cut_torn_line, read_ledger
from conformance.materialise import Target, materialise, role_of
from conformance.model import (
    Attempt,
    Case,
    Exchange,
    Failure,
    Ledger,
    Limits,
    Phase,
    Provider,
    Stop,
)
from conformance.planning import PREFLIGHT, still_to_send
from conformance.preflight import base_urls, listed_models, reason_to_stop, speaks_api
from conformance.redaction import Secrets
from conformance.refusals import GENERATED, wants_other_limit
from conformance.retrying import attempt_of, wait_before_next
from conformance.roles import CHAT, pick_models
from conformance.scenarios import advance, begin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Progress = Callable[[int, int, Exchange], None]

_NOTICE = 0.05
"""Seconds that a relay is given to notice a hang-up before the next request asks how it took it."""


def record(
    cases: Sequence[Case],
    provider: Provider,
    path: Path,
    *,
    secrets: Secrets | None = None,
    limits: Limits | None = None,
    rules: Sequence[str] = (),
    resume: bool = False,
    progress: Progress | None = None,
) -> Ledger:
    """Send every case once, append each exchange to the ledger at `path`, and return the ledger.

    With `resume` the ledger's own plan is continued: only what it lacks is sent. Raises UsageError when the
    base URL is none, when the ledger exists already, or when it belongs to another relay or model.
    """
    # No result comes out of the event loop: asyncio would spell it out, megabytes of it, when the loop ends.
    asyncio.run(
        _record(cases, provider, path, secrets or Secrets(), limits or Limits(), rules, progress, resume=resume)
    )
    return read_ledger(path)


async def record_async(
    cases: Sequence[Case],
    provider: Provider,
    path: Path,
    *,
    secrets: Secrets,
    limits: Limits,
    rules: Sequence[str] = (),
    resume: bool = False,
    progress: Progress | None = None,
) -> Ledger:
    """The same for callers who have an event loop."""
    await _record(cases, provider, path, secrets, limits, rules, progress, resume=resume)
    return read_ledger(path)


async def _record(
    cases: Sequence[Case],
    provider: Provider,
    path: Path,
    secrets: Secrets,
    limits: Limits,
    rules: Sequence[str],
    progress: Progress | None,
    *,
    resume: bool,
) -> None:
    base_urls(provider.base_url)
    done = _resumed(path, provider) if resume else None
    if done is None and path.exists():  # noqa: ASYNC240 - nothing else is under way yet
        raise UsageError(f"{path} exists already", "choose another folder, or continue that run with --resume")
    planned = done.plan if done else tuple(cases)
    if not set(PREFLIGHT) <= {case.id for case in planned}:
        raise UsageError(
            f"the plan lacks {' and '.join(PREFLIGHT)}, with which every run begins", "make it with plan()"
        )
    with LedgerWriter(path, secrets) as writer:
        if done is None:
            writer.header(provider, limits, planned, rules, time.time())
        else:
            provider = replace(provider, models=done.provider.models, page_models=done.provider.page_models)
        recorder = _Recorder(planned, provider, limits, secrets, writer, progress, done)
        await recorder.run()


def _resumed(path: Path, provider: Provider) -> Ledger | None:
    """The run to go on with, or None when there is nothing at `path` yet."""
    if not path.exists():
        return None
    done = read_ledger(path)
    known = {*base_urls(done.provider.base_url), done.provider.base_url}
    if done.provider.model != provider.model or not known & set(base_urls(provider.base_url)):
        raise UsageError(
            f"{path} records {done.provider.model} at {done.provider.base_url}",
            "resume with the same base URL and model, or choose another folder",
        )
    _check_models(path, done, provider.models)
    cut_torn_line(path)
    return done


def _check_models(path: Path, done: Ledger, given: Mapping[str, str]) -> None:
    """Refuse models that an interrupted run does not ask."""
    known = {**done.models, **done.provider.models}
    for role, model in given.items():
        if known.get(role) != model:
            raise UsageError(
                f"{path} asks {known.get(role, 'no model')} for {role}, not {model}",
                "resume with the models of that run (they need not be given again), or choose another folder",
            )


class _Slots:
    """Room for so many requests in flight; whoever came first gets it first, also for two at once."""

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


class _Recorder:
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
    ) -> None:
        self._cases = still_to_send(planned, done)
        self._total = len(planned)
        self._planned = planned
        self._done = done
        self._recorded = self._total - len(self._cases)
        self._limits = limits
        self._writer = writer
        self._progress = progress
        self._target = Target(provider.base_url, provider, secrets)
        spent = (*done.preflight, *done.exchanges) if done else ()
        self._budget = Budget(limits, len(self._cases), spent)
        self._slots = _Slots(limits.concurrency)
        self._begun: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._exchanger = Exchanger(provider.base_url, limits)
        self._started = time.monotonic()
        self._not_before = 0.0
        self._slow = asyncio.Lock()
        self._valid_left = 0
        self._valid_ended = asyncio.Event()
        self._benched = False

    async def run(self) -> None:
        """Preflight, then everything else, then the footer."""
        async with self._exchanger:
            stop = await self._preflight()
            if stop is None:
                await self._send_all()
        earlier = self._done.seconds if self._done else 0.0
        self._writer.footer(earlier + time.monotonic() - self._started, stop)

    # --- preflight -------------------------------------------------------------------------------------

    async def _preflight(self) -> Stop | None:
        """Find the base URL, the name of the output limit, and whether it is worth going on."""
        if self._done and self._done.limit_field and not self._done.stop:
            self._target = replace(
                self._target,
                base_url=self._done.provider.base_url,
                limit_field=self._done.limit_field,
                models=self._done.models,
            )
            return None
        models_case, chat_case = self._preflight_cases()
        tried: list[tuple[Exchange, Exchange]] = []
        for base_url in base_urls(self._target.provider.base_url):
            self._target = replace(self._target, base_url=base_url)
            models, chat = await asyncio.gather(self._attempts(models_case), self._attempts(chat_case))
            if speaks_api(chat) or speaks_api(models):
                break
            tried.append((self._keep_aside(models), self._keep_aside(chat)))
        else:
            return reason_to_stop(*tried[0])
        if wants_other_limit(chat):
            chat = await self._with_other_limit(chat_case, chat)
        self._pick_models(models)
        self._writer.resolved(self._target.base_url, self._target.limit_field, self._target.models)
        missing = {case.id for case in self._cases}
        # What stops a run is said in the words of the ledger, in which every secret is masked.
        kept = [
            self._write(exchange) if exchange.case.id in missing else self._keep_aside(exchange)
            for exchange in (models, chat)
        ]
        self._cases = [case for case in self._cases if case.id not in PREFLIGHT]
        return reason_to_stop(*kept)

    async def _with_other_limit(self, case: Case, refused: Exchange) -> Exchange:
        """Try the newer name of the output limit; where that does not help either, the first answer is judged."""
        self._target = replace(self._target, limit_field="max_completion_tokens")
        again = await self._attempts(case)
        if again.status < refused.status:
            self._keep_aside(refused)
            return again
        self._keep_aside(again)
        self._target = replace(self._target, limit_field="max_tokens")
        return refused

    def _pick_models(self, models: Exchange) -> None:
        """Find a model for every role that the plan needs."""
        given = {**self._target.provider.models, CHAT: self._target.provider.model}
        wanted = {role: None for case in self._planned if (role := role_of(case))}
        preferred = self._target.provider.page_models
        self._target = replace(self._target, models=pick_models(given, listed_models(models), wanted, preferred))

    def _preflight_cases(self) -> list[Case]:
        known = {case.id: case for case in (self._done.plan if self._done else self._cases)}
        return [known[id_] for id_ in PREFLIGHT]

    def _keep_aside(self, exchange: Exchange) -> Exchange:
        """Record an exchange that shows where to send, on which nothing is judged; return it masked."""
        self._budget.plan_again()
        return self._writer.exchange(exchange, preflight=True)

    # --- scheduling ------------------------------------------------------------------------------------

    async def _send_all(self) -> None:
        """Start every case in order; slots decide how many are in flight."""
        sent = {case.id for case in self._cases}
        during, after = defaultdict(list), defaultdict(list)
        for case in self._cases:
            during[case.during].append(case)
            after[case.follows].append(case)
        scenarios = {case.scenario: None for case in self._cases if case.scenario}
        for id_ in during.keys() - sent:
            self._begun[id_].set()  # an interrupted run has sent it: nothing to wait for
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
        if len(jobs) > self._limits.concurrency:
            jobs, left_out = jobs[: self._limits.concurrency], jobs[self._limits.concurrency :]
            for other in left_out:
                self._write(self._unsent(other, "needs --concurrency 2 or more"))
                self._count_valid(-1)
        await self._slots.take(len(jobs))
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
            self._budget.drop()
            self._write(self._unsent(case, "the step before it gave nothing to go on with", "no-basis"))
            self._count_valid(0 if case.phase is Phase.INVALID else -1)

    async def _send_one(self, case: Case) -> Exchange:
        try:
            if case.during:
                await self._begun[case.during].wait()
            return self._write(await self._attempts(case))
        finally:
            self._begun[case.id].set()
            self._count_valid(0 if case.phase is Phase.INVALID else -1)

    def _count_valid(self, change: int) -> None:
        """Keep count of the good requests that are still to end."""
        self._valid_left += change
        if not self._valid_left:
            self._valid_ended.set()

    def _write(self, exchange: Exchange) -> Exchange:
        self._recorded += 1
        written = self._writer.exchange(exchange)
        if self._progress:
            self._progress(self._recorded, self._total, written)
        return written

    # --- one case --------------------------------------------------------------------------------------

    async def _attempts(self, case: Case) -> Exchange:
        """Send a case, again after a refused connection, 429 or 503, within the budget."""
        exchange: Exchange | None = None
        earlier: tuple[Attempt, ...] = ()
        alone = False
        role = role_of(case)
        if role and not self._target.model_of(case):
            self._budget.drop()
            return self._unsent(case, role, "no-model")
        if case.phase is Phase.INVALID and GENERATED in case.probes:
            # What a bad request leaves behind is found by the request that asks for it, not by a good one beside it.
            await self._valid_ended.wait()
        async with AsyncExitStack() as place:
            while True:
                if case.phase is Phase.INVALID and self._benched and not alone:
                    # An upstream that is benched after an error would be benched for good by bad requests at once:
                    # they wait until the good ones are done (those have their places already), then go one by one.
                    await self._valid_ended.wait()
                    await place.enter_async_context(self._slow)
                    alone = True
                await self._wait_for_turn()
                short = self._short_of(case, again=exchange is not None)
                if short:
                    return exchange or self._unsent(case, short)
                began = self._begun[case.id].set
                exchange = replace(await self._exchanger.exchange(case, self._target, began), attempts=earlier)
                self._budget.settle(exchange)
                wait = wait_before_next(exchange, len(earlier), self._limits)
                if wait is None:
                    return exchange
                earlier = (*earlier, attempt_of(exchange, wait))
                self._benched = self._benched or case.phase is Phase.INVALID
                if exchange.response is None:
                    await asyncio.sleep(wait)
                else:
                    self._not_before = max(self._not_before, time.monotonic() + wait)

    def _short_of(self, case: Case, *, again: bool) -> str:
        """Why a case may not be sent (again), or an empty string."""
        if time.monotonic() - self._started > self._limits.run_seconds:
            return f"the run took longer than {self._limits.run_seconds:g} s"
        return self._budget.take(case, again=again)

    async def _wait_for_turn(self) -> None:
        """Wait while the relay asked for a pause, and for the rate limit."""
        while (pause := self._not_before - time.monotonic()) > 0:  # noqa: ASYNC110 - others may put it off again
            await asyncio.sleep(pause)
        if self._limits.rate:
            self._not_before = time.monotonic() + 1 / self._limits.rate

    def _unsent(self, case: Case, reason: str, kind: str = "unsent") -> Exchange:
        request = materialise(case, self._target)
        failure = Failure(kind, reason)
        return Exchange(case, self._target.model_of(case), request, None, failure, round(time.time(), 3), 0.0)
