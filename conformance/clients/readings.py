"""What the user of a client gets from one answer, and its JSON form."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

LONGEST = 20_000
"""Characters of one text that a reading keeps."""
MOST = 256
"""Entries of a list that a reading keeps."""
_LONGEST_MESSAGE = 300


class ToolCall(NamedTuple):
    """A call of a function: its name, its arguments as sorted JSON, and its id (empty: there is none)."""

    name: str
    arguments: str
    id: str


@dataclass(frozen=True)
class Content:
    """What an answer says; the same shape for a client's reading and for our own."""

    texts: tuple[str, ...] = ()
    """The text of each choice."""
    tools: tuple[ToolCall, ...] = ()
    finishes: tuple[str, ...] = ()
    """Why each choice ended; empty where nothing says so."""
    usage: tuple[int, int] | None = None
    """(input, output) tokens."""
    items: tuple[str, ...] = ()
    """Whatever else there is: model ids, vectors, pictures, in a form that can be compared."""
    unsaid: tuple[str, ...] = ()
    """Fields of this class that the client never gives for such an answer."""


@dataclass(frozen=True)
class Job:
    """One answer to be read: where it is replayed, and what of the request matters to the reading."""

    case: str
    operation: str
    base_url: str
    """Ends in `/v1`."""
    model: str
    asked: dict[str, Any] = field(default_factory=dict)
    """`include_usage`, `response_format`, `n` above 1, `encoding_format` where it is base64."""


@dataclass(frozen=True)
class Reading:
    """What came of one job."""

    case: str
    outcome: str
    """`read`; `refused`: the client's own error for an API error; `raised`: any other exception; `hung`."""
    content: Content | None = None
    error: str = ""
    """The name of the exception's class."""
    status: int = 0
    """The HTTP status that the exception carries, 0 for none."""
    message: str = ""


@dataclass(frozen=True)
class ClientRun:
    """All readings of one client."""

    client: str
    version: str
    """Empty: the client was not run."""
    readings: tuple[Reading, ...] = ()
    trouble: str = ""
    """Why it was not run, or not to the end."""


def arguments_text(arguments: Any) -> str:
    """Arguments in a form that can be compared; raises ValueError where a string of them is no JSON."""
    value = json.loads(arguments) if isinstance(arguments, str) else arguments
    return json.dumps(value, sort_keys=True)


def unpacked(vector: Any) -> Any:
    """The numbers of a vector, also where they are base64; raises ValueError or struct.error where it is none."""
    if not isinstance(vector, str):
        return vector
    packed = base64.b64decode(vector, validate=True)
    return struct.unpack(f"<{len(packed) // 4}f", packed)


def vector_text(vector: Any) -> str:
    """A vector, short: its length, its beginning and its sum; raises TypeError where it holds no numbers."""
    head = ", ".join(f"{number:.4g}" for number in vector[:3])
    return f"{len(vector)} numbers: {head}, … sum {sum(vector):.3g}"


def cut(content: Content) -> Content:
    """The content with long texts and long lists cut, as readings keep them."""
    return replace(
        content,
        texts=tuple(text[:LONGEST] for text in content.texts[:MOST]),
        tools=tuple(ToolCall(*(part[:LONGEST] for part in call)) for call in content.tools[:MOST]),
        finishes=tuple(text[:LONGEST] for text in content.finishes[:MOST]),
        items=tuple(text[:LONGEST] for text in content.items[:MOST]),
    )


def reading_out(reading: Reading) -> dict[str, Any]:
    """A reading as JSON, long parts cut."""
    content = reading.content and cut(reading.content)
    said = content and asdict(content) | {"tools": [list(call) for call in content.tools]}
    return vars(reading) | {"message": reading.message[:_LONGEST_MESSAGE], "content": said}


def reading_in(raw: dict[str, Any]) -> Reading:
    """A reading from the JSON that `reading_out` makes."""
    content = raw["content"]
    return Reading(**raw | {"content": content and content_in(content)})


def content_in(raw: dict[str, Any]) -> Content:
    """A content from its JSON form."""
    return Content(
        texts=tuple(raw["texts"]),
        tools=tuple(ToolCall(*call) for call in raw["tools"]),
        finishes=tuple(raw["finishes"]),
        usage=(raw["usage"][0], raw["usage"][1]) if raw["usage"] else None,
        items=tuple(raw["items"]),
        unsaid=tuple(raw["unsaid"]),
    )
