"""`relay-conformance vet`: check a relay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands.options import WAIVERS_HELP, sending
from conformance.commands.performing import perform, settle
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.vetting import Run


@click.command("vet")
@sending
@click.option("--clients", is_flag=True, help="Let the real clients that are installed read the answers.")
@click.option("--waivers", type=click.Path(path_type=Path), metavar="FILE", help=WAIVERS_HELP)
@click.option(
    "--repeat",
    default=1,
    show_default=True,
    type=click.IntRange(1, 20),
    help="Send the plan so many times; limits are for all rounds together.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE|RUN",
    help="Exit 1 only for what got worse than this: a file of `baseline`, or an earlier run.",
)
@click.option(
    "--only-failed",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Send only what failed, or could not be judged, in this run.",
)
def vet_command(
    strict: bool,  # noqa: FBT001 - click passes options by name
    clients: bool,  # noqa: FBT001 - as above
    baseline: Path | None,
    only_failed: Path | None,
    **options: Any,
) -> int:
    """Check the relay at BASE_URL.

    Sends the plan, judges what comes back, and writes the reports.
    """
    from conformance import announcing
    from conformance.gating.holding import read_before
    from conformance.gating.rounds import round_paths
    from conformance.ledger import is_begun

    before = read_before(baseline) if baseline is not None else None
    if options["resume"] and options["out"] is not None:
        options["repeat"] = max(options["repeat"], len(round_paths(options["out"])))
    run = settle(options) if only_failed is None else _again(only_failed, options)
    if run is None:
        click.echo(f"nothing failed in {only_failed}: nothing is sent")
        return 0
    click.echo(f"{run.provider.model} at {run.provider.base_url}", err=True)
    for line in (
        announcing.announce_rest(run.ledger, options["repeat"])
        if is_begun(run.ledger)
        else announcing.announce(run.cases, run.limits, run.minimize_budget, options["repeat"])
    ):
        click.echo(line, err=True)
    return perform(
        run, strict=strict, resume=options["resume"], clients=clients, repeat=options["repeat"], before=before
    )


def _again(path: Path, options: dict[str, Any]) -> Run | None:
    """A run of what failed in another; None where nothing did."""
    from conformance import announcing, vetting
    from conformance.gating.failed import failed_in
    from conformance.gating.rounds import read_rounds
    from conformance.judging import judge
    from conformance.planning import PREFLIGHT

    for name in ("resume", "only", "generated"):
        if options[name]:
            raise UsageError(f"--only-failed and --{name} exclude each other", "the run says what is sent again")
    rounds = list(read_rounds([path]))
    ledger = rounds[0]
    profile = vetting.profile_of(ledger, options["profile"])
    name = ledger.provider.profile if options["profile"] is None else options["profile"]
    waivers = vetting.waivers_of(profile, options["waivers"])
    judgements = [each for one in rounds for each in judge(one, (), profile, waivers)]
    alone = options["concurrency"] == 1
    failed = failed_in(ledger, judgements, dear=options["dear"], keyless=options["no_key"], alone=alone)
    if not failed.judgements:
        return None
    if failed.dear and len(failed.cases) <= len(PREFLIGHT):
        raise UsageError(f"only requests that cost more failed in {path}", "add --dear")
    if failed.senseless and len(failed.cases) <= len(PREFLIGHT):
        raise UsageError(
            f"what failed in {path} needs a key, or two requests at once", "leave --no-key and --concurrency 1 out"
        )
    run = settle({**options, "profile": name}, failed.cases, failed.rules)
    click.echo(announcing.announce_failed(failed, ledger), err=True)
    return run
