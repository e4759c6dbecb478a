"""YAML or JSON text to plain values in which every mapping knows its lines.

YAML is read from the parser's events, never constructed: no tags, no dates, no `yes` that becomes true. Keys are always
the text that stands there (`200:` is `"200"`). Bounded in depth, in size, and in what aliases expand to.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from conformance.derive.nouns import DeriveError, Source
from conformance.jsontext import parse_json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEEPEST = 100
MOST = 1_000_000
"""Values of one document, with every alias counted as what it stands for."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCALARS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]{1,300}"), int),
    (re.compile(r"[-+]?(\.[0-9]{1,300}|[0-9]{1,300}(\.[0-9]{0,300})?)([eE][-+]?[0-9]{1,2})?"), float),
)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]+|\n')


class Lines(dict[str, Any]):
    """A mapping that knows the line of each of its keys, and its own."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.at: dict[str, int] = {}


@dataclass
class _Frame:
    """A container that is still open."""

    value: Lines | list[Any]
    anchor: str | None = None
    key: str | None = None
    size: int = 1


@dataclass
class _Builder:
    """Takes a document piece by piece; knows nothing of YAML or JSON."""

    source: Source
    frames: list[_Frame] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    root: Any = None

    def open(self, value: Lines | list[Any], line: int, anchor: str | None = None) -> None:
        if len(self.frames) >= DEEPEST:
            self.refuse(line, f"nested deeper than {DEEPEST} levels")
        if self.frames and isinstance(self.frames[-1].value, dict) and self.frames[-1].key is None:
            self.refuse(line, "a mapping or list as a key")
        self.frames.append(_Frame(value, anchor))

    def close(self, line: int) -> None:
        frame = self.frames.pop()
        self.add(frame.value, line, frame.anchor, frame.size)

    def scalar(self, text: str, value: Any, line: int, anchor: str | None = None) -> None:
        frame = self.frames[-1] if self.frames else None
        if frame and isinstance(frame.value, Lines) and frame.key is None:
            if text in frame.value.at:
                self.refuse(line, f"the name {text!r} stands twice (first in line {frame.value.at[text]})")
            frame.key, frame.value.at[text] = text, line
        else:
            self.add(value, line, anchor, 1)

    def alias(self, name: str | None, line: int) -> None:
        if name is None or name not in self.anchors:
            self.refuse(line, f"the alias *{name} stands for nothing, or for what contains it")
        value, size = self.anchors[name]
        self.add(value, line, None, size)

    def add(self, value: Any, line: int, anchor: str | None, size: int) -> None:
        """Put a finished value where it belongs."""
        if anchor:
            self.anchors[anchor] = value, size
        if not self.frames:
            self.root = value
            return
        frame = self.frames[-1]
        frame.size += size
        if frame.size > MOST:
            self.refuse(line, f"more than {MOST:,} values, aliases expanded")
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is None:
            self.refuse(line, "an alias as a key")
        else:
            frame.value[frame.key], frame.key = value, None

    def refuse(self, line: int, what: str) -> NoReturn:
        raise DeriveError(f"{self.source.name}:{line}: {what}")


def read_yaml(source: Source, text: str, first_line: int = 1) -> Any:
    """One YAML document; `first_line` is the line of `source` in which `text` begins."""
    builder = _Builder(source)
    loader = _Loader(text)
    try:
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.DocumentEndEvent):
                break
            _take(builder, event, event.start_mark.line + first_line)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + first_line
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise DeriveError(f"{source.name}:{line}: not YAML: {problem}", "the text was taken for OpenAPI") from error
    finally:
        loader.dispose()
    return builder.root


def _take(builder: _Builder, event: Any, line: int) -> None:
    """One event of the YAML parser."""
    if isinstance(event, yaml.MappingStartEvent):
        builder.open(Lines(line), line, event.anchor)
    elif isinstance(event, yaml.SequenceStartEvent):
        builder.open([], line, event.anchor)
    elif isinstance(event, yaml.CollectionEndEvent):
        builder.close(line)
    elif isinstance(event, yaml.AliasEvent):
        builder.alias(event.anchor, line)
    elif isinstance(event, yaml.ScalarEvent):
        plain = event.style is None or event.style == ""
        builder.scalar(event.value, _scalar(event.value) if plain else event.value, line, event.anchor)


def _scalar(text: str) -> Any:
    """A plain scalar as YAML 1.2 reads it."""
    return next((make(text) for pattern, make in _SCALARS if pattern.fullmatch(text)), text)


def read_json(source: Source, text: str, first_line: int = 1) -> Any:
    """One JSON document, strictly read."""
    problem = parse_json_text(text).problem
    if problem:
        offset = re.search(r"offset (\d+)", problem)
        line = first_line + (text.count("\n", 0, int(offset[1])) if offset else 0)
        raise DeriveError(f"{source.name}:{line}: {problem}", "the text was taken for OpenAPI")
    builder = _Builder(source)
    for piece, line in _tokens(text, first_line):
        if piece == "{":
            builder.open(Lines(line), line)
        elif piece == "[":
            builder.open([], line)
        elif piece in "}]":
            builder.close(line)
        elif piece not in ",:":
            value = json.loads(piece)
            builder.scalar(value if isinstance(value, str) else piece, value, line)
    return builder.root


def _tokens(text: str, line: int) -> Iterator[tuple[str, int]]:
    for found in _TOKEN.finditer(text):
        if found[0] == "\n":
            line += 1
        else:
            yield found[0], line
