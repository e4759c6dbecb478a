"""Reads one response from the wire within its bounds: bytes, events, headers; decompression included."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import aclosing

import httpx

from conformance.fetching import Route
from conformance.inflate import Inflater
from conformance.model import Case, Failure, Limits, Request, Response
from conformance.operations import OPERATIONS
from conformance.sse import Decoder, EventTooLarge

_MOST_ARRIVALS = 50_000


class Receiver:
    """Reads one response within its bounds; keeps what it has when something breaks."""

    def __init__(self, limits: Limits, case: Case, clock: float, began: Callable[[], object]) -> None:
        self._limits = limits
        self._most = limits.media_bytes if OPERATIONS[case.operation].media else limits.body_bytes
        self._case = case
        self._clock = clock
        self._began = began
        self._head: httpx.Response | None = None
        self._first_byte = 0.0
        self._arrivals: list[tuple[float, int]] = []
        self._events = Decoder(limits.event_bytes)
        self._seen = 0
        self.body = bytearray()
        self.failure: Failure | None = None

    async def read(self, client: httpx.AsyncClient, request: Request, route: Route) -> None:
        """Send the request on its route and read its answer to the end, or to a bound."""
        # Made here and not by the client, which would merge its own headers and cookies into it at some cost.
        outgoing = httpx.Request(
            request.method,
            route.url,
            headers=[*([("Host", route.host)] if route.host else []), *request.headers],
            content=request.body or None,
            extensions={"timeout": client.timeout.as_dict(), **route.extensions},
        )
        async with aclosing(await client.send(outgoing, stream=True)) as response:
            self._head = response
            self._first_byte = time.monotonic() - self._clock
            inflater = Inflater(response.headers.get("content-encoding", ""))
            streamed = response.headers.get("content-type", "").lower().startswith("text/event-stream")
            received = 0
            async for piece in response.aiter_raw():
                received += len(piece)
                if received > 2 * self._most:  # compressed to almost nothing, without end
                    self.failure = Failure("too-large", f"more than {2 * self._most} bytes received")
                else:
                    self._take(inflater.feed(piece, self._most - len(self.body)), streamed=streamed)
                if self.failure or (self._case.stop_after_events and self._seen >= self._case.stop_after_events):
                    return

    def _take(self, piece: bytes, *, streamed: bool) -> None:
        """Keep a decoded piece and note when it came."""
        if not piece:
            return
        self.body += piece
        now = round(time.monotonic() - self._clock, 4)
        if self._arrivals and (self._arrivals[-1][0] == now or len(self._arrivals) >= _MOST_ARRIVALS):
            self._arrivals.pop()  # a relay that sends byte by byte must not cost more memory than its bytes
        self._arrivals.append((now, len(self.body)))
        if len(self.body) > self._most:
            self.failure = Failure("too-large", f"more than {self._most} bytes")
            del self.body[65_536:]
        elif streamed:
            try:
                self._seen += len(self._events.feed(piece))
            except EventTooLarge as error:
                self.failure = Failure("too-large", str(error))
                del self.body[65_536:]
            if self._seen:
                self._began()

    def response(self) -> Response | None:
        """What came, however much it is."""
        if self._head is None:
            return None
        headers = self._head.extensions["headers"][: self._limits.header_count]
        size = len(self.body)
        return Response(
            self._head.status_code,
            tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
            bytes(self.body),
            round(self._first_byte, 4),
            tuple(
                (at, min(upto, size)) for at, upto in self._arrivals if upto <= size or upto == self._arrivals[-1][1]
            ),
        )
