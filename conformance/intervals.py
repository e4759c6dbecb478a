"""How sure a sample makes us: intervals and a sequential test, without assuming how values are spread.

Sources: the interval of a median from order statistics (Conover, Practical Nonparametric Statistics), that of a share
by Wilson (1927), the sequential probability ratio test by Wald (1945).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from statistics import NormalDist, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A middle value, where the true one lies with 95 % confidence, and how many values that rests on.

    `low` and `high` are None where there are too few values to say.
    """

    middle: float
    low: float | None
    high: float | None
    count: int

    @property
    def enough(self) -> bool:
        """Whether there were values enough for an interval."""
        return self.low is not None


def median_interval(values: Sequence[float]) -> Interval | None:
    """The median and its interval from order statistics; six values are the fewest that have one. None for none."""
    if not values:
        return None
    ordered = sorted(values)
    rank = _rank(len(ordered))
    if rank is None:
        return Interval(median(ordered), None, None, len(ordered))
    return Interval(median(ordered), ordered[rank], ordered[-1 - rank], len(ordered))


@cache
def _rank(count: int) -> int | None:
    """The place of the interval's lower end in ordered values; None for too few.

    It is the highest at which no more than the tolerated share of samples has the median outside.
    """
    tail, rank = 0.0, None
    for place in range(count // 2):
        tail += math.comb(count, place) / 2**count
        if 2 * tail > 1 - CONFIDENCE:
            break
        rank = place
    return rank


def share_interval(hits: int, count: int) -> Interval | None:
    """The share of `hits` among `count` trials with its Wilson interval; None for no trial."""
    if not count:
        return None
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    share = hits / count
    scale = 1 + z * z / count
    centre = (share + z * z / (2 * count)) / scale
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / scale
    return Interval(share, max(0.0, centre - spread), min(1.0, centre + spread), count)


class Decision(StrEnum):
    """What a sequence of trials has shown so far."""

    WORSE = "worse"
    SAME = "same"
    OPEN = "open"


RARELY, MOSTLY = 0.1, 0.8
"""How often something fails by chance where nothing is wrong, and where something is."""
FALSE_ALARM, MISSED = 0.01, 0.05


def sequential(failures: Iterable[bool]) -> Decision:
    """Wald's test over trials in their order: whether they fail rarely or mostly.

    Three failures in a row decide for worse, two successes for same; a single trial decides nothing.
    """
    evidence = 0.0
    for failed in failures:
        evidence += math.log(MOSTLY / RARELY) if failed else math.log((1 - MOSTLY) / (1 - RARELY))
        if evidence >= math.log((1 - MISSED) / FALSE_ALARM):
            return Decision.WORSE
        if evidence <= math.log(MISSED / (1 - FALSE_ALARM)):
            return Decision.SAME
    return Decision.OPEN
