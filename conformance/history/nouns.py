"""The nouns of a history: a run as it is remembered, what one rule did over runs, and what changed. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from conformance.measures import FIRST_CONTENT, TOKEN_RATE
from conformance.model import Severity, Verdict
from conformance.outcomes import Key, Outcome

SHOWN = (FIRST_CONTENT, TOKEN_RATE)
"""The quantities of speed that are remembered."""


@dataclass(frozen=True)
class Files:
    """The ledgers of one run: round 1, then the others."""

    path: str
    """The folder of the run below the folder of the history, quoted as in an address; empty for that folder itself."""
    ledgers: tuple[Path, ...]
    stamp: str
    """Sizes and times of the ledgers: the same stamp, the same files."""


@dataclass(frozen=True)
class Identity:
    """Whose run it is: runs of the same provider, address and model follow each other."""

    name: str
    base_url: str
    model: str


@dataclass(frozen=True)
class Speed:
    """The median of one quantity at one operation in one run: seconds, or output tokens a second."""

    operation: str
    what: str
    middle: float
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True)
class Read:
    """What reading one run came to; `problem` says why there is nothing else."""

    identity: Identity
    started: float
    seconds: float
    verdict: str
    rounds: int
    narrowed: bool
    """Whether it asked for some rules only."""
    problem: str
    outcomes: tuple[Outcome, ...] = ()
    speeds: tuple[Speed, ...] = ()


@dataclass(frozen=True)
class Run:
    """A run in the strip of its provider, without its outcomes."""

    number: int
    """In the index."""
    path: str
    identity: Identity
    started: float
    seconds: float
    verdict: str
    rounds: int
    narrowed: bool
    problem: str
    """Why it changes nothing: it was interrupted. Empty for a whole one."""


class State(StrEnum):
    """What a rule showed in one run, where it showed anything."""

    HOLDS = "holds"
    BROKEN = "broken"
    DROPPED = "dropped"
    """The relay plainly does not offer what the rule is about."""


class Change(StrEnum):
    """What happened between two runs that were both judged."""

    BROKE = "broke"
    HEALED = "healed"
    DROPPED = "dropped"
    OFFERED = "offered"


@dataclass(frozen=True)
class Turn:
    """One rule changed its state."""

    key: Key
    change: Change
    run: Run
    """The first that showed it."""
    before: State
    after_runs: int
    """In how many judged runs in a row the state before had been seen."""
    verdict: Verdict
    signs: tuple[str, ...]
    """In which ways it is broken now."""


@dataclass(frozen=True)
class Trend:
    """One rule at one operation over the runs of a provider."""

    key: Key
    severity: Severity
    verdict: Verdict
    """The last one that said something."""
    states: tuple[State | None, ...]
    """One for each run, the oldest first; None where the run says nothing about it."""
    turns: tuple[Turn, ...]
    flapping: bool
    signs: tuple[str, ...]
    """In which ways it was broken last."""

    @property
    def broken(self) -> bool:
        """Whether the last run that says anything found it broken."""
        said = [state for state in self.states if state is not None]
        return bool(said) and said[-1] is State.BROKEN


@dataclass(frozen=True)
class Course:
    """One quantity at one operation over the runs of a provider; None where a run has none."""

    operation: str
    what: str
    speeds: tuple[Speed | None, ...]


@dataclass(frozen=True)
class History:
    """One provider over its runs, the oldest first."""

    identity: Identity
    runs: tuple[Run, ...]
    trends: tuple[Trend, ...]
    """Of the rules that ever changed, or are broken now: the worst first."""
    steady: int
    """Rules that held, or were not offered, in every run that says anything about them."""
    turns: tuple[Turn, ...]
    """The newest first."""
    courses: tuple[Course, ...]
