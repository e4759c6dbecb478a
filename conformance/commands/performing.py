"""Options to a run, and a run to its files: what every command that sends or judges does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.amounts import amounts
from conformance.commands.saying import INTERRUPTED, hush, say
from conformance.errors import UsageError

if TYPE_CHECKING:
    from conformance.model import Case, Ledger, Limits
    from conformance.profiles import Profile
    from conformance.vetting import Run

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
    return replace(
        vetting.default_limits(
            generated, options["max_requests"], options["max_output_tokens"], options["minimize_budget"]
        ),
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


def settle(options: dict[str, Any]) -> Run:
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
    cases = planned(options, profile)
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
        tuple(options["only"]),
        folder,
        profile,
        options["minimize_budget"],
    )


def perform(run: Run, *, strict: bool, resume: bool, clients: bool = False) -> int:
    """Record, let clients read, judge, report; when interrupted, what was recorded is reported."""
    from conformance import vetting
    from conformance.ledger import read_ledger

    try:
        ledger = vetting.minimise_failures(run, recorded_run(run, resume=resume))
    except KeyboardInterrupt:
        if run.ledger.exists():
            judge_and_report(read_ledger(run.ledger), run.folder, (), run.profile, run.folder, strict=strict)
        return say("interrupted", f"continue with the same command and --resume --out {run.folder}", INTERRUPTED)
    if clients:
        let_clients_read(ledger, run.folder)
    return judge_and_report(ledger, run.folder, (), run.profile, run.folder, strict=strict)


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
        hush()  # nobody reads on; the verdict stays
    return exit_code(run_verdict(judgements, ledger, strict=strict))
