"""Faults of reasoning that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.relay.call import Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call

_FIELD = "reasoning_content"
_SHOWN, _MATCHES = "reasoning.content.shown", "reasoning.stream.matches-plain"


def _messages(call: Call) -> list[dict[str, Any]]:
    return [choice["message"] for choice in call.answer["choices"]]


@fault("reasoning-in-content", Stage.CHOICES, trips={_SHOWN}, zh="推理过程写在正文的 <think> 里")
def _(call: Call) -> None:
    """The reasoning stands in the answer, between think tags."""
    for choice in call.choices:
        if choice.thought:
            choice.pieces = ["<think>", *choice.thought, "</think>", *choice.pieces]
            choice.thought = []


@fault("reasoning-twice", Stage.CHOICES, trips={"reasoning.content.separate"}, zh="推理过程在正文中重复")
def _(call: Call) -> None:
    """The reasoning is repeated in the answer."""
    for choice in call.choices:
        choice.pieces = [*choice.thought, *choice.pieces]


@fault("reasoning-last", Stage.CHUNKS, trips={"reasoning.stream.first"}, zh="流中推理过程在正文之后")
def _(call: Call) -> None:
    """A stream sends the reasoning after the answer has begun."""
    found = [chunk for chunk in call.chunks if chunk["choices"] and _FIELD in chunk["choices"][0]["delta"]]
    others = [chunk for chunk in call.chunks if not any(chunk is each for each in found)]
    call.chunks = [*others[:3], *found, *others[3:]]


@fault("reasoning-not-streamed", Stage.CHUNKS, trips={_SHOWN, _MATCHES}, zh="流式回答没有推理过程")
def _(call: Call) -> None:
    """A stream leaves the reasoning out."""
    call.chunks = [chunk for chunk in call.chunks if not (chunk["choices"] and _FIELD in chunk["choices"][0]["delta"])]


@fault(
    "reasoning-other-name",
    Stage.ANSWER,
    trips={"reasoning.field.other-name", "chat.response.extra-fields"},
    zh="推理过程的字段名是 reasoning",
)
def _(call: Call) -> None:
    """The reasoning is called `reasoning`, as at OpenRouter."""
    for message in _messages(call):
        if _FIELD in message:
            message["reasoning"] = message.pop(_FIELD)


@fault("reasoning-empty", Stage.ANSWER, trips={"reasoning.field.empty"}, zh="没有推理也带空的 reasoning_content")
def _(call: Call) -> None:
    """Every answer has a `reasoning_content`, be it empty."""
    for message in _messages(call):
        message.setdefault(_FIELD, "")
