"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.amounts import parse_amounts

if TYPE_CHECKING:
    from collections.abc import Callable


WAIVERS_HELP = "Breaches that are accepted until a day: a waivers.toml."


class Finite(click.FloatRange):
    """A number that is neither infinite nor none at all."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number of seconds or requests.", param, ctx)
        return number


class Folder(click.Path):
    """A folder that may not exist yet; an empty name is what an unset variable leaves, and no folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path of the folder."""
        if value == "":
            self.fail("an empty name is no folder", param, ctx)
        return super().convert(value, param, ctx)


def sending(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that plans or sends."""
    options = [
        click.argument("base_url"),
        click.option(
            "--model",
            "models",
            required=True,
            multiple=True,
            metavar="NAME|ROLE=NAME",
            help="The chat model to ask; models of other roles as embeddings=NAME,speech=NAME. "
            "A role without one is picked from the provider's list, or not run.",
        ),
        click.option("--dear", is_flag=True, help="Also send what costs more: pictures and sounds."),
        click.option("--key-env", default="RELAY_API_KEY", show_default=True, help="Variable that holds the key."),
        click.option("--no-key", is_flag=True, help="The relay is used without a key."),
        click.option("--name", default="", help="How reports call the provider (default: its host)."),
        click.option("--only", multiple=True, metavar="PREFIX", help="Only rules with this id or prefix. Repeatable."),
        click.option(
            "--concurrency",
            default=8,
            show_default=True,
            type=click.IntRange(1, 64),
            help="Requests in flight at most.",
        ),
        click.option("--rate", default=0.0, type=Finite(0), help="Requests a second at most (0: no limit)."),
        click.option("--profile", metavar="NAME|FOLDER", help="Also hold it to this provider's own page."),
        click.option(
            "--generated",
            multiple=True,
            metavar="N|OPERATION=N|all=N",
            callback=lambda _, __, given: parse_amounts(given),
            help="Further requests, generated from the schemas: N about chat, or so many of each. Repeatable.",
        ),
        click.option("--seed", default=0, show_default=True, help="The same seed generates the same requests."),
        click.option(
            "--minimize-budget",
            default=25,
            show_default=True,
            type=click.IntRange(0),
            help="Requests for making one failing generated request smaller.",
        ),
        click.option(
            "--max-requests",
            type=click.IntRange(1),
            help="Never send more than this (default: 400; with --generated, what that may need).",
        ),
        click.option(
            "--max-output-tokens",
            type=click.IntRange(0),
            help="Never ask for more (default: 16000, and 40 for each generated).",
        ),
        click.option("--timeout", default=60.0, show_default=True, type=Finite(0.1), help="Seconds for one exchange."),
        click.option("--header", multiple=True, metavar="NAME=ENVVAR", help="Send a further header. Repeatable."),
        click.option("--out", type=Folder(), help="Folder for ledger and reports."),
        click.option("--strict", is_flag=True, help="A violated SHOULD fails as well."),
        click.option("--resume", is_flag=True, help="Continue the interrupted run in --out."),
    ]
    for option in reversed(options):
        command = option(command)
    return command
