"""Chat parameters: honoured, or plainly refused, but not quietly dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.model import Exchange, Finding
from conformance.refusals import message_of, named_part, refusal_is_plain
from conformance.rules.base import Answers, rule
from conformance.rules.views import (
    CHATS,
    WEB_ROLES,
    finishes,
    has_text,
    has_usage,
    output_limit,
    reasoning_tokens,
    request_body,
    texts,
    usage_of,
    usage_pointer,
)

_REFUSED = range(400, 500)


def _accepted(exchange: Exchange) -> Iterator[Finding]:
    """A field is accepted, or the refusal says that it is this field."""
    if exchange.status >= 300 and not refusal_is_plain(exchange):
        expected = f"200, or a refusal that names {exchange.case.feature}"
        yield Finding("status", expected, exchange.status, message_of(exchange))


@rule(
    "chat.stop.honoured",
    doc="openai:chat/create#stop",
    lines=("CHAT-09",),
    zh="回答不得包含 stop 指定的字符串",
    operations=CHATS,
    probe="stop",
    applies=has_text,
    needs=("/choices",),
    breaks="agents that rely on a stop word read on into invented turns",
    breaks_zh="依赖停止词的智能体会读到模型编造的后文",
)
def stop_honoured(exchange: Exchange) -> Iterator[Finding]:
    """The answer MUST NOT contain a stop string."""
    stop = request_body(exchange)["stop"]
    for place, text in enumerate(texts(exchange)):
        for word in [stop] if isinstance(stop, str) else stop:
            if word in text:
                at = f"/choices/{place}/message/content"
                yield Finding(at, f"nothing from {word!r} on", text, deviation="params-dropped")


@rule(
    "chat.stop.array-accepted",
    doc="openai:chat/create#stop",
    lines=("CHAT-10",),
    zh="stop 应接受最多四个字符串的数组,或明确拒绝",
    operations=("chat",),
    probe="stop-array",
    answers=Answers.VALID,
    breaks="frameworks send stop as a list",
    breaks_zh="许多框架以数组形式发送 stop",
)
def stop_array_accepted(exchange: Exchange) -> Iterator[Finding]:
    """Up to four stop strings SHOULD be accepted, or plainly refused."""
    yield from _accepted(exchange)


@rule(
    "chat.stop.five-refused",
    doc="openai:chat/create#stop",
    lines=("CHAT-10",),
    zh="超过四个停止字符串应以 4xx 拒绝",
    operations=("chat",),
    probe="stop-five",
    answers=Answers.REFUSAL,
    breaks="some of the strings are quietly ignored",
    breaks_zh="部分停止字符串会被悄悄忽略",
)
def stop_five_refused(exchange: Exchange) -> Iterator[Finding]:
    """More than four stop strings SHOULD be refused with a 4xx status."""
    if exchange.status not in _REFUSED:
        yield Finding("status", "4xx", exchange.status)


@rule(
    "chat.max-tokens.honoured",
    doc="openai:chat/create#max_tokens",
    lines=("CHAT-11",),
    zh="completion_tokens 不得超过 max_tokens",
    operations=CHATS,
    cases=lambda case: "max-completion-tokens" not in case.probes and case.role not in WEB_ROLES,
    applies=lambda exchange: has_usage(exchange) and output_limit(exchange) > 0,
    needs=("/usage",),
    breaks="billing: a limit on spending does not hold",
    breaks_zh="计费:支出上限不起作用",
)
def max_tokens_honoured(exchange: Exchange) -> Iterator[Finding]:
    """An answer MUST NOT take more output tokens than `max_tokens` allows."""
    body = request_body(exchange)
    allowed = output_limit(exchange) * (body.get("n") or 1)
    # Some count thinking outside the limit and say how much it was; what they write still keeps to it.
    taken = usage_of(exchange)["completion_tokens"] - reasoning_tokens(exchange)
    if taken > allowed:
        at = f"{usage_pointer(exchange)}/completion_tokens"
        yield Finding(at, f"at most {allowed}", taken, deviation="params-dropped")


@rule(
    "chat.max-tokens.finish-length",
    doc="openai:chat/object#finish_reason",
    lines=("CHAT-11",),
    zh="因 max_tokens 截断的回答,finish_reason 必须是 length",
    operations=CHATS,
    probe="cut",
    over="run",
    least=2,
    applies=lambda exchange: has_usage(exchange) and usage_of(exchange)["completion_tokens"] == output_limit(exchange),
    needs=("/usage", "/choices/*/finish_reason"),
    breaks="a cut answer looks finished",
    breaks_zh="被截断的回答看起来像说完了",
)
def cut_says_length(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """An answer that is cut by its token limit MUST say `length`.

    One answer may happen to end just at its limit; not every one of several with different limits.
    """
    said = [finishes(exchange)[:1] for exchange in exchanges]
    if ["length"] not in said:
        for exchange, reason in zip(exchanges, said, strict=True):
            said_first = reason[0] if reason else ""
            yield Finding("/choices/0/finish_reason", "length", said_first, exchange=exchange.case.id)


@rule(
    "chat.max-completion-tokens.honoured",
    doc="openai:chat/create#max_completion_tokens",
    basis="implied",
    zh="max_completion_tokens 应被遵守,或明确拒绝",
    operations=("chat",),
    probe="max-completion-tokens",
    answers=Answers.VALID,
    breaks="newer SDKs send this name; a limit on spending does not hold",
    breaks_zh="新版 SDK 使用该字段;支出上限不起作用",
)
def max_completion_tokens_honoured(exchange: Exchange) -> Iterator[Finding]:
    """`max_completion_tokens` SHOULD be honoured, or plainly refused."""
    yield from _accepted(exchange)
    if has_usage(exchange) and usage_of(exchange)["completion_tokens"] > output_limit(exchange):
        taken = usage_of(exchange)["completion_tokens"]
        yield Finding(
            "/usage/completion_tokens", f"at most {output_limit(exchange)}", taken, deviation="params-dropped"
        )


@rule(
    "chat.temperature.accepted",
    doc="openai:chat/create#temperature",
    lines=("CHAT-19",),
    zh="temperature 应接受整数和小数,或明确拒绝",
    operations=("chat",),
    probe="temperature",
    answers=Answers.VALID,
    breaks="clients that send 1 or 0.7 fail",
    breaks_zh="发送 1 或 0.7 的客户端会失败",
)
def temperature_accepted(exchange: Exchange) -> Iterator[Finding]:
    """`temperature` SHOULD be accepted as an integer and as a fraction, or plainly refused."""
    yield from _accepted(exchange)


@rule(
    "chat.temperature.type-refused",
    doc="openai:chat/create#temperature",
    lines=("CHAT-20",),
    zh="temperature 不是数字时必须以 4xx 拒绝",
    operations=("chat",),
    probe="temperature-type",
    answers=Answers.REFUSAL,
    breaks="mistakes in a request stay hidden, or are retried",
    breaks_zh="请求中的错误被掩盖,或被反复重试",
)
def temperature_type_refused(exchange: Exchange) -> Iterator[Finding]:
    """A `temperature` that is not a number MUST be refused with a 4xx status."""
    if exchange.status not in _REFUSED:
        yield Finding("status", "4xx", exchange.status, message_of(exchange))


@rule(
    "chat.temperature.range-refused",
    doc="openai:chat/create#temperature",
    lines=("CHAT-20",),
    zh="temperature 超过 2 时必须以 4xx 拒绝",
    operations=("chat",),
    probe="temperature-range",
    answers=Answers.REFUSAL,
    breaks="mistakes in a request stay hidden, or are retried",
    breaks_zh="请求中的错误被掩盖,或被反复重试",
)
def temperature_range_refused(exchange: Exchange) -> Iterator[Finding]:
    """A `temperature` above 2 MUST be refused with a 4xx status."""
    if exchange.status not in _REFUSED:
        yield Finding("status", "4xx", exchange.status, message_of(exchange))


@rule(
    "chat.unknown-field.recorded",
    doc="openai:chat/create",
    lines=("CHAT-17",),
    zh="未知的请求字段可以被拒绝",
    operations=("chat",),
    probe="unknown-field",
    answers=Answers.ANY,
    breaks="clients that send newer fields fail here",
    breaks_zh="发送新字段的客户端在这里会失败",
)
def unknown_field_recorded(exchange: Exchange) -> Iterator[Finding]:
    """An unknown request field MAY be refused, as OpenAI does, or ignored."""
    if exchange.status in _REFUSED:
        yield Finding("status", "200 or 4xx", exchange.status, message_of(exchange))


@rule(
    "chat.nulls.accepted",
    doc="openai:chat/create",
    lines=("CHAT-18",),
    zh="可选字段应接受显式的 null,或以字段名明确拒绝",
    operations=("chat",),
    probe="nulls",
    answers=Answers.VALID,
    breaks="typed clients send null for what is not set",
    breaks_zh="强类型客户端会为未设置的字段发送 null",
)
def nulls_accepted(exchange: Exchange) -> Iterator[Finding]:
    """An explicit null SHOULD be accepted for optional fields, or the field refused by name."""
    if exchange.status >= 300 and not named_part(exchange):
        yield Finding("status", 200, exchange.status, message_of(exchange))


@rule(
    "chat.logit-bias.accepted",
    doc="openai:chat/create#logit_bias",
    lines=("CHAT-21",),
    zh="logit_bias 对象应被接受,或明确拒绝",
    operations=("chat",),
    probe="logit-bias",
    answers=Answers.VALID,
    breaks="clients that ban or force tokens fail",
    breaks_zh="需要禁止或强制某些 token 的客户端会失败",
)
def logit_bias_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A `logit_bias` object SHOULD be accepted, or plainly refused."""
    yield from _accepted(exchange)


