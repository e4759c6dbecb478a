"""`relay-conformance history`: all recorded runs below a folder as one page."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("history")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page (default: history.html in the folder).",
)
def history_command(folder: Path, out: Path | None) -> int:
    """Show when each rule broke and when it healed, over all runs below FOLDER.

    Runs are found by their ledger.jsonl and judged by this version; history.sqlite in the folder remembers what came
    of it, so that only new runs are read.
    """
    from conformance.history import write_history

    written = write_history(folder, out, say=lambda line: click.echo(line, err=True))
    click.echo(written)
    return 0
