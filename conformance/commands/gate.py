"""A run held to what was there before: printed, written, and turned into an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commands.saying import hush

if TYPE_CHECKING:
    from conformance.gating.holding import Before
    from conformance.model import Ledger, Waiver
    from conformance.profiles import Profile


def hold_and_tell(
    before: Before, ledgers: Sequence[Ledger], profile: Profile | None, waivers: Sequence[Waiver], folder: Path
) -> int:
    """Print what changed, write diff.json and diff.md to `folder`, return the exit code of the gate."""
    from conformance.gating.holding import hold
    from conformance.gating.telling import lines
    from conformance.gating.writing import write_gate

    gate = hold(before, ledgers, profile, waivers)
    files = write_gate(gate, folder)
    try:
        for line in ["", *lines(gate), *(f"  {name:14}{path}" for name, path in files.items())]:
            echo(line)
    except BrokenPipeError:
        hush()  # nobody reads on; what was found stays
    return gate.exit_code


def echo(text: str) -> None:
    """Print a line, with escapes for what the terminal's encoding cannot show."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # there is no stdout where it was closed before
    click.echo(text.encode(encoding, "backslashreplace").decode(encoding))
