"""Chat streams: the wire, the order of chunks, and what they add up to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.model import Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.chat import finish_label
from conformance.rules.views import FINISHES, THINKING_ROLES, has_chunks, has_usage, reasoning_tokens, usage_of
from conformance.stream import DONE

_KEEP_ALIVE = re.compile(r"^\s*: ?(PING|ping|keep-?alive|OPENROUTER PROCESSING)\b|\n: ?(PING|OPENROUTER PROCESSING)\b")
_STREAM = ("chat.stream",)


@rule(
    "chat.stream.content-type",
    doc="openai:chat/streaming",
    lines=("STR-01", "COM-11"),
    zh="流式回答的 Content-Type 必须是 text/event-stream",
    operations=_STREAM,
    breaks="proxies buffer the stream; strict clients refuse it",
    breaks_zh="代理会缓冲整个流;严格的客户端会拒绝",
    mend="Set `Content-Type: text/event-stream` before the first chunk, instead of copying the upstream's header or "
    "letting the framework choose.",
    mend_zh="在发送第一个数据块之前设置 `Content-Type: text/event-stream`,不要照抄上游的响应头或由框架决定。",
)
def content_type(exchange: Exchange) -> Iterator[Finding]:
    """A stream MUST be labelled `Content-Type: text/event-stream`."""
    if exchange.media_type != "text/event-stream":
        label = "json-for-stream" if isinstance(exchange.json, dict) else ""
        yield Finding("header:content-type", "text/event-stream", exchange.media_type or "absent", deviation=label)


@rule(
    "chat.stream.data-json",
    doc="openai:chat/streaming",
    lines=("STR-02",),
    zh="每个 data: 必须是一个 JSON 对象,且至少有一个",
    operations=_STREAM,
    breaks="every SDK raises in mid-stream, or returns an empty text",
    breaks_zh="所有 SDK 都会在流中途报错,或返回空文本",
    mend="Write each event as `data: `, one JSON object and an empty line, and forward only whole events, however the "
    "upstream's bytes were cut on the way.",
    mend_zh="每个事件写成 `data: ` 加一个 JSON 对象再加空行;无论上游字节怎样分段,只转发完整的事件。",
)
def data_is_json(exchange: Exchange) -> Iterator[Finding]:
    """Every `data:` payload MUST be one JSON object, and there is at least one."""
    for problem in exchange.stream.problems:
        yield Finding(f"/events/{problem.event}", "one JSON object", problem.data, problem.problem, problem.problem)
    if not exchange.stream.chunks and not exchange.stream.problems:
        yield Finding("", "events", "no event at all")


@rule(
    "chat.stream.utf8",
    doc="whatwg:server-sent-events",
    lines=("STR-13",),
    zh="流必须是合法的 UTF-8",
    operations=_STREAM,
    breaks="text breaks at the damaged byte",
    breaks_zh="文字在损坏的字节处断掉",
    mend="Forward whole events or whole characters: a buffer that is cut after a fixed number of bytes splits "
    "characters.",
    mend_zh="按完整事件或完整字符转发:按固定字节数切分缓冲区会切断字符。",
)
def stream_is_utf8(exchange: Exchange) -> Iterator[Finding]:
    """A stream MUST be valid UTF-8."""
    if exchange.stream.utf8_problem:
        yield Finding("", "UTF-8", exchange.stream.utf8_problem)


@rule(
    "chat.stream.keep-alive-outside",
    doc="whatwg:server-sent-events",
    lines=("STR-03",),
    zh="保活注释不得混入回答内容",
    operations=_STREAM,
    applies=has_chunks,
    breaks="users read `: PING` in the answer",
    breaks_zh="用户会在回答里看到 `: PING`",
    mend="Send keep-alives as SSE comments (a line that begins with `:` and an empty line), and skip the upstream's "
    "comments before parsing `data:`.",
    mend_zh="保活内容应作为 SSE 注释发送 (以 `:` 开头的一行加空行),解析 `data:` 之前要跳过上游的注释。",
)
def keep_alive_outside(exchange: Exchange) -> Iterator[Finding]:
    """Keep-alive comments MUST NOT become part of the answer."""
    for index, choice in exchange.stream.choices.items():
        found = next((piece for piece in choice.pieces if _KEEP_ALIVE.search(piece)), None)
        if found is not None:
            yield Finding(f"/choices/{index}/delta/content", "text of the model", found, deviation="keepalive-comment")


@rule(
    "chat.stream.done-last",
    doc="openai:chat/streaming",
    lines=("STR-04",),
    zh="流必须以唯一的 data: [DONE] 结束",
    operations=_STREAM,
    applies=has_chunks,
    breaks="hand-written parsers wait for an end that does not come",
    breaks_zh="手写解析器会一直等待结束标记",
    mend="Write `data: [DONE]` once, at the end of every stream, also where the upstream's own protocol has no such "
    "mark.",
    mend_zh="每个流结束时写一次 `data: [DONE]`,即使上游协议没有这个标记。",
)
def done_last(exchange: Exchange) -> Iterator[Finding]:
    """A stream MUST end with `data: [DONE]`, once."""
    done, last = exchange.stream.done, len(exchange.stream.events) - 1
    if not done:
        yield Finding(f"/events/{last}", DONE, "absent", deviation="done-missing")
    elif done != (last,):
        yield Finding(f"/events/{done[0]}", f"{DONE} once, as event {last}", f"as event {', '.join(map(str, done))}")


def _differing(exchange: Exchange, field: str, label: str) -> Iterator[Finding]:
    """A finding at the first chunk whose field is not that of the first chunk."""
    chunks = exchange.stream.chunks
    first = chunks[0].value[field]
    for chunk in chunks:
        if chunk.value[field] != first:
            yield Finding(f"/events/{chunk.event}/{field}", first, chunk.value[field], deviation=label)
            return


@rule(
    "chat.stream.same-id",
    doc="openai:chat/streaming#id",
    lines=("STR-06",),
    zh="同一个流的所有数据块必须有相同的 id",
    operations=_STREAM,
    applies=has_chunks,
    needs=("/id",),
    breaks="clients that group chunks by id see many answers",
    breaks_zh="按 id 归并的客户端会看到多个回答",
    mend="Make one `id` when the stream starts and write it on every chunk, instead of a new one wherever a chunk is "
    "converted.",
    mend_zh="流开始时生成一个 `id` 并写在每个数据块上,不要在转换每个数据块时各生成一个。",
)
def same_id(exchange: Exchange) -> Iterator[Finding]:
    """All chunks of a stream MUST have the same `id`."""
    yield from _differing(exchange, "id", "id-per-chunk")


@rule(
    "chat.stream.same-created",
    doc="openai:chat/streaming#created",
    lines=("STR-07",),
    zh="同一个流的所有数据块必须有相同的 created",
    operations=_STREAM,
    applies=has_chunks,
    needs=("/created",),
    breaks="nothing in the common clients",
    breaks_zh="常见客户端不受影响",
    mend="Take the time once, when the stream starts, and write the same `created` on every chunk.",
    mend_zh="流开始时取一次时间,每个数据块都写同一个 `created`。",
)
def same_created(exchange: Exchange) -> Iterator[Finding]:
    """All chunks of a stream MUST have the same `created`."""
    yield from _differing(exchange, "created", "created-per-chunk")


@rule(
    "chat.stream.same-model",
    doc="openai:chat/streaming#model",
    lines=("STR-08",),
    zh="同一个流的所有数据块应有相同的 model",
    operations=_STREAM,
    applies=has_chunks,
    needs=("/model",),
    breaks="nobody can tell which model was billed",
    breaks_zh="无法得知实际计费的模型",
    mend="Write one model name on every chunk, those with the role, the finish and the usage included.",
    mend_zh="所有数据块 (包括角色块、结束块和用量块)都写同一个模型名。",
)
def same_model(exchange: Exchange) -> Iterator[Finding]:
    """All chunks of a stream SHOULD name the same `model`."""
    yield from _differing(exchange, "model", "model-per-chunk")


@rule(
    "chat.stream.role-first",
    doc="openai:chat/streaming#delta",
    lines=("STR-09",),
    zh="role 应出现在每个候选回答的第一个 delta 中,且只出现一次",
    operations=_STREAM,
    applies=has_chunks,
    needs=("/choices/*/delta",),
    breaks="the stream helper of the Node SDK raises without it",
    breaks_zh="缺少时 Node SDK 的流式助手会报错",
    mend="Send `role: assistant` with the first delta of each choice and leave it out of the others; upstreams that "
    "have no such piece need it added.",
    mend_zh="每个 choice 的第一个 delta 带 `role: assistant`,其余不带;上游没有这一块时要补上。",
)
def role_first(exchange: Exchange) -> Iterator[Finding]:
    """The first delta of each choice SHOULD carry `role: assistant`, and no later one."""
    for index, choice in exchange.stream.choices.items():
        at = f"/events/{choice.first_delta}/choices/{index}/delta/role"
        if not choice.roles or choice.roles[0] != (choice.first_delta, "assistant"):
            yield Finding(at, "assistant", choice.roles[0][1] if choice.roles else "absent")
        elif len(choice.roles) > 1:
            yield Finding(at, "once", f"in {len(choice.roles)} deltas", deviation="role-every-chunk")


@rule(
    "chat.stream.finish-null-until-end",
    doc="openai:chat/streaming#finish_reason",
    lines=("STR-10",),
    zh="结束之前 finish_reason 必须为 null",
    operations=_STREAM,
    applies=has_chunks,
    needs=("/choices/*/finish_reason",),
    breaks="converters to other protocols end the answer at once",
    breaks_zh="转换成其他协议的程序会立即结束回答",
    mend="Write `finish_reason` as null, not as an empty text and not as `stop`, on every chunk but the one that ends "
    "the choice.",
    mend_zh="除结束该 choice 的数据块外,`finish_reason` 一律写 null,不要写空字符串或 `stop`。",
)
def finish_null_until_end(exchange: Exchange) -> Iterator[Finding]:
    """`finish_reason` MUST be null until the chunk that ends its choice."""
    for index, choice in exchange.stream.choices.items():
        empty = [event for event, value in choice.finishes if value == ""]
        if empty:
            at = f"/events/{empty[0]}/choices/{index}/finish_reason"
            yield Finding(at, None, "", deviation="finish-empty-string")


@rule(
    "chat.stream.finish-once",
    doc="openai:chat/streaming#finish_reason",
    lines=("STR-11", "STR-21"),
    zh="每个候选回答必须恰好有一个非空的 finish_reason,否则视为被截断",
    operations=_STREAM,
    applies=has_chunks,
    needs=("/choices/*/finish_reason",),
    breaks="a cut answer looks whole; some clients join the reasons",
    breaks_zh="被截断的回答看起来完整;部分客户端会把多个原因拼在一起",
    mend="Send one chunk with `finish_reason` when the upstream tells its end; when it breaks off instead, send an "
    "error event and no `stop`.",
    mend_zh="上游说明结束时发送一个带 `finish_reason` 的数据块;上游中断时发送错误事件,不要补写 `stop`。",
)
def finish_once(exchange: Exchange) -> Iterator[Finding]:
    """Each choice of a stream MUST have exactly one `finish_reason`; without one it was cut."""
    if not exchange.stream.choices:
        yield Finding("", "a finish_reason", "no choice at all")
    for index, choice in exchange.stream.choices.items():
        ends = [(event, value) for event, value in choice.finishes if value]
        if not ends:
            yield Finding(f"/choices/{index}/finish_reason", "one", "none", deviation="finish-lost")
        elif len(ends) > 1:
            at = f"/events/{ends[1][0]}/choices/{index}/finish_reason"
            yield Finding(at, "one", [value for _, value in ends])


@rule(
    "chat.stream.finish-known",
    doc="openai:chat/streaming#finish_reason",
    lines=("CHAT-08",),
    zh="流中的 finish_reason 必须是文档列出的值",
    operations=_STREAM,
    applies=has_chunks,
    needs=("/choices/*/finish_reason",),
    breaks="agents cannot tell a finished answer from a cut one",
    breaks_zh="智能体无法分辨回答是说完了还是被截断",
    mend="Map the upstream's reasons in the stream's converter as in the plain one: `end_turn` to `stop`, "
    "`max_tokens` to `length`, `tool_use` to `tool_calls`.",
    mend_zh="流式转换与非流式一样映射上游的结束原因:`end_turn` 为 `stop`,`max_tokens` 为 `length`,`tool_use` 为 "
    "`tool_calls`。",
)
def finish_known(exchange: Exchange) -> Iterator[Finding]:
    """A streamed `finish_reason` MUST be one of the documented values."""
    for index, choice in exchange.stream.choices.items():
        odd = [(event, value) for event, value in choice.finishes if value and value not in FINISHES]
        if odd:
            at = f"/events/{odd[0][0]}/choices/{index}/finish_reason"
            yield Finding(at, list(FINISHES), odd[0][1], deviation=finish_label(odd[0][1]))


@rule(
    "chat.stream.nothing-after-finish",
    doc="openai:chat/streaming#finish_reason",
    lines=("STR-12",),
    basis="implied",
    zh="finish_reason 之后不应再有内容",
    operations=_STREAM,
    applies=has_chunks,
    needs=("/choices/*/delta", "/choices/*/finish_reason"),
    breaks="clients that stop reading at the finish lose text",
    breaks_zh="读到结束即停的客户端会丢失文字",
    mend="Hold the chunk with `finish_reason` back until all text and calls of the choice have been sent.",
    mend_zh="等该 choice 的文本和工具调用全部发送后,再发送带 `finish_reason` 的数据块。",
)
def nothing_after_finish(exchange: Exchange) -> Iterator[Finding]:
    """No content SHOULD come after the finish of its choice."""
    for index, choice in exchange.stream.choices.items():
        if choice.late:
            yield Finding(f"/events/{choice.late[0]}/choices/{index}/delta/content", "absent", "more content")


@rule(
    "chat.stream.content-present",
    doc="openai:chat/streaming#delta",
    lines=("STR-13",),
    basis="implied",
    zh="有计费输出的流必须带有内容",
    operations=_STREAM,
    cases=lambda case: case.role not in THINKING_ROLES,
    applies=lambda exchange: has_chunks(exchange) and has_usage(exchange),
    needs=("/choices/*/delta", "/usage"),
    breaks="tokens are billed and nothing arrives",
    breaks_zh="扣了费却没有内容",
    mend="Look at the upstream's events: map every kind that carries text to `delta.content`, and bill nothing where "
    "nothing came.",
    mend_zh="查看上游事件:把所有带文本的事件映射为 `delta.content`;没有内容时不计费。",
)
def content_present(exchange: Exchange) -> Iterator[Finding]:
    """A stream that bills output tokens MUST carry content."""
    choices = exchange.stream.choices.values()
    billed = usage_of(exchange)["completion_tokens"] - reasoning_tokens(exchange)
    silent = not any(choice.pieces or choice.reasoning or choice.other for choice in choices)
    # One or two tokens may be the end marks of a model that had nothing to say.
    if silent and billed > 2 and {choice.finish for choice in choices} <= {"stop", ""}:
        yield Finding("", f"the text of {billed} billed tokens", "no text")


@rule(
    "chat.stream.choices-separable",
    doc="openai:chat/create#n",
    lines=("STR-17",),
    zh="n 大于 1 时,数据块必须能按 index 区分各候选回答",
    operations=_STREAM,
    probe="n",
    applies=has_chunks,
    needs=("/choices/*/index",),
    breaks="two answers are mixed into one text",
    breaks_zh="两个回答会混成一段文字",
    mend="Pass the upstream's `index` through, or number the streams if the adapter asks the upstream `n` times.",
    mend_zh="转发上游的 `index`;若适配器向上游请求 `n` 次,则为各路流编号。",
)
def choices_separable(exchange: Exchange) -> Iterator[Finding]:
    """With `n` above 1, chunks MUST tell the choices apart by `index`."""
    asked = list(range((exchange.case.body or {}).get("n") or 1))
    seen = sorted(exchange.stream.choices)
    if seen != asked:
        yield Finding("/choices/*/index", asked, seen, deviation="params-dropped" if seen == [0] else "")


@rule(
    "chat.stream.index-from-zero",
    doc="openai:chat/streaming#choices",
    lines=("STR-18",),
    zh="单个回答的 index 可以不从 0 开始 (new-api 的已知偏差)",
    operations=_STREAM,
    applies=lambda exchange: has_chunks(exchange) and len(exchange.stream.choices) == 1,
    needs=("/choices/*/index",),
    breaks="clients that read choice 0 only lose text",
    breaks_zh="只读 0 号回答的客户端会丢失文字",
    mend="Number choices by the answer they belong to, not by the upstream's content block: thinking and text are one "
    "choice, index 0.",
    mend_zh="`index` 应按回答编号,而不是按上游的内容块:思考与正文属于同一个 choice,index 为 0。",
)
def index_from_zero(exchange: Exchange) -> Iterator[Finding]:
    """A single answer MAY have another index than 0, as behind one version of new-api."""
    index = next(iter(exchange.stream.choices))
    if index != 0:
        yield Finding("/choices/0/index", 0, index, deviation="choice-index-shift")
