"""Where every part of a finished schema comes from, also the parts that the reference brought."""

from __future__ import annotations

from typing import Any

from conformance.derive.paths import COMBINED, DEEPEST
from conformance.derive.side import Side


def complete(side: Side) -> None:
    """Give every node a source and its evidence; one without is the protocol's, said of the node around it."""
    _complete(side.tree, side.document.source.at(side.body.line), 0)


def _complete(node: Any, source: str, depth: int) -> None:
    if not isinstance(node, dict) or depth > DEEPEST:
        return
    if not node.get("x-source"):
        node["x-source"] = source
    node.setdefault("x-evidence", ["reference"])
    for inner in _inside(node):
        _complete(inner, node["x-source"], depth + 1)


def _inside(node: dict[str, Any]) -> list[Any]:
    found = [*node.get("properties", {}).values(), node.get("items"), node.get("additionalProperties")]
    return [*found, *(each for word in COMBINED for each in node.get(word, ()))]
