"""A recorded run, judged again for a command that shows it in another form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands.options import WAIVERS_HELP
from conformance.whole_files import write_whole

if TYPE_CHECKING:
    from conformance.model import Judgement, Ledger


def judging(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument and the options of such a command."""
    options = [
        click.argument("run", type=click.Path(path_type=Path)),
        click.option("--profile", metavar="NAME|FOLDER", help="The provider's own page (default: that of the run)."),
        click.option("--waivers", type=click.Path(path_type=Path), metavar="FILE", help=WAIVERS_HELP),
        click.option("--strict", is_flag=True, help="A violated SHOULD fails as well."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def judged(run: Path, profile: str | None, waivers: Path | None) -> tuple[list[Judgement], Ledger]:
    """The judgements of a run, given by its folder or its ledger; raises LedgerError or UsageError."""
    from conformance import vetting
    from conformance.judging import judge
    from conformance.ledger import read_ledger

    ledger = read_ledger(vetting.ledger_in(run))
    chosen = vetting.profile_of(ledger, profile)
    return judge(ledger, (), chosen, vetting.waivers_of(chosen, waivers)), ledger


def put(text: str, out: Path | None) -> None:
    """Print a text, or write it to a file; raises OSError where that cannot be."""
    if out is None:
        click.echo(text, nl=False)
        return
    write_whole(out, text)
