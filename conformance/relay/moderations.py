"""Moderation: a text with a violent word is flagged as violence, everything else passes."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage, text_of
from conformance.relay.giving import give_json
from conformance.relay.reading import read_request
from conformance.relay.validate import check_model, refuse, require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.relay.call import Call

DEFAULT_MODEL = "mock-moderation"
CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
_VIOLENT = re.compile(r"\b(kill|murder|stab|shoot)\b", re.IGNORECASE)
_THREATS = frozenset({"violence", "harassment/threatening"})
_HIGH, _LOW = 0.97, 0.0002
_MOST_INPUTS = 1000


def answer(call: Call) -> None:
    """Do what the request asks."""
    read_request(call)
    call.at(Stage.MODERATIONS_REQUEST)
    require(call.request, "input")
    model = call.request.get("model") or DEFAULT_MODEL
    check_model(model, call.state.models)
    call.answer = {
        "id": f"modr-{secrets.token_hex(12)}",
        "model": model,
        "results": [_result(text) for text in _inputs(call.request["input"])],
    }
    give_json(call, Stage.MODERATIONS)


def _inputs(given: Any) -> list[str]:
    """The texts to look at; the parts of a message are one."""
    if isinstance(given, str):
        return [given]
    entries: Sequence[Any] = given if isinstance(given, list) and len(given) <= _MOST_INPUTS else []
    if entries and all(isinstance(each, str) for each in entries):
        return list(entries)
    if entries and all(_is_part(each) for each in entries):
        return [text_of({"content": given})]
    raise _unfit()


def _unfit() -> Refusal:
    message = f"Invalid 'input': expected a text, up to {_MOST_INPUTS} of them, or parts of a message."
    return refuse("input", "invalid_type", message)


def _is_part(value: Any) -> bool:
    """A text, or the address of a picture."""
    if not isinstance(value, dict):
        return False
    picture = value.get("image_url")
    shown = isinstance(picture, dict) and isinstance(picture.get("url"), str)
    return isinstance(value.get("text"), str) if value.get("type") == "text" else shown


def _result(text: str) -> Mapping[str, Any]:
    """What there is to say of one text."""
    found = _THREATS if _VIOLENT.search(text) else frozenset()
    return {
        "flagged": bool(found),
        "categories": {name: name in found for name in CATEGORIES},
        "category_scores": {name: _HIGH if name in found else _LOW for name in CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }
