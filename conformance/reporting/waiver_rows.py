"""The report's table of waivers: what somebody has accepted, why, who, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.reporting.causes import BREACHES
from conformance.reporting.requirements import requirement
from conformance.reporting.summary import idle_waivers, worst_first
from conformance.reporting.texts import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.model import Judgement, Waiver
    from conformance.reporting.cards import Card
    from conformance.rules.base import Rule

STATES = {
    "in-force": Text("in force", "有效"),
    "expired": Text("expired: fails the run", "已过期:本次检测不通过"),
    "idle": Text("excuses nothing any more: remove it", "已无需豁免:请删除"),
}
LOOKS = {"in-force": "note", "expired": "fail", "idle": "pass"}
"""The verdict word whose sign and colour a state has."""


@dataclass(frozen=True)
class WaiverRow:
    """One waiver and what it is about."""

    waiver: Waiver
    state: str
    requirement: Text
    cards: tuple[Card, ...]
    """The breaches that it was applied to, worst first."""


def _breaches(cards: Iterable[Card]) -> list[Judgement]:
    return [card.judgement for card in cards if card.judgement.verdict in BREACHES]


def waiver_rows(found: Sequence[Card], rules: Mapping[str, Rule]) -> list[WaiverRow]:
    """A row for each waiver of the run, those that have ended first."""
    cards: dict[Waiver, dict[int, Card]] = {}
    for card in found:
        if card.judgement.waiver is not None:
            cards.setdefault(card.judgement.waiver, {})[id(card.judgement)] = card
    idle = set(idle_waivers([card.judgement for card in found]))
    rows = [
        WaiverRow(
            waiver,
            "expired" if waiver.expired else "idle" if waiver in idle else "in-force",
            requirement(waiver.rule, rules).text,
            tuple(own[id(judgement)] for judgement in worst_first(_breaches(own.values()))),
        )
        for waiver, own in cards.items()
    ]
    return sorted(rows, key=lambda row: row.state != "expired")
