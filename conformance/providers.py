"""Reads `providers.toml`: the providers that are compared. Its format is `schemas/formats/providers.json`.

Keys never stand in it. What looks like one is refused, and is never repeated in a message.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.contract import load_schemas, schema_errors
from conformance.errors import DataError, UsageError
from conformance.roles import CHAT
from conformance.tomltext import read_toml

FORMAT = "formats/providers.json"
LARGEST = 2**20
"""Bytes of one file."""
_HOW = f"the format is in schemas/{FORMAT}, an example in docs/examples/providers.toml"
_NO_KEYS = 'put the key into an environment variable, and its name into key_env: key_env = "RELAY_A_KEY"'
_KEY = re.compile(
    r"\s*(?:Bearer\s+\S{8,}|(?:sk|rk|pk)[-_][\w-]{8,}|(?:gsk|xai|ghp)[-_]\w{16,}|AIza[\w-]{20,}|eyJ[\w.-]{20,})\s*"
)
_KEY_FIELD = re.compile(r"(?i)(?:api_?|secret_?|access_?)?(?:key|token|password|secret|authorization|auth)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LONGEST_WORD = 16
"""Letters and digits in a row that the name of a variable may have when there are figures among them."""
_DEVICES = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")
"""No names of folders on Windows."""
DEFAULT_KEY = "RELAY_API_KEY"


@dataclass(frozen=True)
class Entry:
    """One provider as the file has it, defaults filled in, paths made whole."""

    name: str
    base_url: str
    models: Mapping[str, str]
    """Role -> model, the chat model among them."""
    key_env: str
    """Empty: no key is sent."""
    headers: Mapping[str, str] = field(default_factory=dict)
    profile: str = ""
    """A name, or a folder."""
    waivers: Path | None = None
    concurrency: int = 8
    rate: float = 0.0
    timeout: float = 60.0
    control: bool = False

    @property
    def folder(self) -> str:
        """What its folder is called."""
        name = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", self.name)).strip("-").rstrip(".") or "provider"
        return f"provider-{name}" if _DEVICES.fullmatch(name) else name


def read_providers(path: Path) -> tuple[Entry, ...]:
    """The providers of a file, in its order.

    Raises DataError naming file, provider and field when it cannot be used, and UsageError where it names what there
    is not.
    """
    stated = _plain(path, read_toml(path, LARGEST, f"give a providers.toml; {_HOW}"))
    _check_secrets(path, stated)
    for problem in schema_errors(FORMAT, stated):
        raise DataError(f"{path}: {_place(stated, problem.at)}{_said(problem.at, problem.message)}", _HOW)
    defaults = stated.get("defaults", {})
    entries = tuple(_entry(path, defaults, row) for row in stated["providers"])
    _check_unique(path, entries)
    return entries


def control_of(entries: Sequence[Entry]) -> str:
    """The name of the yardstick that the file marks; empty without one."""
    return next((entry.name for entry in entries if entry.control), "")


def _plain(path: Path, found: dict[str, Any]) -> Any:
    """The same as JSON has it: a date becomes its text."""
    try:
        return json.loads(json.dumps(found, default=str, allow_nan=False))
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or none at all
        raise DataError(f"{path}: holds a number or a depth that is out of bounds", _HOW) from error


def _check_secrets(path: Path, stated: Any) -> None:
    """Refuse what looks like a key, wherever it stands, without repeating it."""
    for at, name, value in _texts(stated):
        where = _place(stated, at)
        if _KEY.fullmatch(value) or _KEY.fullmatch(name):
            raise DataError(f"{path}: {where}holds what looks like a key", _NO_KEYS)
        if _KEY_FIELD.fullmatch(name):
            raise DataError(f"{path}: {where}keys do not stand in this file", _NO_KEYS)
        if (name == "key_env" or "/headers/" in at) and not _is_variable(value):
            raise DataError(f"{path}: {where}is not the name of an environment variable", _NO_KEYS)


def _texts(value: Any, at: str = "", name: str = "", depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """(JSON pointer, name, text) of every text in a value."""
    if isinstance(value, str):
        yield at, name, value
    elif isinstance(value, dict | list) and depth < 8:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _texts(inner, f"{at}/{key}", str(key), depth + 1)


def _is_variable(value: str) -> bool:
    """Whether a text is a name, and does not look as if the value had been pasted in its place."""
    words = value.split("_")
    pasted = any(len(word) > _LONGEST_WORD and sum(map(str.isdigit, word)) > 1 for word in words)
    return _VARIABLE.fullmatch(value) is not None and not pasted


def _place(stated: Any, at: str) -> str:
    """`provider "relay A": base_url: ` for a JSON pointer into the file."""
    steps = [step for step in at.split("/") if step and not _KEY.fullmatch(step)]
    if steps[:1] == ["providers"] and len(steps) > 1 and steps[1].isdecimal():
        steps[:2] = [_called(stated["providers"], int(steps[1]))]
        return f"{steps[0]}: " + "".join(f"{part}: " for part in [".".join(steps[1:])] if part)
    return "".join(f"{part}: " for part in [".".join(steps)] if part)


def _called(rows: Any, number: int) -> str:
    """How a message calls a provider: by its name, else by its place."""
    name = rows[number].get("name") if isinstance(rows, list) and isinstance(rows[number], dict) else None
    if not isinstance(name, str) or _KEY.fullmatch(name):
        return f"provider {number + 1}"
    return f"provider {json.dumps(name[:60], ensure_ascii=False)}"


def _said(at: str, message: str) -> str:
    """The validator's message; for an unknown field what may have been meant."""
    unknown = re.search(r"Additional properties are not allowed \('([^']*)'", message)
    if unknown is None:
        return _KEY.sub("(what looks like a key)", message)
    kind = "provider" if at.startswith("/providers") else "defaults" if at.startswith("/defaults") else "file"
    near = difflib.get_close_matches(unknown[1], _fields(kind), 1, 0.6)
    return f"there is no field {unknown[1]!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _fields(kind: str) -> list[str]:
    """The names of the fields that a table of the file may have."""
    top = load_schemas()[FORMAT]["properties"]
    found = {
        "file": top,
        "defaults": top["defaults"]["properties"],
        "provider": top["providers"]["items"]["properties"],
    }
    return list(found[kind])


