"""Moderation: one result for each input, whose parts agree with each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.model import Exchange, Finding
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.views import is_json, request_body

_ONE = ("moderations",)
_SLACK = 1e-6
"""How far rounding may lift a score beyond its bounds."""
_VIOLENT = "kill them all"
"""What the sample says that has to be flagged; the other one is about the weather."""


def _inputs(exchange: Exchange) -> list[Any]:
    """What is to be moderated, one entry for each result: the parts of a message are one input together."""
    given = request_body(exchange)["input"]
    return given if isinstance(given, list) and isinstance(given[0], str) else [given]


def _results(exchange: Exchange) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = exchange.json["results"]
    return found


@rule(
    "moderations.results.one-each",
    doc="openai:moderations/create#input",
    lines=("MDR-01",),
    zh="每个输入必须有一个结果;多模态数组合为一个",
    operations=_ONE,
    applies=is_json,
    needs=("/results",),
    breaks="what should be blocked passes under another text's result",
    breaks_zh="该拦截的内容会因结果错位而放行",
    mend="Pass the list on whole, or ask the upstream for each text and keep the order; the parts of one multimodal "
    "input make one result.",
    mend_zh="转发整个列表,或逐条请求上游并保持顺序;同一条多模态输入的各部分合为一个结果。",
)
def one_each(exchange: Exchange) -> Iterator[Finding]:
    """Every input MUST get one result, and the parts of a message one together."""
    expected, found = len(_inputs(exchange)), len(_results(exchange))
    if found != expected:
        yield Finding("/results", f"{expected} results", found)


@rule(
    "moderations.categories.same-keys",
    doc="openai:moderations/object#categories",
    lines=("MDR-02",),
    zh="categories 与 category_scores 的类别必须相同",
    operations=_ONE,
    applies=is_json,
    needs=("/results",),
    breaks="programs that look up the score of a category crash",
    breaks_zh="按类别查分数的程序会崩溃",
    mend="Fill `categories` and `category_scores` from one table in the adapter, all of the vendor's names in both.",
    mend_zh="适配器用同一张表填写 `categories` 和 `category_scores`,两者都含厂商的全部名称。",
)
def same_keys(exchange: Exchange) -> Iterator[Finding]:
    """`categories` and `category_scores` MUST name the same categories."""
    for place, result in enumerate(_results(exchange)):
        only_one = sorted(result["categories"].keys() ^ result["category_scores"].keys())
        if only_one:
            yield Finding(f"/results/{place}/category_scores", "the keys of categories", only_one)


@rule(
    "moderations.scores.range",
    doc="openai:moderations/object#category_scores",
    lines=("MDR-02",),
    zh="每个分数必须在 0 与 1 之间",
    operations=_ONE,
    applies=is_json,
    needs=("/results",),
    breaks="thresholds do not work",
    breaks_zh="阈值会失效",
    mend="Convert the upstream's scores to numbers from 0 to 1: percentages, levels and logits are none.",
    mend_zh="把上游的分数换算为 0 至 1 的数:百分数、等级和 logit 都不符合。",
)
def scores_in_range(exchange: Exchange) -> Iterator[Finding]:
    """Every score MUST lie between 0 and 1."""
    for place, result in enumerate(_results(exchange)):
        for name, score in result["category_scores"].items():
            # A category that a model does not know is null; an unknown one may be anything.
            if isinstance(score, (int, float)) and not -_SLACK <= score <= 1 + _SLACK:
                step = name.replace("~", "~0").replace("/", "~1")
                yield Finding(f"/results/{place}/category_scores/{step}", "0 to 1", score)


@rule(
    "moderations.flagged.agrees",
    doc="openai:moderations/object#flagged",
    lines=("MDR-03",),
    zh="只要有一个类别为 true,flagged 就应为 true,否则为 false",
    operations=_ONE,
    applies=is_json,
    needs=("/results",),
    breaks="programs that read one of the two decide wrongly",
    breaks_zh="只读其中一项的程序会判断错误",
    mend="Compute `flagged` in the adapter: true when any of `categories` is true.",
    mend_zh="在适配器中计算 `flagged`:`categories` 中任一为 true 时为 true。",
)
def flagged_agrees(exchange: Exchange) -> Iterator[Finding]:
    """`flagged` SHOULD be true just where a category is."""
    for place, result in enumerate(_results(exchange)):
        expected = any(value is True for value in result["categories"].values())
        if result["flagged"] is not expected:
            yield Finding(f"/results/{place}/flagged", expected, result["flagged"])


@rule(
    "moderations.samples.judged",
    doc="openai:guides/moderation",
    lines=("MDR-04",),
    basis="implied",
    zh="明显的暴力威胁应被标记,无害文本不应被标记",
    operations=_ONE,
    probe="samples",
    applies=lambda exchange: is_json(exchange) and len(_results(exchange)) == len(_inputs(exchange)),
    needs=("/results",),
    breaks="nothing is filtered, or everything",
    breaks_zh="什么都没过滤,或全部被过滤",
    mend="Ask a real moderation model: check that the channel is no stub with a fixed answer and no chat model that "
    "was never told what to judge.",
    mend_zh="请求真正的审核模型:确认该渠道不是返回固定结果的占位程序,也不是没有收到审核指令的聊天模型。",
)
def samples_judged(exchange: Exchange) -> Iterator[Finding]:
    """A clear threat SHOULD be flagged, and talk about the weather not."""
    for place, (text, result) in enumerate(zip(_inputs(exchange), _results(exchange), strict=True)):
        expected = _VIOLENT in text
        if result["flagged"] is not expected:
            yield Finding(f"/results/{place}/flagged", expected, result["flagged"], text)


@rule(
    "moderations.input.required",
    doc="openai:moderations/create#input",
    lines=("MDR-05",),
    zh="没有 input 的请求必须以 4xx 拒绝",
    operations=_ONE,
    probe="no-input",
    answers=Answers.REFUSAL,
    breaks="a mistake is billed, or retried because of a 5xx",
    breaks_zh="错误的请求也会计费,或因 5xx 被反复重试",
    mend="Answer bad requests yourself before choosing a channel: 400 with `param` `input` where there is none.",
    mend_zh="选择渠道之前自行处理错误请求:没有 `input` 时返回 400,`param` 为 `input`。",
)
def input_required(exchange: Exchange) -> Iterator[Finding]:
    """A request without an input MUST be refused with a 4xx status."""
    yield from must_be_4xx(exchange)
