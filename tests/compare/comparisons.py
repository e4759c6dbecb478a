"""Small comparisons made by hand: what an engine would have made of recorded runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.clients.comparing import State
from conformance.clients.table import CLIENTS
from conformance.clients.verdicts import ClientVerdict, Trouble
from conformance.comparison.charging import charge, charged
from conformance.comparison.nouns import Comparison, Difference, Sample, Side
from conformance.measures import FIRST_BYTE, FIRST_CONTENT, TOKEN_RATE, Measure, Reliability
from conformance.model import Severity, Spent, Verdict
from conformance.outcomes import Key, Outcome
from conformance.rules.base import catalogue
from conformance.support import Row, Support

ADDS_UP = Key("chat.usage.adds-up", "chat")
GOOD = {"id": "x", "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}}
BAD = {"id": "y", "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 13}}


def outcome(key: Key = ADDS_UP, verdict: Verdict = Verdict.PASS, **changes: Any) -> Outcome:
    """What one rule said."""
    known = catalogue().get(key.rule)
    broken = verdict in {Verdict.FAIL, Verdict.WARN, Verdict.NOTE}
    values: dict[str, Any] = {
        "severity": known.severity if known else Severity.MUST,
        "waived": False,
        "signs": frozenset({"/usage/total_tokens"} if broken else ()),
        "exchanges": ("chat/minimal",),
    }
    return Outcome(*key, verdict=verdict, **{**values, **changes})


def side(name: str = "Alpha", *outcomes: Outcome, **changes: Any) -> Side:
    """One provider's run."""
    values: dict[str, Any] = {
        "folder": Path("/runs") / "alpha",
        "base_url": "https://alpha.example/v1",
        "model": "gpt-4o-mini",
        "models": {},
        "profile": "",
        "started": 1_790_000_000.0,
        "seconds": 12.5,
        "seed_and_plan": "abc",
        "planned": 20,
        "compared": 20,
        "complete": True,
        "stop": None,
        "verdict": "pass",
        "spent": Spent(30, 1_200, 340),
        "reliability": Reliability(28, 30),
        "outcomes": {each.key: each for each in outcomes or (outcome(),)},
        "parameters": (),
        "clients": (),
        "measures": (),
    }
    return Side(name, **{**values, **changes})


def sample(name: str, value: Any = None, **changes: Any) -> Sample:
    """What one side answered."""
    values: dict[str, Any] = {
        "case": "chat/minimal",
        "status": 200,
        "at": "",
        "expected": None,
        "actual": None,
        "message": "",
        "answer": json.dumps(GOOD if value is None else value),
        "failure": "",
    }
    return Sample(name, **{**values, **changes})


def breach(name: str, **changes: Any) -> Sample:
    """The same with a finding: the total is off by one."""
    return sample(name, BAD, **{"at": "/usage/total_tokens", "expected": 12, "actual": 13, **changes})


def comparison(*sides: Side, samples: tuple[Sample, ...] = (), control: str = "", **changes: Any) -> Comparison:
    """These sides side by side; every requirement with more than one verdict is a difference."""
    yardstick = next((each for each in sides if each.name == control), None)
    values: dict[str, Any] = {
        "cases": 20,
        "left_out": {each.name: each.planned - each.compared for each in sides},
        "differences": tuple(_differences(sides, yardstick, samples)),
        "alike": 7,
        "unsettled": 0,
        "charged": charged(sides, yardstick) if yardstick else {},
        "narrowed": False,
    }
    return Comparison(sides=sides, control=control, **{**values, **changes})


def _differences(sides: tuple[Side, ...], yardstick: Side | None, samples: tuple[Sample, ...]) -> list[Difference]:
    found = []
    for key in dict.fromkeys(key for each in sides for key in each.outcomes):
        outcomes: Mapping[str, Outcome | None] = {each.name: each.outcomes.get(key) for each in sides}
        charges = {
            name: charge(each, yardstick.outcomes.get(key))
            for name, each in outcomes.items()
            if yardstick and each and each.broken and name != yardstick.name
        }
        if len({each.verdict if each else None for each in outcomes.values()}) > 1:
            found.append(Difference(key, outcomes, charges, samples))
    return found


def pair(**changes: Any) -> Comparison:
    """Alpha is as it should be; Beta counts one token too many."""
    return comparison(
        side("Alpha"),
        side("Beta", outcome(verdict=Verdict.FAIL), verdict="fail"),
        samples=(sample("Alpha"), breach("Beta")),
        **changes,
    )


def measured(*values: float) -> tuple[Measure, ...]:
    """Samples of every quantity."""
    return tuple(Measure("chat.stream", what, values) for what in (FIRST_BYTE, FIRST_CONTENT, TOKEN_RATE))


def read(state: State = State.WORKS, *kinds: str) -> tuple[ClientVerdict, ...]:
    """How the OpenAI SDK fares."""
    troubles = tuple(Trouble(kind, "detail", ("chat",), ("chat/minimal",), ()) for kind in kinds)
    return (ClientVerdict(CLIENTS["openai"], "2.0", state, 9, ("chat",), troubles),)


def supports(**found: Support) -> tuple[Row, ...]:
    """Parameters and what became of them."""
    return tuple(Row(name, support, 2, "chat/minimal") for name, support in found.items())
