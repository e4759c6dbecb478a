"""Undoes a content encoding without ever holding more than was agreed to."""

from __future__ import annotations

import zlib
from typing import Any

ACCEPTED = "gzip, deflate"
"""What we ask for; anything else in an answer is an answer that we did not ask for."""

_TELLING = 2  # bytes at the beginning that tell the formats apart


class UnreadableEncodingError(ValueError):
    """The body is not what its Content-Encoding says, or says something that was not asked for."""


class Inflater:
    """Decodes the pieces of one body."""

    def __init__(self, encoding: str) -> None:
        self._name = encoding.strip().lower()
        if self._name not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise UnreadableEncodingError(f"content encoding {self._name[:40]!r} was not asked for ({ACCEPTED} was)")
        self._plain = self._name in {"", "identity"}
        self._head = b""
        self._inflate: Any = None

    def feed(self, piece: bytes, room: int) -> bytes:
        """The decoded bytes of a piece, at most `room + 1` of them: one more shows that there is too much."""
        if self._plain:
            return piece[: room + 1]
        if self._inflate is None:
            self._head = piece = self._head + piece
            if len(piece) < _TELLING:
                return b""
            self._inflate = zlib.decompressobj(self._window())
        if self._inflate.eof:
            return b""  # what follows the end of the encoded body is no part of it
        try:
            decoded: bytes = self._inflate.decompress(piece, room + 1)
        except zlib.error as error:
            raise UnreadableEncodingError(f"the body is not {self._name}: {error}") from error
        return decoded

    def _window(self) -> int:
        """How zlib is told what to expect: some servers send `deflate` without its zlib header."""
        first, second = self._head[:_TELLING]
        headed = (first & 0x0F == zlib.DEFLATED and (first * 256 + second) % 31 == 0) or self._head.startswith(
            b"\x1f\x8b"
        )
        return -15 if self._name == "deflate" and not headed else 47  # 32 + 15: zlib or gzip header, found out
