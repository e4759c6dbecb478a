"""Finds and loads profiles: what a provider's own pages claim, with the schemas that were derived from them."""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.contract import data, schema_errors
from conformance.errors import DataError, UsageError
from conformance.jsontext import parse_json
from conformance.operations import OPERATIONS
from conformance.tomltext import parse_toml
from conformance.waivers import waivers_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.model import Waiver

PROFILE, DEFECTS = "profile.toml", "DEFECTS.md"
FORMAT = "formats/profile.json"
MOST_FILES = 1_000
LARGEST = 32 * 2**20
"""Bytes of one file."""


@dataclass(frozen=True)
class Claim:
    """One leaf of the navigation of a provider's page: all that is known of most endpoints."""

    title: str
    folder: tuple[str, ...]
    kind: str
    """endpoint, text or reference"""
    operation: str
    """Our id; empty for a page that documents no endpoint."""
    variant: str
    """Which edition of the operation, in the page's words; empty for the plain one."""
    method: str
    """Empty where the page does not show it."""
    path: str
    line: int
    file: str = ""

    @property
    def checked(self) -> bool:
        """Whether there are rules for this operation."""
        return self.operation in OPERATIONS


@dataclass(frozen=True)
class Profile:
    """What a provider's pages claim, and the schemas derived from them."""

    name: str
    title: str
    base_path: str
    hosts: tuple[str, ...]
    models: tuple[str, ...]
    claims: tuple[Claim, ...]
    schemas: Mapping[str, dict[str, Any]]
    """By `<name>/<operation>.json`, as `contract.load_schemas` has them; `$defs` holds request and response."""
    defects: int
    """Mistakes of the pages that are listed in DEFECTS.md."""
    weak: int
    """Facts of the schemas that are guessed from an example alone."""
    digest: str
    """SHA-256 over the files: which edition of the profile this is."""
    folder: Path
    sources: tuple[Mapping[str, str], ...] = ()
    authentication: Mapping[str, Any] | None = None
    waivers: tuple[Waiver, ...] = ()
    """What lies in `waivers.toml` beside it; no part of its digest."""

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that are claimed, each once, in the order of the page."""
        return tuple(dict.fromkeys(claim.operation for claim in self.claims if claim.operation))


def bundled_profiles() -> tuple[str, ...]:
    """The names of the profiles that come with this package, sorted."""
    return tuple(sorted(path.parent.name for path in data("schemas").glob(f"*/{PROFILE}")))


def load_profile(name_or_folder: str) -> Profile:
    """Load a profile that comes with this package, or one in a folder of the user's.

    Raises `UsageError` when there is no such profile, `DataError` naming file and line when it cannot be used.
    """
    folder = _folder(name_or_folder)
    files = _files(folder)
    stated = _stated(folder / PROFILE, files[PROFILE])
    name = stated["name"]
    schemas = {
        f"{name}/{file}": _schema(folder / file, content) for file, content in files.items() if file.endswith(".json")
    }
    return Profile(
        name=name,
        title=stated["title"],
        base_path=stated["base_path"],
        hosts=tuple(stated["hosts"]),
        models=tuple(stated["models"]),
        claims=tuple(_claim(row) for row in stated["operations"]),
        schemas=schemas,
        defects=stated.get("defects", 0),
        weak=stated.get("weak", 0),
        digest=_digest(files),
        folder=folder,
        sources=tuple(stated.get("sources", ())),
        authentication=stated.get("authentication"),
        waivers=waivers_in(folder),
    )


def _folder(name_or_folder: str) -> Path:
    """Where a profile lies; a name that we ship goes before a folder that happens to be called so."""
    known = bundled_profiles()
    if name_or_folder in known:
        return data("schemas") / name_or_folder
    folder = Path(name_or_folder)
    try:
        if name_or_folder and (folder / PROFILE).is_file():
            return folder
        lacks = name_or_folder and folder.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        lacks = False
    if lacks:
        raise UsageError(f"the folder {folder} holds no {PROFILE}", "relay-conformance derive writes one")
    near = difflib.get_close_matches(name_or_folder, known, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}; or a folder with {PROFILE}"
    raise UsageError(f"there is no profile {name_or_folder!r}", hint)


def _files(folder: Path) -> dict[str, bytes]:
    """The files of a profile by name, sorted."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.name in {PROFILE, DEFECTS} or path.suffix == ".json")
        if len(paths) > MOST_FILES:
            raise DataError(f"{folder}: more than {MOST_FILES:,} schemas")
        return {path.name: _content(path) for path in paths}
    except OSError as error:
        raise DataError(f"{error.filename or folder}: cannot be read: {error.strerror or error}") from error


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise DataError(f"{path}: more than {LARGEST // 2**20} MiB")
    return content


