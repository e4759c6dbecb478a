"""Faults of text completions, plain and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.relay.call import Call

_FINISH = "completions.finish-reason.known"
_STRICT = "operation.response.strict"
_PATH = "/v1/completions"
_UNLIMITED = 100
_WRONG_TOTAL = 7


def _choices(call: Call) -> Iterator[dict[str, Any]]:
    """Every choice of the answer, or of every chunk."""
    for body in [value for _, value in call.events] or [call.answer]:
        yield from body["choices"]


def _on_usage(call: Call, change: Callable[[dict[str, Any]], object]) -> None:
    for body in [value for _, value in call.events] or [call.answer]:
        if body.get("usage"):
            change(body["usage"])


@fault("completion-n-ignored", Stage.COMPLETIONS_REQUEST, trips={"completions.choices.count"}, zh="忽略 n")
def _(call: Call) -> None:
    """Of several completions that are asked for, one comes."""
    call.request.pop("n", None)


@fault(
    "completion-first-prompt-only",
    Stage.COMPLETIONS_REQUEST,
    trips={"completions.choices.count"},
    zh="只补全第一个提示",
)
def _(call: Call) -> None:
    """Of several prompts, the first is completed."""
    if isinstance(call.request.get("prompt"), list):
        call.request["prompt"] = call.request["prompt"][0]


@fault("completion-indexes-zero", Stage.COMPLETIONS, trips={"completions.choices.count"}, zh="每个候选的 index 都是 0")
def _(call: Call) -> None:
    """Every completion has index 0."""
    for choice in _choices(call):
        choice["index"] = 0


@fault(
    "completion-as-chat",
    Stage.COMPLETIONS,
    trips={"operation.response.compat", "operation.response.extra-fields"},
    zh="以聊天补全的形式作答",
)
def _(call: Call) -> None:
    """A text completion is answered as a chat completion, as where a chat model stands behind this path."""
    call.answer["object"] = "chat.completion"
    for choice in _choices(call):
        choice["message"] = {"role": "assistant", "content": choice.pop("text")}


@fault("completion-finish-empty", Stage.COMPLETIONS, trips={_FINISH, _STRICT}, zh="finish_reason 是空字符串")
def _(call: Call) -> None:
    """A text completion ends with an empty reason."""
    for choice in _choices(call):
        choice["finish_reason"] = ""


@fault("completion-stream-finish-lost", Stage.COMPLETIONS_CHUNKS, trips={_FINISH}, zh="流中没有 finish_reason")
def _(call: Call) -> None:
    """A streamed completion never says why it ended."""
    for choice in _choices(call):
        choice["finish_reason"] = None


@fault(
    "completion-default-limit", Stage.COMPLETIONS_REQUEST, trips={"completions.max-tokens.default"}, zh="没有默认上限"
)
def _(call: Call) -> None:
    """Without a limit, the model writes on and on, as other servers do."""
    call.request.setdefault("max_tokens", _UNLIMITED)


@fault(
    "completion-limit-ignored",
    Stage.COMPLETIONS_REQUEST,
    trips={"completions.max-tokens.honoured"},
    zh="忽略 max_tokens",
)
def _(call: Call) -> None:
    """The limit that a request for a text completion sets is ignored."""
    if "max_tokens" in call.request:
        call.request["max_tokens"] = _UNLIMITED


@fault("completion-echo-ignored", Stage.COMPLETIONS_REQUEST, trips={"completions.echo.honoured"}, zh="忽略 echo")
def _(call: Call) -> None:
    """The prompt is not echoed."""
    call.request.pop("echo", None)


@fault("completion-stop-ignored", Stage.COMPLETIONS_REQUEST, trips={"completions.stop.honoured"}, zh="忽略 stop")
def _(call: Call) -> None:
    """Stop strings of text completions are ignored."""
    call.request.pop("stop", None)


@fault(
    "completion-logprobs-ignored", Stage.COMPLETIONS_REQUEST, trips={"completions.logprobs.aligned"}, zh="忽略 logprobs"
)
def _(call: Call) -> None:
    """Text completions come without the log probabilities that were asked for."""
    call.request.pop("logprobs", None)


@fault(
    "completion-logprobs-ragged", Stage.COMPLETIONS, trips={"completions.logprobs.aligned"}, zh="logprobs 数组长度不一"
)
def _(call: Call) -> None:
    """The arrays of log probabilities differ in length."""
    for choice in _choices(call):
        if choice["logprobs"]:
            choice["logprobs"]["text_offset"].pop()


@fault("completion-usage-missing", Stage.COMPLETIONS, trips={"completions.usage.present"}, zh="文本补全没有用量")
def _(call: Call) -> None:
    """A text completion has no usage."""
    del call.answer["usage"]


@fault(
    "completion-usage-total",
    Stage.COMPLETIONS,
    Stage.COMPLETIONS_CHUNKS,
    trips={"completions.usage.adds-up"},
    zh="文本补全的总数不等于两项之和",
)
def _(call: Call) -> None:
    """The total of a text completion is not the sum."""
    _on_usage(call, lambda usage: usage.update(total_tokens=usage["total_tokens"] + _WRONG_TOTAL))


@fault(
    "completion-usage-zero",
    Stage.COMPLETIONS,
    Stage.COMPLETIONS_CHUNKS,
    trips={"completions.usage.counts"},
    zh="文本补全的用量全为零",
)
def _(call: Call) -> None:
    """All token counts of a text completion are zero."""
    _on_usage(call, lambda usage: usage.update(dict.fromkeys(usage, 0)))


@fault("completion-done-missing", Stage.WIRE, trips={"completions.stream.done-last"}, zh="文本补全的流没有 [DONE]")
def _(call: Call) -> None:
    """A streamed completion ends without [DONE]."""
    if call.path == _PATH and call.streaming:
        call.frames.pop()


@fault("completion-done-twice", Stage.WIRE, trips={"completions.stream.done-last"}, zh="文本补全的流有两个 [DONE]")
def _(call: Call) -> None:
    """A streamed completion says [DONE] twice."""
    if call.path == _PATH and call.streaming:
        call.frames.append(call.frames[-1])


@fault(
    "completion-stream-empty",
    Stage.COMPLETIONS_CHUNKS,
    trips={"completions.stream.text-present"},
    zh="文本补全的流没有文字",
)
def _(call: Call) -> None:
    """The chunks of a streamed completion carry no text."""
    for choice in _choices(call):
        choice["text"] = ""


@fault(
    "completion-stream-blanks-lost",
    Stage.COMPLETIONS_CHUNKS,
    trips={"completions.stream.equals-plain"},
    zh="文本补全的流丢失空格",
)
def _(call: Call) -> None:
    """The chunks of a streamed completion lose their blanks."""
    for choice in _choices(call):
        choice["text"] = choice["text"].strip()


@fault(
    "completion-prompt-unneeded",
    Stage.COMPLETIONS_REQUEST,
    trips={"completions.prompt.required"},
    zh="没有 prompt 也作答",
)
def _(call: Call) -> None:
    """A request without a prompt is answered, as in some versions of one-api."""
    call.request.setdefault("prompt", "Say OK")


@fault(
    "completion-prompt-500",
    Stage.COMPLETIONS_REQUEST,
    trips={"completions.prompt.required"},
    zh="没有 prompt 时返回 500",
)
def _(call: Call) -> None:
    """A request without a prompt is answered 500, as in new-api before 2026-08."""
    if "prompt" not in call.request:
        raise Refusal(500, "field prompt is required", kind="new_api_error", code="invalid_request")