def _entry(path: Path, defaults: Mapping[str, Any], row: Mapping[str, Any]) -> Entry:
    both = {**defaults, **row}
    where = f'{path}: provider "{row["name"]}"'
    models = {**defaults.get("models", {}), **row.get("models", {})}
    models |= {CHAT: both["model"]} if "model" in both else {}
    if CHAT not in models:
        raise DataError(f"{where}: no model is given", 'add model = "…", here or under [defaults]')
    if row.get("no_key") and "key_env" in row:
        raise DataError(f"{where}: both key_env and no_key are given", "leave one of them")
    entry = Entry(
        name=row["name"].strip(),
        base_url=row["base_url"],
        models=models,
        key_env="" if row.get("no_key") else row.get("key_env", DEFAULT_KEY),
        headers={**defaults.get("headers", {}), **row.get("headers", {})},
        profile=_beside(path, both["profile"]) if "profile" in both else "",
        waivers=path.parent / both["waivers"] if "waivers" in both else None,
        **{name: both[name] for name in ("concurrency", "rate", "timeout") if name in both},
        control=row.get("control", False),
    )
    if entry.folder.casefold().startswith("compare."):
        raise DataError(f"{where}: name: files of the comparison are called so", "choose another name")
    return entry


def _beside(path: Path, profile: str) -> str:
    """The name of a profile, or a folder, which is relative to the file."""
    is_path = "/" in profile or "\\" in profile or profile.startswith(".")
    return str(path.parent / profile) if is_path else profile


def _check_unique(path: Path, entries: Sequence[Entry]) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        folder = unicodedata.normalize("NFKC", entry.folder).casefold()
        if folder in seen:
            message = f'{path}: provider "{entry.name}": its folder would be that of "{seen[folder]}"'
            raise DataError(message, "names have to be unique")
        seen[folder] = entry.name
    marked = [entry.name for entry in entries if entry.control]
    if len(marked) > 1:
        raise UsageError(f"{path}: {' and '.join(marked)} are both marked as control", "there is one yardstick at most")