@rule(
    "chat.developer-role.accepted",
    doc="openai:chat/create#messages",
    lines=("CHAT-24",),
    zh="developer 角色应被接受,或明确拒绝",
    operations=("chat",),
    probe="developer-role",
    answers=Answers.VALID,
    breaks="newer SDK code for reasoning models fails",
    breaks_zh="面向推理模型的新代码会失败",
)
def developer_role_accepted(exchange: Exchange) -> Iterator[Finding]:
    """The developer role SHOULD be accepted, or plainly refused."""
    yield from _accepted(exchange)


@rule(
    "chat.charset.accepted",
    doc="one-api:common/gin",
    lines=("COM-16",),
    zh="Content-Type 带 charset=utf-8 的请求应被接受",
    operations=("chat",),
    probe="charset",
    answers=Answers.VALID,
    breaks="HTTP libraries that add a charset fail",
    breaks_zh="会自动附加 charset 的 HTTP 库会失败",
)
def charset_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A content type with `charset=utf-8` SHOULD be accepted."""
    yield from _accepted(exchange)


@rule(
    "chat.stream-options.alone",
    doc="openai:chat/create#stream_options",
    lines=("STR-16",),
    zh="没有 stream 时,stream_options 应被忽略或以 4xx 拒绝",
    operations=("chat",),
    probe="stream-options-alone",
    answers=Answers.ANY,
    breaks="a plain request is answered with a stream",
    breaks_zh="非流式请求得到了流式回答",
)
def stream_options_alone(exchange: Exchange) -> Iterator[Finding]:
    """`stream_options` without `stream` SHOULD be ignored or refused with a 4xx status."""
    if exchange.media_type == "text/event-stream" or exchange.stream.chunks:
        yield Finding("header:content-type", "application/json", exchange.media_type, deviation="sse-for-plain")
