"""Usage: what is billed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.model import Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.views import (
    CHATS,
    THINKING_ROLES,
    WEB_ROLES,
    has_text,
    has_usage,
    is_json,
    reasoning_tokens,
    says_more_than_text,
    texts,
    usage_of,
    usage_pointer,
    word_count,
)

_SLACK = 64
"""Tokens beyond the bytes of a text that are still plausible: marks of a template, thinking that is not shown."""
_HIDDEN = 200


@rule(
    "chat.usage.present",
    doc="openai:chat/object#usage",
    lines=("USE-01",),
    basis="implied",
    zh="回答可以不含 usage,但这样无法核对计费",
    operations=("chat",),
    applies=is_json,
    breaks="billing cannot be checked; some clients count zero",
    breaks_zh="无法核对计费;部分客户端会按零计",
    mend="Copy the upstream's counts into `usage`, or count with a tokenizer in the adapter where it gives none.",
    mend_zh="把上游的计数写入 `usage`;上游没有给出时,由适配器用分词器统计。",
)
def usage_present(exchange: Exchange) -> Iterator[Finding]:
    """An answer MAY leave out its usage, which leaves the bill unchecked."""
    if not isinstance(exchange.json.get("usage"), dict):
        yield Finding("/usage", "an object", exchange.json.get("usage", "absent"), deviation="usage-missing")


def adds_up(exchange: Exchange) -> Iterator[Finding]:
    """The finding of a total that is not the sum."""
    usage = usage_of(exchange)
    total = usage["prompt_tokens"] + usage["completion_tokens"]
    if usage["total_tokens"] != total:
        at = f"{usage_pointer(exchange)}/total_tokens"
        yield Finding(at, total, usage["total_tokens"], deviation="usage-total-mismatch")


@rule(
    "chat.usage.adds-up",
    doc="openai:chat/object#usage",
    lines=("USE-01",),
    zh="total_tokens 必须等于 prompt_tokens 与 completion_tokens 之和",
    operations=("chat",),
    applies=has_usage,
    needs=("/usage",),
    breaks="billing: clients that trust the total miscount",
    breaks_zh="计费:相信总数的客户端会算错",
    mend="Count in the adapter: set `usage.total_tokens` to the sum before answering, with thinking tokens inside "
    "`completion_tokens`.",
    mend_zh="在适配器中统计:回答前把 `usage.total_tokens` 设为两项之和,思考 token 计入 `completion_tokens`。",
)
def usage_adds_up(exchange: Exchange) -> Iterator[Finding]:
    """`usage.total_tokens` MUST equal prompt plus completion tokens."""
    yield from adds_up(exchange)


@rule(
    "chat.usage.counts",
    doc="openai:chat/object#usage",
    lines=("USE-02",),
    zh="有文字的回答,prompt_tokens 与 completion_tokens 都必须大于 0",
    operations=CHATS,
    cases=lambda case: case.role not in WEB_ROLES,
    applies=lambda exchange: has_usage(exchange) and has_text(exchange),
    needs=("/usage", "/choices"),
    breaks="billing cannot be checked; clients add up zeros",
    breaks_zh="无法核对计费;客户端累计的是零",
    mend="Take the counts from the upstream's answer, or count both sides with a tokenizer where it has none; zeros "
    "mostly mean that nobody counted.",
    mend_zh="计数取自上游回答,上游没有时用分词器统计两侧;出现零多半是没有统计。",
)
def usage_counts(exchange: Exchange) -> Iterator[Finding]:
    """An answer with text MUST count prompt and completion tokens."""
    # A text of blanks may be no token of its own in some templates.
    if not any(text.strip() for text in texts(exchange)):
        return
    for name in ("prompt_tokens", "completion_tokens"):
        if usage_of(exchange)[name] <= 0:
            at = f"{usage_pointer(exchange)}/{name}"
            yield Finding(at, "more than 0", usage_of(exchange)[name], deviation="usage-zero")


@rule(
    "chat.usage.grows",
    doc="openai:chat/object#usage",
    lines=("USE-03",),
    basis="implied",
    zh="提示词变长,prompt_tokens 应随之增加",
    operations=("chat",),
    probe="prompt-length",
    over="run",
    least=2,
    applies=has_usage,
    needs=("/usage",),
    breaks="billing: tokens are not counted but made up",
    breaks_zh="计费:token 数是编造的而非统计的",
    mend="Count the whole list of messages, not a fixed number and not only the last turn.",
    mend_zh="统计整个 `messages` 列表,不要用固定数值,也不要只算最后一轮。",
)
def usage_grows(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A longer prompt SHOULD count more prompt tokens."""
    shorter, longer = sorted(exchanges, key=lambda exchange: len(exchange.request.body))[:2]
    counts = [usage_of(exchange)["prompt_tokens"] for exchange in (shorter, longer)]
    if counts[1] <= counts[0]:
        yield Finding("/usage/prompt_tokens", f"more than {counts[0]}", counts[1], exchange=longer.case.id)


