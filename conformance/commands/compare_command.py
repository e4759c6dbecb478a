"""`relay-conformance compare`: several providers, or several recorded runs, side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.amounts import amounts, parse_amounts
from conformance.commands.options import WAIVERS_HELP, Folder
from conformance.commands.pooling import Workers
from conformance.commands.saying import INCONCLUSIVE, INTERRUPTED, OURS, say
from conformance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.commands.several import Asked
    from conformance.comparison.nouns import Comparison
    from conformance.comparison.siding import Boiled
    from conformance.model import Waiver
    from conformance.vetting import Run

_SENDING = ("only", "dear", "generated", "seed", "max_requests", "max_output_tokens", "in_flight", "resume")


@click.command("compare")
@click.argument("inputs", metavar="PROVIDERS.toml|RUN…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--control", default="", metavar="NAME", help="The side that is the yardstick.")
@click.option("--out", type=Folder(), help="Folder for the comparison, and for the runs.")
@click.option("--waivers", type=click.Path(path_type=Path), metavar="FILE", help=f"{WAIVERS_HELP} For all sides.")
@click.option("--only", multiple=True, metavar="PREFIX", help="Only rules with this id or prefix. Repeatable.")
@click.option("--dear", is_flag=True, help="Also send what costs more: pictures and sounds.")
@click.option(
    "--generated",
    multiple=True,
    metavar="N|OPERATION=N|all=N",
    callback=lambda _, __, given: parse_amounts(given),
    help="Further requests, generated from the schemas, the same for all. Repeatable.",
)
@click.option("--seed", default=0, show_default=True, help="The same seed generates the same requests.")
@click.option("--max-requests", type=click.IntRange(1), help="Never send a provider more than this (default: 400).")
@click.option("--max-output-tokens", type=click.IntRange(0), help="Never ask a provider for more (default: 16000).")
@click.option(
    "--in-flight",
    default=128,
    show_default=True,
    type=click.IntRange(1, 1024),
    help="Requests in flight at most, over all providers; they share it fairly.",
)
@click.option("--resume", is_flag=True, help="Continue the runs in --out that are not finished.")
def compare_command(
    inputs: tuple[Path, ...], control: str, out: Path | None, waivers: Path | None, **options: Any
) -> int:
    """Put several providers side by side.

    PROVIDERS.toml names providers: all of them are vetted at once, each at its own pace, and then compared. Or give
    the folders of two or more recorded runs: nothing is sent.

    Files go to --out: compare.html, compare.json, compare.md, compare.csv, and a folder for each run that was sent.
    Exit codes: 0 all sides were judged, 2 usage, 6 a side stopped or is not complete.
    """
    from conformance import vetting

    excused = vetting.waivers_of(None, waivers)
    files = [path for path in inputs if path.suffix == ".toml"]
    if not files:
        _check_nothing_sent()
        return _compared(inputs, control, out or Path(), excused)
    if len(inputs) > 1:
        raise UsageError("a providers.toml is given beside something else", "give one providers.toml, or recorded runs")
    return _vetted(files[0], control, out, {**options, "waivers": excused})


def _check_nothing_sent() -> None:
    """Refuse options about sending where nothing is sent: whoever gave them expects something else."""
    context = click.get_current_context()
    given = [name for name in _SENDING if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]
    if given:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(f"{named}: recorded runs are compared, nothing is sent", "give a providers.toml to send")


def _compared(paths: Sequence[Path], control: str, out: Path, waivers: tuple[Waiver, ...]) -> int:
    """Compare recorded runs."""
    from conformance.comparison.comparing import compare

    with Workers(len(paths)) as workers:
        comparison = compare(paths, control=control, waivers=waivers, over=workers.map)
    return _finished(comparison, out)


def _vetted(path: Path, control: str, out: Path | None, options: Mapping[str, Any]) -> int:
    """Vet all providers of a file, and compare them."""
    from conformance import vetting
    from conformance.commands import several
    from conformance.comparison.comparing import check_control
    from conformance.waivers import together

    resume = options["resume"]
    if resume and out is None:
        raise UsageError("--resume needs --out, the folder of the comparison to continue", "give --out")
    folder = out or vetting.new_folder("", name="compare")
    runs, marked = several.settled(path, _asked(options), folder, resume=resume)
    runs = [replace(run, waivers=together(run.waivers, options["waivers"])) for run in runs]
    check_control(control or marked, [run.provider.title for run in runs])
    for line in several.announced(runs):
        click.echo(line, err=True)
    try:
        return _recorded(runs, control or marked, folder, options)
    except KeyboardInterrupt:
        hint = f"continue with the same command and --resume --out {folder}"
        return say("interrupted; nothing that was recorded is lost", hint, INTERRUPTED)


def _asked(options: Mapping[str, Any]) -> Asked:
    from conformance.commands.several import Asked

    return Asked(
        only=tuple(options["only"]),
        dear=options["dear"],
        generated=options["generated"],
        seed=options["seed"],
        requests=options["max_requests"],
        output_tokens=options["max_output_tokens"],
        in_flight=options["in_flight"],
        generated_count=sum(amounts(options["generated"], dear=options["dear"]).values()),
    )


def _recorded(runs: Sequence[Run], control: str, folder: Path, options: Mapping[str, Any]) -> int:
    """Record all, report each as soon as its recording ends, and compare those of which there is a record."""
    from conformance.commands.own_reports import OwnReports
    from conformance.commands.several import record_runs
    from conformance.ledger import is_begun
    from conformance.progress import Bar

    with Workers(len(runs)) as workers:
        workers.warm_up()
        reports = OwnReports(runs, workers)
        with Bar() as bar:
            troubles = record_runs(
                runs, options["in_flight"], resume=options["resume"], progress=bar.step_of, ended=reports.ended
            )
        for run, trouble in zip(runs, troubles, strict=True):
            if trouble is not None:
                say(f"{run.provider.title}: {trouble}", "what was recorded is kept; continue with --resume", 0)
        kept = [run for run in runs if is_begun(run.ledger)]
        ready, failed = reports.finish()
        comparison = _side_by_side(kept, control, workers, ready) if len(kept) > 1 else None
    if comparison is None:
        if failed is not None:
            say(str(failed), "", 0)
        told = "fewer than two providers were recorded: there is nothing to compare"
        return say(told, f"mend what is said above, and continue with --resume --out {folder}", INCONCLUSIVE)
    code = _finished(comparison, folder)
    if failed is not None:
        raise failed
    return INCONCLUSIVE if any(trouble is not None for trouble in troubles) else code


def _side_by_side(runs: Sequence[Run], control: str, workers: Workers, ready: Mapping[Path, Boiled]) -> Comparison:
    """Compare what was recorded; a yardstick of which there is no record measures nothing."""
    from conformance.comparison.comparing import compare

    names = [run.provider.title for run in runs]
    if control and control not in names:
        say(f"{control} is the yardstick, and was not recorded: nothing is charged to anybody", "", 0)
    return compare(
        [run.ledger for run in runs],
        control=control if control in names else "",
        names=names,
        profiles=[run.profile for run in runs if run.profile],
        waivers={run.provider.title: run.waivers for run in runs},
        over=workers.map,
        ready=ready,
    )


def _finished(comparison: Comparison, out: Path) -> int:
    """Write the files, print the summary; the exit code says whether all sides could be judged."""
    from conformance.comparison.files import write_files
    from conformance.comparison.terminal import summary_lines

    files = write_files(comparison, out)
    for line in summary_lines(comparison):
        click.echo(line)
    for path in files.values():
        click.echo(f"  {path}")
    if any(side.verdict == "error" for side in comparison.sides):
        return OURS
    return INCONCLUSIVE if any(side.stop or not side.complete for side in comparison.sides) else 0
