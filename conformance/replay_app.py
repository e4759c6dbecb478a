"""A recorded run as an ASGI application: status, headers and body as they were recorded, piece by piece."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.model import Response
    from conformance.replaying import Match, Recording

CASE_HEADER = "x-relay-conformance-case"
"""Says which recorded case an answer is."""
MATCH_HEADER = "x-relay-conformance-match"
"""Says whether the request was that of the case: `exact`, `best` or `pinned`."""

EVENTS = "text/event-stream"

_LARGEST_BODY = 64 * 1024 * 1024
_LONGEST_WAIT = 60.0
"""Seconds between two pieces, whatever was recorded."""
_MOST_LISTED = 30
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"),
        *("transfer-encoding", "upgrade", "content-length", "content-encoding", "date"),
        *(CASE_HEADER, MATCH_HEADER),
    }
)
"""Headers of the connection, or that are true only of bytes that were counted or packed otherwise."""
_SAFE = "/ !#$&'()*+,:;=?@[]"
_EMPTY = frozenset({204, 205, 304})

_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Replay:
    """The ASGI application.

    `timing`: streams and plain answers take the time that they took when they were recorded.
    """

    def __init__(self, recording: Recording, *, timing: bool = False) -> None:
        self._recording = recording
        self._timing = timing

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        body = await _read(receive)
        if body is None:
            await _refuse(send, 413, "the body of the request is too large", "request_too_large")
            return
        method, path = scope["method"], scope["path"]
        match = self._recording.find(method, path, scope["query_string"].decode("latin-1"), body)
        if match is None:
            await _refuse(send, 404, self._nothing(method, path), "not_recorded")
        elif match.exchange.status not in range(200, 600):
            await _refuse(
                send, 502, f"HTTP {match.exchange.status} was recorded, which no server can send", "odd_status"
            )
        else:
            await self._answer(match, send)

    def _nothing(self, method: str, path: str) -> str:
        """A sentence about what was not recorded, and what was."""
        recorded = self._recording.recorded()
        listed = ", ".join(f"{name} {where} ({count})" for name, where, count in recorded[:_MOST_LISTED])
        more = f" and {len(recorded) - _MOST_LISTED} more" if len(recorded) > _MOST_LISTED else ""
        return f"nothing was recorded for {method} {path[:200]}; recorded: {listed or 'nothing'}{more}"

    async def _answer(self, match: Match, send: _Send) -> None:
        """Send what was recorded; an answer that was cut off is cut off again."""
        response, whole = match.response, match.exchange.failure is None
        bodiless = response.status in _EMPTY
        case = quote(match.exchange.case.id, safe=_SAFE, errors="replace")
        said = {CASE_HEADER: case, MATCH_HEADER: match.how}
        if whole and not bodiless and match.exchange.media_type != EVENTS:
            said["content-length"] = str(len(response.body))
        headers = [
            *_headers(response),
            *((name.encode(), value.encode()) for name, value in said.items()),
        ]
        elapsed = await self._wait(0.0, response.first_byte)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        for at, piece in () if bodiless else _pieces(response):
            elapsed = await self._wait(elapsed, at)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _wait(self, elapsed: float, until: float) -> float:
        """Wait as long as the recorded answer let wait; returns how old that answer is now, in seconds."""
        if self._timing and until > elapsed:
            await asyncio.sleep(min(until - elapsed, _LONGEST_WAIT))
        return max(elapsed, until)


async def _read(receive: _Receive) -> bytes | None:
    """The body of a request; None where it is too large."""
    pieces: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        piece = message.get("body", b"")
        size += len(piece)
        if size > _LARGEST_BODY:
            return None
        pieces.append(piece)
        more = message.get("more_body", False)
    return b"".join(pieces)


async def _refuse(send: _Send, status: int, message: str, code: str) -> None:
    """Answer that we cannot, in the form of an OpenAI error."""
    error = {"message": message, "type": "replay_error", "param": None, "code": code}
    body = json.dumps({"error": error}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _headers(response: Response) -> list[tuple[bytes, bytes]]:
    """The recorded headers that still hold, and that can be sent."""
    return [
        (name.lower().encode(), value.encode("latin-1"))
        for name, value in response.headers
        if name.lower() not in _OURS and _NAME.fullmatch(name) and _VALUE.fullmatch(value)
    ]


def _pieces(response: Response) -> Iterator[tuple[float, bytes]]:
    """(seconds, bytes) as they arrived; what no arrival covers comes at the end."""
    start, at = 0, response.first_byte
    for at, end in response.arrivals:
        if end > start:
            yield at, response.body[start:end]
            start = end
    if start < len(response.body):
        yield at, response.body[start:]
