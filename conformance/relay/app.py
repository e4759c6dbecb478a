"""The reference relay as an ASGI application: routes, keys, and the sending of what was made.

Nothing is middleware and nothing is looked up twice, so that a request costs a fraction of a millisecond and
a run against this relay measures the runner.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from conformance.relay import wire
from conformance.relay.call import Call, Refusal, Stage
from conformance.relay.giving import give_json
from conformance.relay.routes import answer, find_route, is_public
from conformance.relay.variants import Address, Setup, Variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.relay.quirks import Quirks
    from conformance.relay.wire import ASGIApp, Receive, Scope, Send

DEFAULT_KEY = "sk-reference-relay"
DEFAULT_MODEL = "mock-chat"
MODELS = (
    DEFAULT_MODEL,
    "mock-chat-mini",
    "mock-writer",
    "text-embedding-3-mock",
    "mock-instruct",
    "mock-rerank",
    "mock-moderation",
    "mock-claude-haiku",
    "mock-gemini-flash",
    "mock-tts",
    "mock-whisper",
    "mock-image",
    "mock-reasoner",
    "o1-mini-mock",
    "gpt-4-gizmo-g-reference",
    "gpt-4-all",
)
"""One of each kind that the roles know by name."""

_KEY_HEADERS = {"anthropic": b"x-api-key", "gemini": b"x-goog-api-key"}
_ERRORS = {"anthropic": Stage.MESSAGES_ERROR, "gemini": Stage.GEMINI_ERROR}
_FIRST_MODEL_MADE = 1_715_367_049
_MONTH = 2_592_000
_LARGEST_BODY = 8 * 1024 * 1024
_SHORTEST_WAIT = 0.005
"""Seconds below which a wait between frames is not worth its cost."""


def create_app(
    keys: str | Iterable[str] = DEFAULT_KEY,
    *,
    faults: Sequence[str] = (),
    quirks: Quirks | None = None,
    latency: float = 0.0,
    models: Sequence[str] = MODELS,
) -> ASGIApp:
    """Make a relay: honest, or with these faults and quirks.

    `latency` is the number of seconds that an answer takes; a stream begins after half of them.
    """
    accepted = (keys,) if isinstance(keys, str) else tuple(keys)
    listed = tuple(_model(name, number) for number, name in enumerate(models))
    return Relay(Setup(accepted, listed, tuple(faults), quirks, latency))


def _model(name: str, number: int) -> dict[str, Any]:
    created = _FIRST_MODEL_MADE + number * _MONTH
    return {"id": name, "object": "model", "created": created, "owned_by": "reference"}


class Relay:
    """The ASGI application."""

    def __init__(self, setup: Setup) -> None:
        self._variants = Variants(setup)
        self._bearers = tuple(f"Bearer {key}".encode("latin-1", "replace") for key in setup.keys)
        self._latency = setup.latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"this relay speaks HTTP only, not {scope['type']}")
        raw = await _read(receive)
        if raw is None:
            return
        call = self._call(scope, raw)
        try:
            self._answer(call)
        except Refusal as refusal:
            _refuse(call, refusal)
        _finish(call)
        await _Delivery(call, receive, send).run()

    def _call(self, scope: Scope, raw: bytes) -> Call:
        """Gather what is known of the request before anything is judged."""
        address = Address.of(scope["path"])
        headers = dict(scope["headers"])
        refusal = None
        try:
            state = self._variants.state(address)
        except Refusal as caught:
            state, refusal = self._variants.state(Address((), "", "")), caught
        call = Call(
            state=state,
            method=scope["method"],
            path=address.path,
            prefix=address.prefix,
            headers=headers,
            authorization=headers.get(b"authorization", b"").decode("latin-1"),
            request_id=secrets.token_hex(12),
            raw=raw,
            refusal=refusal,
            pause=self._latency,
        )
        call.reply_headers = [(b"x-request-id", call.request_id.encode()), *wire.CORS]
        return call

    def _answer(self, call: Call) -> None:
        """Find out what is asked, and do it."""
        if call.refusal:
            raise call.refusal
        if not call.path:
            call.body = wire.PAGE
            call.reply_headers.append(wire.HTML_TYPE)
        elif call.method == "OPTIONS":
            call.status = 204
            call.reply_headers += wire.PREFLIGHT
        else:
            self._serve(call)

    def _serve(self, call: Call) -> None:
        """Answer inside the API."""
        call.at(Stage.ARRIVED)
        found = find_route(call.path)
        if found is None:
            message = f"Invalid URL ({call.method} {call.path[:200]})"
            raise Refusal(404, message, code="unknown_url")
        route, call.named = found
        call.dialect = route.dialect
        if call.method != route.method:
            message = f"Not allowed to {call.method} on {call.path[:200]}, only to {route.method}."
            allow = [(b"allow", route.method.encode())]
            raise Refusal(405, message, code="method_not_allowed", headers=allow)
        if not is_public(call.path):
            self._admit(call)
        call.at(Stage.ADMITTED)
        if len(call.raw) > _LARGEST_BODY:
            raise Refusal(413, "The body of your request is too large.", code="request_too_large")
        answer(call, route)

    def _admit(self, call: Call) -> None:
        """Refuse a request without one of the keys; comparing takes the same time whatever is wrong."""
        sent = call.authorization.encode("latin-1")
        other = call.headers.get(_KEY_HEADERS.get(call.dialect, b""))
        if other is not None:
            sent = b"Bearer " + other
        if sum(hmac.compare_digest(sent, bearer) for bearer in self._bearers):
            return
        message = "Incorrect API key provided." if sent else "You didn't provide an API key."
        how = "Send it in the Authorization header, as in: Authorization: Bearer YOUR_KEY."
        challenge = [(b"www-authenticate", b"Bearer")]
        raise Refusal(401, f"{message} {how}", code="invalid_api_key", headers=challenge)


def _refuse(call: Call, refusal: Refusal) -> None:
    """Turn a refusal into the answer."""
    call.refusal = refusal
    call.status = refusal.status
    call.streaming = False
    call.answer = refusal.envelope(call.dialect)
    call.reply_headers += refusal.headers
    give_json(call, _ERRORS.get(call.dialect, Stage.ERROR))


def _finish(call: Call) -> None:
    """Settle headers and byte pieces."""
    call.at(Stage.REPLY)
    if not call.streaming:
        call.frames = [call.body] if call.body else []
        if call.status != 204:  # an answer without content has no length either (RFC 9110)
            call.reply_headers.append((b"content-length", b"%d" % len(call.body)))
    call.at(Stage.WIRE)


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None when the client has gone; what is far too long is read no further."""
    pieces: list[bytes] = []
    size = 0
    while size <= _LARGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if not message.get("more_body"):
            break
    return b"".join(pieces)


