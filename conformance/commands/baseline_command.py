"""`relay-conformance baseline`: what is kept of a run, for later ones to be held to."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.commands.gate import echo
from conformance.errors import UsageError


@click.command("baseline")
@click.argument("runs", metavar="RUN…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@click.option("--update", is_flag=True, help="Replace the file, and say what changes.")
@click.option("--profile", metavar="NAME|FOLDER", help="The provider's own page (default: that of the run).")
def baseline_command(runs: tuple[Path, ...], out: Path, update: bool, profile: str | None) -> int:  # noqa: FBT001
    """Keep what a run showed, for later runs to be held to.

    RUN is a run folder with all its rounds, or a ledger.jsonl; several are rounds of the same. The file holds verdicts
    and times, no requests, answers or keys, and changes line by line, so that it can live in a repository.
    """
    from conformance import vetting
    from conformance.gating.comparing import compare
    from conformance.gating.files import baseline_text, read_baseline
    from conformance.gating.holding import check_whole
    from conformance.gating.recording import record_of
    from conformance.gating.rounds import read_rounds
    from conformance.gating.telling import lines
    from conformance.whole_files import write_whole

    if out.is_dir():
        raise UsageError(f"{out} is a folder", "give the name of a file")
    if out.exists() and not update:
        raise UsageError(f"{out} exists already", "replace it with --update, or choose another file")
    old = read_baseline(out) if out.exists() else None
    ledgers = read_rounds(runs)
    check_whole(ledgers, runs[0])
    record = record_of(ledgers, vetting.profile_of(ledgers[0], profile))
    write_whole(out, baseline_text(record))
    for line in lines(compare(old, record)) if old else ():
        echo(line)
    rounds = "1 round" if record.rounds == 1 else f"{record.rounds} rounds"
    click.echo(f"{out}: {len(record.standings):,} entries of {rounds}, {len(record.cases):,} requests")
    return 0
