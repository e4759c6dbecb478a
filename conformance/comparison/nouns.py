"""The nouns of a comparison: several runs, what they have in common, and where they differ. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from conformance.clients.verdicts import ClientVerdict
from conformance.intervals import Interval, share_interval
from conformance.measures import Measure, Reliability
from conformance.model import Spent, Stop, Waiver
from conformance.outcomes import Key, Outcome
from conformance.support import Row


@dataclass(frozen=True)
class Claim:
    """One endpoint that a provider's own page names, and what this run knows of it."""

    title: str
    operation: str
    method: str
    state: str
    """checked, variant, missing or unchecked"""


@dataclass(frozen=True)
class Side:
    """One provider's run, judged on what all runs sent, without its exchanges."""

    name: str
    """Unique among the sides: the given name, or the provider's title with a number where two have the same."""
    folder: Path
    base_url: str
    model: str
    models: Mapping[str, str]
    """Role -> model."""
    profile: str
    """The name of the provider's own page; empty without one."""
    started: float
    seconds: float
    seed_and_plan: str
    """A digest of the plan: sides with the same one were sent the same requests."""
    planned: int
    compared: int
    """How many of its planned cases every other side was planned to send as well."""
    complete: bool
    stop: Stop | None
    verdict: str
    """Of the common cases: one of pass, fail, inconclusive, error."""
    spent: Spent
    """Of the whole run."""
    reliability: Reliability
    outcomes: Mapping[Key, Outcome]
    parameters: tuple[Row, ...]
    """Parameter support, from the whole run."""
    clients: tuple[ClientVerdict, ...]
    """How real clients fare, where some have read the run."""
    measures: tuple[Measure, ...]
    claims: tuple[Claim, ...] = ()
    """What the provider's own page names; empty without a profile that can be loaded."""
    repeats: int = 1
    """How many recorded rounds this side rests on."""
    waivers: tuple[Waiver, ...] = ()
    """Those that are applied to what is compared, the ended ones first."""

    @property
    def first_attempts(self) -> Interval | None:
        """The share of requests that were answered at the first attempt, with its interval; None for none sent."""
        return share_interval(self.reliability.answered, self.reliability.asked)


class Charge(StrEnum):
    """Whom a breach is charged to when one side is the yardstick."""

    RELAY = "relay"
    """Only the relay shows it."""
    UPSTREAM = "upstream"
    """The yardstick shows it too: the upstream, or the model."""
    BOTH = "both"
    """Broken in ways that the yardstick shows, and in others that it does not."""
    UNKNOWN = "unknown"
    """The yardstick was not judged on it."""


@dataclass(frozen=True)
class Sample:
    """What one side did where sides differ: one finding, or an answer without one, bounded, as plain data."""

    side: str
    case: str
    """Empty where it sent nothing."""
    status: int
    """Of the answer; 0 without one."""
    at: str
    expected: object
    actual: object
    message: str
    answer: str
    """The body, decoded leniently and cut; not yet made visible: pages have to."""
    failure: str
    """Why there is no complete answer; empty where there is one."""
    cut: bool = False
    """Whether `answer` is not the whole body."""


@dataclass(frozen=True)
class Difference:
    """One requirement in which sides differ: the outcome of each, and evidence of each."""

    key: Key
    outcomes: Mapping[str, Outcome | None]
    """By side; None where a side has no judgement."""
    charges: Mapping[str, Charge]
    """By side, for broken ones, when there is a yardstick."""
    samples: tuple[Sample, ...]
    """In the order of the sides; none where there are too many differences, and of some sides where there are many."""


@dataclass(frozen=True)
class Comparison:
    """Several runs side by side."""

    sides: tuple[Side, ...]
    control: str
    """The side that is the yardstick; empty for none."""
    cases: int
    """Cases that all sides were planned to send."""
    left_out: Mapping[str, int]
    """By side: planned cases that not every side has."""
    differences: tuple[Difference, ...]
    """Worst first."""
    alike: int
    """Requirements on which all sides that were judged agree, two of them at least."""
    unsettled: int
    """Requirements that fewer than two sides could be judged on: nothing to compare."""
    charged: Mapping[str, Mapping[Charge, int]]
    """By side, the yardstick left out: how many of its breaches are charged to whom. Empty without a yardstick."""
    narrowed: bool
    """Whether a side was planned for some rules only: then all are compared on the rules that all have."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sides, in their order."""
        return tuple(side.name for side in self.sides)

    @property
    def partial(self) -> bool:
        """Whether the sides were not sent the same: only the common part is compared."""
        return self.narrowed or any(self.left_out.values())
