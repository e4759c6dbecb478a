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


class EventTooLarge(ValueError):  # noqa: N818 - says what is the case
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
        lines = (self._rest + piece).splitlines(keepends=True)
        # A CR at the end may be half of a CRLF: that line stays in the rest until the next byte is known.
        self._rest = b"" if not lines or lines[-1].endswith(b"\n") else lines.pop()
        events = self._lines(lines)
        if len(self._rest) + self._size > self._limit:
            raise EventTooLarge(f"an event of more than {self._limit} bytes")
        return events

    def close(self) -> list[Event]:
        """Say that no more bytes come; return the event that was left open, if any."""
        total = self._at + len(self._rest)
        events = self._lines([*self._rest.splitlines(keepends=True), b"\n"])
        self._rest = b""
        return [event._replace(end=min(event.end, total)) for event in events]

    def _lines(self, lines: list[bytes]) -> list[Event]:
        """Take in lines with their endings; dispatch at blank ones."""
        events: list[Event] = []
        for ended in lines:
            line = ended.rstrip(b"\r\n")
            if line:
                self._field(line if self._at else line.removeprefix(b"\xef\xbb\xbf"))
            self._at += len(ended)
            if line:
                continue
            if self._data:
                events.append(Event(b"\n".join(self._data).decode(errors="replace"), self._name, self._at))
                self._data.clear()
            self._name, self._size = "", 0
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
            self._size += len(line)
