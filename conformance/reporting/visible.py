r"""Makes text from a relay harmless and visible, for a terminal, for XML and for HTML alike.

A relay may send terminal codes, marks that turn the reading direction, characters without width and halves
of surrogate pairs. Each is shown as an escape such as `\u{202e}`: the reader sees that it was there, and it
does nothing.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import Any

DEEPEST = 24
"""Levels of a JSON value that are shown."""

_OTHER = (
    "\x7f-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # no width, or blank
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0e\ufeff\uffa0"  # direction, line ends
    "\ud800-\udfff\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff"  # halves of pairs, no characters at all
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # tags and selectors that can carry a hidden text
)
_HOSTILE = re.compile(f"[\x00-\x1f{_OTHER}]+")  # controls, ESC among them
_HOSTILE_IN_LINES = re.compile(f"[\x00-\x08\x0b-\x1f{_OTHER}]+")


def visible(text: str, limit: int = 300, *, lines: bool = False) -> str:
    """The text with hostile characters escaped, cut after `limit`; `lines` keeps newline and tab."""
    more, shown = len(text) - limit, text[:limit]
    if not (shown.isascii() and shown.isprintable()):  # most texts are, and this is ten times as fast as looking
        shown = _pattern(lines=lines).sub(_escape, shown)
    return f"{shown}… ({more:,} more characters)" if more > 0 else shown


def is_harmless(text: str, *, lines: bool = False) -> bool:
    """Whether `visible` would leave the text as it is."""
    return not _pattern(lines=lines).search(text)


def _pattern(*, lines: bool) -> re.Pattern[str]:
    return _HOSTILE_IN_LINES if lines else _HOSTILE


def _escape(found: re.Match[str]) -> str:
    return "".join(f"\\u{{{ord(character):x}}}" for character in found[0])


def visible_bytes(data: bytes, limit: int) -> tuple[str, int]:
    """The first `limit` bytes as visible text, and how many bytes were left out."""
    # Incremental, so that a character that the limit cuts in two is left out instead of shown as broken.
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    text = decoder.decode(data[:limit], final=len(data) <= limit)
    return visible(text, len(text), lines=True), max(0, len(data) - limit)


def shorten(value: Any, limit: int = 300) -> str:
    """A JSON value as visible compact text of about `limit` characters."""
    return visible(json_text(bounded(value, limit)), limit)


def json_text(value: Any) -> str:
    """Compact JSON; what is no JSON value is written as its text."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "), default=str)


def bounded(value: Any, limit: int) -> Any:
    """The same value with long texts, lists and objects cut, so that it has about `limit` characters."""
    return _cut(value, _Room(limit), 0)


@dataclass
class _Room:
    """How many characters may still be written."""

    left: int


def _cut(value: Any, room: _Room, depth: int) -> Any:
    """Copy a value as long as there is room for it."""
    if isinstance(value, str):
        kept = value[: max(room.left, 0)]
        room.left -= len(kept)
        return value if kept == value else f"{kept}… ({len(value) - len(kept):,} more characters)"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value, room)
    if not isinstance(value, dict | list | tuple):
        return value
    if depth >= DEEPEST:
        return "…"
    room.left -= 2
    return _cut_object(value, room, depth) if isinstance(value, dict) else _cut_list(value, room, depth)


def _number(value: float, room: _Room) -> Any:
    """A number, or text where it has too many digits to print or is none that JSON knows."""
    if isinstance(value, int) and value.bit_length() > 1_000:
        return "an integer of more than 300 digits"
    room.left -= len(str(value))
    return str(value) if value != value or value in {float("inf"), float("-inf")} else value  # noqa: PLR0124 - NaN


def _cut_object(value: dict[Any, Any], room: _Room, depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, inner in value.items():
        if room.left <= 0:
            kept["…"] = f"{len(value) - len(kept):,} more"
            break
        name = _cut(str(key), room, depth)
        room.left -= 6
        kept[name] = _cut(inner, room, depth + 1)
    return kept


def _cut_list(value: list[Any] | tuple[Any, ...], room: _Room, depth: int) -> list[Any]:
    kept: list[Any] = []
    for inner in value:
        if room.left <= 0:
            kept.append(f"… ({len(value) - len(kept):,} more)")
            break
        kept.append(_cut(inner, room, depth + 1))
        room.left -= 2
    return kept
