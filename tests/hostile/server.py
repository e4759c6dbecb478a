"""A relay made of raw sockets, which answers whatever a test wants, byte for byte.

It runs in a thread of its own. An *answer* is a coroutine function that takes a `Call` and writes to it; what it
leaves open is closed when the server stops. `first_honest` puts an honest beginning before any answer.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, Self

MODEL = "mock-chat"
KEY = "sk-Reference+relay/42"
"""Carries what JSON, URLs and base64 spell in other ways."""

_STARTED_WITHIN = 10.0


@dataclass
class Call:
    """One request, and the way back."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    number: int
    writer: asyncio.StreamWriter = field(repr=False)

    @property
    def json(self) -> dict[str, Any]:
        """The body of the request; empty when it is no JSON object."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def streamed(self) -> bool:
        """Whether a stream was asked for."""
        return self.json.get("stream") is True

    async def send(self, data: bytes) -> None:
        """Write and wait until it is on its way."""
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: int = 200, content_type: str = "application/json", **headers: str) -> None:
        """Status line and headers of an answer that ends with the connection."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = {"Content-Type": content_type, "Connection": "close", **named}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self.send(f"HTTP/1.1 {status} Said\r\n{text}\r\n".encode("latin-1"))

    async def reply(
        self, body: bytes, status: int = 200, content_type: str = "application/json", **headers: str
    ) -> None:
        """A whole answer."""
        await self.head(status, content_type, Content_Length=str(len(body)), **headers)
        await self.send(body)

    async def value(self, value: Any, status: int = 200, **headers: str) -> None:
        """A whole answer of JSON."""
        await self.reply(json.dumps(value).encode(), status, **headers)

    def reset(self) -> None:
        """Tear the connection down, not close it."""
        found = self.writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Answer = Callable[[Call], Awaitable[None]]


class Server:
    """Serves one answer on a free loopback port and counts what arrives."""

    def __init__(self, answer: Answer, tls: SSLContext | None = None) -> None:
        self.calls: list[Call] = []
        self.busiest = 0
        """The most requests that were in flight at one time."""
        self._answer = answer
        self._tls = tls
        self._busy = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hostile", daemon=True)
        self._stop: asyncio.Event
        self._port = 0

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        """What a client is given."""
        return f"{self.url}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(_STARTED_WITHIN)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STARTED_WITHIN)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._connection(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=self._tls)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            call = await self._read(reader, writer)
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            try:
                await self._answer(call)
            finally:
                self._busy -= 1
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone, as it should
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Call:
        begin = await reader.readexactly(1)
        if not begin.isalpha():  # TLS on a plain port, answered as most servers do
            writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            raise ConnectionError
        head = (begin + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        call = Call(method, path, headers, body, len(self.calls), writer)
        self.calls.append(call)
        return call


def completion(content: str = "OK", **more: Any) -> dict[str, Any]:
    """An honest chat completion."""
    return {
        "id": f"chatcmpl-{time.monotonic_ns()}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
        **more,
    }


def chunks(*contents: str) -> list[bytes]:
    """The frames of an honest stream, without its end."""
    shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": int(time.time()), "model": MODEL}
    deltas: list[Mapping[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": text} for text in contents)]
    frames = [{**shared, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    return [f"data: {json.dumps(frame)}\n\n".encode() for frame in frames]


def last_chunk() -> bytes:
    """The frames that end an honest stream."""
    frame = json.loads(chunks()[0].removeprefix(b"data: "))
    frame["choices"][0] |= {"delta": {}, "finish_reason": "stop"}
    return f"data: {json.dumps(frame)}\n\ndata: [DONE]\n\n".encode()


async def honest(call: Call) -> None:
    """What a correct relay says to the simplest requests."""
    if call.path == "/v1/models":
        created = 1_715_367_049
        await call.value(
            {"object": "list", "data": [{"id": MODEL, "object": "model", "created": created, "owned_by": "x"}]}
        )
    elif not call.path.startswith("/v1/chat/completions"):
        await call.value({"error": {"message": "no such path", "type": "t", "param": None, "code": None}}, 404)
    elif call.streamed:
        await call.head(content_type="text/event-stream")
        await call.send(b"".join(chunks("O", "K")) + last_chunk())
    else:
        await call.value(completion())


def first_honest(answer: Answer, requests: int = 2) -> Answer:
    """Honest for the first requests, which are the preflight; then not."""

    async def answered(call: Call) -> None:
        await (honest(call) if call.number < requests else answer(call))

    return answered
