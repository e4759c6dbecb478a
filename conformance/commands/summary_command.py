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
@click.option(
    "--diff",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A diff.json of this run: with --format github, only what got worse is an error or a warning.",
)
@click.option("--out", "-o", type=click.Path(path_type=Path, dir_okay=False), help="A file (default: the screen).")
def summary_command(
    run: Path,
    profile: str | None,
    waivers: Path | None,
    strict: bool,  # noqa: FBT001 - click passes options by name
    form: str,
    diff: Path | None,
    out: Path | None,
) -> int:
    """Show a recorded run in the form that a CI service reads.

    RUN is a ledger.jsonl or the folder that holds one. Ends with 0 whatever the verdict is.
    """
    from conformance.annotations import github_lines, gitlab_text
    from conformance.errors import UsageError
    from conformance.gating.reading import read_worse
    from conformance.reporting.markdown import summary_text
    from conformance.rules.base import catalogue

    if diff and form != "github":
        raise UsageError(f"--diff is of no use with --format {form}", "give it with --format github")
    judgements, ledger = judged(run, profile, waivers)
    rules = catalogue()
    if form == "gitlab":
        put(gitlab_text(judgements, rules, strict=strict), out)
    elif form == "github":
        worse = read_worse(diff) if diff else None
        put("\n".join(github_lines(judgements, ledger, rules, strict=strict, worse=worse)) + "\n", out)
    else:
        put(summary_text(judgements, ledger, rules, strict=strict), out)
    return 0
