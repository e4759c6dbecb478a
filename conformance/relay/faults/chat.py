"""Faults of plain chat answers, and of what both kinds of answer have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.relay.call import Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.relay.call import Call

_SHAPE = {"chat.response.compat"}
_STRICT = {"chat.response.strict"}


def _on_choices(call: Call, change: Callable[[dict[str, Any]], object]) -> None:
    for choice in call.answer["choices"]:
        change(choice)


def _on_bodies(call: Call, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the plain answer or every chunk, whichever there is."""
    for body in call.chunks if call.streaming else [call.answer]:
        change(body)


def _on_text(call: Call, change: Callable[[str], str]) -> None:
    for choice in call.choices:
        choice.pieces = [change(piece) for piece in choice.pieces]


@fault("choices-empty", Stage.ANSWER, trips={"chat.choices.count", "chat.content.present"}, zh="choices 是空数组")
def _(call: Call) -> None:
    """There are no choices, and user code fails at the first index."""
    call.answer["choices"] = []


@fault("choices-null", Stage.ANSWER, trips=_SHAPE, zh="choices 是 null")
def _(call: Call) -> None:
    """The choices are null."""
    call.answer["choices"] = None


@fault("choices-missing", Stage.ANSWER, trips=_SHAPE, zh="没有 choices")
def _(call: Call) -> None:
    """There is no key for choices."""
    del call.answer["choices"]


@fault(
    "answer-wrapped",
    Stage.ANSWER,
    trips={"chat.response.extra-fields", "chat.usage.present", *_SHAPE},
    zh="回答包在 code 和 data 里",
)
def _(call: Call) -> None:
    """The answer comes wrapped in {"code", "data"}, the house style of many Chinese gateways."""
    call.answer = {"code": 0, "msg": "ok", "data": call.answer}


@fault("message-null", Stage.ANSWER, trips=_SHAPE, zh="message 是 null")
def _(call: Call) -> None:
    """The message of a choice is null."""
    _on_choices(call, lambda choice: choice.update(message=None))


@fault("message-role-missing", Stage.ANSWER, trips=_SHAPE, zh="message 没有 role")
def _(call: Call) -> None:
    """The message of a choice has no role, which langchain does not survive."""
    _on_choices(call, lambda choice: choice["message"].pop("role"))


@fault("content-as-parts", Stage.ANSWER, trips=_SHAPE, zh="content 是数组")
def _(call: Call) -> None:
    """The content is a list of parts instead of a string."""
    _on_choices(
        call,
        lambda choice: choice["message"].update(content=[{"type": "text", "text": choice["message"]["content"]}]),
    )


@fault("finish-missing", Stage.ANSWER, trips=_SHAPE, zh="没有 finish_reason")
def _(call: Call) -> None:
    """A choice does not say why it ended."""
    _on_choices(call, lambda choice: choice.pop("finish_reason"))


@fault("object-wrong", Stage.ANSWER, trips=_SHAPE, zh="object 不对")
def _(call: Call) -> None:
    """The answer calls itself a text completion."""
    call.answer["object"] = "text_completion"


@fault("id-missing", Stage.ANSWER, trips=_SHAPE, zh="没有 id")
def _(call: Call) -> None:
    """The answer has no id."""
    del call.answer["id"]


@fault("created-string", Stage.ANSWER, trips=_SHAPE, zh="created 是字符串")
def _(call: Call) -> None:
    """The time of the answer is a string."""
    call.answer["created"] = str(call.answer["created"])


@fault("model-missing", Stage.ANSWER, trips=_SHAPE, zh="没有 model")
def _(call: Call) -> None:
    """The answer does not name its model, as in the examples of four of the five provider pages."""
    del call.answer["model"]


@fault("model-empty", Stage.ANSWER, trips={"chat.model.named"}, zh="model 是空字符串")
def _(call: Call) -> None:
    """The name of the model is empty."""
    call.answer["model"] = ""


@fault("model-substituted", Stage.PROMPT, trips={"chat.model.same-family"}, zh="换成了别的模型")
def _(call: Call) -> None:
    """Another model answers than the one that was asked."""
    call.model = "qwen2-7b-instruct"


@fault("refusal-missing", Stage.ANSWER, trips=_STRICT, zh="message 没有 refusal")
def _(call: Call) -> None:
    """The message has no key for a refusal."""
    _on_choices(call, lambda choice: choice["message"].pop("refusal"))


@fault("logprobs-missing", Stage.ANSWER, trips={"chat.logprobs.present", *_STRICT}, zh="choice 没有 logprobs")
def _(call: Call) -> None:
    """A choice has no key for logprobs."""
    _on_choices(call, lambda choice: choice.pop("logprobs"))


@fault("fingerprint-null", Stage.ANSWER, trips=_STRICT, zh="system_fingerprint 是 null")
def _(call: Call) -> None:
    """The fingerprint of the system is null instead of absent."""
    call.answer["system_fingerprint"] = None


