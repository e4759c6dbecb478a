"""Anthropic messages: what an answer says, why it ended, what it cost, and how a request is refused.

Rules of both kinds of answer; the grammar of a stream is `messages_stream`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import jsonschema_rs

from conformance.contract import schema_errors
from conformance.model import Exchange, Finding
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.message_views import MESSAGES, message_of_answer, stop_sequences, tool_schemas
from conformance.rules.views import is_json, is_readable, request_body

_REASONS = (
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
)
_UNFINISHED = frozenset({"max_tokens", "refusal", "pause_turn", "model_context_window_exceeded"})
"""Reasons after which something may be missing."""
_FOREIGN = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call", "STOP", "MAX_TOKENS", ""})
_CONTENT = ("/content", "/content_block", "/delta")
_REASON = ("/stop_reason", "/stop_sequence", "/delta")
_ENVELOPE = "anthropic/error.json#/$defs/compat"
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
}
_ANY_4XX = "invalid_request_error"
"""The type that Anthropic also uses for other 4xx statuses."""
_UNAUTHORIZED = 401
_LAST = "90"
"""How far the requests with a short limit ask to count."""
_FEW = 3
"""Output tokens that Claude may spend on saying nothing, by Anthropic's guide to stop reasons."""
_BEFORE_STOP = "1234"
"""The digits before the stop sequence of our requests."""


@rule(
    "messages.content.present",
    doc="anthropic:messages#content",
    lines=("MSG-01",),
    zh="正常结束的回答必须带有内容,除非只用了两三个 token",
    operations=MESSAGES,
    applies=is_readable,
    needs=_CONTENT,
    breaks="client code that reads content[0] crashes",
    breaks_zh="读取 content[0] 的代码会崩溃",
    mend='Convert the upstream\'s text to a block `{"type": "text", "text": …}` in `content`; an empty or '
    "filtered answer needs its own `stop_reason` or an error.",
    mend_zh='把上游文本转换为 `content` 中的 `{"type": "text", "text": …}` 块;空回答或被过滤的回答应有相应的 '
    "`stop_reason` 或返回错误。",
)
def content_present(exchange: Exchange) -> Iterator[Finding]:
    """A message that ended by itself MUST have content, unless it took two or three tokens only."""
    message = message_of_answer(exchange)
    said_nothing = 0 < message.usage.get("output_tokens", 0) <= _FEW
    may_be_empty = said_nothing or message.stop_reason in {*_UNFINISHED, "stop_sequence"}
    if not may_be_empty and not any(block.text or block.type != "text" for block in message.blocks):
        yield Finding(message.content_at, "content", "none")


@rule(
    "messages.stop-reason.known",
    doc="anthropic:messages#stop_reason",
    lines=("MSG-01",),
    zh="stop_reason 必须是文档列出的值;非流式回答中不得为 null",
    operations=MESSAGES,
    applies=is_readable,
    needs=_REASON,
    breaks="agents cannot tell a finished answer from a cut one or from the use of a tool",
    breaks_zh="智能体无法分辨回答是说完了、被截断还是要调用工具",
    mend="Map the upstream's reasons in the converter: `stop` to `end_turn`, `length` to `max_tokens`, `tool_calls` "
    "to `tool_use`.",
    mend_zh="在转换程序中映射上游的结束原因:`stop` 为 `end_turn`,`length` 为 `max_tokens`,`tool_calls` 为 `tool_use`。",
)
def reason_known(exchange: Exchange) -> Iterator[Finding]:
    """`stop_reason` MUST be one of the documented values, and not null once a message has ended."""
    message = message_of_answer(exchange)
    if message.stop_reason is None and exchange.case.operation == "messages.stream":
        return  # the grammar of the stream has its own rule
    if message.stop_reason not in _REASONS:
        yield Finding(message.reason_at, list(_REASONS), message.stop_reason, deviation=_label(message.stop_reason))


def _label(reason: str | None) -> str:
    """The known deviation behind a stop reason that is not Anthropic's."""
    return "finish-foreign" if reason in _FOREIGN else ""


def _is_cut(exchange: Exchange) -> bool:
    """Whether the limit of the request is used up and the answer has not come to its end."""
    message = message_of_answer(exchange)
    limit = request_body(exchange).get("max_tokens")
    used = message.usage.get("output_tokens", 0)
    return isinstance(limit, int) and used >= limit and _LAST not in message.text


