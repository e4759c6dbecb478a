"""A schema as documented to one that an honest relay fits: every row of the defect table that is about a body.

A repair never goes silently: what a page states and the repair changes is a `Defect`, and the node says `repair Dnn`
in `x-evidence`. What only an example shows is no statement; there the reference just completes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.derive.defects import page_defects
from conformance.derive.disagreements import contradictions, left_out
from conformance.derive.infer import types_of
from conformance.derive.nouns import Defect, Document, Endpoint
from conformance.derive.paths import index, nodes, parent
from conformance.derive.provenance import complete
from conformance.derive.reference import Fact, family_of
from conformance.derive.retyping import known_types, other_types
from conformance.derive.samples import Words, canned_answer, empty_values, glued_urls
from conformance.derive.side import PROTOCOL, Side, prove, shown_at, side_of, stated
from conformance.derive.wording import read_words

__all__ = ["page_defects", "repair"]


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
        side = side_of(side_name, document, body, name, family)
        for step in _STEPS:
            step(side)
        found[side_name] = side.tree
        defects += side.defects
    return {"$defs": found}, defects


# Steps, in the order in which they run.


def _binary(side: Side) -> None:
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
        f"the example in line {side.body.example_line} is a remark and no JSON",
        "the answer is a file: document its media type, such as audio/mpeg",
    )


def _collapsed_body(side: Side) -> None:
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


def _requirements(side: Side) -> None:
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


def _require(side: Side, holder: dict[str, Any], node: dict[str, Any], fact: Fact, listed: list[str]) -> None:
    name = parent(fact.path)[1]
    holder["required"] = [*listed, name] if fact.required else [each for each in listed if each != name]
    if not holder["required"]:
        del holder["required"]
    if not stated(node):
        prove(node, "reference")
    elif fact.required:
        seen = "the example has it and " if fact.path in side.observed else ""
        side.report(fact.required_row, node, fact.path, "optional", f"{seen}{PROTOCOL} requires it", "required")
    else:
        evidence = f"relays leave it out, and in {PROTOCOL} it is optional"
        side.report(fact.required_row, node, fact.path, "required", evidence, "optional")


def _closed_objects(side: Side) -> None:
    """D30: the page shows an object closed; its inside is known from the example, or not at all."""
    if side.document.kind != "apifox-text":
        return
    for path, node in index(side.tree).items():
        inner = node.get("properties", {})
        if not path or path.endswith("[]") or types_of(node)[:1] != ("object",) or not stated(node):
            continue
        null_only = "repair D10" in node["x-evidence"] or "repair D3" in node["x-evidence"]
        if null_only or any(stated(child) for child in inner.values()):
            continue
        names = ", ".join(list(inner)[:8])
        evidence = f"the example shows {names}" if inner else "the example does not show its fields either"
        mended = "fields taken from the example: publish their rows" if inner else "nothing is checked inside"
        side.report("D30", node, path, "object without its fields", evidence, mended, repaired=bool(inner))


def _model(side: Side) -> None:
    """D12 and D13: an answer says which model gave it. D26: a request does not fix it."""
    named = side.tree.get("properties", {})
    if side.name == "request" and "model" in named:
        for word in ("enum", "const", "default"):
            named["model"].pop(word, None)
    if side.name == "request" or not side.family.names_model or not named:
        return
    if "model" not in named:
        node = {"type": "string", "x-source": side.tree.get("x-source", ""), "x-evidence": ["reference"]}
        named["model"] = node
        side.tree["required"] = [*side.tree.get("required", ()), "model"]
        if stated(side.tree):
            place = "table" if side.document.kind == "apifox-text" else "schema"
            words = (f"the {place} of the answer has no model", f"{PROTOCOL} requires it")
            side.report("D12", node, "model", *words, "model added: a required string")
    if isinstance(side.body.example, dict) and "model" not in side.body.example:
        _unshown_model(side, named["model"])


def _unshown_model(side: Side, node: dict[str, Any]) -> None:
    """D13, at the line of the example."""
    words = ("the example answer has no model", f"{PROTOCOL} requires it", "model is a required string: show it")
    where = side.document.source.at(side.body.example_line)
    side.defects.append(Defect("D13", where, "response model", *words, repaired=True))
    prove(node, "repair D13")


def _stream_default(side: Side) -> None:
    """D27: whether an answer is streamed when nothing is said."""
    if side.name != "request" or side.operation != "chat":
        return
    node = side.tree.get("properties", {}).get("stream")
    if node is None or "default" in node:
        return
    node["default"] = False
    if side.body.example is None:
        prove(node, "reference")
        return
    shown = False in side.shown.get("stream", ())
    evidence = "the example sends false" if shown else "the example leaves it out and gets a plain answer"
    side.report("D27", node, "stream", "no default is stated", evidence, "default false: state it")


def _example_values(side: Side) -> None:
    """D14, D15, D22: values of an example that nobody can send, or that no answer has."""
    for check in (empty_values, glued_urls, canned_answer):
        for path, words in check(side.name, side.body.example):
            _example_value(side, path, words)


def _example_value(side: Side, path: str, words: Words) -> None:
    row, documented, evidence, mended = words
    where = f"{side.name} example {path}".strip()
    side.defects.append(Defect(row, shown_at(side, path), where, documented, evidence, mended, row != "D22"))
    node = index(side.tree).get(path) if row == "D15" else None
    if node is not None and "string" in types_of(node):
        node["minLength"] = 1
        prove(node, "repair D15")


def _without_texts(side: Side) -> None:
    """Titles and descriptions were only evidence."""
    for _, node in nodes(side.tree):
        for word in ("title", "description"):
            node.pop(word, None)


_STEPS: tuple[Callable[[Side], None], ...] = (
    _binary,
    _collapsed_body,
    left_out,
    known_types,
    other_types,
    read_words,
    _requirements,
    _closed_objects,
    _model,
    _stream_default,
    _example_values,
    contradictions,
    complete,
    _without_texts,
)
