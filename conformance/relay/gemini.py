"""Gemini, native: the same model, asked and answering in Google's words; plain and streamed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Stage
from conformance.relay.formats import formatted
from conformance.relay.giving import give_events, give_json
from conformance.relay.reading import read_request
from conformance.relay.validate import check_fields, check_model, integer, number, of, one_of, refuse, require
from conformance.relay.words import generate, prompt_tokens, respond

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.relay.call import Call, Choice
    from conformance.relay.validate import Complaint

_ROLES = {"user": "user", "model": "assistant", "function": "user"}
_IN_ONE = 4
"""Tokens in one object of a stream."""
_FINISHES = {"length": "MAX_TOKENS", "stop": "STOP"}


def _stops(value: Any) -> Complaint | None:
    fits = isinstance(value, list) and len(value) <= 5 and all(isinstance(entry, str) for entry in value)
    return None if fits else ("invalid_type", "an array of up to five strings")


def _safety(value: Any) -> Complaint | None:
    fits = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    return None if fits else ("invalid_type", "an array of objects")


_FIELDS = {
    "generationConfig": of(dict, "an object"),
    "systemInstruction": lambda value: None if _has_parts(value) else ("invalid_type", "an object with parts"),
    "tools": of(list, "an array"),
    "toolConfig": of(dict, "an object"),
    "safetySettings": _safety,
}
_SETTINGS = {
    "temperature": number(0, 2),
    "topP": number(0, 1),
    "topK": integer(1),
    "maxOutputTokens": integer(1),
    "stopSequences": _stops,
    "candidateCount": integer(1, 8),
    "seed": integer(-(2**31), 2**31 - 1),
    "presencePenalty": number(-2, 2),
    "frequencyPenalty": number(-2, 2),
    "responseMimeType": one_of("text/plain", "application/json"),
    "responseSchema": of(dict, "an object"),
    "thinkingConfig": of(dict, "an object"),
}


def answer(call: Call) -> None:
    """Do what the request asks."""
    choices = _choices(call)
    call.answer = _head(call) | {
        "candidates": [_candidate(choice.text, index, _FINISHES[str(choice.finish)]) for index, choice in choices],
        "usageMetadata": call.usage,
    }
    give_json(call, Stage.GEMINI)


def answer_streamed(call: Call) -> None:
    """Do the same, as server-sent events."""
    choices = _choices(call)
    head = _head(call)
    call.events = [("", head | part) for index, choice in choices for part in _parts(choice, index)]
    call.events[-1][1]["usageMetadata"] = call.usage
    give_events(call, Stage.GEMINI_EVENTS)


def count_tokens(call: Call) -> None:
    """Say how long a prompt is, and answer nothing."""
    _read(call)
    call.answer = {"totalTokens": prompt_tokens(call.messages)}
    give_json(call, Stage.GEMINI)


def _read(call: Call) -> None:
    """Read and check what is asked."""
    read_request(call)
    call.at(Stage.GEMINI_REQUEST)
    check_model(call.named, call.state.models)
    require(call.request, "contents")
    contents = call.request["contents"]
    if not isinstance(contents, list) or not all(_has_parts(each) and _has_role(each) for each in contents):
        raise refuse("contents", "invalid_type", "Invalid value at 'contents': expected objects with parts.")
    check_fields(call.request, _FIELDS)
    check_fields(call.request.get("generationConfig") or {}, _SETTINGS)
    system = call.request.get("systemInstruction")
    call.messages = [{"role": "system", "content": system["parts"]}] if system else []
    call.messages += [{"role": _ROLES[each.get("role", "user")], "content": each["parts"]} for each in contents]


def _has_parts(value: Any) -> bool:
    parts = value.get("parts") if isinstance(value, dict) else None
    return isinstance(parts, list) and bool(parts) and all(map(_is_part, parts))


def _is_part(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and isinstance(value.get("text", ""), str)


def _has_role(content: Mapping[str, Any]) -> bool:
    return content.get("role", "user") in tuple(_ROLES)


def _choices(call: Call) -> list[tuple[int, Choice]]:
    """What the model says, once for each candidate, with its index; fills `usage`."""
    _read(call)
    asked: Mapping[str, Any] = call.request.get("generationConfig") or {}
    call.model = call.named
    limit = int(asked["maxOutputTokens"]) if asked.get("maxOutputTokens") else None
    texts = [_formatted(respond(call.messages, index), asked) for index in range(int(asked.get("candidateCount") or 1))]
    choices = [generate(text, limit, asked.get("stopSequences") or []) for text in texts]
    read, written = prompt_tokens(call.messages), sum(len(choice.pieces) for choice in choices)
    call.usage = {"promptTokenCount": read, "candidatesTokenCount": written, "totalTokenCount": read + written}
    return list(enumerate(choices))


def _formatted(text: str, asked: Mapping[str, Any]) -> str:
    """The text, or JSON where that is asked for."""
    if asked.get("responseMimeType") != "application/json":
        return text
    schema = asked.get("responseSchema")
    kind = {"type": "json_schema", "json_schema": {"schema": schema}} if schema else {"type": "json_object"}
    return formatted(text, kind)


def _head(call: Call) -> dict[str, Any]:
    return {"modelVersion": call.model, "responseId": secrets.token_hex(12)}


def _candidate(text: str, index: int, finish: str = "") -> dict[str, Any]:
    """One candidate, or a part of it; only the last part says why it ended."""
    found = {"content": {"role": "model", "parts": [{"text": text}]}, "index": index}
    return found | {"finishReason": finish} if finish else found


def _parts(choice: Choice, index: int) -> Iterator[dict[str, Any]]:
    """The objects of a stream for one candidate, a few tokens each."""
    rows = ["".join(choice.pieces[start : start + _IN_ONE]) for start in range(0, len(choice.pieces), _IN_ONE)] or [""]
    for place, text in enumerate(rows, 1):
        finish = _FINISHES[str(choice.finish)] if place == len(rows) else ""
        yield {"candidates": [_candidate(text, index, finish)]}
