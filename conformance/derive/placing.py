"""Derived files into their folder, all or none; or what keeps the folder from being equal to them."""

from __future__ import annotations

import difflib
import json
import shutil
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.derive import emit
from conformance.errors import UsageError
from conformance.reporting.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_LINES = 40
"""Lines of a difference that are shown."""
_LARGEST = 32 * 2**20


@dataclass(frozen=True)
class Difference:
    """A file that is not what the pages give now."""

    file: str
    what: str
    """differs, missing, surplus"""
    lines: tuple[str, ...] = ()
    """A unified diff, cut."""


def place(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files; what an earlier derivation left and this one does not make is removed.

    Raises `UsageError` when the folder cannot be written, or holds a file of that name that is not ours.
    """
    _check(files, folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        _move(files, beside, folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def compare(files: Mapping[str, bytes], folder: Path) -> list[Difference]:
    """What differs, is missing, or is left over from an earlier derivation; writes nothing."""
    found = []
    for name, content in sorted(files.items()):
        there = _read(folder / name)
        if there is None:
            found.append(Difference(name, "missing"))
        elif there != content:
            found.append(Difference(name, "differs", _diff(name, there, content)))
    return [*found, *(Difference(path.name, "surplus") for path in _left_over(files, folder))]


def _check(files: Mapping[str, bytes], folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder} is a file", "name a folder")
    for name in files:
        path = folder / name
        if path.exists() and not _is_ours(path):
            raise UsageError(f"{path} was not written by this command", "choose another folder with --out, or move it")


def _move(files: Mapping[str, bytes], beside: Path, folder: Path) -> None:
    for name, content in files.items():
        (beside / name).write_bytes(content)
    folder.mkdir(exist_ok=True)
    for name in files:
        (beside / name).replace(folder / name)
    for path in _left_over(files, folder):
        path.unlink()


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"--out {folder} cannot be written: {error.strerror or error}", "choose another folder")


def _left_over(files: Mapping[str, bytes], folder: Path) -> Iterator[Path]:
    """Files with our mark that are not among these."""
    for path in sorted(folder.glob("*")):
        if path.name not in files and path.suffix in {".json", ".toml", ".md"} and _is_ours(path):
            yield path


def _is_ours(path: Path) -> bool:
    content = _read(path)
    if content is None:
        return False
    if path.suffix == ".md":
        return content.startswith(emit.MARK.encode())
    try:
        return _has_mark(path, content.decode())
    except (ValueError, RecursionError):
        return False


def _has_mark(path: Path, text: str) -> bool:
    if path.suffix == ".toml":
        found = tomllib.loads(text)
        return "format" in found and "operations" in found
    schema = json.loads(text)
    return isinstance(schema, dict) and str(schema.get("$id")).startswith(emit.BASE) and "x-source" in schema


def _read(path: Path) -> bytes | None:
    """The content of a file that is not larger than any of ours."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _diff(name: str, there: bytes, content: bytes) -> tuple[str, ...]:
    before, after = (text.decode("utf-8", "replace").splitlines()[:20_000] for text in (there, content))
    lines = list(difflib.unified_diff(before, after, f"{name} (there)", f"{name} (derived)", lineterm="", n=1))
    shown = tuple(visible(line, 200) for line in lines[:MOST_LINES])
    return (*shown, f"… {len(lines) - MOST_LINES} more lines") if len(lines) > MOST_LINES else shown
