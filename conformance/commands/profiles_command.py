"""`relay-conformance profiles`: which providers' pages are known, and what one of them claims."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conformance.profiles import Claim, Profile

_NOT_CHECKED = "not yet checked"


@click.command("profiles")
@click.argument("name", metavar="[NAME|FOLDER]", required=False, default="")
def profiles_command(name: str) -> None:
    """List the known providers, or explain one.

    Shows whose pages are known, or what the pages of one claim. NAME is one of the list, FOLDER one that
    `relay-conformance derive` wrote.
    """
    from conformance.profiles import bundled_profiles, load_profile

    if name:
        _print(_explained(load_profile(name)))
    else:
        _print(_listed([load_profile(each) for each in bundled_profiles()]))


def _print(lines: Iterable[str]) -> None:
    """Write lines that hold a page's text."""
    from conformance.reporting.visible import visible

    for line in lines:
        click.echo(visible(line, 400).rstrip())


def _listed(profiles: Sequence[Profile]) -> Iterator[str]:
    """One row for each profile; titles come last, because they are not of one width."""
    rows: list[tuple[str, ...]] = [("name", "operations", "checked", "schemas", "defects", "title")]
    for each in profiles:
        checked = len({claim.operation for claim in each.claims if claim.checked})
        counts = (len(each.operations), checked, len(each.schemas), each.defects)
        rows.append((each.name, *map(str, counts), each.title))
    yield from _columns(rows)


def _explained(profile: Profile) -> Iterator[str]:
    """Everything about one profile."""
    yield f"{profile.title} ({profile.name})"
    yield ""
    yield from _columns(list(_facts(profile)))
    for folder, claims in itertools.groupby(profile.claims, lambda claim: claim.folder):
        yield ""
        yield " / ".join(folder) or "(top)"
        yield from _columns([_row(claim) for claim in claims], "  ")
    for name, schema in profile.schemas.items():
        yield ""
        yield from _schema(name, schema)


def _facts(profile: Profile) -> Iterator[tuple[str, str]]:
    for source in profile.sources:
        yield "page", f"{source['file']} ({source['kind']}, sha256 {source['sha256'][:12]})"
    yield "base path", profile.base_path or "(none: documented paths begin with the operation)"
    yield "hosts", ", ".join(profile.hosts) or "none named"
    yield "models", ", ".join(profile.models) or "none named"
    yield "authentication", _authentication(profile.authentication or {})
    checked = len({claim.operation for claim in profile.claims if claim.checked})
    yield "operations", f"{len(profile.operations)} named, {checked} of them checked"
    yield "defects", f"{profile.defects}, listed in {profile.folder / 'DEFECTS.md'}"
    yield "weak facts", f"{profile.weak} (guessed from an example alone)"
    yield "digest", profile.digest


def _authentication(stated: Any) -> str:
    if not stated:
        return "not known"
    said = f"documented at {stated.get('source', '?')}" if stated["documented"] else "no page says so"
    return f"{stated['scheme']} in {stated['header']} ({said})"


def _row(claim: Claim) -> tuple[str, ...]:
    """One leaf of the navigation."""
    state = claim.kind if claim.kind != "endpoint" else "checked" if claim.checked else _NOT_CHECKED
    method = claim.method or ("-" if claim.kind == "endpoint" else "")
    return state, method, claim.operation, claim.title


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    """What a schema asks for."""
    yield f"{name}  {schema.get('title', '')}"
    for part, body in sorted(schema.get("$defs", {}).items()):
        required = ", ".join(body.get("required", [])) or "nothing"
        yield f"  {part:8}  {len(body.get('properties', {}))} fields, required: {required}"


def _columns(rows: Sequence[tuple[str, ...]], before: str = "") -> Iterator[str]:
    """Rows in columns; the last one is as wide as it likes."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    for row in rows:
        cells = [f"{cell:{width}}" for cell, width in zip(row[:-1], widths, strict=True)]
        yield before + "  ".join([*cells, row[-1]])
