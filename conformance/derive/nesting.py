"""Flat fields and an example to a tree: page text prints two levels one below the other and loses which is whose.

A count (`array [object {3}]`) says how many of the next fields are children. Without one the example says it, and
without an example what is known of such objects does, which is a guess. Objects of the second level are never
printed open: the example supplies their children.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.derive.infer import as_type, infer
from conformance.derive.nouns import DeriveError, Source
from conformance.derive.reference import KNOWN_CHILDREN
from conformance.derive.tables import Field, scalar

MOST_FIELDS = 5_000


@dataclass
class _Table:
    """The fields that are left, what the example shows, and the names that stand on the root level."""

    source: Source
    fields: Sequence[Field]
    example: dict[str, Any]
    observed: dict[str, Any]
    """The schema that the example proves, for nodes the table does not show."""
    roots: set[str] = field(default_factory=set)
    place: int = 0
    later: dict[str, int] = field(default_factory=dict)
    """The last place of every name."""


def nest(fields: Sequence[Field], example: Any, source: Source, example_line: int = 0) -> dict[str, Any]:
    """The schema of a body that a table and, where there is one, an example (a JSON value or None) document.

    Raises DeriveError when the example has no object where the table counts properties.
    """
    fields = fields[:MOST_FIELDS]
    shown = example if isinstance(example, dict) else {}
    if example is not None and not isinstance(example, dict):
        raise DeriveError(
            f"{source.at(example_line)}: the example is no object, but the table names {fields[0].name!r} and more",
            "Make the example an object with the fields of the table.",
        )
    observed = infer(shown, source, example_line).get("properties", {})
    last = {each.name: place for place, each in enumerate(fields)}
    table = _Table(source, fields, shown, observed, later=last)
    properties: dict[str, Any] = {}
    required: list[str] = []
    while table.place < len(fields):
        each = fields[table.place]
        table.place += 1
        table.roots.add(each.name)
        properties[each.name] = _root_field(table, each)
        required += [each.name] if _is_required(each, [shown]) else []
    properties |= {name: node for name, node in observed.items() if name not in properties}
    return _object(source.at(fields[0].line), properties, required)


def _object(where: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    listed = {"required": list(dict.fromkeys(required))} if required else {}
    return {"type": "object", "properties": properties, **listed, "x-source": where, "x-evidence": ["table"]}


def _is_required(each: Field, shown: Sequence[dict[str, Any]]) -> bool:
    """As the table says; where it says nothing, whether every example has the field."""
    if each.required is not None:
        return each.required
    return bool(shown) and all(each.name in one for one in shown)


def _root_field(table: _Table, each: Field) -> dict[str, Any]:
    """A field of the first level with the children that it takes from the table."""
    value = table.example.get(each.name)
    node = _node(table.source, each)
    if not _holds_objects(each):
        return _collapsed(each, node, table.observed.get(each.name, {}))
    _contradiction(table.source, each, value)
    samples = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    children, guessed = _children(table, each, samples)
    observed = _inner(table.observed.get(each.name, {}))
    if not children:
        return _collapsed(each, node, table.observed.get(each.name, {}))
    properties = {
        child.name: _collapsed(child, _node(table.source, child), observed.get(child.name, {})) for child in children
    }
    properties |= {name: shown for name, shown in observed.items() if name not in properties}
    required = [child.name for child in children if _is_required(child, samples)]
    inner = _object(table.source.at(children[0].line), properties, required)
    return _around(node, inner, guessed=guessed)


def _around(node: dict[str, Any], inner: dict[str, Any], *, guessed: bool) -> dict[str, Any]:
    """The children in their place: below `items` of an array, in the object itself otherwise."""
    weak: dict[str, Any] = {"x-weak": True} if guessed else {}
    if "array" in _listed(node):
        return {**node, "items": {**node.get("items", {}), **inner, **weak}, **weak}
    node |= {key: inner[key] for key in ("properties", "required") if key in inner}
    return node | weak


def _listed(node: dict[str, Any]) -> tuple[str, ...]:
    types = node.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def _node(source: Source, each: Field) -> dict[str, Any]:
    """What the table says of one field, without children."""
    kind = each.kind
    node: dict[str, Any] = as_type(kind.types)
    if "array" in kind.types and kind.items:
        node["items"] = {**as_type(kind.items), "x-source": source.at(each.line), "x-evidence": ["table"]}
    if kind.form:
        node["format"] = kind.form
    if each.enum:
        node["enum"] = [scalar(value, kind.types) for value in each.enum]
    if each.default:
        node["default"] = scalar(each.default, kind.types)
    said = {"title": each.title, "description": each.description}
    node |= {key: text for key, text in said.items() if text}
    return {**node, "x-source": source.at(each.line), "x-evidence": ["table"]}


def _holds_objects(each: Field) -> bool:
    kind = each.kind
    if "array" in kind.types:
        return kind.items is not None and (not kind.items or "object" in kind.items)
    return "object" in kind.types


def _contradiction(source: Source, each: Field, value: Any) -> None:
    """The table counts properties and the example has no place for them."""
    inside = value[0] if isinstance(value, list) and value else value
    if each.kind.count and value is not None and not isinstance(inside, (dict, list)):
        raise DeriveError(
            f"{source.at(each.line)}: the table gives {each.name!r} {each.kind.count} properties, "
            "but the example shows a single value there",
            "Make the example and the type of the field agree.",
        )


def _inner(observed: dict[str, Any]) -> dict[str, Any]:
    """The properties that the example shows of an object, or of the objects of an array."""
    inner = observed.get("items", observed)
    found: dict[str, Any] = inner.get("properties", {})
    return found


def _children(table: _Table, each: Field, samples: Sequence[dict[str, Any]]) -> tuple[list[Field], bool]:
    """The next fields that belong to this one, and whether that is a guess."""
    shown = {name for one in samples for name in one}
    inside = shown if each.kind.count is not None else shown | KNOWN_CHILDREN.get(each.name, frozenset())
    taken: list[Field] = []
    names: set[str] = set()
    limit = len(table.fields) if each.kind.count is None else each.kind.count
    while table.place < len(table.fields) and len(taken) < limit:
        below = table.fields[table.place]
        if below.name in names or not _belongs(table, each, below, inside):
            break
        taken.append(below)
        names.add(below.name)
        table.place += 1
    return taken, each.kind.count is None and not names <= shown


def _belongs(table: _Table, each: Field, below: Field, inside: set[str]) -> bool:
    """Whether a field is a child: by the count, unless the example says that it is not; by names without a count."""
    outside = below.name in table.example
    if each.kind.count is not None:
        return below.name in inside or not outside or not inside
    if below.name not in inside:
        return False
    again = table.later[below.name] > table.place
    return not outside or below.name in table.roots or again


def _collapsed(each: Field, node: dict[str, Any], observed: dict[str, Any]) -> dict[str, Any]:
    """A container that the table does not open, with the inside that the example shows."""
    if "array" in each.kind.types and "items" in observed and _open(node.get("items", {})):
        return {**node, "items": {**observed["items"], **node.get("items", {})}}
    if "object" in each.kind.types and "properties" in observed:
        return {**node, "properties": observed["properties"]}
    return node


def _open(items: dict[str, Any]) -> bool:
    """Whether the table leaves open what the elements are: any type, or objects without properties."""
    return not _listed(items) or "object" in _listed(items)
