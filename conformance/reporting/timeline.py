"""One stream as a drawing: when each event came, first byte, first content, the longest gap, the end and [DONE].

All places are units of a drawing of `WIDTH` times `HEIGHT`; the page draws them as SVG and says the same as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from conformance.reporting.texts import Text, text

if TYPE_CHECKING:
    from conformance.model import Exchange

WIDTH, HEIGHT = 640, 62
_LEFT, _RIGHT = 6, 634
_TOP, _BOTTOM = 24, 40
_SHORTEST = 0.02
"""Seconds under which a gap is not worth a mark."""
_LABEL = 44
"""Room that half a label takes: it stays inside the drawing."""


@dataclass(frozen=True)
class Moment:
    """One moment worth naming."""

    place: str
    seconds: float


@dataclass(frozen=True)
class Gap:
    """The longest time without an event."""

    start: str
    end: str
    label: str
    """Where its length stands."""
    seconds: float
    after: int
    """The event before it, from 0."""


@dataclass(frozen=True)
class Timeline:
    """Everything that the drawing and its text say."""

    marks: str
    """An SVG path with one upright line for each place at which events came."""
    count: int
    first_byte: Moment
    first_content: Moment | None
    last: Moment
    end: Moment
    done: Moment | None
    gap: Gap | None

    @property
    def said(self) -> Text:
        """The same in words, each moment behind the sign that the drawing has for it."""
        moments = [
            ("┆ ", "line-first-byte", {"seconds": self.first_byte.seconds}),
            ("▲ ", "line-first-content", {"seconds": self.first_content.seconds} if self.first_content else None),
            ("| ", "line-events", {"count": self.count, "seconds": self.last.seconds}),
            ("⊓ ", "line-gap", {"seconds": self.gap.seconds, "after": self.gap.after} if self.gap else None),
            ("◆ ", "line-done", {"seconds": self.done.seconds}) if self.done else ("", "line-no-done", {}),
            ("▌ ", "line-end", {"seconds": self.end.seconds}),
        ]
        found = [(sign, text(key, **values)) for sign, key, values in moments if values is not None]
        return Text(
            "  ".join(sign + words.en for sign, words in found), "  ".join(sign + words.zh for sign, words in found)
        )


def timeline(exchange: Exchange) -> Timeline | None:
    """The drawing of an exchange; None where no event came."""
    times, stream = exchange.stream.times, exchange.stream
    if exchange.response is None or not times:
        return None
    whole = max(exchange.seconds, times[-1], exchange.response.first_byte)

    def moment(value: float) -> Moment:
        return Moment(_place(value, whole), value)

    places = dict.fromkeys(_place(value, whole) for value in times)
    return Timeline(
        marks="".join(f"M{place} {_TOP}v{_BOTTOM - _TOP}" for place in places),
        count=len(times),
        first_byte=moment(exchange.response.first_byte),
        first_content=moment(stream.first_content) if stream.first_content else None,
        last=moment(times[-1]),
        end=moment(exchange.seconds),
        done=moment(times[stream.done[0]]) if stream.done else None,
        gap=_longest(times, whole),
    )


def _longest(times: tuple[float, ...], whole: float) -> Gap | None:
    """The longest gap between two events, if there is one that can be seen."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    longest = max(gaps, default=0.0)
    if longest < _SHORTEST:
        return None
    after = gaps.index(longest)
    start, end = _place(times[after], whole), _place(times[after + 1], whole)
    middle = (float(start) + float(end)) / 2
    label = min(max(middle, _LEFT + _LABEL), _RIGHT - _LABEL)
    return Gap(start, end, f"{label:.0f}", longest, after)


def _place(value: float, whole: float) -> str:
    """Where a second stands on the drawing."""
    share = min(max(value / whole, 0.0), 1.0) if whole > 0 else 0.0
    return f"{_LEFT + share * (_RIGHT - _LEFT):.0f}"
