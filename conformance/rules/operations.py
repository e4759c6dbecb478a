"""What holds for every operation beside models and chat: accepted, of the right shape, streamed as events."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Exchange, Finding
from conformance.operations import OPERATIONS
from conformance.refusals import OTHER_FORM, message_of
from conformance.rules.base import Answers, rule
from conformance.rules.shape import shape_findings, undocumented
from conformance.rules.views import LATER, STREAMS, is_readable

_SUCCESS = range(200, 300)
_SHAPED = tuple(name for name in LATER if OPERATIONS[name].shaped)
_STREAMED = tuple(name for name in LATER if name in STREAMS)

OWN_RULE = frozenset({"generated", "optional"})
"""Probes of cases whose acceptance is the matter of another rule, or of nobody."""


def has_own_shape(exchange: Exchange) -> bool:
    """The answer is of the kind that the operation's schema describes."""
    return is_readable(exchange) and OTHER_FORM not in exchange.case.probes


@rule(
    "operation.request.accepted",
    doc="openai:api-reference",
    zh="文档中的普通请求必须被接受",
    operations=LATER,
    answers=Answers.VALID,
    cases=lambda case: not case.feature and not case.probes & OWN_RULE,
    breaks="every client raises on an ordinary request",
    breaks_zh="普通请求也会让所有客户端报错",
)
def request_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A plain request of an operation that is offered MUST be accepted."""
    if exchange.status not in _SUCCESS:
        yield Finding("status", 200, exchange.status, message_of(exchange))


@rule(
    "operation.response.compat",
    doc="openai:api-reference",
    zh="回答的结构必须符合官方 SDK 的要求",
    operations=_SHAPED,
    applies=has_own_shape,
    breaks="typed clients raise, or hand on None",
    breaks_zh="强类型客户端会报错或得到 None",
)
def response_compat(exchange: Exchange) -> Iterator[Finding]:
    """An answer MUST have the shape that the vendor's own SDK needs."""
    yield from shape_findings(exchange, "compat")


@rule(
    "operation.response.strict",
    doc="openai:api-reference",
    zh="回答可以缺少只有官方文档要求的字段",
    operations=_SHAPED,
    applies=has_own_shape,
    breaks="only clients that trust the vendor's own lists",
    breaks_zh="只影响完全依赖官方文档的客户端",
)
def response_strict(exchange: Exchange) -> Iterator[Finding]:
    """An answer MAY lack what only the vendor's own document requires."""
    yield from shape_findings(exchange, "strict")


@rule(
    "operation.response.extra-fields",
    doc="openai:api-reference",
    zh="回答可以含有官方文档之外的字段",
    operations=_SHAPED,
    applies=has_own_shape,
    breaks="nothing; it tells which software runs here",
    breaks_zh="没有影响;可据此看出所用软件",
)
def response_extra_fields(exchange: Exchange) -> Iterator[Finding]:
    """An answer MAY have fields that the vendor does not document."""
    yield from undocumented(exchange)


@rule(
    "operation.stream.events",
    doc="openai:api-reference/streaming",
    zh="流式请求必须以服务器推送事件 (SSE) 回答,每个事件的数据都是 JSON",
    operations=_STREAMED,
    breaks="every client shows nothing, or raises",
    breaks_zh="所有客户端都拿不到内容或报错",
)
def stream_has_events(exchange: Exchange) -> Iterator[Finding]:
    """A streamed request MUST be answered with server-sent events whose data are JSON objects."""
    if not exchange.stream.chunks:
        body = exchange.response.body if exchange.response else b""
        label = "json-for-stream" if isinstance(exchange.json, dict) else ""
        yield Finding("", "server-sent events", body[:120].decode(errors="replace"), deviation=label)
    for problem in exchange.stream.problems:
        yield Finding(f"/events/{problem.event}", "a JSON object", problem.data, problem.problem)


@rule(
    "operation.stream.labelled",
    doc="whatwg:server-sent-events",
    zh="流式回答应标明 Content-Type: text/event-stream",
    operations=_STREAMED,
    applies=lambda exchange: bool(exchange.stream.chunks),
    breaks="browsers and strict clients do not read the stream",
    breaks_zh="浏览器和严格的客户端不会读取该流",
)
def stream_is_labelled(exchange: Exchange) -> Iterator[Finding]:
    """A stream SHOULD be labelled `Content-Type: text/event-stream`."""
    if exchange.media_type != "text/event-stream":
        yield Finding("header:content-type", "text/event-stream", exchange.media_type or "absent")
