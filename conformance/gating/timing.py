"""Whether a relay has become slower: judged over rounds, with intervals, and with an eye on how much is looked at.

Something is slower only where four things agree: every round of the run is slower than every round of the baseline,
by a factor; the step is larger than what rounds of one side differ by among themselves; the intervals of the pooled
samples are apart by the same factor; and a rank test says that this is no chance, even though so many quantities are
looked at.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import chain
from statistics import NormalDist, fmean, median

from conformance.gating.nouns import Pace, Record, Tempo, Timing
from conformance.intervals import Interval, median_interval
from conformance.measures import LEAST_TOKENS, SHORTEST, SLOWER_IS_MORE

FACTOR = 1.25
"""How much slower is worth mentioning."""
ROUNDS = 3
"""Rounds that either side needs."""
BUSY = 0.05
"""Seconds of lag from which on the recording machine says nothing of time."""
WAKES = 10
"""How often a request may meet the machine's own lag: connecting, sending, each piece of the answer."""
FALSE_ALARM = 0.01
"""How often chance may find anything slower, in all quantities together."""
STEP = 4.5
"""Standard errors that a step has to exceed; three rounds a side that wobble alike exceed it in 0.5 % of runs."""
LEAST = 1e-4
"""Seconds, or tokens a second, below which a baseline keeps nothing: zero has no logarithm."""


def paces(baseline: Record, run: Record) -> tuple[Pace, ...]:
    """Every quantity that both have, then and now."""
    now = {(each.operation, each.what): each for each in run.timings}
    pairs = [(was, now[was.operation, was.what]) for was in baseline.timings if (was.operation, was.what) in now]
    why = _why_not(baseline, run)
    noise = WAKES * max(baseline.lag, run.lag)
    usual = _wobble([side for pair in pairs for side in pair])
    return tuple(_pace(was, then, len(pairs), noise, usual, why) for was, then in pairs)


def _why_not(baseline: Record, run: Record) -> str:
    """Why nothing at all can be said."""
    if min(baseline.rounds, run.rounds) < ROUNDS:
        return f"{ROUNDS} rounds needed on either side"
    lag = max(baseline.lag, run.lag)
    if lag > BUSY:
        return f"the recording machine was busy: late by {lag * 1000:.0f} ms itself"
    alike = all(run.cases.get(case) == digest for case, digest in baseline.cases.items())
    return "" if alike else "the run did not plan all requests of the baseline"


def _pace(was: Timing, now: Timing, many: int, noise: float, usual: float, why: str) -> Pace:
    before, after = _pooled(was), _pooled(now)
    if not why and not (before.enough and after.enough):
        why = "too few values"
    if why:
        return Pace(was.operation, was.what, before, after, Tempo.UNKNOWN, why)
    if _seconds_apart(was.what, before.middle, after.middle) < noise or not _is_a_step(was, now, usual):
        return Pace(was.operation, was.what, before, after, Tempo.SAME)
    grown = _is_more(was.rounds, now.rounds, many)
    shrunk = _is_more(now.rounds, was.rounds, many)
    slower, faster = (grown, shrunk) if was.what in SLOWER_IS_MORE else (shrunk, grown)
    tempo = Tempo.SLOWER if slower else Tempo.FASTER if faster else Tempo.SAME
    return Pace(was.operation, was.what, before, after, tempo)


def _seconds_apart(what: str, was: float, now: float) -> float:
    """How much time lies between both; of rates, at the shortest answer that makes one."""
    if what in SLOWER_IS_MORE:
        return abs(was - now)
    slow, fast = sorted(max(LEAST, rate) for rate in (was, now))
    return max(SHORTEST, LEAST_TOKENS / fast) * (fast / slow - 1)


def _is_a_step(was: Timing, now: Timing, usual: float) -> bool:
    """Whether both sides differ by much more than rounds of one side do."""
    apart = abs(fmean(_middles(now)) - fmean(_middles(was)))
    error = max(usual, _wobble([was, now])) * math.sqrt(1 / len(was.rounds) + 1 / len(now.rounds))
    return apart > STEP * error


def _wobble(sides: Sequence[Timing]) -> float:
    """By how much rounds of one side differ, as the standard deviation of logarithms, over all these together."""
    middles = [_middles(side) for side in sides]
    squares = sum((each - fmean(values)) ** 2 for values in middles for each in values)
    return math.sqrt(squares / max(1, sum(len(values) - 1 for values in middles)))


def _middles(timing: Timing) -> list[float]:
    """The logarithm of each round's median."""
    return [math.log(max(LEAST, median(values))) for values in timing.rounds]


def _pooled(timing: Timing) -> Interval:
    found = median_interval(list(chain.from_iterable(timing.rounds)))
    return found or Interval(0.0, None, None, 0)


def _is_more(less: Sequence[Sequence[float]], more: Sequence[Sequence[float]], many: int) -> bool:
    """Whether the values of `more` are larger by the factor, among so many quantities that are looked at."""
    if min(map(median, more)) <= FACTOR * max(map(median, less)):
        return False
    low, high = list(chain.from_iterable(less)), list(chain.from_iterable(more))
    below, above = median_interval(low), median_interval(high)
    if below is None or above is None or below.high is None or above.low is None:
        return False
    return above.low > FACTOR * below.high and _chance([FACTOR * each for each in low], high) < FALSE_ALARM / many


def _chance(low: Sequence[float], high: Sequence[float]) -> float:
    """How likely `high` would be that much larger if both were the same: the rank test of Mann and Whitney (1947).

    Ties count half. They would make the spread smaller; without that correction the test is on the careful side.
    """
    ordered = sorted(low)
    larger = sum(bisect_left(ordered, after) + bisect_right(ordered, after) for after in high) / 2
    pairs = len(low) * len(high)
    spread = math.sqrt(pairs * (len(low) + len(high) + 1) / 12)
    return 1 - NormalDist(pairs / 2, spread).cdf(larger)
