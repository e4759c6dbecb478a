"""How fast and how reliable sides are, as small drawings: one scale for all sides of a drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.measures import FIRST_BYTE, FIRST_CONTENT, SLOWER_IS_MORE, TOKEN_RATE
from conformance.reporting.evidence import seconds
from conformance.reporting.requirements import in_order, operation_title
from conformance.reporting.texts import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conformance.comparison.nouns import Comparison
    from conformance.intervals import Interval
    from conformance.measures import Measure

WIDTH = 300
"""Units of a drawing, so also the most dots that it holds; the page stretches it."""
_EDGE = 5
_ROOM = 2.5
"""How far a scale goes beyond the largest interval."""
FIRST = ("chat.stream", "chat", "messages.stream", "responses.stream", "gemini.stream", "completions.stream")
"""What is shown before all other operations: what people wait for."""
MOST_OPEN = 2
"""Operations that are shown unfolded."""


@dataclass(frozen=True)
class Lane:
    """One side in a drawing: its dots, its interval and its median as paths, and the same as text."""

    name: str
    dots: str
    bar: str
    tick: str
    median: str
    interval: str
    """Empty where there are too few samples."""
    count: int
    beyond: int = 0
    """Samples that are larger than the scale: they stand at its end."""


@dataclass(frozen=True)
class Drawing:
    """One quantity at one operation, a lane for each side."""

    what: str
    less: bool
    """Whether less is better."""
    most: str
    lanes: tuple[Lane, ...]


@dataclass(frozen=True)
class Panel:
    """All drawings of one operation."""

    operation: str
    title: Text
    drawings: tuple[Drawing, ...]


@dataclass(frozen=True)
class Share:
    """How reliable one side is at the first attempt."""

    name: str
    answered: int
    asked: int
    share: str
    interval: str
    bar: str
    tick: str


def panels(comparison: Comparison) -> list[Panel]:
    """The drawings by operation; those that people wait for first."""
    found = {measure.operation for side in comparison.sides for measure in side.measures}
    order = sorted(in_order(found), key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    return [_panel(comparison, operation) for operation in order]


def _panel(comparison: Comparison, operation: str) -> Panel:
    kinds = dict.fromkeys(
        each.what for side in comparison.sides for each in side.measures if each.operation == operation
    )
    order = [FIRST_BYTE, FIRST_CONTENT, TOKEN_RATE]
    drawings = [_drawing(comparison, operation, what) for what in sorted(kinds, key=order.index)]
    return Panel(operation, operation_title(operation), tuple(drawings))


def _drawing(comparison: Comparison, operation: str, what: str) -> Drawing:
    found = [
        (side.name, next((each for each in side.measures if (each.operation, each.what) == (operation, what)), None))
        for side in comparison.sides
    ]
    most = _end([measure for _, measure in found if measure])
    lanes = tuple(_lane(name, measure, most) for name, measure in found)
    return Drawing(what, what in SLOWER_IS_MORE, _number(most), lanes)


def _end(found: Iterable[Measure]) -> float:
    """Where the scale ends: a few stray samples must not press all others together."""
    largest = most = 0.0
    for measure in found:
        interval = measure.interval
        if interval is not None:
            largest = max(largest, *measure.values)
            most = max(most, interval.middle, interval.high or 0.0)
    return min(largest, _ROOM * most)


def _lane(name: str, measure: Measure | None, most: float) -> Lane:
    interval = measure.interval if measure else None
    if measure is None or interval is None:
        return Lane(name, "", "", "", "", "", 0)
    return Lane(
        name=name,
        dots=_dots(measure.values, most),
        bar=_bar(interval, 0.0, most),
        tick=f"M{_place(interval.middle, 0.0, most)} 3v14",
        median=_number(interval.middle),
        interval=_span(interval, _number),
        count=interval.count,
        beyond=sum(value > most for value in measure.values),
    )


def _dots(values: Iterable[float], most: float) -> str:
    """A path of points, each place once."""
    places = dict.fromkeys(_place(value, 0.0, most) for value in values)
    return "".join(f"M{place} 10h0" for place in places)


def _bar(interval: Interval, least: float, most: float) -> str:
    if interval.low is None or interval.high is None:
        return ""
    return f"M{_place(interval.low, least, most)} 10H{_place(interval.high, least, most)}"


def _place(value: float, least: float, most: float) -> str:
    """Where a value stands on a drawing."""
    share = (value - least) / (most - least) if most > least else 0.0
    share = min(max(0.0, share), 1.0)
    return f"{_EDGE + share * (WIDTH - 2 * _EDGE):.0f}"


def _number(value: float) -> str:
    """A value with as many digits as tell something."""
    return f"{value:,.1f}" if value >= 10 else seconds(value)


def _span(interval: Interval, said: Callable[[float], str]) -> str:
    if interval.low is None or interval.high is None:
        return ""
    return f"{said(interval.low)} – {said(interval.high)}"


def shares(comparison: Comparison) -> tuple[str, list[Share]]:
    """Where the scale of reliability begins, and a row for each side."""
    found = [(side, side.first_attempts) for side in comparison.sides]
    lowest = min((each.low for _, each in found if each and each.low is not None), default=1.0)
    least = math.floor(lowest * 10) / 10 if lowest < 1 else 0.9
    return _percent(least), [
        Share(
            side.name,
            side.reliability.answered,
            side.reliability.asked,
            _percent(each.middle) if each else "",
            _span(each, _percent) if each else "",
            _bar(each, least, 1.0) if each else "",
            f"M{_place(each.middle, least, 1.0)} 3v14" if each else "",
        )
        for side, each in found
    ]


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %".replace(".0 %", " %")
