"""What descriptions say in words becomes limits and lists of values; limits of the protocol fill what is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.derive.infer import types_of
from conformance.derive.paths import COMBINED, nodes
from conformance.derive.prose import Said
from conformance.derive.reference import Fact
from conformance.derive.side import PROTOCOL, Side, prove, said_of

_KEYWORDS = ("minimum", "maximum", "minItems", "maxItems", "minLength")


def read_words(side: Side) -> None:
    """D6, D21: ranges, counts and lists of values in prose; ranges of the protocol where the page has none."""
    facts = {fact.path: fact for fact in side.facts}
    for path, node in nodes(side.tree):
        fact = facts.pop(path, None)
        said = said_of(node)
        _limits(node, said)
        if fact and fact.open_row and (listed := said.enum or tuple(map(str, node.get("enum", ())))):
            _opened(side, node, fact, listed)
        elif said.enum:
            _listed(node, said.enum)
        if fact:
            _completed(node, fact)
        if path == "stream" and "[DONE]" in node.get("description", "") and "终止" in node["description"]:
            side.report("D21", node, path, *_GARBLED, repaired=False)


_GARBLED = (
    "the description of streaming cannot be understood",
    "it says that [DONE] is sent and then that the stream is ended by a message",
    "events `data: {chunk}`, the last one `data: [DONE]`",
)


def _limits(node: dict[str, Any], said: Said) -> None:
    """Ranges and counts from prose, on the keyword that fits the type; an example outside of them is a defect."""
    kinds = set(types_of(node))
    target = node
    if "additionalProperties" in node and isinstance(node["additionalProperties"], dict):
        target, kinds = node["additionalProperties"], kinds | {"number"}
    limits: dict[str, Any] = {}
    if kinds & {"number", "integer"}:
        limits |= {"minimum": said.minimum, "maximum": said.maximum}
    if "array" in kinds:
        limits["maxItems"] = said.most_items
    if kinds == {"string"}:
        limits["maxLength"] = said.most_letters
    fresh = {key: value for key, value in limits.items() if value is not None and key not in target}
    if fresh:
        target |= fresh
        prove(node, "prose")
        prove(target, "prose")


def _opened(side: Side, node: dict[str, Any], fact: Fact, listed: tuple[str, ...]) -> None:
    """D6: a list of values that leaves some out is no enumeration."""
    missing = [value for value in fact.values if value not in listed]
    if not missing:
        return
    node.pop("enum", None)
    node["examples"] = list(fact.values)
    evidence = f"{PROTOCOL} has {', '.join(missing)} as well"
    side.report(fact.open_row, node, fact.path, " | ".join(listed[:8]), evidence, "any string: list all values")


def _listed(node: dict[str, Any], listed: tuple[str, ...]) -> None:
    """Values that prose names, if the field is a text; an example that is none of them is a defect."""
    kinds = set(types_of(node))
    if kinds - {"null"} != {"string"} or "enum" in node:
        return
    node["enum"] = [*listed, *([None] if "null" in kinds else [])]
    node["x-weak"] = True
    prove(node, "prose")


def _completed(node: dict[str, Any], fact: Fact) -> None:
    """Limits of the protocol, where the page names none."""
    if any(word in node for word in COMBINED):
        return
    filled = [_fill(node, fact.schema)]
    if isinstance(node.get("additionalProperties"), dict):
        filled.append(_fill(node["additionalProperties"], fact.schema.get("additionalProperties", {})))
    if any(filled):
        prove(node, "reference")


def _fill(node: dict[str, Any], ruled: Mapping[str, Any]) -> bool:
    """Add the limits that are missing; whether there were any."""
    fresh = {key: ruled[key] for key in _KEYWORDS if key in ruled and key not in node}
    node |= fresh
    return bool(fresh)
