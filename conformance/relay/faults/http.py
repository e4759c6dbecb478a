"""Faults of HTTP and of JSON as such."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay import wire
from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call

_CHALLENGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>\n"
_PAGE_401 = b"<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body></body>\r\n</html>\r\n"
_BLOCK = 64 * 1024
_BLOCKS = 80
"""Together more than the 4 MiB that any client should read."""


def _html(call: Call, page: bytes) -> None:
    call.body = page
    wire.set_header(call.reply_headers, b"content-type", b"text/html")


@fault("html-error-page", Stage.REPLY, trips={"http.body.never-html"}, zh="401 时返回 HTML 页面")
def _(call: Call) -> None:
    """A rejected key gets the HTML page of a reverse proxy, as with nginx in front of one-api."""
    if call.status == 401:
        _html(call, _PAGE_401)


@fault(
    "html-instead-of-stream",
    Stage.REPLY,
    trips={"http.body.never-html", "chat.stream.content-type", "chat.stream.data-json"},
    zh="流式请求得到 HTML 验证页面",
)
def _(call: Call) -> None:
    """A streamed request gets the challenge page of a content delivery network, with status 200."""
    if call.streaming:
        call.streaming = False
        _html(call, _CHALLENGE)


@fault("json-as-text", Stage.REPLY, trips={"http.content-type.json"}, zh="JSON 标成 text/plain")
def _(call: Call) -> None:
    """JSON is labelled text/plain, which the npm SDK then hands over as a string."""
    if call.answer and not call.streaming:
        wire.set_header(call.reply_headers, b"content-type", b"text/plain; charset=utf-8")


@fault("json-without-type", Stage.REPLY, trips={"http.content-type.json"}, zh="JSON 没有 content-type")
def _(call: Call) -> None:
    """JSON comes without a content type."""
    if call.answer and not call.streaming:
        wire.drop_header(call.reply_headers, b"content-type")


@fault("json-truncated", Stage.REPLY, trips={"http.body.json"}, zh="JSON 末尾被截断")
def _(call: Call) -> None:
    """The last bytes of a plain answer are missing."""
    if call.is_plain_answer:
        call.body = call.body[:-20]


@fault("json-trailing-text", Stage.REPLY, trips={"http.body.json"}, zh="JSON 之后还有别的文字")
def _(call: Call) -> None:
    """Text of some debugger follows the JSON of a plain answer."""
    if call.is_plain_answer:
        call.body += b"\n<!-- served from cache -->\n"


@fault("json-twice", Stage.REPLY, trips={"http.body.json"}, zh="同一个 JSON 返回两次")
def _(call: Call) -> None:
    """A plain answer holds its JSON twice, as when a handler writes after the error handler has written."""
    if call.is_plain_answer:
        call.body += call.body


@fault("json-nan", Stage.REPLY, trips={"http.body.json"}, zh="JSON 里出现 NaN")
def _(call: Call) -> None:
    """A plain answer holds NaN, as Python's writer lets it."""
    if call.is_plain_answer:
        call.body = call.body.replace(b'"system_fingerprint":"fp_reference"', b'"system_fingerprint":NaN')


@fault("json-infinite", Stage.REPLY, trips={"http.body.json"}, zh="JSON 里的数字超出范围")
def _(call: Call) -> None:
    """A plain answer holds a number that no float can hold."""
    if call.is_plain_answer:
        call.body = call.body.replace(b'"system_fingerprint":"fp_reference"', b'"system_fingerprint":1e999')


@fault("json-with-bom", Stage.REPLY, trips={"http.body.json"}, zh="JSON 前带 BOM")
def _(call: Call) -> None:
    """A byte order mark stands before the JSON of a plain answer, as PHP files saved on Windows produce."""
    if call.is_plain_answer:
        call.body = b"\xef\xbb\xbf" + call.body


@fault("json-in-gbk", Stage.REPLY, trips={"http.body.json"}, zh="JSON 用 GBK 编码")
def _(call: Call) -> None:
    """A plain answer is encoded in GBK."""
    if call.is_plain_answer:
        call.body = call.body.decode().encode("gb18030")


@fault("json-doubled-keys", Stage.REPLY, trips={"http.body.unique-keys"}, zh="JSON 对象里有重复的键")
def _(call: Call) -> None:
    """A plain answer has a key twice, as relays produce that add fields to the text instead of the object."""
    if call.is_plain_answer:
        call.body = call.body[:-1] + b',"object":"chat.completion"}'


@fault("giant-body", Stage.REPLY, trips={"http.body.bounded"}, zh="回答大得离谱")
def _(call: Call) -> None:
    """An answer with several choices is followed by megabytes of blanks."""
    if call.is_plain_answer and call.count > 1:
        call.body += b" " * _BLOCK * _BLOCKS


@fault("giant-stream", Stage.FRAMES, trips={"http.body.bounded"}, zh="流大得离谱")
def _(call: Call) -> None:
    """A stream of several choices goes on with megabytes of comments."""
    if call.count > 1:
        call.frames += [b":" + b" " * _BLOCK + b"\n\n"] * _BLOCKS
        call.piecemeal = True


@fault("request-id-missing", Stage.REPLY, trips={"http.request-id.present"}, zh="没有请求 id 头")
def _(call: Call) -> None:
    """No header names the request."""
    wire.drop_header(call.reply_headers, b"x-request-id")


@fault("rate-limit-unreadable", Stage.REPLY, trips={"http.rate-limit.readable"}, zh="限速头不是数字")
def _(call: Call) -> None:
    """The rate limit headers hold words."""
    call.reply_headers += (
        (b"x-ratelimit-limit-requests", b"unlimited"),
        (b"x-ratelimit-remaining-requests", b"plenty"),
    )


@fault("rate-limit-exceeded-itself", Stage.REPLY, trips={"http.rate-limit.readable"}, zh="剩余额度大于上限")
def _(call: Call) -> None:
    """More requests remain than the limit allows."""
    call.reply_headers += (
        (b"x-ratelimit-limit-requests", b"60"),
        (b"x-ratelimit-remaining-requests", b"61"),
    )


@fault("retry-after-missing", Stage.ADMITTED, trips={"http.retry-after.present"}, zh="429 不带 Retry-After")
def _(call: Call) -> None:
    """The first chat request is turned away with a 429 that does not say for how long, as one-api does."""
    if call.is_chat and call.state.count("chat") == 1:
        message = "当前分组上游负载已饱和,请稍后再试"
        raise Refusal(429, message, kind="one_api_error", code="rate_limit_exceeded")


@fault("key-in-header", Stage.REPLY, trips={"http.key.not-echoed"}, zh="响应头里带着调用者的密钥")
def _(call: Call) -> None:
    """A header of every chat answer repeats the key of the caller."""
    if call.is_chat:
        call.reply_headers.append((b"x-token-used", call.state.key.encode("latin-1", "replace")))


@fault("key-in-answer", Stage.ANSWER, trips={"http.key.not-echoed"}, zh="回答里带着调用者的密钥")
def _(call: Call) -> None:
    """A plain answer repeats the key of the caller."""
    call.answer["system_fingerprint"] = f"fp_{call.state.key}"


@fault("key-in-error", Stage.ERROR, trips={"http.key.not-echoed"}, zh="错误信息里带着调用者的密钥")
def _(call: Call) -> None:
    """The message of an error repeats the key of the caller."""
    if call.status == 400:
        call.answer["error"]["message"] += f" (token {call.state.key})"
