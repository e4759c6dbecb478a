"""The gateway itself: unknown paths, wrong methods, browsers."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import schema_errors
from conformance.model import Exchange, Finding
from conformance.refusals import is_html
from conformance.rules.base import Answers, rule

_NOT_FOUND = 404


@rule(
    "gateway.unknown-path.404",
    doc="one-api:controller/relay",
    lines=("COM-03",),
    zh="未知路径必须返回 HTTP 404 和错误结构体",
    operations=("gateway",),
    probe="unknown-path",
    answers=Answers.REFUSAL,
    breaks="a mistyped base URL looks like success",
    breaks_zh="写错的地址看起来像成功",
    mend="Register a fallback route under `/v1` that answers 404 with an error object, ahead of the one that serves "
    "the web interface.",
    mend_zh="在 `/v1` 下注册一个返回 404 和错误对象的兜底路由,并排在网页前端的路由之前。",
)
def unknown_path(exchange: Exchange) -> Iterator[Finding]:
    """An unknown path MUST be answered with HTTP 404 and an error envelope."""
    if exchange.status != _NOT_FOUND:
        label = "html-fallthrough" if is_html(exchange) else ""
        yield Finding("status", _NOT_FOUND, exchange.status, deviation=label)
    else:
        for error in schema_errors("openai/error.json#/$defs/compat", exchange.json):
            yield Finding(error.at, error.expected, error.actual, error.message)


@rule(
    "gateway.wrong-method.refused",
    doc="one-api:router/web",
    lines=("COM-04",),
    basis="implied",
    zh="对已知路径使用错误的方法,应返回 404 或 405",
    operations=("gateway",),
    probe="wrong-method",
    answers=Answers.REFUSAL,
    breaks="a wrong call looks like success",
    breaks_zh="错误的调用看起来像成功",
    mend="Register each route for its own method only and let the router answer other methods with 405 (or 404) and "
    "an error object.",
    mend_zh="每个路由只注册它自己的方法,其他方法由路由器返回 405 (或 404)和错误对象。",
)
def wrong_method(exchange: Exchange) -> Iterator[Finding]:
    """A wrong method on a known path SHOULD be answered with HTTP 404 or 405."""
    if exchange.status not in {404, 405}:
        label = "html-fallthrough" if is_html(exchange) else ""
        yield Finding("status", "404 or 405", exchange.status, deviation=label)


@rule(
    "gateway.cors.allowed",
    doc="one-api:middleware/cors",
    lines=("COM-17",),
    zh="可以允许网页直接调用 (CORS)",
    operations=("gateway",),
    probe="cors",
    answers=Answers.ANY,
    breaks="web pages cannot call the relay directly",
    breaks_zh="网页无法直接调用该中转站",
    mend="Nothing has to change; to let web pages call you, answer `OPTIONS` without a key and send "
    "`Access-Control-Allow-Origin` and `-Headers`.",
    mend_zh="无须修改;若要允许网页直接调用,应无需密钥即回答 `OPTIONS`,并发送 `Access-Control-Allow-Origin` 和 "
    "`-Headers`。",
)
def cors_allowed(exchange: Exchange) -> Iterator[Finding]:
    """A relay MAY let web pages call it directly (CORS)."""
    if exchange.response and not exchange.response.header("access-control-allow-origin"):
        yield Finding("header:access-control-allow-origin", "present", "absent")
