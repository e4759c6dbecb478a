"""Faults of streams: their events, their chunks, their usage, and their course."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from conformance.relay import wire
from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.relay.call import Call

_SHAPE = {"chat.stream.compat"}
_LONG = 60
"""Frames beyond which a stream is long."""

_SHORT_LIMIT = 16
_BENCH_SECONDS = 3.0


def _on_choices(call: Call, change: Callable[[dict[str, Any]], object]) -> None:
    for chunk in call.chunks:
        for choice in chunk["choices"]:
            change(choice)


def _finishes(call: Call) -> list[dict[str, Any]]:
    """The choices of the finish chunks."""
    return [choice for chunk in call.chunks for choice in chunk["choices"] if choice["finish_reason"]]


def _finish_at(call: Call) -> int:
    """Where the first finish chunk is."""
    return next(
        number
        for number, chunk in enumerate(call.chunks)
        if any(choice["finish_reason"] for choice in chunk["choices"])
    )


@fault(
    "stream-as-text",
    Stage.REPLY,
    trips={"chat.stream.content-type", "operation.stream.labelled"},
    zh="流标成 text/plain",
)
def _(call: Call) -> None:
    """A stream is labelled text/plain."""
    if call.streaming:
        wire.set_header(call.reply_headers, b"content-type", b"text/plain; charset=utf-8")


@fault(
    "stream-as-json-type",
    Stage.REPLY,
    trips={"chat.stream.content-type", "operation.stream.labelled"},
    zh="流标成 application/json",
)
def _(call: Call) -> None:
    """A stream is labelled application/json."""
    if call.streaming:
        wire.set_header(call.reply_headers, *wire.JSON_TYPE)


@fault(
    "events-run-together",
    Stage.FRAMES,
    trips={"chat.stream.data-json"},
    zh="事件之间只有一个换行",
)
def _(call: Call) -> None:
    """Events are separated by one newline instead of two, which the SDKs read as one event, or as none."""
    call.frames = [frame.replace(b"\n\n", b"\n") for frame in call.frames]


@fault("ping-as-data", Stage.FRAMES, trips={"chat.stream.data-json"}, zh="把 PING 当作 data 发送")
def _(call: Call) -> None:
    """The connection is kept alive with data instead of comments."""
    call.frames.insert(1, b"data: PING\n\n")


@fault("blank-data", Stage.FRAMES, trips={"chat.stream.data-json"}, zh="有空的 data 行")
def _(call: Call) -> None:
    """An event has a blank data line."""
    call.frames.insert(1, b"data: \n\n")


@fault("chunk-truncated", Stage.FRAMES, trips={"chat.stream.data-json"}, zh="有一个 chunk 被截断")
def _(call: Call) -> None:
    """The JSON of one chunk breaks off."""
    call.frames.insert(1, call.frames[0][:-30] + b"\n\n")


@fault("chunk-in-array", Stage.FRAMES, trips={"chat.stream.data-json"}, zh="chunk 包在数组里")
def _(call: Call) -> None:
    """A chunk comes in an array, as Gemini sends them."""
    call.frames.insert(1, call.frames[0].replace(b"data: ", b"data: [").replace(b"\n\n", b"]\n\n"))


@fault("chunk-doubled-keys", Stage.FRAMES, trips={"http.body.unique-keys"}, zh="chunk 里有重复的键")
def _(call: Call) -> None:
    """Chunks have a key twice."""
    call.frames = [frame.replace(b'{"id":', b'{"object":"chat.completion.chunk","id":', 1) for frame in call.frames]


@fault("stream-comment-not-utf8", Stage.FRAMES, trips={"chat.stream.utf8"}, zh="流里有无效的 UTF-8")
def _(call: Call) -> None:
    """A comment of a stream is not UTF-8."""
    call.frames.insert(1, b": \xb5\xc8\xb4\xfd\n\n")


@fault("stream-in-gbk", Stage.FRAMES, trips={"chat.stream.utf8", "chat.text.intact"}, zh="流用 GBK 编码")
def _(call: Call) -> None:
    """A stream is encoded in GBK."""
    call.frames = [frame.decode().encode("gb18030") for frame in call.frames]


@fault(
    "ping-in-content",
    Stage.CHUNKS,
    trips={"chat.stream.keep-alive-outside", "chat.response-format.json", "chat.stream.logprobs-joined"},
    zh="把 PING 混进内容",
)
def _(call: Call) -> None:
    """A keep-alive comment of the upstream is taken for text."""
    spoilt = {"index": 0, "delta": {"content": ": PING\n\n"}, "logprobs": None, "finish_reason": None}
    call.chunks.insert(_finish_at(call), call.chunks[0] | {"choices": [spoilt]})


@fault("done-missing", Stage.FRAMES, trips={"chat.stream.done-last"}, zh="没有 [DONE]")
def _(call: Call) -> None:
    """A stream ends without [DONE], as from reverse channels."""
    call.frames.remove(wire.DONE)


@fault("done-twice", Stage.FRAMES, trips={"chat.stream.done-last"}, zh="[DONE] 出现两次")
def _(call: Call) -> None:
    """Two [DONE]s end a stream, the upstream's and the relay's."""
    call.frames.append(wire.DONE)


@fault("done-early", Stage.FRAMES, trips={"chat.stream.done-last"}, zh="[DONE] 之后还有事件")
def _(call: Call) -> None:
    """A chunk without content follows [DONE]."""
    choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}
    call.frames.append(wire.event(call.chunks[0] | {"choices": [choice]}))


@fault("id-per-chunk", Stage.CHUNKS, trips={"chat.stream.same-id"}, zh="每个 chunk 的 id 不同")
def _(call: Call) -> None:
    """Every chunk has an id of its own, as in the Gemini channel of one-api."""
    for number, chunk in enumerate(call.chunks):
        chunk["id"] += f"-{number}"


@fault("created-per-chunk", Stage.CHUNKS, trips={"chat.stream.same-created"}, zh="每个 chunk 的 created 不同")
def _(call: Call) -> None:
    """Every chunk has a time of its own, as in the Gemini channel of one-api."""
    for number, chunk in enumerate(call.chunks):
        chunk["created"] += number


@fault("model-per-chunk", Stage.CHUNKS, trips={"chat.stream.same-model"}, zh="同一个流里 model 不同")
def _(call: Call) -> None:
    """The last chunk names the model without its date, the others with it."""
    for chunk in call.chunks[:-1]:
        chunk["model"] += "-2024-05-13"


@fault("role-missing", Stage.CHUNKS, trips={"chat.stream.role-first"}, zh="从不给出 role")
def _(call: Call) -> None:
    """No delta says that the assistant speaks, as in the Gemini channel of one-api."""
    _on_choices(call, lambda choice: choice["delta"].pop("role", None))


@fault("role-every-chunk", Stage.CHUNKS, trips={"chat.stream.role-first"}, zh="每个 chunk 都带 role")
def _(call: Call) -> None:
    """Every delta says that the assistant speaks, as in the Claude channel of one-api."""
    _on_choices(call, lambda choice: choice["delta"].update(role="assistant"))


@fault(
    "finish-empty-string",
    Stage.CHUNKS,
    trips={"chat.stream.finish-null-until-end", "chat.stream.strict"},
    zh="结束之前 finish_reason 是空字符串",
)
def _(call: Call) -> None:
    """Until the end the finish reason is an empty string, as in the Claude channel of one-api."""
    _on_choices(call, lambda choice: choice.update(finish_reason=choice["finish_reason"] or ""))


@fault(
    "finish-every-chunk",
    Stage.CHUNKS,
    trips={"chat.stream.finish-once", "chat.stream.nothing-after-finish", "chat.tool-calls.finish"},
    zh="每个 chunk 都带 finish_reason",
)
def _(call: Call) -> None:
    """Every chunk says stop, which langchain adds up to stopstopstop."""
    _on_choices(call, lambda choice: choice.update(finish_reason="stop"))


@fault(
    "finish-lost",
    Stage.CHUNKS,
    trips={"chat.stream.finish-once"},
    zh="流里没有 finish_reason",
)
def _(call: Call) -> None:
    """A stream never says why it ended, as in the Gemini channel of one-api and in new-api without usage."""
    for choice in _finishes(call):
        choice["finish_reason"] = None


@fault("finish-twice", Stage.CHUNKS, trips={"chat.stream.finish-once"}, zh="finish_reason 出现两次")
def _(call: Call) -> None:
    """A stream says twice why it ended."""
    at = _finish_at(call)
    call.chunks.insert(at, call.chunks[at])


@fault("finish-key-missing", Stage.CHUNKS, trips={"chat.stream.strict"}, zh="结束之前没有 finish_reason 键")
def _(call: Call) -> None:
    """Until the end there is no key for the finish reason."""
    _on_choices(call, lambda choice: choice["finish_reason"] or choice.pop("finish_reason"))


@fault(
    "stream-cut-short",
    Stage.CHUNKS,
    trips={"chat.stream.finish-once"},
    zh="流中途断了却仍发 [DONE]",
)
def _(call: Call) -> None:
    """The upstream breaks off, and the relay ends the stream with [DONE] as if nothing had happened."""
    if not call.include_usage:
        del call.chunks[_finish_at(call) :]


@fault("content-after-finish", Stage.CHUNKS, trips={"chat.stream.nothing-after-finish"}, zh="结束之后还有内容")
def _(call: Call) -> None:
    """The last piece of the text comes after the finish chunk."""
    at = _finish_at(call)
    call.chunks.insert(at - 1, call.chunks.pop(at))


@fault("stream-content-lost", Stage.CHUNKS, trips={"chat.stream.content-present"}, zh="流里没有任何内容")
def _(call: Call) -> None:
    """No chunk has any content."""
    _on_choices(call, lambda choice: choice["delta"].pop("content", None))


@fault("index-shifted", Stage.CHUNKS, trips={"chat.stream.index-from-zero"}, zh="单个回答的 index 是 1")
def _(call: Call) -> None:
    """A single answer has index 1, as in the Claude channel of new-api after a thought."""
    if call.count == 1:
        _on_choices(call, lambda choice: choice.update(index=1))


@fault("stream-in-one-chunk", Stage.CHOICES, trips={"chat.stream.incremental"}, zh="整个回答在一个 chunk 里")
def _(call: Call) -> None:
    """A stream brings the whole answer in one chunk."""
    for choice in call.choices:
        choice.pieces = [choice.text]


@fault("stream-all-at-once", Stage.FRAMES, trips={"chat.stream.incremental"}, zh="等很久之后一次全部发出")
def _(call: Call) -> None:
    """The chunks of a long answer come all at once after a wait: it was not streamed by the upstream."""
    if len(call.frames) > _LONG:
        call.pause, call.spread = 4.0, 0.0


@fault(
    "azure-filter-chunk",
    Stage.CHUNKS,
    trips={"chat.stream.azure-filter-chunk"},
    zh="Azure 的内容审核 chunk",
)
def _(call: Call) -> None:
    """A stream begins with the filter results of Azure, in a chunk that is empty otherwise."""
    results = [{"prompt_index": 0, "content_filter_results": {}}]
    empty = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
    call.chunks.insert(0, empty | {"prompt_filter_results": results})


@fault("stream-extra-fields", Stage.CHUNKS, trips={"chat.stream.extra-fields"}, zh="chunk 带文档没有的字段")
def _(call: Call) -> None:
    """Chunks have fields that no document names."""
    for chunk in call.chunks:
        chunk["channel_id"] = 17


@fault(
    "message-for-delta",
    Stage.CHUNKS,
    trips={"chat.stream.extra-fields", *_SHAPE},
    zh="chunk 里是 message 而不是 delta",
)
def _(call: Call) -> None:
    """Chunks hold a message instead of a delta."""
    _on_choices(call, lambda choice: choice.update(message=choice.pop("delta")))


@fault("delta-null", Stage.CHUNKS, trips=_SHAPE, zh="最后的 delta 是 null")
def _(call: Call) -> None:
    """The delta of the finish chunk is null."""
    for choice in _finishes(call):
        choice["delta"] = None


@fault("delta-missing", Stage.CHUNKS, trips=_SHAPE, zh="最后的 chunk 没有 delta")
def _(call: Call) -> None:
    """The finish chunk has no delta."""
    for choice in _finishes(call):
        del choice["delta"]


@fault("chunk-choices-null", Stage.CHUNKS, trips=_SHAPE, zh="中间有个 chunk 的 choices 是 null")
def _(call: Call) -> None:
    """A chunk in the middle has null for choices."""
    call.chunks.insert(1, call.chunks[0] | {"choices": None})


@fault("chunk-object-wrong", Stage.CHUNKS, trips=_SHAPE, zh="chunk 的 object 不对")
def _(call: Call) -> None:
    """Chunks call themselves chat.completion."""
    for chunk in call.chunks:
        chunk["object"] = "chat.completion"


@fault("chunk-index-missing", Stage.CHUNKS, trips=_SHAPE, zh="chunk 的 choice 没有 index")
def _(call: Call) -> None:
    """The choice of a chunk has no index when there is only one."""
    if call.count == 1:
        _on_choices(call, lambda choice: choice.pop("index"))


@fault("stream-usage-missing", Stage.CHUNKS, trips={"chat.stream.usage-chunk"}, zh="要求了用量却没有")
def _(call: Call) -> None:
    """The usage that was asked for does not come, as in converted channels of one-api."""
    if call.include_usage:
        call.chunks.pop()


@fault("stream-usage-in-finish", Stage.CHUNKS, trips={"chat.stream.usage-chunk"}, zh="用量放在结束 chunk 里")
def _(call: Call) -> None:
    """The usage comes with the finish chunk instead of in a chunk of its own."""
    if call.include_usage:
        usage = call.chunks.pop()["usage"]
        call.chunks[-1]["usage"] = usage


@fault("stream-usage-everywhere", Stage.CHUNKS, trips={"chat.stream.usage-chunk"}, zh="每个 chunk 都带用量")
def _(call: Call) -> None:
    """The full usage is repeated in every chunk, which langchain adds up."""
    if call.include_usage:
        for chunk in call.chunks:
            chunk["usage"] = call.usage


@fault("stream-usage-twice", Stage.CHUNKS, trips={"chat.stream.usage-chunk"}, zh="用量 chunk 出现两次")
def _(call: Call) -> None:
    """The chunk with the usage comes twice, once from the upstream and once from the relay."""
    if call.include_usage:
        call.chunks.append(call.chunks[-1])


@fault("stream-usage-early", Stage.CHUNKS, trips={"chat.stream.usage-chunk"}, zh="用量在结束之前就来了")
def _(call: Call) -> None:
    """The chunk with the usage comes before the finish chunk."""
    if call.include_usage:
        call.chunks.insert(_finish_at(call), call.chunks.pop())


@fault("stream-usage-choices-null", Stage.CHUNKS, trips=_SHAPE, zh="用量 chunk 的 choices 是 null")
def _(call: Call) -> None:
    """The chunk with the usage has null for choices, which the npm SDK does not survive."""
    if call.include_usage:
        call.chunks[-1]["choices"] = None


@fault("stream-usage-choices-missing", Stage.CHUNKS, trips=_SHAPE, zh="用量 chunk 没有 choices")
def _(call: Call) -> None:
    """The chunk with the usage has no choices."""
    if call.include_usage:
        del call.chunks[-1]["choices"]


@fault("stream-usage-unasked", Stage.CHUNKS, trips={"chat.stream.usage-unasked"}, zh="没要求也给用量 chunk")
def _(call: Call) -> None:
    """A chunk with the usage comes though nobody asked, as in one-api with ENFORCE_INCLUDE_USAGE."""
    if not call.include_usage:
        call.chunks.append(call.chunks[0] | {"choices": [], "usage": call.usage})


@fault("cut-by-next-request", Stage.FRAMES, trips={"chat.stream.at-once"}, zh="新的请求打断正在输出的流")
def cut_by_next_request(call: Call) -> None:
    """A new request breaks off the long streams that are running, as in llama-cpp-python's server."""
    if len(call.frames) > _LONG:
        call.spread = 0.8


@cut_by_next_request.also(Stage.REQUEST)
def _(call: Call) -> None:
    """Break them off."""
    for other in call.state.streams:
        other.cut = other.streaming and len(other.frames) > _LONG


@fault("hang-up-poisons", Stage.FRAMES, trips={"chat.stream.survives-hang-up"}, zh="客户端断开后一段时间都报错")
def hang_up_poisons(call: Call) -> None:
    """When a client has hung up, the next short streams fail for seconds: its slot is not freed."""
    if len(call.frames) > _LONG:
        call.spread = 0.8


@hang_up_poisons.also(Stage.HANGUP)
def _(call: Call) -> None:
    """Keep the slot."""
    call.state.memory["poisoned until"] = time.monotonic() + _BENCH_SECONDS


@hang_up_poisons.also(Stage.PROMPT)
def _(call: Call) -> None:
    """Fail."""
    short = call.streaming and call.limit is not None and call.limit <= _SHORT_LIMIT
    if short and time.monotonic() < call.state.memory.get("poisoned until", 0.0):
        raise Refusal(500, "No free slot.", kind="server_error", code="slot_unavailable")
