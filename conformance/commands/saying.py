"""What every command says in the same way: errors with a hint on stderr, and nothing to a closed pipe."""

from __future__ import annotations

import os
import sys

import click

USAGE, INCONCLUSIVE, OURS, INTERRUPTED = 2, 6, 7, 130
"""Exit codes beside those of a verdict: 0 conforms, 1 violated, 6 inconclusive."""


def say(message: str, hint: str, code: int) -> int:
    """One sentence on stderr, the hint on its own line."""
    from conformance.reporting.visible import visible

    click.echo(f"error: {visible(message, 500)}", err=True)
    if hint:
        click.echo(f"hint: {visible(hint, 500)}", err=True)
    return code


def hush() -> None:
    """Send what is still printed nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
