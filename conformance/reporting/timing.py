"""How fast the relay answered, as strips: one mark for each answer, one for each event of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.measures import FIRST_BYTE, FIRST_CONTENT, TOKEN_RATE, measures
from conformance.reporting.evidence import is_stream, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.measures import Measure
    from conformance.model import Exchange, Ledger

WIDTH = 600
"""Units of a strip's drawing, so also the most marks that it holds; the page stretches it."""
MOST_STREAMS = 40
_SUCCESS = range(200, 300)


@dataclass(frozen=True)
class Strip:
    """One line of marks with its numbers as text; `spread`, `middle` and `sure` are places on the drawing."""

    operation: str
    what: str
    """What is measured, as `measures` names it."""
    marks: str
    spread: tuple[str, str]
    middle: str
    sure: tuple[str, str] | None
    """Where the true median lies with 95 % confidence; None for too few answers."""
    least: str
    median: str
    interval: tuple[str, str] | None
    """The same as text."""
    most: str
    count: int


@dataclass(frozen=True)
class Arrivals:
    """When the events of one stream came."""

    case: str
    marks: str
    first: str
    last: str
    count: int


@dataclass(frozen=True)
class Timing:
    """All strips, those in seconds to one scale and those in tokens to another, and all streams, each to its own."""

    scale: str
    rate_scale: str
    """Empty where no rate was measured."""
    strips: tuple[Strip, ...]
    streams: tuple[Arrivals, ...]
    more_streams: int


def timing(ledger: Ledger) -> Timing:
    """Measure every answer of the run that came at the first attempt."""
    found = _sound(measures(ledger))
    most = {is_rate: _most(found, is_rate=is_rate) for is_rate in (False, True)}
    answers = [exchange for exchange in ledger.exchanges if exchange.answered and exchange.status in _SUCCESS]
    streams = [exchange for exchange in answers if is_stream(exchange)]
    return Timing(
        scale=seconds(most[False]),
        rate_scale=_rate(most[True]) if most[True] else "",
        strips=tuple(_strip(measure, most[measure.what == TOKEN_RATE]) for measure in found),
        streams=tuple(_arrivals(exchange) for exchange in streams[:MOST_STREAMS]),
        more_streams=max(0, len(streams) - MOST_STREAMS),
    )


def _sound(found: Sequence[Measure]) -> list[Measure]:
    """The same without what rests on a first content that was not seen: a zero is no time."""
    spoken = {each.operation for each in found if each.what == FIRST_CONTENT and all(each.values)}
    return [each for each in found if each.what == FIRST_BYTE or each.operation in spoken]


def _most(found: Iterable[Measure], *, is_rate: bool) -> float:
    """The largest value of a unit."""
    return max((max(each.values) for each in found if (each.what == TOKEN_RATE) is is_rate), default=0.0)


def _rate(value: float) -> str:
    """Tokens a second."""
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _strip(measure: Measure, most: float) -> Strip:
    least, longest, found = min(measure.values), max(measure.values), measure.interval
    middle, low, high = (found.middle, found.low, found.high) if found else (0.0, None, None)
    sure = (low, high) if low is not None and high is not None else None
    said = _rate if measure.what == TOKEN_RATE else seconds
    return Strip(
        operation=measure.operation,
        what=measure.what,
        marks=_marks(measure.values, most),
        spread=(_place(least, most), _place(longest, most)),
        middle=_place(middle, most),
        sure=(_place(sure[0], most), _place(sure[1], most)) if sure else None,
        least=said(least),
        median=said(middle),
        interval=(said(sure[0]), said(sure[1])) if sure else None,
        most=said(longest),
        count=len(measure.values),
    )


def _arrivals(exchange: Exchange) -> Arrivals:
    times = exchange.stream.times
    return Arrivals(
        case=exchange.case.id,
        marks=_marks(times, max(exchange.seconds, times[-1])),
        first=seconds(times[0]),
        last=seconds(times[-1]),
        count=len(times),
    )


def _marks(values: Iterable[float], most: float) -> str:
    """A path of upright lines, each place once."""
    places = dict.fromkeys(_place(value, most) for value in values)
    return "".join(f"M{place} 3V17" for place in places)


def _place(value: float, most: float) -> str:
    """Where a value stands on the drawing."""
    share = min(max(value / most, 0.0), 1.0) if most > 0 else 0.0
    return f"{4 + share * (WIDTH - 8):.0f}"
