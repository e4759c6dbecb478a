"""Exchanges as the HTML report shows them: once each, bounded, with everything hostile made visible."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from markupsafe import Markup

from conformance.operations import OPERATIONS
from conformance.reporting.curl import curl, key_variable
from conformance.reporting.texts import Text
from conformance.reporting.visible import visible, visible_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.model import Attempt, Exchange, Failure, Ledger, Provider

BODY = 20_000
"""Bytes of one body that are shown while there is room."""
ROOM = 2_000_000
"""Characters of the page that all bodies together may take: a page must open fast."""
LEAST = 300
"""Bytes of a body that are shown when there is no more room."""
CURL = 6_000
"""Characters of a curl line that are shown."""
_HEADERS = 60
_EVENT = 600
_EVENT_OVERHEAD = 100
"""What the markup around one event weighs."""


@dataclass(frozen=True)
class Body:
    """Text, and how many bytes of it are missing."""

    text: str
    more: int


@dataclass(frozen=True)
class Headers:
    """Visible names and values, and how many are missing."""

    pairs: tuple[tuple[str, str], ...]
    more: int


@dataclass(frozen=True)
class EventLine:
    """One server-sent event: its number, its second, its data."""

    number: int
    seconds: str
    data: str


@dataclass(frozen=True)
class Evidence:
    """One exchange."""

    anchor: str
    case: str
    purpose: Text
    source: str
    judged: bool
    status: str
    seconds: str
    first_byte: str
    first_content: str
    failure: str
    attempts: tuple[tuple[str, str], ...]
    line: str
    sent_headers: Headers
    sent: Body
    headers: Headers
    body: Body
    answered: bool
    events: tuple[EventLine, ...]
    events_count: int
    curl: str
    key: str


def anchor(text: str) -> str:
    """A name that can stand behind `#` in an address and in an id."""
    return re.sub(r"[^A-Za-z0-9._-]", lambda found: "--" if found[0] == "/" else f"_{ord(found[0]):x}_", text)


def unique(names: Iterable[str]) -> list[str]:
    """The same names; one that comes again gets a number."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return found


def evidence(ledger: Ledger, cited: Iterable[str]) -> list[Evidence]:
    """Every exchange in the order sent; the ones that findings cite get the room first."""
    exchanges = [*ledger.preflight, *ledger.exchanges]
    prefixes = ["preflight"] * len(ledger.preflight) + ["exchange"] * len(ledger.exchanges)
    anchors = unique(
        f"{prefix}--{anchor(exchange.case.id)}" for prefix, exchange in zip(prefixes, exchanges, strict=True)
    )
    limits = _limits(exchanges, set(cited))
    return [
        _evidence(exchange, name, ledger.provider, limit)
        for exchange, name, limit in zip(exchanges, anchors, limits, strict=True)
    ]


def _limits(exchanges: Sequence[Exchange], cited: set[str]) -> list[int]:
    """How many bytes of each exchange's bodies to show."""
    order = sorted(range(len(exchanges)), key=lambda number: exchanges[number].case.id not in cited)
    limits = [LEAST] * len(exchanges)
    room = ROOM
    for number in order:
        wanted = _weight(exchanges[number])
        if wanted <= room:
            limits[number] = BODY
            room -= wanted
    return limits


def _weight(exchange: Exchange) -> int:
    """How many characters of the page an exchange's bodies take."""
    bodies = [exchange.request.body, exchange.response.body if exchange.response else b""]
    return sum(len(content(visible_bytes(body, BODY)[0])) for body in bodies)


def content(text: str) -> Markup:
    """Text for the inside of an element, never for an attribute: quotes stay, JSON half as large."""
    return Markup(escape(text, quote=False))  # noqa: S704 - escaped right here


def _evidence(exchange: Exchange, name: str, provider: Provider, limit: int) -> Evidence:
    request, response = exchange.request, exchange.response
    events = _events(exchange, limit)
    line = curl(exchange, provider)
    return Evidence(
        anchor=name,
        case=exchange.case.id,
        purpose=Text(exchange.case.purpose, exchange.case.zh or exchange.case.purpose),
        source=exchange.case.source,
        judged=not name.startswith("preflight--"),
        status=str(exchange.status or ""),
        seconds=seconds(exchange.seconds),
        first_byte=seconds(response.first_byte) if response else "",
        first_content=seconds(exchange.stream.first_content) if events else "",
        failure=_failure(exchange.failure),
        attempts=tuple(_attempt(attempt) for attempt in exchange.attempts),
        line=visible(f"{request.method} {request.url}", 2_000),
        sent_headers=_headers(request.headers),
        sent=Body(*visible_bytes(request.body, limit)),
        headers=_headers(response.headers if response else ()),
        body=Body(*visible_bytes(response.body if response and not events else b"", limit)),
        answered=response is not None,
        events=events,
        events_count=len(exchange.stream.events) if events else 0,
        curl=line if len(line) <= min(CURL, max(limit, 2_000)) else "",
        key=key_variable(exchange, provider),
    )


def is_stream(exchange: Exchange) -> bool:
    """Whether the body is to be read as server-sent events."""
    operation = OPERATIONS.get(exchange.case.operation)
    streams = exchange.media_type == "text/event-stream" or (operation is not None and operation.streams)
    return streams and bool(exchange.stream.events)


def _events(exchange: Exchange, limit: int) -> tuple[EventLine, ...]:
    """The first events, as many as there is room for."""
    if not is_stream(exchange):
        return ()
    found: list[EventLine] = []
    for number, event in enumerate(exchange.stream.events):
        data = visible(f"{event.name}: {event.data}" if event.name else event.data, _EVENT, lines=True)
        limit -= len(data) + _EVENT_OVERHEAD
        if limit < 0 and found:
            break
        found.append(EventLine(number, seconds(exchange.stream.times[number]), data))
    return tuple(found)


def _headers(headers: Sequence[tuple[str, str]]) -> Headers:
    shown = tuple((visible(name, 100), visible(value, 300)) for name, value in headers[:_HEADERS])
    return Headers(shown, max(0, len(headers) - _HEADERS))


def _failure(failure: Failure | None) -> str:
    return visible(f"{failure.kind}: {failure.detail}") if failure else ""


def _attempt(attempt: Attempt) -> tuple[str, str]:
    """What came of an earlier try, and how long we waited."""
    return _failure(attempt.failure) or f"HTTP {attempt.status}", seconds(attempt.waited)


def seconds(value: float) -> str:
    """Seconds with two decimals, three below a tenth."""
    return f"{value:.3f}" if value < 0.1 else f"{value:,.2f}"


def anchors_by_case(shown: Iterable[Evidence]) -> Mapping[str, Evidence]:
    """Judged exchanges by case id."""
    return {item.case: item for item in shown if item.judged}
