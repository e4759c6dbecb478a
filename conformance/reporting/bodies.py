"""What was sent and what came back, as pieces of text: bounded, visible, with what findings point at marked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from markupsafe import Markup

from conformance.jsontext import parse_json, parse_json_text
from conformance.reporting.highlight import Piece, marked
from conformance.reporting.visible import visible, visible_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.model import Exchange
    from conformance.sse import Event

_EVENT = 600
"""Characters of one event that are shown."""
EVENT_OVERHEAD = 100
"""What the markup around one event weighs."""
_MOST_EVENTS = 20
"""Events of one stream in which places are marked."""
_LONGEST = 1_000_000
"""Bytes of a body that are written one field a line."""
_LEAST = 300
"""Room under which there is none for line breaks."""
_OPENS = frozenset({b"{", b"["})
_IN_EVENT = re.compile(r"/events/(\d{1,9})(?=/|$)")


def content(text: str) -> Markup:
    """Text for the inside of an element, never for an attribute: quotes stay, JSON half as large."""
    return Markup(escape(text, quote=False))  # noqa: S704 - escaped right here


@dataclass(frozen=True)
class Body:
    """Text in pieces, some of them marked, and how much is missing."""

    pieces: tuple[Piece, ...]
    bytes_more: int = 0
    values_more: int = 0

    @property
    def weight(self) -> int:
        """How many characters of the page it takes."""
        return sum(len(content(piece.text)) for piece in self.pieces)


@dataclass(frozen=True)
class EventLine:
    """One server-sent event: its number, its second, its data; `pointer` where the whole event is marked."""

    number: int
    seconds: float
    data: Body
    pointer: str


def body_of(body: bytes, limit: int, at: Mapping[str, bool]) -> Body:
    """A body: JSON one field a line, with what findings point at marked; anything else as it is."""
    if body[:1] in _OPENS and len(body) <= _LONGEST and not parse_json(body).problem:
        inside = {pointer: is_missing for pointer, is_missing in at.items() if pointer.startswith("/")}
        written = marked(body.decode(), inside, limit, indent=limit > _LEAST)
        return Body(written.pieces, values_more=written.more)
    text, more = visible_bytes(body, limit if _is_text(body[:_LEAST]) else _LEAST)
    return Body((Piece(text),) if text else (), more)


def _is_text(beginning: bytes) -> bool:
    """Whether a body begins as text does; of a picture or a sound nobody reads more than the first bytes."""
    return b"\0" not in beginning and "\ufffd" not in beginning[:-4].decode("utf-8", "replace")


def event_lines(exchange: Exchange, limit: int, at: Mapping[str, bool]) -> tuple[EventLine, ...]:
    """The first events of a stream, as many as there is room for, and those that findings point at."""
    inside = _by_event(at)
    found: list[EventLine] = []
    for number, event in enumerate(exchange.stream.events):
        if limit < 0 and found and number not in inside:
            continue
        data = _data(event, inside.get(number, {}))
        limit -= data.weight + EVENT_OVERHEAD
        if limit >= 0 or not found or number in inside:
            pointer = f"/events/{number}"
            whole = pointer if pointer in at else ""
            found.append(EventLine(number, exchange.stream.times[number], data, whole))
    return tuple(found)


def _by_event(at: Mapping[str, bool]) -> dict[int, dict[str, bool]]:
    """Number of an event -> what findings point at inside it."""
    found: dict[int, dict[str, bool]] = {}
    for pointer, is_missing in at.items():
        if known := _IN_EVENT.match(pointer):
            found.setdefault(int(known[1]), {})[pointer] = is_missing
            if len(found) >= _MOST_EVENTS:
                break
    return found


def _data(event: Event, at: Mapping[str, bool]) -> Body:
    """What one event says, marked where it is JSON and a finding points into it."""
    named = f"{event.name}: " if event.name else ""
    inner = {_IN_EVENT.sub("", pointer): (pointer, is_missing) for pointer, is_missing in at.items()}
    inner.pop("", None)
    if not inner or parse_json_text(event.data).problem:
        return Body((Piece(visible(named + event.data, _EVENT, lines=True)),))
    written = marked(event.data, {short: is_missing for short, (_, is_missing) in inner.items()}, _EVENT, indent=False)
    pieces = (piece._replace(pointer=inner[piece.pointer][0]) if piece.pointer else piece for piece in written.pieces)
    return Body((Piece(visible(named, _EVENT)), *pieces) if named else tuple(pieces))
