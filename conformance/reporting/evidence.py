"""Exchanges as the HTML report shows them: once each, bounded, with everything hostile made visible."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.operations import OPERATIONS
from conformance.reporting.bodies import EVENT_OVERHEAD, Body, EventLine, body_of, event_lines
from conformance.reporting.curl import LONGEST, key_variable, shown_curl
from conformance.reporting.highlight import Piece
from conformance.reporting.texts import Text
from conformance.reporting.timeline import Timeline, timeline
from conformance.reporting.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.model import Attempt, Exchange, Failure, Ledger, Provider

BODY = 20_000
"""Bytes of one body that are shown while there is room."""
ROOM = 2_000_000
"""Characters of the page that everything sent and received may take: a page must open fast."""
_FRAME = 400
"""What the frame of one exchange takes of that."""
LEAST = 300
"""Bytes of a body that are shown when there is no more room."""
_HEADERS, _FEW_HEADERS = 60, 6


@dataclass(frozen=True)
class Headers:
    """Names and values as text, one a line, how many there are, and how many are missing."""

    text: Body
    count: int
    more: int


@dataclass(frozen=True)
class Evidence:
    """One exchange."""

    anchor: str
    case: str
    purpose: Text
    source: str
    judged: bool
    cited: bool
    """Whether a finding points at it."""
    roomy: bool
    """Whether there was room to show it whole."""
    status: str
    seconds: str
    first_byte: str
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
    timeline: Timeline | None
    marks: Mapping[str, str]
    """JSON pointer (or `status`, `header:…`) of a finding -> id of the place that is marked for it."""
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


def evidence(ledger: Ledger, cited: Mapping[str, Mapping[str, bool]]) -> list[Evidence]:
    """Every exchange in the order sent; the ones that findings cite get the room first.

    `cited`: case id -> what findings point at there, each with whether something is missing at that place.
    """
    exchanges = [*ledger.preflight, *ledger.exchanges]
    prefixes = ["preflight"] * len(ledger.preflight) + ["exchange"] * len(ledger.exchanges)
    anchors = unique(
        f"{prefix}--{anchor(exchange.case.id)}" for prefix, exchange in zip(prefixes, exchanges, strict=True)
    )
    order = sorted(range(len(exchanges)), key=lambda number: exchanges[number].case.id not in cited)
    found: dict[int, Evidence] = {}
    room = max(ROOM - _FRAME * len(exchanges), ROOM // 4)
    for number in order:
        exchange, name = exchanges[number], anchors[number]
        at = cited.get(exchange.case.id) if prefixes[number] == "exchange" else None
        found[number] = _evidence(exchange, name, ledger.provider, BODY if room > 0 else LEAST, at)
        room -= _weight(found[number])
    return [found[number] for number in range(len(exchanges))]


def _weight(item: Evidence) -> int:
    """How many characters of the page what was sent and received takes."""
    bodies = [item.sent, item.body, item.sent_headers.text, item.headers.text]
    events = sum(event.data.weight + EVENT_OVERHEAD for event in item.events)
    return sum(body.weight for body in bodies) + events + len(item.curl)


def _evidence(exchange: Exchange, name: str, provider: Provider, limit: int, at: Mapping[str, bool] | None) -> Evidence:
    request, response = exchange.request, exchange.response
    events = event_lines(exchange, limit, at or {}) if is_stream(exchange) else ()
    line = shown_curl(exchange, provider, min(LONGEST, max(limit, 2_000)))
    roomy = limit > LEAST
    headers = _headers(response.headers if response else (), at or {}, roomy=roomy)
    body = body_of(response.body if response and not events else b"", limit, at or {})
    return Evidence(
        anchor=name,
        case=exchange.case.id,
        purpose=Text(exchange.case.purpose, exchange.case.zh or exchange.case.purpose),
        source=exchange.case.source,
        judged=not name.startswith("preflight--"),
        cited=at is not None,
        roomy=roomy,
        status=str(exchange.status or ""),
        seconds=seconds(exchange.seconds),
        first_byte=seconds(response.first_byte) if response else "",
        failure=_failure(exchange.failure),
        attempts=tuple(_attempt(attempt) for attempt in exchange.attempts),
        line=visible(f"{request.method} {request.url}", 2_000),
        sent_headers=_headers(request.headers, {}, roomy=roomy),
        sent=body_of(request.body, limit, {}),
        headers=headers,
        body=body,
        answered=response is not None,
        events=events,
        events_count=len(exchange.stream.events) if events else 0,
        timeline=timeline(exchange) if events else None,
        marks=_marks(name, at or {}, headers, body, events),
        curl=line,
        key=key_variable(line, provider),
    )


def _marks(
    name: str, at: Mapping[str, bool], headers: Headers, body: Body, events: Sequence[EventLine]
) -> dict[str, str]:
    """An id for each place that is marked, numbered in the order in which findings name them."""
    inside = [*headers.text.pieces, *body.pieces, *(piece for event in events for piece in event.data.pieces)]
    there = {"status", *(piece.pointer for piece in inside), *(event.pointer for event in events)}
    return {pointer: f"{name}.at-{number}" for number, pointer in enumerate(at, 1) if pointer and pointer in there}


def is_stream(exchange: Exchange) -> bool:
    """Whether the body is to be read as server-sent events."""
    operation = OPERATIONS.get(exchange.case.operation)
    streams = exchange.media_type == "text/event-stream" or (operation is not None and operation.streams)
    return streams and bool(exchange.stream.events)


def _headers(headers: Sequence[tuple[str, str]], at: Mapping[str, bool], *, roomy: bool) -> Headers:
    """The first headers, each with what a finding points at marked."""
    wanted = {pointer.lower(): pointer for pointer in at if pointer.startswith("header:")}
    most = _HEADERS if roomy or wanted else _FEW_HEADERS
    pieces: list[Piece] = []
    for name, value in headers[:most]:
        pointer = wanted.pop(f"header:{name.lower()}", "")
        line = f"{visible(name, 100)}: {visible(value, 300)}"
        if pointer:
            pieces += [Piece(line, pointer), Piece("\n")]
        elif pieces and not pieces[-1].pointer:
            pieces[-1] = Piece(f"{pieces[-1].text}{line}\n")
        else:
            pieces.append(Piece(f"{line}\n"))
    return Headers(Body(tuple(pieces)), len(headers), max(0, len(headers) - most))


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