@rule(
    "chat.usage.repeats",
    doc="openai:chat/object#usage",
    lines=("USE-03",),
    basis="implied",
    zh="相同的提示词应得到相同的 prompt_tokens",
    operations=("chat",),
    probe="twice",
    over="run",
    least=2,
    applies=has_usage,
    needs=("/usage",),
    breaks="billing: the same request costs differently",
    breaks_zh="计费:同样的请求价格不同",
    mend="Use one tokenizer for a model on all its channels, or always the upstream's count; channels that count "
    "differently make prices a matter of luck.",
    mend_zh="同一模型的所有渠道使用同一个分词器,或一律采用上游的计数;各渠道计数不一会使价格不定。",
)
def usage_repeats(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The same prompt SHOULD count the same prompt tokens."""
    first, second = (usage_of(exchange)["prompt_tokens"] for exchange in exchanges[:2])
    if first != second:
        yield Finding("/usage/prompt_tokens", first, second, exchange=exchanges[1].case.id)


@rule(
    "chat.usage.details-bounded",
    doc="openai:chat/object#usage",
    lines=("USE-04",),
    basis="implied",
    zh="用量明细应为非负数,且不超过所属的总数",
    operations=CHATS,
    applies=has_usage,
    needs=("/usage",),
    breaks="billing: discounts and surcharges are miscounted",
    breaks_zh="计费:优惠与附加费会算错",
    mend="Add what a detail counts (cached, reasoning, audio) to its total when converting: some upstreams report "
    "cached and thinking tokens beside the total, not inside it.",
    mend_zh="转换时把明细 (缓存、推理、音频)计入对应的总数:有些上游把缓存和思考 token 列在总数之外。",
)
def details_bounded(exchange: Exchange) -> Iterator[Finding]:
    """Usage details SHOULD lie between 0 and the count that they are part of."""
    usage = usage_of(exchange)
    for name, whole in (("prompt_tokens_details", "prompt_tokens"), ("completion_tokens_details", "completion_tokens")):
        details = usage.get(name)
        for part, count in details.items() if isinstance(details, dict) else ():
            if part.endswith("_tokens") and isinstance(count, int) and not 0 <= count <= usage[whole]:
                at = f"{usage_pointer(exchange)}/{name}/{part}"
                yield Finding(at, f"0 to {usage[whole]}", count)


@rule(
    "chat.usage.plausible",
    doc="openai:chat/object#usage",
    lines=("USE-05",),
    basis="implied",
    zh="completion_tokens 应与回答文字的长度相称",
    operations=CHATS,
    cases=lambda case: case.role not in WEB_ROLES | THINKING_ROLES,
    applies=lambda exchange: has_usage(exchange) and has_text(exchange) and not says_more_than_text(exchange),
    needs=("/usage", "/choices"),
    breaks="billing: more is charged than was written",
    breaks_zh="计费:收费多于实际输出",
    mend="Bill the upstream's count or your tokenizer's; look for a multiplier, or a count by characters or bytes, "
    "that finds its way into `completion_tokens`.",
    mend_zh="按上游或分词器的计数填写;检查是否有倍率、按字符或按字节的计数混入了 `completion_tokens`。",
)
def usage_plausible(exchange: Exchange) -> Iterator[Finding]:
    """Completion tokens SHOULD fit the text: no token is empty."""
    size = sum(len(text.encode(errors="replace")) for text in texts(exchange))
    billed = usage_of(exchange)["completion_tokens"] - reasoning_tokens(exchange)
    if billed > size + _SLACK:
        at = f"{usage_pointer(exchange)}/completion_tokens"
        yield Finding(at, f"at most {size + _SLACK} for {size} bytes of text", billed)


@rule(
    "chat.usage.counts-all-choices",
    doc="openai:chat/create#n",
    lines=("CHAT-16",),
    basis="implied",
    zh="n 大于 1 时,completion_tokens 应包含所有候选回答",
    operations=("chat",),
    probe="n",
    applies=lambda exchange: has_usage(exchange) and has_text(exchange),
    needs=("/usage", "/choices"),
    breaks="billing: what clients log is not what was used",
    breaks_zh="计费:客户端记录的并非实际用量",
    mend="Add up the output of all choices when the adapter counts itself or asks the upstream `n` times.",
    mend_zh="适配器自行统计或向上游请求 `n` 次时,应累加所有 choice 的输出。",
    noisy=True,
)
def counts_all_choices(exchange: Exchange) -> Iterator[Finding]:
    """With `n` above 1, completion tokens SHOULD count every choice."""
    words = sum(word_count(text) for text in texts(exchange))
    counted = usage_of(exchange)["completion_tokens"]
    if counted < words:
        yield Finding("/usage/completion_tokens", f"at least {words}, one for each word of all choices", counted)


@rule(
    "chat.usage.hidden-prompt",
    doc="one-api:relay/controller/text",
    lines=("USE-08",),
    basis="implied",
    zh="短提示词的 prompt_tokens 可以略多于文字本身,数百则说明有隐藏提示词",
    operations=("chat",),
    probe="minimal",
    applies=has_usage,
    needs=("/usage",),
    breaks="billing: a prompt that you did not write is charged to you",
    breaks_zh="计费:你没有写的提示词也算在你头上",
    mend="Remove the prompt that the channel puts before the customer's, or do not bill it and say so on your page.",
    mend_zh="去掉渠道加在客户消息前的提示词,或不对其计费并在页面上说明。",
)
def hidden_prompt(exchange: Exchange) -> Iterator[Finding]:
    """A short prompt MAY count some more tokens than its words; hundreds more mean a hidden prompt."""
    counted = usage_of(exchange)["prompt_tokens"]
    if counted > _HIDDEN:
        yield Finding("/usage/prompt_tokens", f"at most {_HIDDEN} for two words", counted)
