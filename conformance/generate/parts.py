"""What a request schema consists of, and which of it some bodies have: measured on the bodies alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice
from typing import TYPE_CHECKING, Any

from conformance.errors import DataError
from conformance.generate.documents import Document
from conformance.generate.merging import KINDS, kinds

if TYPE_CHECKING:
    from conformance.generate.documents import Schema

NEVER = {
    "branch /max_tokens null": "a request without an output limit costs what it likes",
    "branch /max_completion_tokens null": "a request without an output limit costs what it likes",
    "pair max_completion_tokens + max_tokens": "two names for one limit contradict each other",
    "bound /model minLength": "the name of the model is given",
    "branch /messages/*(assistant)/content(null)": "only an answer that calls tools has no content",
}
"""Parts that no generated case has, and why."""

_LIMITS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
_OF_KIND = {kind: {"type": kind} for kind in KINDS}
_DEEPEST = 12
_MOST = 20_000
"""Parts of one schema: a page has some hundreds."""


@dataclass(frozen=True, order=True)
class Part:
    """One thing that a schema names: a field, a value, a bound, a branch, or two fields together."""

    id: str
    kind: str
    """property, enum, bound, branch or pair"""
    words: str


@dataclass(frozen=True)
class Coverage:
    """The parts of a schema, and the ids of those that some bodies have."""

    parts: tuple[Part, ...]
    covered: frozenset[str]

    @property
    def missing(self) -> tuple[Part, ...]:
        """Parts that no body has."""
        return tuple(part for part in self.parts if part.id not in self.covered)

    def share(self, kind: str = "") -> float:
        """How much is covered, 0 to 1: of one kind of part, or of all; 1 where there is none."""
        wanted = [part for part in self.parts if kind in {"", part.kind}]
        return sum(part.id in self.covered for part in wanted) / len(wanted) if wanted else 1.0


def coverage(bodies: Sequence[Mapping[str, Any]], schema: Schema) -> Coverage:
    """What of a schema the bodies of some requests have; parts that are never generated are left out.

    Raises DataError for a schema that cannot be read, or of too many parts.
    """
    document = Document(schema)
    every = chain(_named(document, document.root, "", (), set()), _pairs(_optional(document)))
    parts = {part.id: part for part in islice(every, _MOST)}
    if len(parts) == _MOST:
        raise DataError(f"the schema names more than {_MOST} parts")
    seen: set[str] = set()
    for body in bodies:
        seen.update(_seen(document, document.root, body, "", 0))
        seen.update(part.id for part in _pairs(name for name in _optional(document) if name in body))
    wanted = tuple(part for id_, part in parts.items() if id_ not in NEVER)
    return Coverage(wanted, frozenset(part.id for part in wanted if part.id in seen))


def _optional(document: Document) -> list[str]:
    """The fields at the top that may be left out."""
    top = _target(document, document.root)
    return [name for name in top.get("properties", {}) if name not in top.get("required", ())]


def _target(document: Document, schema: Schema) -> Mapping[str, Any]:
    """The schema behind references; a schema of `true` or `false` names nothing."""
    for _ in range(_DEEPEST):
        if not isinstance(schema, dict) or "$ref" not in schema:
            break
        schema = document.resolve(schema["$ref"])
    return schema if isinstance(schema, dict) else {}


def _pairs(names: Iterator[str] | Sequence[str]) -> Iterator[Part]:
    for one, other in combinations(sorted(names), 2):
        yield Part(f"pair {one} + {other}", "pair", f"{one} together with {other}")


def _named(
    document: Document, schema: Schema, at: str, trail: tuple[int, ...], walked: set[tuple[str, int]]
) -> Iterator[Part]:
    """Every part below a place, but not what lies inside itself, nor what was walked at the same place before."""
    target = _target(document, schema)
    if id(target) in trail or (at, id(target)) in walked or target.get("x-not-generated"):
        return
    walked.add((at, id(target)))
    below = (*trail, id(target))
    for value in _values(target):
        yield Part(f"enum {at} {value}", "enum", f"{at} is {value}")
    for limit in _LIMITS:
        if limit in target:
            yield Part(f"bound {at} {limit}", "bound", f"{at} at its {limit}, {target[limit]}")
    for kind in _kinds(target):
        yield Part(f"branch {at} {kind}", "branch", f"{at} is of type {kind}")
    for place, inner, kind in _inner(document, target, at):
        if kind:
            yield Part(f"{kind} {place}", kind, f"{place} is there")
        yield from _named(document, inner, place, below, walked)


def _values(target: Mapping[str, Any]) -> Iterator[str]:
    """The values that a schema lists; both of a boolean."""
    listed = target.get("enum", [target["const"]] if "const" in target else [])
    truths = [True, False] if "boolean" in kinds(target.get("type")) and "type" in target else []
    yield from (json.dumps(value, ensure_ascii=False) for value in [*listed, *truths])


def _kinds(target: Mapping[str, Any]) -> list[str]:
    """The types of a schema that has several."""
    found = kinds(target.get("type")) if "type" in target else []
    return found if len(found) > 1 else []


def _inner(document: Document, target: Mapping[str, Any], at: str) -> Iterator[tuple[str, Schema, str]]:
    """(place, schema, kind of part) of everything directly inside; no kind where the place is no part itself."""
    for name, inner in target.get("properties", {}).items():
        yield f"{at}/{name}", inner, "property"
    if isinstance(target.get("additionalProperties"), dict):
        yield f"{at}/*", target["additionalProperties"], "property"
    if "items" in target:
        yield f"{at}/*", target["items"], ""
    for inner in target.get("allOf", ()):
        yield at, inner, ""
    for either in ("anyOf", "oneOf"):
        for number, inner in enumerate(target.get(either, ())):
            branch = _target(document, inner)
            if not branch.get("x-not-generated"):
                yield f"{at}({branch.get('title', number)})", inner, "branch"


def _seen(document: Document, schema: Schema, value: Any, at: str, depth: int) -> Iterator[str]:
    """The ids of the parts that a value has."""
    target = _target(document, schema)
    if depth > 2 * _DEEPEST:
        return
    shown = json.dumps(value, ensure_ascii=False)
    yield from (f"enum {at} {each}" for each in _values(target) if each == shown)
    yield from (f"branch {at} {kind}" for kind in _kinds(target) if document.is_valid(_OF_KIND[kind], value))
    yield from _met(target, value, at)
    for place, inner, kind in _inner(document, target, at):
        for found in _found(place, at, value):
            if kind != "branch" or document.is_valid(inner, found):
                yield f"{kind} {place}"
                yield from _seen(document, inner, found, place, depth + 1)


def _met(target: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    """The bounds that a value just reaches."""
    for limit in ("minimum", "maximum"):
        if isinstance(value, int | float) and not isinstance(value, bool) and target.get(limit) == value:
            yield f"bound {at} {limit}"
    for limit, kind in (("minLength", str), ("maxLength", str), ("minItems", list), ("maxItems", list)):
        if isinstance(value, kind) and target.get(limit) == len(value):
            yield f"bound {at} {limit}"


def _found(place: str, at: str, value: Any) -> list[Any]:
    """The values at a place directly inside a value."""
    step = place.removeprefix(at)
    if not step.startswith("/"):
        return [value]
    if step == "/*":
        return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value[step[1:]]] if isinstance(value, dict) and step[1:] in value else []
