"""Keeps secrets off disk and screen: masks them by value, in every spelling that a relay may echo.

A mask is as long as what it covers, so byte offsets and arrival times stay true, and it is recognisable
(`<KEY****>`), so a rule can still say that a key was echoed.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from conformance.errors import UsageError
from conformance.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHORTEST = 6
"""Characters of a secret; masking anything shorter would eat the evidence."""

MASKED = re.compile(r"<KEY\*+>")
"""What a mask looks like."""

_ESCAPES = (b"\\u", b"%", b"&#", b"\\x")


class Secrets:
    """The values that must not leave this process, and how to mask them."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        """Take secrets by the name of the environment variable that holds them."""
        for name, value in (values or {}).items():
            if len(value) < SHORTEST:
                raise UsageError(
                    f"the value of {name} has {len(value)} characters, at least {SHORTEST} are needed",
                    "a shorter secret cannot be masked in what is recorded; for a relay without keys use --no-key",
                )
            if not value.isprintable() or not value.isascii() or " " in value:
                raise UsageError(f"the value of {name} is not printable ASCII without blanks", "was it copied whole?")
        self.values = dict(values or {})
        self._literal = _union(_spellings(value) for value in self.values.values())
        self._escaped = _union([_escaped(value)] for value in self.values.values())

    def get(self, name: str) -> str:
        """The secret that the environment variable `name` held."""
        return self.values[name]

    def mask(self, data: bytes) -> bytes:
        """Mask every secret in any spelling; the length stays."""
        if self._literal is None or self._escaped is None:
            return data
        masked = self._literal.sub(_cover, data)
        return self._escaped.sub(_cover, masked) if any(mark in masked for mark in _ESCAPES) else masked

    def mask_text(self, text: str) -> str:
        """The same for text."""
        return self.mask(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")

    def mask_body(self, body: bytes) -> bytes:
        """Mask a body; a secret that was cut into the pieces of a stream is found as well."""
        masked = self.mask(body)
        if self.values and b"data:" in masked:
            masked = self._mask_pieces(masked)
        return masked

    def _mask_pieces(self, body: bytes) -> bytes:
        """Cover the events whose texts, joined in order, spell a secret."""
        stream = Stream.read(body)
        joined: dict[str, list[tuple[int, str]]] = {}
        for chunk in stream.chunks:
            for path, text in _texts(chunk.value):
                joined.setdefault(path, []).append((chunk.event, text))
        for pieces in joined.values():
            whole = "".join(text for _, text in pieces)
            if self.mask_text(whole) != whole:
                body = _blank(body, {event for event, _ in pieces}, stream)
        return body


def _union(groups: Iterable[Iterable[bytes]]) -> re.Pattern[bytes] | None:
    """One pattern for all spellings, longest first."""
    spellings = sorted({spelling for group in groups for spelling in group}, key=len, reverse=True)
    return re.compile(b"|".join(spellings), re.IGNORECASE) if spellings else None


def _spellings(value: str) -> Iterable[bytes]:
    """The secret as it is, in hexadecimal, and in base64 wherever it may stand in the encoded text."""
    raw = value.encode()
    yield re.escape(raw)
    yield raw.hex().encode()
    for shift in range(3):
        # Only the characters that depend on the secret alone: the first and last may hold its neighbours' bits.
        inside = base64.b64encode(b"\0" * shift + raw)[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
        yield re.escape(inside)
        yield re.escape(inside.translate(bytes.maketrans(b"+/", b"-_")))


def _escaped(value: str) -> bytes:
    """A pattern for the secret with any of its characters escaped for JSON, a URL or HTML."""
    spelled = []
    for character in value:
        code = ord(character)
        spelled.append(
            rf"(?:{re.escape(character)}|\\+u00{code:02x}|\\+x{code:02x}|%(?:25)*{code:02x}|&#0*{code};|&#x0*{code:x};)"
        )
    return "".join(spelled).encode()


def _cover(found: re.Match[bytes]) -> bytes:
    """A mask of the same length."""
    return b"<KEY" + b"*" * (len(found[0]) - 5) + b">"


def _texts(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
    """Every string inside a JSON value, with where it stands."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}/{index}")


def _blank(body: bytes, events: set[int], stream: Stream) -> bytes:
    """Replace the texts of `delta`s in these events by asterisks of the same length."""
    covered = bytearray(body)
    for event in events:
        start = stream.events[event - 1].end if event else 0
        piece = bytes(covered[start : stream.events[event].end])
        for _, text in _texts(json.loads(stream.events[event].data).get("choices", [])):
            for spelled in {json.dumps(text)[1:-1].encode(), json.dumps(text, ensure_ascii=False)[1:-1].encode()}:
                if spelled:
                    piece = piece.replace(b'"' + spelled + b'"', b'"' + b"*" * len(spelled) + b'"')
        covered[start : stream.events[event].end] = piece
    return bytes(covered)
