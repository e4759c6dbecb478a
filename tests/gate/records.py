"""Small records made by hand: what rounds of a run would have left."""

from __future__ import annotations

from typing import Any

from conformance.gating.nouns import Evidence, Record, Standing, Timing
from conformance.model import Severity, Verdict
from conformance.outcomes import Key

RULE, OPERATION = "chat.usage.adds-up", "chat"
KEY = Key(RULE, OPERATION)


def standing(*verdicts: Verdict, rule: str = RULE, operation: str = OPERATION, **changes: Any) -> Standing:
    """What a rule says over these rounds; the verdict is that of the first one, unless another is given."""
    values: dict[str, Any] = {
        "severity": Severity.MUST,
        "verdict": verdicts[0],
        "verdicts": verdicts,
        "signs": frozenset(),
        "cases": 3,
        "evidence": Evidence(1, "chat/minimal", None),
    }
    return Standing(rule=rule, operation=operation, **{**values, **changes})


def record(*standings: Standing, rounds: int = 1, **changes: Any) -> Record:
    """A run that planned two requests."""
    values: dict[str, Any] = {
        "tool": "relay-conformance 0.1.0",
        "name": "Relay Example",
        "base_url": "https://api.relay.example/v1",
        "model": "gpt-4o-mini",
        "rules": (),
        "recorded": tuple(f"2026-11-22T08:00:{number:02}Z" for number in range(rounds)),
        "cases": {"chat/minimal": "0" * 12, "chat/two-choices": "1" * 12},
        "standings": {each.key: each for each in standings},
        "timings": (),
    }
    return Record(**{**values, **changes})


def later(*standings: Standing, rounds: int = 1, **changes: Any) -> Record:
    """The same on another day."""
    days = tuple(f"2026-12-24T08:00:{number:02}Z" for number in range(rounds))
    return record(*standings, rounds=rounds, **{"recorded": days, **changes})


def timing(*rounds: list[float], what: str = "first-byte") -> Timing:
    """Samples of chat."""
    return Timing("chat", what, tuple(map(tuple, rounds)))
