"""`relay-conformance derive`: a provider's own pages to schemas, a profile and a list of the pages' mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from conformance.derive.placing import Difference

DIFFERENT = 1
"""Exit code of --check when a file is not what the pages give."""


@click.command("derive")
@click.argument("inputs", metavar="INPUT…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", required=True, help="How the provider is called: lower-case letters, digits, hyphens.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the files: schemas/vman.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when --out is not what the pages give.")
def derive_command(inputs: tuple[Path, ...], name: str, out: Path, check: bool) -> int:  # noqa: FBT001 - click passes options by name
    """Turn a provider's pages into a profile.

    It has a schema for each documented operation, and a list of the pages' mistakes. INPUT is the saved text of an
    Apifox page, its Markdown twin, OpenAPI 3 in YAML or JSON, or a request and a response as JSON; which one it is, is
    recognised. Several pages of one provider go together.

    \b
    Written to --out:
      profile.toml      what the pages claim: operations, base path, hosts, models, authentication
      OPERATION.json    one JSON Schema for each documented operation, every fact with its line
      DEFECTS.md        the mistakes of the pages, and how the schemas mend them
    """  # noqa: D301 - click wants the character
    from conformance.derive.deriving import derive
    from conformance.derive.emit import counted
    from conformance.derive.placing import compare, place
    from conformance.derive.summary import summary

    derived = derive(inputs, name)
    if check:
        return _say_differences(compare(derived.files, out), out)
    place(derived.files, out)
    for line in summary(derived):
        click.echo(line)
    click.echo(f"  {counted(len(derived.files), 'file')} in {out}")
    return 0


def _say_differences(differences: list[Difference], out: Path) -> int:
    """List what differs; the exit code says whether anything does."""
    for each in differences:
        click.echo(f"{each.what:8} {out / each.file}")
        for line in each.lines:
            click.echo(f"         {line}")
    if differences:
        click.echo(f"{len(differences)} of the files in {out} are not what the pages give; run without --check")
        return DIFFERENT
    click.echo(f"{out} is what the pages give")
    return 0
