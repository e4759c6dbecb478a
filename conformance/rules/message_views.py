"""What an answer to Anthropic messages says, plain or streamed, read the same way.

Lenient like every reading: a field of the wrong type is passed over, since a schema judges it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.events import typed_events
from conformance.jsontext import parse_json_text
from conformance.rules.views import request_body

if TYPE_CHECKING:
    from conformance.events import TypedEvent
    from conformance.model import Exchange

MESSAGES = ("messages", "messages.stream")
_MEMO = "message"
_COUNTS = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


@dataclass
class Block:
    """One content block."""

    type: str
    at: str
    """The JSON pointer of the block, or of the event that starts it."""
    name: str = ""
    """Of a tool."""
    input: Any = None
    """Of a tool, as the block itself gives it."""
    pieces: list[str] = field(default_factory=list)
    """Of a text."""
    partial: list[str] = field(default_factory=list)
    """Of a tool's input, as JSON in pieces."""

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    @property
    def tool_input(self) -> Any:
        """What the tool is given: the joined pieces read as JSON, or the block's own where there are none."""
        written = "".join(self.partial)
        return parse_json_text(written).value if written else self.input


@dataclass
class Message:
    """A whole message."""

    blocks: list[Block] = field(default_factory=list)
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: dict[str, float] = field(default_factory=dict)
    """Token counts; what a later event of a stream says counts."""
    content_at: str = ""
    """Where the content stands; of a stream, its beginning."""
    reason_at: str = ""
    """Where the stop reason stands."""
    usage_at: str = ""
    """Where the usage stands; of a stream, the last."""
    counted: dict[str, str] = field(default_factory=dict)
    """Where each count stands."""

    def count_at(self, name: str) -> str:
        """Where a count stands, or where it is missed."""
        return self.counted.get(name, f"{self.usage_at}/{name}")

    @property
    def text(self) -> str:
        """All text blocks."""
        return "".join(block.text for block in self.blocks if block.type == "text")

    @property
    def tools(self) -> list[Block]:
        """The blocks that use a tool."""
        return [block for block in self.blocks if block.type == "tool_use"]


def message_of_answer(exchange: Exchange) -> Message:
    """The message of a good answer; read once."""
    if _MEMO not in exchange.memo:
        plain = exchange.case.operation == "messages"
        exchange.memo[_MEMO] = _plain(exchange.json) if plain else _streamed(typed_events(exchange))
    found: Message = exchange.memo[_MEMO]
    return found


def _plain(body: Any) -> Message:
    """A message out of its JSON."""
    whole = _object(body)
    message = Message(
        content_at="/content",
        stop_reason=_text(whole.get("stop_reason")),
        stop_sequence=_text(whole.get("stop_sequence")),
        reason_at="/stop_reason",
        usage_at="/usage",
    )
    _count(message, whole)
    content = whole.get("content")
    for place, value in enumerate(content if isinstance(content, list) else ()):
        message.blocks.append(_block(_object(value), f"/content/{place}"))
    return message


def _streamed(events: list[TypedEvent]) -> Message:
    """A message put together from its events."""
    message = Message()
    open_blocks: dict[object, Block] = {}
    for event in events:
        if event.type == "message_start":
            message.content_at = f"{event.at}/message"
            message.usage_at = f"{event.at}/message/usage"
            _count(message, event.part("message"))
        elif event.type == "content_block_start":
            block = _block(event.part("content_block"), f"{event.at}/content_block")
            open_blocks[_index(event)] = block
            message.blocks.append(block)
        elif event.type == "content_block_delta" and _index(event) in open_blocks:
            _grow(open_blocks[_index(event)], event.part("delta"))
        elif event.type == "message_delta":
            _end(message, event)
    return message


def _index(event: TypedEvent) -> object:
    """The index of an event's block; one that is no number stands for none."""
    index = event.data.get("index")
    return index if isinstance(index, int) else None


def _grow(block: Block, delta: Mapping[str, Any]) -> None:
    """Add what a delta says to its block."""
    for name, pieces in (("text", block.pieces), ("partial_json", block.partial)):
        piece = delta.get(name)
        if isinstance(piece, str):
            pieces.append(piece)


def _end(message: Message, event: TypedEvent) -> None:
    """Take what a `message_delta` says: why the message ended, and what it cost."""
    delta = event.part("delta")
    reason = _text(delta.get("stop_reason"))
    if reason is not None:
        message.stop_reason = reason
        message.stop_sequence = _text(delta.get("stop_sequence"))
        message.reason_at = f"{event.at}/delta/stop_reason"
    message.usage_at = f"{event.at}/usage"
    _count(message, event.data)


def _block(value: Mapping[str, Any], at: str) -> Block:
    kind, name, text = (_text(value.get(key)) or "" for key in ("type", "name", "text"))
    return Block(kind, at, name, value.get("input"), [text])


def _count(message: Message, holder: Mapping[str, Any]) -> None:
    """Take the token counts that are whole numbers, and where they stand: where the usage does."""
    usage = _object(holder.get("usage"))
    found = {name: usage[name] for name in _COUNTS if _is_count(usage.get(name))}
    message.usage |= found
    message.counted |= {name: f"{message.usage_at}/{name}" for name in found}


def _is_count(value: Any) -> bool:
    """Whether this is a whole number, be it written as `9.0`."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def stop_sequences(exchange: Exchange) -> list[str]:
    """The texts at which the request wants the answer to stop."""
    listed = request_body(exchange).get("stop_sequences")
    return [each for each in listed if isinstance(each, str) and each] if isinstance(listed, list) else []


def tool_schemas(exchange: Exchange) -> dict[str, Any]:
    """The input schema of each tool in the request, by name."""
    tools = request_body(exchange).get("tools")
    known = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return {str(tool.get("name")): tool.get("input_schema") for tool in known}
