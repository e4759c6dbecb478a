"""The pages of the reference that are made from the command line itself and from the schemas of our file formats."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMATS = Path(__file__).resolve().parent.parent / "schemas" / "formats"
_DEEPEST = 4


def cli_page() -> str:
    """Every command with its arguments and options, as `--help` says them."""
    lines = [
        "# Commands",
        "",
        "Made by `make docs` from the command line itself: `relay-conformance COMMAND --help` prints the same.",
    ]
    for name in sorted(cli.commands):
        lines += ["", f"## {name}", "", *_command_lines(name, cli.commands[name])]
    return "\n".join(lines) + "\n"


def _command_lines(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"relay-conformance {name}")
    yield from ("```", f"{command.get_usage(context).removeprefix('Usage: ')}", "```", "")
    yield from (_paragraphs(command.help or ""), "")
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if options:
        yield from ("| option | what it does |", "| --- | --- |")
        yield from (_option_line(option, context) for option in options)


def _paragraphs(text: str) -> str:
    """The text of a command; what click is told not to wrap stays as it stands."""
    pieces = [piece.strip("\n ") for piece in text.replace("\x0c", "").split("\n\n")]
    return "\n\n".join(_block(piece) if piece.startswith("\b") else " ".join(piece.split()) for piece in pieces)


def _block(piece: str) -> str:
    return "```\n" + textwrap.dedent(piece.removeprefix("\b").strip("\n")) + "\n```"


def _option_line(option: click.Option, context: click.Context) -> str:
    first, said = option.get_help_record(context) or ("", "")
    return f"| `{first.replace('|', chr(92) + '|')}` | {said.replace('|', chr(92) + '|')} |"


def files_page() -> str:
    """Every file format of ours: its fields, as its schema states them."""
    lines = [
        "# Files",
        "",
        "Made by `make docs` from the schemas in `schemas/formats`, by which every file is checked when it is read.",
        "A field with `?` may be left out. TOML files have the same fields as their schema.",
    ]
    for path in sorted(FORMATS.glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        lines += [
            "",
            f"## {path.stem}",
            "",
            f"{schema.get('title', '')}. [Schema](../../schemas/formats/{path.name})",
            "",
        ]
        lines += ["| field | type | meaning |", "| --- | --- | --- |", *_field_lines(schema, schema, "", 0)]
    return "\n".join(lines) + "\n"


def _field_lines(schema: Mapping[str, Any], root: Mapping[str, Any], above: str, depth: int) -> Iterator[str]:
    """One line for each field, those inside it below."""
    if depth > _DEEPEST:
        return
    for each in schema.get("oneOf", ()):
        kind = each.get("properties", {}).get("kind", {})
        if kind:
            yield f"| **a line of the kind {_type(kind)}** | | |"
            yield from _field_lines(each, root, above, depth + 1)
    required = set(schema.get("required", ()))
    for name, given in schema.get("properties", {}).items():
        found = _resolved(given, root)
        at = f"{above}{name}" + ("" if name in required else "?")
        yield f"| `{at}` | {_type(found)} | {str(found.get('description', '')).replace('|', chr(92) + '|')} |"
        inner = _resolved(found.get("items", found.get("additionalProperties", {})), root)
        mark = "[]" if "items" in found else ".*" if "properties" not in found else ""
        yield from _field_lines(inner if mark else found, root, f"{above}{name}{mark}.", depth + 1)


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with its reference looked up, in this file only."""
    if not isinstance(schema, dict):
        return {}
    found: Any = root
    reference = schema.get("$ref", "")
    if not reference.startswith("#/"):
        return schema
    for step in reference[2:].split("/"):
        found = found[step]
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def _type(schema: Mapping[str, Any]) -> str:
    """The type in a word or two."""
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value, ensure_ascii=False)}`" for value in schema["enum"])
    kinds = schema.get("type", "any")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
