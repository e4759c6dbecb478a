"""Responses: the newer way to ask for text or a function call, with answers that the relay remembers."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage
from conformance.relay.formats import formatted, instance
from conformance.relay.giving import give_events, give_json
from conformance.relay.reading import read_request
from conformance.relay.validate import check_fields, check_model, integer, number, of, one_of, refuse, require
from conformance.relay.words import generate, prompt_tokens, respond, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.relay.call import Call, Choice
    from conformance.relay.validate import Complaint

MEMORY = "responses"
"""Where the conversations are remembered: id -> messages."""
_MOST_REMEMBERED = 1000
_SMALLEST_LIMIT = 16
_PIECE = 16
"""Characters of arguments in one event."""
_ROLES = frozenset({"user", "assistant", "system", "developer"})
_FORMATS = frozenset({"text", "json_object", "json_schema"})
_CHOICES = (None, "none", "auto", "required")
_NEEDED = {"message": ("role", "content"), "function_call": ("call_id", "name"), "function_call_output": ("call_id",)}
"""What each kind of input has to have."""

Event = tuple[str, dict[str, Any]]


def answer(call: Call) -> None:
    """Do what the request asks: fill `body`, or `frames` when it asks for a stream."""
    read_request(call)
    call.at(Stage.RESPONSES_REQUEST)
    request = call.request
    check_model(request.get("model"), call.state.models)
    require(request, "input")
    check_fields(request, _FIELDS)
    _check_tool_choice(request)
    said = [*_earlier(call), *_messages(request["input"])]
    told = [{"role": "system", "content": request["instructions"]}] if request.get("instructions") else []
    call.messages = [*told, *said]
    call.answer = _response(call)
    if request.get("store") is not False:
        _remember(call, [*said, {"role": "assistant", "content": _text_of(call.answer)}])
    if not request.get("stream"):
        give_json(call, Stage.RESPONSES)
        return
    call.at(Stage.RESPONSES)
    call.events = list(_numbered(call.answer))
    give_events(call, Stage.RESPONSES_EVENTS)


def _earlier(call: Call) -> list[dict[str, Any]]:
    """The conversation that the request goes on with."""
    name = call.request.get("previous_response_id")
    if name is None:
        return []
    known: dict[str, list[dict[str, Any]]] = call.state.memory.get(MEMORY, {})
    if name not in known:
        message = f"Previous response with id '{name[:100]}' not found."
        raise refuse("previous_response_id", "previous_response_not_found", message)
    return known[name]


def _remember(call: Call, messages: list[dict[str, Any]]) -> None:
    """Keep a conversation; the oldest is forgotten when there are too many."""
    known = call.state.memory.setdefault(MEMORY, {})
    known[call.answer["id"]] = messages
    while len(known) > _MOST_REMEMBERED:
        del known[next(iter(known))]


def _messages(given: Any) -> Iterator[dict[str, Any]]:
    """The input as chat messages; raises Refusal for what is no input."""
    if isinstance(given, str):
        yield {"role": "user", "content": given}
        return
    if not isinstance(given, list):
        raise _wrong_input("input", "a string or an array")
    for place, item in enumerate(given):
        yield _message(item, f"input[{place}]")


def _wrong_input(name: str, expected: str) -> Refusal:
    return refuse(name, "invalid_type", f"Invalid value for '{name}': expected {expected}.")


def _message(item: Any, name: str) -> dict[str, Any]:
    """One item of the input as a chat message."""
    if not isinstance(item, dict):
        raise _wrong_input(name, "an object")
    kind = item.get("type", "message")
    if not isinstance(kind, str) or kind not in _NEEDED:
        raise _wrong_input(f"{name}.type", "one of " + ", ".join(_NEEDED))
    for needed in _NEEDED[kind]:
        if not isinstance(item.get(needed), str | list):
            raise _wrong_input(f"{name}.{needed}", "a value")
    if kind != "message":
        said = item.get("output" if kind == "function_call_output" else "arguments")
        return {"role": "tool" if kind == "function_call_output" else "assistant", "content": said}
    if not isinstance(item["role"], str) or item["role"] not in _ROLES:
        raise _wrong_input(f"{name}.role", "one of " + ", ".join(sorted(_ROLES)))
    return {"role": item["role"], "content": item["content"]}


def _check_tool_choice(request: Mapping[str, Any]) -> None:
    """Refuse a choice that is none, or of a tool that is not there."""
    choice, names = request.get("tool_choice"), [tool["name"] for tool in request.get("tools") or ()]
    known = choice.get("name") in names if isinstance(choice, dict) else choice in _CHOICES
    if not known or (choice == "required" and not names):
        raise refuse("tool_choice", "invalid_value", "Invalid value for 'tool_choice': no tool can be chosen so.")


def _text_of(response: Mapping[str, Any]) -> str:
    """All that a response says."""
    parts = [part for item in response["output"] for part in item.get("content", ())]
    return "".join(part.get("text", "") for part in parts)


def _response(call: Call) -> dict[str, Any]:
    """The whole answer, as a plain request gets it and a stream ends with it."""
    request = call.request
    limit = request.get("max_output_tokens")
    tool = _forced_tool(request)
    text = json.dumps(instance(tool.get("parameters") or {}, call.question)) if tool else _said(call)
    choice = generate(text, None if limit is None else int(limit), ())
    cut = choice.finish == "length"
    status = "incomplete" if cut else "completed"
    return {
        "id": f"resp_{secrets.token_hex(12)}",
        "object": "response",
        "created_at": call.created,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "model": request["model"],
        "output": [_call(tool, choice.text, status) if tool else _spoken(choice.text, status)],
        "usage": _usage(call, choice),
        **{name: request[name] if request.get(name) is not None else usual for name, usual in _ECHOED.items()},
    }


_ECHOED: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
}
"""What an answer repeats of the request, and what stands there when the request says nothing."""


def _forced_tool(request: Mapping[str, Any]) -> dict[str, Any] | None:
    """The function that has to be called; the model calls none of its own accord."""
    tools: list[dict[str, Any]] = request.get("tools") or []
    choice = request.get("tool_choice")
    if isinstance(choice, dict):
        return next(tool for tool in tools if tool["name"] == choice["name"])
    return tools[0] if choice == "required" else None


def _said(call: Call) -> str:
    """What the model says, in the form that was asked for."""
    asked = (call.request.get("text") or {}).get("format")
    return formatted(respond(call.messages), asked and {**asked, "json_schema": asked})


def _usage(call: Call, choice: Choice) -> dict[str, Any]:
    read, written = prompt_tokens(call.messages), len(choice.pieces)
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }


def _spoken(text: str, status: str) -> dict[str, Any]:
    """A message of the output."""
    name = f"msg_{secrets.token_hex(12)}"
    return {"id": name, "type": "message", "status": status, "role": "assistant", "content": [_part(text)]}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _call(tool: Mapping[str, Any], arguments: str, status: str) -> dict[str, Any]:
    """A function call of the output."""
    return {
        "id": f"fc_{secrets.token_hex(12)}",
        "type": "function_call",
        "status": status,
        "call_id": f"call_{secrets.token_hex(12)}",
        "name": tool["name"],
        "arguments": arguments,
    }


def _numbered(final: Mapping[str, Any]) -> Iterator[Event]:
    """The events of a stream, with their sequence numbers."""
    for place, (kind, value) in enumerate(_events(final)):
        yield kind, {"type": kind, "sequence_number": place, **value}


def _events(final: Mapping[str, Any]) -> Iterator[Event]:
    """The events of a stream that ends with this response."""
    begun = {**final, "status": "in_progress", "incomplete_details": None, "output": [], "usage": None}
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    for index, item in enumerate(final["output"]):
        told = _told if item["type"] == "message" else _called
        opened: dict[str, Any] = {"content": []} if item["type"] == "message" else {"arguments": ""}
        yield "response.output_item.added", {"output_index": index, "item": {**item, "status": "in_progress", **opened}}
        yield from told(item, {"item_id": item["id"], "output_index": index})
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield f"response.{final['status']}", {"response": dict(final)}


def _told(item: Mapping[str, Any], place: Mapping[str, Any]) -> Iterator[Event]:
    """How the text of a message comes."""
    for index, part in enumerate(item["content"]):
        here = {**place, "content_index": index}
        yield "response.content_part.added", {**here, "part": _part("")}
        for piece in tokens(part["text"]):
            yield "response.output_text.delta", {**here, "delta": piece, "logprobs": []}
        yield "response.output_text.done", {**here, "text": part["text"], "logprobs": []}
        yield "response.content_part.done", {**here, "part": dict(part)}


def _called(item: Mapping[str, Any], place: Mapping[str, Any]) -> Iterator[Event]:
    """How the arguments of a function call come."""
    said = item["arguments"]
    for begin in range(0, len(said), _PIECE):
        yield "response.function_call_arguments.delta", {**place, "delta": said[begin : begin + _PIECE]}
    done = {**place, "name": item["name"], "arguments": item["arguments"]}
    yield "response.function_call_arguments.done", done


def _tools(value: Any) -> Complaint | None:
    if not isinstance(value, list) or not all(isinstance(tool, dict) for tool in value):
        return "invalid_type", "an array of objects"
    named = [isinstance(tool.get("name"), str) and tool["name"] != "" for tool in value]
    return None if all(named) else ("missing_required_parameter", "a name for each tool")


def _format(value: Any) -> Complaint | None:
    if not isinstance(value, dict):
        return "invalid_type", "an object"
    asked = value.get("format")
    if asked is None:
        return None
    if not isinstance(asked, dict) or not isinstance(asked.get("type"), str) or asked["type"] not in _FORMATS:
        return "invalid_value", f"a format whose type is one of {', '.join(sorted(_FORMATS))}"
    whole = isinstance(asked.get("name"), str) and isinstance(asked.get("schema"), dict)
    return None if whole or asked["type"] != "json_schema" else ("missing_required_parameter", "a name and a schema")


_FIELDS = {
    "instructions": of(str, "a string"),
    "max_output_tokens": integer(_SMALLEST_LIMIT),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "stream": of(bool, "a boolean"),
    "store": of(bool, "a boolean"),
    "previous_response_id": of(str, "a string"),
    "parallel_tool_calls": of(bool, "a boolean"),
    "metadata": of(dict, "an object"),
    "reasoning": of(dict, "an object"),
    "tools": _tools,
    "text": _format,
    "include": of(list, "an array"),
    "truncation": one_of("auto", "disabled"),
    "user": of(str, "a string"),
}
