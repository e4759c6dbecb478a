"""The nouns of the gate: what is kept of a run, and what changed. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from conformance.intervals import Interval
from conformance.model import Finding, Severity, Verdict, Waiver
from conformance.outcomes import Key


@dataclass(frozen=True)
class Evidence:
    """Where to look for what a verdict rests on."""

    round: int
    """Which round, counted from one."""
    case: str
    finding: Finding | None


@dataclass(frozen=True)
class Standing:
    """What one rule says of one operation over all rounds."""

    rule: str
    operation: str
    severity: Severity
    verdict: Verdict
    """Over the rounds: the worst of those that could be judged."""
    verdicts: tuple[Verdict, ...]
    """One for each round, in their order; a baseline keeps them of noisy rules only."""
    signs: frozenset[str]
    """The ways in which it was broken (see `outcomes.sign`), bounded."""
    cases: int
    """How many requests it was judged on."""
    noisy: bool = False
    """Whether chance has a part in it, so that only several rounds can show a change."""
    waived: bool = False
    """Whether a waiver in force excuses it; a baseline keeps none."""
    waiver: Waiver | None = None
    """The one that is applied to it, in force where one is; a baseline keeps none."""
    evidence: Evidence | None = None
    """A baseline keeps none."""
    shown: Mapping[str, Evidence] = field(default_factory=dict)
    """Where each of `signs` was seen first; a baseline keeps none."""

    @property
    def key(self) -> Key:
        """What two runs are matched by."""
        return Key(self.rule, self.operation)


@dataclass(frozen=True)
class Timing:
    """Samples of one quantity at one operation, by round: seconds, or output tokens a second."""

    operation: str
    what: str
    rounds: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Record:
    """A run over its rounds, or what a baseline has kept of one."""

    tool: str
    name: str
    """How the provider is called."""
    base_url: str
    model: str
    rules: tuple[str, ...]
    """Rule prefixes that the plan was narrowed to; none for all."""
    recorded: tuple[str, ...]
    """When each round began, in UTC."""
    cases: Mapping[str, str]
    """Planned case -> digest of its content."""
    standings: Mapping[Key, Standing]
    timings: tuple[Timing, ...]
    trouble: str = ""
    """Why a round has no end, or came to an early one; empty where all are whole."""
    waivers: tuple[Waiver, ...] = ()
    """Those that are applied to what was judged, the ended ones first; a baseline keeps none."""
    page: str = ""
    """The name of the profile to which it was held."""
    lag: float = 0.0
    """Seconds by which the recording machine was late, in the worst round."""

    @property
    def rounds(self) -> int:
        """How many rounds."""
        return len(self.recorded)

    @property
    def ended(self) -> list[Waiver]:
        """The waivers that had ended when a round was recorded."""
        return [each for each in self.waivers if each.expired]


class Kind(StrEnum):
    """What became of one rule on one operation."""

    WORSE = "worse"
    STALE = "stale"
    """The baseline judged it, and this run, or this version, cannot."""
    UNDECIDED = "undecided"
    """A noisy rule that failed, in too few rounds to say."""
    UNCLEAR = "unclear"
    """It was judged, and now it could not be."""
    WAIVED = "waived"
    """Worse, and a waiver in force excuses it."""
    BETTER = "better"
    CHANGED = "changed"
    """As bad as before, in other ways."""
    NEW = "new"
    """The baseline does not have it."""
    SILENT = "silent"
    """It was judged, and now nothing was there to judge."""


@dataclass(frozen=True)
class Change:
    """What became of one rule on one operation, where it is not the same."""

    kind: Kind
    key: Key
    was: Verdict | None
    now: Verdict | None
    signs: tuple[str, ...] = ()
    """Ways of failing that are new, for one that fails in other ways."""
    why: str = ""
    evidence: Evidence | None = None
    waiver: Waiver | None = None
    """Of one that is waived: what excuses it."""


class Tempo(StrEnum):
    """What became of one quantity of time."""

    SLOWER = "slower"
    FASTER = "faster"
    SAME = "same"
    UNKNOWN = "unknown"
    """Too few rounds or values."""


@dataclass(frozen=True)
class Pace:
    """One quantity at one operation, then and now."""

    operation: str
    what: str
    was: Interval
    now: Interval
    tempo: Tempo
    why: str = ""
    """Why nothing can be said."""


@dataclass(frozen=True)
class Gate:
    """What a run shows that its baseline does not."""

    baseline: Record
    run: Record
    changes: tuple[Change, ...]
    paces: tuple[Pace, ...]
    common: int
    """Cases that both planned, in the same form: only these are compared."""
    same: int
    """Rules and operations of which nothing changed."""
    skipped: int
    """Entries of the baseline that a run of some rules does not look at."""
    notes: tuple[str, ...] = field(default=())

    def of(self, kind: Kind) -> list[Change]:
        """The changes of one kind, worst first."""
        return [change for change in self.changes if change.kind is kind]

    @property
    def slower(self) -> list[Pace]:
        """What takes longer than it did."""
        return [pace for pace in self.paces if pace.tempo is Tempo.SLOWER]

    @property
    def exit_code(self) -> int:
        """1: worse, or a waiver has ended; 2: stale; 7: a rule of ours stumbled; 6: cannot say; else 0."""
        if self.of(Kind.WORSE) or self.slower or self.run.ended:
            return 1
        if self.of(Kind.STALE):
            return 2
        if any(each.verdict is Verdict.ERROR for each in self.run.standings.values()):
            return 7
        return 6 if self.run.trouble or self.of(Kind.UNCLEAR) or self.of(Kind.UNDECIDED) else 0
