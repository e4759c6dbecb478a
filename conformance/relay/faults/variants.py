"""Faults of the models that share the chat endpoint: each touches only the model that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault
from conformance.relay.variant_models import DRAWER, HIDDEN_REASONER

if TYPE_CHECKING:
    from conformance.relay.call import Call

_DETAILS = "completion_tokens_details"
_GIZMO = "gpt-4-gizmo-"
_GEMINI = "mock-gemini-flash"


def _asks(call: Call, *models: str) -> bool:
    """Whether one of these models is asked."""
    return call.request.get("model") in models


@fault("o1-details-lost", Stage.USAGE, trips={"variants.o1.reasoning-tokens"}, zh="o 系列缺少 reasoning_tokens")
def _(call: Call) -> None:
    """The usage of a model of the o series does not say what went into reasoning."""
    if _asks(call, HIDDEN_REASONER):
        call.usage[_DETAILS].pop("reasoning_tokens")


@fault("o1-does-not-reason", Stage.USAGE, trips={"variants.o1.reasons"}, zh="o 系列模型没有推理")
def _(call: Call) -> None:
    """A model of the o series answers without any reasoning, as another model would."""
    if _asks(call, HIDDEN_REASONER):
        thinking = call.usage[_DETAILS]["reasoning_tokens"]
        call.usage[_DETAILS]["reasoning_tokens"] = 0
        call.usage["completion_tokens"] -= thinking
        call.usage["total_tokens"] -= thinking


@fault("o1-refuses-vaguely", Stage.REQUEST, trips={"variants.o1.field-clear"}, zh="o 系列拒绝时不说明原因")
def _(call: Call) -> None:
    """A model of the o series refuses `max_tokens` without saying so."""
    if _asks(call, HIDDEN_REASONER) and "max_tokens" in call.request:
        raise Refusal(400, "Bad request.", code="bad_response")


@fault(
    "gemini-always-stop",
    Stage.CHOICES,
    trips={"variants.gemini.cut-says-length"},
    zh="Gemini 被截断时也说 stop",
)
def _(call: Call) -> None:
    """Gemini says stop whatever ended the answer, as in one-api."""
    if _asks(call, _GEMINI):
        for choice in call.choices:
            choice.finish = "stop"


@fault("gpts-any-name", Stage.REQUEST, trips={"variants.gpts.unknown-refused"}, zh="任何 GPT 名称都有回答")
def _(call: Call) -> None:
    """A GPT that does not exist is answered by another model."""
    if str(call.request.get("model")).startswith(_GIZMO):
        call.request["model"] = f"{_GIZMO}g-reference"


@fault(
    "analysis-refuses-pictures",
    Stage.PROMPT,
    trips={"variants.analysis.picture-taken"},
    zh="gpt-4-all 拒绝图片且不说明原因",
)
def _(call: Call) -> None:
    """gpt-4-all refuses messages that are lists of parts, and does not say so."""
    if _asks(call, DRAWER) and not isinstance(call.messages[-1]["content"], str):
        raise Refusal(400, "Bad request.", code="bad_response")


@fault("drawing-without-link", Stage.TEXT, trips={"variants.drawing.links-picture"}, zh="画图的回答里没有图片")
def _(call: Call) -> None:
    """gpt-4-all talks about a drawing instead of giving one."""
    if _asks(call, DRAWER) and "](http" in call.texts[0]:
        call.texts = ["I have drawn a plain red square for you."]


@fault(
    "drawing-link-dead",
    Stage.TEXT,
    trips={"variants.drawing.served"},
    zh="画图的链接打不开",
)
def _(call: Call) -> None:
    """The link of a drawing leads to nothing."""
    if _asks(call, DRAWER):
        call.texts = [text.replace("/pictures/", "/pictures/0") for text in call.texts]


@fault("web-usage-zero", Stage.USAGE, trips={"variants.web.usage-counted"}, zh="网页渠道的用量为零")
def _(call: Call) -> None:
    """Models that come through a web page count nothing."""
    if _asks(call, DRAWER) or str(call.request["model"]).startswith(_GIZMO):
        call.usage |= {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
