"""Sends the cases of a plan and records exchanges: for one relay, or for many at once that share one event loop.

Nothing is written before the secrets in it are masked.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.errors import ConformanceError, UsageError
from conformance.ledger import LedgerWriter, cut_torn_line, is_begun, read_ledger
from conformance.model import Case, Exchange, Ledger, Limits, Provider
from conformance.planning import PREFLIGHT, still_to_send
from conformance.preflight import base_urls
from conformance.recorder import Recorder
from conformance.redaction import Secrets
from conformance.slots import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from conformance.recorder import Progress

    ManyProgress = Callable[[int, int, int, Exchange], None]

IN_FLIGHT = 128
"""Requests in flight at most, over all runs that are recorded together."""


@dataclass(frozen=True)
class Job:
    """One run to record: what, to whom, where to."""

    cases: tuple[Case, ...]
    provider: Provider
    path: Path
    secrets: Secrets
    limits: Limits
    rules: tuple[str, ...] = ()


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
    job = Job(tuple(cases), provider, path, secrets or Secrets(), limits or Limits(), tuple(rules))
    # No result comes out of the event loop: asyncio would spell it out, megabytes of it, when the loop ends.
    asyncio.run(_prepared(job, resume=resume).record(progress))
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
    job = Job(tuple(cases), provider, path, secrets, limits, tuple(rules))
    await _prepared(job, resume=resume).record(progress)
    return read_ledger(path)


def record_all(
    jobs: Sequence[Job],
    *,
    in_flight: int = IN_FLIGHT,
    resume: bool = False,
    progress: ManyProgress | None = None,
    ended: Callable[[int], None] | None = None,
) -> list[Exception | None]:
    """Record many runs at once, each at its own pace, with so many requests in flight over all of them.

    Returns for each job what kept it from its end, or None; one that fails does not disturb the others. With `resume`
    those that have come to their end are not sent again, and those without a ledger begin. `progress` is told the
    place of the job and what `record` tells, `ended` the place of a job that is over. Raises UsageError before
    anything is sent when one of the jobs makes no sense.
    """
    ready = [_prepared(_patient(job, jobs, in_flight), resume=resume) for job in jobs]
    troubles: list[Exception | None] = [None] * len(jobs)
    asyncio.run(_all(ready, Line(in_flight), troubles, progress, ended))
    return troubles


async def _all(
    ready: Sequence[_Ready],
    line: Line,
    troubles: list[Exception | None],
    progress: ManyProgress | None,
    ended: Callable[[int], None] | None,
) -> None:
    """Everything at once: the line decides who goes next."""

    async def one(place: int, run: _Ready) -> None:
        said = (lambda done, total, exchange: progress(place, done, total, exchange)) if progress else None
        try:
            await run.record(said, line)
        except (ConformanceError, OSError, ExceptionGroup) as error:
            troubles[place] = _first(error)
            if not isinstance(troubles[place], ConformanceError | OSError):
                raise  # a mistake of ours: it ends all, and what was recorded is kept
        if ended:
            ended(place)

    async with asyncio.TaskGroup() as group:
        for place, run in enumerate(ready):
            group.create_task(one(place, run))


def _first(error: Exception) -> Exception:
    """What went wrong, out of the groups that it comes in."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _patient(job: Job, jobs: Sequence[Job], in_flight: int) -> Job:
    """A job with as much more time as it has to wait for the others."""
    wanted = sum(each.limits.concurrency for each in jobs)
    seconds = job.limits.run_seconds * max(1.0, wanted / in_flight)
    return replace(job, limits=replace(job.limits, run_seconds=seconds))


@dataclass(frozen=True)
class _Ready:
    """A job that was found to make sense, and the run that it continues."""

    job: Job
    done: Ledger | None

    async def record(self, progress: Progress | None = None, line: Line | None = None) -> None:
        """Send what is missing."""
        job, done, provider = self.job, self.done, self.job.provider
        planned = done.plan if done else job.cases
        if line and done and done.complete and not still_to_send(planned, done):
            return
        with LedgerWriter(job.path, job.secrets) as writer:
            cut_torn_line(job.path)
            if done is None:
                writer.header(provider, job.limits, planned, job.rules, time.time())
            else:
                provider = replace(provider, models=done.provider.models, page_models=done.provider.page_models)
            await Recorder(planned, provider, job.limits, job.secrets, writer, progress, done, line).run()


def _prepared(job: Job, *, resume: bool) -> _Ready:
    """Whatever is wrong with a job is said before anything is sent."""
    base_urls(job.provider.base_url)
    done = _resumed(job.path, job.provider) if resume else None
    if done is None and not resume and job.path.exists():
        raise UsageError(f"{job.path} exists already", "choose another folder, or continue that run with --resume")
    planned = done.plan if done else job.cases
    if not set(PREFLIGHT) <= {case.id for case in planned}:
        raise UsageError(
            f"the plan lacks {' and '.join(PREFLIGHT)}, with which every run begins", "make it with plan()"
        )
    return _Ready(job, done)


def _resumed(path: Path, provider: Provider) -> Ledger | None:
    """The run to go on with, or None when nothing at `path` has begun."""
    if not is_begun(path):
        return None
    done = read_ledger(path)
    known = {*base_urls(done.provider.base_url), done.provider.base_url}
    if done.provider.model != provider.model or not known & set(base_urls(provider.base_url)):
        raise UsageError(
            f"{path} records {done.provider.model} at {done.provider.base_url}",
            "resume with the same base URL and model, or choose another folder",
        )
    _check_models(path, done, provider.models)
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
