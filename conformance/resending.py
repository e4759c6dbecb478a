"""Makes failing cases smaller with live requests, one at a time and within a budget, and records every one."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.budget import Budget
from conformance.errors import UsageError
from conformance.exchanging import Exchanger
from conformance.failing import BUDGET, Failing, failing
from conformance.ledger import LedgerWriter, cut_torn_line, read_ledger
from conformance.materialise import Target
from conformance.minimising import candidates
from conformance.model import Attempt, Case, Exchange, Ledger, Limits, Minimised, Provider
from conformance.redaction import Secrets
from conformance.retrying import attempt_of, wait_before_next

if TYPE_CHECKING:
    from conformance.profiles import Profile


def minimise(
    path: Path,
    pairs: Sequence[tuple[str, str]],
    *,
    secrets: Secrets,
    budget: int = BUDGET,
    limits: Limits | None = None,
    profile: Profile | None = None,
    within: bool = False,
) -> Ledger:
    """Make each (case, rule) of `pairs` smaller, append what was sent to the ledger at `path`, return the ledger.

    `budget`: requests for each pair. `limits`: those of the recorded run unless given; their output tokens and
    seconds are for all pairs together. `within`: what the run has spent counts against the limits too.
    Raises UsageError for a case that is not there, has no JSON body, or does not break the rule, for a rule about
    several exchanges, and for a secret that is missing. Where the case, sent again, was not answered, or nothing more
    might be sent, nothing is said of the pair.
    """
    asyncio.run(_minimise(path, pairs, secrets, budget, limits, profile, within=within))
    return read_ledger(path)


async def _minimise(
    path: Path,
    pairs: Sequence[tuple[str, str]],
    secrets: Secrets,
    budget: int,
    limits: Limits | None,
    profile: Profile | None,
    *,
    within: bool,
) -> None:
    ledger = read_ledger(path)
    searches = [failing(ledger, case, rule, profile) for case, rule in dict.fromkeys(pairs)]
    _check(ledger.provider, secrets, budget)
    cut_torn_line(path)
    with LedgerWriter(path, secrets) as writer:
        allowed = replace(limits or ledger.limits, concurrency=1)
        async with Exchanger(ledger.provider.base_url, allowed) as exchanger:
            resender = _Resender(ledger, secrets, allowed, writer, exchanger, within=within)
            for each in searches:
                result = await resender.search(each, budget)
                if result is not None:
                    writer.minimised(result)


def _check(provider: Provider, secrets: Secrets, budget: int) -> None:
    """Everything that is needed to send."""
    if budget < 1:
        raise UsageError(f"a budget of {budget} requests is none", "give at least 1")
    for name in filter(None, (provider.key_env, *provider.headers.values())):
        if name not in secrets.values:
            raise UsageError(f"the environment variable {name} is not set", f"export {name}=…")


class _Resender:
    """What the searches after one run share: client, clock, and what they have spent."""

    def __init__(
        self,
        ledger: Ledger,
        secrets: Secrets,
        limits: Limits,
        writer: LedgerWriter,
        exchanger: Exchanger,
        *,
        within: bool,
    ) -> None:
        recorded = (*ledger.preflight, *ledger.exchanges, *ledger.resent) if within else ()
        self._before = [each for each in recorded if each.was_sent]
        self._most = limits.requests if within else sys.maxsize
        self._target = Target(ledger.provider.base_url, ledger.provider, secrets, ledger.limit_field, ledger.models)
        self._limits = limits
        self._writer = writer
        self._exchanger = exchanger
        self._sent: list[Exchange] = []
        self._started = time.monotonic()
        self._not_before = 0.0

    async def search(self, found: Failing, budget: int) -> Minimised | None:
        """Send the case again, then smaller ones; None when there was no request left, or no answer to judge."""
        spent = [*self._before, *self._sent]
        most = min(self._most, _requests(spent) + budget)
        left = Budget(replace(self._limits, requests=most), 0, spent)
        first = len(self._sent)
        original = await self._send(found.case, found.rule.id, left)
        if original is None or found.unsettled(original):
            return None
        reproduced = found.again(original)
        smallest, complete = await self._shrunk(found, left) if reproduced else (first, True)
        exchanges = tuple(self._sent[first:])
        return Minimised(
            case=found.case.id,
            rule=found.rule.id,
            requests=_requests(exchanges),
            reproduced=reproduced,
            complete=complete,
            smallest=smallest - first,
            exchanges=exchanges,
        )

    async def _shrunk(self, found: Failing, left: Budget) -> tuple[int, bool]:
        """The place of the smallest request that fails in all that was sent, and whether the search came to its end."""
        smallest = len(self._sent) - 1
        proposals = candidates(found.case, found.rule.probe, refused=found.exchange.status >= 400)
        try:
            case = next(proposals)
            while True:
                fails = False
                if found.is_allowed(case):
                    exchange = await self._send(case, found.rule.id, left)
                    if exchange is None:
                        return smallest, False
                    fails = found.again(exchange)
                    smallest = len(self._sent) - 1 if fails else smallest
                case = proposals.send(fails)
        except StopIteration:
            return smallest, True

    async def _send(self, case: Case, rule: str, left: Budget) -> Exchange | None:
        """One case, again after a refused connection, 429 or 503; None when nothing more may be sent."""
        exchange: Exchange | None = None
        earlier: tuple[Attempt, ...] = ()
        while time.monotonic() - self._started < self._limits.run_seconds and not left.take(case, again=True):
            await self._wait_for_turn()
            exchange = replace(await self._exchanger.exchange(case, self._target), attempts=earlier)
            left.settle(exchange)
            wait = wait_before_next(exchange, len(earlier), self._limits)
            if wait is None:
                break
            earlier = (*earlier, attempt_of(exchange, wait))
            self._not_before = max(self._not_before, time.monotonic() + wait)
        if exchange is None:
            return None
        self._sent.append(self._writer.minimising(exchange, rule))
        return self._sent[-1]

    async def _wait_for_turn(self) -> None:
        """Wait as long as the relay asked for, and for the rate limit."""
        await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
        if self._limits.rate:
            self._not_before = time.monotonic() + 1 / self._limits.rate


def _requests(exchanges: Sequence[Exchange]) -> int:
    """How much was sent for these exchanges."""
    return sum(1 + len(exchange.attempts) for exchange in exchanges)
