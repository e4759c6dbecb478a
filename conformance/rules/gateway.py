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
)
def cors_allowed(exchange: Exchange) -> Iterator[Finding]:
    """A relay MAY let web pages call it directly (CORS)."""
    if exchange.response and not exchange.response.header("access-control-allow-origin"):
        yield Finding("header:access-control-allow-origin", "present", "absent")
