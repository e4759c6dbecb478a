"""A schema as documented to one that an honest relay fits: every row of the defect table that is about a body.

A repair never goes silently: what a page states and the repair changes is a `Defect`, and the node says `repair Dnn`
in `x-evidence`. What only an example shows is no statement; there the reference just completes it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conformance.derive.defects import page_defects
from conformance.derive.infer import as_type, infer, merge, types_of
from conformance.derive.nouns import Body, Defect, Document, Endpoint
from conformance.derive.paths import COMBINED, index, nodes, parent, values
from conformance.derive.prose import Said, read_prose
from conformance.derive.reference import MONEY, Fact, Family, family_of

__all__ = ["page_defects", "repair"]

_STATED = frozenset(("table", "openapi"))
_CONTAINERS = frozenset(("array", "object"))
_KEYWORDS = ("minimum", "maximum", "minItems", "maxItems", "minLength", "additionalProperties")
_PROTOCOL = "the protocol (OpenAI's document and SDK)"


@dataclass
class _Side:
    """One body while it is repaired: `tree` is our own copy, and `defects` grows."""

    name: str
    """request, response"""
    document: Document
    body: Body
    operation: str
    family: Family
    tree: dict[str, Any]
    observed: dict[str, dict[str, Any]]
    """What the example proves, by path."""
    shown: dict[str, list[Any]]
    """The plain values of the example, by path."""
    defects: list[Defect] = field(default_factory=list)

    @property
    def facts(self) -> tuple[Fact, ...]:
        return self.family.request if self.name == "request" else self.family.response

    def report(self, row: str, node: dict[str, Any], path: str, *words: str, repaired: bool = True) -> None:
        """Add a defect; `words` are what is documented, the evidence against it, and the repair."""
        where = node.get("x-source") or self.document.source.at(self.body.line)
        documented, evidence, mended = words
        place = f"{self.name} {path}".strip()
        self.defects.append(Defect(row, where, place, documented, evidence, mended, repaired))
        if repaired:
            prove(node, f"repair {row}" if row else "repair")


def repair(document: Document, endpoint: Endpoint, operation: str) -> tuple[dict[str, Any], list[Defect]]:
    """The finished schemas of one endpoint, `{"$defs": {"request": …, "response": …}}`, and the mistakes they mend.

    `operation` is an id such as `chat`, or empty when it is not known; then the path decides which facts hold.
    A body that is not documented has no key. The document is left as it was.
    """
    name, family = family_of(operation, endpoint.url)
    found: dict[str, Any] = {}
    defects: list[Defect] = []
    for side_name, body in (("request", endpoint.request), ("response", endpoint.response)):
        if body is None or body.schema is None:
            continue
        side = _side(side_name, document, body, name, family)
        for step in _STEPS:
            step(side)
        found[side_name] = side.tree
        defects += side.defects
    return {"$defs": found}, defects


def _side(name: str, document: Document, body: Body, operation: str, family: Family) -> _Side:
    observed = {} if body.example is None else index(infer(body.example, document.source, body.example_line))
    shown: dict[str, list[Any]] = {}
    for path, value in values(body.example):
        if not isinstance(value, (dict, list)) and value is not None:
            shown.setdefault(path, []).append(value)
    return _Side(name, document, body, operation, family, copy.deepcopy(body.schema or {}), observed, shown)


def prove(node: dict[str, Any], *words: str) -> None:
    """Add words to the evidence of a node, each once."""
    node["x-evidence"] = list(dict.fromkeys([*node.get("x-evidence", ()), *words]))


def stated(node: dict[str, Any]) -> bool:
    """Whether a page states the node, and an example does not only show it."""
    return not _STATED.isdisjoint(node.get("x-evidence", ()))


def _spoken(types: tuple[str, ...]) -> str:
    return " | ".join(types) if types else "any type"


# Steps, in the order in which they run.


def _binary(side: _Side) -> None:
    """D31: a remark stands where the JSON of the answer should: the answer is a file."""
    remark = side.body.example_line and side.body.example is None and "json" in side.body.media_type
    if side.name != "response" or not remark or side.tree.get("properties"):
        return
    node = {"contentMediaType": "application/octet-stream", "x-source": side.tree.get("x-source", "")}
    side.tree = {**node, "x-evidence": ["example"]}
    side.report(
        "D31",
        side.tree,
        "body",
        f"{side.body.media_type}, an object without fields",
        f"the example (line {side.body.example_line}) is a remark and no JSON",
        "the answer is a file: document its media type, such as audio/mpeg",
    )


def _collapsed_body(side: _Side) -> None:
    """D23: the table was not open when the page was saved; everything is guessed from one example."""
    if stated(side.tree) or side.tree.get("contentMediaType"):
        return
    side.tree["x-weak"] = True
    side.report(
        "D23",
        side.tree,
        "body",
        "no table of fields",
        f"only the example in line {side.body.example_line}",
        "fields and types are guessed from the example: publish the table",
    )


def _types(side: _Side) -> None:
    """D1, D2, D3, D4, D7, D8, D10: the type that the protocol has, for every field that it knows."""
    found = index(side.tree)
    for fact in side.facts:
        node = found.get(fact.path)
        if node is not None and not any(word in node for word in COMBINED) and "$ref" not in node:
            _settle(side, node, fact)


def _settle(side: _Side, node: dict[str, Any], fact: Fact) -> None:
    ours, theirs = types_of(node), types_of(dict(fact.schema))
    said = _said(node)
    differs = bool(set(ours) - {"null"} ^ set(theirs) - {"null"}) and (bool(ours) or not stated(node))
    node |= as_type(_united(ours, theirs, keep=not fact.type_row and stated(node)))
    if "items" in fact.schema:
        seen = side.observed.get(fact.path, {}).get("items", {})
        node["items"] = {**merge(node.get("items", {}), seen), **fact.schema["items"], **_kept_items(node, seen)}
    if not stated(node):
        node.pop("x-weak", None)
    if differs and stated(node):
        prove(node, *_grounds(side, said, fact))
        documented = f"type {_spoken(ours)}"
        side.report(fact.type_row, node, fact.path, documented, _evidence(side, said, fact), _promise(fact, said))
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


def _said(node: dict[str, Any]) -> Said:
    return read_prose(f"{node.get('title', '')} {node.get('description', '')}")


def _grounds(side: _Side, said: Said, fact: Fact) -> tuple[str, ...]:
    """The evidence words for what contradicts the stated type."""
    prose = said.fraction or said.most_items is not None or said.minimum is not None
    contained = bool(set(types_of(side.observed.get(fact.path, {}))) & _CONTAINERS)
    return ("prose",) * prose + ("example",) * contained + ("reference",)


def _evidence(side: _Side, said: Said, fact: Fact) -> str:
    """What contradicts a stated type, best first, in words."""
    shown = types_of(side.observed.get(fact.path, {}))
    if shown and set(shown) & _CONTAINERS:
        return f"the example shows an {shown[0]} there (line {side.body.example_line} on)"
    if said.minimum is not None and said.maximum is not None:
        return f"its own description has the range {said.minimum} to {said.maximum}"
    if said.most_items is not None:
        return f"its own description speaks of up to {said.most_items} of them"
    if said.fraction:
        return "its own description has values with a decimal point"
    return f"{_PROTOCOL} has {_spoken(types_of(dict(fact.schema)))}"


def _promise(fact: Fact, said: Said) -> str:
    low = fact.schema.get("minimum") if said.minimum is None else said.minimum
    high = fact.schema.get("maximum") if said.maximum is None else said.maximum
    span = f", from {low} to {high}" if low is not None and high is not None else ""
    most = fact.schema.get("maxItems")
    return f"type {_spoken(types_of(dict(fact.schema)))}{span}" + (f", a list has at most {most}" if most else "")


def _generic_types(side: _Side) -> None:
    """D1, D4, D10 and D32 for fields that the protocol does not know."""
    known = {fact.path for fact in side.facts}
    for path, node in index(side.tree).items():
        if path in known or any(word in node for word in COMBINED):
            continue
        for mend in (_contained, _fraction, _null_only):
            mend(side, path, node)


def _contained(side: _Side, path: str, node: dict[str, Any]) -> None:
    """D4: about containers the example is right: both forms are allowed."""
    ours, seen = types_of(node), side.observed.get(path, {})
    shown = types_of(seen)
    if not (stated(node) and ours and shown) or set(shown) <= set(ours) or not set((*ours, *shown)) & _CONTAINERS:
        return
    if ours == ("null",) or shown == ("integer",) and "number" in ours:
        return
    node |= {**{key: seen[key] for key in ("items", "properties") if key in seen}, **as_type((*ours, *shown))}
    prove(node, "example")
    documented, evidence = f"type {_spoken(ours)}", f"the example shows {_spoken(shown)}"
    side.report("D4", node, path, documented, evidence, f"type {_spoken(types_of(node))}")


def _fraction(side: _Side, path: str, node: dict[str, Any]) -> None:
    """D1 and D32: a whole number is stated, but description, example or the nature of money have fractions."""
    kinds = types_of(node)
    if "integer" not in kinds:
        return
    shown = "number" in types_of(side.observed.get(path, {}))
    money = parent(path)[1].rpartition("_")[2].lower() in MONEY
    said = _said(node)
    if not (said.fraction or shown or money):
        return
    node |= as_type(tuple("number" if kind == "integer" else kind for kind in kinds))
    if not stated(node):
        return
    prove(node, "prose" if said.fraction else "example" if shown else "reference")
    why = "its description has" if said.fraction else "the example shows" if shown else "amounts of money have"
    row, unit = ("D32", "; say the unit, it is not always US dollars") if money or shown else ("D1", "")
    side.report(row, node, path, "type integer", f"{why} values with a decimal point", f"type number{unit}")


def _null_only(side: _Side, path: str, node: dict[str, Any]) -> None:
    """D10: the type null alone was read off an example; what else stands there is not known."""
    if types_of(node) != ("null",) or not stated(node):
        return
    shown = types_of(side.observed.get(path, {}))
    node |= as_type((*shown, "null")) if shown else {}
    if not shown:
        del node["type"]
    node["x-weak"] = True
    evidence = f"the example shows {_spoken(shown)}" if shown else "a field that is always null has no use"
    side.report("D10", node, path, "type null", evidence, f"{_spoken(types_of(node))}, null allowed: state the type")


def _words(side: _Side) -> None:
    """D6, D21: ranges, counts and lists of values in prose; ranges of the protocol where the page has none."""
    facts = {fact.path: fact for fact in side.facts}
    for path, node in nodes(side.tree):
        fact = facts.get(path)
        said = _said(node)
        _limits(side, path, node, said)
        if fact and fact.open_row and (listed := said.enum or tuple(map(str, node.get("enum", ())))):
            _opened(side, node, fact, listed)
        elif said.enum:
            _listed(side, path, node, said.enum)
        if fact:
            _completed(node, fact)
        if path == "stream" and "[DONE]" in node.get("description", "") and "终止" in node["description"]:
            side.report("D21", node, path, *_GARBLED, repaired=False)


_GARBLED = (
    "the description of streaming cannot be understood",
    "it says that [DONE] is sent and then that the stream is ended by a message",
    "events `data: {chunk}`, the last one `data: [DONE]`",
)


def _limits(side: _Side, path: str, node: dict[str, Any], said: Said) -> None:
    """Ranges and counts from prose, on the keyword that fits the type; the own example has to fit."""
    kinds = set(types_of(node))
    target = node
    if "additionalProperties" in node and isinstance(node["additionalProperties"], dict):
        target, kinds = node["additionalProperties"], kinds | {"number"}
    limits: dict[str, Any] = {}
    if kinds & {"number", "integer"} and all(_within(value, said) for value in side.shown.get(path, ())):
        limits |= {"minimum": said.minimum, "maximum": said.maximum}
    if "array" in kinds:
        limits["maxItems"] = said.most_items
    if kinds == {"string"}:
        limits["maxLength"] = said.most_letters
    fresh = {key: value for key, value in limits.items() if value is not None and key not in target}
    if fresh:
        target |= fresh
        prove(node, "prose")


def _within(value: Any, said: Said) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return True
    low, high = said.minimum, said.maximum
    return (low is None or low <= value) and (high is None or value <= high)


def _opened(side: _Side, node: dict[str, Any], fact: Fact, listed: tuple[str, ...]) -> None:
    """D6: a list of values that leaves some out is no enumeration."""
    missing = [value for value in fact.values if value not in listed]
    if not missing:
        return
    node.pop("enum", None)
    node["examples"] = list(fact.values)
    evidence = f"{_PROTOCOL} has {', '.join(missing)} as well"
    side.report(fact.open_row, node, fact.path, " | ".join(listed[:8]), evidence, "any string: list all values")


def _listed(side: _Side, path: str, node: dict[str, Any], listed: tuple[str, ...]) -> None:
    """Values that prose names, if the field is a text and its example is one of them."""
    kinds = set(types_of(node))
    fits = all(value in listed for value in side.shown.get(path, ()))
    if kinds - {"null"} != {"string"} or "enum" in node or not fits:
        return
    node["enum"] = [*listed, *([None] if "null" in kinds else [])]
    node["x-weak"] = True
    prove(node, "prose")


def _completed(node: dict[str, Any], fact: Fact) -> None:
    """Limits of the protocol, where the page names none."""
    fresh = {key: fact.schema[key] for key in _KEYWORDS if key in fact.schema and key not in node}
    if fresh and not any(word in node for word in COMBINED):
        node |= copy.deepcopy(fresh)
        prove(node, "reference")


def _requirements(side: _Side) -> None:
    """D5, D9, D11: what clients need is required, what relays leave out is not."""
    found = index(side.tree)
    for fact in side.facts:
        above, name = parent(fact.path)
        holder, node = found.get(above), found.get(fact.path)
        if holder is None or node is None or fact.required is None or "properties" not in holder:
            continue
        listed = list(holder.get("required", ()))
        if (name in listed) != fact.required:
            _require(side, holder, node, fact, listed)


def _require(side: _Side, holder: dict[str, Any], node: dict[str, Any], fact: Fact, listed: list[str]) -> None:
    name = parent(fact.path)[1]
    holder["required"] = [*listed, name] if fact.required else [each for each in listed if each != name]
    if not holder["required"]:
        del holder["required"]
    if not stated(node):
        prove(node, "reference")
    elif fact.required:
        seen = "the example has it and " if fact.path in side.observed else ""
        side.report(fact.required_row, node, fact.path, "optional", f"{seen}{_PROTOCOL} requires it", "required")
    else:
        evidence = f"relays leave it out, and in {_PROTOCOL} it is optional"
        side.report(fact.required_row, node, fact.path, "required", evidence, "optional")


def _closed_objects(side: _Side) -> None:
    """D30: the page shows an object closed; its inside is known from the example, or not at all."""
    if side.document.kind != "apifox-text":
        return
    for path, node in index(side.tree).items():
        inner = node.get("properties", {})
        if not path or path.endswith("[]") or types_of(node)[:1] != ("object",) or not stated(node):
            continue
        if any(stated(child) for child in inner.values()) or "additionalProperties" in node:
            continue
        names = ", ".join(list(inner)[:8])
        evidence = f"the example shows {names}" if inner else "the example does not show its fields either"
        mended = "fields taken from the example: publish their rows" if inner else "nothing is checked inside"
        side.report("D30", node, path, "object without its fields", evidence, mended, repaired=bool(inner))


def _model(side: _Side) -> None:
    """D12 and D13: an answer says which model gave it. D26: a request does not fix it."""
    named = side.tree.get("properties", {})
    if side.name == "request" and "model" in named:
        for word in ("enum", "const", "default"):
            named["model"].pop(word, None)
    if side.name == "request" or not side.family.names_model or "model" in named or not named:
        return
    tabled = stated(side.tree)
    node = {"type": "string", "x-source": side.tree.get("x-source", ""), "x-evidence": ["reference"]}
    named["model"] = node
    side.tree["required"] = [*side.tree.get("required", ()), "model"]
    place = "the table of the answer" if tabled else "the example answer"
    words = (f"{place} has no model", f"{_PROTOCOL} requires it", "model added: a required string")
    side.report("D12" if tabled else "D13", node, "model", *words)


def _stream_default(side: _Side) -> None:
    """D27: whether an answer is streamed when nothing is said."""
    if side.name != "request" or side.operation != "chat":
        return
    node = side.tree.get("properties", {}).get("stream")
    if node is None or "default" not in node:
        shown = False in side.shown.get("stream", ())
        evidence = "the example sends false" if shown else "the example leaves it out and gets a plain answer"
        if node is not None:
            node["default"] = False
        target = {"x-source": side.tree.get("x-source", "")} if node is None else node
        words = ("no default is stated", evidence, "default false: state it")
        side.report("D27", target, "stream", *words, repaired=node is not None)


def _example_values(side: _Side) -> None:
    """D14, D15, D22: values of an example that nobody can send, or that no answer has."""
    for check in (empty_values, glued_urls, canned_answer):
        for path, words in check(side.name, side.body.example):
            _example_value(side, path, words)


def _example_value(side: _Side, path: str, words: tuple[str, ...]) -> None:
    row, *rest = words
    place = side.observed.get(path, {}).get("x-source") or side.document.source.at(side.body.example_line)
    side.defects.append(Defect(row, place, f"{side.name} example {path}".strip(), *rest, repaired=row != "D22"))
    node = index(side.tree).get(path) if row == "D15" else None
    if node is not None and "string" in types_of(node):
        node["minLength"] = 1
        prove(node, "repair D15")


def _without_texts(side: _Side) -> None:
    """Titles and descriptions were only evidence."""
    for _, node in nodes(side.tree):
        for word in ("title", "description"):
            node.pop(word, None)


_STEPS: tuple[Callable[[_Side], None], ...] = (
    _binary,
    _collapsed_body,
    _types,
    _generic_types,
    _words,
    _requirements,
    _closed_objects,
    _model,
    _stream_default,
    _example_values,
    _without_texts,
)