@rule(
    "messages.max-tokens.stop-reason",
    doc="anthropic:messages#stop_reason",
    lines=("MSG-06",),
    zh="因 max_tokens 截断的回答,stop_reason 必须是 max_tokens",
    operations=MESSAGES,
    probe="cut",
    applies=lambda exchange: is_readable(exchange) and _is_cut(exchange),
    needs=(*_REASON, "/usage"),
    breaks="a cut answer looks finished",
    breaks_zh="被截断的回答看起来像说完了",
    mend="Map the upstream's `length` or `MAX_TOKENS` to `max_tokens` instead of writing `end_turn` at every end.",
    mend_zh="把上游的 `length` 或 `MAX_TOKENS` 映射为 `max_tokens`,不要一律写 `end_turn`。",
)
def cut_says_so(exchange: Exchange) -> Iterator[Finding]:
    """An answer that is cut by its token limit MUST say `max_tokens`."""
    message = message_of_answer(exchange)
    if message.stop_reason not in {"max_tokens", None}:
        yield Finding(message.reason_at, "max_tokens", message.stop_reason, deviation=_label(message.stop_reason))


@rule(
    "messages.stop-sequences.honoured",
    doc="anthropic:messages#stop_sequences",
    lines=("MSG-06",),
    zh="回答文字不得包含 stop_sequences 中的文字",
    operations=MESSAGES,
    probe="stop",
    applies=is_readable,
    needs=_CONTENT,
    breaks="answers run on, and are billed, beyond where they were to stop",
    breaks_zh="回答越过停止处继续输出并计费",
    mend="The converter drops `stop_sequences`: pass it on as the upstream's `stop` or `stopSequences`, or cut the "
    "text there yourself.",
    mend_zh="转换程序丢掉了 `stop_sequences`:应作为上游的 `stop` 或 `stopSequences` 转发,或自行在该处截断。",
)
def stops_honoured(exchange: Exchange) -> Iterator[Finding]:
    """The text of an answer MUST NOT contain a stop sequence."""
    message = message_of_answer(exchange)
    for stop in stop_sequences(exchange):
        if stop in message.text:
            yield Finding(message.content_at, f"no {stop!r}", message.text, deviation="params-dropped")


@rule(
    "messages.stop-sequence.named",
    doc="anthropic:messages#stop_sequence",
    lines=("MSG-06",),
    zh="遇到停止序列时,stop_reason 必须是 stop_sequence,且 stop_sequence 为该序列",
    operations=MESSAGES,
    probe="stop",
    applies=is_readable,
    needs=(*_REASON, *_CONTENT),
    breaks="clients cannot tell where or why the answer stopped",
    breaks_zh="客户端无法得知回答停在哪里、为何停止",
    mend="Upstreams of other vendors do not say which sequence they met: look for the stop yourself, and set "
    "`stop_reason` to `stop_sequence` with its text.",
    mend_zh="其他厂商的上游不会说明遇到了哪个序列:应自行判断,把 `stop_reason` 设为 `stop_sequence` 并写出该序列。",
)
def stop_named(exchange: Exchange) -> Iterator[Finding]:
    """A stop sequence that was hit MUST be named in `stop_sequence`, and be the `stop_reason`."""
    message = message_of_answer(exchange)
    stops = stop_sequences(exchange)
    hit = "".join(re.findall(r"\d", message.text)) == _BEFORE_STOP and message.stop_reason not in {*_UNFINISHED, None}
    if hit and message.stop_reason != "stop_sequence":
        yield Finding(message.reason_at, "stop_sequence", message.stop_reason, deviation="stop-sequence-lost")
    elif message.stop_reason == "stop_sequence" and message.stop_sequence not in stops:
        at = message.reason_at.removesuffix("stop_reason") + "stop_sequence"
        yield Finding(at, stops, message.stop_sequence)


@rule(
    "messages.tool-choice.honoured",
    doc="anthropic:messages#tool_choice",
    lines=("MSG-07",),
    zh="tool_choice 为 any 或 tool 时,回答必须含有相应的 tool_use 块",
    operations=MESSAGES,
    probe="forced-tool",
    applies=is_readable,
    needs=_CONTENT,
    breaks="agents that force a tool get prose",
    breaks_zh="强制使用工具的智能体只得到文字",
    mend="Map `tool_choice` in the converter (`any` to `required`, `tool` to a named function), or answer 400 naming "
    "it.",
    mend_zh="在转换程序中映射 `tool_choice` (`any` 为 `required`,`tool` 为指定函数),否则返回指明它的 400。",
)
def tool_choice_honoured(exchange: Exchange) -> Iterator[Finding]:
    """A forced choice of a tool MUST lead to a `tool_use` block of a tool of the request."""
    message = message_of_answer(exchange)
    known = list(tool_schemas(exchange))
    found = [block.name for block in message.tools]
    if message.stop_reason not in _UNFINISHED and not any(name in known for name in found):
        label = "" if found else "params-dropped"
        yield Finding(message.content_at, f"a tool_use block of {', '.join(known)}", found or "none", deviation=label)


