"""Faults that fixed requests of other operations than chat do not meet: a rare field, a mistake in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import GENERATED, fault
from conformance.relay.validate import integer, number, of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.relay.call import Call
    from conformance.relay.validate import Check

_REFUSED = {"generated.valid.accepted"}
_TAKEN = {"generated.invalid.refused"}
_AT_LEAST_ONE = integer(1)
_RERANK: Mapping[str, Check] = {
    "top_n": _AT_LEAST_ONE,
    "max_chunk_per_doc": _AT_LEAST_ONE,
    "max_tokens_per_doc": _AT_LEAST_ONE,
    "return_documents": of(bool, "a boolean"),
}
_MESSAGES: Mapping[str, Check] = {
    "temperature": number(0, 1),
    "top_p": number(0, 1),
    "top_k": integer(0),
    "stop_sequences": of(list, "an array"),
    "thinking": of(dict, "an object"),
    "metadata": of(dict, "an object"),
    "system": of(str, "a string"),
}
_GEMINI: Mapping[str, Check] = {
    "temperature": number(0, 2),
    "topP": number(0, 1),
    "topK": integer(1),
    "maxOutputTokens": integer(1),
    "candidateCount": integer(1, 8),
    "seed": integer(-(2**31), 2**31 - 1),
    "presencePenalty": number(-2, 2),
    "frequencyPenalty": number(-2, 2),
    "responseMimeType": lambda value: None if value in ("text/plain", "application/json") else ("invalid_value", ""),
}


def _obscurely() -> Refusal:
    """A refusal that does not say what was wrong."""
    return Refusal(400, "Bad request.", kind="upstream_error", code="bad_response_status_code")


def _drop(request: dict[str, Any], fields: Mapping[str, Check]) -> None:
    """Forget the fields of a request that are wrong."""
    for name, check in fields.items():
        if name in request and check(request[name]) is not None:
            del request[name]


@fault(
    "truncation-refused",
    Stage.RESPONSES_REQUEST,
    trips=_REFUSED,
    needs=GENERATED,
    zh="Responses 请求带 truncation 即被拒",
)
def _(call: Call) -> None:
    """A Responses request that says how to cut a long conversation is refused, without a word on why."""
    if call.request.get("truncation") in ("auto", "disabled"):
        raise _obscurely()


@fault("rerank-unchecked", Stage.RERANK_REQUEST, trips=_TAKEN, needs=GENERATED, zh="重排序的可选字段非法也回答")
def _(call: Call) -> None:
    """Optional fields of a rerank request that are wrong are quietly dropped."""
    _drop(call.request, _RERANK)


@fault("top-k-refused", Stage.MESSAGES_REQUEST, trips=_REFUSED, needs=GENERATED, zh="Anthropic 请求带 top_k 即被拒")
def _(call: Call) -> None:
    """An Anthropic request with a top_k is refused, without a word on why: the upstream has no such field."""
    if "top_k" in call.request and _MESSAGES["top_k"](call.request["top_k"]) is None:
        raise _obscurely()


@fault(
    "messages-unchecked", Stage.MESSAGES_REQUEST, trips=_TAKEN, needs=GENERATED, zh="Anthropic 请求的可选字段非法也回答"
)
def _(call: Call) -> None:
    """Optional fields of an Anthropic request that are wrong are quietly dropped on the way to another protocol."""
    if not isinstance(call.request.get("system"), list):
        _drop(call.request, _MESSAGES)


@fault("gemini-seed-refused", Stage.GEMINI_REQUEST, trips=_REFUSED, needs=GENERATED, zh="Gemini 请求带 seed 即被拒")
def _(call: Call) -> None:
    """A Gemini request with a seed is refused, without a word on why."""
    settings = call.request.get("generationConfig")
    if isinstance(settings, dict) and "seed" in settings and _GEMINI["seed"](settings["seed"]) is None:
        raise _obscurely()


@fault(
    "gemini-unchecked", Stage.GEMINI_REQUEST, trips=_TAKEN, needs=GENERATED, zh="Gemini 的 generationConfig 非法也回答"
)
def _(call: Call) -> None:
    """Settings of a Gemini request that are wrong are quietly dropped on the way to another protocol."""
    settings = call.request.get("generationConfig")
    if isinstance(settings, dict):
        _drop(settings, _GEMINI)
    else:
        call.request.pop("generationConfig", None)


@fault(
    "language-refused", Stage.TRANSCRIPTION_REQUEST, trips=_REFUSED, needs=GENERATED, zh="语音转录带 language 即被拒"
)
def _(call: Call) -> None:
    """A transcription whose language is given is refused, without a word on why."""
    if "language" in call.form:
        raise _obscurely()


@fault(
    "transcription-unchecked",
    Stage.TRANSCRIPTION_REQUEST,
    trips=_TAKEN,
    needs=GENERATED,
    zh="语音转录的 temperature 非法也回答",
)
def _(call: Call) -> None:
    """A temperature of a transcription is never looked at."""
    call.form.pop("temperature", None)
