"""A JSON value to the weakest schema that it proves: every fact is a guess from one example."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from conformance.derive.nouns import Source
from conformance.derive.plain import offset_of

MOST_KEYS = 2_000
"""Properties of one object that are kept: a schema with more is no documentation."""
MOST_ITEMS = 1_000
DEEPEST = 24


@dataclass
class _Place:
    """Where in the file we are: keys are met in the order of the text, so their lines only grow."""

    source: Source
    line: int
    at: int
    evidence: str

    def of(self, key: str) -> int:
        """The line of the next place where this key is written; the last line that was found if it is not."""
        if self.at < 0:
            return self.line
        found = self.source.text.find(json.dumps(key, ensure_ascii=False), self.at)
        if found >= 0:
            self.line += self.source.text.count("\n", self.at, found)
        self.at = found if found < 0 else found + len(key)
        return self.line


def infer(value: Any, source: Source, line: int, evidence: str = "example") -> dict[str, Any]:
    """The schema of one example value whose text begins at `line`; nothing is required, null proves nothing.

    Elements of an array are one schema together. Every node has `x-source`, `x-evidence`, `x-weak`.
    """
    return _infer(value, _Place(source, line, offset_of(source.text, line), evidence), 0)


def _infer(value: Any, place: _Place, depth: int) -> dict[str, Any]:
    stamp = {"x-source": place.source.at(place.line), "x-evidence": [place.evidence], "x-weak": True}
    if isinstance(value, dict) and value and depth < DEEPEST:
        properties = {}
        for key, inner in list(value.items())[:MOST_KEYS]:
            place.of(key)
            properties[key] = _infer(inner, place, depth + 1)
        return {"type": "object", "properties": properties, **stamp}
    if isinstance(value, list) and value and depth < DEEPEST:
        items: dict[str, Any] = {}
        for inner in value[:MOST_ITEMS]:
            items = merge(items, _infer(inner, place, depth + 1))
        return {"type": "array", "items": items, **stamp}
    kind = json_type(value)
    return stamp if kind == "null" else {"type": kind, **stamp}


def json_type(value: Any) -> str:
    """The JSON Schema word for the type of a value; a number without fraction is an integer."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, dict | list):
        return "object" if isinstance(value, dict) else "array"
    return {str: "string", int: "integer", float: "number"}[type(value)]


def types_of(schema: dict[str, Any]) -> tuple[str, ...]:
    """The types that a schema names; empty where any type is allowed."""
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)


def as_type(types: tuple[str, ...]) -> dict[str, Any]:
    """The `type` keyword for these types, without repeats; integer goes where number stands too."""
    kept = [kind for kind in dict.fromkeys(types) if kind != "integer" or "number" not in types]
    if not kept:
        return {}
    return {"type": kept[0] if len(kept) == 1 else kept}


def merge(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """One schema that both examples fit; the line of the first is kept."""
    if not first or not second:
        return first or second
    merged = {**second, **first, **as_type(types_of(first) + types_of(second))}
    if "properties" in first and "properties" in second:
        ours, theirs = first["properties"], second["properties"]
        names = list(dict.fromkeys([*ours, *theirs]))[:MOST_KEYS]
        merged["properties"] = {name: merge(ours.get(name, {}), theirs.get(name, {})) for name in names}
    if "items" in first and "items" in second:
        merged["items"] = merge(first["items"], second["items"])
    return merged