@rule(
    "messages.tool-use.stop-reason",
    doc="anthropic:messages#stop_reason",
    lines=("MSG-07",),
    zh="使用工具的回答,stop_reason 必须是 tool_use",
    operations=MESSAGES,
    probe="forced-tool",
    applies=lambda exchange: is_readable(exchange) and bool(message_of_answer(exchange).tools),
    needs=(*_REASON, *_CONTENT),
    breaks="agents take the answer for finished and do not run the tool",
    breaks_zh="智能体会认为回答已结束而不执行工具",
    mend="Set `stop_reason` to `tool_use` in the converter whenever `content` holds a `tool_use` block.",
    mend_zh="只要 `content` 含有 `tool_use` 块,转换程序就应把 `stop_reason` 设为 `tool_use`。",
)
def tool_use_says_so(exchange: Exchange) -> Iterator[Finding]:
    """A message that uses a tool MUST end with `tool_use`."""
    message = message_of_answer(exchange)
    if message.stop_reason not in {*_UNFINISHED, "tool_use", None}:
        yield Finding(message.reason_at, "tool_use", message.stop_reason, deviation=_label(message.stop_reason))


@rule(
    "messages.tool-use.input-valid",
    doc="anthropic:messages#tools",
    lines=("MSG-07",),
    basis="implied",
    zh="工具的 input 应符合其 input_schema",
    operations=MESSAGES,
    probe="forced-tool",
    applies=is_readable,
    needs=_CONTENT,
    breaks="tools are called without what they need",
    breaks_zh="调用工具时缺少所需参数",
    mend="Pass `input_schema` to the upstream whole (as `parameters`): converters lose `required` or nested objects; "
    "the rest is the model's own doing.",
    mend_zh="把 `input_schema` 完整转发给上游 (作为 `parameters`):转换程序常丢失 `required` 或嵌套对象;"
    "其余取决于模型本身。",
    noisy=True,
)
def tool_input_valid(exchange: Exchange) -> Iterator[Finding]:
    """The input of a tool SHOULD satisfy its `input_schema`; models differ in how well they keep to it."""
    message = message_of_answer(exchange)
    schemas = tool_schemas(exchange)
    for block in message.tools if message.stop_reason not in _UNFINISHED else ():
        given = block.tool_input
        if isinstance(given, dict) and block.name in schemas and not _satisfies(schemas[block.name], given):
            yield Finding(f"{block.at}/input", schemas[block.name], given)


def _satisfies(schema: Any, value: Any) -> bool:
    """Whether a value is valid; anything is under a schema that is none, and nothing is fetched for one."""
    try:
        return bool(jsonschema_rs.validator_for(schema, offline=True).is_valid(value))
    except (ValueError, OverflowError):
        return True


@rule(
    "messages.usage.counts",
    doc="anthropic:messages#usage",
    lines=("MSG-10",),
    zh="usage 应给出大于 0 的 input_tokens;有文字时 output_tokens 也应大于 0",
    operations=MESSAGES,
    applies=is_readable,
    needs=("/usage", "/message"),
    breaks="billing cannot be checked; clients add up zeros",
    breaks_zh="无法核对计费;客户端累计的是零",
    mend="Rename the upstream's counts to `input_tokens` and `output_tokens`, in `message_start` and `message_delta` "
    "of a stream too, or count with a tokenizer.",
    mend_zh="把上游计数改名为 `input_tokens`、`output_tokens` (流的 `message_start`、`message_delta` 也一样),"
    "没有时用分词器统计。",
)
def usage_counts(exchange: Exchange) -> Iterator[Finding]:
    """Usage SHOULD count input tokens, and output tokens where something was said.

    What is read from or written to a cache is input as well.
    """
    message = message_of_answer(exchange)
    read = sum(count for name, count in message.usage.items() if name != "output_tokens")
    if read <= 0:
        yield Finding(message.count_at("input_tokens"), "more than 0", read, deviation="usage-zero")
    said = any(block.text.strip() or block.type != "text" for block in message.blocks)
    written = message.usage.get("output_tokens", 0)
    if said and written <= 0:
        yield Finding(message.count_at("output_tokens"), "more than 0", written, deviation="usage-zero")


