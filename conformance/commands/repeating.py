"""The rounds of a run, one after the other, under one ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from conformance.model import Ledger, Limits
    from conformance.vetting import Run


def recorded_rounds(run: Run, repeat: int, *, resume: bool) -> list[Ledger]:
    """Record the plan so many times; what an interrupted run has, is not sent again.

    A round that ended early is the last one: what stopped it would stop the next.
    """
    from conformance import vetting
    from conformance.commands.performing import recorded_run
    from conformance.gating.rounds import round_path

    done: list[Ledger] = []
    for number in range(1, repeat + 1):
        path = round_path(run.folder, number)
        left = limits_left(run.limits, done)
        if left is None:
            click.echo(f"the limits are reached: {number - 1} of {repeat} rounds were sent", err=True)
            break
        this = replace(run, folder=path.parent, limits=left, cases=done[0].plan if done else run.cases)
        ledger = finished(path) if resume and number > 1 else None
        if ledger is None:
            if repeat > 1:
                click.echo(f"round {number} of {repeat}", err=True)
            ledger = recorded_run(this, resume=resume)
        done.append(vetting.minimise_failures(this, ledger) if number == 1 else ledger)
        if ledger.stop is not None:
            break
    return done


def finished(path: Path) -> Ledger | None:
    """The round at a path, when there is nothing left to send of it."""
    from conformance.ledger import is_begun, read_ledger
    from conformance.planning import still_to_send

    if not is_begun(path):
        return None
    ledger = read_ledger(path)
    whole = ledger.complete and ledger.stop is None and not still_to_send(ledger.plan, ledger)
    return ledger if whole else None


def limits_left(limits: Limits, done: Sequence[Ledger]) -> Limits | None:
    """What earlier rounds have left of the ceilings; None for nothing."""
    from conformance.reporting.summary import spent

    costs = [spent(ledger) for ledger in done]
    requests = limits.requests - sum(cost.requests for cost in costs)
    tokens = limits.output_tokens - sum(cost.output_tokens for cost in costs)
    return replace(limits, requests=requests, output_tokens=tokens) if requests > 0 and tokens >= 0 else None
