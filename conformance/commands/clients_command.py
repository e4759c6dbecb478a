"""`relay-conformance clients`: what real clients make of a recorded run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.clients.readings import ClientRun
    from conformance.clients.table import Client
    from conformance.model import Ledger
    from conformance.reporting.client_rows import ClientLine, ClientRow

BROKEN = 1
"""Exit code where a client breaks."""
NONE_RUN = 6
"""Exit code where no client read anything: that is inconclusive."""


@click.command("clients")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--client", "names", multiple=True, metavar="NAME", help="Only this client. Repeatable.")
def clients_command(ledger: Path, names: tuple[str, ...]) -> int:
    """Let real clients read a recorded run.

    The answers of LEDGER are replayed on this machine: the relay is not asked again.

    Clients: openai, anthropic, litellm, langchain, as far as they are installed (pip install
    'relay-conformance[clients]'). What they read goes to clients.json beside the ledger.
    """
    from conformance.clients.comparing import State
    from conformance.clients.storing import CLIENTS_FILE, write_readings
    from conformance.clients.table import chosen_clients
    from conformance.clients.verdicts import client_verdicts
    from conformance.judging import judge
    from conformance.ledger import read_ledger
    from conformance.reporting.client_rows import client_rows
    from conformance.vetting import ledger_in

    chosen = chosen_clients(names)
    path = ledger_in(ledger)
    recorded = read_ledger(path)
    runs = let_read(recorded, chosen)
    file = path.parent / CLIENTS_FILE
    write_readings(file, recorded, runs)
    verdicts = client_verdicts(recorded, runs, judge(recorded))
    for line in _lines(client_rows(verdicts)):
        click.echo(line)
    click.echo(f"readings  {file}")
    states = {verdict.state for verdict in verdicts}
    if states & {State.BREAKS, State.WORKS, State.LIMITS}:
        click.echo(f"relay-conformance judge {path.parent} puts them into the report", err=True)
    return BROKEN if State.BREAKS in states else 0 if states & {State.WORKS, State.LIMITS} else NONE_RUN


def let_read(ledger: Ledger, clients: Sequence[Client]) -> list[ClientRun]:
    """Replay a run on a free port of this machine and let clients read it."""
    from conformance.clients.running import run_clients
    from conformance.relay import BackgroundRelay
    from conformance.replay_app import Replay
    from conformance.replaying import Recording

    with BackgroundRelay(Replay(Recording(ledger))) as replay:
        return run_clients(ledger, clients, replay.url)


def _lines(rows: Sequence[ClientRow]) -> Iterator[str]:
    """The rows for a terminal."""
    from conformance.reporting.visible import visible

    width = max(len(row.title) for row in rows)
    for row in rows:
        yield f"{row.title:{width}}  {row.word.en}: {visible(row.read.en, 300)}"
        for line in row.lines:
            yield f"  {line.what.en}, {line.count} of them, first {visible(line.case, 120)}"
            if line.detail:
                yield f"    {visible(line.detail, 200)}"
            yield f"    {_rules(line)}"


def _rules(line: ClientLine) -> str:
    more = f" and {line.more} more" if line.more else ""
    return f"broken there: {', '.join(line.rules)}{more}" if line.rules else "no requirement of ours is broken there"
