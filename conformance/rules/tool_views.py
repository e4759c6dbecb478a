"""Tool calls as rules read them: the calls of each choice, plain ones and streamed ones alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.jsontext import parse_json
from conformance.model import Case, Exchange
from conformance.rules.views import is_json, request_body
from conformance.stream import CallPiece

_CUT = frozenset({"length", "content_filter", "max_tokens", "MAX_TOKENS", "SAFETY"})


@dataclass(frozen=True)
class ToolCall:
    """A call as an answer tells it: plain values of any type, streamed ones put together to strings."""

    at: str
    id: Any
    name: Any
    arguments: Any
    kind: Any = "function"


@dataclass(frozen=True)
class Answer:
    """One choice of an answer, as far as it can be read."""

    calls: tuple[ToolCall, ...]
    finish: Any
    text: str
    at: str
    refused: bool = False


def answers(exchange: Exchange) -> list[Answer]:
    """The choices of an answer, plain or streamed; what is none is left out."""
    if exchange.case.operation == "chat.stream":
        choices = [choice for choice in exchange.stream.choices.values() if choice.first_delta >= 0]
        return [Answer(_streamed(choice.calls), choice.finish, choice.text, "") for choice in choices]
    listed = exchange.json.get("choices") if is_json(exchange) else None
    found = [_plain(choice, place) for place, choice in enumerate(listed if isinstance(listed, list) else ())]
    return [answer for answer in found if answer is not None]


def _plain(choice: Any, place: int) -> Answer | None:
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        return None
    listed, content = message.get("tool_calls"), message.get("content")
    at = f"/choices/{place}"
    calls = [
        _called(call, f"{at}/message/tool_calls/{number}")
        for number, call in enumerate(listed if isinstance(listed, list) else ())
        if isinstance(call, dict)
    ]
    text = content if isinstance(content, str) else ""
    return Answer(tuple(calls), choice.get("finish_reason"), text, at, bool(message.get("refusal")))


def _called(call: Mapping[str, Any], at: str) -> ToolCall:
    told = call.get("function")
    function = told if isinstance(told, dict) else {}
    return ToolCall(at, call.get("id"), function.get("name"), function.get("arguments"), call.get("type"))


def _streamed(pieces: Sequence[CallPiece]) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(
            place_of(call[0]),
            _id_of(call),
            next((piece.name for piece in call if piece.name), ""),
            "".join(piece.arguments for piece in call),
        )
        for call in assembled(pieces)
    )


def assembled(pieces: Sequence[CallPiece]) -> list[list[CallPiece]]:
    """The pieces of each call: those of one index, or where there is none those after one another.

    Another id with a name begins another call, whatever its index.
    """
    calls: list[list[CallPiece]] = []
    for piece in pieces:
        same = [call for call in calls if piece.index is None or call[0].index == piece.index][-1:]
        known = _id_of(same[0]) if same else ""
        if same and not (known and piece.name and piece.id and piece.id != known):
            same[0].append(piece)
        else:
            calls.append([piece])
    return calls


def _id_of(call: Sequence[CallPiece]) -> str:
    """The first id that the pieces of a call name."""
    return next((piece.id for piece in call if piece.id), "")


def place_of(piece: CallPiece) -> str:
    """The JSON pointer to a piece of a streamed call."""
    return f"/events/{piece.event}/choices/0/delta/tool_calls/{piece.place}"


def has_tools(case: Case) -> bool:
    """The request offers tools."""
    return bool((case.body or {}).get("tools"))


def is_whole(exchange: Exchange) -> bool:
    """There is an answer to judge, and neither a limit nor a filter ended it."""
    found = answers(exchange)
    return bool(found) and not any(str(answer.finish) in _CUT or answer.refused for answer in found)


def calls_of(exchange: Exchange) -> list[ToolCall]:
    """The calls of all choices."""
    return [call for answer in answers(exchange) for call in answer.calls]


def has_calls(exchange: Exchange) -> bool:
    """There is a whole answer that calls something."""
    return is_whole(exchange) and bool(calls_of(exchange))


def functions_of(exchange: Exchange) -> dict[str, Mapping[str, Any]]:
    """The functions that the request offers, by name."""
    return {tool["function"]["name"]: tool["function"] for tool in request_body(exchange)["tools"]}


def function_of(exchange: Exchange, call: ToolCall) -> Mapping[str, Any]:
    """What the request says of the function that is called; nothing where it does not offer it."""
    return functions_of(exchange).get(call.name, {}) if isinstance(call.name, str) else {}


def object_of(arguments: Any) -> dict[str, Any] | None:
    """The arguments of a call as an object; None when they are no JSON text of one."""
    value = parse_json(arguments.encode(errors="replace")).value if isinstance(arguments, str) else None
    return value if isinstance(value, dict) else None
