"""`relay-conformance replay`: a recorded run as a server for anybody's client."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("replay")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="0 takes a free one.", show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--timing", is_flag=True, help="Answer as slowly as the relay did.")
def replay_command(ledger: Path, port: int, host: str, timing: bool) -> None:  # noqa: FBT001 - click passes options by name
    """Serve a recorded run to any client.

    LEDGER is a ledger.jsonl or the folder that holds one; it is served until Ctrl-C. Status, headers and body are those
    of the relay, faults included; no key is needed, and nothing is sent on.
    """
    from conformance.ledger import read_ledger
    from conformance.relay import serve
    from conformance.replay_app import CASE_HEADER, Replay
    from conformance.replaying import Recording, pinned_path
    from conformance.reporting.visible import visible
    from conformance.vetting import ledger_in

    recorded = read_ledger(ledger_in(ledger))
    recording = Recording(recorded)

    def ready(actual: int) -> None:
        root = f"http://{f'[{host}]' if ':' in host else host}:{actual}"
        click.echo(f"base URL  {root}/v1")
        click.echo("key       any")
        click.echo(f"model     {visible(recorded.provider.model, 200)}")
        click.echo(f"answers   {len(recording)} recorded ones; the header {CASE_HEADER} says which one came")
        if len(recording):
            case = next(iter(recording.cases))
            click.echo(f"one case  {root}{pinned_path(case)} answers everything with {visible(case, 200)}")
        click.echo("stop it with Ctrl-C")

    serve(host, port, Replay(recording, timing=timing), ready)