class _Delivery:
    """The sending of one answer; a client that hangs up ends it at once."""

    def __init__(self, call: Call, receive: Receive, send: Send) -> None:
        self._call = call
        self._send = send
        # Watching costs a task, and an answer that is written at once is over before anybody can hang up.
        slow = call.pause or (call.streaming and call.spread)
        self._gone = asyncio.ensure_future(receive()) if slow else None

    async def run(self) -> None:
        """Send, and free everything whatever happens."""
        self._call.state.streams.add(self._call)
        try:
            if await self._write():
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._call.state.streams.discard(self._call)
            if self._gone:
                self._gone.cancel()

    async def _write(self) -> bool:
        """Send everything but the end; whether the end should follow."""
        call = self._call
        if await self._hung_up(call.pause):
            return False
        start = {"type": "http.response.start", "status": call.status, "headers": call.reply_headers}
        await self._send(start)
        groups, wait = self._groups()
        for number, group in enumerate(groups):
            if number and await self._hung_up(wait):
                return False
            if call.cut:
                # Ending without the last event makes the server drop the connection.
                return False
            await self._send({"type": "http.response.body", "body": group, "more_body": True})
        return True

    def _groups(self) -> tuple[list[bytes], float]:
        """The pieces to write one by one, and the seconds between two of them."""
        frames, spread = self._call.frames, self._call.spread
        if self._call.streaming and spread:
            count = max(1, min(len(frames), int(spread / _SHORTEST_WAIT)))
            edges = [len(frames) * number // count for number in range(count + 1)]
            return [b"".join(frames[start:end]) for start, end in pairwise(edges)], spread / count
        if self._call.piecemeal or not frames:
            return frames, 0.0
        return [b"".join(frames)], 0.0

    async def _hung_up(self, seconds: float) -> bool:
        """Wait; whether the client went meanwhile."""
        if not self._gone or not seconds:
            return False
        done, _ = await asyncio.wait([self._gone], timeout=seconds)
        if done:
            self._call.at(Stage.HANGUP)
        return bool(done)
