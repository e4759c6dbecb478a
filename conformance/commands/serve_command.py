"""`relay-conformance serve`: the reference relay, for trying clients and testers on it."""

from __future__ import annotations

import click


@click.command("serve")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="0 takes a free one.", show_default=True)
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Switch a fault on. Repeatable.")
@click.option("--latency-ms", default=0, type=click.IntRange(0), help="Wait before each answer.", show_default=True)
@click.option("--quirks", type=int, metavar="SEED", help="Honest but awkward: chunk borders, comments, a weak model …")
@click.option("--list-faults", is_flag=True, help="List the faults and stop.")
def serve_command(port: int, faults: tuple[str, ...], latency_ms: int, quirks: int | None, list_faults: bool) -> None:  # noqa: FBT001
    """Run the reference relay on this machine.

    It is correct, or has the faults that are asked for, and runs until Ctrl-C.
    """
    from conformance import relay

    if list_faults:
        known = relay.catalogue()
        width = max(map(len, known))
        for name, fault in known.items():
            click.echo(f"{name:{width}}  {fault.sentence}")
        return
    app = relay.create_app(
        faults=faults, quirks=None if quirks is None else relay.Quirks(quirks), latency=latency_ms / 1000
    )

    def ready(actual: int) -> None:
        click.echo(f"base URL  http://127.0.0.1:{actual}/v1")
        click.echo(f"key       {relay.DEFAULT_KEY}")
        click.echo(f"model     {relay.DEFAULT_MODEL}")
        click.echo("stop it with Ctrl-C")

    relay.serve("127.0.0.1", port, app, ready)
