"""The nodes of a schema and of an example by path: `choices[].message.role`, the root is the empty path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DEEPEST = 64
MOST = 20_000
"""Values of one example that are looked at."""

COMBINED = ("anyOf", "oneOf", "allOf")


def nodes(schema: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node with its path, parents first; alternatives stand at the path of the node that offers them."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        return
    yield path, schema
    for name, inner in list(schema.get("properties", {}).items()):
        yield from nodes(inner, f"{path}.{name}" if path else name, depth + 1)
    yield from nodes(schema.get("items"), f"{path}[]", depth + 1)
    for word in COMBINED:
        for inner in schema.get(word, ()):
            yield from nodes(inner, path, depth + 1)


def index(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The first node of every path."""
    found: dict[str, dict[str, Any]] = {}
    for path, node in nodes(schema):
        found.setdefault(path, node)
    return found


def parent(path: str) -> tuple[str, str]:
    """The path of the object that holds a property, and the name of the property."""
    above, _, name = path.rpartition(".")
    return above, name


def values(example: Any) -> Iterator[tuple[str, Any]]:
    """Every value of an example with its path; elements of an array share one path."""
    todo: list[tuple[str, Any]] = [("", example)]
    for _ in range(MOST):
        if not todo:
            return
        path, value = todo.pop()
        yield path, value
        if isinstance(value, dict):
            inner = [(f"{path}.{name}" if path else name, each) for name, each in value.items()]
        elif isinstance(value, list):
            inner = [(f"{path}[]", each) for each in value]
        else:
            continue
        todo += reversed(inner)
