"""The model's use of tools: which it calls, with which arguments, and how a message and a stream say so."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from conformance.relay.call import ToolCall
from conformance.relay.formats import instance
from conformance.relay.validate import named_function
from conformance.relay.words import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.relay.call import Call

_PLACE = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
"""A name inside a sentence, such as a city."""
_SHORTEST = 4
"""Letters of a word by which a tool is known."""
_TOGETHER = 5
"""Tokens of arguments that are streamed in one piece."""

Function = dict[str, Any]
"""What a request says of a function: name, description, parameters."""


def use_tools(call: Call) -> None:
    """Let every choice call what the request makes it call, instead of saying anything."""
    for choice in call.choices:
        calls = _calls(call)
        if calls:
            choice.pieces, choice.calls = [], calls
            choice.finish = "length" if _cut(calls, call.limit) else _finish(call.request)


def offered(request: Mapping[str, Any]) -> list[Function]:
    """The functions that a request offers, in the present form or in the old one."""
    return [tool["function"] for tool in request.get("tools") or ()] or list(request.get("functions") or ())


def is_legacy(request: Mapping[str, Any]) -> bool:
    """Whether a request offers its functions in the old form."""
    return not request.get("tools")


def _wanted(call: Call) -> list[Function]:
    """The functions that are called for."""
    functions, name = offered(call.request), named_function(call.request)
    choice = call.request.get("tool_choice") or call.request.get("function_call") or "auto"
    if name:
        return [function for function in functions if function["name"] == name]
    if choice == "none" or (choice == "auto" and call.messages[-1]["role"] in {"tool", "function"}):
        return []
    fitting = [function for function in functions if _fits(function["name"], call.question.lower())]
    return fitting or (functions[:1] if choice == "required" else [])


def _fits(name: str, question: str) -> bool:
    """Whether a question names what a function is for: `get_weather` is for weather."""
    return any(len(word) >= _SHORTEST and word.lower() in question for word in re.split(r"[-_]", name))


def _calls(call: Call) -> list[ToolCall]:
    """One call for each function and place; only one where no more are allowed."""
    request = call.request
    places = _PLACE.findall(call.question) or ["here"]
    calls = [
        ToolCall(f"call_{secrets.token_hex(12)}", function["name"], list(tokens(_arguments(function, place))))
        for function in _wanted(call)
        for place in places
    ]
    alone = is_legacy(request) or named_function(request) or request.get("parallel_tool_calls") is False
    return calls[:1] if alone else calls


def _arguments(function: Function, place: str) -> str:
    return json.dumps(instance(function.get("parameters") or {}, place), ensure_ascii=False)


def _cut(calls: Sequence[ToolCall], limit: int | None) -> bool:
    """Keep calls within the limit; whether anything was lost."""
    left = calls_size(calls) if limit is None else limit
    lost = left < calls_size(calls)
    for each in calls:
        each.pieces = each.pieces[: max(0, left - len(tokens(each.name)))]
        left -= calls_size([each])
    return lost


def _finish(request: Mapping[str, Any]) -> str:
    """Why an answer with calls ended: one that had to name a function just stops, as OpenAI has it."""
    if named_function(request):
        return "stop"
    return "function_call" if is_legacy(request) else "tool_calls"


def calls_size(calls: Sequence[ToolCall]) -> int:
    """The tokens of calls."""
    return sum(len(each.pieces) + len(tokens(each.name)) for each in calls)


def tools_size(request: Mapping[str, Any]) -> int:
    """The tokens that descriptions of tools add to a prompt."""
    functions = offered(request)
    return len(tokens(json.dumps(functions))) if functions else 0


def as_message(calls: Sequence[ToolCall], request: Mapping[str, Any]) -> dict[str, Any]:
    """What a message says of its calls; it has no other content."""
    if is_legacy(request):
        return {"content": None, "function_call": {"name": calls[0].name, "arguments": calls[0].arguments}}
    return {
        "content": None,
        "tool_calls": [
            {"id": each.id, "type": "function", "function": {"name": each.name, "arguments": each.arguments}}
            for each in calls
        ],
    }


def as_deltas(calls: Sequence[ToolCall], request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What a stream says of calls: first which, then the arguments piece by piece."""
    for index, each in enumerate(calls):
        head = {"name": each.name, "arguments": ""}
        starts = range(0, len(each.pieces), _TOGETHER)
        pieces = [{"arguments": "".join(each.pieces[start : start + _TOGETHER])} for start in starts]
        if is_legacy(request):
            yield from ({"function_call": said} for said in (head, *pieces))
        else:
            yield {"tool_calls": [{"index": index, "id": each.id, "type": "function", "function": head}]}
            yield from ({"tool_calls": [{"index": index, "function": said}]} for said in pieces)
