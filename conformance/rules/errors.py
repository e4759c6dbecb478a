"""Refusals: the error envelope, what it must not say, and the right status."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.contract import schema_errors
from conformance.model import Case, Exchange, Expectation, Finding
from conformance.refusals import message_of, names_model
from conformance.rules.base import Answers, rule
from conformance.rules.views import EVERY, OPENAI, SUCCESS, is_json

_ENVELOPE = "openai/error.json#/$defs/compat"
_REFUSED = range(400, 500)
_LEAKS = (
    (re.compile(r"\bdial tcp\b|\blookup \S+ on\b|\b(?:Post|Get) \\?\"https?://", re.IGNORECASE), "an upstream address"),
    (re.compile(r"\bsk-[A-Za-z0-9_-]{20,}\b"), "a key"),
    (
        re.compile(
            r"Traceback \(most recent call last\)|\bFile \\?\"/[^\"]+\", line \d+|\bgoroutine \d+ \["
            r"|(?:^|\\n)[ \t]{1,40}at \S{1,200} \(.{0,200}:\d+:\d+\)",
            re.MULTILINE,
        ),
        "a stack trace",
    ),
    (re.compile(r"\bhttps?://(?:10|127|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.[\d.]+"), "a private address"),
)
_REQUEST_ID = re.compile(r"\(request id: ([^)\s]+)\)")
_OLD_NEW_API = "validation-500"


def _asks_the_api(case: Case) -> bool:
    """A browser's question beforehand, and an address beside the API, may be answered by what knows nothing of it."""
    return case.method != "OPTIONS" and not case.path.startswith("~")


@rule(
    "error.envelope.shape",
    doc="openai:guides/error-codes",
    lines=("ERR-01",),
    zh='错误回答必须是 {"error": {"message", "type"}} 结构',
    operations=OPENAI,
    answers=Answers.ERROR,
    cases=_asks_the_api,
    applies=is_json,
    breaks="clients raise the right class but lose the message",
    breaks_zh="客户端能识别错误类型,但丢失错误信息",
    mend="Let one function write every error, also those of middlewares, rate limits and other vendors' upstreams: "
    '`{"error": {"message", "type", "param", "code"}}`.',
    mend_zh="所有错误 (包括中间件、限流和其他厂商上游的错误)都由同一个函数写出:"
    '`{"error": {"message", "type", "param", "code"}}`。',
)
def envelope_shape(exchange: Exchange) -> Iterator[Finding]:
    """A refusal MUST carry an `error` object with a message and a type."""
    for error in schema_errors(_ENVELOPE, exchange.json):
        yield Finding(error.at, error.expected, error.actual, error.message)


@rule(
    "error.envelope.param-code",
    doc="openai:guides/error-codes",
    lines=("ERR-02",),
    zh="error 对象应含 param 和 code,值为字符串或 null",
    operations=OPENAI,
    answers=Answers.ERROR,
    cases=_asks_the_api,
    applies=lambda exchange: exchange.error is not None,
    breaks="clients cannot tell which field or which kind of error it was",
    breaks_zh="客户端无法得知是哪个字段、哪类错误",
    mend="Always write `param` and `code`, null where there is nothing to say, and turn numbers (an upstream's "
    "status, say) into strings or leave them out.",
    mend_zh="始终写出 `param` 和 `code`,没有内容时为 null;数字 (例如上游状态码)应转成字符串或不写。",
)
def envelope_param_code(exchange: Exchange) -> Iterator[Finding]:
    """An `error` object SHOULD have `param` and `code`, each a string or null."""
    error = exchange.error or {}
    for name in ("param", "code"):
        if name not in error:
            yield Finding(f"/error/{name}", "present", "absent", deviation="error-keys-missing")
        elif not isinstance(error[name], (str, type(None))):
            yield Finding(f"/error/{name}", "string or null", error[name], deviation="error-code-not-string")
        elif name == "param" and re.fullmatch(r"[1-5]\d\d", error[name] or ""):
            yield Finding("/error/param", "the name of a field", error[name], deviation="param-holds-status")


@rule(
    "error.success.no-error",
    doc="openai:guides/error-codes",
    lines=("ERR-03",),
    zh="成功状态 (2xx) 的回答不得含有 error 对象",
    operations=EVERY,
    answers=Answers.ANY,
    applies=lambda exchange: is_json(exchange) and exchange.status in SUCCESS,
    breaks="every client takes the error for an answer and crashes on it",
    breaks_zh="所有客户端都会把错误当成回答而崩溃",
    mend="Set the status before writing an error: map what an upstream wraps in a 200 to the fitting 4xx or 5xx, and "
    "check your own handlers that answer from the database.",
    mend_zh="写错误之前先设置状态码:上游包在 200 里的错误要换成相应的 4xx 或 5xx,并检查直接查数据库的处理函数。",
)
def no_error_in_success(exchange: Exchange) -> Iterator[Finding]:
    """An answer with a 2xx status MUST NOT carry an `error` object."""
    if exchange.json.get("error"):
        yield Finding("/error", "absent", exchange.json["error"], deviation="error-in-200")


