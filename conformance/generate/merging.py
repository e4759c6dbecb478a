"""From a schema with references and combinations to plain alternatives, any of which may be drawn from."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.generate.documents import Document, Schema

    Plain = dict[str, Any]

MOST = 32
"""Alternatives that are kept of one schema."""

_MOST_WORK = 50_000
"""Merges for one document; what is left then counts as impossible."""

KINDS = ("null", "boolean", "integer", "number", "string", "array", "object")
_COMBINATIONS = ("$ref", "allOf", "anyOf", "oneOf")
_LARGER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_SMALLER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_AGAIN = 4
"""What following a reference inside itself costs, where another reference costs 1."""

Trail = tuple[str, ...]
Alternative = tuple[dict[str, Any], int, Trail]


def alternatives(document: Document, schema: Schema, left: int, trail: Trail = ()) -> list[Alternative]:
    """(plain schema, what is left to follow, references followed): no `$ref`, `allOf`, `anyOf`, `oneOf` in any.

    `left` is how many more references may be followed; alternatives beyond it are left out.
    """
    if isinstance(schema, bool):
        return [({}, left, trail)] if schema else []
    if document.work >= _MOST_WORK:
        return []
    own = {key: value for key, value in schema.items() if key not in _COMBINATIONS}
    if "const" in own:
        own["enum"] = [own.pop("const")]
    groups: list[list[Alternative]] = [[(own, left, trail)]]
    if "$ref" in schema:
        groups.append(_behind(document, schema["$ref"], left, trail))
    groups += [alternatives(document, part, left, trail) for part in schema.get("allOf", ())]
    for either in ("anyOf", "oneOf"):
        if either in schema:
            groups.append([found for part in schema[either] for found in alternatives(document, part, left, trail)])
    return _joined(document, groups)


def _behind(document: Document, pointer: str, left: int, trail: Trail) -> list[Alternative]:
    """The alternatives of what a reference names, found once for each number of references that are left."""
    after = left - (_AGAIN if pointer in trail else 1)
    if after < 0:
        return []
    known = ("alternatives", pointer, after)
    if known not in document.memo:
        document.memo[known] = alternatives(document, document.resolve(pointer), after, (*trail, pointer))
    found: list[Alternative] = document.memo[known]
    return found


def _joined(document: Document, groups: Sequence[Sequence[Alternative]]) -> list[Alternative]:
    """One of each group, merged into one; combinations that contradict themselves are left out."""
    found = list(groups[0])
    for group in groups[1:]:
        pairs = product(found, group[:MOST])
        found = []
        for one, other in pairs:
            document.work += 1
            merged = merge(one[0], other[0])
            if merged is not None:
                found.append((merged, min(one[1], other[1]), max(one[2], other[2], key=len)))
            if len(found) >= MOST or document.work >= _MOST_WORK:
                break
    return found[:MOST]


def merge(one: Mapping[str, Any], other: Mapping[str, Any]) -> Plain | None:
    """A schema that asks for both; None where no value can satisfy both.

    What cannot be merged exactly (two patterns, two formats) keeps the first: the values are checked anyway.
    """
    merged = dict(one)
    for key, value in other.items():
        merged[key] = _both(key, merged[key], value) if key in merged else value
    impossible = [] in (merged.get("enum"), merged.get("type"))
    return None if impossible else merged


def _both(key: str, one: Any, other: Any) -> Any:
    """The value of a keyword that stands in two schemas."""
    join = _JOINS.get(key)
    return join(one, other) if join else one


def _either_list(one: Any, other: Any) -> list[Any]:
    return [*one, *(name for name in other if name not in one)]


def _shared_values(one: Any, other: Any) -> list[Any]:
    known = {json.dumps(value, sort_keys=True) for value in other}
    return [value for value in one if json.dumps(value, sort_keys=True) in known]


def _dependents(one: Any, other: Any) -> Plain:
    return {name: _either_list(one.get(name, ()), other.get(name, ())) for name in {**one, **other}}


def _properties(one: Mapping[str, Any], other: Mapping[str, Any]) -> Plain:
    """Properties of both; one that stands in both satisfies both."""
    shared = {name: {"allOf": [one[name], other[name]]} for name in one if name in other}
    return {**one, **other, **shared}


def common_kinds(one: Any, other: Any) -> list[str]:
    """The JSON types that two `type` keywords both allow; an integer is a number."""
    first, second = kinds(one), kinds(other)
    shared = [kind for kind in first if kind in second]
    if "integer" not in shared and {"integer", "number"} <= {*first, *second} and "number" not in shared:
        shared.append("integer")
    return shared


def kinds(value: Any) -> list[str]:
    """A `type` keyword as a list; without one, every type."""
    if value is None:
        return [kind for kind in KINDS if kind != "integer"]
    return list(value) if isinstance(value, list) else [value]


_JOINS: Mapping[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(_LARGER, max),
    **dict.fromkeys(_SMALLER, min),
    **dict.fromkeys(("items", "additionalProperties"), lambda one, other: {"allOf": [one, other]}),
    **dict.fromkeys(("properties", "patternProperties"), _properties),
    "required": _either_list,
    "type": common_kinds,
    "enum": _shared_values,
    "dependentRequired": _dependents,
    "uniqueItems": lambda one, other: one or other,
}
"""How two values of a keyword become one that asks for both."""
