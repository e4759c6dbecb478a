"""Mistakes that a request schema suggests for any operation: each one alone, in a field or at a place inside one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.forms import is_refused
from conformance.generate.merging import kinds
from conformance.generate.mutations import WRONG, Mutant, is_invalid, malformed, not_an_object, spread
from conformance.generate.placing import fields_at, plains_at, plains_of, put, without
from conformance.generate.values import properties, required

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

    from conformance.generate.documents import Document
    from conformance.generate.surface import Surface

    Plain = dict[str, Any]

_UNKNOWN = "no-such-value"
_NOTHING: tuple[tuple[str, Any], ...] = (("null-where-not-nullable", None), ("empty-string", ""), ("empty-array", []))
_MOST_ITEMS = 16
"""Items of a list that is made too long."""
_EXACT = 2**53
"""Beyond it, not every parser tells a number from its neighbours."""


def mistaken(surface: Surface, document: Document, body: Mapping[str, Any], random: Random) -> list[Mutant]:
    """Every mistake that can be made in a plain good body and that the schema forbids, in random order."""
    made = list(_made(surface, document, body))
    if surface.files:
        return spread(
            [each for each in made if is_refused(each.body or {}, each.pointer[1:], surface, document)], random
        )
    made += [*not_an_object(body), *malformed(body, list(body)[1])]
    return spread([each for each in made if is_invalid(each.text, [document])], random)


def _made(surface: Surface, document: Document, body: Mapping[str, Any]) -> Iterator[Mutant]:
    """The mistakes in fields and at places."""
    for path in _paths(surface, document):
        around = _around(surface, body, path)
        needed = _is_required(document, path)
        for name, detail, value in _wrong(plains_at(document, path), needed=needed):
            yield Mutant(name, f"/{path}", detail, put(around, path, value))
        if needed:
            yield Mutant("missing-required", f"/{path}", body=without(put(around, path, None), path))


def _paths(surface: Surface, document: Document) -> list[str]:
    """Where mistakes are made."""
    inner = [f"{name}/{field}" for name in surface.inside for field in fields_at(document, name)]
    fields = [name for name in [*properties(document), *inner] if name not in surface.left]
    every = dict.fromkeys([*fields, *required(document), *surface.places])
    return [path for path in every if path not in surface.tolerated]


def _around(surface: Surface, body: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The plain body with what a place needs around it."""
    top = path.partition("/")[0]
    inside = {top: surface.context[top]} if top in surface.context else {}
    needed = {surface.needs[top][0]: True} if top in surface.needs and not surface.files else {}
    return {**body, **inside, **needed}


def _is_required(document: Document, path: str) -> bool:
    """Whether a place must be there."""
    parent, _, last = path.rpartition("/")
    plains = plains_at(document, parent) if parent else plains_of(document)
    return any(last in plain.get("required", ()) for plain in plains)


def _wrong(plains: list[Plain], *, needed: bool) -> Iterator[tuple[str, str, Any]]:
    """(name, detail, value) of the values that no plain schema of a place allows, as far as can be told from them."""
    allowed = {kind for plain in plains for kind in _kinds(plain)}
    for kind, value in WRONG.items():
        if (
            kind not in allowed
            and not (kind == "integer" and "number" in allowed)
            and not (kind == "number" and "integer" in allowed)
        ):
            yield "wrong-type", kind, value
    if "integer" in allowed and "number" not in allowed:
        yield "not-an-integer", "", 1.5
    for name, nothing in _NOTHING if needed else ():
        yield name, "", nothing
    for plain in plains:
        yield from _beyond(plain)


def _kinds(plain: Plain) -> list[str]:
    """The types of what a plain schema allows; a schema that lists texts may leave out that they are."""
    return kinds(plain["type"]) if "type" in plain else ["string", "null"] if "enum" in plain else []


def _beyond(plain: Plain) -> Iterator[tuple[str, str, Any]]:
    """Values just beyond a bound, and one that is not listed."""
    step = 1 if "integer" in _kinds(plain) else 0.1
    if abs(plain.get("minimum", 0)) <= _EXACT and "minimum" in plain:
        yield "below-minimum", "", round(plain["minimum"] - step, 2)
    if abs(plain.get("maximum", 0)) <= _EXACT and "maximum" in plain:
        yield "above-maximum", "", round(plain["maximum"] + step, 2)
    if "enum" in plain:
        yield "unknown-value", "", _UNKNOWN
    if plain.get("maxItems", _MOST_ITEMS) < _MOST_ITEMS:
        yield "too-many-items", "", [str(number) for number in range(plain["maxItems"] + 1)]