@rule(
    "error.message.no-leak",
    doc="new-api:service/error",
    lines=("ERR-04",),
    zh="错误信息不得泄露上游地址、密钥或程序堆栈",
    operations=EVERY,
    answers=Answers.EVERYTHING,
    applies=lambda exchange: exchange.status >= 400,
    breaks="what leaks about the upstream leaks about you as well",
    breaks_zh="会泄露上游信息的中转站,同样会泄露你的信息",
    mend="Log an upstream's error as it is, and send a message of your own, without host names, addresses, keys and "
    "stack traces.",
    mend_zh="把上游的原始错误写入日志,返回给客户的则是自己的说明,不含主机名、地址、密钥和堆栈。",
)
def no_leak(exchange: Exchange) -> Iterator[Finding]:
    """An error MUST NOT show upstream addresses, keys or stack traces."""
    text = exchange.response.body.decode(errors="replace") if exchange.response else ""
    for pattern, what in _LEAKS:
        found = pattern.search(text)
        if found:
            yield Finding("/error/message", "nothing of the upstream", f"{what}: {_shortened(found[0])}")


def _shortened(leak: str) -> str:
    """Enough of a leak to find it, not enough to use it."""
    return leak if len(leak) <= 12 else f"{leak[:12]}…"


@rule(
    "error.request-id.matches",
    doc="one-api:middleware/request-id",
    lines=("COM-13",),
    zh="错误信息里的请求编号可以省略;若给出应与响应头一致",
    operations=EVERY,
    answers=Answers.ERROR,
    applies=lambda exchange: bool(_REQUEST_ID.search(message_of(exchange))),
    breaks="support looks for the wrong request",
    breaks_zh="服务商会查错请求",
    mend="Create the request id once for each request, and use it for the header as well as for the end of the error "
    "message.",
    mend_zh="每个请求只生成一次请求 id,响应头和错误信息末尾都使用它。",
)
def request_id_matches(exchange: Exchange) -> Iterator[Finding]:
    """A message MAY end with a request id; it is then the one in the header."""
    found = _REQUEST_ID.search(message_of(exchange))
    headers = exchange.response.headers if exchange.response else ()
    ids = [value for name, value in headers if name.lower().endswith("request-id")]
    if found and ids and found[1] not in ids:
        yield Finding("/error/message", ids[0], found[1])


@rule(
    "error.unknown-model.refused",
    doc="openai:guides/error-codes",
    lines=("ERR-07",),
    basis="implied",
    zh="未知模型必须被拒绝 (4xx 或 503),不得用别的模型代答",
    operations=("chat", "chat.stream"),
    probe="unknown-model",
    answers=Answers.REFUSAL,
    breaks="a relay that answers as a model that does not exist substitutes models",
    breaks_zh="能以不存在的模型作答,说明该中转站在替换模型",
    mend="Look the model up in your list before choosing a channel, and refuse an unknown one with 404 instead of "
    "falling back to a default channel or model.",
    mend_zh="选择渠道之前先在模型列表中查找,未知模型返回 404,不要退回到默认渠道或默认模型。",
)
def unknown_model_refused(exchange: Exchange) -> Iterator[Finding]:
    """An unknown model MUST be refused with a 4xx status or 503 and an error envelope."""
    if exchange.status not in _REFUSED and exchange.status != 503:
        yield Finding("status", "4xx or 503", exchange.status)
    elif is_json(exchange) and exchange.error is None:
        yield Finding("/error", "an error object", exchange.json)


@rule(
    "error.unknown-model.404",
    doc="openai:guides/error-codes",
    lines=("ERR-08",),
    zh="未知模型应返回 HTTP 404,code 为 model_not_found",
    operations=("chat", "chat.stream"),
    probe="unknown-model",
    answers=Answers.REFUSAL,
    applies=lambda exchange: exchange.status >= 400,
    breaks="SDKs retry a 503 in vain instead of naming the model",
    breaks_zh="SDK 会对 503 反复重试,而不是指出模型名错误",
    mend='Tell "no such model" (404, `code` `model_not_found`) apart from "no channel free just now" (503) where the '
    "channel is chosen.",
    mend_zh='在选择渠道处区分 "没有这个模型" (404,`code` 为 `model_not_found`)和 "暂时没有可用渠道" (503)。',
)
def unknown_model_404(exchange: Exchange) -> Iterator[Finding]:
    """An unknown model SHOULD be refused with HTTP 404 and code `model_not_found`."""
    code = (exchange.error or {}).get("code")
    if exchange.status != 404:
        label = "model-404-as-503" if exchange.status == 503 and names_model(exchange) else ""
        yield Finding("status", 404, exchange.status, deviation=label)
    elif code != "model_not_found":
        yield Finding("/error/code", "model_not_found", code if code is not None else "absent")


def _must_be_4xx(exchange: Exchange) -> Iterator[Finding]:
    """What every rule about a bad request says."""
    if exchange.status not in _REFUSED:
        code = str((exchange.error or {}).get("code"))
        label = _OLD_NEW_API if exchange.status == 500 and code.startswith("invalid") else ""
        label = "model-404-as-503" if exchange.status == 503 else label
        yield Finding("status", "4xx", exchange.status, message_of(exchange), deviation=label)


