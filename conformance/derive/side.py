"""One body while it is repaired: our own copy of its schema, what its example shows, and the defects that are found."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from conformance.derive.infer import infer, types_of
from conformance.derive.nouns import EVIDENCE, Body, Defect, Document
from conformance.derive.paths import index, values
from conformance.derive.prose import Said, read_prose
from conformance.derive.reference import Fact, Family

PROTOCOL = "the protocol (OpenAI's document and SDK)"
_STATED = frozenset(("table", "openapi"))


@dataclass
class Side:
    """One body while it is repaired: `tree` is our own copy, and `defects` grows."""

    name: str
    """request, response"""
    document: Document
    body: Body
    operation: str
    family: Family
    facts: tuple[Fact, ...]
    """What the protocol says of this body."""
    tree: dict[str, Any]
    observed: dict[str, dict[str, Any]]
    """What the example proves, by path."""
    shown: dict[str, list[Any]]
    """The plain values of the example, by path."""
    defects: list[Defect] = field(default_factory=list)

    def report(self, row: str, node: dict[str, Any], path: str, *words: str, repaired: bool = True) -> None:
        """Add a defect; `words` are what is documented, the evidence against it, and the repair."""
        where = node.get("x-source") or self.document.source.at(self.body.line)
        documented, evidence, mended = words
        place = f"{self.name} {path}".strip()
        self.defects.append(Defect(row, where, place, documented, evidence, mended, repaired))
        if repaired:
            prove(node, f"repair {row}" if row else "repair")


def side_of(name: str, document: Document, body: Body, operation: str, family: Family) -> Side:
    """A body ready to be repaired; its own schema is left as it is."""
    observed = {} if body.example is None else index(infer(body.example, document.source, body.example_line))
    shown: dict[str, list[Any]] = {}
    for path, value in values(body.example):
        if not isinstance(value, (dict, list)) and value is not None:
            shown.setdefault(path, []).append(value)
    known = family.request if name == "request" else family.response
    facts = known if operation else tuple(fact for fact in known if _same_field(observed, fact))
    return Side(name, document, body, operation, family, facts, copy.deepcopy(body.schema or {}), observed, shown)


def _same_field(observed: dict[str, dict[str, Any]], fact: Fact) -> bool:
    """Whether the example of an unknown operation means the field of the protocol, and not only its name."""
    shown, known = set(types_of(observed.get(fact.path, {}))), set(types_of(dict(fact.schema)))
    return shown <= known | ({"integer"} if "number" in known else set())


def prove(node: dict[str, Any], *words: str) -> None:
    """Add words to the evidence of a node, each once, the best ones first and repairs last."""
    found = list(dict.fromkeys([*node.get("x-evidence", ()), *words]))
    node["x-evidence"] = sorted(found, key=lambda word: EVIDENCE.index(word) if word in EVIDENCE else len(EVIDENCE))


def stated(node: dict[str, Any]) -> bool:
    """Whether a page states the node, and an example does not only show it."""
    return not _STATED.isdisjoint(node.get("x-evidence", ()))


def shown_at(side: Side, path: str) -> str:
    """`file:line` of the place in the example that has this path."""
    return side.observed.get(path, {}).get("x-source") or side.document.source.at(side.body.example_line)


def spoken(types: tuple[str, ...]) -> str:
    """Types as a page writes them."""
    return " | ".join(types) if types else "any type"


def said_of(node: dict[str, Any]) -> Said:
    """What title and description of a node say."""
    return read_prose("。".join(filter(None, (node.get("title"), node.get("description")))))
