"""What a stream of typed events says: OpenAI's responses and Anthropic's messages are told that way.

Each event has a name on its `event:` line and a type in its data. Lenient like `stream`: rules judge, this module
only reads. A value of the wrong type is passed over.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conformance.model import Exchange

_MEMO = "typed-events"

Key = tuple[str | int, ...]
"""What tells the deltas of one text from those of another, such as (item_id, content_index)."""


@dataclass(frozen=True)
class TypedEvent:
    """One event whose data is a JSON object."""

    place: int
    """Which event of the stream it is, from 0."""
    name: str
    """What its `event:` line says; empty without one."""
    type: str
    """What its data says; empty where that is no text."""
    data: Mapping[str, Any]

    @property
    def at(self) -> str:
        """The JSON pointer of the event."""
        return f"/events/{self.place}"

    def part(self, name: str) -> Mapping[str, Any]:
        """An object inside the data; empty where there is none."""
        found = self.data.get(name)
        return found if isinstance(found, dict) else {}


def typed_events(exchange: Exchange) -> list[TypedEvent]:
    """The events of a stream, in order; those without a JSON object (`[DONE]`) are left out."""
    if _MEMO not in exchange.memo:
        exchange.memo[_MEMO] = list(_read(exchange))
    found: list[TypedEvent] = exchange.memo[_MEMO]
    return found


def _read(exchange: Exchange) -> Iterable[TypedEvent]:
    events = exchange.stream.events
    for chunk in exchange.stream.chunks:
        kind = chunk.value.get("type")
        yield TypedEvent(chunk.event, events[chunk.event].name, kind if isinstance(kind, str) else "", chunk.value)


def of_type(exchange: Exchange, *types: str) -> list[TypedEvent]:
    """The events of these types, in order."""
    return [event for event in typed_events(exchange) if event.type in types]


def key_of(event: TypedEvent, *names: str) -> Key | None:
    """The values of these fields of an event; None where one is neither text nor a whole number."""
    values = tuple(value for name in names if isinstance(value := event.data.get(name), str | int))
    return values if len(values) == len(names) else None


def joined(events: Iterable[TypedEvent], *names: str, field: str = "delta") -> dict[Key, str]:
    """The texts that the deltas of these events make, one for each key; pieces that are no text are passed over."""
    pieces: dict[Key, list[str]] = defaultdict(list)
    for event in events:
        key, piece = key_of(event, *names), event.data.get(field)
        if key is not None and isinstance(piece, str):
            pieces[key].append(piece)
    return {key: "".join(said) for key, said in pieces.items()}
