"""How streams arrive: as they are written, past what others do meanwhile, and with what Azure sends first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.model import Exchange, Finding
from conformance.rules.base import Answers, rule
from conformance.rules.views import SUCCESS, has_chunks

_LONG = 200
_SHORT = 32
_WAIT = 2.5
_BURST = 0.01
_MANY = 20
_STREAM = ("chat.stream",)


@rule(
    "chat.stream.incremental",
    doc="openai:chat/streaming",
    lines=("STR-19",),
    basis="implied",
    zh="较长的回答应边生成边发送,而不是攒到最后一次性发送",
    operations=_STREAM,
    cases=lambda case: "long" in case.probes or case.output_tokens <= _SHORT,
    over="run",
    anchor="long",
    applies=has_chunks,
    needs=("/choices/*/delta",),
    breaks="users stare at an empty screen, then get everything at once",
    breaks_zh="用户长时间看着空白,然后一次性收到全部",
    mend="Switch off response buffering in the reverse proxy (nginx: `proxy_buffering off`), flush after every event, "
    "and do not stream an answer that was fetched whole.",
    mend_zh="关闭反向代理的响应缓冲 (nginx:`proxy_buffering off`),每个事件后立即刷新,不要把取完的整段回答伪装成流。",
    noisy=True,
)
def incremental(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A long answer SHOULD come as it is written, not all at once.

    All at once after a wait is only held against a relay whose short answers begin much sooner: where everything is
    late, the network or this machine may be.
    """
    short = [exchange.stream.first_content for exchange in exchanges if "long" not in exchange.case.probes]
    for exchange in exchanges:
        for index, choice in exchange.stream.choices.items() if "long" in exchange.case.probes else ():
            times = [at for _, at in choice.arrivals]
            seen = ""
            if len(choice.text) > _LONG and len(times) == 1:
                seen = "one chunk"
            elif len(times) >= _MANY and times[0] > max(_WAIT, 2 * max(short, default=times[0])):
                seen = f"{len(times)} chunks at once after {times[0]:.1f} s" if times[-1] - times[0] < _BURST else ""
            if seen:
                where = f"/choices/{index}"
                yield Finding(
                    where, "several chunks, over time", seen, deviation="fake-streaming", exchange=exchange.case.id
                )


@rule(
    "chat.stream.azure-filter-chunk",
    doc="one-api:relay/adaptor/openai",
    lines=("STR-22",),
    zh="可以先发送只含内容过滤结果的数据块 (Azure)",
    operations=_STREAM,
    applies=has_chunks,
    breaks="client code that reads choices[0] unguarded crashes",
    breaks_zh="不加判断就读取 choices[0] 的代码会崩溃",
    mend="Nothing has to change; leave out the upstream's chunk of filter results where it has no choice.",
    mend_zh="无须修改;可以去掉上游那个只有过滤结果而没有 choice 的数据块。",
)
def azure_filter_chunk(exchange: Exchange) -> Iterator[Finding]:
    """A stream MAY begin with a chunk of filter results and no choice, as Azure's does."""
    for chunk in exchange.stream.filter_notes:
        yield Finding(f"/events/{chunk.event}/choices", "a choice", [], deviation="azure-backed")


@rule(
    "chat.stream.survives-hang-up",
    doc="openai:chat/streaming",
    lines=("STR-24",),
    basis="implied",
    zh="客户端中途断开后,后续请求应照常得到回答",
    operations=_STREAM,
    cases=lambda case: not case.probes.isdisjoint({"after-disconnect", "at-once"}),
    anchor="after-disconnect",
    answers=Answers.EVERYTHING,
    over="run",
    least=2,
    applies=lambda exchange: exchange.status != 429,
    breaks="one user who closes a tab takes the others down",
    breaks_zh="一个用户关掉页面会连累其他请求",
    mend="Cancel only the one upstream request when its client goes away, and keep the connection pool, the worker "
    "and the channel's health out of it.",
    mend_zh="客户端断开时只取消对应的那一个上游请求,不要影响连接池、工作进程或渠道健康状态。",
)
def survives_hang_up(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Requests after a client's hang-up SHOULD be answered."""
    after, others = _parted(exchanges, "after-disconnect")
    # One broken answer may be the weather; all of them after a hang-up, where others came through, are not.
    if len(after) > 1 and all(map(_broke, after)) and not (others and all(map(_broke, others))):
        for exchange in after:
            seen = exchange.failure.kind if exchange.failure else f"HTTP {exchange.status}"
            yield Finding("status", 200, seen, exchange=exchange.case.id)


@rule(
    "chat.stream.at-once",
    doc="openai:chat/streaming",
    basis="implied",
    zh="另一个请求不得打断正在输出的流",
    operations=_STREAM,
    cases=lambda case: not case.probes.isdisjoint({"after-disconnect", "at-once"}),
    anchor="at-once",
    answers=Answers.EVERYTHING,
    over="run",
    least=2,
    applies=lambda exchange: exchange.status in SUCCESS and has_chunks(exchange),
    breaks="answers are cut whenever two users ask at once",
    breaks_zh="只要两个用户同时提问,回答就会被截断",
    mend="Give every request its own upstream connection and its own state; look for a limit of one stream for each "
    "key, account or web session.",
    mend_zh="每个请求使用自己的上游连接和状态;检查是否对每个密钥、账号或网页会话限制为一路流。",
)
def at_once(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A second request MUST NOT cut a stream that is running."""
    overlapped, others = _parted(exchanges, "at-once")
    # One stream without an end may be the weather; every one that was overlapped, where others came to theirs, is not.
    if len(overlapped) > 1 and all(map(_cut, overlapped)) and not (others and all(map(_cut, others))):
        for exchange in overlapped:
            events = len(exchange.stream.events)
            yield Finding(f"/events/{events - 1}", "a finish_reason", "cut", exchange=exchange.case.id)


def _parted(exchanges: Sequence[Exchange], probe: str) -> tuple[list[Exchange], list[Exchange]]:
    """The exchanges that carry a probe, and the others."""
    chosen = [exchange for exchange in exchanges if probe in exchange.case.probes]
    return chosen, [exchange for exchange in exchanges if probe not in exchange.case.probes]


def _broke(exchange: Exchange) -> bool:
    """There is no answer, or one that says that the relay failed."""
    return exchange.failure is not None or exchange.status >= 500


def _cut(exchange: Exchange) -> bool:
    """The stream ends without saying that it does."""
    return not any(choice.finish for choice in exchange.stream.choices.values()) and not exchange.stream.errors
