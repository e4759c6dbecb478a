"""Bytes to a JSON value, strictly (RFC 8259) and safely, whatever a relay sends.

Python's reader takes NaN, infinities, doubled keys and nesting that overflows its stack; none of them is
what another client would accept, so each is named here instead.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

DEEPEST = 128
"""Levels of nesting that are read; an OpenAI-style body has fewer than ten."""

_STRING = re.compile(
    r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL
)  # possessive: one pass, also over strings without end
_MARK = "\ufeff"
_OPENS = re.compile(r"\s*[\[{]")
_BRACKET = re.compile(r"[\[\]{}]")


@dataclass(frozen=True)
class Document:
    """A JSON text as read: its value, or the problem that kept it from being one."""

    value: Any
    problem: str = ""
    duplicates: tuple[str, ...] = ()
    """Keys that stand twice in one object; the last value was taken, as most readers do."""


def parse_json(body: bytes) -> Document:
    """Read a whole body as one JSON text; never raises."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return Document(None, f"not UTF-8: byte 0x{body[error.start]:02x} at offset {error.start}")
    found = parse_json_text(text.removeprefix(_MARK))
    if text.startswith(_MARK) and not found.problem:
        return replace(found, problem="begins with a byte order mark, which JSON must not (RFC 8259, section 8.1)")
    return found


def parse_json_text(text: str) -> Document:
    """Read one JSON text; never raises."""
    if len(text) > 2 * DEEPEST and _OPENS.match(text) and _too_deep(text):
        return Document(None, f"nested deeper than {DEEPEST} levels")
    try:
        return Document(_READER.decode(text))
    except _DoubledKeyError:
        return _with_duplicates(text)
    except json.JSONDecodeError as error:
        return Document(None, f"not JSON: {error.msg} at offset {error.pos}" if text.strip() else "empty")
    except ValueError as error:
        return Document(None, _out_of_range(error))


def _with_duplicates(text: str) -> Document:
    """Read a text whose objects repeat keys: the last value counts, the keys are named."""
    duplicates: set[str] = set()

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        counted = Counter(key for key, _ in items)
        duplicates.update(key for key, times in counted.items() if times > 1)
        return dict(items)

    try:
        value = json.loads(text, object_pairs_hook=pairs, parse_constant=_constant, parse_float=_float)
    except ValueError as error:
        return Document(None, _out_of_range(error))
    return Document(value, "", tuple(sorted(duplicates)))


def _too_deep(text: str) -> bool:
    """Whether brackets outside strings nest deeper than we read."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _out_of_range(error: ValueError) -> str:
    """Our words, or Python's about its bound on integers in ours."""
    return "number out of range: thousands of digits" if "integer string" in str(error) else str(error)


def _constant(name: str) -> float:
    raise ValueError(f"not JSON: {name} is no JSON number")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"number out of range: {digits[:40]}")
    return number


class _DoubledKeyError(Exception):
    """An object has the same key twice; the fast reader gives up."""


def _single_keys(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) != len(items):
        raise _DoubledKeyError
    return found


_READER = json.JSONDecoder(object_pairs_hook=_single_keys, parse_constant=_constant, parse_float=_float)
