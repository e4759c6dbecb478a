"""What a chat stream says: events to chunks to one text for each choice.

Everything here is lenient, because rules judge and this module only reads: a chunk that is not an object is a
problem with a place, a field of the wrong type is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.jsontext import parse_json_text
from conformance.sse import Decoder, Event, EventTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DONE = "[DONE]"
_FAILED = frozenset({"error", "response.failed"})
"""Types of events that report an error."""
_OTHER = frozenset({"tool_calls", "function_call", "refusal", "audio"})


class Chunk(NamedTuple):
    """One `data:` payload that is a JSON object: which event it came in, and when."""

    event: int
    value: Mapping[str, Any]
    at: float


class Problem(NamedTuple):
    """One `data:` payload that is not a JSON object."""

    event: int
    problem: str
    data: str


@dataclass(frozen=True)
class CallPiece:
    """What one delta says about one tool call; what it does not say, or says in another type, is empty."""

    event: int
    place: int
    """Where in the delta's list it stands."""
    index: int | None
    """None where there is none."""
    id: str
    name: str
    arguments: str


@dataclass
class Choice:
    """What the chunks say about one choice index, put together."""

    pieces: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    arrivals: list[tuple[int, float]] = field(default_factory=list)
    """(event, seconds) of every chunk with content."""
    roles: list[tuple[int, Any]] = field(default_factory=list)
    finishes: list[tuple[int, Any]] = field(default_factory=list)
    """(event, finish_reason) wherever the value is not null."""
    late: list[int] = field(default_factory=list)
    """Events that carry content after a non-empty finish_reason."""
    calls: list[CallPiece] = field(default_factory=list)
    """The pieces of tool calls, in the order in which they came."""
    first_delta: int = -1
    finished: bool = False
    other: bool = False
    """Whether tool calls, a refusal or audio came."""

    @property
    def text(self) -> str:
        """The joined content."""
        return "".join(self.pieces)

    @property
    def finish(self) -> str:
        """The last non-empty finish_reason, or an empty string."""
        return next((str(value) for _, value in reversed(self.finishes) if value), "")


@dataclass(frozen=True)
class Stream:
    """A whole stream, read once."""

    events: tuple[Event, ...]
    times: tuple[float, ...]
    """Seconds at which each event was complete."""
    chunks: tuple[Chunk, ...]
    problems: tuple[Problem, ...]
    done: tuple[int, ...]
    """Events whose data is `[DONE]`."""
    comments: int
    choices: Mapping[int, Choice]
    utf8_problem: str = ""
    duplicates: tuple[tuple[int, str], ...] = ()
    oversized: bool = False
    filter_notes: tuple[Chunk, ...] = ()
    """Chunks that carry nothing but what Azure's filter thinks of the prompt; their other fields are empty."""

    @classmethod
    def read(cls, body: bytes, arrivals: Sequence[tuple[float, int]] = ()) -> Stream:
        """Read a body that arrived in pieces: (seconds, bytes so far)."""
        decoder = Decoder()
        oversized = False
        try:
            events = decoder.feed(body)
            events += decoder.close()
        except EventTooLarge:
            events, oversized = [], True
        times = _times(events, arrivals)
        chunks: list[Chunk] = []
        notes: list[Chunk] = []
        problems: list[Problem] = []
        done: list[int] = []
        duplicates: list[tuple[int, str]] = []
        for number, event in enumerate(events):
            document = parse_json_text(event.data)
            if document.problem and event.data.strip() == DONE:
                done.append(number)
                continue
            if document.duplicates:
                duplicates.extend((number, key) for key in document.duplicates)
            if isinstance(document.value, dict) and _is_filter_note(document.value):
                notes.append(Chunk(number, document.value, times[number]))
            elif isinstance(document.value, dict):
                chunks.append(Chunk(number, document.value, times[number]))
            else:
                problems.append(Problem(number, document.problem or "not a JSON object", event.data))
        return cls(
            tuple(events),
            times,
            tuple(chunks),
            tuple(problems),
            tuple(done),
            decoder.comments,
            _choices(chunks),
            _utf8_problem(body),
            tuple(duplicates),
            oversized,
            tuple(notes),
        )

    @cached_property
    def errors(self) -> list[Chunk]:
        """Chunks that report an error instead of content."""
        return [chunk for chunk in self.chunks if chunk.value.get("error") or str(chunk.value.get("type")) in _FAILED]

    @cached_property
    def usages(self) -> list[Chunk]:
        """Chunks with a usage object."""
        return [chunk for chunk in self.chunks if isinstance(chunk.value.get("usage"), dict)]

    @property
    def first_content(self) -> float:
        """Seconds until the first content, 0 if none came."""
        return min((choice.arrivals[0][1] for choice in self.choices.values() if choice.arrivals), default=0.0)


