"""Reads waivers: rules whose breach somebody has accepted until a day.

They live in `waivers.toml`, in the folder of a profile or given by `--waivers FILE`; its format is
`schemas/formats/waivers.json`. A waiver never changes a verdict, only what follows from it.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from conformance.contract import schema_errors
from conformance.errors import DataError
from conformance.model import Judgement, Waiver
from conformance.operations import OPERATIONS
from conformance.tomltext import read_toml

WAIVERS = "waivers.toml"
FORMAT = "formats/waivers.json"
LARGEST = 2**20
"""Bytes of one file."""
_DAY = "write a day, as in 2027-01-31"
_HOW = f"the format is in schemas/{FORMAT}"


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """The waivers of a file, in its order; raises DataError naming file and place when it cannot be used."""
    stated = _plain(path, read_toml(path, LARGEST, f"give a {WAIVERS}; {_HOW}"))
    for problem in schema_errors(FORMAT, stated):
        how = _DAY if problem.at.endswith("/until") else _HOW
        raise DataError(f"{path}: {problem.message} at {problem.at or '/'}", how)
    found = tuple(_waiver(path, row) for row in stated["waivers"])
    _check_twice(path, found)
    return found


def waivers_in(folder: Path) -> tuple[Waiver, ...]:
    """The waivers that lie in a folder; none where there is no such file."""
    path = folder / WAIVERS
    return read_waivers(path) if path.is_file() else ()


def together(first: Iterable[Waiver], then: Iterable[Waiver]) -> tuple[Waiver, ...]:
    """Both; where both excuse the same, the later ones count."""
    found = {(each.rule, each.operation): each for each in first}
    return tuple((found | {(each.rule, each.operation): each for each in then}).values())


def check_known(waivers: Iterable[Waiver], rules: Collection[str]) -> None:
    """Refuse a waiver for a rule that there is not: nobody would notice that it excuses nothing."""
    for waiver in waivers:
        if waiver.rule not in rules:
            near = difflib.get_close_matches(waiver.rule, sorted(rules), 1, 0.4)
            hint = f"did you mean {near[0]!r}?" if near else "relay-conformance rules lists them"
            raise DataError(f"a waiver is for {waiver.rule!r}, and there is no such rule", hint)


def dated(waivers: Iterable[Waiver], started: float) -> tuple[Waiver, ...]:
    """The same, each told whether it had ended when a run began: its last day is still in force, in UTC."""
    day = datetime.fromtimestamp(started, UTC).date()
    return tuple(replace(each, expired=date.fromisoformat(each.until) < day) for each in waivers)


def waiver_for(rule: str, operation: str, waivers: Sequence[Waiver]) -> Waiver | None:
    """The waiver of a rule on an operation; one that names the operation goes before one for all."""
    fitting = [each for each in waivers if each.rule == rule and each.operation in {operation, ""}]
    return max(fitting, key=lambda each: each.operation != "", default=None)


def applied(judgements: Iterable[Judgement]) -> tuple[Waiver, ...]:
    """The waivers that these have, each once; those that have ended first."""
    found = dict.fromkeys(each.waiver for each in judgements if each.waiver is not None)
    return tuple(sorted(found, key=lambda waiver: not waiver.expired))


def _plain(path: Path, found: dict[str, Any]) -> Any:
    """The same as JSON has it; a date without quotes becomes its text."""
    try:
        return json.loads(json.dumps(found, default=str))
    except (ValueError, RecursionError) as error:  # a number of thousands of digits
        raise DataError(f"{path}: {error}", _HOW) from error


def _waiver(path: Path, row: dict[str, str]) -> Waiver:
    try:
        date.fromisoformat(row["until"])
    except ValueError as error:
        raise DataError(f"{path}: {row['until']!r} is no day ({row['rule']})", _DAY) from error
    operation = row.get("operation", "")
    if operation and operation not in OPERATIONS:
        near = difflib.get_close_matches(operation, OPERATIONS, 1, 0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(OPERATIONS)}"
        raise DataError(f"{path}: there is no operation {operation!r} ({row['rule']})", hint)
    return Waiver(row["rule"], row["reason"], row["owner"], row["until"], operation)


def _check_twice(path: Path, waivers: Sequence[Waiver]) -> None:
    seen: set[tuple[str, str]] = set()
    for each in waivers:
        if (each.rule, each.operation) in seen:
            on = f" on {each.operation}" if each.operation else ""
            raise DataError(f"{path}: two waivers for {each.rule}{on}", "leave one of them")
        seen.add((each.rule, each.operation))
