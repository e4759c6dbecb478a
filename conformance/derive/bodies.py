"""The lines of one body, table and example, to a `Body` with its schema as documented."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from conformance.derive.infer import as_type, infer
from conformance.derive.nesting import nest
from conformance.derive.nouns import Body, DeriveError, Source
from conformance.derive.plain import Line, offset_of
from conformance.derive.tables import Field, Kind, read_fields, read_kind
from conformance.derive.tolerant import first_value

MOST_EXAMPLES = 100

_EXAMPLE = re.compile(r"(?:示例|examples?) ?\d{0,2}:?", re.IGNORECASE)


def read_body(source: Source, media: str, number: int, lines: Sequence[Line]) -> Body:
    """Read the lines between a heading, in line `number`, and the next. Raises DeriveError, with file and line."""
    place = _example_place(lines)
    table = lines[:place]
    fields = read_fields(table)
    root = next((kind for line in table[:3] if (kind := read_kind(line.text))), None)
    shape = root if root and (not fields or fields[0].line > table[0].number) else None
    value, line = _example(source, media, lines[place:], documented=bool(fields or shape))
    return Body(
        media, _schema(source, fields, shape, value, line or number), value, number, line, bool(fields or shape)
    )


def _schema(source: Source, fields: Sequence[Field], root: Kind | None, value: Any, line: int) -> dict[str, Any] | None:
    """The fields in the shape of the root; without fields what the example shows."""
    if not fields:
        said = as_type(root.types) if root else {}
        if value is not None:
            return {**infer(value, source, line), **said}
        return {**said, "x-source": source.at(line), "x-evidence": ["table"]} if root else None
    if root and root.types == ("array",):
        first = value[0] if isinstance(value, list) and value else None
        items = nest(fields, first, source, line)
        return {"type": "array", "items": items, "x-source": items["x-source"], "x-evidence": ["table"]}
    return nest(fields, value, source, line)


def after_example(lines: Sequence[Line]) -> Sequence[Line]:
    """The lines below the heading of the example, which hold one JSON value and nothing of a table."""
    return lines[_example_place(lines) :]


def _example_place(lines: Sequence[Line]) -> int:
    """The line of the word 示例 above a JSON text or a comment; where the word is lost, the line where JSON begins."""
    words = [place for place, line in enumerate(lines) if _is_example(lines, place)]
    for place in words[:MOST_EXAMPLES]:
        below = next((line.text for line in lines[place + 1 : place + 5] if line.text), "")
        if below.startswith(("{", "[", "//", "/*")):
            return place
    opens = (place for place, line in enumerate(lines) if line.text in ("{", "[") or line.text.startswith('{"'))
    return next(opens, words[0] if words else len(lines))


def _is_example(lines: Sequence[Line], place: int) -> bool:
    """Whether a line is the heading of an example, and no field of that name."""
    below = next((line.text for line in lines[place + 1 : place + 3] if line.text), "")
    return _EXAMPLE.fullmatch(lines[place].text[:20]) is not None and read_kind(below) is None


def _example(source: Source, media: str, lines: Sequence[Line], *, documented: bool) -> tuple[Any, int]:
    """The value of the example and its line; None and 0 where there is none.

    Raises DeriveError for a JSON body whose example is no JSON; a comment below a table is taken for the
    remark that the answer is no JSON at all.
    """
    shown = [line for line in lines if line.text and not _EXAMPLE.fullmatch(line.text[:20])]
    if not shown:
        return None, 0
    number = shown[0].number
    try:
        return first_value(source.text, source.at(number), offset_of(source.text, number)).value, number
    except DeriveError:
        remark = documented and all(line.text.startswith("//") for line in shown)
        if "json" in media and not remark:
            raise
        return None, number
