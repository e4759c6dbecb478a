"""Places inside a request, named by paths such as `messages/0/role`: what stands there, what a schema says of it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from conformance.generate.merging import alternatives
from conformance.generate.values import REFERENCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.generate.documents import Document

    Plain = dict[str, Any]


def plains_at(document: Document, path: str) -> list[Plain]:
    """The plain schemas of a place; none where the document says nothing of it."""
    found = plains_of(document)
    for step in path.split("/"):
        found = [below for plain in found for below in _below(document, plain, step)]
    return found


def plains_of(document: Document) -> list[Plain]:
    """The plain schemas of a whole request."""
    return _plains(document, document.root)


def fields_at(document: Document, path: str) -> list[str]:
    """The fields of the object at a place."""
    return list(dict.fromkeys(name for plain in plains_at(document, path) for name in plain.get("properties", ())))


def _plains(document: Document, schema: Any) -> list[Plain]:
    return [plain for plain, _, _ in alternatives(document, schema, REFERENCES)]


def _below(document: Document, plain: Plain, step: str) -> list[Plain]:
    """The plain schemas one step below a plain one."""
    if step.isdecimal() and "items" in plain:
        return _plains(document, plain["items"])
    inner = plain.get("properties", {}).get(step, plain.get("additionalProperties"))
    return _plains(document, inner) if isinstance(inner, dict) else []


def put(body: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the body with a value at a place; objects that lead there are made."""
    changed, container, last = _opened(body, path)
    container[last] = value
    return changed


def without(body: Mapping[str, Any], path: str) -> dict[str, Any]:
    """A copy of the body without what stands at a place."""
    changed, container, last = _opened(body, path)
    container.pop(last)
    return changed


def _opened(body: Mapping[str, Any], path: str) -> tuple[dict[str, Any], Any, Any]:
    """A copy of the body, the container in it that a path leads to, and the last step."""
    changed = deepcopy(dict(body))
    container: Any = changed
    *way, last = path.split("/")
    for step in way:
        container = container[int(step)] if isinstance(container, list) else container.setdefault(step, {})
    return changed, container, int(last) if isinstance(container, list) else last
