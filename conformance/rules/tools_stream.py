"""Streamed tool calls: begun with id and name, told apart by index."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.tool_views import assembled, has_tools, is_whole, place_of
from conformance.stream import CallPiece


def _pieces(exchange: Exchange) -> Iterator[list[list[CallPiece]]]:
    """The pieces of the calls of each choice of a stream."""
    for choice in exchange.stream.choices.values():
        yield assembled(choice.calls)


def _streams_calls(exchange: Exchange) -> bool:
    return any(_pieces(exchange)) and is_whole(exchange)


@rule(
    "chat.stream.tool-calls-start",
    doc="openai:chat/streaming#tool_calls",
    lines=("TOOL-06",),
    zh="流式工具调用的第一块必须带有 id 和名称",
    operations=("chat.stream",),
    cases=has_tools,
    applies=_streams_calls,
    breaks="litellm loses the call; openai keeps it without an id",
    breaks_zh="litellm 会丢失该调用;openai 得到没有 id 的调用",
    mend="Send `id`, `type` and `function.name` with the first delta of a call, before any of its arguments; hold "
    "arguments back until the name is known.",
    mend_zh="调用的第一个 delta 就发送 `id`、`type` 和 `function.name`,先于任何参数;名称未知时先不发送参数。",
)
def first_piece_tells_which(exchange: Exchange) -> Iterator[Finding]:
    """The first delta of a streamed call MUST carry its id and its name."""
    for calls in _pieces(exchange):
        for first, *_ in calls:
            said = {"id": first.id, "name": first.name}
            if not all(said.values()):
                yield Finding(place_of(first), "id and name", said)


@rule(
    "chat.stream.tool-calls-index",
    doc="openai:chat/streaming#tool_calls",
    lines=("TOOL-06", "TOOL-07"),
    zh="流式工具调用必须带 index,从 0 起连续,每个调用一个",
    operations=("chat.stream",),
    cases=has_tools,
    applies=_streams_calls,
    breaks="langchain makes two broken calls of one; others mix two calls into one",
    breaks_zh="langchain 把一个调用拆成两个残缺的;其他客户端把两个混成一个",
    mend="Number the calls in the converter, from 0 and apart from text and thinking blocks, and write that `index` "
    "on every delta of the call.",
    mend_zh="在转换程序中为调用从 0 编号 (不计文本块和思考块),并在该调用的每个 delta 上写出 `index`。",
)
def index_tells_calls_apart(exchange: Exchange) -> Iterator[Finding]:
    """Every delta of a streamed call MUST carry its index: 0, 1, 2, one for each call."""
    for calls in _pieces(exchange):
        lost = next((piece for call in calls for piece in call if piece.index is None), None)
        indexes = [call[0].index for call in calls]
        if lost is not None:
            yield Finding(f"{place_of(lost)}/index", "a number", "absent", deviation="tool-index-missing")
        elif indexes != list(range(len(calls))):
            label = "tool-index-collision" if len(set(indexes)) < len(indexes) else "tool-index-gap"
            at = f"{place_of(calls[-1][0])}/index"
            yield Finding(at, list(range(len(calls))), indexes, deviation=label)


@rule(
    "chat.stream.tool-calls-once",
    doc="openai:chat/streaming#tool_calls",
    lines=("TOOL-08",),
    basis="implied",
    zh="流式工具调用的 id 和名称不应在后续块中重复",
    operations=("chat.stream",),
    cases=has_tools,
    applies=_streams_calls,
    breaks="clients that add the pieces up read the name twice",
    breaks_zh="逐块拼接的客户端会把名称读成两遍",
    mend="Leave `id` and `function.name` out of all deltas of a call but the first.",
    mend_zh="除第一个 delta 外,调用的其余 delta 都不写 `id` 和 `function.name`。",
)
def which_is_told_once(exchange: Exchange) -> Iterator[Finding]:
    """Later deltas of a streamed call SHOULD NOT repeat its id or its name."""
    for calls in _pieces(exchange):
        for first, *later in calls:
            again = next((each for each in later if (each.id and first.id) or (each.name and first.name)), None)
            if again is not None:
                yield Finding(place_of(again), "only arguments", {"id": again.id, "name": again.name})