@rule(
    "messages.stream.text-whole",
    doc="anthropic:messages-streaming",
    lines=("MSG-05",),
    basis="implied",
    zh="流式回答拼接后的文字应与非流式回答一致",
    operations=MESSAGES,
    probe="repeat",
    over="run",
    least=2,
    applies=is_readable,
    needs=_CONTENT,
    breaks="pieces of streamed answers are lost or doubled",
    breaks_zh="流式回答会丢失或重复片段",
    mend="Forward each piece of the upstream once and unchanged: look at pieces that share a chunk with a finish, a "
    "role or an empty text.",
    mend_zh="每个上游片段原样转发一次:留意与结束原因、role 或空文本同在一个数据块里的片段。",
    noisy=True,
)
def text_whole(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A sentence that is repeated word for word in a plain answer SHOULD come whole in a stream."""
    plain, streamed = exchanges[:2]
    wanted = str(request_body(plain)["messages"][0]["content"]).partition(": ")[2]
    found = message_of_answer(streamed)
    if wanted in message_of_answer(plain).text and wanted not in found.text:
        yield Finding(found.content_at, wanted, found.text, exchange=streamed.case.id)


@rule(
    "messages.error.envelope",
    doc="anthropic:errors",
    lines=("MSG-08",),
    zh='错误回答必须是 {"type": "error", "error": {"type", "message"}} 结构',
    operations=MESSAGES,
    answers=Answers.ERROR,
    applies=is_json,
    breaks="Anthropic's SDK raises the right class but loses type and message",
    breaks_zh="Anthropic SDK 能识别错误类型,但丢失错误信息",
    mend="Choose the form of an error by the path: on `/v1/messages` write "
    '`{"type": "error", "error": {"type", "message"}}`, in the key check and other middlewares too.',
    mend_zh='按路径选择错误格式:在 `/v1/messages` 上写 `{"type": "error", "error": {"type", "message"}}`,'
    "密钥校验等中间件也不例外。",
)
def error_envelope(exchange: Exchange) -> Iterator[Finding]:
    """A refusal MUST carry Anthropic's envelope: `type` error, and an `error` with type and message."""
    errors = schema_errors(_ENVELOPE, exchange.json)
    label = "envelope-mismatch" if exchange.error is not None and "type" not in exchange.json else ""
    for error in errors:
        yield Finding(error.at, error.expected, error.actual, error.message, deviation=label)


@rule(
    "messages.error.type",
    doc="anthropic:errors",
    lines=("MSG-08",),
    zh="error.type 必须与 HTTP 状态对应",
    operations=MESSAGES,
    answers=Answers.ERROR,
    applies=lambda exchange: is_json(exchange) and not schema_errors(_ENVELOPE, exchange.json),
    breaks="clients that look at the type take one error for another",
    breaks_zh="根据类型判断的客户端会误认错误",
    mend="Derive the type from the status: 400 `invalid_request_error`, 401 `authentication_error`, 403 "
    "`permission_error`, 404 `not_found_error`, 429 `rate_limit_error`, 500 `api_error`.",
    mend_zh="由状态码得出 type:400 `invalid_request_error`、401 `authentication_error`、403 `permission_error`、404 "
    "`not_found_error`、429 `rate_limit_error`、500 `api_error`。",
)
def error_type(exchange: Exchange) -> Iterator[Finding]:
    """The type of an error MUST be the one documented for its status."""
    found = (exchange.error or {}).get("type")
    expected = _TYPES.get(exchange.status, _ANY_4XX)
    # For the statuses that every client knows by class, no other type will do.
    settled = exchange.status in {401, 403, 404}
    if found != expected and (settled or found != _ANY_4XX):
        label = "error-type-foreign" if isinstance(found, str) and found.endswith("_api_error") else ""
        yield Finding("/error/type", expected, found, deviation=label)


@rule(
    "messages.wrong-key.401",
    doc="anthropic:errors",
    lines=("MSG-08",),
    zh="x-api-key 中的密钥错误时,必须以 HTTP 401 拒绝",
    operations=("messages",),
    probe="wrong-key",
    answers=Answers.REFUSAL,
    breaks="where it is let in, keys are not checked; where not, clients raise the wrong error",
    breaks_zh="若被放行,说明密钥没有检查;若以其他状态拒绝,客户端会抛出错误的异常",
    mend="Put the key check before this path as well, let it read `x-api-key`, and answer 401 for an unknown key.",
    mend_zh="在该路径上也先校验密钥,读取 `x-api-key`,未知密钥返回 401。",
)
def wrong_key(exchange: Exchange) -> Iterator[Finding]:
    """An unknown key in `x-api-key` MUST be refused with HTTP 401."""
    if exchange.status != _UNAUTHORIZED:
        yield Finding("status", _UNAUTHORIZED, exchange.status)


@rule(
    "messages.max-tokens.required",
    doc="anthropic:messages#max_tokens",
    lines=("MSG-09",),
    zh="缺少 max_tokens 的请求应以 4xx 拒绝",
    operations=("messages",),
    probe="missing-max-tokens",
    answers=Answers.REFUSAL,
    breaks="spending has no limit, or one that the relay made up",
    breaks_zh="支出没有上限,或使用中转站自定的上限",
    mend="Check `max_tokens` before choosing a channel and answer 400 naming it, instead of filling in a default.",
    mend_zh="选择渠道之前检查 `max_tokens`,缺少时返回指明它的 400,不要填入默认值。",
)
def max_tokens_required(exchange: Exchange) -> Iterator[Finding]:
    """A request without `max_tokens` SHOULD be refused with a 4xx status."""
    yield from must_be_4xx(exchange)
