"""`relay-conformance rules`: the list of rules, or everything about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from conformance.rules.base import Rule


@click.command("rules")
@click.argument("name", metavar="[ID|PREFIX]", required=False, default="")
def rules_command(name: str) -> None:
    """List the rules, or explain one.

    PREFIX lists those below it, ID explains that rule.
    """
    from conformance.clients.rules import client_rules
    from conformance.planning import select_rules

    by_clients = client_rules()
    chosen = [rule for each, rule in by_clients.items() if each.startswith(name)]
    if not (name and chosen):
        chosen = [*select_rules([name] if name else []), *chosen]
    if name in {rule.id for rule in chosen}:
        _explain(next(rule for rule in chosen if rule.id == name))
        return
    width = max(len(rule.id) for rule in chosen)
    for rule in chosen:
        click.echo(f"{rule.id:{width}}  {rule.severity:6}  {rule.requirement}")


def _explain(rule: Rule) -> None:
    """Everything about one rule."""
    click.echo(f"{rule.id}\n\n{rule.text}\n{rule.zh}\n")
    click.echo(f"severity    {rule.severity}")
    click.echo(f"operations  {', '.join(rule.operations)}")
    click.echo(f"document    {rule.doc} ({rule.basis})")
    if rule.lines:
        click.echo(f"facts       {', '.join(rule.lines)}")
    click.echo(f"breaks      {rule.breaks}\n            {rule.breaks_zh}")
    click.echo(f"mend        {rule.mend}\n            {rule.mend_zh}")
    if rule.noisy:
        click.echo("noisy       chance has a part: gated only over several rounds")