def _is_filter_note(value: Mapping[str, Any]) -> bool:
    """Whether a chunk is Azure's own, and no part of the answer."""
    said = [value.get(name) for name in ("choices", "usage", "error")]
    return "prompt_filter_results" in value and not any(said)


def _times(events: Sequence[Event], arrivals: Sequence[tuple[float, int]]) -> tuple[float, ...]:
    """When each event was complete: the first arrival that reaches its end."""
    times: list[float] = []
    place = 0
    for event in events:
        while place < len(arrivals) - 1 and arrivals[place][1] < event.end:
            place += 1
        times.append(arrivals[place][0] if arrivals else 0.0)
    return tuple(times)


def _choices(chunks: Sequence[Chunk]) -> dict[int, Choice]:
    """Collect, for each choice index, what its deltas say."""
    choices: dict[int, Choice] = {}
    for chunk in chunks:
        listed = chunk.value.get("choices")
        for entry in listed if isinstance(listed, list) else ():
            if isinstance(entry, dict):
                index = entry.get("index")
                choice = choices.setdefault(index if isinstance(index, int) else 0, Choice())
                _take(choice, entry, chunk)
    return choices


def _take(choice: Choice, entry: Mapping[str, Any], chunk: Chunk) -> None:
    """Add one `choices[]` entry to its choice."""
    delta = entry.get("delta")
    if isinstance(delta, dict):
        if choice.first_delta < 0:
            choice.first_delta = chunk.event
        if delta.get("role"):
            choice.roles.append((chunk.event, delta["role"]))
        content = delta.get("content")
        if isinstance(content, str) and content:
            choice.pieces.append(content)
            choice.arrivals.append((chunk.event, chunk.at))
            if choice.finished:
                choice.late.append(chunk.event)
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thought, str):
            choice.reasoning.append(thought)
        if not _OTHER.isdisjoint(delta) and any(delta.get(key) for key in _OTHER):
            choice.other = True
        choice.calls.extend(_call_pieces(delta.get("tool_calls"), chunk.event))
    reason = entry.get("finish_reason")
    if reason is not None:
        choice.finishes.append((chunk.event, reason))
        choice.finished = choice.finished or bool(reason)


def _call_pieces(listed: Any, event: int) -> Iterator[CallPiece]:
    """The pieces of tool calls in one delta."""
    for place, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, dict):
            index, told = entry.get("index"), entry.get("function")
            function = told if isinstance(told, dict) else {}
            known = isinstance(index, int) and not isinstance(index, bool)
            said = [value if isinstance(value, str) else "" for value in _said(entry, function)]
            yield CallPiece(event, place, index if known else None, *said)


def _said(entry: Mapping[str, Any], function: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return entry.get("id"), function.get("name"), function.get("arguments")


def _utf8_problem(body: bytes) -> str:
    """The first byte that is not UTF-8, in words; empty when all are."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return f"byte 0x{body[error.start]:02x} at offset {error.start}"
    return ""


NO_STREAM = Stream.read(b"")
"""What there is to read where nothing was streamed."""
