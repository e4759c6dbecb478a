"""`relay-conformance badge`: the verdict of a recorded run for a README."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.commands.recorded import judged, judging, put


@click.command("badge")
@judging
@click.option("--label", default="relay", show_default=True, help="The words on the left.")
@click.option("--out", "-o", type=click.Path(path_type=Path, dir_okay=False), help="The SVG (default: the screen).")
@click.option(
    "--json",
    "endpoint",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also the JSON that a shields.io endpoint badge reads.",
)
def badge_command(
    run: Path,
    profile: str | None,
    waivers: Path | None,
    strict: bool,  # noqa: FBT001 - click passes options by name
    label: str,
    out: Path | None,
    endpoint: Path | None,
) -> int:
    """Draw the verdict of a recorded run.

    RUN is a ledger.jsonl or the folder that holds one. Ends with 0 whatever the verdict is.
    """
    from conformance.badges import badge, endpoint_text, svg_text

    judgements, ledger = judged(run, profile, waivers)
    drawn = badge(judgements, ledger, strict=strict, label=label)
    put(svg_text(drawn), out)
    if endpoint is not None:
        put(endpoint_text(drawn), endpoint)
    return 0
