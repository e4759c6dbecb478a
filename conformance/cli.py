"""The command line. Everything heavy is imported by the command that needs it: `--help` must be quick."""

from __future__ import annotations

import errno
import math
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance._version import __version__
from conformance.amounts import amounts, parse_amounts
from conformance.commands.clients_command import clients_command
from conformance.commands.derive_command import derive_command
from conformance.commands.profiles_command import profiles_command
from conformance.commands.replay_command import replay_command
from conformance.commands.rules_command import rules_command
from conformance.commands.serve_command import serve_command
from conformance.errors import ConformanceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.model import Case, Ledger, Limits
    from conformance.profiles import Profile
    from conformance.vetting import Run

SLOWEST = 0.01
"""Requests a second."""


USAGE, INCONCLUSIVE, OURS, INTERRUPTED = 2, 6, 7, 130
"""Exit codes beside those of a verdict: 0 conforms, 1 violated, 6 inconclusive."""


_WRONG_PATH = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR),
    *(errno.EEXIST, errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP),
}


def main() -> None:
    """Run the command line; whatever goes wrong ends in a sentence and an exit code, not in a traceback."""
    try:
        code = cli(standalone_mode=False)
    except click.ClickException as error:
        code = _say(error.format_message(), _hint(error), USAGE)
    except ConformanceError as error:
        code = _say(error.message, error.hint, USAGE)
    except (click.Abort, KeyboardInterrupt):
        code = _say("interrupted", "", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a user never sees a traceback
        code = _unexpected(error)
    sys.exit(code or 0)


def _say(message: str, hint: str, code: int) -> int:
    """One sentence on stderr, the hint on its own line."""
    from conformance.reporting.visible import visible

    click.echo(f"error: {visible(message, 500)}", err=True)
    if hint:
        click.echo(f"hint: {visible(hint, 500)}", err=True)
    return code


def _hint(error: click.ClickException) -> str:
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "relay-conformance"
    return f"{command} --help shows what is possible"


def _unexpected(error: Exception) -> int:
    """Our mistake, or the machine's: a full disk, a folder that may not be written."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ConformanceError):
        return _say(error.message, error.hint, USAGE)
    if isinstance(error, OSError) and error.errno in _WRONG_PATH:
        return _say(f"{error.filename}: {error.strerror}", "choose another folder with --out; no ledger is lost", USAGE)
    if isinstance(error, OSError):
        return _say(f"{error.filename or 'the system'}: {error.strerror or error}", "what was recorded is kept", OURS)
    if os.environ.get("RELAY_CONFORMANCE_DEBUG"):
        raise error
    return _say(
        f"this is our mistake: {type(error).__name__}: {error}",
        "please report it, with the output of the same command under RELAY_CONFORMANCE_DEBUG=1",
        OURS,
    )


class _Finite(click.FloatRange):
    """A number that is neither infinite nor none at all."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number of seconds or requests.", param, ctx)
        return number


class _Folder(click.Path):
    """A folder that may not exist yet; an empty name is what an unset variable leaves, and no folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path of the folder."""
        if value == "":
            self.fail("an empty name is no folder", param, ctx)
        return super().convert(value, param, ctx)


class _Commands(click.Group):
    """Ends quietly when whoever reads the output has seen enough; click would exit with what says "violated"."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _hush()
            return 0


def _hush() -> None:
    """Send what is still printed nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="relay-conformance")
@click.pass_context
def cli(context: click.Context) -> None:
    """Check an OpenAI-style relay against its contract: record once, judge any number of times.

    \b
    Start here:
      relay-conformance demo                                  see it against the relay that we ship
      relay-conformance vet https://api.example.com --model gpt-4o-mini
    The key is read from the environment variable RELAY_API_KEY, never from the command line.

    \b
    Exit codes: 0 conforms, 1 a MUST is violated, 2 usage, 6 inconclusive, 7 our error.
    """  # noqa: D301 - click wants the character
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        context.exit(USAGE)


