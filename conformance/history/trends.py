"""What changed between the runs of a provider: pure functions from what is remembered to turns and trends.

Only a run that says something moves a rule: one that was narrowed, inconclusive or interrupted leaves a gap, and a
gap neither breaks nor heals anything.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from conformance.history.nouns import Change, Course, History, Run, State, Trend, Turn
from conformance.model import Verdict
from conformance.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.history.index import Index
    from conformance.history.nouns import Identity, Speed
    from conformance.outcomes import Key, Outcome

FLAPS, LATELY = 3, 12
"""So many changes within so many judged runs are flapping."""
_STATES = {
    Verdict.PASS: State.HOLDS,
    Verdict.NOTE: State.BROKEN,
    Verdict.WARN: State.BROKEN,
    Verdict.FAIL: State.BROKEN,
    Verdict.UNSUPPORTED: State.DROPPED,
}
"""What moves a rule; an error is the tool's own and says nothing."""
_CHANGES = {
    (State.HOLDS, State.BROKEN): Change.BROKE,
    (State.DROPPED, State.BROKEN): Change.BROKE,
    (State.BROKEN, State.HOLDS): Change.HEALED,
    (State.DROPPED, State.HOLDS): Change.OFFERED,
    (State.HOLDS, State.DROPPED): Change.DROPPED,
    (State.BROKEN, State.DROPPED): Change.DROPPED,
}


class _Seen(NamedTuple):
    """One run that says something of a rule."""

    run: Run
    state: State
    outcome: Outcome


def histories(index: Index) -> list[History]:
    """Every provider with its runs; the one that was tested last comes first."""
    found = [
        _history(identity, tuple(runs), index) for identity, runs in groupby(index.runs(), lambda run: run.identity)
    ]
    return sorted(found, key=lambda history: -history.runs[-1].started)


def _history(identity: Identity, runs: tuple[Run, ...], index: Index) -> History:
    found = [_trend(key, runs, outcomes) for key, outcomes in index.outcomes(identity)]
    moving = [trend for trend in found if trend is not None and (trend.turns or trend.broken)]
    turns = [turn for trend in moving for turn in trend.turns]
    return History(
        identity,
        runs,
        trends=tuple(sorted(moving, key=_order)),
        steady=sum(trend is not None for trend in found) - len(moving),
        turns=tuple(sorted(turns, key=lambda turn: (-turn.run.started, -turn.verdict, turn.key))),
        courses=tuple(_courses(runs, index.speeds(identity))),
    )


def _order(trend: Trend) -> tuple[bool, int, float, Key]:
    """Broken ones first, the worst of them first, then what changed last."""
    last = trend.turns[-1].run.started if trend.turns else 0.0
    return not trend.broken, -trend.verdict, -last, trend.key


def _trend(key: Key, runs: Sequence[Run], outcomes: Mapping[int, Outcome]) -> Trend | None:
    """One rule over the runs; None where no run says anything of it."""
    seen = [
        _Seen(run, _STATES[outcomes[run.number].verdict], outcomes[run.number])
        for run in runs
        if run.number in outcomes and outcomes[run.number].verdict in _STATES
    ]
    if not seen:
        return None
    by_run = {each.run.number: each.state for each in seen}
    broken = [each.outcome for each in seen if each.state is State.BROKEN]
    turns = tuple(_turns(key, seen))
    return Trend(
        key,
        severity=seen[-1].outcome.severity,
        verdict=seen[-1].outcome.verdict,
        states=tuple(by_run.get(run.number) for run in runs),
        turns=turns,
        flapping=_flaps(turns, seen),
        signs=tuple(sorted(broken[-1].signs)) if broken else (),
    )


def _turns(key: Key, seen: Sequence[_Seen]) -> Iterator[Turn]:
    """Each change of state, the oldest first."""
    stretches = [list(found) for _, found in groupby(seen, lambda each: each.state)]
    for before, after in pairwise(stretches):
        first = after[0]
        change = _CHANGES[before[0].state, first.state]
        signs = tuple(sorted(first.outcome.signs))
        yield Turn(key, change, first.run, before[0].state, len(before), first.outcome.verdict, signs)


def _flaps(turns: Sequence[Turn], seen: Sequence[_Seen]) -> bool:
    """Whether a rule changed again and again lately."""
    lately = {each.run.number for each in seen[-LATELY:]}
    return sum(turn.run.number in lately for turn in turns) >= FLAPS


def _courses(runs: Sequence[Run], speeds: Sequence[tuple[int, Speed]]) -> Iterator[Course]:
    """Speeds by operation and quantity, in the order of the operations."""
    found: dict[tuple[str, str], dict[int, Speed]] = defaultdict(dict)
    for number, speed in speeds:
        found[speed.operation, speed.what][number] = speed
    order = {name: place for place, name in enumerate(OPERATIONS)}
    for operation, what in sorted(found, key=lambda key: (order.get(key[0], len(order)), key)):
        known = found[operation, what]
        yield Course(operation, what, tuple(known.get(run.number) for run in runs))
