"""The lines of a table to its fields, all on one level: name, type, title, 必需 or 可选, and what is said of each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from conformance.derive.plain import Line
from conformance.jsontext import parse_json_text

LONGEST_TYPE = 200

_WORDS = {
    "string": ("string",),
    "integer": ("integer",),
    "int": ("integer",),
    "long": ("integer",),
    "number": ("number",),
    "float": ("number",),
    "double": ("number",),
    "boolean": ("boolean",),
    "bool": ("boolean",),
    "object": ("object",),
    "array": ("array",),
    "null": ("null",),
    "file": ("string",),
    "enum": ("string",),
    "any": (),
}
_ONE = rf"(?P<base>{'|'.join(_WORDS)})"
_TYPE = re.compile(
    rf"{_ONE}(?: ?\((?P<model>[^()]{{0,80}})\))?(?: ?<(?P<inner>[^<>]{{1,60}})>)?(?: ?\[(?P<item>[^\[\]]{{0,120}})\])?"
    r"(?: ?\{(?P<count>\d{1,4})\})?",
    re.IGNORECASE,
)
_OR = re.compile(r" ?(?:\||或| or ) ?")
_NAME = re.compile(r"[A-Za-z_$][\w.$\-\[\]]{0,99}")
_REQUIRED = {"必需": True, "必填": True, "必须": True, "required": True}
_OPTIONAL = {"可选": False, "选填": False, "非必需": False, "optional": False}
_REQUIREMENT = _REQUIRED | _OPTIONAL
_EXTRA = re.compile(
    r"(?:(?P<example>示例值|examples?(?: values?)?)|(?P<default>默认值|default(?: values?)?)|"
    r"(?P<enum>枚举值|enum(?: values?)?|allowed values?))(?: ?: ?| ?$)(?P<value>.*)",
    re.IGNORECASE,
)
_ENUM_VALUE = re.compile(r"[\w.\-/+:]{1,80}", re.ASCII)
_SEPARATOR = re.compile(r" ?[,、|;] ?")


@dataclass(frozen=True)
class Kind:
    """A type line: the JSON types, those of the items of an array, and the count of properties `{n}`."""

    types: tuple[str, ...]
    """Empty: any type."""
    items: tuple[str, ...] | None = None
    count: int | None = None
    form: str = ""
    """`binary` for a file, or what stands in angle brackets, such as `date-time`."""


@dataclass(frozen=True)
class Field:
    """One field of a table, without its place in the tree."""

    name: str
    kind: Kind
    line: int
    title: str = ""
    required: bool | None = None
    """None where the table does not say."""
    description: str = ""
    example: str = ""
    default: str = ""
    enum: tuple[str, ...] = ()


@dataclass
class _Notes:
    """What is collected while the lines below a type are read."""

    required: bool | None = None
    expects: str = ""
    texts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, key: str, text: str) -> None:
        self.texts.setdefault(key, []).append(text)

    def join(self, key: str) -> str:
        return " ".join(self.texts.get(key, []))


def read_kind(text: str) -> Kind | None:
    """The type that a line names, such as `array [object {2}]`; None when it names none."""
    if len(text) > LONGEST_TYPE:
        return None
    types: list[str] = []
    kinds: list[Kind] = []
    for part in _alternatives(text):
        kind = _single(part)
        if kind is None:
            return None
        kinds.append(kind)
        types += kind.types
    shaped = next((kind for kind in kinds if kind.items is not None or kind.count is not None), kinds[0])
    return Kind(() if any(not kind.types for kind in kinds) else tuple(types), shaped.items, shaped.count, shaped.form)


def _alternatives(text: str) -> list[str]:
    """A union split at its bars; bars inside brackets belong to the items."""
    if "[" in text or "<" in text:
        head, mark, tail = text.rpartition("]" if "]" in text else ">")
        rest = [part for part in _OR.split(tail) if part]
        if rest and tail.lstrip().startswith(("|", "或", "or ")):
            return [head + mark, *rest]
        return [text]
    return _OR.split(text)


def _single(text: str) -> Kind | None:
    found = _TYPE.fullmatch(text)
    if found is None:
        return None
    base = found["base"].lower()
    form = "binary" if base == "file" else (found["inner"] or "") if base == "string" else ""
    types = _WORDS[base]
    if base == "enum" and found["inner"] and (inner := read_kind(found["inner"])):
        types = inner.types
    count = int(found["count"]) if found["count"] else None
    if base != "array":
        return Kind(types, None, count, form)
    item = read_kind(found["item"] or found["inner"] or "any") or Kind(())
    return Kind(types, item.types, count if item.count is None else item.count)


def read_fields(lines: Sequence[Line]) -> list[Field]:
    """The fields of a table, in its order. Where types are marked by a no-break space only marked lines are types."""
    lines = [line for line in lines if line.text]
    marked = any(line.marked and read_kind(line.text) for line in lines)
    starts = _starts(lines, marked=marked)
    ends = [*(start for start, _ in starts[1:]), len(lines)]
    return [_field(lines, start, end, kind) for (start, kind), end in zip(starts, ends, strict=False)]


def _starts(lines: Sequence[Line], *, marked: bool) -> list[tuple[int, Kind]]:
    """Where fields begin: a name on one line, a type on the next."""
    starts: list[tuple[int, Kind]] = []
    place = 0
    while place + 1 < len(lines):
        name, below = lines[place], lines[place + 1]
        kind = read_kind(below.text) if below.marked or not marked else None
        if kind is not None and not (marked and name.marked) and _is_name(name.text, marked=marked):
            starts.append((place, kind))
            place += 1
        place += 1
    return starts


def _is_name(text: str, *, marked: bool) -> bool:
    """With marks any short text is a name; without them it has to look like one."""
    return text not in _REQUIREMENT and (len(text) <= 100 if marked else _NAME.fullmatch(text) is not None)


def _field(lines: Sequence[Line], start: int, end: int, kind: Kind) -> Field:
    notes = _Notes()
    for line in lines[start + 2 : end]:
        _note(notes, line.text)
    unsaid = notes.required is None
    return Field(
        name=lines[start].text,
        kind=kind,
        line=lines[start].number,
        title="" if unsaid else notes.join("title"),
        required=notes.required,
        description=" ".join(filter(None, [notes.join("title") if unsaid else "", notes.join("description")])),
        example=notes.join("example"),
        default=notes.join("default"),
        enum=tuple(notes.texts.get("enum", ())),
    )


def _note(notes: _Notes, text: str) -> None:
    """Sort one line below a type: requirement, label, value after a label, title before 必需, description after it."""
    said = _REQUIREMENT.get(text.lower())
    label = _EXTRA.fullmatch(text)
    if said is not None and notes.required is None:
        notes.required, notes.expects = said, ""
    elif label:
        notes.expects = next(key for key in ("example", "default", "enum") if label[key])
        if label["value"].strip():
            _value(notes, label["value"].strip())
    elif notes.expects:
        _value(notes, text)
    else:
        notes.add("title" if notes.required is None else "description", text)


def _value(notes: _Notes, text: str) -> None:
    """The value of a label; an enumeration goes on as long as lines look like its values."""
    if notes.expects != "enum":
        notes.add(notes.expects, text)
        notes.expects = ""
        return
    values = [part for part in _SEPARATOR.split(text) if part]
    if all(_ENUM_VALUE.fullmatch(part) for part in values):
        notes.texts.setdefault("enum", []).extend(values)
    else:
        notes.expects = ""
        notes.add("description", text)


def scalar(text: str, types: tuple[str, ...]) -> object:
    """A default or enumerated value as the type it has: text stays text, `2` of a number becomes 2."""
    if not types or types[0] == "string":
        return text.strip('"')
    read = parse_json_text(text)
    return text if read.problem or isinstance(read.value, (dict, list)) else read.value