@rule(
    "error.missing-field.4xx",
    doc="openai:chat/create",
    lines=("ERR-09",),
    zh="缺少必填字段 (model, messages) 的请求必须以 4xx 拒绝",
    operations=("chat",),
    probe="missing-field",
    answers=Answers.REFUSAL,
    breaks="SDKs retry a 5xx: the mistake is billed and hidden",
    breaks_zh="SDK 会对 5xx 反复重试,掩盖真正的错误",
    mend="Validate the body before choosing a channel and answer 400 with `invalid_request_error` and `param`; map "
    "errors of your own validation to 400, not 500.",
    mend_zh="选择渠道之前先校验请求体,返回 400、`invalid_request_error` 和 `param`;自身校验出的错误应为 400 而不是 "
    "500。",
)
def missing_field(exchange: Exchange) -> Iterator[Finding]:
    """A request without a required field MUST be refused with a 4xx status."""
    yield from _must_be_4xx(exchange)


@rule(
    "error.empty-messages.4xx",
    doc="openai:chat/create#messages",
    lines=("1.5",),
    zh="messages 为空列表的请求应以 4xx 拒绝",
    operations=("chat",),
    probe="empty-messages",
    answers=Answers.REFUSAL,
    breaks="an empty request is answered, and billed",
    breaks_zh="空请求也会被回答并计费",
    mend="Refuse an empty `messages` list yourself with 400 and `param` `messages`; a converter must not add a turn "
    "of its own to fill it.",
    mend_zh="自行以 400 拒绝空的 `messages`,`param` 为 `messages`;转换程序不得自己补一轮对话。",
)
def empty_messages(exchange: Exchange) -> Iterator[Finding]:
    """A request with an empty list of messages SHOULD be refused with a 4xx status."""
    yield from _must_be_4xx(exchange)


@rule(
    "error.malformed-json.4xx",
    doc="openai:guides/error-codes",
    lines=("1.5",),
    zh="请求体不是 JSON 时必须以 4xx 拒绝",
    operations=("chat",),
    probe="malformed-json",
    answers=Answers.REFUSAL,
    breaks="SDKs retry a 5xx: the mistake is hidden",
    breaks_zh="SDK 会对 5xx 反复重试,掩盖真正的错误",
    mend="Catch the parser's error where the body is read first and answer 400 with an error object.",
    mend_zh="在首次读取请求体的地方捕获 JSON 解析错误,返回 400 和错误对象。",
)
def malformed_json(exchange: Exchange) -> Iterator[Finding]:
    """A request that is not JSON MUST be refused with a 4xx status."""
    yield from _must_be_4xx(exchange)


@rule(
    "error.stream.plain-json",
    doc="openai:chat/streaming",
    lines=("ERR-05",),
    basis="implied",
    zh="流式请求在开始前失败时,应返回普通 JSON 错误而不是 SSE",
    operations=("chat.stream",),
    probe="stream-refusal",
    answers=Answers.REFUSAL,
    applies=lambda exchange: exchange.status >= 400 or bool(exchange.stream.errors),
    breaks="clients see an empty stream instead of an error",
    breaks_zh="客户端看到的是空流,而不是错误",
    mend="Send the stream's headers only when the upstream's first event has arrived; until then answer with the "
    "error's status and a JSON body.",
    mend_zh="收到上游的第一个事件后再发送流的响应头;在此之前出错就返回错误状态码和 JSON 正文。",
)
def stream_refused_plainly(exchange: Exchange) -> Iterator[Finding]:
    """A streamed request that is refused SHOULD be answered with plain JSON and an error status."""
    if exchange.status < 400:
        yield Finding("status", "4xx", exchange.status)
    elif not is_json(exchange) or exchange.media_type == "text/event-stream":
        yield Finding("header:content-type", "application/json", exchange.media_type)


@rule(
    "error.stream.event-envelope",
    doc="openai:chat/streaming",
    lines=("ERR-06",),
    basis="implied",
    zh='流中途的错误事件应带 {"error": {"message", "type"}}',
    operations=("chat.stream",),
    answers=Answers.ANY,
    applies=lambda exchange: bool(exchange.stream.errors) and exchange.case.expect is Expectation.SUCCESS,
    breaks="clients lose the message of an error in mid-stream",
    breaks_zh="客户端会丢失流中途的错误信息",
    mend='Put what goes wrong in mid-stream into one event `data: {"error": {"message", "type", …}}`, also where the '
    "upstream writes it in another form.",
    mend_zh='流中途出错时发送一个 `data: {"error": {"message", "type", …}}` 事件,上游格式不同时要转换。',
    noisy=True,
)
def error_event_envelope(exchange: Exchange) -> Iterator[Finding]:
    """An error event in a stream SHOULD carry an `error` object with a message and a type."""
    for chunk in exchange.stream.errors:
        for error in schema_errors(_ENVELOPE, chunk.value):
            yield Finding(f"/events/{chunk.event}{error.at}", error.expected, error.actual, error.message)
