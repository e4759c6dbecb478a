"""Where a page and its own example say different things, and the page stands: only its author knows what is meant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conformance.derive.infer import json_type, types_of
from conformance.derive.paths import COMBINED, DEEPEST, index, values
from conformance.derive.side import PROTOCOL, Side, shown_at, spoken, stated
from conformance.reporting.visible import visible

MOST_REPORTED = 50
"""Contradictions of one body that are listed."""
_LONGEST_VALUE = 60
_LARGEST_VALUE = 2_000


def left_out(side: Side) -> None:
    """Required fields that the example leaves out."""
    for path, node in index(side.tree).items():
        shown = side.observed.get(path, {}).get("properties", {})
        for name in node.get("required", ()) if shown and stated(node) else ():
            child = node.get("properties", {}).get(name)
            if child is not None and name not in shown and not _has_row(side, path, name):
                where = f"{path}.{name}" if path else name
                words = ("required", f"the example in {shown_at(side, path)} leaves it out")
                side.report("", child, where, *words, "show it, or make it optional", repaired=False)


def _has_row(side: Side, path: str, name: str) -> bool:
    """The model of an answer has rows of its own, D12 and D13."""
    return side.name == "response" and not path and name == "model" and side.family.names_model


def contradictions(side: Side) -> None:
    """Values of the example that the finished schema refuses, one row a field: the schema stands."""
    found, seen = dict(_plain(side.tree)), set[str]()
    for path, value in () if side.body.example is None else values(side.body.example):
        node = found.get(path)
        if node is None or path in seen or len(seen) >= MOST_REPORTED:
            continue
        broken = next(_broken(node, value), None)
        if broken:
            seen.add(path)
            evidence = f"the example in {shown_at(side, path)} shows {_shown(value, broken)}"
            by = "" if stated(node) else f" by {PROTOCOL}"
            side.report("", node, path, broken + by, evidence, "the schema keeps it: mend the example", repaired=False)


def _plain(node: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node by its path, but nothing of a choice: which of its forms a value means is not known."""
    if not isinstance(node, dict) or depth > DEEPEST or any(word in node for word in COMBINED):
        return
    yield path, node
    for name, inner in node.get("properties", {}).items():
        yield from _plain(inner, f"{path}.{name}" if path else name, depth + 1)
    yield from _plain(node.get("items"), f"{path}[]", depth + 1)


def _broken(node: dict[str, Any], value: Any) -> Iterator[str]:
    """What the schema says that the value breaks: its type, its list of values, its bounds."""
    types = types_of(node)
    if types and not _fits(types, value):
        yield f"type {spoken(types)}"
    if "enum" in node and value not in node["enum"]:
        yield f"one of {', '.join(map(str, node['enum'][:8]))}"
    if isinstance(value, int | float) and not isinstance(value, bool) and not _within(node, value):
        yield f"{_span(node)}"
    for word, kind in (("maxLength", str), ("maxItems", list)):
        if word in node and isinstance(value, kind) and len(value) > node[word]:
            yield f"at most {node[word]} {'characters' if kind is str else 'items'}"


def _fits(types: tuple[str, ...], value: Any) -> bool:
    shown = json_type(value)
    whole = isinstance(value, float) and value.is_integer() and "integer" in types
    return shown in types or (shown == "integer" and "number" in types) or whole


def _within(node: dict[str, Any], value: float) -> bool:
    return bool(node.get("minimum", value) <= value <= node.get("maximum", value))


def _span(node: dict[str, Any]) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        return f"the range {low} to {high}"
    return f"at least {low}" if high is None else f"at most {high}"


def _shown(value: Any, broken: str) -> str:
    """The value in few characters, or its type where the type is what is wrong."""
    if isinstance(value, dict | list):
        return f"{json_type(value)} with {len(value)} entries"
    text = visible(json.dumps(value, ensure_ascii=False)[:_LARGEST_VALUE], _LONGEST_VALUE)
    return f"{json_type(value)} {text}" if broken.startswith("type") else text
