"""Anthropic messages: the same model, asked and answering in Anthropic's words; plain and streamed."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Stage
from conformance.relay.formats import instance
from conformance.relay.giving import give_events, give_json
from conformance.relay.reading import read_request
from conformance.relay.validate import check_fields, check_model, integer, number, of, refuse, require
from conformance.relay.words import generate, prompt_tokens, respond, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.relay.call import Call
    from conformance.relay.validate import Complaint

_ROLES = ("user", "assistant")
_BLOCKS = ("text", "image", "document", "thinking", "redacted_thinking", "tool_use", "tool_result")
_CHOICES = ("auto", "any", "tool", "none")
_FORCED = frozenset({"any", "tool"})
_IN_ONE = 4
"""Tokens in one piece of a tool's input."""
_CITY = "Paris"
"""What the model puts wherever a tool wants a text."""


def _texts(value: Any) -> Complaint | None:
    fits = isinstance(value, list) and all(isinstance(entry, str) and entry.strip() for entry in value)
    return None if fits else ("invalid_type", "an array of strings that are not blank")


def _blocks(value: Any) -> Complaint | None:
    """A text, or a list of content blocks."""
    fits = isinstance(value, str) or (isinstance(value, list) and all(map(_is_block, value)))
    return None if fits else ("invalid_type", f"a string or blocks of type {', '.join(_BLOCKS)}")


def _is_block(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in _BLOCKS and isinstance(value.get("text", ""), str)


def _tools(value: Any) -> Complaint | None:
    fits = isinstance(value, list) and all(map(_is_tool, value))
    return None if fits else ("invalid_type", "an array of tools, each with a name and an input_schema")


def _is_tool(value: Any) -> bool:
    return (
        isinstance(value, dict) and isinstance(value.get("name"), str) and isinstance(value.get("input_schema"), dict)
    )


def _choice(value: Any) -> Complaint | None:
    fits = isinstance(value, dict) and value.get("type") in _CHOICES
    return None if fits else ("invalid_value", f"an object whose type is one of {', '.join(_CHOICES)}")


_FIELDS = {
    "max_tokens": integer(1),
    "system": _blocks,
    "temperature": number(0, 1),
    "top_p": number(0, 1),
    "top_k": integer(0),
    "stop_sequences": _texts,
    "stream": of(bool, "a boolean"),
    "tools": _tools,
    "tool_choice": _choice,
    "thinking": of(dict, "an object"),
    "metadata": of(dict, "an object"),
}


@dataclass(frozen=True)
class _Said:
    """One content block, in the pieces in which it is streamed, and why the message ended after it."""

    block: dict[str, Any]
    pieces: list[str]
    reason: str
    stopped_by: str | None = None


def answer(call: Call) -> None:
    """Do what the request asks."""
    read_request(call)
    call.at(Stage.MESSAGES_REQUEST)
    _validate(call)
    call.messages = _messages(call.request)
    said = _use_tool(call) or _say(call)
    told = json.dumps(call.request["tools"]) if call.request.get("tools") else ""
    call.usage = {
        "input_tokens": prompt_tokens(call.messages) + len(tokens(told)),
        "output_tokens": len(said.pieces),
    }
    call.answer = _message(call, said)
    if call.request.get("stream"):
        call.events = [(event["type"], event) for event in _events(call.answer, said)]
        give_events(call, Stage.MESSAGES_EVENTS)
    else:
        give_json(call, Stage.MESSAGES)


def _validate(call: Call) -> None:
    """Refuse a request that no model of Anthropic's may answer."""
    request = call.request
    check_model(request.get("model"), call.state.models)
    require(request, "max_tokens", "messages")
    check_fields(request, _FIELDS)
    if not isinstance(request["messages"], list):
        raise refuse("messages", "invalid_type", "messages: expected an array.")
    for place, message in enumerate(request["messages"]):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise refuse("messages", "invalid_value", f"messages.{place}.role: expected one of {', '.join(_ROLES)}.")
        if not message.get("content") or _blocks(message["content"]):
            raise refuse("messages", "invalid_value", f"messages.{place}.content: expected a text or blocks.")
    _check_choice(request)


def _check_choice(request: dict[str, Any]) -> None:
    """Refuse a choice of a tool that there is not."""
    choice = request.get("tool_choice") or {}
    if choice and not request.get("tools"):
        raise refuse("tool_choice", "invalid_value", "tool_choice may only be specified while providing tools.")
    named = [choice.get("name")] if choice.get("type") == "tool" else []
    if any(name not in [tool["name"] for tool in request["tools"]] for name in named):
        raise refuse("tool_choice", "invalid_value", "tool_choice.name: there is no tool of this name.")


def _messages(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation, what the system says first."""
    system = request.get("system")
    told: list[dict[str, Any]] = request["messages"]
    return [{"role": "system", "content": system}, *told] if system else told


def _use_tool(call: Call) -> _Said | None:
    """The use of a tool where the request forces one: the named one, or the first."""
    choice = call.request.get("tool_choice") or {}
    if choice.get("type") not in _FORCED:
        return None
    tools = call.request["tools"]
    tool = next((tool for tool in tools if tool["name"] == choice.get("name")), tools[0])
    wanted = instance(tool["input_schema"], _CITY)
    pieces = list(tokens(json.dumps(wanted)))
    limit = int(call.request["max_tokens"])
    whole = len(pieces) <= limit
    block = {
        "type": "tool_use",
        "id": f"toolu_{secrets.token_hex(12)}",
        "name": tool["name"],
        "input": wanted if whole else {},
    }
    return _Said(block, pieces[:limit], "tool_use" if whole else "max_tokens")


def _say(call: Call) -> _Said:
    """A text, until a stop sequence or the limit ends it."""
    text = respond(call.messages)
    stops = call.request.get("stop_sequences") or []
    choice = generate(text, int(call.request["max_tokens"]), stops)
    rest = text.removeprefix(choice.text)
    met = next((stop for stop in stops if rest.startswith(stop)), None) if choice.finish == "stop" else None
    reason = "max_tokens" if choice.finish == "length" else "stop_sequence" if met else "end_turn"
    return _Said({"type": "text", "text": choice.text}, choice.pieces, reason, met)


def _message(call: Call, said: _Said) -> dict[str, Any]:
    """The plain answer."""
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": call.request["model"],
        "content": [said.block] if said.pieces else [],
        "stop_reason": said.reason,
        "stop_sequence": said.stopped_by,
        "usage": call.usage,
    }


def _events(message: dict[str, Any], said: _Said) -> Iterator[dict[str, Any]]:
    """The same answer as events."""
    started = {**message["usage"], "output_tokens": 1}
    nothing: dict[str, Any] = {"content": [], "stop_reason": None, "stop_sequence": None, "usage": started}
    yield {"type": "message_start", "message": message | nothing}
    if message["content"]:
        yield from _block_events(said)
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": said.reason, "stop_sequence": said.stopped_by},
        "usage": {"output_tokens": message["usage"]["output_tokens"]},
    }
    yield {"type": "message_stop"}


def _block_events(said: _Said) -> Iterator[dict[str, Any]]:
    """The events of the one content block, and the ping that Anthropic sends after its start."""
    used = said.block["type"] == "tool_use"
    empty: dict[str, Any] = {"input": {}} if used else {"text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": said.block | empty}
    yield {"type": "ping"}
    size = _IN_ONE if used else 1
    for start in range(0, len(said.pieces), size):
        piece = "".join(said.pieces[start : start + size])
        delta = {"type": "input_json_delta", "partial_json": piece} if used else {"type": "text_delta", "text": piece}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