@fault("extra-fields", Stage.ANSWER, trips={"chat.response.extra-fields"}, zh="回答带文档没有的字段")
def _(call: Call) -> None:
    """A plain answer has fields that no document names."""
    call.answer["channel_id"] = 17


@fault("finish-null", Stage.ANSWER, trips={"chat.finish-reason.known", *_STRICT}, zh="finish_reason 是 null")
def _(call: Call) -> None:
    """A choice of a plain answer ends with null."""
    _on_choices(call, lambda choice: choice.update(finish_reason=None))


@fault("finish-empty", Stage.ANSWER, trips={"chat.finish-reason.known", *_STRICT}, zh="finish_reason 是空字符串")
def _(call: Call) -> None:
    """A choice of a plain answer ends with an empty string."""
    _on_choices(call, lambda choice: choice.update(finish_reason=""))


@fault(
    "finish-foreign",
    Stage.CHOICES,
    trips={"chat.finish-reason.known", "chat.stream.finish-known", "chat.stream.strict", *_STRICT},
    zh="finish_reason 用了别家的词",
)
def _(call: Call) -> None:
    """Choices end with end_turn, as in the Claude channel of new-api in 2025."""
    for choice in call.choices:
        choice.finish = "end_turn" if choice.finish == "stop" else choice.finish


@fault(
    "finish-in-capitals",
    Stage.CHOICES,
    trips={
        "chat.finish-reason.known",
        "chat.stream.finish-known",
        "chat.stream.strict",
        "chat.max-tokens.finish-length",
        *_STRICT,
    },
    zh="finish_reason 是 MAX_TOKENS",
)
def _(call: Call) -> None:
    """A choice that was cut short ends with MAX_TOKENS, as in the Gemini channel of one-api."""
    for choice in call.choices:
        choice.finish = "MAX_TOKENS" if choice.finish == "length" else choice.finish


@fault(
    "finish-always-stop",
    Stage.CHOICES,
    trips={"chat.max-tokens.finish-length", "chat.tool-calls.finish", "variants.gemini.cut-says-length"},
    zh="截断或调用工具时也说 stop",
)
def _(call: Call) -> None:
    """A choice that was cut short, or that calls a tool, says stop, as in the Gemini channel of one-api."""
    for choice in call.choices:
        choice.finish = "stop"


@fault("id-foreign", Stage.ANSWER, Stage.CHUNKS, trips={"chat.id.prefix"}, zh="id 不以 chatcmpl- 开头")
def _(call: Call) -> None:
    """Ids begin as those of another vendor, as in Claude channels of new-api."""
    _on_bodies(call, lambda body: body.update(id=body["id"].replace("chatcmpl-", "msg_")))


@fault("id-replayed", Stage.ANSWER, trips={"chat.id.fresh"}, zh="同样的请求得到同样的 id")
def _(call: Call) -> None:
    """The same request gets the id of the earlier answer, as from a cache."""
    call.answer["id"] = call.state.memory.setdefault(call.raw.hex(), call.answer["id"])


@fault("created-zero", Stage.ANSWER, Stage.CHUNKS, trips={"chat.created.seconds"}, zh="created 是 0")
def _(call: Call) -> None:
    """The time of the answer is zero."""
    _on_bodies(call, lambda body: body.update(created=0))


@fault("created-milliseconds", Stage.ANSWER, Stage.CHUNKS, trips={"chat.created.seconds"}, zh="created 是毫秒")
def _(call: Call) -> None:
    """The time of the answer is in milliseconds."""
    _on_bodies(call, lambda body: body.update(created=body["created"] * 1000))


@fault("choice-indexes-zero", Stage.ANSWER, trips={"chat.choices.count"}, zh="每个候选回答的 index 都是 0")
def _(call: Call) -> None:
    """Every choice has index 0."""
    _on_choices(call, lambda choice: choice.update(index=0))


@fault("content-lost", Stage.ANSWER, trips={"chat.content.present"}, zh="计了费却没有内容")
def _(call: Call) -> None:
    """The content is empty although tokens were billed."""
    _on_choices(call, lambda choice: choice["message"].update(content=""))


@fault("content-null", Stage.ANSWER, trips={"chat.content.present"}, zh="计了费而 content 是 null")
def _(call: Call) -> None:
    """The content is null although tokens were billed."""
    _on_choices(call, lambda choice: choice["message"].update(content=None))


@fault("text-replaced", Stage.CHOICES, trips={"chat.text.intact"}, zh="中文变成 U+FFFD")
def _(call: Call) -> None:
    """Characters beyond ASCII become U+FFFD, as when bytes are decoded piece by piece."""
    _on_text(call, lambda text: text.encode("ascii", "replace").decode().replace("?", "\ufffd"))


@fault("text-mojibake", Stage.CHOICES, trips={"chat.text.intact"}, zh="中文变成乱码")
def _(call: Call) -> None:
    """UTF-8 is read as Latin-1 and written as UTF-8 again."""
    _on_text(call, lambda text: text.encode("utf-8", "replace").decode("latin-1"))
