"""`relay-conformance demo`: vet the relay that we ship."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.commands.options import Folder
from conformance.commands.performing import perform


@click.command("demo")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Switch a fault on. Repeatable.")
@click.option("--out", type=Folder(), help="Folder for ledger and reports.")
def demo_command(faults: tuple[str, ...], out: Path | None) -> int:
    """Vet the reference relay that we ship.

    No relay, key or network is needed.
    """
    from conformance import announcing, relay, vetting
    from conformance.model import Limits, Provider
    from conformance.planning import plan as make_plan
    from conformance.redaction import Secrets

    with relay.BackgroundRelay(relay.create_app(faults=faults)) as background:
        provider = Provider(background.base_url, relay.DEFAULT_MODEL, "RELAY_API_KEY", "reference relay")
        secrets = Secrets({provider.key_env: relay.DEFAULT_KEY})
        folder = out or vetting.new_folder("", name="demo")
        run = vetting.Run(provider, secrets, tuple(make_plan(dear=True)), Limits(), (), folder)
        click.echo(f"the reference relay is at {provider.base_url}", err=True)
        for line in announcing.announce(run.cases, run.limits):
            click.echo(line, err=True)
        return perform(run, strict=False, resume=False)
