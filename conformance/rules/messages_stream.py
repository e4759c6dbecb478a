"""The grammar of a stream of Anthropic messages: which events come, in which order, and what the deltas make."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from conformance.events import TypedEvent, of_type, typed_events
from conformance.model import Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.message_views import message_of_answer
from conformance.rules.views import has_chunks, word_count

_ONE = ("messages.stream",)
_DOC = "anthropic:messages-streaming"
_START, _DELTA, _STOP = "content_block_start", "content_block_delta", "content_block_stop"
_FAMILIES = ("message_", "content_block_")
"""How the types of events that make a message begin; a `ping`, or what is new, may come anywhere."""


def _told(exchange: Exchange) -> list[TypedEvent]:
    """The events that make the message."""
    return [event for event in typed_events(exchange) if event.type.startswith(_FAMILIES)]


@rule(
    "messages.stream.event-names",
    doc=_DOC,
    lines=("MSG-02",),
    zh="每个事件的 event: 名称必须等于其 data 的 type",
    operations=_ONE,
    applies=has_chunks,
    needs=("/type",),
    breaks="Anthropic's SDK passes over events without the right name, and shows nothing",
    breaks_zh="Anthropic SDK 会跳过名称不对的事件,什么也不显示",
    mend="Write an `event:` line with the same word as `type` before each `data:` line; code that streams chat sends "
    "data lines only.",
    mend_zh="在每个 `data:` 行之前写出与 `type` 相同的 `event:` 行;为聊天写的流代码只发送 data 行。",
)
def event_names(exchange: Exchange) -> Iterator[Finding]:
    """Every event MUST be named after the type of its data."""
    for event in typed_events(exchange):
        if event.name != event.type:
            yield Finding(f"{event.at}/type", event.type, event.name or "no name")


@rule(
    "messages.stream.lifecycle",
    doc=_DOC,
    lines=("MSG-02",),
    zh="流必须以 message_start 开始、以 message_stop 结束,且各出现一次",
    operations=_ONE,
    applies=has_chunks,
    needs=("/type",),
    breaks="Anthropic's SDK raises at the first event, or waits for the end of the stream",
    breaks_zh="Anthropic SDK 在第一个事件处报错,或一直等待流结束",
    mend="Send `message_start` before the first piece and `message_stop` once at the end, also when the upstream "
    "speaks another protocol; no `[DONE]`.",
    mend_zh="第一个片段之前发送 `message_start`,结束时发送一次 `message_stop`,上游使用其他协议时也一样;不要发送 "
    "`[DONE]`。",
)
def lifecycle(exchange: Exchange) -> Iterator[Finding]:
    """A stream MUST begin with `message_start` and end with `message_stop`, each once."""
    told = _told(exchange)
    types = [event.type for event in told]
    for wanted, place in (("message_start", 0), ("message_stop", -1)):
        at = told[place].at if told else ""
        if types.count(wanted) != 1:
            yield Finding(at, f"{wanted} once", f"{types.count(wanted)} times")
        elif types[place] != wanted:
            yield Finding(at, wanted, types[place])


@rule(
    "messages.stream.blocks",
    doc=_DOC,
    lines=("MSG-03",),
    zh="内容块必须依次开始、增量、结束,index 从 0 递增,不得交错,每块都要结束",
    operations=_ONE,
    applies=has_chunks,
    needs=("/index",),
    breaks="clients put text into the wrong block, or raise",
    breaks_zh="客户端会把文字放进错误的块或报错",
    mend="Keep one counter of blocks for each stream: close a block with `content_block_stop` before the next one "
    "starts, and number text, thinking and tools through.",
    mend_zh="每个流使用一个块计数器:开始下一块之前用 `content_block_stop` 关闭当前块,文本、思考和工具连续编号。",
)
def blocks_in_order(exchange: Exchange) -> Iterator[Finding]:
    """Blocks MUST start, grow and stop one after another, with indexes 0, 1, 2 and so on."""
    started = 0
    open_index: int | None = None
    for event in of_type(exchange, _START, _DELTA, _STOP):
        index = event.data.get("index")
        if event.type == _START:
            expected = started if open_index is None else f"{_STOP} of {open_index}"
            started, open_index, wrong = started + 1, index, open_index is not None or index != started
        else:
            expected = open_index if open_index is not None else _START
            wrong = open_index is None or index != open_index
            open_index = None if event.type == _STOP and not wrong else open_index
        if wrong:
            yield Finding(f"{event.at}/index", expected, f"{event.type} of {index}")
    if open_index is not None:
        yield Finding("", f"{_STOP} of {open_index}", "none")


@rule(
    "messages.stream.stop-reason",
    doc=_DOC,
    lines=("MSG-04",),
    zh="message_stop 之前必须有 stop_reason 非 null 的 message_delta",
    operations=_ONE,
    applies=has_chunks,
    needs=("/type", "/delta"),
    breaks="agents cannot tell why the message ended, and loop or stop in mid-task",
    breaks_zh="智能体无法得知消息为何结束,会循环或中途停止",
    mend="Send `message_delta` with `stop_reason` and usage when the upstream tells its end, before `message_stop`.",
    mend_zh="上游说明结束时,在 `message_stop` 之前发送带 `stop_reason` 和用量的 `message_delta`。",
)
def reason_given(exchange: Exchange) -> Iterator[Finding]:
    """A `message_delta` with a `stop_reason` MUST come before `message_stop`."""
    ends = of_type(exchange, "message_stop")
    deltas = of_type(exchange, "message_delta")
    told = [event for event in deltas if event.part("delta").get("stop_reason") is not None]
    if not told:
        label = "" if deltas else "message-delta-missing"
        at = f"{deltas[-1].at}/delta/stop_reason" if deltas else ""
        yield Finding(at, "a stop_reason", None if deltas else "no message_delta", deviation=label)
    elif ends and told[0].place > ends[0].place:
        yield Finding(told[0].at, "before message_stop", "after it")


@rule(
    "messages.stream.tool-input",
    doc=_DOC,
    lines=("MSG-05",),
    zh="拼接后的 input_json_delta 必须是一个 JSON 对象",
    operations=_ONE,
    probe="forced-tool",
    applies=has_chunks,
    needs=("/content_block", "/delta"),
    breaks="the arguments of a tool cannot be read",
    breaks_zh="无法解析工具参数",
    mend="Forward the upstream's pieces of arguments as `input_json_delta` for their own block, unchanged and "
    "complete, and start with an empty `input`.",
    mend_zh="把上游的参数片段完整、原样地作为所属块的 `input_json_delta` 转发,块开始时 `input` 为空对象。",
)
def tool_input_whole(exchange: Exchange) -> Iterator[Finding]:
    """The joined `input_json_delta` of a block MUST be a JSON object.

    Nothing at all stands for an empty one, as Anthropic sends it.
    """
    message = message_of_answer(exchange)
    for block in message.tools if message.stop_reason != "max_tokens" else ():
        if not isinstance(block.tool_input, dict):
            yield Finding(block.at, "a JSON object", "".join(block.partial))


@rule(
    "messages.stream.usage-cumulative",
    doc=_DOC,
    lines=("MSG-10",),
    zh="message_delta 中的 output_tokens 应为累计值",
    operations=_ONE,
    applies=has_chunks,
    needs=("/usage", "/message", "/delta", "/content_block"),
    breaks="billing: clients take the last count, and it is too small",
    breaks_zh="计费:客户端取最后的数值,而它偏小",
    mend="Add the output up over the stream, and write the whole count into `output_tokens` of `message_delta`.",
    mend_zh="累计整个流的输出,把总数写入 `message_delta` 的 `output_tokens`。",
)
def usage_cumulative(exchange: Exchange) -> Iterator[Finding]:
    """`output_tokens` in `message_delta` SHOULD count everything that was said, not only the last piece."""
    counts = [(event, event.data["usage"]["output_tokens"]) for event in of_type(exchange, "message_delta")]
    for (_, earlier), (event, later) in pairwise(counts):
        if later < earlier:
            yield Finding(f"{event.at}/usage/output_tokens", f"at least {earlier}", later)
    words = word_count(message_of_answer(exchange).text)
    if counts and 0 < counts[-1][1] < words:
        event, last = counts[-1]
        yield Finding(f"{event.at}/usage/output_tokens", f"at least {words}, one for each word", last)
