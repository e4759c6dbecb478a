"""Bytes on the wire: the ASGI types we use, JSON, server-sent events, and the headers that never change."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
"""An ASGI connection scope."""

Message = MutableMapping[str, Any]
"""An ASGI event."""

Receive = Callable[[], Awaitable[Message]]
"""Gives the next event of the client."""

Send = Callable[[Message], Awaitable[None]]
"""Sends an event to the client."""

ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI application."""

Headers = list[tuple[bytes, bytes]]
"""Header fields in sending order, names in lower case."""

JSON_TYPE = (b"content-type", b"application/json")
HTML_TYPE = (b"content-type", b"text/html; charset=utf-8")
SSE_TYPE = (b"content-type", b"text/event-stream")
NO_CACHE = (b"cache-control", b"no-cache")

CORS: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-request-id, retry-after"),
]
"""What every answer says to browsers."""

PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"*, authorization, content-type"),
    (b"access-control-max-age", b"600"),
]
"""What the answer to an OPTIONS request says besides."""

PAGE = (
    b"<!doctype html>\n<html><head><title>Reference relay</title></head>"
    b'<body><div id="root">The API is below /v1.</div></body></html>\n'
)
"""The web page that stands wherever the API does not, as in one-api."""

DONE = b"data: [DONE]\n\n"

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(value: object) -> bytes:
    """Write a JSON text in UTF-8; a lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    return _ENCODE(value).encode("utf-8", "replace")


def event(value: object, name: str = "") -> bytes:
    """Write one server-sent event, with its name if it has one."""
    named = f"event: {name}\n".encode() if name else b""
    return named + b"data: " + encode(value) + b"\n\n"


def header(headers: Headers, name: bytes) -> bytes:
    """The first value of a header, or nothing."""
    return next((value for key, value in headers if key == name), b"")


def set_header(headers: Headers, name: bytes, value: bytes) -> None:
    """Give a header one value, whatever it had before."""
    drop_header(headers, name)
    headers.append((name, value))


def drop_header(headers: Headers, name: bytes) -> None:
    """Take a header away; a name that ends in `*` means all that begin so."""
    stem = name.removesuffix(b"*")
    headers[:] = [
        (key, value) for key, value in headers if not (key.startswith(stem) if name.endswith(b"*") else key == name)
    ]
