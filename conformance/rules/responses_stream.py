"""Streams of responses: the names, the numbers and the order of events, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from conformance.events import TypedEvent, joined, of_type, typed_events
from conformance.model import Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.response_views import COUNTED, FINALS, completed, has_counts, items, pointer, usage_of
from conformance.rules.views import has_chunks

_STREAM = ("responses.stream",)
_LIFE = ("response.created", "response.queued", "response.in_progress", *FINALS)
_TEXT, _TEXT_DONE = "response.output_text.delta", "response.output_text.done"
_CALL, _CALL_DONE = "response.function_call_arguments.delta", "response.function_call_arguments.done"
_ITEM, _ITEM_DONE = "response.output_item.added", "response.output_item.done"
_PART, _PART_DONE = "response.content_part.added", "response.content_part.done"
_IN_ITEM, _IN_PART = ("output_index",), ("output_index", "content_index")


def _unbroken(exchange: Exchange) -> bool:
    """A stream that no error event breaks off."""
    return has_chunks(exchange) and not of_type(exchange, "error")


@rule(
    "responses.stream.event-matches",
    doc="openai:responses-streaming",
    lines=("RSP-04",),
    zh="event: 行的名称必须与数据中的 type 相同",
    operations=_STREAM,
    applies=lambda exchange: any(event.name for event in typed_events(exchange)),
    needs=("/type",),
    breaks="clients that go by the name and clients that go by the type read two streams",
    breaks_zh="按名称读取与按 type 读取的客户端会得到不同的内容",
    mend="Write the `event:` line and `type` from one value, in the function that sends events.",
    mend_zh="在发送事件的函数中,用同一个值写出 `event:` 行和 `type`。",
)
def event_matches(exchange: Exchange) -> Iterator[Finding]:
    """The name of an event MUST be the `type` in its data."""
    for event in typed_events(exchange):
        if event.name and event.name != event.type:
            yield Finding(event.at, event.type, event.name)


@rule(
    "responses.stream.event-named",
    doc="openai:responses-streaming",
    lines=("RSP-04",),
    zh="每个事件都应有 event: 行",
    operations=_STREAM,
    applies=has_chunks,
    breaks="browsers and parsers that go by the name see no event",
    breaks_zh="按名称分派的浏览器和解析器收不到事件",
    mend="Write `event: ` and the type before each `data:` line; code that streams chat sends data lines only.",
    mend_zh="在每个 `data:` 行之前写 `event: ` 加类型;为聊天写的流代码只发送 data 行。",
)
def event_named(exchange: Exchange) -> Iterator[Finding]:
    """Every event SHOULD have an `event:` line."""
    for event in typed_events(exchange):
        if not event.name:
            yield Finding(event.at, f"event: {event.type}", "no event line")
            return


def _numbers(exchange: Exchange) -> list[tuple[TypedEvent, int]]:
    """The events that are numbered, with their numbers."""
    found = [(event, event.data.get("sequence_number")) for event in typed_events(exchange)]
    return [(event, number) for event, number in found if isinstance(number, int)]


@rule(
    "responses.stream.sequence-increases",
    doc="openai:responses-streaming",
    lines=("RSP-05",),
    zh="sequence_number 必须严格递增",
    operations=_STREAM,
    applies=lambda exchange: bool(_numbers(exchange)),
    needs=("/sequence_number",),
    breaks="clients that put events in order lose or repeat text",
    breaks_zh="按序号排序的客户端会丢失或重复文字",
    mend="Keep one counter for each stream and add 1 with every event that you send, those that you add yourself "
    "included.",
    mend_zh="每个流使用一个计数器,每发送一个事件 (包括自己补充的)加 1。",
)
def sequence_increases(exchange: Exchange) -> Iterator[Finding]:
    """`sequence_number` MUST increase with every event."""
    for (_, before), (event, number) in pairwise(_numbers(exchange)):
        if number <= before:
            yield Finding(f"{event.at}/sequence_number", f"more than {before}", number)


@rule(
    "responses.stream.sequence-from-zero",
    doc="openai:responses-streaming",
    lines=("RSP-05",),
    zh="sequence_number 应从 0 开始,每次加 1",
    operations=_STREAM,
    applies=lambda exchange: bool(_numbers(exchange)),
    needs=("/sequence_number",),
    breaks="clients that look for gaps think that events were lost",
    breaks_zh="检查序号间隙的客户端会以为丢了事件",
    mend="Start the counter at 0 with `response.created`, and number after dropping or adding events, not before.",
    mend_zh="计数器从 `response.created` 的 0 开始,并在增删事件之后再编号。",
)
def sequence_from_zero(exchange: Exchange) -> Iterator[Finding]:
    """`sequence_number` SHOULD begin at 0 and go up by 1."""
    for place, (event, number) in enumerate(_numbers(exchange)):
        if number != place:
            yield Finding(f"{event.at}/sequence_number", place, number)
            return


@rule(
    "responses.stream.terminal-last",
    doc="openai:responses-streaming",
    lines=("RSP-07",),
    zh="流必须以唯一的 response.completed、incomplete 或 failed 结束",
    operations=_STREAM,
    applies=_unbroken,
    breaks="clients wait for an end that does not come, or read past it",
    breaks_zh="客户端会一直等待结束,或读过了头",
    mend="Send one final event with the whole response when the upstream ends, `response.failed` when it breaks off, "
    "and nothing after it.",
    mend_zh="上游结束时发送一个带完整 response 的结束事件,上游中断时发送 `response.failed`,其后不再发送任何内容。",
)
def terminal_last(exchange: Exchange) -> Iterator[Finding]:
    """A stream MUST end with one `response.completed`, `response.incomplete` or `response.failed`."""
    events, finals = typed_events(exchange), of_type(exchange, *FINALS)
    if not finals:
        yield Finding(events[-1].at, list(FINALS), events[-1].type)
    elif len(finals) > 1:
        yield Finding(finals[1].at, "one terminal event", [event.type for event in finals])
    elif finals[0] is not events[-1]:
        after = events[events.index(finals[0]) + 1]
        yield Finding(after.at, f"nothing after {finals[0].type}", after.type)


@rule(
    "responses.stream.created-first",
    doc="openai:responses-streaming/response-created",
    zh="流的第一个事件必须是 response.created",
    operations=_STREAM,
    applies=_unbroken,
    breaks="the stream helper of the official SDK raises at the first event",
    breaks_zh="官方 SDK 的流式助手在第一个事件就报错",
    mend="Send `response.created` with the response's `id` first, before the upstream's first piece.",
    mend_zh="先发送带 response `id` 的 `response.created`,再发送上游的第一个片段。",
)
def created_first(exchange: Exchange) -> Iterator[Finding]:
    """A stream MUST begin with `response.created`."""
    first = next((event for event in typed_events(exchange) if event.type.startswith("response.")), None)
    if first is None or first.type != "response.created":
        at = first.at if first else "/events/0"
        yield Finding(at, "response.created", first.type if first else "no event of a response")


@rule(
    "responses.stream.same-id",
    doc="openai:responses-streaming",
    basis="implied",
    zh="同一个流里 response 的 id 必须相同",
    operations=_STREAM,
    applies=lambda exchange: bool(of_type(exchange, *_LIFE)),
    needs=("/response/id",),
    breaks="the stream helper of the official SDK raises; going on from the answer fails",
    breaks_zh="官方 SDK 的流式助手会报错,也无法接着该回答继续",
    mend="Make the `id` once, when the stream starts, and use it in every event and for what is stored.",
    mend_zh="流开始时生成一次 `id`,所有事件及保存的回答都使用它。",
)
def same_id(exchange: Exchange) -> Iterator[Finding]:
    """All events of a stream MUST give its response the same `id`."""
    events = of_type(exchange, *_LIFE)
    first = events[0].part("response").get("id")
    for event in events:
        if event.part("response").get("id") != first:
            yield Finding(f"{event.at}/response/id", first, event.part("response").get("id"))
            return


def _place(event: TypedEvent, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(event.data[name] for name in names)


_OPENERS: Mapping[str, Sequence[tuple[str, Sequence[str]]]] = {
    _TEXT: ((_ITEM, _IN_ITEM), (_PART, _IN_PART)),
    _CALL: ((_ITEM, _IN_ITEM),),
}
"""What has to come before a piece, and by which fields the two belong together."""


@rule(
    "responses.stream.opened-first",
    doc="openai:responses-streaming/response-output-item-added",
    zh="output_item.added 与 content_part.added 必须先于其中的内容",
    operations=_STREAM,
    applies=_unbroken,
    needs=("/output_index", "/content_index"),
    breaks="the stream helper of the official SDK raises at the first piece",
    breaks_zh="官方 SDK 的流式助手收到第一段内容就报错",
    mend="Send `response.output_item.added` and `response.content_part.added` before the first delta of an item when "
    "converting from chat chunks.",
    mend_zh="由聊天数据块转换时,在一项的第一个 delta 之前发送 `response.output_item.added` 和 "
    "`response.content_part.added`。",
)
def opened_first(exchange: Exchange) -> Iterator[Finding]:
    """Pieces of an output MUST come after the events that open its item and its part."""
    opened = set()
    for event in of_type(exchange, _ITEM, _PART, _TEXT, _CALL):
        if event.type in (_ITEM, _PART):
            opened.add((event.type, _place(event, _IN_ITEM if event.type == _ITEM else _IN_PART)))
        for opener, names in _OPENERS.get(event.type, ()):
            if (opener, _place(event, names)) not in opened:
                yield Finding(event.at, f"{opener} before it", event.type)
                return


_CLOSERS = (
    (_ITEM, _ITEM_DONE, _IN_ITEM),
    (_PART, _PART_DONE, _IN_PART),
    (_TEXT, _TEXT_DONE, _IN_PART),
    (_CALL, _CALL_DONE, _IN_ITEM),
)


@rule(
    "responses.stream.lifecycle",
    doc="openai:responses-streaming",
    zh="response.created 之后应有 response.in_progress,打开的内容都应以 done 结束",
    operations=_STREAM,
    applies=lambda exchange: _unbroken(exchange) and completed(exchange),
    needs=("/output_index", "/content_index"),
    breaks="agents that wait for `output_item.done` never act",
    breaks_zh="等待 `output_item.done` 的智能体不会继续",
    mend="Send `response.in_progress`, and close every part and item with its `done` event "
    "(`response.content_part.done`, `response.output_item.done`) in order.",
    mend_zh="发送 `response.in_progress`,并依次用 `done` 事件 (`response.content_part.done`、"
    "`response.output_item.done`)关闭每个部分和每一项。",
)
def lifecycle(exchange: Exchange) -> Iterator[Finding]:
    """A stream SHOULD tell its progress, and close with a `done` whatever it opens."""
    events = typed_events(exchange)
    if not of_type(exchange, "response.in_progress"):
        yield Finding(events[0].at, "response.in_progress after it", "absent")
    for opener, closer, names in _CLOSERS:
        closed = {_place(event, names) for event in of_type(exchange, closer)}
        for place, event in {_place(event, names): event for event in of_type(exchange, opener)}.items():
            if place not in closed:
                yield Finding(event.at, f"{closer} after it", "absent")


@rule(
    "responses.stream.deltas-join",
    doc="openai:responses-streaming/response-output-text-done",
    lines=("RSP-06",),
    zh="所有 output_text.delta 拼接起来必须等于 output_text.done 的 text",
    operations=_STREAM,
    applies=lambda exchange: bool(of_type(exchange, _TEXT_DONE)),
    needs=("/delta", "/text", "/item_id", "/content_index"),
    breaks="users read another text while it streams than what is kept",
    breaks_zh="用户看到的流式文字与保存下来的不同",
    mend="Collect the deltas exactly as they were sent and write that text into `response.output_text.done`; do not "
    "trim it.",
    mend_zh="按发送的原样累积 delta,并把该文本写入 `response.output_text.done`,不要修剪。",
)
def deltas_join(exchange: Exchange) -> Iterator[Finding]:
    """The deltas of a text MUST join to the text of its `done` event."""
    said = joined(of_type(exchange, _TEXT), "item_id", "content_index")
    for event in of_type(exchange, _TEXT_DONE):
        pieces = said.get((event.data["item_id"], event.data["content_index"]), "")
        if pieces != event.data["text"]:
            yield Finding(f"{event.at}/text", pieces, event.data["text"])


def _kept(exchange: Exchange, event: TypedEvent, kind: str) -> tuple[str, Mapping[str, Any]]:
    """(pointer, item) of the final output that an event is about: by its id, else by its place; empty without."""
    found = items(exchange, kind)
    same = [(place, item) for place, item in found if item.get("id") == event.data["item_id"]]
    there = [(place, item) for place, item in found if place == event.data["output_index"]]
    place, item = next(iter(same or there), (event.data["output_index"], {}))
    return pointer(exchange, f"/output/{place}"), item


@rule(
    "responses.stream.final-text",
    doc="openai:responses-streaming/response-completed",
    lines=("RSP-06",),
    zh="response.completed 中的文字必须与 output_text.done 相同",
    operations=_STREAM,
    applies=lambda exchange: completed(exchange) and bool(of_type(exchange, _TEXT_DONE)),
    needs=("/text", "/item_id", "/output_index", "/content_index", "/response/output"),
    breaks="`get_final_response()` gives another text than was streamed, or none",
    breaks_zh="`get_final_response()` 得到的文字与流式内容不同,或为空",
    mend="Fill `output` of the final event from the text that was collected while streaming, instead of leaving it "
    "empty or asking again.",
    mend_zh="用流式过程中累积的文本填写结束事件的 `output`,不要留空或重新请求。",
)
def final_text(exchange: Exchange) -> Iterator[Finding]:
    """The text in `response.completed` MUST be that of `output_text.done`."""
    for event in of_type(exchange, _TEXT_DONE):
        at, item = _kept(exchange, event, "message")
        index, content = event.data["content_index"], item.get("content", [])
        text = content[index].get("text") if index < len(content) else "absent"
        if text != event.data["text"]:
            yield Finding(f"{at}/content/{index}/text", event.data["text"], text)


@rule(
    "responses.stream.arguments-join",
    doc="openai:responses-streaming/response-function-call-arguments-done",
    lines=("RSP-08",),
    zh="function_call_arguments.delta 拼接起来必须等于 done 与最终结果中的 arguments",
    operations=_STREAM,
    applies=lambda exchange: completed(exchange) and bool(of_type(exchange, _CALL_DONE)),
    needs=("/delta", "/arguments", "/item_id", "/output_index", "/response/output"),
    breaks="agents call the function with other arguments than the model gave",
    breaks_zh="智能体会以错误的参数调用函数",
    mend="Collect the deltas of arguments for each call apart, and write the same text into its `done` event and the "
    "final item.",
    mend_zh="按调用分别累积参数的 delta,并把同一文本写入其 `done` 事件和最终的项。",
)
def arguments_join(exchange: Exchange) -> Iterator[Finding]:
    """The deltas of arguments MUST join to those of the `done` event and of the final call."""
    said = joined(of_type(exchange, _CALL), "item_id")
    for event in of_type(exchange, _CALL_DONE):
        pieces = said.get((event.data["item_id"],), "")
        if pieces != event.data["arguments"]:
            yield Finding(f"{event.at}/arguments", pieces, event.data["arguments"])
        at, item = _kept(exchange, event, "function_call")
        if item.get("arguments") != event.data["arguments"]:
            yield Finding(f"{at}/arguments", event.data["arguments"], item.get("arguments", "absent"))


@rule(
    "responses.stream.usage-matches-plain",
    doc="openai:responses/object#usage",
    basis="implied",
    zh="同一请求,流式与非流式的 input_tokens 应相同",
    operations=("responses.stream", "responses"),
    probe="pair",
    over="run",
    least=2,
    applies=has_counts,
    needs=COUNTED,
    breaks="billing: streaming costs differently",
    breaks_zh="计费:流式调用价格不同",
    mend="Take the input's count from one source for both forms: often the upstream counts plain answers and a local "
    "tokenizer the streams.",
    mend_zh="两种形式的输入计数应来自同一来源:常见的情况是非流式用上游计数,流式用本地分词器。",
)
def usage_matches_plain(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The same prompt SHOULD count the same input tokens, streamed or not."""
    plain, streamed = sorted(exchanges, key=lambda exchange: exchange.case.operation)[:2]
    counts = [usage_of(exchange)["input_tokens"] for exchange in (plain, streamed)]
    if counts[0] != counts[1]:
        at = pointer(streamed, "/usage/input_tokens")
        yield Finding(at, counts[0], counts[1], exchange=streamed.case.id)
