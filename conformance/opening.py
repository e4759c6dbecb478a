"""How a run begins: which base URL answers, how the model calls the output limit, which models are asked for what."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.materialise import role_of
from conformance.planning import PREFLIGHT
from conformance.preflight import base_urls, listed_models, reason_to_stop, speaks_api
from conformance.refusals import wants_other_limit
from conformance.roles import CHAT, pick_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.ledger import LedgerWriter
    from conformance.model import Case, Exchange, Ledger, Stop
    from conformance.sending import Sender


@dataclass(frozen=True)
class Opening:
    """The first two answers at the base URL that was found, models before chat; or why there are none."""

    answers: tuple[Exchange, ...]
    stop: Stop | None = None


def take_up(sender: Sender, done: Ledger) -> bool:
    """Go on where an interrupted run has found out everything; whether it had."""
    if not done.limit_field or done.stop:
        return False
    sender.target = replace(
        sender.target, base_url=done.provider.base_url, limit_field=done.limit_field, models=done.models
    )
    return True


async def open_run(sender: Sender, planned: Sequence[Case], writer: LedgerWriter) -> Opening:
    """Find the base URL, the name of the output limit, and the models; what shows just that is kept aside."""
    known = {case.id: case for case in planned}
    models_case, chat_case = (known[id_] for id_ in PREFLIGHT)
    tried: list[tuple[Exchange, Exchange]] = []
    for base_url in base_urls(sender.target.provider.base_url):
        sender.target = replace(sender.target, base_url=base_url)
        models, chat = await asyncio.gather(sender.send(models_case), sender.send(chat_case))
        if speaks_api(chat) or speaks_api(models):
            break
        tried.append((keep_aside(sender, writer, models), keep_aside(sender, writer, chat)))
    else:
        return Opening((), reason_to_stop(*tried[0]))
    if wants_other_limit(chat):
        chat = await _with_other_limit(sender, writer, chat_case, chat)
    _pick_models(sender, planned, models)
    writer.resolved(sender.target.base_url, sender.target.limit_field, sender.target.models)
    return Opening((models, chat))


def keep_aside(sender: Sender, writer: LedgerWriter, exchange: Exchange) -> Exchange:
    """Record an exchange that shows where to send, on which nothing is judged; return it masked."""
    sender.budget.plan_again()
    return writer.exchange(exchange, preflight=True)


async def _with_other_limit(sender: Sender, writer: LedgerWriter, case: Case, refused: Exchange) -> Exchange:
    """Try the newer name of the output limit; where that does not help either, the first answer is judged."""
    sender.target = replace(sender.target, limit_field="max_completion_tokens")
    again = await sender.send(case)
    if again.status < refused.status:
        keep_aside(sender, writer, refused)
        return again
    keep_aside(sender, writer, again)
    sender.target = replace(sender.target, limit_field="max_tokens")
    return refused


def _pick_models(sender: Sender, planned: Sequence[Case], models: Exchange) -> None:
    """Find a model for every role that the plan needs."""
    provider = sender.target.provider
    given = {**provider.models, CHAT: provider.model}
    wanted = {role: None for case in planned if (role := role_of(case))}
    picked = pick_models(given, listed_models(models), wanted, provider.page_models)
    sender.target = replace(sender.target, models=picked)
