"""Fields that only a provider documents, where its page says enough to fill them: scalars, lists and flat objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from conformance.generate.merging import alternatives, kinds
from conformance.generate.values import REFERENCES, properties

if TYPE_CHECKING:
    from conformance.generate.documents import Document, Schema

MOST = 60
"""Fields of one provider that are sent; the first on its page."""

_SCALARS = frozenset({"string", "boolean", "integer", "number", "null"})


def own_fields(document: Document, known: Mapping[str, Schema], later: Iterable[str]) -> list[str]:
    """The names of these fields, without the `known` ones and those that are left for `later`."""
    other = {*known, *later}
    found = [name for name, schema in properties(document).items() if name not in other and _is_told(document, schema)]
    return found[:MOST]


def _is_told(document: Document, schema: Schema) -> bool:
    """Whether every alternative of a schema says what may be sent."""
    plains = [plain for plain, _, _ in alternatives(document, schema, REFERENCES)]
    return bool(plains) and all(_is_flat(document, plain) for plain in plains)


def _is_flat(document: Document, plain: Mapping[str, Any]) -> bool:
    """Whether a value is a scalar, a list of scalars or an object of scalars."""
    inner = {"array": _items, "object": _members}
    return "enum" in plain or all(
        kind in _SCALARS or _are_scalars(document, inner[kind](plain)) for kind in _kinds(plain)
    )


def _kinds(plain: Mapping[str, Any]) -> list[str]:
    """The types that are named; without any, anything may be sent, also what nobody can fill."""
    return kinds(plain["type"]) if "type" in plain else ["object"]


def _items(plain: Mapping[str, Any]) -> list[Schema]:
    return [plain.get("items", True)]


def _members(plain: Mapping[str, Any]) -> list[Schema]:
    """The schemas of an object's members; none where one is required that is not described."""
    described = plain.get("properties", {})
    others = plain.get("additionalProperties")
    if not described.keys() >= set(plain.get("required", ())):
        return []
    return [*described.values(), *([others] if isinstance(others, dict) else [])]


def _are_scalars(document: Document, schemas: Iterable[Schema]) -> bool:
    """Whether there are schemas, and each is one of scalars."""
    plains = [[plain for plain, _, _ in alternatives(document, schema, REFERENCES)] for schema in schemas]
    return bool(plains) and all(found and all(_is_scalar(plain) for plain in found) for found in plains)


def _is_scalar(plain: Mapping[str, Any]) -> bool:
    return "enum" in plain or ("type" in plain and _SCALARS.issuperset(kinds(plain["type"])))
