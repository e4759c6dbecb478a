"""Faults of the bill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay.call import Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call

_SMALL_PROMPT = 10
_MANY = 65
_DETAILS = ("prompt_tokens_details", "completion_tokens_details")


def _bill(call: Call, *, prompt: int | None = None, completion: int | None = None) -> None:
    """Change what is billed; the sum stays right."""
    usage = call.usage
    usage["prompt_tokens"] = usage["prompt_tokens"] if prompt is None else prompt
    usage["completion_tokens"] = usage["completion_tokens"] if completion is None else completion
    usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]


@fault(
    "usage-sum-wrong",
    Stage.USAGE,
    trips={"chat.usage.adds-up", "chat.stream.usage-adds-up"},
    zh="total_tokens 不等于两项之和",
)
def _(call: Call) -> None:
    """The total is more than prompt and completion, as with Gemini's thoughts through new-api."""
    call.usage["total_tokens"] += 17


@fault("usage-missing", Stage.ANSWER, trips={"chat.usage.present"}, zh="没有 usage")
def _(call: Call) -> None:
    """A plain answer has no usage."""
    del call.answer["usage"]


@fault("usage-null", Stage.ANSWER, trips={"chat.usage.present"}, zh="usage 是 null")
def _(call: Call) -> None:
    """The usage of a plain answer is null."""
    call.answer["usage"] = None


@fault("usage-strings", Stage.USAGE, trips={"chat.response.compat", "chat.stream.compat"}, zh="usage 是字符串")
def _(call: Call) -> None:
    """The numbers of the usage are strings."""
    call.usage |= {key: str(value) for key, value in call.usage.items() if key not in _DETAILS}


@fault("usage-negative", Stage.ANSWER, trips={"chat.response.compat"}, zh="usage 是负数")
def _(call: Call) -> None:
    """The usage of a plain answer is negative."""
    _bill(call, completion=-1)


@fault(
    "usage-details-null",
    Stage.ANSWER,
    trips={"chat.response.strict", "variants.o1.reasoning-tokens"},
    zh="usage 明细是 null",
)
def _(call: Call) -> None:
    """The details of the usage are null instead of absent."""
    call.usage |= dict.fromkeys(_DETAILS)


@fault(
    "usage-small-prompt-free",
    Stage.USAGE,
    trips={"chat.usage.counts", "variants.web.usage-counted"},
    zh="短请求的 prompt_tokens 是 0",
)
def _(call: Call) -> None:
    """A short prompt is counted as no tokens at all."""
    if call.usage["prompt_tokens"] < _SMALL_PROMPT:
        _bill(call, prompt=0)


@fault(
    "usage-zero",
    Stage.USAGE,
    trips={
        "chat.usage.counts",
        "chat.usage.grows",
        "chat.usage.counts-all-choices",
        "variants.web.usage-counted",
        "chat.usage.details-bounded",
    },
    zh="usage 全是 0",
)
def _(call: Call) -> None:
    """Nothing is counted."""
    _bill(call, prompt=0, completion=0)


@fault("usage-flat", Stage.USAGE, trips={"chat.usage.grows", "vision.picture.counted"}, zh="prompt_tokens 不随内容增加")
def _(call: Call) -> None:
    """Every prompt costs the same."""
    _bill(call, prompt=10)


@fault(
    "usage-drifts",
    Stage.USAGE,
    trips={"chat.usage.repeats", "chat.stream.usage-matches-plain"},
    zh="同样的请求 prompt_tokens 每次不同",
)
def _(call: Call) -> None:
    """Every prompt costs a token more than the one before."""
    _bill(call, prompt=call.usage["prompt_tokens"] + call.state.count("bills"))


@fault(
    "usage-cached-above-prompt",
    Stage.USAGE,
    trips={"chat.usage.details-bounded"},
    zh="缓存的 token 比 prompt_tokens 还多",
)
def _(call: Call) -> None:
    """More tokens come from the cache than the prompt has."""
    call.usage["prompt_tokens_details"]["cached_tokens"] = call.usage["prompt_tokens"] + 128


@fault(
    "usage-details-negative",
    Stage.USAGE,
    trips={"chat.usage.details-bounded", "variants.o1.reasoning-tokens"},
    zh="usage 明细是负数",
)
def _(call: Call) -> None:
    """The number of reasoning tokens is negative."""
    call.usage["completion_tokens_details"]["reasoning_tokens"] = -3


@fault(
    "usage-inflated",
    Stage.USAGE,
    trips={"chat.usage.plausible", "chat.max-tokens.honoured", "chat.max-completion-tokens.honoured"},
    zh="completion_tokens 虚高",
)
def _(call: Call) -> None:
    """Many more tokens are billed than the answer can have."""
    _bill(call, completion=sum(len(choice.text.encode()) for choice in call.choices) + _MANY)


@fault(
    "usage-of-first-choice",
    Stage.USAGE,
    trips={"chat.usage.counts-all-choices"},
    zh="多个候选回答只计第一个",
)
def _(call: Call) -> None:
    """Of several choices only the first is counted."""
    if len(call.choices) > 1:
        _bill(call, completion=len(call.choices[0].pieces))


@fault("hidden-prompt", Stage.USAGE, trips={"chat.usage.hidden-prompt"}, zh="偷偷加了系统提示词")
def _(call: Call) -> None:
    """A long prompt of the relay's own is put before every conversation, and billed."""
    _bill(call, prompt=call.usage["prompt_tokens"] + 412)


@fault(
    "usage-of-stream-differs",
    Stage.USAGE,
    trips={"chat.stream.usage-matches-plain"},
    zh="流式的 prompt_tokens 不同",
)
def _(call: Call) -> None:
    """The same prompt costs more when the answer is streamed, as with a local tokenizer for streams only."""
    if call.streaming:
        _bill(call, prompt=call.usage["prompt_tokens"] + 5)


@fault(
    "usage-extra-fields",
    Stage.USAGE,
    trips={"chat.response.extra-fields", "chat.stream.extra-fields"},
    zh="usage 带文档没有的字段",
)
def _(call: Call) -> None:
    """The usage has the fields of another vendor, as in new-api."""
    call.usage |= {"input_tokens": call.usage["prompt_tokens"], "claude_cache_creation_5_m_tokens": 0}
