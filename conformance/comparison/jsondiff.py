"""What differs between two answers: of JSON values by structure, of streams event by event, of other text by line.

Two answers of models always differ in their ids, times and words. So a value of the same type counts for less than
a field that is missing, that is new, or that is of another type; where there is no room, the former goes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import islice, zip_longest
from typing import Any

from conformance.jsontext import parse_json_text
from conformance.reporting.visible import shorten, visible
from conformance.sse import Decoder, EventTooLarge

MOST_LINES = 48
"""Lines that are shown."""
MOST_LOOKED_AT = 4_000
"""Lines that are compared, before most of them are left out."""
MOST_TEXT_LINES = 200
MOST_EVENTS = 60
DEEPEST = 12
LONGEST = 160
"""Characters of one value."""
_ABSENT = object()


class Kind(StrEnum):
    """How the two sides of a line stand to each other."""

    SAME = "same"
    VALUE = "value"
    """Two values of one type: words, ids and times differ in any two answers."""
    TYPE = "type"
    ADDED = "added"
    """Only the right one has it."""
    REMOVED = "removed"
    """Only the left one has it."""
    SKIPPED = "skipped"
    """Stands for `count` lines that are not shown."""


_WEIGHTS = {Kind.TYPE: 0, Kind.ADDED: 0, Kind.REMOVED: 0, Kind.VALUE: 1, Kind.SAME: 2}


@dataclass(frozen=True)
class Line:
    """One field, event or line of text: what either side has there, as visible text."""

    kind: Kind
    pointer: str = ""
    """Its JSON pointer; of other text the number of the line."""
    name: str = ""
    left: str = ""
    right: str = ""
    depth: int = 0
    marked: bool = False
    """Whether the finding points here."""
    count: int = 0


@dataclass(frozen=True)
class Diff:
    """Two answers side by side."""

    form: str
    """json, stream or text: as what both were read."""
    lines: tuple[Line, ...]
    different: int
    """Lines that differ, of those that were compared."""
    whole: bool
    """Whether everything was compared."""


def diff(left: str, right: str, at: str = "") -> Diff:
    """Compare two answers; `at` is where a finding points, a JSON pointer or anything else. Never raises."""
    for form, read in (("json", _json), ("stream", _stream)):
        pair = read(left), read(right)
        if _ABSENT not in pair:
            return _diff(form, _walk(*pair, "", "", 0), at)
    return _diff("text", _text(left, right), "")


def _json(text: str) -> Any:
    document = parse_json_text(text)
    return _ABSENT if document.problem else document.value


def _stream(text: str) -> Any:
    """A stream as `{"events": […]}`, so that pointers of findings fit."""
    decoder = Decoder()
    try:
        events = [*decoder.feed(text.encode(errors="replace")), *decoder.close()]
    except EventTooLarge:
        return _ABSENT
    if not events:
        return _ABSENT
    values = [(event.data, _json(event.data)) for event in islice(events, MOST_EVENTS)]
    return {"events": [data if value is _ABSENT else value for data, value in values]}


def _diff(form: str, lines: Iterator[Line], at: str) -> Diff:
    """Mark where a finding points, and leave out what there is no room for."""
    found = list(islice(lines, MOST_LOOKED_AT + 1))
    whole = len(found) <= MOST_LOOKED_AT
    marked = _mark(found[:MOST_LOOKED_AT], at)
    different = sum(line.kind is not Kind.SAME for line in marked)
    return Diff(form, tuple(_fold(marked)), different, whole)


def _mark(lines: Sequence[Line], at: str) -> list[Line]:
    """The lines, with a mark on the one that is nearest above the place of a finding."""
    fits = [len(line.pointer) if _is_above(line.pointer, at) else -1 for line in lines]
    best = max(fits, default=-1)
    place = fits.index(best) if best > 0 else -1
    return [replace(line, marked=True) if number == place else line for number, line in enumerate(lines)]


def _is_above(pointer: str, at: str) -> bool:
    return bool(pointer) and (at == pointer or at.startswith(f"{pointer}/"))


def _fold(lines: Sequence[Line]) -> Iterator[Line]:
    """What matters most in its order, with what it stands in; for each gap a line that counts what is left out."""
    order = sorted(range(len(lines)), key=lambda place: (not lines[place].marked, _WEIGHTS[lines[place].kind], place))
    wanted: set[int] = set()
    for place in order:
        if len(wanted) >= MOST_LINES or (lines[place].kind is Kind.SAME and not lines[place].marked):
            break
        wanted.update(_with_parents(lines, place))
    skipped = 0
    for place, line in enumerate(lines):
        if place not in wanted:
            skipped += 1
            continue
        if skipped:
            yield Line(Kind.SKIPPED, count=skipped)
        skipped = 0
        yield line
    if skipped:
        yield Line(Kind.SKIPPED, count=skipped)


def _with_parents(lines: Sequence[Line], place: int) -> Iterator[int]:
    """A line and the lines that it stands in."""
    depth = lines[place].depth
    yield place
    for above in range(place - 1, -1, -1):
        if not depth:
            return
        if lines[above].depth < depth:
            depth = lines[above].depth
            yield above


def _walk(left: Any, right: Any, name: str, pointer: str, depth: int) -> Iterator[Line]:
    """All lines of two values, top down; one without a counterpart is one line."""
    pair = f"{pointer}" or "/", visible(name, LONGEST)
    if right is _ABSENT:
        yield Line(Kind.REMOVED, *pair, left=_value(left), depth=depth)
    elif left is _ABSENT:
        yield Line(Kind.ADDED, *pair, right=_value(right), depth=depth)
    elif _type(left) != _type(right) or depth >= DEEPEST or not isinstance(left, dict | list):
        yield _leaf(left, right, *pair, depth)
    else:
        if depth:
            yield Line(Kind.SAME, *pair, depth=depth)
        for key, below, beside in _members(left, right):
            yield from _walk(below, beside, key, f"{pointer}/{_escaped(key)}", depth + 1)


def _leaf(left: Any, right: Any, pointer: str, name: str, depth: int) -> Line:
    """Two values that are compared as a whole."""
    alike = Kind.SAME if left == right else Kind.VALUE
    kind = alike if _type(left) == _type(right) else Kind.TYPE
    return Line(kind, pointer, name, _value(left), _value(right), depth)


def _members(left: Any, right: Any) -> Iterator[tuple[str, Any, Any]]:
    """Name, left and right of everything in two objects or two lists."""
    if isinstance(left, dict):
        for key in dict.fromkeys((*left, *right)):
            yield key, left.get(key, _ABSENT), right.get(key, _ABSENT)
    else:
        for place, (one, other) in enumerate(zip_longest(left, right, fillvalue=_ABSENT)):
            yield str(place), one, other


def _escaped(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key[:LONGEST].replace("~", "~0").replace("/", "~1")


def _type(value: Any) -> str:
    """The JSON type; whole and other numbers are one, yes and no are none."""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _value(value: Any) -> str:
    return shorten(value, LONGEST)


def _text(left: str, right: str) -> Iterator[Line]:
    """Two texts, line by line."""
    old, new = (text.splitlines()[:MOST_TEXT_LINES] for text in (left, right))
    for what, start, stop, begin, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        pairs = zip_longest(old[start:stop], new[begin:end])
        for number, (one, other) in enumerate(pairs, start + 1):
            kind = Kind.SAME if what == "equal" else _kind(one, other)
            yield Line(kind, str(number), "", visible(one or "", LONGEST), visible(other or "", LONGEST))


def _kind(left: str | None, right: str | None) -> Kind:
    if left is None:
        return Kind.ADDED
    return Kind.REMOVED if right is None else Kind.VALUE
