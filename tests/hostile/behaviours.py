"""Ways in which a relay can misbehave on the wire."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from urllib.parse import quote

from .server import KEY, Call, chunks, completion, last_chunk

MEGABYTE = 1024 * 1024
FOREVER = 60.0
"""Seconds: longer than any test waits."""


async def reset_at_once(call: Call) -> None:
    """Tear down before a byte is said."""
    call.reset()


async def reset_in_body(call: Call) -> None:
    """Tear down in the middle of an announced body."""
    await call.head(Content_Length="1000")
    await call.send(b'{"id": "chatcmpl-1", ')
    call.reset()


async def reset_in_stream(call: Call) -> None:
    """Tear down after a few frames."""
    await call.head(content_type="text/event-stream", Transfer_Encoding="chunked")
    frames = b"".join(chunks("O", "K"))
    await call.send(b"%x\r\n%s\r\n" % (len(frames), frames))
    call.reset()


async def short_body(call: Call) -> None:
    """Close before the announced end."""
    await call.head(Content_Length="1000")
    await call.send(b'{"id": ')


async def silence_after_headers(call: Call) -> None:
    """Headers, then nothing."""
    await call.head(content_type="text/event-stream" if call.streamed else "application/json")
    await asyncio.sleep(FOREVER)


async def silence(_: Call) -> None:
    """Nothing at all."""
    await asyncio.sleep(FOREVER)


async def byte_by_byte(call: Call) -> None:
    """Never idle, never done."""
    await call.head(Content_Length="100000")
    while True:
        await call.send(b" ")
        await asyncio.sleep(0.2)


async def no_http(call: Call) -> None:
    """Another protocol."""
    await call.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def endless_information(call: Call) -> None:
    """Interim answers without end."""
    while True:
        await call.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 20)
        await asyncio.sleep(0.1)


async def huge_header(call: Call) -> None:
    """One header of two megabytes."""
    await call.reply(json.dumps(completion()).encode(), X_Long="x" * 2 * MEGABYTE)


async def wrong_encoding(call: Call) -> None:
    """Says gzip, is none."""
    await call.reply(json.dumps(completion()).encode(), Content_Encoding="gzip")


async def unasked_encoding(call: Call) -> None:
    """An encoding that was not asked for."""
    await call.reply(json.dumps(completion()).encode(), Content_Encoding="br")


async def endless_stream(call: Call) -> None:
    """Frames without end."""
    await call.head(content_type="text/event-stream" if call.streamed else "application/json")
    frame = chunks("and so on ")[1]
    while True:
        await call.send(frame * 200)


async def endless_comments(call: Call) -> None:
    """Keep-alives without end, and never a frame."""
    await call.head(content_type="text/event-stream")
    while True:
        await call.send(b": keep-alive\n\n" * 1000)


async def large_body(call: Call) -> None:
    """A hundred megabytes."""
    await call.head(Content_Length=str(100 * MEGABYTE))
    for _ in range(1600):
        await call.send(b" " * 65_536)


async def large_line(call: Call) -> None:
    """One frame of ten megabytes."""
    await call.head(content_type="text/event-stream")
    await call.send(b'data: {"choices": [{"index": 0, "delta": {"content": "')
    for _ in range(160):
        await call.send(b"x" * 65_536)
    await call.send(b'"}}]}\n\n' + last_chunk())


_BOMB = gzip.compress(b"0" * 100 * MEGABYTE, 9)


async def gzip_bomb(call: Call) -> None:
    """A hundred kilobytes that become a hundred megabytes."""
    await call.reply(_BOMB, Content_Encoding="gzip")


async def gzip_tail(call: Call) -> None:
    """A good body, and after its end rubbish without end."""
    await call.head(Content_Encoding="gzip")
    await call.send(gzip.compress(json.dumps(completion()).encode()))
    while True:
        await call.send(b"\0" * 65_536)


def echoes() -> dict[str, str]:
    """The key as a relay may repeat it inside a JSON string, by name."""
    raw = KEY.encode()
    encoded = base64.b64encode(raw).decode()
    return {
        "plain": KEY,
        "slashes-escaped": KEY.replace("/", "\\/"),
        "bearer-base64": base64.b64encode(b"Bearer " + raw).decode(),
        "base64": encoded,
        "base64-escaped": encoded.replace("/", "\\/").replace("+", "\\u002b"),
        "base64-inside": base64.b64encode(b"xx" + raw + b"yy").decode(),
        "base64-for-urls": base64.urlsafe_b64encode(b"{" + raw).decode(),
        "base64-in-a-url": quote(encoded, safe=""),
        "url": quote(KEY, safe=""),
        "url-twice": quote(quote(KEY, safe=""), safe=""),
        "url-every-byte": "".join(f"%{byte:02X}" for byte in raw),
        "json-escapes": "".join(f"\\u{byte:04x}" for byte in raw),
        "json-escapes-twice": "".join(f"\\\\u{byte:04X}" for byte in raw),
        "hex": raw.hex(),
        "hex-upper": raw.hex().upper(),
        "html": "".join(f"&#{byte};" for byte in raw),
        "html-hex": "".join(f"&#x{byte:X};" for byte in raw),
        "upper": KEY.upper(),
    }
