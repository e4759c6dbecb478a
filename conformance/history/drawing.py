"""Lines for inline SVG: strips of states and medians over runs. Numbers only, so nothing here needs escaping."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.history.nouns import Course, Speed, State

HEIGHT = 40
_EDGE = 3


class Curve(NamedTuple):
    """One quantity over runs, in a box of `width` × `HEIGHT`."""

    width: int
    middle: str
    """The medians of runs in a row as lines, one alone as a short one."""
    band: str
    """Around them, where their intervals are."""


def strip(states: Sequence[State | None]) -> dict[str, str]:
    """Path data by state, `silent` for None: one bar for each stretch of runs, a run one unit wide."""
    bars: dict[str, list[str]] = {}
    place = 0
    for state, found in groupby(states):
        length = len(list(found))
        bars.setdefault(state.value if state else "silent", []).append(f"M{place} .5h{length}")
        place += length
    return {name: "".join(drawn) for name, drawn in bars.items()}


def curve(course: Course) -> Curve:
    """Medians and bands, zero at the bottom."""
    known = [speed for speed in course.speeds if speed is not None]
    top = max((max(speed.middle, speed.high or 0.0) for speed in known), default=0.0) or 1.0
    stretches = list(_stretches(course.speeds))
    middle = "".join(_line([(place, speed.middle) for place, speed in found], top) for found in stretches)
    return Curve(len(course.speeds), middle, "".join(_band(found, top) for found in stretches))


def _stretches(speeds: Sequence[Speed | None]) -> Iterator[list[tuple[int, Speed]]]:
    """Runs in a row that have the quantity."""
    for there, found in groupby(enumerate(speeds), lambda pair: pair[1] is not None):
        if there:
            yield [(place, speed) for place, speed in found if speed is not None]


def _line(points: Sequence[tuple[int, float]], top: float) -> str:
    if len(points) == 1:
        place, value = points[0]
        return f"M{place + 0.3:g} {_y(value, top)}h.4"
    return "M" + "L".join(f"{place + 0.5:g} {_y(value, top)}" for place, value in points)


def _band(points: Sequence[tuple[int, Speed]], top: float) -> str:
    """One box for each run that has an interval: it says nothing of the time between two runs."""
    boxes = ((place, speed.low, speed.high) for place, speed in points)
    return "".join(
        f"M{place + 0.1:g} {_y(low, top)}h.8V{_y(high, top)}h-.8z"
        for place, low, high in boxes
        if low is not None and high is not None
    )


def _y(value: float, top: float) -> str:
    return f"{HEIGHT - _EDGE - (HEIGHT - 2 * _EDGE) * value / top:.1f}"
