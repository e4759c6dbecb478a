"""Reasoning that is shown: in a field of its own, before the answer, streamed as well as plain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.model import Case, Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.views import CHATS, has_chunks, is_json, texts

_FIELDS = ("reasoning_content", "reasoning")
_SHORTEST = 40
"""Characters of a reasoning that nobody repeats by chance."""
_ROLES = frozenset({"reasoner", "claude", "gemini-chat", "o1"})
_MARK = "<think>"


def _shown(holder: Any, fields: Sequence[str] = _FIELDS) -> str:
    """The reasoning in a message or delta; empty where there is none."""
    found = [holder.get(field) for field in fields] if isinstance(holder, dict) else []
    return next((text for text in found if isinstance(text, str) and text), "")


def reasonings(exchange: Exchange) -> list[str]:
    """The reasoning of each choice, plain or streamed."""
    if exchange.case.operation == "chat.stream":
        return ["".join(choice.reasoning) for _, choice in sorted(exchange.stream.choices.items())]
    return [_shown(choice["message"]) for choice in exchange.json["choices"]]


def _is_readable(exchange: Exchange) -> bool:
    streamed = exchange.case.operation == "chat.stream"
    return bool(exchange.stream.choices) if streamed else is_json(exchange) and bool(exchange.json.get("choices"))


@rule(
    "reasoning.content.shown",
    doc="new-api:docs/deepseek-reasoning-chat",
    lines=("RSN-01",),
    zh="推理模型的推理过程应放在 reasoning_content 中",
    operations=CHATS,
    probe="reasoning",
    applies=_is_readable,
    needs=("/choices",),
    breaks="clients show the reasoning as the answer, or nothing of it",
    breaks_zh="客户端会把推理过程当成回答显示,或完全不显示",
    mend="Move the reasoning to `reasoning_content` in the adapter: from the upstream's own field, or from between "
    "the `<think>` tags at the start of the text.",
    mend_zh="由适配器把推理过程移到 `reasoning_content`:取自上游自己的字段,或正文开头的 `<think>` 标签之间。",
    noisy=True,
)
def reasoning_shown(exchange: Exchange) -> Iterator[Finding]:
    """A model that reasons aloud SHOULD do so in `reasoning_content`."""
    for place, (thought, text) in enumerate(zip(reasonings(exchange), texts(exchange), strict=True)):
        if not thought.strip():
            marked = text.lstrip().startswith(_MARK)
            at, label = f"/choices/{place}/message/reasoning_content", "think-tags" if marked else ""
            yield Finding(at, "a text", "in the answer itself" if marked else "absent", deviation=label)


def _may_reason(case: Case) -> bool:
    return case.role in _ROLES


@rule(
    "reasoning.content.separate",
    doc="new-api:docs/deepseek-reasoning-chat",
    lines=("RSN-01", "VAR-05"),
    zh="推理过程不应在 content 中重复",
    operations=CHATS,
    cases=_may_reason,
    applies=_is_readable,
    needs=("/choices",),
    breaks="users read the reasoning twice, and agents take it for the answer",
    breaks_zh="用户会读到两遍推理过程,智能体会把它当成回答",
    mend="Write the reasoning to one place only: switch off the channel's option that copies it into the text, or cut "
    "it out of `content`.",
    mend_zh="推理过程只写在一处:关闭渠道中把它写入正文的选项,或从 `content` 中去掉。",
)
def reasoning_separate(exchange: Exchange) -> Iterator[Finding]:
    """Reasoning SHOULD NOT be repeated in the answer."""
    for place, (thought, text) in enumerate(zip(reasonings(exchange), texts(exchange), strict=True)):
        if len(thought.strip()) >= _SHORTEST and thought.strip() in text:
            yield Finding(f"/choices/{place}/message/content", "the answer alone", text)


@rule(
    "reasoning.stream.first",
    doc="new-api:docs/deepseek-reasoning-chat",
    lines=("RSN-01",),
    zh="流式回答中,推理过程应全部先于正文",
    operations=("chat.stream",),
    cases=_may_reason,
    applies=has_chunks,
    needs=("/choices",),
    breaks="clients that fold the reasoning away at the first word of the answer show the rest inside it",
    breaks_zh="在正文出现时收起推理的客户端会把余下的推理显示在正文里",
    mend="Send all reasoning deltas before the first delta with `content`, in the upstream's order; buffers for the "
    "two must not overtake each other.",
    mend_zh="按上游的顺序,先发送全部推理 delta 再发送带 `content` 的 delta;两者的缓冲不得互相抢先。",
)
def reasoning_first(exchange: Exchange) -> Iterator[Finding]:
    """Reasoning SHOULD come before the answer in a stream."""
    answering: set[object] = set()
    for event, index, delta in _deltas(exchange):
        thought = _shown(delta).strip()  # new-api ends Claude's thinking with a line break
        if thought and index in answering:
            yield Finding(f"/events/{event}/choices/{index}/delta/reasoning_content", "absent", thought)
            return
        if isinstance(delta.get("content"), str) and delta["content"].strip():
            answering.add(index)


def _deltas(exchange: Exchange) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """(event, index, delta) of every delta."""
    for chunk in exchange.stream.chunks:
        for entry in chunk.value.get("choices") or ():
            yield chunk.event, entry["index"], entry["delta"]


@rule(
    "reasoning.stream.matches-plain",
    doc="new-api:docs/deepseek-reasoning-chat",
    lines=("RSN-02",),
    basis="implied",
    zh="流式与非流式应同样给出 (或不给出) 推理过程",
    operations=("chat.stream", "chat"),
    probe="reasoning",
    over="run",
    least=2,
    applies=_is_readable,
    needs=("/choices",),
    breaks="the reasoning shows up or not, depending on how the client asks",
    breaks_zh="能否看到推理过程取决于客户端的请求方式",
    mend="Map the upstream's reasoning field in both converters, the one for streams and the one for plain answers.",
    mend_zh="流式与非流式的转换程序都要映射上游的推理字段。",
    noisy=True,
)
def stream_matches_plain(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A stream SHOULD show reasoning exactly when the plain answer does."""
    plain, streamed = sorted(exchanges, key=lambda exchange: exchange.case.operation)[:2]
    shown = [bool("".join(reasonings(exchange)).strip()) for exchange in (plain, streamed)]
    if shown[0] != shown[1]:
        said = ["no reasoning", "reasoning"]
        at = "/choices/0/delta/reasoning_content"
        yield Finding(at, said[shown[0]], said[shown[1]], exchange=streamed.case.id)


