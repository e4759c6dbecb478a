"""`relay-conformance judge`: judge a recorded run again."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.commands.options import WAIVERS_HELP, Folder
from conformance.commands.performing import judge_and_report


@click.command("judge")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--only", multiple=True, metavar="PREFIX", help="Only rules with this id or prefix. Repeatable.")
@click.option(
    "--out", type=Folder(), help="Folder for the reports (default: that of the run; with --only, none are written)."
)
@click.option("--profile", metavar="NAME|FOLDER", help="The provider's own page (default: that of the run).")
@click.option("--waivers", type=click.Path(path_type=Path), metavar="FILE", help=WAIVERS_HELP)
@click.option("--strict", is_flag=True, help="A violated SHOULD fails as well.")
def judge_command(
    ledger: Path,
    only: tuple[str, ...],
    out: Path | None,
    profile: str | None,
    waivers: Path | None,
    strict: bool,  # noqa: FBT001 - click passes options by name
) -> int:
    """Judge a recorded run again, offline.

    LEDGER is a ledger.jsonl or the folder that holds one.
    """
    from conformance import vetting
    from conformance.ledger import read_ledger

    path = vetting.ledger_in(ledger)
    recorded = read_ledger(path)
    chosen = vetting.profile_of(recorded, profile)
    excused = vetting.waivers_of(chosen, waivers)
    # A part never takes the place of the whole: somebody would send it on as the report of this run.
    folder = out or (None if only else path.parent)
    code = judge_and_report(recorded, folder, only, chosen, path.parent, strict=strict, waivers=excused)
    if folder is None:
        click.echo(
            "only a part was judged: the reports of the run are left as they are; --out FOLDER writes some", err=True
        )
    return code
