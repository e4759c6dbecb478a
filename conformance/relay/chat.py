"""From a valid chat request to its answer: one JSON object, or the chunks of a stream."""

from __future__ import annotations

import secrets
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from conformance.relay import wire
from conformance.relay.billing import charge
from conformance.relay.call import Stage
from conformance.relay.formats import formatted, logprobs
from conformance.relay.reading import read_request
from conformance.relay.tools import as_deltas, as_message, calls_size, tools_size, use_tools
from conformance.relay.validate import validate
from conformance.relay.variant_models import check_variant, say, unseen_tokens, utter
from conformance.relay.words import prompt_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.relay.call import Call, Choice

FINGERPRINT = "fp_reference"
_NO_PROMPT_DETAILS = {"cached_tokens": 0, "audio_tokens": 0}
_NO_COMPLETION_DETAILS = {
    "reasoning_tokens": 0,
    "audio_tokens": 0,
    "accepted_prediction_tokens": 0,
    "rejected_prediction_tokens": 0,
}


def complete(call: Call) -> None:
    """Do what the request asks: fill `body`, or `frames` when it asks for a stream."""
    read_request(call)
    call.at(Stage.REQUEST)
    validate(call.request, call.state.models)
    plan(call)
    check_variant(call)
    call.at(Stage.PROMPT)
    call.texts = say(call)
    call.at(Stage.TEXT)
    call.texts = [formatted(text, call.request.get("response_format")) for text in call.texts]
    call.choices = utter(call, call.texts)
    use_tools(call)
    call.usage = _usage(call)
    charge(call)
    call.at(Stage.CHOICES)
    call.at(Stage.USAGE)
    if call.streaming:
        _stream(call)
    else:
        _answer(call)


def plan(call: Call) -> None:
    """Take from a valid request what is to be done."""
    request = call.request
    options = request.get("stream_options") or {}
    stop = request.get("stop") or []
    limits = [request.get("max_tokens"), request.get("max_completion_tokens")]
    call.messages = request["messages"]
    call.model = request["model"]
    call.count = int(request.get("n") or 1)
    call.limit = min((int(limit) for limit in limits if limit is not None), default=None)
    call.stops = [stop] if isinstance(stop, str) else stop
    call.tops = int(request.get("top_logprobs") or 0) if request.get("logprobs") else None
    call.streaming = bool(request.get("stream"))
    call.include_usage = call.streaming and bool(options.get("include_usage"))


def _usage(call: Call) -> dict[str, Any]:
    pictures, thinking = unseen_tokens(call)
    prompt = prompt_tokens(call.messages) + tools_size(call.request) + pictures
    completion = sum(len(choice.pieces) + calls_size(choice.calls) for choice in call.choices) + thinking
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": dict(_NO_PROMPT_DETAILS),
        "completion_tokens_details": _NO_COMPLETION_DETAILS | {"reasoning_tokens": thinking},
    }


def _head(call: Call, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": kind,
        "created": call.created,
        "model": call.model,
    }


def _message(choice: Choice, call: Call) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": choice.text, "refusal": None}
    thought = {"reasoning_content": "".join(choice.thought)} if choice.thought else {}
    called = as_message(choice.calls, call.request) if choice.calls else {}
    return message | thought | called


def _answer(call: Call) -> None:
    """Make the plain answer."""
    call.answer = _head(call, "chat.completion") | {
        "choices": [
            {
                "index": index,
                "message": _message(choice, call),
                "logprobs": logprobs(choice.pieces, call.tops),
                "finish_reason": choice.finish,
            }
            for index, choice in enumerate(call.choices)
        ],
        "usage": call.usage,
        "system_fingerprint": FINGERPRINT,
    }
    call.at(Stage.ANSWER)
    call.body = wire.encode(call.answer)
    call.reply_headers.append(wire.JSON_TYPE)


def _stream(call: Call) -> None:
    """Make the chunks and their events."""
    call.chunks = list(chunks(call))
    call.at(Stage.CHUNKS)
    call.frames = [wire.event(value) for value in call.chunks]
    call.frames.append(wire.DONE)
    call.pause = call.spread = call.pause / 2
    call.at(Stage.FRAMES)
    call.reply_headers += (wire.SSE_TYPE, wire.NO_CACHE)


def chunks(call: Call) -> Iterator[dict[str, Any]]:
    """The chunks of a stream: roles, tokens in turn, finishes, and the usage when it was asked for."""
    head = _head(call, "chat.completion.chunk") | {"system_fingerprint": FINGERPRINT}
    for index, delta, finish in _deltas(call):
        said = logprobs([delta["content"]], call.tops) if delta.get("content") else None
        yield head | {"choices": [{"index": index, "delta": delta, "logprobs": said, "finish_reason": finish}]}
    if call.include_usage:
        yield head | {"choices": [], "usage": call.usage}


def _deltas(call: Call) -> Iterator[tuple[int, dict[str, Any], str | None]]:
    """What each chunk adds: index, delta, finish reason. Choices take turns."""
    choices = call.choices
    for index, choice in enumerate(choices):
        yield index, {"role": "assistant", "content": None if choice.calls else ""}, None
    for index, piece in _turns([choice.thought for choice in choices]):
        yield index, {"reasoning_content": piece}, None
    for index, piece in _turns([choice.pieces for choice in choices]):
        yield index, {"content": piece}, None
    for index, choice in enumerate(choices):
        for delta in as_deltas(choice.calls, call.request):
            yield index, delta, None
    for index, choice in enumerate(choices):
        yield index, {}, choice.finish


def _turns(rows: Sequence[Sequence[str]]) -> Iterator[tuple[int, str]]:
    """The first piece of each row, then the second of each, and so on."""
    for column in zip_longest(*rows):
        yield from ((index, piece) for index, piece in enumerate(column) if piece is not None)