def _stated(path: Path, content: bytes) -> dict[str, Any]:
    """What profile.toml says, checked against its format."""
    found = parse_toml(path, content)
    try:
        plain = json.loads(json.dumps(found, default=str))
    except ValueError as error:  # a number of thousands of digits
        raise DataError(f"{path}: {error}") from error
    for problem in schema_errors(FORMAT, plain):
        raise DataError(f"{path}: {problem.message} at {problem.at or '/'}", f"the format is in schemas/{FORMAT}")
    return found


def _schema(path: Path, content: bytes) -> dict[str, Any]:
    """One schema, which must be JSON Schema 2020-12 that refers to nothing."""
    found = parse_json(content)
    if found.problem or not isinstance(found.value, dict):
        raise DataError(f"{path}: {found.problem or 'no JSON object'}{_at_line(content, found.problem)}")
    if any(not isinstance(body, dict) for body in _bodies(found.value)):
        raise DataError(
            f"{path}: $defs must hold request and response as objects", "relay-conformance derive writes one"
        )
    if _refers(found.value):
        raise DataError(f"{path}: a schema of a profile must be written out, without $ref")
    _check(path, found.value)
    return found.value


def _bodies(schema: dict[str, Any]) -> list[Any]:
    """What stands for request and response; one that is not there is none."""
    found = schema.get("$defs", {})
    return [found.get(name, {}) for name in ("request", "response")] if isinstance(found, dict) else [found]


def _check(path: Path, schema: dict[str, Any]) -> None:
    import jsonschema  # noqa: PLC0415 - slow to import, and not every run has a profile
    import jsonschema_rs  # noqa: PLC0415

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema_rs.validator_for(schema)  # reads the patterns as well
    except jsonschema.SchemaError as error:
        at = "".join(f"/{part}" for part in error.absolute_path)
        raise DataError(f"{path}: not a JSON schema: {error.message[:200]} at {at or '/'}") from error
    except ValueError as error:
        raise DataError(f"{path}: not a JSON schema: {str(error).partition(chr(10))[0][:200]}") from error


def _at_line(content: bytes, problem: str) -> str:
    """The line of the offset that a message ends in."""
    offset = problem.rpartition("offset ")[2]
    if not offset.isdigit():
        return ""
    return f" (line {content.decode(errors='replace').count(chr(10), 0, int(offset)) + 1})"


def _refers(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_refers, value))
    if not isinstance(value, dict):
        return False
    named = any(isinstance(value.get(key), str) for key in ("$ref", "$dynamicRef"))
    return named or any(map(_refers, value.values()))


def _claim(row: Mapping[str, Any]) -> Claim:
    return Claim(
        title=row["title"],
        folder=tuple(row.get("folder", ())),
        kind=row["kind"],
        operation=row.get("operation", ""),
        variant=row.get("variant", ""),
        method=row.get("method", ""),
        path=row.get("path", ""),
        line=row.get("line", 0),
        file=row.get("file", ""),
    )


def _digest(files: Mapping[str, bytes]) -> str:
    """One number for all files; names and lengths keep two profiles with moved text apart."""
    found = hashlib.sha256()
    for name, content in sorted(files.items()):
        found.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        found.update(content)
    return found.hexdigest()
