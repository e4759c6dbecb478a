"""What a request may ask of the form of an answer: JSON, JSON of a schema, log probabilities."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_LIKELY = -0.25
_LESS_LIKELY = 0.75
_WORDS = "the of and to in is that it was for on are as with they be at one have this from"
_OTHERS = _WORDS.split()
_DEEPEST = 50
_PLAIN: Mapping[str, Any] = {"integer": 1, "number": 1.5, "boolean": True, "null": None}


def formatted(text: str, response_format: Mapping[str, Any] | None) -> str:
    """The text as it is, or as the JSON that was asked for."""
    kind = (response_format or {}).get("type")
    if kind == "json_object":
        return json.dumps({"answer": text}, ensure_ascii=False)
    if kind == "json_schema":
        asked = (response_format or {}).get("json_schema") or {}
        return json.dumps(instance(asked.get("schema") or {}, text), ensure_ascii=False)
    return text


def instance(schema: Any, text: str, depth: int = 0) -> Any:
    """A value of a simple schema: objects, lists, enums and plain values; the text wherever a string goes.

    What is no such schema, or lies deeper than anybody writes, gets the text as well.
    """
    told = schema if isinstance(schema, dict) and depth < _DEEPEST else {"type": "string"}
    listed, kind, properties = told.get("enum"), told.get("type", "object"), told.get("properties")
    if isinstance(listed, list) and listed:
        return listed[0]
    if kind == "object":
        inside = properties if isinstance(properties, dict) else {}
        return {name: instance(inner, text, depth + 1) for name, inner in inside.items()}
    if kind == "array":
        return [instance(told.get("items", {}), text, depth + 1)]
    return _PLAIN.get(kind, text) if isinstance(kind, str) else text


def logprobs(pieces: Sequence[str], tops: int | None) -> dict[str, Any] | None:
    """Log probabilities of what was said, with the `tops` likeliest tokens at each place; None: not asked for."""
    if tops is None:
        return None
    return {"content": [_entry(piece, tops) for piece in pieces], "refusal": None}


def _entry(piece: str, tops: int) -> dict[str, Any]:
    """One token; what was said is the likeliest."""
    others = [_rated(f" {word}", _LIKELY - place * _LESS_LIKELY) for place, word in enumerate(_OTHERS, 1)]
    return _rated(piece, _LIKELY) | {"top_logprobs": [_rated(piece, _LIKELY), *others][:tops]}


def _rated(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode(errors="replace"))}
