"""JSON texts written one field a line, with what a finding points at marked; nothing about the text is changed.

The text is cut into tokens and written again as they stand, so that doubled keys, odd numbers and escapes stay to be
seen. A place that is not there (`/choices/0/finish_reason` of an answer without one) is marked where it is missing: at
the end of the innermost object or list that is there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from conformance.reporting.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{},:]|[^\s\[\]{},:"]++', re.DOTALL)
_OBJECT, _LIST = "{", "["
_CLOSING = {_OBJECT: "}", _LIST: "]"}
_MOST_MARKS = 20
_VALUE = 2_000
"""Characters of one text or number that are shown."""
_LEAST = 80
"""Characters of each that are shown when there is no more room."""
_LONGEST = 2_000_000
"""Characters of a text that are read."""

Path = tuple[str, ...]


class Piece(NamedTuple):
    """A part of a text: plain, marked as what a finding points at, or ours in the place of what is missing."""

    text: str
    pointer: str = ""
    """The JSON pointer of the finding that marks it; empty where nothing does."""
    missing: bool = False
    """Whether the text names something that is not there."""


class Marked(NamedTuple):
    """A text in pieces, and how many values of it were left out."""

    pieces: tuple[Piece, ...]
    more: int = 0


def marked(
    text: str, pointers: Mapping[str, bool] | None = None, limit: int = 20_000, *, indent: bool = True
) -> Marked:
    """Write a JSON text, which must be one that `parse_json` takes, with these places marked.

    `pointers`: each with whether its finding says that something is missing there; one that leads nowhere is marked
    only then. About `limit` characters are written, and beyond them only what leads to a marked place. `indent`: one
    field a line; else everything on one.
    """
    if len(text) > _LONGEST:
        return Marked((Piece(visible(text, limit, lines=True)),))
    tokens = iter(_TOKEN.findall(text))
    tree = _tree(next(tokens, ""), tokens)
    writer = _Writer(_resolved(tree, list((pointers or {}).items())[:_MOST_MARKS]), limit, indent)
    writer.value(tree, (), "")
    writer.flush()
    return Marked(tuple(writer.pieces), writer.more)


class _Node(NamedTuple):
    """A value: its token, or its opening bracket and what is inside, each with its key as written and its name."""

    token: str
    members: list[tuple[str, str, _Node]]

    @property
    def flat(self) -> bool:
        """Whether it fits on one line: nothing inside, or a list of nothing but plain values."""
        return not self.members or (
            self.token == _LIST and not any(node.token in _CLOSING for *_, node in self.members)
        )


def _tree(token: str, tokens: Iterator[str]) -> _Node:
    """The value that begins with a token. The depth of what `parse_json` takes is bounded, so this calls itself."""
    node = _Node(token, [])
    if token in _CLOSING:
        for inner in tokens:
            if inner == _CLOSING[token]:
                break
            if inner != ",":
                node.members.append(_member(inner, tokens, len(node.members), is_object=token == _OBJECT))
    return node


def _member(first: str, tokens: Iterator[str], place: int, *, is_object: bool) -> tuple[str, str, _Node]:
    """One field of an object, or one value of a list; `first` is its first token."""
    if not is_object:
        return "", str(place), _tree(first, tokens)
    next(tokens, "")  # the colon
    return first, _name(first), _tree(next(tokens, ""), tokens)


def _name(token: str) -> str:
    """The name that a key stands for."""
    return str(json.loads(token, strict=False)) if "\\" in token else token[1:-1]


def _path(pointer: str) -> Path:
    """The names of a JSON pointer; `*` stands for the first of a list."""
    names = pointer.split("/")[1:]
    return tuple("0" if name == "*" else name.replace("~1", "/").replace("~0", "~") for name in names)


def _resolved(tree: _Node, pointers: Iterable[tuple[str, bool]]) -> dict[Path, list[Piece]]:
    """Path that is there -> what to mark at it: the value itself (no text), or what it lacks."""
    found: dict[Path, list[Piece]] = {}
    for pointer, is_missing in pointers:
        node, path = tree, _path(pointer)
        for depth, name in enumerate(path):
            inner = next((each for _, known, each in reversed(node.members) if known == name), None)
            if inner is None:
                if is_missing:
                    found.setdefault(path[:depth], []).append(Piece("/".join(path[depth:]), pointer, missing=True))
                break
            node = inner
        else:
            found.setdefault(path, []).append(Piece("", pointer))
    return found


@dataclass
class _Writer:
    """Puts a tree into pieces, as long as there is room."""

    marks: dict[Path, list[Piece]]
    room: int
    indent: bool
    pieces: list[Piece] = field(default_factory=list)
    more: int = 0
    _plain: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._leading = {path[:end] for path in self.marks for end in range(len(path) + 1)}

    def value(self, node: _Node, path: Path, key: str) -> None:
        """Write a value behind its key."""
        here = self.marks.get(path, [])
        pointer = next((mark.pointer for mark in here if not mark.missing), "")
        token = visible(node.token, _VALUE if pointer else min(max(self.room, _LEAST), _VALUE))
        text = f"{visible(key, _LEAST)}: {token}" if key else token
        self.say(text, pointer)
        if node.token in _CLOSING:
            self.inside(node, path, [mark for mark in here if mark.missing])
            self.say(_CLOSING[node.token])

    def inside(self, node: _Node, path: Path, missing: list[Piece]) -> None:
        """Write what is between the brackets."""
        flat = not self.indent or (node.flat and not missing)
        left_out = written = 0
        for key, name, inner in node.members:
            within = (*path, name)
            if self.room <= 0 and within not in self._leading:
                left_out += 1
                continue
            self.say("," * bool(written) + self.gap(len(path) + 1, flat=flat, first=not written))
            self.value(inner, within, key)
            written += 1
        for text in [f"… {left_out:,} more"] * bool(left_out):
            self.say(self.gap(len(path) + 1, flat=flat, first=not written) + text)
            self.more += left_out
        for mark in missing:
            self.say(self.gap(len(path) + 1, flat=flat, first=not (written or left_out)))
            self.say(visible(mark.text, _LEAST), mark.pointer, missing=True)
        if not flat and (node.members or missing):
            self.say(self.gap(len(path), flat=False, first=True))

    def gap(self, depth: int, *, flat: bool, first: bool) -> str:
        """White space before the next value."""
        return ("" if first else " ") if flat else "\n" + "  " * depth

    def say(self, text: str, pointer: str = "", *, missing: bool = False) -> None:
        """Write some text, marked where there is a pointer."""
        self.room -= len(text)
        if pointer:
            self.flush()
            self.pieces.append(Piece(text, pointer, missing))
        elif text:
            self._plain.append(text)

    def flush(self) -> None:
        """End the plain text that is being written."""
        if self._plain:
            self.pieces.append(Piece("".join(self._plain)))
            self._plain.clear()
