"""What a request may ask of the form of an answer: JSON, and log probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.jsontext import parse_json
from conformance.model import Case, Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.views import CHATS, finishes, has_text, request_body, texts

_JSON = frozenset({"json_object", "json_schema"})


def _json_wanted(case: Case) -> bool:
    """JSON is asked for, and no stop string of ours can cut it."""
    form = (case.body or {}).get("response_format")
    return isinstance(form, dict) and str(form.get("type")) in _JSON and not (case.body or {}).get("stop")


def _ended_by_itself(exchange: Exchange) -> bool:
    return has_text(exchange) and set(finishes(exchange)) == {"stop"}


@rule(
    "chat.response-format.json",
    doc="openai:chat/create#response_format",
    lines=("SO-01", "SO-04", "SO-06"),
    zh="要求 JSON 且正常结束的回答必须是一个 JSON 对象",
    operations=CHATS,
    cases=_json_wanted,
    applies=_ended_by_itself,
    needs=("/choices",),
    breaks="programs that parse the answer crash",
    breaks_zh="解析回答的程序会崩溃",
)
def json_as_asked(exchange: Exchange) -> Iterator[Finding]:
    """An answer that was asked for as JSON and ended by itself MUST be a JSON object."""
    for place, text in enumerate(texts(exchange)):
        if text and not isinstance(parse_json(text.encode(errors="replace")).value, dict):
            yield Finding(f"/choices/{place}/message/content", "a JSON object", text, deviation="params-dropped")


def _logprobs_wanted(case: Case) -> bool:
    return (case.body or {}).get("logprobs") is True


def logprobs_of(exchange: Exchange) -> list[Mapping[str, Any]]:
    """The log probabilities of an answer, one object for each token that has them."""
    if exchange.case.operation == "chat.stream":
        holders = [choice for chunk in exchange.stream.chunks for choice in chunk.value.get("choices") or ()]
    else:
        holders = exchange.json["choices"]
    found = [holder.get("logprobs") for holder in holders if isinstance(holder, dict)]
    contents = [each.get("content") for each in found if isinstance(each, dict)]
    return [entry for content in contents if isinstance(content, list) for entry in content if isinstance(entry, dict)]


@rule(
    "chat.logprobs.present",
    doc="openai:chat/create#logprobs",
    lines=("LP-02", "LP-07"),
    zh="请求 logprobs 时,回答应带有对数概率,或明确拒绝",
    operations=CHATS,
    cases=_logprobs_wanted,
    applies=has_text,
    needs=("/choices",),
    breaks="evaluations that need probabilities have nothing to read",
    breaks_zh="需要概率的评测无数据可读",
)
def logprobs_present(exchange: Exchange) -> Iterator[Finding]:
    """An answer to a request with `logprobs` SHOULD carry them."""
    if not logprobs_of(exchange):
        yield Finding("/choices/0/logprobs", "log probabilities", "absent", deviation="params-dropped")


@rule(
    "chat.logprobs.unasked",
    doc="openai:chat/object#logprobs",
    lines=("LP-01",),
    zh="没有请求 logprobs 时,回答不得带有对数概率",
    operations=CHATS,
    cases=lambda case: not (case.body or {}).get("logprobs"),
    applies=has_text,
    needs=("/choices",),
    breaks="answers are several times larger than asked for",
    breaks_zh="回答比所需的大数倍",
)
def logprobs_unasked(exchange: Exchange) -> Iterator[Finding]:
    """An answer MUST NOT carry `logprobs` that were not asked for."""
    for entry in logprobs_of(exchange)[:1]:
        yield Finding("/choices/0/logprobs", "null or absent", entry)


@rule(
    "chat.logprobs.top-count",
    doc="openai:chat/create#top_logprobs",
    lines=("LP-04",),
    zh="每个位置给出的候选 token 数不得超过 top_logprobs",
    operations=CHATS,
    cases=_logprobs_wanted,
    applies=has_text,
    needs=("/choices",),
    breaks="code that sized its tables by the request overruns",
    breaks_zh="按请求分配空间的代码会越界",
)
def top_logprobs_count(exchange: Exchange) -> Iterator[Finding]:
    """There MUST NOT be more alternatives for a token than `top_logprobs` asks for."""
    allowed = request_body(exchange).get("top_logprobs") or 0
    counts = [len(tops) for entry in logprobs_of(exchange) if isinstance(tops := entry.get("top_logprobs"), list)]
    if max(counts, default=0) > allowed:
        yield Finding("/choices/0/logprobs/content", f"at most {allowed}", max(counts))
