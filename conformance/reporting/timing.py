"""How fast the relay answered, as strips: one mark for each answer, one for each event of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from conformance.reporting.evidence import is_stream, seconds
from conformance.reporting.requirements import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conformance.model import Exchange, Ledger

WIDTH = 600
"""Units of a strip's drawing, so also the most marks that it holds; the page stretches it."""
MOST_STREAMS = 40
_SUCCESS = range(200, 300)


@dataclass(frozen=True)
class Strip:
    """One line of marks with its numbers as text; `spread` and `middle` are places on the drawing."""

    operation: str
    what: str
    marks: str
    spread: tuple[str, str]
    middle: str
    least: str
    median: str
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
    """All strips, drawn to one scale, and all streams, each to its own."""

    scale: str
    strips: tuple[Strip, ...]
    streams: tuple[Arrivals, ...]
    more_streams: int


def timing(ledger: Ledger) -> Timing:
    """Measure every successful answer of the run."""
    answers = [exchange for exchange in ledger.exchanges if exchange.answered and exchange.status in _SUCCESS]
    measured = list(_measured(answers))
    most = max((value for _, _, values in measured for value in values), default=0.0)
    streams = [exchange for exchange in answers if is_stream(exchange)]
    return Timing(
        scale=seconds(most),
        strips=tuple(_strip(operation, what, values, most) for operation, what, values in measured),
        streams=tuple(_arrivals(exchange) for exchange in streams[:MOST_STREAMS]),
        more_streams=max(0, len(streams) - MOST_STREAMS),
    )


def _measured(answers: Sequence[Exchange]) -> Iterator[tuple[str, str, list[float]]]:
    """For each operation the seconds until the first byte, and until the first content of its streams."""
    for operation in in_order({exchange.case.operation for exchange in answers}):
        own = [exchange for exchange in answers if exchange.case.operation == operation]
        yield operation, "first-byte", [exchange.response.first_byte for exchange in own if exchange.response]
        contents = [exchange.stream.first_content for exchange in own if is_stream(exchange)]
        spoken = [value for value in contents if value]
        if spoken:
            yield operation, "first-content", spoken


def _strip(operation: str, what: str, values: Sequence[float], most: float) -> Strip:
    least, middle, longest = min(values), median(values), max(values)
    return Strip(
        operation=operation,
        what=what,
        marks=_marks(values, most),
        spread=(_place(least, most), _place(longest, most)),
        middle=_place(middle, most),
        least=seconds(least),
        median=seconds(middle),
        most=seconds(longest),
        count=len(values),
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
