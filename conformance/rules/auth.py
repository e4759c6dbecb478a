"""Keys: accepted, missing, wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.model import Auth, Exchange, Finding
from conformance.refusals import message_of
from conformance.rules.base import Answers, rule
from conformance.rules.views import SUCCESS

_UNAUTHORIZED = 401


@rule(
    "auth.key.accepted",
    doc="openai:api-reference/authentication",
    lines=("COM-05",),
    zh="同一个密钥必须始终被 Authorization: Bearer 方式接受",
    operations=("chat", "chat.stream", "models.list"),
    answers=Answers.VALID,
    cases=lambda case: case.auth is Auth.KEY,
    over="run",
    least=2,
    breaks="valid requests fail with an authentication error",
    breaks_zh="正常请求会以鉴权错误失败",
    mend="Check keys against one shared store, so that every node and every route decides alike, and never pass an "
    "upstream's 401 on as your own: answer 502 for it.",
    mend_zh="让所有节点和路由用同一份密钥数据校验;上游渠道返回的 401 不要原样转发,应返回 502。",
)
def key_accepted(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A key that was accepted once MUST be accepted on every other valid request."""
    if any(exchange.status in SUCCESS for exchange in exchanges):
        for exchange in exchanges:
            if exchange.status == _UNAUTHORIZED:
                yield Finding("status", 200, exchange.status, exchange=exchange.case.id)


@rule(
    "auth.missing-key.401",
    doc="openai:guides/error-codes",
    lines=("COM-06", "MOD-05"),
    zh="没有密钥的请求必须以 HTTP 401 拒绝",
    operations=("models.list", "chat"),
    probe="no-key",
    answers=Answers.REFUSAL,
    breaks="clients see another error class, or anybody can spend your money",
    breaks_zh="客户端得到错误的异常类型,或者任何人都能花你的钱",
    mend="Put the key check before routing and validation on every API path, and let it answer 401 with an error "
    "object.",
    mend_zh="在所有 API 路径上,把密钥校验放在路由和参数校验之前,缺少密钥时返回 401 和错误对象。",
)
def missing_key(exchange: Exchange) -> Iterator[Finding]:
    """A request without a key MUST be refused with HTTP 401."""
    if exchange.status != _UNAUTHORIZED:
        yield Finding("status", _UNAUTHORIZED, exchange.status)


@rule(
    "auth.wrong-key.401",
    doc="openai:guides/error-codes",
    lines=("COM-07",),
    zh="密钥错误的请求必须以 HTTP 401 拒绝",
    operations=("models.list", "chat"),
    probe="wrong-key",
    answers=Answers.REFUSAL,
    breaks="where it is let in, keys are not checked; where not, clients raise the wrong error or retry for nothing",
    breaks_zh="若被放行,说明密钥没有检查;若以其他状态拒绝,客户端会抛出错误的异常或白白重试",
    mend="Look the key up before anything else and answer 401 with `code` `invalid_api_key` when it is unknown; do "
    "not let 403, 400 or a store's error through.",
    mend_zh="首先查验密钥,未知时返回 401,`code` 为 `invalid_api_key`;不要返回 403、400 或数据库错误。",
)
def wrong_key(exchange: Exchange) -> Iterator[Finding]:
    """A request with an unknown key MUST be refused with HTTP 401."""
    if exchange.status != _UNAUTHORIZED:
        yield Finding("status", _UNAUTHORIZED, exchange.status)


@rule(
    "auth.bare-key.refused",
    doc="one-api:middleware/auth",
    lines=("COM-08",),
    zh="可以接受不带 Bearer 的密钥,但客户端不能依赖它",
    operations=("models.list",),
    probe="bare-key",
    answers=Answers.ANY,
    breaks="nothing here; the same client fails elsewhere",
    breaks_zh="在这里没有影响;换一家就会失败",
    mend="Nothing has to change; to be as strict as OpenAI, accept a key only after the word `Bearer` in "
    "`Authorization`.",
    mend_zh="无须修改;若要与 OpenAI 一致,只接受 `Authorization` 中 `Bearer` 之后的密钥。",
)
def bare_key(exchange: Exchange) -> Iterator[Finding]:
    """A key without the word Bearer MAY be accepted, which other endpoints refuse."""
    if exchange.status in SUCCESS:
        yield Finding("status", _UNAUTHORIZED, exchange.status, deviation="bare-key-accepted")


@rule(
    "auth.native-key.accepted",
    doc="new-api:middleware/auth",
    lines=("COM-10",),
    zh="Anthropic 与 Gemini 原生接口应接受各自的密钥请求头 (x-api-key、x-goog-api-key)",
    operations=("messages", "gemini.generate"),
    probe="native-key",
    answers=Answers.VALID,
    breaks="the vendors' own SDKs send the key there, and nowhere else",
    breaks_zh="厂商自己的 SDK 只在该请求头里发送密钥",
    mend="Let the key check on these paths also read `x-api-key` (Anthropic) and `x-goog-api-key` or `?key=` "
    "(Google), not only `Authorization`.",
    mend_zh="在这些路径上,除 `Authorization` 外也读取 `x-api-key` (Anthropic)以及 `x-goog-api-key` 或 `?key=` "
    "(Google)。",
)
def native_key_accepted(exchange: Exchange) -> Iterator[Finding]:
    """The key SHOULD also be accepted in the header of the operation's own protocol."""
    if exchange.status not in SUCCESS:
        yield Finding("status", 200, exchange.status, message_of(exchange))
