"""The pages of the reference that are made from the command line itself and from the schemas of our file formats."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cli import cli
from conformance.exitcodes import BASELINE, OTHERS, VERDICT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conformance.exitcodes import ExitCode

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
    return f"| `{_cell(first)}` | {_cell(said)} |"


def _cell(text: str) -> str:
    """A text as a field of a table may hold it, on one line."""
    return " ".join(text.replace("|", "\\|").split())


def _prose(text: str) -> str:
    """A text outside of code: what looks like a tag is none."""
    return _cell(text.replace("<", "&lt;"))


def exit_codes_page() -> str:
    """Every exit code: of a run, of a run that is held to a baseline, and of the other commands."""
    lines = [
        "# Exit codes",
        "",
        "Made by `make docs`. The same for every command that judges a run:",
        "",
        *_codes(VERDICT),
        "",
        "## With a baseline",
        "",
        "`vet --baseline` and `diff` say what changed, not whether the relay conforms. Where several are true, 1 goes",
        "before 2, 2 before 7, and 7 before 6. [How that is judged](../explanation/how-regressions-are-judged.md).",
        "",
        *_codes(BASELINE),
        "",
        "## Other commands",
        "",
        "2, 7 and 130 mean the same everywhere.",
        "",
        "| command | ends with |",
        "| --- | --- |",
        *(f"| {name} | {said} |" for name, said in OTHERS.items()),
    ]
    return "\n".join(lines) + "\n"


def _codes(codes: Iterable[ExitCode]) -> Iterator[str]:
    yield from ("| code | meaning | what to do |", "| --- | --- | --- |")
    yield from (f"| {each.code} | {each.meaning} | {each.remedy} |" for each in codes)


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
            f"{_prose(schema.get('title', ''))}. [Schema](../../schemas/formats/{path.name})",
            "",
            *([_prose(schema["description"]), ""] if "description" in schema else []),
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
            yield f"| **a line of the kind {_type(kind, root)}** | | |"
            yield from _field_lines(each, root, above, depth + 1)
    required = set(schema.get("required", ()))
    for name, given in schema.get("properties", {}).items():
        found = _resolved(given, root)
        at = f"{above}{name}" + ("" if name in required else "?")
        yield f"| `{at}` | {_type(found, root)} | {_prose(str(found.get('description', '')))} |"
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


def _type(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """The type in a word or two."""
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value, ensure_ascii=False)}`" for value in schema["enum"])
    kinds = schema.get("type", "any")
    if kinds == "array" and (inner := _type(_resolved(schema.get("items", {}), root), root)) != "any":
        return f"array of {inner}"
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
