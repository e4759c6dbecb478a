"""What holds for every operation beside models and chat: accepted, of the right shape, streamed as events."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Exchange, Finding
from conformance.operations import OPERATIONS
from conformance.refusals import OTHER_FORM, message_of
from conformance.rules.base import Answers, rule
from conformance.rules.shape import keeps_compat, shape_findings, undocumented
from conformance.rules.views import LATER, STREAMS, SUCCESS, is_readable

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
    mend="Look the request up in the log: mostly no channel serves this operation for the model, or the channel's "
    "converter has no code for it.",
    mend_zh="在日志中查这条请求:多半是没有渠道为该模型提供此接口,或该渠道的转换程序没有实现它。",
)
def request_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A plain request of an operation that is offered MUST be accepted."""
    if exchange.status not in SUCCESS:
        yield Finding("status", 200, exchange.status, message_of(exchange))


@rule(
    "operation.response.compat",
    doc="openai:api-reference",
    zh="回答的结构必须符合官方 SDK 的要求",
    operations=_SHAPED,
    applies=has_own_shape,
    breaks="typed clients raise, or hand on None",
    breaks_zh="强类型客户端会报错或得到 None",
    mend="Build the answer in the adapter field by field in the vendor's own form, also where the upstream speaks "
    "another protocol, and test it with the vendor's SDK.",
    mend_zh="在适配器中按厂商自己的格式逐字段组成回答 (上游使用其他协议时也一样),并用厂商的 SDK 测试。",
)
def response_compat(exchange: Exchange) -> Iterator[Finding]:
    """An answer MUST have the shape that the vendor's own SDK needs."""
    yield from shape_findings(exchange, "compat")


@rule(
    "operation.response.strict",
    doc="openai:api-reference",
    zh="回答可以缺少只有官方文档要求的字段",
    operations=_SHAPED,
    applies=lambda exchange: has_own_shape(exchange) and keeps_compat(exchange),
    breaks="only clients that trust the vendor's own lists",
    breaks_zh="只影响完全依赖官方文档的客户端",
    mend="Nothing has to change; let the adapter fill in the missing fields (null where they do not apply) to be "
    "complete by the vendor's document.",
    mend_zh="无须修改;由适配器补全缺少的字段 (不适用时为 null),即可完全符合厂商文档。",
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
    mend="Nothing has to change; strip fields that the vendor does not document in the adapter where customers check "
    "strictly.",
    mend_zh="无须修改;若客户检查严格,可在适配器中去掉厂商文档之外的字段。",
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
    mend="Let this path honour `stream` like chat does: forward each of the upstream's events at once as `data: ` and "
    "JSON, instead of one body at the end.",
    mend_zh="让该路径与聊天一样支持 `stream`:逐个转发上游事件 (`data: ` 加 JSON),而不是最后返回一个正文。",
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
    mend="Set `Content-Type: text/event-stream` before the first event on this path too; only the handler for chat "
    "may do so now.",
    mend_zh="在该路径上也要在第一个事件之前设置 `Content-Type: text/event-stream`;目前可能只有聊天接口设置了。",
)
def stream_is_labelled(exchange: Exchange) -> Iterator[Finding]:
    """A stream SHOULD be labelled `Content-Type: text/event-stream`."""
    if exchange.media_type != "text/event-stream":
        yield Finding("header:content-type", "text/event-stream", exchange.media_type or "absent")
