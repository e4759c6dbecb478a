"""The command line. Everything heavy is imported by the command that needs it: `--help` must be quick."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any

import click

from conformance._version import __version__
from conformance.commands.badge_command import badge_command
from conformance.commands.baseline_command import baseline_command
from conformance.commands.clients_command import clients_command
from conformance.commands.compare_command import compare_command
from conformance.commands.demo_command import demo_command
from conformance.commands.derive_command import derive_command
from conformance.commands.diff_command import diff_command
from conformance.commands.history_command import history_command
from conformance.commands.judge_command import judge_command
from conformance.commands.minimize_command import minimize_command
from conformance.commands.plan_command import plan_command
from conformance.commands.profiles_command import profiles_command
from conformance.commands.replay_command import replay_command
from conformance.commands.rules_command import rules_command
from conformance.commands.saying import INTERRUPTED, OURS, USAGE, hush, say
from conformance.commands.serve_command import serve_command
from conformance.commands.summary_command import summary_command
from conformance.commands.vet_command import vet_command
from conformance.errors import ConformanceError

_WRONG_PATH = {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR),
    *(errno.EEXIST, errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP),
}


def main() -> None:
    """Run the command line; whatever goes wrong ends in a sentence and an exit code, not in a traceback."""
    try:
        code = cli(standalone_mode=False)
    except click.ClickException as error:
        code = say(error.format_message(), _hint(error), USAGE)
    except ConformanceError as error:
        code = say(error.message, error.hint, USAGE)
    except (click.Abort, KeyboardInterrupt):
        code = say("interrupted", "", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a user never sees a traceback
        code = _unexpected(error)
    sys.exit(code or 0)


def _hint(error: click.ClickException) -> str:
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "relay-conformance"
    return f"{command} --help shows what is possible"


def _unexpected(error: Exception) -> int:
    """Our mistake, or the machine's: a full disk, a folder that may not be written."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, ConformanceError):
        return say(error.message, error.hint, USAGE)
    if isinstance(error, OSError) and error.errno in _WRONG_PATH:
        return say(f"{error.filename}: {error.strerror}", "choose another folder with --out; no ledger is lost", USAGE)
    if isinstance(error, OSError):
        return say(f"{error.filename or 'the system'}: {error.strerror or error}", "what was recorded is kept", OURS)
    if os.environ.get("RELAY_CONFORMANCE_DEBUG"):
        raise error
    return say(
        f"this is our mistake: {type(error).__name__}: {error}",
        "please report it, with the output of the same command under RELAY_CONFORMANCE_DEBUG=1",
        OURS,
    )


class _Commands(click.Group):
    """Ends quietly when whoever reads the output has seen enough; click would exit with what says "violated"."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            hush()
            return 0


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


cli.add_command(badge_command)
cli.add_command(clients_command)
cli.add_command(history_command)
cli.add_command(summary_command)
cli.add_command(compare_command)
cli.add_command(demo_command)
cli.add_command(minimize_command)
cli.add_command(judge_command)
cli.add_command(baseline_command)
cli.add_command(diff_command)
cli.add_command(plan_command)
cli.add_command(vet_command)
cli.add_command(derive_command)
cli.add_command(profiles_command)
cli.add_command(replay_command)
cli.add_command(rules_command)
cli.add_command(serve_command)
