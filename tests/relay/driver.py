"""Drives the ASGI application without a socket, for what a real client cannot do at will."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.relay import DEFAULT_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.relay.wire import ASGIApp, Message

BEARER = f"Bearer {DEFAULT_KEY}".encode()


@dataclass
class Answer:
    """What the application sent."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def body(self) -> bytes:
        """All pieces together."""
        return b"".join(self.pieces)


async def call(
    app: ASGIApp,
    method: str,
    path: str,
    body: bytes | Sequence[bytes] = b"",
    *,
    headers: Sequence[tuple[bytes, bytes]] = ((b"authorization", BEARER),),
    leave: bool = False,
) -> Answer:
    """One request; with `leave` the client goes as soon as its body is sent."""
    pieces = [body] if isinstance(body, bytes) else list(body)
    messages = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]
    answer = Answer()

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        if not leave:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        elif message["body"]:
            answer.pieces.append(message["body"])
        answer.ended = message.get("more_body") is False

    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": list(headers)}
    await app(scope, receive, send)
    return answer
