"""Several pages that document one operation, as one schema: what a table says beats what an example shows."""

from __future__ import annotations

import json
from functools import reduce
from typing import TYPE_CHECKING, Any

from conformance.derive.nouns import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

_STATED = frozenset({"table", "openapi", "prose"})
_COMBINED = frozenset({"anyOf", "oneOf", "allOf"})
_NOTES = ("title", "description", "default", "examples")
_ORDER = {word: place for place, word in enumerate(EVIDENCE)}
_MOST_CHOICES = 20


def merge(schemas: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One schema that allows what the given ones document, with the sources of each in `x-sources`."""
    return reduce(_merged, schemas)


def _merged(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    better, worse = (left, right) if _is_stated(left) or not _is_stated(right) else (right, left)
    if _bare(better) == _bare(worse):
        found = dict(better)
    elif _is_stated(better) != _is_stated(worse) and not _both_have_parts(better, worse):
        found = {**{key: worse[key] for key in _NOTES if key in worse}, **better}
    elif _COMBINED & (better.keys() | worse.keys()):
        found = _either(better, worse)
    else:
        found = _combined(better, worse)
    return {**found, **_provenance(better, worse)}


def _combined(better: dict[str, Any], worse: dict[str, Any]) -> dict[str, Any]:
    """Both say something about the same value."""
    found = {**{key: worse[key] for key in _NOTES if key in worse}, **_agreed(better, worse)}
    if "properties" in better and "properties" in worse:
        found["properties"] = _properties(better["properties"], worse["properties"])
    elif "properties" in worse:
        found["properties"] = worse["properties"]
    if isinstance(better.get("items"), dict) and isinstance(worse.get("items"), dict):
        found["items"] = _merged(better["items"], worse["items"])
    elif "items" in worse:
        found.setdefault("items", worse["items"])
    required = _required(better, worse)
    found.pop("required", None)
    return {**found, "required": required} if required else found


def _agreed(better: dict[str, Any], worse: dict[str, Any]) -> dict[str, Any]:
    """The better one's facts; of two that are equally well known, only what both state, or what holds for both."""
    if _is_stated(better) != _is_stated(worse):
        return dict(better)
    shared = {key: value for key, value in better.items() if key in _NOTES or _same(better, worse, key)}
    types = dict.fromkeys([*_types(better), *_types(worse)])
    if types and _types(better) and _types(worse):
        shared["type"] = next(iter(types)) if len(types) == 1 else list(types)
    if "enum" in better and "enum" in worse:
        shared["enum"] = [*better["enum"], *(each for each in worse["enum"] if each not in better["enum"])]
    for key in ("properties", "items"):
        if key in better:
            shared[key] = better[key]
    return shared


def _same(better: dict[str, Any], worse: dict[str, Any], key: str) -> bool:
    """Whether both say the same under a keyword, wherever they say it."""
    if key == "additionalProperties":
        return key in worse and _bare(better[key]) == _bare(worse[key])
    return bool(worse.get(key) == better[key])


def _properties(better: dict[str, Any], worse: dict[str, Any]) -> dict[str, Any]:
    """Every property of either, in the order of the first."""
    return {
        name: _merged(better[name], worse[name]) if name in better and name in worse else {**worse, **better}[name]
        for name in [*better, *(name for name in worse if name not in better)]
    }


def _required(better: dict[str, Any], worse: dict[str, Any]) -> list[str]:
    """What all that show a table call required; an example alone only shows that a field can be there."""
    if _is_stated(better) and not _is_stated(worse):
        return sorted(better.get("required", []))
    return sorted(set(better.get("required", [])) & set(worse.get("required", [])))


def _either(better: dict[str, Any], worse: dict[str, Any]) -> dict[str, Any]:
    """A choice between the two."""
    choices: dict[str, dict[str, Any]] = {}
    for schema in (better, worse):
        for choice in schema["anyOf"] if set(_bare(schema)) == {"anyOf"} else [schema]:
            choices.setdefault(json.dumps(_bare(choice), sort_keys=True), choice)
    notes = {key: schema[key] for schema in (worse, better) for key in _NOTES if key in schema}
    return {**notes, "anyOf": list(choices.values())[:_MOST_CHOICES]}


def _provenance(better: dict[str, Any], worse: dict[str, Any]) -> dict[str, Any]:
    """Where the merged fact stands, best place first."""
    sources = list(dict.fromkeys(place for schema in (better, worse) for place in _sources(schema)))
    words = {word for schema in (better, worse) for word in schema.get("x-evidence", [])}
    found: dict[str, Any] = {"x-source": sources[0]} if sources else {}
    if len(sources) > 1:
        found["x-sources"] = sources
    if words:
        found["x-evidence"] = sorted(words, key=lambda word: (_ORDER.get(word, len(_ORDER)), word))
    return found


def _sources(schema: dict[str, Any]) -> list[str]:
    return schema.get("x-sources") or [place for place in (schema.get("x-source"),) if place]


def _is_stated(schema: dict[str, Any]) -> bool:
    """Whether somebody wrote this down, and not only showed an example."""
    return bool(_STATED & set(schema.get("x-evidence", []))) and not schema.get("x-weak")


def _both_have_parts(better: dict[str, Any], worse: dict[str, Any]) -> bool:
    return any(key in better and key in worse for key in ("properties", "items"))


def _types(schema: dict[str, Any]) -> list[str]:
    found = schema.get("type", [])
    return [found] if isinstance(found, str) else list(found)


def _bare(schema: Any) -> Any:
    """The schema without what does not judge a value."""
    if isinstance(schema, list):
        return [_bare(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if not key.startswith("x-") and key not in _NOTES}
    return {
        key: {name: _bare(each) for name, each in value.items()} if key == "properties" else _bare(value)
        for key, value in kept.items()
    }
