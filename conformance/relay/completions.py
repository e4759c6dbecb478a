"""Text completions: the model behind the relay, asked without messages."""

from __future__ import annotations

import secrets
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Choice, Stage
from conformance.relay.giving import give_events, give_json
from conformance.relay.reading import read_request
from conformance.relay.validate import FIELDS, check_fields, check_model, integer, of, refuse, require
from conformance.relay.words import generate, respond, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.relay.call import Call

_DEFAULT_LIMIT = 16
_MOST_CHOICES = 128
_LIKELY = -0.25
_CHAT_FIELDS = (
    "temperature",
    "top_p",
    "n",
    "stop",
    "stream",
    "stream_options",
    "logit_bias",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "user",
)
_FIELDS = {name: FIELDS[name] for name in _CHAT_FIELDS} | {
    "max_tokens": integer(0),
    "best_of": integer(0, 20),
    "echo": of(bool, "a boolean"),
    "logprobs": integer(0, 5),
    "suffix": of(str, "a string"),
}


def answer(call: Call) -> None:
    """Do what the request asks."""
    read_request(call)
    call.at(Stage.COMPLETIONS_REQUEST)
    check_model(call.request.get("model"), call.state.models)
    require(call.request, "prompt")
    check_fields(call.request, _FIELDS)
    prompts = _prompts(call.request["prompt"])
    count = int(call.request.get("n") or 1)
    if len(prompts) * count > _MOST_CHOICES:
        raise refuse("prompt", "array_above_max_length", f"Invalid 'prompt': more than {_MOST_CHOICES} choices.")
    said = [(prompt, _said(prompt, index, call)) for prompt in prompts for index in range(count)]
    call.usage = _usage(prompts, [choice for _, choice in said])
    if call.request.get("stream"):
        call.events = [("", event) for event in _chunks(call, said)]
        give_events(call, Stage.COMPLETIONS_CHUNKS, done=True)
    else:
        choices = [_choice(call, index, *each) for index, each in enumerate(said)]
        call.answer = _head(call) | {"choices": choices, "usage": call.usage}
        give_json(call, Stage.COMPLETIONS)


def _head(call: Call) -> dict[str, Any]:
    """What an answer and every chunk begin with."""
    return {
        "id": f"cmpl-{secrets.token_hex(12)}",
        "object": "text_completion",
        "created": call.created,
        "model": call.request["model"],
    }


def _prompts(given: Any) -> list[str]:
    """The prompts; a list of tokens is one."""
    if isinstance(given, str):
        return [given]
    entries = given if isinstance(given, list) else []
    if all(_is_token(each) for each in entries):
        entries = [entries]
    if not entries or not all(_is_prompt(each) for each in entries):
        raise refuse("prompt", "invalid_type", "Invalid type for 'prompt': expected texts, or lists of tokens.")
    return [each if isinstance(each, str) else " ".join(map(str, each)) for each in entries]


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_prompt(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and bool(value) and all(map(_is_token, value)))


def _said(prompt: str, index: int, call: Call) -> Choice:
    """What the model says to a prompt, as choice number `index` of it."""
    limit, stop = call.request.get("max_tokens"), call.request.get("stop") or []
    stops = [stop] if isinstance(stop, str) else stop
    text = respond([{"role": "user", "content": prompt}], index)
    return generate(text, _DEFAULT_LIMIT if limit is None else int(limit), stops)


def _usage(prompts: Sequence[str], choices: Sequence[Choice]) -> dict[str, Any]:
    prompt = sum(len(tokens(text)) for text in prompts)
    completion = sum(len(choice.pieces) for choice in choices)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _pieces(call: Call, prompt: str, choice: Choice) -> list[str]:
    """The tokens that are shown: the prompt's first where it is to be echoed."""
    return [*tokens(prompt), *choice.pieces] if call.request.get("echo") else choice.pieces


def _choice(call: Call, index: int, prompt: str, choice: Choice) -> dict[str, Any]:
    """One choice of a plain answer."""
    pieces = _pieces(call, prompt, choice)
    return {
        "text": "".join(pieces),
        "index": index,
        "logprobs": _logprobs(call, pieces),
        "finish_reason": choice.finish,
    }


def _chunks(call: Call, said: Sequence[tuple[str, Choice]]) -> Iterator[dict[str, Any]]:
    """The chunks of a stream: token after token, the last one of each choice with its finish reason."""
    head = _head(call)
    for index, (prompt, choice) in enumerate(said):
        pieces, offset = _pieces(call, prompt, choice), 0
        for piece in pieces:
            yield head | {"choices": [_step(index, piece, _logprobs(call, [piece], offset), None)]}
            offset += len(piece)
        yield head | {"choices": [_step(index, "", None, choice.finish)]}
    if (call.request.get("stream_options") or {}).get("include_usage"):
        yield head | {"choices": [], "usage": call.usage}


def _step(index: int, text: str, logprobs: dict[str, Any] | None, finish: str | None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish}


def _logprobs(call: Call, pieces: Sequence[str], offset: int = 0) -> dict[str, Any] | None:
    """The log probabilities of what is shown; None: not asked for."""
    tops = call.request.get("logprobs")
    if tops is None:
        return None
    return {
        "tokens": list(pieces),
        "token_logprobs": [_LIKELY] * len(pieces),
        "top_logprobs": [{piece: _LIKELY} if tops else {} for piece in pieces],
        "text_offset": list(accumulate(map(len, pieces), initial=offset))[:-1],
    }
