"""Whose fault a breach is, when one side is the yardstick: pure functions of outcomes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from conformance.comparison.nouns import Charge
from conformance.outcomes import CONCLUSIVE
from conformance.rules.base import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conformance.comparison.nouns import Side
    from conformance.outcomes import Key, Outcome


def charge(broken: Outcome, control: Outcome | None) -> Charge:
    """Whom a breach is charged to, by the ways in which the yardstick breaks the same requirement.

    Where chance has a part in it, that the yardstick does not show it may be luck.
    """
    if control is None or control.verdict not in CONCLUSIVE:
        return Charge.UNKNOWN
    if not control.broken:
        return Charge.UNKNOWN if _by_chance(broken.rule) else Charge.RELAY
    if broken.signs <= control.signs:
        return Charge.UPSTREAM
    return Charge.BOTH if broken.signs & control.signs else Charge.RELAY


def _by_chance(name: str) -> bool:
    rule = catalogue().get(name)
    return rule is not None and rule.noisy


def charges(side: Side, control: Side) -> dict[Key, Charge]:
    """Every breach of a side, and whom it is charged to."""
    return {key: charge(outcome, control.outcomes.get(key)) for key, outcome in side.outcomes.items() if outcome.broken}


def charged(sides: Iterable[Side], control: Side) -> Mapping[str, Mapping[Charge, int]]:
    """How many breaches of each side are charged to whom; the yardstick itself is left out."""
    found = {}
    for side in sides:
        if side is not control:
            counts = Counter(charges(side, control).values())
            found[side.name] = {each: counts[each] for each in Charge}
    return found
