"""Where a table and its own example say different things, and the table stands: only its author knows what is meant."""

from __future__ import annotations

from typing import Any

from conformance.derive.infer import types_of
from conformance.derive.paths import index
from conformance.derive.side import Side, shown_at, spoken, stated

_SCALARS = frozenset(("string", "integer", "number", "boolean"))


def disagreements(side: Side) -> None:
    """Required fields that the example leaves out, and single values of another type."""
    for path, node in index(side.tree).items():
        if stated(node):
            _left_out(side, path, node)
            _another_type(side, path, node)


def _left_out(side: Side, path: str, node: dict[str, Any]) -> None:
    shown = side.observed.get(path, {}).get("properties", {})
    for name in node.get("required", ()) if shown else ():
        child = node.get("properties", {}).get(name)
        if child is not None and name not in shown:
            where = f"{path}.{name}" if path else name
            words = ("required", f"the example in {shown_at(side, path)} leaves it out", "show it, or make it optional")
            side.report("", child, where, *words, repaired=False)


def _another_type(side: Side, path: str, node: dict[str, Any]) -> None:
    ours, shown = types_of(node), types_of(side.observed.get(path, {}))
    known = any(fact.path == path and fact.type_row for fact in side.facts)
    numbers = set(ours) & {"integer", "number"} and set(shown) <= {"integer", "number"}
    if known or numbers or not ours or not set(shown) - set(ours) or not {*ours, *shown} <= _SCALARS:
        return
    evidence = f"the example in {shown_at(side, path)} shows {spoken(shown)}"
    words = (f"type {spoken(ours)}", evidence, "make the example and the type agree; the type of the table counts")
    side.report("", node, path, *words, repaired=False)
