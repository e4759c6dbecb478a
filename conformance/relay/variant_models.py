"""Models that share the chat endpoint and are unlike the others: they see, think, draw, or refuse some fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay.call import Refusal
from conformance.relay.vision import look, picture_tokens
from conformance.relay.words import generate, respond, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.relay.call import Call, Choice

REASONER, HIDDEN_REASONER, DRAWER = "mock-reasoner", "o1-mini-mock", "gpt-4-all"
_FIXED = {"temperature": 1, "top_p": 1, "n": 1, "presence_penalty": 0, "frequency_penalty": 0}
"""What models of the o series take of some fields: this or nothing."""
_SIZE = 256


def check_variant(call: Call) -> None:
    """Refuse what the model that is asked does not take."""
    model = call.request["model"]
    if model == HIDDEN_REASONER:
        _check_hidden(call)
    if model == REASONER:
        for number, message in enumerate(call.messages):
            if message.get("reasoning_content"):
                at = f"messages[{number}].reasoning_content"
                raise _refuse(at, f"Unsupported parameter: '{at}' belongs to answers only.")


def _check_hidden(call: Call) -> None:
    if call.request.get("max_tokens") is not None:
        told = "Unsupported parameter: 'max_tokens' is not supported here. Use 'max_completion_tokens' instead."
        raise _refuse("max_tokens", told, "unsupported_parameter")
    for name, only in _FIXED.items():
        if call.request.get(name) not in {None, only}:
            raise _refuse(name, f"Unsupported value: '{name}' can only be {only} here.")
    for number, message in enumerate(call.messages):
        if message["role"] == "system":
            at = f"messages[{number}].role"
            raise _refuse(at, f"Unsupported value: '{at}' does not support 'system' here.")


def _refuse(param: str, message: str, code: str = "unsupported_value") -> Refusal:
    return Refusal(400, message, param=param, code=code)


def say(call: Call) -> list[str]:
    """What the model wants to say, for each choice."""
    seen = [each for each in look(call.messages) if each]
    if seen:
        return [" and ".join(seen)] * call.count
    if call.request["model"] == DRAWER and call.question.lower().startswith("draw "):
        return [_drawn(call)] * call.count
    return [respond(call.messages, index) for index in range(call.count)]


def _drawn(call: Call) -> str:
    """A link to a picture, as Markdown has it."""
    from conformance.relay.images import address_of  # noqa: PLC0415 - only this model draws
    from conformance.relay.pictures import draw  # noqa: PLC0415 - Pillow takes a while to import

    return f"Here it is:\n\n![picture]({address_of(call, draw(call.question, _SIZE, _SIZE, 'webp'))})"


def utter(call: Call, texts: Sequence[str]) -> list[Choice]:
    """Say the texts within the limit, after the thinking, which takes its part of it."""
    thinking = thoughts(call)
    left = None if call.limit is None else call.limit - len(thinking)
    choices = [generate(text, left, call.stops) for text in texts]
    if call.request["model"] == REASONER:
        for choice in choices:
            choice.thought = list(thinking)
    return choices


def thoughts(call: Call) -> list[str]:
    """The tokens of what the model thinks before each answer, as far as the limit lets it."""
    if call.request["model"] not in {REASONER, HIDDEN_REASONER}:
        return []
    text = f'They ask: "{call.question}" I look at it step by step, and then say what I know.'
    return list(tokens(text)[: call.limit])


def unseen_tokens(call: Call) -> tuple[int, int]:
    """What is billed beside texts: (tokens of pictures in the prompt, tokens of all thinking)."""
    return picture_tokens(call.messages), len(thoughts(call)) * call.count
