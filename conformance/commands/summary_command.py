"""`relay-conformance summary`: a recorded run as a CI service shows it."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.commands.recorded import judged, judging, put


@click.command("summary")
@judging
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "github", "gitlab"]),
    default="markdown",
    show_default=True,
    help="Markdown for a pull request, GitHub's annotations, or GitLab's Code Quality report.",
)
@click.option("--out", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A file (default: the screen).")
def summary_command(
    run: Path,
    profile: str | None,
    waivers: Path | None,
    strict: bool,  # noqa: FBT001 - click passes options by name
    form: str,
    out: Path | None,
) -> int:
    """Show a recorded run in the form that a CI service reads.

    RUN is a ledger.jsonl or the folder that holds one. Ends with 0 whatever the verdict is.
    """
    from conformance.annotations import github_lines, gitlab_text
    from conformance.reporting.markdown import summary_text
    from conformance.rules.base import catalogue

    judgements, ledger = judged(run, profile, waivers)
    rules = catalogue()
    if form == "gitlab":
        put(gitlab_text(judgements, rules, strict=strict), out)
    elif form == "github":
        put("\n".join(github_lines(judgements, ledger, rules, strict=strict)) + "\n", out)
    else:
        put(summary_text(judgements, ledger, rules, strict=strict), out)
    return 0
