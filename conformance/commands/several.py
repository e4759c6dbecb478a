"""Several providers at once: from a file of providers to runs, their ledgers, and their own reports."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance import vetting
from conformance.comparison.siding import boiled
from conformance.errors import ConformanceError, UsageError
from conformance.judging import judge
from conformance.ledger import is_begun, read_ledger
from conformance.model import Limits
from conformance.planning import ceiling, plan, still_to_send
from conformance.providers import Entry, control_of, read_providers
from conformance.reporting import report
from conformance.reporting.visible import visible
from conformance.roles import CHAT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conformance.comparison.siding import Boiled
    from conformance.model import Case, Exchange, Waiver
    from conformance.profiles import Profile
    from conformance.vetting import Run


@dataclass(frozen=True)
class Asked:
    """What the command line asks of every provider alike."""

    only: tuple[str, ...] = ()
    dear: bool = False
    generated: Any = 0
    """Amounts by operation."""
    seed: int = 0
    requests: int | None = None
    output_tokens: int | None = None
    generated_count: int = 0
    in_flight: int = 128


def settled(path: Path, asked: Asked, out: Path, *, resume: bool) -> tuple[list[Run], str]:
    """The runs that a file of providers asks for, and the yardstick that it marks; nothing is sent yet.

    Raises UsageError or DataError for whatever is wrong with any of them.
    """
    entries = read_providers(path)
    check_variables(entries)
    plans = _Plans(asked)
    runs = [_run(path, entry, asked, plans, out / entry.folder, resume=resume) for entry in entries]
    return runs, control_of(entries)


def check_variables(entries: Sequence[Entry]) -> None:
    """Name every environment variable that is missing, at once."""
    named = [name for each in entries for name in (each.key_env, *each.headers.values()) if name]
    missing = [name for name in dict.fromkeys(named) if not os.environ.get(name)]
    if missing:
        several = len(missing) > 1
        raise UsageError(
            f"the environment variable{'s' * several} {', '.join(missing)} {'are' if several else 'is'} not set",
            "; ".join(f"export {name}=…" for name in missing),
        )


class _Plans:
    """The same plan for all who ask for the same: made once."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._known: dict[tuple[bool, bool, str], tuple[Case, ...]] = {}

    def cases(self, entry: Entry, profile: Profile | None) -> tuple[Case, ...]:
        """The cases for one provider."""
        asked, alone = self._asked, entry.concurrency == 1 or self._asked.in_flight == 1
        key = (not entry.key_env, alone, profile.digest if profile else "")
        if key not in self._known:
            cases = plan(
                asked.only,
                keyless=key[0],
                alone=key[1],
                generated=asked.generated,
                seed=asked.seed,
                profile=profile,
                dear=asked.dear,
            )
            vetting.check_selection(asked.only, cases, dear=asked.dear)
            self._known[key] = tuple(cases)
        return self._known[key]


def _run(path: Path, entry: Entry, asked: Asked, plans: _Plans, folder: Path, *, resume: bool) -> Run:
    """One provider's run; what is wrong with it is said with its name."""
    try:
        return _checked(entry, asked, plans, folder, resume=resume)
    except ConformanceError as error:
        raise UsageError(f'{path}: provider "{entry.name}": {error.message}', error.hint) from error


def _checked(entry: Entry, asked: Asked, plans: _Plans, folder: Path, *, resume: bool) -> Run:
    ledger = folder / vetting.LEDGER
    begun = is_begun(ledger)
    if ledger.exists() and not resume:
        raise UsageError(f"{folder} holds a run already", "choose another --out, or continue it with --resume")
    profile = vetting.profile_to_plan(entry.profile or None, folder if begun else None)
    models = [model if role == CHAT else f"{role}={model}" for role, model in entry.models.items()]
    headers = [f"{name}={variable}" for name, variable in entry.headers.items()]
    provider = vetting.checked_provider(entry.base_url, models, entry.key_env, entry.name, headers, profile)
    cases = plans.cases(entry, profile)
    secrets = vetting.gather_secrets(provider)
    vetting.check_secrets(provider, secrets, cases)
    limits = replace(
        vetting.default_limits(asked.generated_count, asked.requests, asked.output_tokens),
        concurrency=entry.concurrency,
        rate=float(entry.rate),
        timeout=float(entry.timeout),
        idle=min(Limits.idle, float(entry.timeout)),
    )
    waivers = vetting.waivers_of(profile, entry.waivers)
    return vetting.Run(provider, secrets, cases, limits, asked.only, folder, profile, 0, waivers)


def announced(runs: Sequence[Run]) -> Iterator[str]:
    """What each provider is going to be sent and can cost at most, and all of them together, in lines for people."""
    requests = tokens = dear = 0
    for run in runs:
        top = ceiling(_left(run))
        requests += top.requests
        tokens += top.output_tokens
        dear += top.dear
        told = f"{top.requests} requests, at most {top.output_tokens:,} output tokens"
        more = f", {top.dear} of them dear" if top.dear else ""
        tight = top.requests > run.limits.requests or top.output_tokens > run.limits.output_tokens
        limit = "; more than its limits: what does not fit is not sent, and is inconclusive" if tight else ""
        about = f"{run.provider.title}: {run.provider.model} at {run.provider.base_url}"
        yield f"{visible(about)}: {told}{more}{limit}"
    most = sum(run.limits.requests for run in runs)
    yield f"together: {requests:,} requests, at most {tokens:,} output tokens" + (f", {dear} dear" if dear else "")
    yield f"limits: {most:,} requests in all, those included that repeat what met 429 or 503"


def _left(run: Run) -> Sequence[Case]:
    """What a run still has to send."""
    if not is_begun(run.ledger):
        return run.cases
    done = read_ledger(run.ledger)
    return still_to_send(done.plan, done)


def record_runs(
    runs: Sequence[Run],
    in_flight: int,
    *,
    resume: bool,
    progress: Callable[[int, int, int, Exchange], None],
    ended: Callable[[int], None],
) -> list[Exception | None]:
    """Record all runs at once; what kept each from its end, or None."""
    from conformance.send import Job, record_all

    jobs = [Job(run.cases, run.provider, run.ledger, run.secrets, run.limits, run.rules) for run in runs]
    return record_all(jobs, in_flight=in_flight, resume=resume, progress=progress, ended=ended)


def report_run(ledger: Path, profile: Profile | None, waivers: tuple[Waiver, ...]) -> Boiled:
    """Judge one recorded run and write its own report, as vet does; returns what a comparison needs of it."""
    recorded = read_ledger(ledger)
    judgements = judge(recorded, (), profile, waivers)
    clients = vetting.clients_in(ledger.parent, recorded, judgements)
    report(judgements, recorded, ledger.parent, profile=profile, clients=clients)
    return boiled(recorded, judgements, ledger.parent, profile)