cli.add_command(clients_command)
cli.add_command(derive_command)
cli.add_command(profiles_command)
cli.add_command(replay_command)
cli.add_command(rules_command)
cli.add_command(serve_command)


def _sending(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that plans or sends."""
    options = [
        click.argument("base_url"),
        click.option(
            "--model",
            "models",
            required=True,
            multiple=True,
            metavar="NAME|ROLE=NAME",
            help="The chat model to ask; models of other roles as embeddings=NAME,speech=NAME. "
            "A role without one is picked from the provider's list, or not run.",
        ),
        click.option("--dear", is_flag=True, help="Also send what costs more: pictures and sounds."),
        click.option("--key-env", default="RELAY_API_KEY", show_default=True, help="Variable that holds the key."),
        click.option("--no-key", is_flag=True, help="The relay is used without a key."),
        click.option("--name", default="", help="How reports call the provider (default: its host)."),
        click.option("--only", multiple=True, metavar="PREFIX", help="Only rules with this id or prefix. Repeatable."),
        click.option(
            "--concurrency",
            default=8,
            show_default=True,
            type=click.IntRange(1, 64),
            help="Requests in flight at most.",
        ),
        click.option("--rate", default=0.0, type=_Finite(0), help="Requests a second at most (0: no limit)."),
        click.option("--profile", metavar="NAME|FOLDER", help="Also hold it to this provider's own page."),
        click.option(
            "--generated",
            multiple=True,
            metavar="N|OPERATION=N|all=N",
            callback=lambda _, __, given: parse_amounts(given),
            help="Further requests, generated from the schemas: N about chat, or so many of each. Repeatable.",
        ),
        click.option("--seed", default=0, show_default=True, help="The same seed generates the same requests."),
        click.option(
            "--minimize-budget",
            default=25,
            show_default=True,
            type=click.IntRange(0),
            help="Requests for making one failing generated request smaller.",
        ),
        click.option(
            "--max-requests",
            type=click.IntRange(1),
            help="Never send more than this (default: 400; with --generated, what that may need).",
        ),
        click.option(
            "--max-output-tokens",
            type=click.IntRange(0),
            help="Never ask for more (default: 16000, and 40 for each generated).",
        ),
        click.option("--timeout", default=60.0, show_default=True, type=_Finite(0.1), help="Seconds for one exchange."),
        click.option("--header", multiple=True, metavar="NAME=ENVVAR", help="Send a further header. Repeatable."),
        click.option("--out", type=_Folder(), help="Folder for ledger and reports."),
        click.option("--strict", is_flag=True, help="A violated SHOULD fails as well."),
        click.option("--resume", is_flag=True, help="Continue the interrupted run in --out."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@cli.command()
@_sending
@click.option("--clients", is_flag=True, help="Let the real clients that are installed read the answers.")
def vet(strict: bool, clients: bool, **options: Any) -> int:  # noqa: FBT001 - click passes options by name
    """Check the relay at BASE_URL.

    Sends the plan, judges what comes back, and writes the reports.
    """
    from conformance import vetting

    run = _settle(options)
    click.echo(f"{run.provider.model} at {run.provider.base_url}", err=True)
    for line in (
        vetting.announce_rest(run.ledger)
        if options["resume"]
        else vetting.announce(run.cases, run.limits, run.minimize_budget)
    ):
        click.echo(line, err=True)
    return _perform(run, strict=strict, resume=options["resume"], clients=clients)


@cli.command()
@_sending
def plan(**options: Any) -> None:
    """Show what vet would send, and its cost.

    Takes the same options and sends nothing: a line for each request, one for each operation, and the sums.
    """
    from conformance import vetting

    vetting.checked_provider(options["base_url"], options["models"], "", "", options["header"])
    profile = vetting.chosen_profile(options["profile"] or "")
    cases = _planned(options, profile)
    width = max(len(case.id) for case in cases)
    for case in cases:
        click.echo(f"{case.id:{width}}  {case.price:5}  {case.output_tokens:4} tokens  {case.purpose}")
    models = vetting.announce_models(cases, vetting.parse_models(options["models"]))
    announced = vetting.announce(cases, _limits(options), options["minimize_budget"])
    for line in (
        "",
        *vetting.announce_operations(cases),
        "",
        *models,
        *announced,
        *vetting.announce_coverage(cases, profile),
    ):
        click.echo(line)


@cli.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--only", multiple=True, metavar="PREFIX", help="Only rules with this id or prefix. Repeatable.")
@click.option("--out", type=_Folder(), help="Folder for the reports.")
@click.option("--profile", metavar="NAME|FOLDER", help="The provider's own page (default: that of the run).")
@click.option("--strict", is_flag=True, help="A violated SHOULD fails as well.")
def judge(ledger: Path, only: tuple[str, ...], out: Path | None, profile: str | None, strict: bool) -> int:  # noqa: FBT001
    """Judge a recorded run again, offline.

    LEDGER is a ledger.jsonl or the folder that holds one.
    """
    from conformance import vetting
    from conformance.ledger import read_ledger

    path = vetting.ledger_in(ledger)
    recorded = read_ledger(path)
    chosen = vetting.profile_of(recorded, profile)
    return _report(recorded, out or path.parent, only, chosen, path.parent, strict=strict)


@cli.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("case")
@click.option("--rule", default="", help="The rule that has to stay broken (default: the worst that this case breaks).")
@click.option("--budget", default=25, show_default=True, type=click.IntRange(1), help="Requests at most.")
@click.option("--profile", metavar="NAME|FOLDER", help="The provider's own page (default: that of the run).")
@click.option("--key-env", default="RELAY_API_KEY", show_default=True, help="Variable that holds the key.")
@click.option("--header", multiple=True, metavar="NAME=ENVVAR", help="A further header that the run sent. Repeatable.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
def minimize(ledger: Path, case: str, rule: str, yes: bool, **options: Any) -> int:  # noqa: FBT001
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


@cli.command()
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Switch a fault on. Repeatable.")
@click.option("--out", type=_Folder(), help="Folder for ledger and reports.")
def demo(faults: tuple[str, ...], out: Path | None) -> int:
    """Vet the reference relay that we ship.

    No relay, key or network is needed.
    """
    from conformance import relay, vetting
    from conformance.model import Limits, Provider
    from conformance.planning import plan as make_plan
    from conformance.redaction import Secrets

    with relay.BackgroundRelay(relay.create_app(faults=faults)) as background:
        provider = Provider(background.base_url, relay.DEFAULT_MODEL, "RELAY_API_KEY", "reference relay")
        secrets = Secrets({provider.key_env: relay.DEFAULT_KEY})
        folder = out or vetting.new_folder("", name="demo")
        run = vetting.Run(provider, secrets, tuple(make_plan(dear=True)), Limits(), (), folder)
        click.echo(f"the reference relay is at {provider.base_url}", err=True)
        for line in vetting.announce(run.cases, run.limits):
            click.echo(line, err=True)
        return _perform(run, strict=False, resume=False)


def _rate(asked: float) -> float:
    """The rate limit; one that would make a run last for days is a slip."""
    if 0 < asked < SLOWEST:
        raise UsageError(f"--rate {asked:g} is less than {SLOWEST:g} requests a second", "0 means no limit")
    return asked


def _limits(options: dict[str, Any]) -> Limits:
    from conformance import vetting
    from conformance.model import Limits

    generated = sum(amounts(options["generated"], dear=options["dear"]).values())
    return replace(
        vetting.default_limits(
            generated, options["max_requests"], options["max_output_tokens"], options["minimize_budget"]
        ),
        concurrency=options["concurrency"],
        rate=_rate(options["rate"]),
        timeout=options["timeout"],
        idle=min(Limits.idle, options["timeout"]),
    )


def _planned(options: dict[str, Any], profile: Profile | None) -> tuple[Case, ...]:
    """The cases that the options ask for."""
    from conformance import vetting
    from conformance.planning import plan as make_plan

    cases = tuple(
        make_plan(
            options["only"],
            keyless=options["no_key"],
            alone=options["concurrency"] == 1,
            generated=options["generated"],
            seed=options["seed"],
            profile=profile,
            dear=options["dear"],
        )
    )
    vetting.check_selection(options["only"], cases, dear=options["dear"])
    return cases


def _settle(options: dict[str, Any]) -> Run:
    """Options to a run; whatever is wrong with them is said before anything is sent."""
    from conformance import vetting

    if not options["key_env"]:
        raise UsageError("--key-env is empty", "name the variable that holds the key; a relay without keys: --no-key")
    key_env = "" if options["no_key"] else options["key_env"]
    resumed = vetting.folder_to_resume(options["out"]) if options["resume"] else None
    profile = vetting.profile_to_plan(options["profile"], resumed)
    provider = vetting.checked_provider(
        options["base_url"], options["models"], key_env, options["name"], options["header"], profile
    )
    cases = _planned(options, profile)
    secrets = vetting.gather_secrets(provider)
    vetting.check_secrets(provider, secrets, cases)
    folder = resumed or options["out"] or vetting.new_folder(provider.base_url)
    if resumed is None and (folder / vetting.LEDGER).exists():
        raise UsageError(f"{folder} holds a run already", "choose another --out, or continue it with --resume")
    return vetting.Run(
        provider,
        secrets,
        cases,
        _limits(options),
        tuple(options["only"]),
        folder,
        profile,
        options["minimize_budget"],
    )


def _perform(run: Run, *, strict: bool, resume: bool, clients: bool = False) -> int:
    """Record, let clients read, judge, report; when interrupted, what was recorded is reported."""
    from conformance import vetting
    from conformance.ledger import read_ledger

    try:
        ledger = vetting.minimise_failures(run, _recorded(run, resume=resume))
    except KeyboardInterrupt:
        if run.ledger.exists():
            _report(read_ledger(run.ledger), run.folder, (), run.profile, run.folder, strict=strict)
        return _say("interrupted", f"continue with the same command and --resume --out {run.folder}", INTERRUPTED)
    if clients:
        _let_read(ledger, run.folder)
    return _report(ledger, run.folder, (), run.profile, run.folder, strict=strict)


def _let_read(ledger: Ledger, folder: Path) -> None:
    """Let the real clients that are installed read what was recorded."""
    from conformance.clients.storing import CLIENTS_FILE, write_readings
    from conformance.clients.table import chosen_clients
    from conformance.commands.clients_command import let_read

    click.echo("real clients read the recorded answers; nothing more is sent", err=True)
    write_readings(folder / CLIENTS_FILE, ledger, let_read(ledger, chosen_clients(())))


def _recorded(run: Run, *, resume: bool) -> Ledger:
    """Send what is planned, or what is missing."""
    from conformance.progress import Bar
    from conformance.send import record

    with Bar() as bar:
        return record(
            run.cases,
            run.provider,
            run.ledger,
            secrets=run.secrets,
            limits=run.limits,
            rules=run.rules,
            resume=resume,
            progress=bar.step,
        )


def _report(
    ledger: Ledger, folder: Path, only: tuple[str, ...], profile: Profile | None, home: Path, *, strict: bool
) -> int:
    """Judge, write the files, print the summary; the exit code follows. `home`: the folder of the ledger."""
    from conformance import vetting
    from conformance.judging import judge as judge_ledger
    from conformance.reporting import report
    from conformance.reporting.summary import exit_code, run_verdict
    from conformance.reporting.terminal import print_summary

    judgements = judge_ledger(ledger, only, profile)
    clients = vetting.clients_in(home, ledger, judgements)
    files = report(judgements, ledger, folder, strict=strict, profile=profile, clients=clients)
    try:
        print_summary(judgements, ledger, files, strict=strict, clients=clients)
    except BrokenPipeError:
        _hush()  # nobody reads on; the verdict stays
    return exit_code(run_verdict(judgements, ledger, strict=strict))
