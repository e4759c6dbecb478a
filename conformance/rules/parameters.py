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
    mend="The converter for this channel drops `stop`: pass it on under the upstream's name (`stop_sequences`, "
    "`stopSequences`), or cut the text there yourself.",
    mend_zh="该渠道的转换程序丢掉了 `stop`:应以上游的名称 (`stop_sequences`、`stopSequences`)转发,或自行在该处截断。",
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
    mend="Read `stop` as a text or as a list of up to four, and pass on a list; if the upstream cannot, answer 400 "
    "naming `stop`.",
    mend_zh="`stop` 应既可为字符串也可为最多四个的列表,并按列表转发;上游不支持时返回指明 `stop` 的 400。",
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
    mend="Check the length of `stop` before choosing a channel and answer 400 naming `stop`, instead of passing on "
    "the first four.",
    mend_zh="选择渠道之前检查 `stop` 的个数,超过四个返回指明 `stop` 的 400,不要只转发前四个。",
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
    mend="Pass `max_tokens` on under the upstream's name, check that no default of the channel overrides it, and "
    "count reasoning within it.",
    mend_zh="以上游的名称转发 `max_tokens`,确认没有被渠道的默认值覆盖,并把推理 token 计算在内。",
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
    mend="Map the upstream's reason for a cut (`max_tokens`, `MAX_TOKENS`) to `length` instead of writing `stop` at "
    "every end.",
    mend_zh="把上游表示截断的原因 (`max_tokens`、`MAX_TOKENS`)映射为 `length`,不要一律写 `stop`。",
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
    mend="Read `max_completion_tokens` as well, pass it on under the name that the upstream knows, or answer 400 "
    "naming it.",
    mend_zh="同时读取 `max_completion_tokens`,以上游认识的名称转发,否则返回指明该字段的 400。",
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
    mend="Read `temperature` as any JSON number (a strictly typed field refuses 1 or 0.7), or answer 400 naming it "
    "where the model has a fixed one.",
    mend_zh="把 `temperature` 读作任意 JSON 数字 (类型过严会拒绝 1 或 0.7);模型固定温度时返回指明该字段的 400。",
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
    mend="Validate types before choosing a channel and answer 400 naming `temperature`, instead of dropping what "
    "cannot be read.",
    mend_zh="选择渠道之前校验类型,返回指明 `temperature` 的 400,不要悄悄丢弃读不懂的值。",
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
    mend="Check 0 ≤ `temperature` ≤ 2 yourself, or pass the upstream's 400 on; do not clamp the value in silence.",
    mend_zh="自行检查 0 ≤ `temperature` ≤ 2,或转发上游的 400;不要悄悄修正数值。",
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
    mend="Nothing has to change; where you refuse unknown fields, name the field in `param`.",
    mend_zh="无须修改;若拒绝未知字段,应在 `param` 中写明字段名。",
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
    mend="Treat null as absent when reading optional fields, and leave such fields out of what goes to the upstream.",
    mend_zh="读取可选字段时把 null 当作未提供,转发给上游时去掉这些字段。",
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
    mend="Pass the `logit_bias` object on unchanged; where the upstream has no such thing, answer 400 naming it "
    "instead of 500.",
    mend_zh="原样转发 `logit_bias` 对象;上游没有该功能时返回指明它的 400,而不是 500。",
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
    mend="Rewrite the role `developer` to `system` for upstreams that do not know it, or answer 400 naming the role.",
    mend_zh="对不认识 `developer` 角色的上游改写为 `system`,否则返回指明该角色的 400。",
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
    mend="Compare the media type of `Content-Type` without its parameters, so that `application/json; charset=utf-8` "
    "is JSON as well.",
    mend_zh="比较 `Content-Type` 时忽略参数,使 `application/json; charset=utf-8` 也被当作 JSON。",
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
    mend="Decide by `stream` alone whether to stream; drop `stream_options` without it, or answer 400 naming it.",
    mend_zh="是否流式只由 `stream` 决定;没有它时丢弃 `stream_options`,或返回指明该字段的 400。",
)
def stream_options_alone(exchange: Exchange) -> Iterator[Finding]:
    """`stream_options` without `stream` SHOULD be ignored or refused with a 4xx status."""
    if exchange.media_type == "text/event-stream" or exchange.stream.chunks:
        yield Finding("header:content-type", "application/json", exchange.media_type, deviation="sse-for-plain")
