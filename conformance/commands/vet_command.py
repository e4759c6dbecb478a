"""`relay-conformance vet`: check a relay."""

from __future__ import annotations

from typing import Any

import click

from conformance.commands.options import sending
from conformance.commands.performing import perform, settle


@click.command("vet")
@sending
@click.option("--clients", is_flag=True, help="Let the real clients that are installed read the answers.")
def vet_command(strict: bool, clients: bool, **options: Any) -> int:  # noqa: FBT001 - click passes options by name
    """Check the relay at BASE_URL.

    Sends the plan, judges what comes back, and writes the reports.
    """
    from conformance import announcing

    run = settle(options)
    click.echo(f"{run.provider.model} at {run.provider.base_url}", err=True)
    for line in (
        announcing.announce_rest(run.ledger)
        if options["resume"]
        else announcing.announce(run.cases, run.limits, run.minimize_budget)
    ):
        click.echo(line, err=True)
    return perform(run, strict=strict, resume=options["resume"], clients=clients)
