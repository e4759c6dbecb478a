"""`compare.html`: several runs side by side on one page that loads nothing."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from conformance.comparison import page_matrix, page_speed, page_tables, page_waivers
from conformance.comparison.page_differences import cards
from conformance.comparison.words import CHARGE_MEANINGS, CHARGES, word
from conformance.model import Verdict
from conformance.reporting.evidence import anchor
from conformance.reporting.pages import page
from conformance.reporting.requirements import operation_title
from conformance.reporting.results import tool
from conformance.reporting.summary import column
from conformance.reporting.visible import visible
from conformance.rules.base import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.comparison.nouns import Comparison, Side
    from conformance.comparison.page_differences import Card
    from conformance.rules.base import Rule

TEMPLATE = "compare.html.j2"
PARTS = ("compare.css", "compare.js")
MOST_OPEN_CARDS = 3
"""Differences whose details are open at first."""
MOST_OPEN_LINES = 24
"""Lines of a difference that is open at first: more is a wall."""
KINDS = {"value": "≈", "type": "≠", "added": "+", "removed": "−"}
"""One sign for each way in which a line of a diff differs."""


def html_text(comparison: Comparison, rules: Mapping[str, Rule] | None = None) -> str:
    """The page's text. `rules`: by id, for their words; the catalogue unless given."""
    known = catalogue() if rules is None else rules
    found = cards(comparison, known)
    return page(
        TEMPLATE,
        PARTS,
        w=word,
        plain=_plain,
        slug=_slug,
        folder=_folder,
        KINDS=KINDS,
        INCONCLUSIVE=Verdict.INCONCLUSIVE,
        comparison=comparison,
        sides=comparison.sides,
        tool=tool(),
        instant=page_tables.instant_of,
        **_head(comparison),
        **_tables(comparison, known, found),
        **_differences(found),
        **_speed(comparison),
        CHARGES=CHARGES,
        CHARGE_MEANINGS=CHARGE_MEANINGS,
    )


def _plain(text: str) -> str:
    """Relay text for an attribute or an option, which hold no elements."""
    return visible(text, 60)


def _slug(operation: str) -> str:
    """An operation as a part of an id."""
    return anchor(operation[:80])


def _folder(side: Side) -> str:
    """A run folder as a shell takes it."""
    return shlex.quote(visible(str(side.folder), 400))


def _head(comparison: Comparison) -> dict[str, Any]:
    """What stands on the first screen."""
    starts = sorted(page_tables.instant_of(side.started) for side in comparison.sides)
    return {
        "first": starts[0] if starts else "",
        "last": starts[-1] if starts else "",
        "results": page_tables.results(comparison),
        "notices": page_tables.notices(comparison),
        "left_out": [(side, comparison.left_out.get(side.name, 0)) for side in comparison.sides],
        "same_plan": len({side.seed_and_plan for side in comparison.sides}) == 1 and not comparison.partial,
    }


def _tables(comparison: Comparison, rules: Mapping[str, Rule], found: Sequence[Card]) -> dict[str, Any]:
    """Matrix, purposes, parameters, clients, waivers."""
    anchors = {each.key: card.anchor for each, card in zip(comparison.differences, found, strict=False)}
    return {
        "rows": page_matrix.rows(comparison, found),
        "purposes": page_tables.purposes(comparison, rules, anchors),
        "parameters": page_tables.parameters(comparison),
        "clients": page_tables.clients(comparison),
        "unread": page_tables.unread(comparison.sides),
        "waivers": page_waivers.waivers(comparison, rules),
        "most_waivers": page_waivers.MOST,
    }


def _differences(found: Sequence[Card]) -> dict[str, Any]:
    """The cards, and what they can be filtered by."""
    operations = list(dict.fromkeys(card.operation for card in found))
    verdicts = {verdict for card in found for verdict, _ in card.groups if verdict is not None}
    return {
        "cards": found,
        "most_open": MOST_OPEN_CARDS,
        "most_lines": MOST_OPEN_LINES,
        "places": {name: place for place, name in enumerate(operations)},
        "operations": [(name, operation_title(name)) for name in operations],
        "contracts": list(dict.fromkeys(column(card.about.rule) for card in found)),
        "verdicts": sorted(verdicts, reverse=True),
    }


def _speed(comparison: Comparison) -> dict[str, Any]:
    """The drawings."""
    panels = page_speed.panels(comparison)
    floor, shares = page_speed.shares(comparison)
    return {
        "panels": panels[: page_speed.MOST_OPEN],
        "more_panels": panels[page_speed.MOST_OPEN :],
        "floor": floor,
        "shares": shares,
        "width": page_speed.WIDTH,
    }
