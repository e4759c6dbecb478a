"""Reranking, in the form of Jina or Cohere: every text gets a place, the best first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from conformance.model import Exchange, Finding
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.views import is_json, request_body

_ONE = ("rerank",)
_CLEAR = 0.01
"""Scores that lie further apart than this rank one text above another."""
_SLACK = 1e-6
"""How far rounding may lift a score beyond its bounds."""
_BEST = "Washington, D.C."
"""How the text begins that answers the query."""


def _documents(exchange: Exchange) -> list[Any]:
    """The documents of the request."""
    found: list[Any] = request_body(exchange)["documents"]
    return found


def _results(exchange: Exchange) -> list[dict[str, Any]]:
    """The results whose index is one of a document."""
    places = range(len(_documents(exchange)))
    return [result for result in exchange.json["results"] if result["index"] in places]


@rule(
    "rerank.results.count",
    doc="new-api:jinaai-rerank#top_n",
    lines=("RER-01",),
    zh="结果数必须等于 top_n 与文档数中较小的一个",
    operations=_ONE,
    applies=is_json,
    needs=("/results",),
    breaks="texts are lost, or more come than there is room for",
    breaks_zh="结果缺失,或多于所需",
    mend="Pass `top_n` on, and set no limit of your own without it; where the upstream ignores `top_n`, cut the "
    "sorted results in the adapter.",
    mend_zh="转发 `top_n`,没有给出时不要自设上限;上游忽略 `top_n` 时,由适配器截取排序后的结果。",
)
def results_count(exchange: Exchange) -> Iterator[Finding]:
    """There MUST be a result for each document, or `top_n` of them."""
    count = len(_documents(exchange))
    expected = min(request_body(exchange).get("top_n") or count, count)
    found = len(exchange.json["results"])
    if found != expected:
        label = "params-dropped" if found == count else ""
        yield Finding("/results", f"{expected} results", found, deviation=label)


@rule(
    "rerank.results.indexes",
    doc="new-api:jinaai-rerank#index",
    lines=("RER-02",),
    zh="index 必须各不相同,且指向请求中的文档",
    operations=_ONE,
    applies=is_json,
    needs=("/results",),
    breaks="the wrong texts are handed to the model",
    breaks_zh="会把错误的文本交给模型",
    mend="Keep the places of the documents as the request has them: results of split batches, or sorted ones, must "
    "not be numbered anew.",
    mend_zh="`index` 保持文档在请求中的位置:分批请求或排序之后不得重新编号。",
)
def results_indexes(exchange: Exchange) -> Iterator[Finding]:
    """Every index MUST be that of another document of the request."""
    count = len(_documents(exchange))
    found = [result["index"] for result in exchange.json["results"]]
    if len(set(found)) < len(found) or max(found, default=0) >= count:
        yield Finding("/results", f"different indexes below {count}", found)


@rule(
    "rerank.results.sorted",
    doc="new-api:jinaai-rerank#results",
    lines=("RER-03",),
    zh="结果必须按 relevance_score 从高到低排列",
    operations=_ONE,
    applies=is_json,
    needs=("/results",),
    breaks="programs that take the first results take the wrong ones",
    breaks_zh="只取前几条的程序会取错",
    mend="Sort the results by `relevance_score`, the highest first, as the last step before answering, also after "
    "batches were joined.",
    mend_zh="回答之前最后一步按 `relevance_score` 从高到低排序,合并批次后也要如此。",
)
def results_sorted(exchange: Exchange) -> Iterator[Finding]:
    """Results MUST be sorted by `relevance_score`, the best first."""
    for place, (one, next_one) in enumerate(pairwise(exchange.json["results"]), 1):
        if next_one["relevance_score"] > one["relevance_score"]:
            at = f"/results/{place}/relevance_score"
            yield Finding(at, f"at most {one['relevance_score']}", next_one["relevance_score"])


@rule(
    "rerank.scores.range",
    doc="new-api:jinaai-rerank#relevance_score",
    lines=("RER-04",),
    basis="implied",
    zh="relevance_score 应在 0 与 1 之间",
    operations=_ONE,
    applies=is_json,
    needs=("/results",),
    breaks="thresholds that were set for other models do not work",
    breaks_zh="按其他模型设定的阈值会失效",
    mend="Bring the upstream's raw scores to 0 to 1 in the adapter, with a sigmoid for models that give logits.",
    mend_zh="在适配器中把上游的原始分数换算到 0 至 1;模型给出 logit 时使用 sigmoid。",
)
def scores_in_range(exchange: Exchange) -> Iterator[Finding]:
    """Scores SHOULD lie between 0 and 1."""
    for place, result in enumerate(exchange.json["results"]):
        if not -_SLACK <= result["relevance_score"] <= 1 + _SLACK:
            yield Finding(f"/results/{place}/relevance_score", "0 to 1", result["relevance_score"])


@rule(
    "rerank.results.relevant-first",
    doc="new-api:jinaai-rerank",
    lines=("RER-04",),
    basis="implied",
    zh="回答了查询的文档应排在首位",
    operations=_ONE,
    probe="order",
    applies=lambda exchange: is_json(exchange) and bool(_results(exchange)),
    needs=("/results",),
    breaks="search gets worse by reranking",
    breaks_zh="重排序反而使检索变差",
    mend="Check that the query and the whole documents reach the upstream, that its scores are not turned round, and "
    "that it is a model for reranking.",
    mend_zh="确认查询和完整文档都送达上游,分数没有弄反,并且所用的确是重排模型。",
)
def relevant_first(exchange: Exchange) -> Iterator[Finding]:
    """The document that answers the query SHOULD come first."""
    best = max(_results(exchange), key=lambda result: result["relevance_score"])
    text = _documents(exchange)[best["index"]]
    if not text.startswith(_BEST):
        yield Finding("/results/0/index", f"the text that begins with {_BEST!r}", text)


def _text_of(document: Any) -> Any:
    """The text of a document, which may be an object of it."""
    return document.get("text") if isinstance(document, dict) else document


@rule(
    "rerank.documents.returned",
    doc="new-api:jinaai-rerank#return_documents",
    lines=("RER-05",),
    zh="return_documents 为 true 时,每个结果应带有其 index 所指的文档",
    operations=_ONE,
    probe="documents",
    applies=is_json,
    needs=("/results",),
    breaks="programs that read the document find nothing, or another one",
    breaks_zh="读取文档的程序会一无所获或读到别的文档",
    mend="Put the request's own document of each `index` into the result in the adapter, whatever the upstream sends.",
    mend_zh="无论上游返回什么,都由适配器按 `index` 把请求中的文档放入结果。",
)
def documents_returned(exchange: Exchange) -> Iterator[Finding]:
    """With `return_documents`, a result SHOULD have the document of its index."""
    for place, result in enumerate(exchange.json["results"]):
        expected = dict(enumerate(_documents(exchange))).get(result["index"])
        found = result.get("document")
        if expected is not None and _text_of(found) != expected:
            label = "params-dropped" if found is None else ""
            yield Finding(f"/results/{place}/document", expected, found or "absent", deviation=label)


@rule(
    "rerank.documents.unasked",
    doc="new-api:jinaai-rerank#return_documents",
    lines=("RER-05",),
    zh="return_documents 为 false 时,结果不应带有文档",
    operations=_ONE,
    probe="no-documents",
    applies=is_json,
    needs=("/results",),
    breaks="answers are larger than asked for",
    breaks_zh="回答比所需的大",
    mend="Pass `return_documents` on, and drop `document` from the results in the adapter where it is false.",
    mend_zh="转发 `return_documents`,其值为 false 时由适配器去掉结果中的 `document`。",
)
def documents_unasked(exchange: Exchange) -> Iterator[Finding]:
    """With `return_documents` false, results SHOULD have no document."""
    for place, result in enumerate(exchange.json["results"]):
        if _text_of(result.get("document")):
            yield Finding(f"/results/{place}/document", "absent", result["document"], deviation="params-dropped")


def _scores(exchange: Exchange) -> dict[Any, float]:
    """The score of each document."""
    documents = _documents(exchange)
    return {documents[result["index"]]: result["relevance_score"] for result in _results(exchange)}


@rule(
    "rerank.results.permuted-same",
    doc="new-api:jinaai-rerank",
    lines=("RER-07",),
    basis="implied",
    zh="文档换一种顺序,得分的先后应不变",
    operations=_ONE,
    probe="permuted-pair",
    over="run",
    least=2,
    applies=is_json,
    needs=("/results",),
    breaks="results depend on the order in which texts were found",
    breaks_zh="结果会取决于文本的先后次序",
    mend="Score every document by itself against the query, and map scores back by `index`; results put together from "
    "batches are mixed up easily.",
    mend_zh="每个文档单独与查询打分,并按 `index` 对应回去;由批次拼成的结果容易错位。",
)
def permuted_same(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The same documents in another order SHOULD be ranked the same."""
    first, second = map(_scores, exchanges[:2])
    shared = sorted((text for text in first if text in second), key=lambda text: -first[text])
    for better, worse in pairwise(shared):
        if first[better] - first[worse] > _CLEAR and second[worse] - second[better] > _CLEAR:
            yield Finding(
                "/results", f"{better!r} above {worse!r}", "the other way round", exchange=exchanges[1].case.id
            )


@rule(
    "rerank.input.required",
    doc="new-api:jinaai-rerank#query",
    lines=("RER-06",),
    zh="query 或 documents 为空的请求必须以 4xx 拒绝",
    operations=_ONE,
    probe="no-input",
    answers=Answers.REFUSAL,
    breaks="a mistake is billed, or retried because of a 5xx",
    breaks_zh="错误的请求也会计费,或因 5xx 被反复重试",
    mend="Answer bad requests yourself before choosing a channel: 400 naming `query` or `documents` where one is "
    "empty.",
    mend_zh="选择渠道之前自行处理错误请求:`query` 或 `documents` 为空时返回指明它的 400。",
)
def input_required(exchange: Exchange) -> Iterator[Finding]:
    """A request whose query or documents are empty MUST be refused with a 4xx status."""
    yield from must_be_4xx(exchange)
