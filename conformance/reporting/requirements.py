"""What the reports say about a rule, also about one that this version does not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.operations import OPERATIONS
from conformance.reporting.texts import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.rules.base import Rule


@dataclass(frozen=True)
class Requirement:
    """A requirement in the words of its rule, in both languages."""

    rule: str
    text: Text
    breaks: Text
    mend: Text
    """What the provider can do about it."""
    document: str
    """The document's reference and, in brackets, the lines of the contract sheet."""


def requirement(rule: str, rules: Mapping[str, Rule]) -> Requirement:
    """Look up a rule; an unknown one is named by its id."""
    known = rules.get(rule)
    if known is None:
        return Requirement(rule, Text(rule, rule), Text("", ""), Text("", ""), "")
    lines = f" ({', '.join(known.lines)})" if known.lines else ""
    breaks = Text(known.breaks or known.breaks_zh, known.breaks_zh or known.breaks)
    mend = Text(known.mend or known.mend_zh, known.mend_zh or known.mend)
    return Requirement(rule, Text(known.requirement, known.zh), breaks, mend, known.doc + lines)


def operation_title(operation: str) -> Text:
    """The operation in words; an unknown one is named by its id."""
    known = OPERATIONS.get(operation)
    return Text(known.title, known.zh) if known else Text(operation, operation)


def in_order(operations: set[str]) -> list[str]:
    """Operations as the table has them, unknown ones behind."""
    return [name for name in OPERATIONS if name in operations] + sorted(operations - OPERATIONS.keys())
