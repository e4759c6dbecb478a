"""Whether a relay has become slower: judged over rounds, with intervals, and with an eye on how much is looked at.

Something is slower only where three things agree: every round of the run is slower than every round of the baseline,
by a factor; the intervals of the pooled samples are apart by the same factor; and a rank test says that this is no
chance, even though so many quantities are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from statistics import NormalDist, median

from conformance.gating.nouns import Pace, Record, Tempo, Timing
from conformance.intervals import Interval, median_interval
from conformance.measures import SLOWER_IS_MORE

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


def paces(baseline: Record, run: Record) -> tuple[Pace, ...]:
    """Every quantity that both have, then and now."""
    now = {(each.operation, each.what): each for each in run.timings}
    pairs = [(was, now[was.operation, was.what]) for was in baseline.timings if (was.operation, was.what) in now]
    why = _why_not(baseline, run)
    noise = WAKES * max(baseline.lag, run.lag)
    return tuple(_pace(was, then, len(pairs), noise, why) for was, then in pairs)


def _why_not(baseline: Record, run: Record) -> str:
    """Why nothing at all can be said."""
    if min(baseline.rounds, run.rounds) < ROUNDS:
        return f"{ROUNDS} rounds needed on either side"
    lag = max(baseline.lag, run.lag)
    if lag > BUSY:
        return f"the recording machine was busy: late by {lag * 1000:.0f} ms itself"
    alike = all(run.cases.get(case) == digest for case, digest in baseline.cases.items())
    return "" if alike else "the run did not plan all requests of the baseline"


def _pace(was: Timing, now: Timing, many: int, noise: float, why: str) -> Pace:
    before, after = _pooled(was), _pooled(now)
    if not why and not (before.enough and after.enough):
        why = "too few values"
    if not why and was.what in SLOWER_IS_MORE and 0 < abs(after.middle - before.middle) < noise:
        return Pace(was.operation, was.what, before, after, Tempo.SAME)
    if why:
        return Pace(was.operation, was.what, before, after, Tempo.UNKNOWN, why)
    grown = _is_more(was.rounds, now.rounds, many)
    shrunk = _is_more(now.rounds, was.rounds, many)
    more_is_slower = was.what in SLOWER_IS_MORE
    slower, faster = (grown, shrunk) if more_is_slower else (shrunk, grown)
    tempo = Tempo.SLOWER if slower else Tempo.FASTER if faster else Tempo.SAME
    return Pace(was.operation, was.what, before, after, tempo)


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
    """How likely `high` would be that much larger if both were the same: the rank test of Mann and Whitney (1947)."""
    larger = sum((after > before) + (after == before) / 2 for before in low for after in high)
    pairs = len(low) * len(high)
    spread = math.sqrt(pairs * (len(low) + len(high) + 1) / 12)
    return 1 - NormalDist(pairs / 2, spread).cdf(larger)
