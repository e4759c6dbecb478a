"""A schema document made ready for generating: one spelling, local references only, validators at hand."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import jsonschema_rs

from conformance.errors import DataError
from conformance.generate.weighing import refuse_heavy

if TYPE_CHECKING:
    from collections.abc import Mapping

    Schema = Mapping[str, Any] | bool

DEEPEST = 40
"""Levels of nesting that a schema may have; the request schemas of OpenAI's own document have about fifteen."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_HOME = "https://schema.invalid/root"
_ONE = frozenset(
    {"items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"}
    | {"unevaluatedItems", "unevaluatedProperties", "contentSchema"}
)
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "schemas", "dependentSchemas"})
_SIZES = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_IN_PLACE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else"})
_DROPPED = frozenset(
    {"$id", "$schema", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"}
    | {"dependencies", "nullable"}
)
"""Other addresses than `$ref`, and keywords of other drafts."""
_IN_FRAGMENTS = "/%!$&'()*+,;=:@?"
"""What may stand in a fragment as it is (RFC 3986, section 3.5); pages write names in Chinese there."""
_SCHEMA, _MAP = "schema", "map"
_LONGEST_INDEX = 5
_LONGEST_CHAIN = 100
_LONGEST_PATTERN = 200
# A repetition of a repetition, or of thousands: drawing or checking would not end in time.
_RUNAWAY = re.compile(r"[+*}]\)+[+*{]|\{\d*,?\d{4,}|\{\d{4,}")


class Document:
    """A self-contained JSON Schema (2020-12 or as OpenAPI 3.0 spells it) and what is asked of its parts.

    Raises DataError for a schema that cannot be used: nested too deeply, a reference that leads nowhere, references
    that multiply.
    """

    def __init__(self, root: Schema) -> None:
        self.root: Any = self.part(root)
        self.memo: dict[Any, Any] = {}
        """Room for what is worth computing once for each document."""
        self.work = 0
        """How much merging its combinations took so far."""
        self._registry = _registry(self.root)
        self._validators: dict[str, Any] = {}
        self._refuse_circles()
        refuse_heavy(self.root, self.resolve)
        self._by_identity: dict[int, tuple[Schema, Any]] = {}

    @staticmethod
    def part(schema: Schema) -> Any:
        """A schema from outside, spelled like this document, into which its references lead."""
        found = _normal(schema, 0)
        try:
            json.dumps(found, allow_nan=False)
            usable = jsonschema_rs.meta.is_valid({"$schema": _DIALECT, "allOf": [found]})
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(f"not a usable schema: {error}") from error
        if not usable:
            raise DataError("not a usable schema", "is it JSON Schema, or what OpenAPI makes of it?")
        return found

    def resolve(self, pointer: str) -> Schema:
        """The part of the document that a `$ref` names."""
        found: Any = self.root
        place = _SCHEMA
        for step in pointer.removeprefix(_HOME).removeprefix("#").split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            place = _place_below(place, key)
            found = _below(found, key) if place else None
        if not isinstance(found, dict | bool):
            raise DataError(f"the schema refers to {pointer.removeprefix(_HOME)!r}, which it does not have")
        return found

    def _refuse_circles(self) -> None:
        """Refuse a reference that leads back to itself without going into the value: no validator ends on it."""
        done: set[str] = set()
        for start in _references(self.root, in_place=False):
            path: list[tuple[str, list[str]]] = [(start, _references(self.resolve(start)))]
            while path:
                pointer, left = path[-1]
                following = left.pop() if left else ""
                if len(path) > _LONGEST_CHAIN:
                    raise DataError(f"the schema follows more than {_LONGEST_CHAIN} references, one to the next")
                if any(following == earlier for earlier, _ in path):
                    raise DataError(f"the schema refers from {following.removeprefix(_HOME)!r} to itself")
                if not following:
                    done.add(pointer)
                    path.pop()
                elif following not in done:
                    path.append((following, _references(self.resolve(following))))

    def is_valid(self, schema: Schema, value: Any) -> bool:
        """Whether a value satisfies a part of this document; False for numbers that the validator cannot hold."""
        known = self._by_identity.get(id(schema))
        if known is None:
            known = self._by_identity[id(schema)] = (schema, self._compiled(schema))
        try:
            return bool(known[1].is_valid(value))
        except (ValueError, OverflowError):
            return False

    def accepts(self, value: Any) -> bool:
        """Whether a value satisfies the whole document."""
        return self.is_valid(self.root, value)

    def _compiled(self, schema: Schema) -> Any:
        """The validator of a part; equal parts share one."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {"$schema": _DIALECT, **schema} if isinstance(schema, dict) else bool(schema)
            try:
                self._validators[key] = jsonschema_rs.validator_for(whole, registry=self._registry)
            except (ValueError, jsonschema_rs.ReferencingError) as error:
                raise DataError(f"not a usable schema: {str(error)[:200]}") from error
        return self._validators[key]


def _registry(root: Any) -> Any:
    """What references are looked up in."""
    try:
        return jsonschema_rs.Registry([(_HOME, root)])
    except ValueError as error:
        raise DataError(f"not a usable schema: {str(error)[:200]}") from error


def _place_below(place: str, key: str) -> str:
    """What lies one step below a place; empty where schemas are not kept, and so were not made ready."""
    if place == "components":
        return _MAP if key == "schemas" else ""
    if place == _MAP:
        return _SCHEMA
    if key == "components":
        return key
    return _MAP if key in _NAMED | _MANY else _SCHEMA if key in _ONE else ""


def _below(found: Any, key: str) -> Any:
    """The value one step below; None where there is none."""
    if isinstance(found, list) and key.isdecimal() and len(key) < _LONGEST_INDEX:
        return dict(enumerate(found)).get(int(key))
    return found.get(key) if isinstance(found, dict) else None


def _references(schema: Any, *, in_place: bool = True) -> list[str]:
    """The references in a schema; `in_place`: only those that apply to the same value as the schema itself."""
    if isinstance(schema, list):
        return [found for inner in schema for found in _references(inner, in_place=in_place)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"]] if isinstance(schema.get("$ref"), str) and schema["$ref"].startswith(_HOME) else []
    below = [inner for key, inner in schema.items() if not in_place or key in _IN_PLACE]
    return own + [found for inner in below for found in _references(inner, in_place=in_place)]


def _normal(schema: Any, depth: int) -> Any:
    """The schema in one spelling: no addresses, `nullable` as a type, bounds as numbers, patterns that can be used."""
    if isinstance(schema, bool):
        return schema
    if not isinstance(schema, dict) or depth > DEEPEST:
        raise DataError("a schema must be an object or a boolean, and not nested deeper than 40 levels")
    found = {key: _keyword(key, value, depth) for key, value in schema.items() if key not in _DROPPED}
    found = _numeric_bounds(found)
    found |= {size: int(found[size]) for size in _SIZES if isinstance(found.get(size), float)}
    if "pattern" in found and not is_usable_pattern(found["pattern"]):
        del found["pattern"]
    return _nullable(found) if schema.get("nullable") is True else found


def _keyword(key: str, value: Any, depth: int) -> Any:
    """The value of one keyword, schemas in it in one spelling."""
    if key == "$ref":
        if not isinstance(value, str) or not value.startswith("#"):
            raise DataError(f"the schema refers to {str(value)[:100]!r}, which is not in the same document")
        return f"{_HOME}#{quote(value[1:], safe=_IN_FRAGMENTS, errors='replace')}"
    if key in _ONE:
        return _normal(value, depth + 1)
    if key in _MANY and isinstance(value, list):
        return [_normal(inner, depth + 1) for inner in value]
    if key in _NAMED and isinstance(value, dict):
        usable = value.items() if key != "patternProperties" else _usable(value).items()
        return {name: _normal(inner, depth + 1) for name, inner in usable}
    if key == "components" and isinstance(value, dict):
        return {name: _keyword(name, inner, depth) for name, inner in value.items() if name == "schemas"}
    return value


def _usable(patterns: Mapping[str, Any]) -> dict[str, Any]:
    return {pattern: schema for pattern, schema in patterns.items() if is_usable_pattern(pattern)}


def _numeric_bounds(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0 says `exclusiveMinimum: true` beside `minimum`."""
    for strict, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(strict), bool):
            is_strict = schema.pop(strict)
            if is_strict and bound in schema:
                schema[strict] = schema.pop(bound)
    return schema


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, or null: what `nullable: true` means."""
    kinds = schema.get("type")
    if "$ref" in schema or kinds is None:
        return {"anyOf": [schema, {"type": "null"}]}
    listed = kinds if isinstance(kinds, list) else [kinds]
    widened = schema | {"type": listed if "null" in listed else [*listed, "null"]}
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        widened["enum"] = [*schema["enum"], None]
    return {"anyOf": [schema, {"type": "null"}]} if {"allOf", "anyOf", "oneOf", "const"} & schema.keys() else widened


def is_usable_pattern(pattern: Any) -> bool:
    """Whether a pattern can be drawn from and checked: it reads as a regular expression here and in the validator."""
    if not isinstance(pattern, str) or len(pattern) > _LONGEST_PATTERN or _RUNAWAY.search(pattern):
        return False
    try:
        re.compile(pattern)
        jsonschema_rs.validator_for({"type": "string", "pattern": pattern})
    except (re.error, ValueError, OverflowError, RecursionError):
        return False
    return True
