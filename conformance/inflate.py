"""Undoes a content encoding without ever holding more than was agreed to."""

from __future__ import annotations

import zlib

ACCEPTED = "gzip, deflate"
"""What we ask for; anything else in an answer is an answer that we did not ask for."""


class UnreadableEncodingError(ValueError):
    """The body is not what its Content-Encoding says, or says something that was not asked for."""


class Inflater:
    """Decodes the pieces of one body."""

    def __init__(self, encoding: str) -> None:
        self._name = encoding.strip().lower()
        if self._name not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise UnreadableEncodingError(f"content encoding {self._name[:40]!r} was not asked for ({ACCEPTED} was)")
        self._plain = self._name in {"", "identity"}
        self._inflate = None if self._plain else zlib.decompressobj(47)  # 32 + 15: zlib or gzip header, found out

    def feed(self, piece: bytes, room: int) -> bytes:
        """The decoded bytes of a piece, at most `room + 1` of them: one more shows that there is too much."""
        if self._inflate is None:
            return piece[: room + 1]
        try:
            return self._inflate.decompress(piece, room + 1)
        except zlib.error:
            return self._raw(piece, room)

    def _raw(self, piece: bytes, room: int) -> bytes:
        """Some servers send `deflate` without its zlib header; try that before giving up."""
        self._inflate = zlib.decompressobj(-15)
        try:
            return self._inflate.decompress(piece, room + 1)
        except zlib.error as error:
            raise UnreadableEncodingError(f"the body is not {self._name}: {error}") from error
