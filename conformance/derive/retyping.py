"""Types that a page gets wrong: what the protocol, the description or the example has instead."""

from __future__ import annotations

import copy
from typing import Any

from conformance.derive.infer import as_type, merge, types_of
from conformance.derive.paths import COMBINED, index, parent
from conformance.derive.prose import Said
from conformance.derive.reference import MONEY, WHOLE, Fact
from conformance.derive.side import PROTOCOL, Side, prove, said_of, shown_at, spoken, stated

_CONTAINERS = frozenset(("array", "object"))


def known_types(side: Side) -> None:
    """D1, D2, D3, D4, D7, D8, D10: the type that the protocol has, for every field that it knows."""
    found = index(side.tree)
    for fact in side.facts:
        node = found.get(fact.path)
        if node is not None and not any(word in node for word in COMBINED):
            _settle(side, node, fact)


def _settle(side: Side, node: dict[str, Any], fact: Fact) -> None:
    ours, theirs = types_of(node), types_of(dict(fact.schema))
    said = said_of(node)
    differs = bool(set(ours) - {"null"} ^ set(theirs) - {"null"}) and (bool(ours) or not stated(node))
    node |= as_type(_united(ours, theirs, keep=not fact.type_row and stated(node)))
    if "items" in fact.schema:
        seen = side.observed.get(fact.path, {}).get("items", {})
        ruled = copy.deepcopy(fact.schema["items"])
        node["items"] = {**merge(node.get("items", {}), seen), **ruled, **_kept_items(node, seen)}
    if "additionalProperties" in fact.schema:
        node.setdefault("additionalProperties", {"type": fact.schema["additionalProperties"]["type"]})
    if not stated(node):
        node.pop("x-weak", None)
    grounds = _grounds(side, said, fact)
    narrower = ours != ("null",) and set(ours) < set(theirs) and grounds == ("reference",)
    if differs and stated(node) and not narrower:
        prove(node, *grounds)
        documented = f"type {spoken(ours)}"
        side.report(fact.type_row, node, fact.path, documented, _evidence(side, said, fact), _promise(node, fact, said))
    elif differs or set(ours) != set(types_of(node)):
        prove(node, "reference")


def _united(ours: tuple[str, ...], theirs: tuple[str, ...], *, keep: bool) -> tuple[str, ...]:
    """The protocol's types; null where the page has it too; the page's own where no row calls them a mistake."""
    extra = ours if keep else tuple(kind for kind in ours if kind == "null")
    return (*theirs, *extra)


def _kept_items(node: dict[str, Any], seen: dict[str, Any]) -> dict[str, Any]:
    """Properties of elements that the page or its example shows stay beside those of the protocol."""
    shown = {**seen.get("properties", {}), **node.get("items", {}).get("properties", {})}
    return {"properties": shown} if shown else {}


def _grounds(side: Side, said: Said, fact: Fact) -> tuple[str, ...]:
    """The evidence words for what contradicts the stated type."""
    prose = said.fraction or said.most_items is not None or said.minimum is not None
    contained = bool(set(types_of(side.observed.get(fact.path, {}))) & _CONTAINERS)
    return ("prose",) * prose + ("example",) * contained + ("reference",)


def _evidence(side: Side, said: Said, fact: Fact) -> str:
    """What contradicts a stated type, best first, in words."""
    shown = types_of(side.observed.get(fact.path, {}))
    if shown and set(shown) & _CONTAINERS:
        return f"the example in {shown_at(side, fact.path)} shows an {shown[0]}"
    if said.minimum is not None and said.maximum is not None:
        return f"its own description has the range {said.minimum} to {said.maximum}"
    if said.most_items is not None:
        return f"its own description speaks of up to {said.most_items} of them"
    if said.fraction:
        return "its own description has values with a decimal point"
    return f"{PROTOCOL} has {spoken(types_of(dict(fact.schema)))}"


def _promise(node: dict[str, Any], fact: Fact, said: Said) -> str:
    """The type that the node has now, and the bounds that it will have: its own, then those of words, then ours."""
    holder = fact.schema.get("additionalProperties", fact.schema)
    low = _first(node.get("minimum"), said.minimum, holder.get("minimum"))
    high = _first(node.get("maximum"), said.maximum, holder.get("maximum"))
    span = f", from {low} to {high}" if low is not None and high is not None else ""
    most = _first(node.get("maxItems"), said.most_items, fact.schema.get("maxItems"))
    return f"type {spoken(types_of(node))}{span}" + (f", a list has at most {most}" if most is not None else "")


def _first(*bounds: float | None) -> float | None:
    return next((each for each in bounds if each is not None), None)


def other_types(side: Side) -> None:
    """D1, D4, D10 and D32 for fields that the protocol does not know."""
    known = {fact.path for fact in side.facts}
    for path, node in index(side.tree).items():
        if path in known or any(word in node for word in COMBINED):
            continue
        for mend in (_contained, _fraction, _null_only):
            mend(side, path, node)


def _contained(side: Side, path: str, node: dict[str, Any]) -> None:
    """D4: about containers the example is right: both forms are allowed."""
    ours, seen = types_of(node), side.observed.get(path, {})
    shown = types_of(seen)
    if not (stated(node) and ours and shown) or set(shown) <= set(ours) or not _CONTAINERS & {*ours, *shown}:
        return
    if ours == ("null",):
        return
    node |= {key: seen[key] for key in ("items", "properties") if key in seen}
    node |= as_type((*ours, *shown))
    prove(node, "example")
    documented, evidence = f"type {spoken(ours)}", f"the example in {shown_at(side, path)} shows {spoken(shown)}"
    side.report("D4", node, path, documented, evidence, f"type {spoken(types_of(node))}")


def _fraction(side: Side, path: str, node: dict[str, Any]) -> None:
    """D1 and D32: a whole number is stated, but description, example or the nature of money have fractions."""
    kinds = types_of(node)
    if "integer" not in kinds:
        return
    shown = "number" in types_of(side.observed.get(path, {})) and not WHOLE.fullmatch(parent(path)[1])
    money = parent(path)[1].rpartition("_")[2].lower() in MONEY
    said = said_of(node)
    if not (said.fraction or shown or money):
        return
    node |= as_type(tuple("number" if kind == "integer" else kind for kind in kinds))
    if not stated(node):
        return
    prove(node, "prose" if said.fraction else "example" if shown else "reference")
    example = f"the example in {shown_at(side, path)} shows"
    why = "its description has" if said.fraction else example if shown else "amounts of money have"
    row = "D32" if money or shown else "D1"
    unit = "; say the unit, it is not always US dollars" if money else ""
    side.report(row, node, path, "type integer", f"{why} values with a decimal point", f"type number{unit}")


def _null_only(side: Side, path: str, node: dict[str, Any]) -> None:
    """D10: the type null alone was read off an example; what else stands there is not known."""
    if types_of(node) != ("null",) or not stated(node):
        return
    shown = types_of(side.observed.get(path, {}))
    if shown:
        node |= as_type((*shown, "null"))
    else:
        del node["type"]
    node["x-weak"] = True
    evidence = f"the example shows {spoken(shown)}" if shown else "a field that is always null has no use"
    side.report("D10", node, path, "type null", evidence, f"{spoken(types_of(node))}, null allowed: state the type")
