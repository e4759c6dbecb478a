"""Reads TOML that may come from anybody: bounded, and whatever is wrong is said by its place alone.

What tomllib says of a line may quote it, and a key may stand in it.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from typing import TYPE_CHECKING, Any

from conformance.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

_DEEP_NAME = re.compile(rb"^(?![ \t]*#)(?:[^.\n]*\.){100}", re.MULTILINE)
"""A line with so many dots that it may be one name of a hundred parts: tomllib takes minutes for longer ones."""
_PLACE = re.compile(r"\(at (line \d+, column \d+|end of document)\)")


def read_toml(path: Path, largest: int, hint: str) -> dict[str, Any]:
    """The values of a file of at most `largest` bytes; raises DataError with the file, the line, and this hint."""
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path}: cannot be read: {said}", hint) from error
    if len(content) > largest:
        raise DataError(f"{path}: more than {largest // 2**20} MiB", hint)
    return parse_toml(path, content, hint)


def parse_toml(path: Path, content: bytes, hint: str = "") -> dict[str, Any]:
    """The values of what was read from `path`; raises DataError as above."""
    content = content.removeprefix(codecs.BOM_UTF8)
    deep = _DEEP_NAME.search(content)
    if deep:
        raise DataError(f"{path}: line {_line(content, deep.start())} has a hundred dots", hint)
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: line {_line(content, error.start)} is not UTF-8", hint) from error
    except (ValueError, RecursionError) as error:
        where = _PLACE.search(str(error))
        raise DataError(f"{path}: not TOML{f': {where[1]}' if where else ''}", hint) from None


def _line(content: bytes, place: int) -> int:
    return content.count(b"\n", 0, place) + 1
