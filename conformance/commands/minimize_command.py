"""`relay-conformance minimize`: the smallest request that still fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from conformance.commands.saying import INCONCLUSIVE


@click.command("minimize")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("case")
@click.option("--rule", default="", help="The rule that has to stay broken (default: the worst that this case breaks).")
@click.option("--budget", default=25, show_default=True, type=click.IntRange(1), help="Requests at most.")
@click.option("--profile", metavar="NAME|FOLDER", help="The provider's own page (default: that of the run).")
@click.option("--key-env", default="RELAY_API_KEY", show_default=True, help="Variable that holds the key.")
@click.option("--header", multiple=True, metavar="NAME=ENVVAR", help="A further header that the run sent. Repeatable.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
def minimize_command(ledger: Path, case: str, rule: str, yes: bool, **options: Any) -> int:  # noqa: FBT001
    """Find the smallest request that still fails.

    It fails like CASE of LEDGER; the relay of that run is asked again.
    """
    from conformance import vetting
    from conformance.ledger import read_ledger
    from conformance.reporting.terminal import print_smallest

    path = vetting.ledger_in(ledger)
    recorded = read_ledger(path)
    chosen = vetting.profile_of(recorded, options["profile"])
    vetting.check_trusted(recorded.provider, options["key_env"], vetting.parse_headers(options["header"]))
    click.echo(f"asks {recorded.provider.base_url} again, at most {options['budget']} requests", err=True)
    if sys.stdin.isatty() and not yes:
        click.confirm("go on?", abort=True, err=True)
    found, broken = vetting.minimise_case(path, case, rule, budget=options["budget"], profile=chosen)
    if not print_smallest(found, case, broken):
        return INCONCLUSIVE
    click.echo(f"recorded; relay-conformance judge {path.parent} puts it into the report", err=True)
    return 0
