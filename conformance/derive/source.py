"""Files to `Source`: everything that is no page of text is refused here, in words that say what to do instead."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.derive.nouns import DeriveError, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST = 8 * 2**20
"""Bytes of one input; the export of a whole project has one or two million."""
LONGEST_LINE = 2_000_000
_BINARY = (
    (b"%PDF", "a PDF file"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
)
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_SAVE = "save the page as plain text (UTF-8), Markdown, or OpenAPI in YAML or JSON"
_INPUTS = "an input is a file that holds a page"
_CONTROLS = frozenset(range(32)) - {9, 10, 12, 13}


def read_sources(paths: Iterable[Path]) -> tuple[Source, ...]:
    """Read every input, sorted by name, so that the order of arguments changes nothing.

    Raises `DeriveError` naming the file (and the line where one is at fault).
    """
    sources = sorted((read_source(path) for path in paths), key=lambda source: source.name)
    for before, after in pairwise(sources):
        if before.name == after.name:
            raise DeriveError(f"two inputs are called {after.name}", "rename one: evidence is given as file:line")
    return tuple(sources)


def read_source(path: Path) -> Source:
    """Read one input; `Source.text` has LF line ends and no byte order mark."""
    data = _bytes(path)
    if not data.strip():
        raise DeriveError(f"{path}: the file is empty", _SAVE)
    text = _text(path, data)
    if not text.strip("\ufeff \t\r\n\u00a0"):
        raise DeriveError(f"{path}: the file holds nothing but blanks", _SAVE)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    _check_lines(path, lines)
    return Source(_plain(path.name), lines, hashlib.sha256(data).hexdigest())


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except IsADirectoryError as error:
        raise DeriveError(f"{path}: this is a folder", "name the files in it") from error
    except FileNotFoundError as error:
        raise DeriveError(f"{path}: there is no such file", _INPUTS) from error
    except (OSError, ValueError) as error:
        raise DeriveError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}", _INPUTS) from error
    if len(data) > LARGEST:
        raise DeriveError(f"{path}: more than {LARGEST // 2**20} MiB", "give the pages one by one, or fewer operations")
    return data


def _text(path: Path, data: bytes) -> str:
    """The text of a file, where it is text."""
    for start, kind in _BINARY:
        if data.startswith(start):
            raise DeriveError(f"{path}: this is {kind}", _SAVE)
    if data.startswith(_WIDE):
        return _decoded(path, data, "utf-16")
    at = next((place for place, byte in enumerate(data) if byte in _CONTROLS and byte != 27), -1)
    if at >= 0:
        raise DeriveError(f"{path}: binary data: byte 0x{data[at]:02x} in line {_line(data, at)}", _SAVE)
    return _decoded(path, data, "utf-8-sig")


def _decoded(path: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        name = "UTF-16" if encoding == "utf-16" else "UTF-8"
        line = _line(data, error.start) if name == "UTF-8" else 1
        guess = " (it reads as GBK)" if name == "UTF-8" and _is_gbk(data) else ""
        raise DeriveError(
            f"{path}: line {line} is not {name}{guess}: byte 0x{data[error.start]:02x}", "save the file as UTF-8"
        ) from error


def _is_gbk(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _check_lines(path: Path, text: str) -> None:
    """Binary data that was decoded as UTF-16, and lines that no page has."""
    for number, line in enumerate(text.split("\n"), 1):
        if "\0" in line:
            raise DeriveError(f"{path}: binary data: a zero in line {number}", _SAVE)
        if len(line) > LONGEST_LINE:
            raise DeriveError(f"{path}: line {number} has more than {LONGEST_LINE:,} characters", _SAVE)


def _plain(name: str) -> str:
    """A file name that can stand in JSON, TOML and Markdown; a name need not even be Unicode."""
    return "".join(character if character.isprintable() else "_" for character in name)
