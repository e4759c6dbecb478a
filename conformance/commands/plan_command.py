"""`relay-conformance plan`: what would be sent, and what it costs at most."""

from __future__ import annotations

from typing import Any

import click

from conformance.commands.options import sending
from conformance.commands.performing import limits_of, planned


@click.command("plan")
@sending
def plan_command(**options: Any) -> None:
    """Show what vet would send, and its cost.

    Takes the same options and sends nothing: a line for each request, one for each operation, and the sums.
    """
    from conformance import announcing, vetting

    vetting.checked_provider(options["base_url"], options["models"], "", "", options["header"])
    profile = vetting.chosen_profile(options["profile"] or "")
    cases = planned(options, profile)
    width = max(len(case.id) for case in cases)
    for case in cases:
        click.echo(f"{case.id:{width}}  {case.price:5}  {case.output_tokens:4} tokens  {case.purpose}")
    models = announcing.announce_models(cases, vetting.parse_models(options["models"]))
    announced = announcing.announce(cases, limits_of(options), options["minimize_budget"])
    for line in (
        "",
        *announcing.announce_operations(cases),
        "",
        *models,
        *announced,
        *announcing.announce_coverage(cases, profile),
    ):
        click.echo(line)
