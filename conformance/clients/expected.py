"""What an answer says, read as leniently as can be: the measure of what clients get out of it.

Whatever can be found is taken, also where it does not belong: a text in `message` of a chunk, a stream where none was
asked, an answer wrapped in `data`. So what a client misses is lost by that client on that answer.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.clients.readings import Content, ToolCall, arguments_text, cut, unpacked, vector_text
from conformance.clients.using import bytes_text
from conformance.jsontext import parse_json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.model import Exchange

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_NAMES = (("prompt_tokens", "completion_tokens"), ("input_tokens", "output_tokens"))


@dataclass(frozen=True)
class Expected:
    """What is to be read in an answer."""

    content: Content | None = None
    """None: nothing that anybody could read, or an error."""
    error: bool = False
    """Whether the answer says that it is an error, in its status or in its body."""


def expected(exchange: Exchange) -> Expected:
    """What is to be read in a complete answer; never raises."""
    if exchange.status >= 400:
        return Expected(error=True)
    family = exchange.case.operation.partition(".")[0]
    response = exchange.response
    if exchange.case.operation == "audio.speech" and response is not None and exchange.document.problem:
        return Expected(Content(items=(bytes_text(response.body),)))
    if family == "audio" and response is not None and exchange.document.problem and not exchange.stream.chunks:
        return Expected(cut(Content(texts=(response.body.decode(errors="replace"),))))
    payloads = list(_payloads(exchange))
    if any(_is_error(payload) for payload in payloads):
        return Expected(error=True)
    try:
        content = _READERS[family](payloads) if payloads else None
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, struct.error):
        return Expected()
    return Expected(content and cut(content))


def _payloads(exchange: Exchange) -> Iterator[dict[str, Any]]:
    """Every JSON object of an answer: the body, or what its events carry, also where line ends are missing."""
    value = exchange.json
    if isinstance(value, dict):
        inner = value.get("data")
        yield inner if isinstance(inner, dict) and "code" in value else value
    for event in exchange.stream.events:
        whole = parse_json_text(event.data)
        texts = [event.data] if not whole.problem else event.data.split("\n")
        for text in texts:
            found = parse_json_text(text).value
            if isinstance(found, dict):
                yield found


def _is_error(payload: dict[str, Any]) -> bool:
    """Whether a payload reports an error instead of content."""
    return bool(payload.get("error")) or payload.get("type") == "error"


@dataclass
class _Choice:
    """What all payloads say of one choice."""

    text: str = ""
    finish: str = ""
    tools: dict[Any, list[str]] = field(default_factory=dict)

    def take(self, entry: dict[str, Any]) -> None:
        """One entry of `choices`."""
        part = entry.get("delta") or entry.get("message") or entry
        self.text += _text(part.get("content") or part.get("text"))
        self.finish = _text(entry.get("finish_reason")) or self.finish
        for place, call in enumerate(part.get("tool_calls") or []):
            function = call.get("function") or {}
            parts = self.tools.setdefault(self._key(call, place), ["", "", ""])
            parts[0] += _text(function.get("name"))
            arguments = function.get("arguments")
            parts[1] += arguments if isinstance(arguments, str) else json.dumps(arguments or {})
            parts[2] = parts[2] or _text(call.get("id"))

    def _key(self, call: dict[str, Any], place: int) -> Any:
        """Which call a piece belongs to; without an index, a piece with a new id begins another call."""
        if isinstance(call.get("index"), int):
            return call["index"]
        if call.get("id") or not self.tools:
            return call.get("id") or place
        return next(reversed(self.tools))


def _chat(payloads: Sequence[dict[str, Any]]) -> Content | None:
    """Chat and text completions, plain and streamed."""
    choices: dict[int, _Choice] = {}
    for payload in payloads:
        for place, entry in enumerate(payload.get("choices") or []):
            index = entry.get("index")
            choices.setdefault(index if isinstance(index, int) else place, _Choice()).take(entry)
    if not choices:
        return None
    found = [choice for _, choice in sorted(choices.items())]
    return Content(
        texts=tuple(choice.text for choice in found),
        tools=tuple(_call(parts) for choice in found for parts in choice.tools.values()),
        finishes=tuple(choice.finish for choice in found),
        usage=_usage(payloads),
    )


def _call(parts: Sequence[str]) -> ToolCall:
    """A tool call; arguments that are no JSON stay what they are."""
    try:
        return ToolCall(parts[0], arguments_text(parts[1]), parts[2])
    except ValueError:
        return ToolCall(*parts)


def _text(value: Any) -> str:
    """A text, or the texts of its parts."""
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in value if isinstance(part, dict))
    return value if isinstance(value, str) else ""


def _usage(payloads: Sequence[dict[str, Any]]) -> tuple[int, int] | None:
    """The last usage that is told, by either pair of names."""
    for payload in reversed(payloads):
        usage = payload.get("usage")
        for first, second in _NAMES:
            if isinstance(usage, dict) and usage.get(first) is not None:
                return int(usage[first]), int(usage.get(second) or 0)
    return None


def _embeddings(payloads: Sequence[dict[str, Any]]) -> Content:
    data = payloads[0]["data"]
    found = _usage(payloads)
    usage = (found[0], 0) if found else None
    return Content(items=tuple(vector_text(unpacked(entry["embedding"])) for entry in data), usage=usage)


def _moderations(payloads: Sequence[dict[str, Any]]) -> Content:
    return Content(items=tuple(f"flagged: {entry['flagged']}" for entry in payloads[0]["results"]))


def _images(payloads: Sequence[dict[str, Any]]) -> Content:
    return Content(items=tuple(_picture(entry) for entry in payloads[0]["data"]))


def _picture(entry: dict[str, Any]) -> str:
    try:
        packed = entry.get("b64_json")
        return bytes_text(base64.b64decode(packed)) if packed else str(entry["url"])
    except binascii.Error:
        return "no base64"


def _audio(payloads: Sequence[dict[str, Any]]) -> Content:
    return Content(texts=(str(payloads[-1]["text"]),))


def _models(payloads: Sequence[dict[str, Any]]) -> Content:
    listed = payloads[0].get("data")
    return Content(items=tuple(str(entry["id"]) for entry in (listed if listed is not None else payloads[:1])))


def _responses(payloads: Sequence[dict[str, Any]]) -> Content:
    """The response object, or the events of its stream."""
    deltas = "".join(_text(each.get("delta")) for each in payloads if each.get("type") == "response.output_text.delta")
    final = next((each["response"] for each in reversed(payloads) if each.get("type") in _ENDS), payloads[0])
    output = final.get("output") or []
    parts = [part for item in output if item.get("type") == "message" for part in item.get("content") or []]
    calls = [item for item in output if item.get("type") == "function_call"]
    return Content(
        texts=(deltas or "".join(_text(part.get("text")) for part in parts),),
        tools=tuple(_call([_text(call.get(name)) for name in ("name", "arguments", "call_id")]) for call in calls),
        finishes=(_text(final.get("status")),),
        usage=_usage([final]),
    )


def _messages(payloads: Sequence[dict[str, Any]]) -> Content:
    """Anthropic's message object, or the events of its stream."""
    if payloads[0].get("type") != "message_start":
        return _message(payloads[0])
    message = dict(payloads[0]["message"])
    blocks: dict[Any, dict[str, Any]] = {}
    usage = dict(message.get("usage") or {})
    for payload in payloads[1:]:
        if payload.get("type") == "content_block_start":
            blocks[payload.get("index")] = {"pieces": "", **payload["content_block"]}
        elif payload.get("type") == "content_block_delta":
            delta, block = payload["delta"], blocks[payload.get("index")]
            block["text"] = _text(block.get("text")) + _text(delta.get("text"))
            block["pieces"] += _text(delta.get("partial_json"))
        elif payload.get("type") == "message_delta":
            message |= {"stop_reason": (payload.get("delta") or {}).get("stop_reason")}
            usage |= {name: count for name, count in (payload.get("usage") or {}).items() if count is not None}
    for block in blocks.values():
        if block["pieces"]:
            block["input"] = json.loads(block["pieces"])
    return _message(message | {"content": list(blocks.values()), "usage": usage})


def _message(message: dict[str, Any]) -> Content:
    blocks = message["content"]
    calls = [block for block in blocks if block.get("type") == "tool_use"]
    return Content(
        texts=("".join(_text(block.get("text")) for block in blocks if block.get("type") == "text"),),
        tools=tuple(
            ToolCall(_text(call.get("name")), arguments_text(call.get("input")), _text(call.get("id")))
            for call in calls
        ),
        finishes=(_text(message.get("stop_reason")),),
        usage=_usage([message]),
    )


_READERS = {
    "chat": _chat,
    "completions": _chat,
    "embeddings": _embeddings,
    "moderations": _moderations,
    "images": _images,
    "audio": _audio,
    "models": _models,
    "responses": _responses,
    "messages": _messages,
}
