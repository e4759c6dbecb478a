"""Usage in chat streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.model import Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.usage import adds_up
from conformance.rules.views import has_chunks, has_usage, usage_of

_STREAM = ("chat.stream",)


@rule(
    "chat.stream.usage-chunk",
    doc="openai:chat/create#stream_options",
    lines=("STR-14",),
    zh="要求 include_usage 时,用量必须在末尾由一个 choices 为空的数据块给出",
    operations=_STREAM,
    probe="include-usage",
    applies=has_chunks,
    needs=("/choices", "/usage"),
    breaks="billing: clients invent, sum or miss the usage",
    breaks_zh="计费:客户端会编造、累加或漏掉用量",
    mend='Ask the upstream for usage too, and send it in one last chunk with `"choices": []`, after the finish and '
    "before `[DONE]`.",
    mend_zh='也向上游请求用量,并在结束块之后、`[DONE]` 之前,以一个 `"choices": []` 的数据块发送。',
)
def usage_chunk(exchange: Exchange) -> Iterator[Finding]:
    """With `include_usage`, one last chunk MUST carry the usage and an empty `choices`."""
    usages = exchange.stream.usages
    last_finish = max(
        (event for each in exchange.stream.choices.values() for event, value in each.finishes if value), default=-1
    )
    if not usages:
        yield Finding("", "a chunk with usage", "none", deviation="usage-missing")
    elif len(usages) > 1:
        at = f"/events/{usages[0].event}/usage"
        yield Finding(at, "usage in one chunk", f"in {len(usages)} chunks", deviation="usage-every-chunk")
    elif usages[0].value["choices"]:
        label = "usage-on-finish" if usages[0].event == last_finish else "usage-with-choice"
        yield Finding(f"/events/{usages[0].event}/choices", [], usages[0].value["choices"], deviation=label)
    elif usages[0].event < last_finish:
        yield Finding(f"/events/{usages[0].event}", f"after event {last_finish}", f"event {usages[0].event}")


@rule(
    "chat.stream.usage-unasked",
    doc="openai:chat/create#stream_options",
    lines=("STR-15",),
    zh="没有要求 include_usage 时,每个数据块都必须带有 choices",
    operations=_STREAM,
    probe="no-usage-asked",
    applies=has_chunks,
    needs=("/choices",),
    breaks="client code that reads choices[0] unguarded crashes",
    breaks_zh="不加判断就读取 choices[0] 的代码会崩溃",
    mend="Drop the usage chunk before it reaches a client that did not send `include_usage`, even if you ask the "
    "upstream for it to bill by.",
    mend_zh="客户端没有发送 `include_usage` 时去掉用量块,即使为了计费而向上游请求了它。",
)
def usage_unasked(exchange: Exchange) -> Iterator[Finding]:
    """Without `include_usage`, every chunk MUST carry a choice."""
    for chunk in exchange.stream.chunks:
        if chunk.value["choices"] == []:
            label = "usage-unasked" if chunk.value.get("usage") else ""
            yield Finding(f"/events/{chunk.event}/choices", "a choice", [], deviation=label)


@rule(
    "chat.stream.usage-adds-up",
    doc="openai:chat/object#usage",
    lines=("STR-20",),
    zh="流中用量的 total_tokens 应等于两项之和",
    operations=_STREAM,
    applies=has_usage,
    needs=("/usage",),
    breaks="billing: clients that trust the total miscount",
    breaks_zh="计费:相信总数的客户端会算错",
    mend="Let the same code fill the usage of streams and of plain answers: `total_tokens` is the sum, with thinking "
    "tokens inside `completion_tokens`.",
    mend_zh="流式与非流式的用量由同一段代码填写:`total_tokens` 为两项之和,思考 token 计入 `completion_tokens`。",
)
def stream_usage_adds_up(exchange: Exchange) -> Iterator[Finding]:
    """A stream's `total_tokens` SHOULD equal prompt plus completion tokens."""
    yield from adds_up(exchange)


@rule(
    "chat.stream.usage-matches-plain",
    doc="openai:chat/object#usage",
    lines=("USE-07",),
    basis="implied",
    zh="同一请求,流式与非流式的 prompt_tokens 应相同",
    operations=("chat.stream", "chat"),
    probe="pair",
    over="run",
    least=2,
    applies=has_usage,
    needs=("/usage",),
    breaks="billing: streaming costs differently",
    breaks_zh="计费:流式调用价格不同",
    mend="Take the prompt's count from one source for both forms: often the upstream counts plain answers and a local "
    "tokenizer the streams.",
    mend_zh="两种形式的提示计数应来自同一来源:常见的情况是非流式用上游计数,流式用本地分词器。",
)
def usage_matches_plain(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The same prompt SHOULD count the same prompt tokens, streamed or not."""
    plain, streamed = sorted(exchanges, key=lambda exchange: exchange.case.operation)[:2]
    counts = [usage_of(exchange)["prompt_tokens"] for exchange in (plain, streamed)]
    if counts[0] != counts[1]:
        at = f"/events/{streamed.stream.usages[-1].event}/usage/prompt_tokens"
        yield Finding(at, counts[0], counts[1], exchange=streamed.case.id)