@rule(
    "reasoning.field.other-name",
    doc="new-api:docs/deepseek-reasoning-chat",
    lines=("RSN-03",),
    zh="推理过程可以放在名为 reasoning 的字段中 (OpenRouter)",
    operations=("chat",),
    probe="reasoning",
    applies=is_json,
    needs=("/choices",),
    breaks="clients that know only one of the two names show nothing",
    breaks_zh="只认识其中一个字段名的客户端不会显示推理过程",
    mend="Nothing has to change; rename `reasoning` to `reasoning_content`, or send both, for clients that know only "
    "the latter.",
    mend_zh="无须修改;可把 `reasoning` 改名为 `reasoning_content`,或同时发送,以照顾只认识后者的客户端。",
)
def other_name(exchange: Exchange) -> Iterator[Finding]:
    """Reasoning MAY be called `reasoning`, as at OpenRouter."""
    for place, choice in enumerate(exchange.json["choices"]):
        if not _shown(choice["message"], _FIELDS[:1]) and _shown(choice["message"], _FIELDS[1:]):
            yield Finding(f"/choices/{place}/message/reasoning", "reasoning_content", "reasoning")


@rule(
    "reasoning.field.empty",
    doc="new-api:docs/deepseek-reasoning-chat",
    lines=("RSN-05",),
    zh="没有推理的回答可以带一个空的 reasoning_content",
    operations=("chat",),
    probe="minimal",
    applies=is_json,
    needs=("/choices",),
    breaks="nothing; some clients show an empty box",
    breaks_zh="没有影响;个别客户端会显示一个空框",
    mend="Nothing has to change; leave `reasoning_content` out when serialising where it is empty.",
    mend_zh="无须修改;`reasoning_content` 为空时序列化可以省略。",
)
def empty_field(exchange: Exchange) -> Iterator[Finding]:
    """An answer without reasoning MAY have an empty `reasoning_content`."""
    for place, choice in enumerate(exchange.json["choices"]):
        if choice["message"].get("reasoning_content") == "":
            yield Finding(f"/choices/{place}/message/reasoning_content", "absent", "", deviation="reasoning-empty")
