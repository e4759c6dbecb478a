"""Options to a run, and a run to its files: what every command that sends or judges does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.amounts import amounts
from conformance.commands.saying import INTERRUPTED, hush, say
from conformance.errors import UsageError
from conformance.gating.rounds import round_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.gating.holding import Before
    from conformance.model import Case, Ledger, Limits, Waiver
    from conformance.profiles import Profile
    from conformance.vetting import Run

_GRAVEST = (7, 1, 6, 0)
"""Exit codes of rounds, the one that counts first: our error, violated, inconclusive, conforms."""
SLOWEST = 0.01
"""Requests a second."""


def _rate(asked: float) -> float:
    """The rate limit; one that would make a run last for days is a slip."""
    if 0 < asked < SLOWEST:
        raise UsageError(f"--rate {asked:g} is less than {SLOWEST:g} requests a second", "0 means no limit")
    return asked


def limits_of(options: dict[str, Any]) -> Limits:
    """The ceilings that the options set."""
    from conformance import vetting
    from conformance.model import Limits

    generated = sum(amounts(options["generated"], dear=options["dear"]).values())
    usual, rounds = vetting.default_limits(generated, None, None, options["minimize_budget"]), options.get("repeat", 1)
    requests, tokens = options["max_requests"], options["max_output_tokens"]
    return replace(
        usual,
        requests=rounds * usual.requests if requests is None else requests,
        output_tokens=rounds * usual.output_tokens if tokens is None else tokens,
        concurrency=options["concurrency"],
        rate=_rate(options["rate"]),
        timeout=options["timeout"],
        idle=min(Limits.idle, options["timeout"]),
    )


def planned(options: dict[str, Any], profile: Profile | None) -> tuple[Case, ...]:
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


def settle(options: dict[str, Any], cases: tuple[Case, ...] | None = None, rules: tuple[str, ...] = ()) -> Run:
    """Options to a run; whatever is wrong with them is said before anything is sent.

    `cases` and `rules`: what to send and to judge where it is not planned by the options.
    """
    from conformance import vetting

    if not options["key_env"]:
        raise UsageError("--key-env is empty", "name the variable that holds the key; a relay without keys: --no-key")
    key_env = "" if options["no_key"] else options["key_env"]
    resumed = vetting.folder_to_resume(options["out"]) if options["resume"] else None
    profile = vetting.profile_to_plan(options["profile"], resumed)
    provider = vetting.checked_provider(
        options["base_url"], options["models"], key_env, options["name"], options["header"], profile
    )
    cases = planned(options, profile) if cases is None else cases
    secrets = vetting.gather_secrets(provider)
    vetting.check_secrets(provider, secrets, cases)
    folder = resumed or options["out"] or vetting.new_folder(provider.base_url)
    if resumed is None and (folder / vetting.LEDGER).exists():
        raise UsageError(f"{folder} holds a run already", "choose another --out, or continue it with --resume")
    return vetting.Run(
        provider,
        secrets,
        cases,
        limits_of(options),
        rules or tuple(options["only"]),
        folder,
        profile,
        options["minimize_budget"],
        vetting.waivers_of(profile, options.get("waivers")),
    )


def perform(
    run: Run, *, strict: bool, resume: bool, clients: bool = False, repeat: int = 1, before: Before | None = None
) -> int:
    """Record, let clients read, judge, report; when interrupted, what was recorded is reported.

    `repeat`: how many rounds. `before`: what the run is held to; the exit code is then that of the gate.
    """
    from conformance.commands.repeating import recorded_rounds
    from conformance.ledger import is_begun, read_ledger

    try:
        ledgers = recorded_rounds(run, repeat, resume=resume)
    except KeyboardInterrupt:
        if is_begun(run.ledger):
            _report(run, read_ledger(run.ledger), run.folder, strict=strict)
        return say("interrupted", f"continue with the same command and --resume --out {run.folder}", INTERRUPTED)
    if clients:
        let_clients_read(ledgers[0], run.folder)
    codes = [
        _report(run, ledger, round_path(run.folder, place).parent, strict=strict, quiet=place > 1)
        for place, ledger in enumerate(ledgers, 1)
    ]
    if before is None:
        return next(code for code in _GRAVEST if code in codes)
    from conformance.commands.gate import hold_and_tell

    return hold_and_tell(before, ledgers, run.profile, run.waivers, run.folder)


def _report(run: Run, ledger: Ledger, folder: Path, *, strict: bool, quiet: bool = False) -> int:
    """Judge one round and write its reports."""
    return judge_and_report(ledger, folder, (), run.profile, folder, strict=strict, waivers=run.waivers, quiet=quiet)


def let_clients_read(ledger: Ledger, folder: Path) -> None:
    """Let the real clients that are installed read what was recorded."""
    from conformance.clients.storing import CLIENTS_FILE, write_readings
    from conformance.clients.table import chosen_clients
    from conformance.commands.clients_command import let_read

    click.echo("real clients read the recorded answers; nothing more is sent", err=True)
    write_readings(folder / CLIENTS_FILE, ledger, let_read(ledger, chosen_clients(())))


def recorded_run(run: Run, *, resume: bool) -> Ledger:
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


def judge_and_report(
    ledger: Ledger,
    folder: Path | None,
    only: tuple[str, ...],
    profile: Profile | None,
    home: Path,
    *,
    strict: bool,
    waivers: Sequence[Waiver] = (),
    quiet: bool = False,
) -> int:
    """Judge, write the files, print the summary; the exit code follows.

    `home`: the folder of the ledger. `quiet`: only one line is printed. Without `folder` no file is written.
    """
    from conformance import vetting
    from conformance.judging import judge as judge_ledger
    from conformance.reporting import report
    from conformance.reporting.summary import exit_code, run_verdict
    from conformance.reporting.terminal import print_summary

    judgements = judge_ledger(ledger, only, profile, waivers)
    clients = vetting.clients_in(home, ledger, judgements)
    files = report(judgements, ledger, folder, strict=strict, profile=profile, clients=clients) if folder else {}
    verdict = run_verdict(judgements, ledger, strict=strict)
    try:
        if quiet:
            click.echo(f"{folder}: {verdict}")
        else:
            print_summary(judgements, ledger, files, strict=strict, clients=clients)
    except BrokenPipeError:
        hush()  # nobody reads on; the verdict stays
    return exit_code(verdict)
