"""`relay-conformance diff`: what a run shows that its baseline does not."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.commands.gate import hold_and_tell
from conformance.commands.options import WAIVERS_HELP, Folder


@click.command("diff")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("runs", metavar="RUN…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--profile", metavar="NAME|FOLDER", help="The provider's own page (default: that of the run).")
@click.option("--waivers", type=click.Path(path_type=Path), metavar="FILE", help=WAIVERS_HELP)
@click.option("--out", type=Folder(), help="Folder for diff.json and diff.md (default: that of the first run).")
def diff_command(
    baseline: Path, runs: tuple[Path, ...], profile: str | None, waivers: Path | None, out: Path | None
) -> int:
    """Say what a run shows that its baseline does not.

    BASELINE is a file of `relay-conformance baseline`, or an earlier run. RUN is a run folder with all its rounds, or a
    ledger.jsonl; several are rounds of the same. Nothing is sent.

    \b
    Exit codes: 1 something got worse, 2 entries of the baseline are stale, 6 it cannot be said, else 0.
    """  # noqa: D301 - click wants the character
    from conformance import vetting
    from conformance.gating.holding import read_before
    from conformance.gating.rounds import read_rounds

    before, ledgers = read_before(baseline), read_rounds(runs)
    chosen = vetting.profile_of(ledgers[0], profile)
    excused = vetting.waivers_of(chosen, waivers)
    folder = out or (runs[0] if runs[0].is_dir() else runs[0].parent)
    return hold_and_tell(before, ledgers, chosen, excused, folder)
