"""Server-sent events: bytes in, events out; pure and incremental.

Source: WHATWG HTML, section 9.2 (lines end in LF, CRLF or CR; a blank line ends an event; a line that begins
with a colon is a comment). Two liberties: an event that the stream ends in without its blank line is still
delivered, because clients read it so, and the size of one event is bounded.
"""

from __future__ import annotations

from typing import NamedTuple

EVENT_BYTES = 1024 * 1024


class Event(NamedTuple):
    """One event: its data lines joined by newlines, its name, and where it ends in the byte stream."""

    data: str
    name: str
    end: int


class EventTooLarge(ValueError):
    """One event is larger than the bound; the relay may never end it."""


class Decoder:
    """Reads events from byte pieces that may be cut anywhere."""

    def __init__(self, event_bytes: int = EVENT_BYTES) -> None:
        self.comments = 0
        self._limit = event_bytes
        self._rest = b""
        self._at = 0
        self._data: list[bytes] = []
        self._size = 0
        self._name = ""

    def feed(self, piece: bytes) -> list[Event]:
        """Take the next piece; return the events that it completes."""
        # A CR at the end may be half of a CRLF: it stays in the rest until the next byte is known.
        buffer = self._rest + piece
        if b"\r" in buffer:
            held = buffer.endswith(b"\r")
            events = self._lines(buffer[:-1] if held else buffer, carriage=True)
            self._rest += b"\r" if held else b""
        else:
            events = self._lines(buffer, carriage=False)
        if len(self._rest) + self._size > self._limit:
            raise EventTooLarge(f"an event of more than {self._limit} bytes")
        return events

    def close(self) -> list[Event]:
        """Say that no more bytes come; return the event that was left open, if any."""
        events = self._lines(self._rest + b"\n\n", carriage=True) if self._rest or self._data else []
        self._rest = b""
        return [event._replace(end=min(event.end, self._at)) for event in events]

    def _lines(self, buffer: bytes, *, carriage: bool) -> list[Event]:
        """Split into lines, keep the unfinished one, dispatch at blank ones."""
        events: list[Event] = []
        lines = buffer.split(b"\n")
        self._rest = lines.pop()
        for ended in lines:
            parts = ended.removesuffix(b"\r").split(b"\r") if carriage else (ended,)
            self._at += len(ended) + 1
            for line in parts:
                if line:
                    self._field(line)
                elif self._data:
                    events.append(Event(b"\n".join(self._data).decode(errors="replace"), self._name, self._at))
                    self._data.clear()
                    self._name, self._size = "", 0
                else:
                    self._name = ""
        return events

    def _field(self, line: bytes) -> None:
        """Take in one line that is not blank."""
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            self._size += len(line)
        elif line.startswith(b":"):
            self.comments += 1
        elif line.startswith(b"event:"):
            self._name = line[6:].strip().decode(errors="replace")
        elif line == b"data":
            self._data.append(b"")
        elif line.startswith(b"\xef\xbb\xbf") and self._at <= len(line) + 2:
            self._field(line[3:])
