"""Transport: content types, bodies, headers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.model import Exchange, Finding
from conformance.redaction import MASKED
from conformance.refusals import OTHER_FORM, is_html
from conformance.rules.base import Answers, rule
from conformance.rules.views import EVERY, PLAIN, is_json

_LIMITED = re.compile(r"x-ratelimit-(limit|remaining)-(requests|tokens)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_REQUEST_IDS = ("x-request-id", "x-oneapi-request-id", "request-id", "x-generation-id")


@rule(
    "http.body.never-html",
    doc="one-api:router/web",
    lines=("COM-02",),
    zh="API 路径不得返回网页 (text/html)",
    operations=("models.list", "chat", "chat.stream"),
    answers=Answers.ANY,
    breaks="every client: the answer cannot be parsed",
    breaks_zh="所有客户端都无法解析回答",
    mend="Keep the API paths out of the web interface's catch-all route and of the proxy's HTML error pages: answer "
    "them in JSON, unknown ones with 404.",
    mend_zh="让 API 路径不进入网页前端的兜底路由,也不使用反向代理的 HTML 错误页:一律以 JSON 回答,未知路径返回 404。",
)
def never_html(exchange: Exchange) -> Iterator[Finding]:
    """An API path MUST NOT be answered with a web page."""
    if is_html(exchange):
        yield Finding(
            "header:content-type",
            "application/json",
            exchange.media_type,
            deviation="html-fallthrough" if exchange.status == 200 else "",
        )


@rule(
    "http.content-type.json",
    doc="openai:api-reference",
    lines=("COM-11",),
    zh="JSON 回答必须标明 Content-Type: application/json",
    operations=PLAIN,
    answers=Answers.ANY,
    applies=is_json,
    breaks="the Node SDK raises a TypeError when JSON is labelled as text",
    breaks_zh="JSON 被标成文本时,Node SDK 会抛出 TypeError",
    mend="Set `Content-Type: application/json` wherever the gateway writes JSON, also where it passes an upstream's "
    "body on or answers from a middleware.",
    mend_zh="凡是写出 JSON 的地方都设置 `Content-Type: application/json`,包括转发上游正文和由中间件直接回答的情况。",
)
def json_is_labelled(exchange: Exchange) -> Iterator[Finding]:
    """A JSON body MUST be labelled `Content-Type: application/json`."""
    if not re.fullmatch(r"application/(.+\+)?json", exchange.media_type):
        yield Finding("header:content-type", "application/json", exchange.media_type or "absent")


@rule(
    "http.body.json",
    doc="openai:chat/object",
    lines=("CHAT-01", "MOD-01"),
    zh="非流式回答的正文必须是一个合法的 JSON",
    operations=PLAIN,
    cases=lambda case: OTHER_FORM not in case.probes,
    breaks="every client raises, or returns nothing",
    breaks_zh="所有客户端都会报错或拿不到内容",
    mend="Parse the upstream's body before passing it on, and answer 502 with an error object when it is no JSON; "
    "write nothing before or after the JSON text.",
    mend_zh="转发前先解析上游正文,不是 JSON 就返回 502 和错误对象;JSON 前后不要写入任何其他内容。",
)
def body_is_json(exchange: Exchange) -> Iterator[Finding]:
    """The body of a plain answer MUST be one JSON text."""
    if exchange.document.problem:
        body = exchange.response.body if exchange.response else b""
        begins = body[:120].decode(errors="replace")
        streamed = body.lstrip().startswith(b"data:")
        yield Finding(
            "",
            "one JSON text",
            begins,
            exchange.document.problem,
            exchange.document.problem,
            "sse-for-plain" if streamed else "",
        )


@rule(
    "http.body.unique-keys",
    doc="rfc:8259#section-4",
    zh="同一个 JSON 对象里的键不应重复",
    operations=("models.list", "models.retrieve", "chat", "chat.stream"),
    breaks="clients disagree about which value counts",
    breaks_zh="不同客户端会取到不同的值",
    mend="Build the answer as one object and serialise it once, instead of inserting fields into the text of the "
    "upstream's JSON.",
    mend_zh="先组成一个完整的对象再序列化一次,不要在上游 JSON 的文本里拼接字段。",
)
def keys_are_unique(exchange: Exchange) -> Iterator[Finding]:
    """Keys of one JSON object SHOULD be unique."""
    for key in exchange.document.duplicates:
        yield Finding("", "once", f"{key!r} twice in one object")
    for event, key in exchange.stream.duplicates:
        yield Finding(f"/events/{event}", "once", f"{key!r} twice in one object")


@rule(
    "http.body.bounded",
    doc="openai:chat/object",
    basis="implied",
    zh="回答的大小必须与请求相称,不得无休止地返回数据",
    operations=EVERY,
    answers=Answers.EVERYTHING,
    applies=lambda exchange: (
        exchange.answered or (exchange.failure is not None and exchange.failure.kind == "too-large")
    ),
    breaks="clients run out of memory or wait forever",
    breaks_zh="客户端会耗尽内存或一直等待",
    mend="Close the answer once the upstream has ended, enforce `max_tokens` yourself, and give every upstream call a "
    "time limit and a size limit.",
    mend_zh="上游结束后立即结束回答,自行保证 `max_tokens` 生效,并为每次上游请求设置时间和大小上限。",
)
def body_ends(exchange: Exchange) -> Iterator[Finding]:
    """An answer MUST end within a size that fits its request."""
    if exchange.failure is not None:
        yield Finding("", "an answer that ends", exchange.failure.detail)


@rule(
    "http.request-id.present",
    doc="openai:api-reference/debugging-requests",
    lines=("COM-12",),
    zh="回答可以带有请求编号响应头,便于向服务商反馈问题",
    operations=("models.list", "chat", "chat.stream"),
    breaks="support cannot find a request that went wrong",
    breaks_zh="出问题时服务商难以定位请求",
    mend="Nothing has to change; give each answer an `x-request-id` and write the same id to your log, so that a "
    "complaint can be looked up.",
    mend_zh="无须修改;建议每个回答都带 `x-request-id`,并把同一个 id 写入日志,便于查找问题请求。",
)
def request_id_present(exchange: Exchange) -> Iterator[Finding]:
    """An answer MAY carry a request id header for support."""
    if exchange.response and not any(exchange.response.header(name) for name in _REQUEST_IDS):
        yield Finding("header:x-request-id", "present", "absent")


@rule(
    "http.rate-limit.readable",
    doc="openai:guides/rate-limits",
    lines=("COM-14",),
    zh="限流响应头可以省略;一旦给出,数字应可读且剩余不超过上限",
    operations=("chat", "chat.stream"),
    breaks="clients that pace themselves miscalculate",
    breaks_zh="按此限速的客户端会算错",
    mend="Leave the `x-ratelimit-*` headers out, or write plain numbers of your own limit into them; do not mix an "
    "upstream's headers with yours.",
    mend_zh="要么不发送 `x-ratelimit-*` 响应头,要么填写自己限额的纯数字;不要把上游的响应头和自己的混在一起。",
)
def rate_limit_readable(exchange: Exchange) -> Iterator[Finding]:
    """Rate-limit headers MAY be absent; where present they are numbers, remaining within the limit."""
    found = {name.lower(): value for name, value in exchange.response.headers} if exchange.response else {}
    numbers: dict[str, float] = {}
    for name, value in found.items():
        if not _LIMITED.fullmatch(name):
            continue
        if _NUMBER.fullmatch(value):
            numbers[name] = float(value)
        else:
            yield Finding(f"header:{name}", "a number", value)
    for name, remaining in numbers.items():
        limit = numbers.get(name.replace("remaining", "limit"), remaining)
        if remaining > limit:
            yield Finding(f"header:{name}", f"at most {limit:g}", remaining)


@rule(
    "http.retry-after.present",
    doc="rfc:6585#section-4",
    lines=("COM-15",),
    zh="429 回答应带 Retry-After 响应头",
    operations=("models.list", "chat", "chat.stream"),
    answers=Answers.EVERYTHING,
    applies=lambda exchange: 429 in {exchange.status, *(attempt.status for attempt in exchange.attempts)},
    breaks="clients guess how long to wait, and hammer or stall",
    breaks_zh="客户端只能猜测等待时间,要么猛刷要么停住",
    mend="Add `Retry-After` with the seconds until the window opens again where you limit requests, and pass the "
    "upstream's on when a 429 is its own.",
    mend_zh="自行限流时在 429 中加上 `Retry-After` (距离恢复的秒数);429 来自上游时原样转发它的 `Retry-After`。",
    noisy=True,
)
def retry_after_present(exchange: Exchange) -> Iterator[Finding]:
    """An HTTP 429 SHOULD say in `Retry-After` how long to wait."""
    final = exchange.response.headers if exchange.response else ()
    answers = [*((attempt.status, attempt.headers) for attempt in exchange.attempts), (exchange.status, final)]
    for status, headers in answers:
        if status == 429 and not any(name.lower() == "retry-after" for name, _ in headers):
            yield Finding("header:retry-after", "seconds", "absent")
            return


@rule(
    "http.key.not-echoed",
    doc="openai:guides/safety-best-practices",
    basis="implied",
    zh="回答里不应出现调用者的完整密钥",
    operations=EVERY,
    answers=Answers.EVERYTHING,
    applies=lambda exchange: exchange.response is not None,
    breaks="the key ends up in logs, screenshots and bug reports",
    breaks_zh="密钥会进入日志、截图和问题反馈",
    mend="Take the request's headers and the key out of error messages and debug fields, or mask all but the last "
    "four characters.",
    mend_zh="从错误信息和调试字段中去掉请求头与密钥,或只保留密钥的最后四位。",
)
def key_not_echoed(exchange: Exchange) -> Iterator[Finding]:
    """An answer SHOULD NOT contain the caller's key."""
    headers, body = (exchange.response.headers, exchange.response.body) if exchange.response else ((), b"")
    for name, value in headers:
        if MASKED.search(value) or MASKED.search(name):
            yield Finding(f"header:{name}", "no key", "the caller's key (masked here)")
    if MASKED.search(body.decode(errors="replace")):
        yield Finding("", "no key", "the caller's key (masked here)")
