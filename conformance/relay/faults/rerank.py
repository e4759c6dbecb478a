"""Faults of reranking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call

_REQUIRED = "rerank.input.required"


def _results(call: Call) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call.answer["results"]
    return found


@fault("rerank-top-n-ignored", Stage.RERANK_REQUEST, trips={"rerank.results.count"}, zh="忽略 top_n")
def _(call: Call) -> None:
    """All results come although the best two were asked for."""
    call.request.pop("top_n", None)


@fault("rerank-results-lost", Stage.RERANK, trips={"rerank.results.count"}, zh="结果缺失")
def _(call: Call) -> None:
    """The last result is lost."""
    _results(call).pop()


@fault(
    "rerank-index-of-result",
    Stage.RERANK,
    trips={"rerank.results.relevant-first", "rerank.documents.returned", "rerank.results.permuted-same"},
    zh="index 是结果的序号",
)
def _(call: Call) -> None:
    """The index is the place of the result, not that of the document."""
    for place, result in enumerate(_results(call)):
        result["index"] = place


@fault(
    "rerank-index-from-one",
    Stage.RERANK,
    trips={
        "rerank.results.indexes",
        "rerank.results.relevant-first",
        "rerank.documents.returned",
    },
    zh="index 从 1 开始",
)
def _(call: Call) -> None:
    """Indexes count from one."""
    for result in _results(call):
        result["index"] += 1


@fault("rerank-index-repeats", Stage.RERANK, trips={"rerank.results.indexes"}, zh="同一文档出现两次")
def _(call: Call) -> None:
    """The worst result is the one above it once more."""
    _results(call)[-1] |= _results(call)[-2]


@fault("rerank-unsorted", Stage.RERANK, trips={"rerank.results.sorted"}, zh="结果没有排序")
def _(call: Call) -> None:
    """Results come the worst first."""
    call.answer["results"].reverse()


@fault("rerank-score-string", Stage.RERANK, trips={"operation.response.compat"}, zh="得分是字符串")
def _(call: Call) -> None:
    """Scores are strings."""
    for result in _results(call):
        result["relevance_score"] = str(result["relevance_score"])


@fault("rerank-scores-raw", Stage.RERANK, trips={"rerank.scores.range"}, zh="得分没有归一化")
def _(call: Call) -> None:
    """Scores are those of the model, below zero and above one."""
    for result in _results(call):
        result["relevance_score"] = 20 * result["relevance_score"] - 10


@fault("rerank-worst-first", Stage.RERANK, trips={"rerank.results.relevant-first"}, zh="最不相关的排在首位")
def _(call: Call) -> None:
    """What has least to do with the query gets the best score."""
    for result in _results(call):
        result["relevance_score"] = 1 - result["relevance_score"]
    _results(call).reverse()


@fault("rerank-order-matters", Stage.RERANK, trips={"rerank.results.permuted-same"}, zh="得分取决于文档次序")
def _(call: Call) -> None:
    """Where the answer is not in the middle, the worst text becomes the best."""
    if len(_results(call)) > 2 and _results(call)[0]["index"] != 1:
        scores = [result["relevance_score"] for result in _results(call)]
        for result, score in zip(_results(call), reversed(scores), strict=True):
            result["relevance_score"] = score
        _results(call).reverse()


@fault("rerank-documents-lost", Stage.RERANK_REQUEST, trips={"rerank.documents.returned"}, zh="忽略 return_documents")
def _(call: Call) -> None:
    """Documents do not come although they were asked for."""
    call.request.pop("return_documents", None)


@fault("rerank-documents-unasked", Stage.RERANK_REQUEST, trips={"rerank.documents.unasked"}, zh="未要求却返回文档")
def _(call: Call) -> None:
    """Documents come although they were not wanted."""
    call.request["return_documents"] = True


@fault("rerank-input-unneeded", Stage.RERANK_REQUEST, trips={_REQUIRED}, zh="查询为空也作答")
def _(call: Call) -> None:
    """An empty query is answered."""
    call.request["query"] = call.request.get("query") or "nothing"


@fault("rerank-input-500", Stage.RERANK_REQUEST, trips={_REQUIRED}, zh="查询为空时返回 500")
def _(call: Call) -> None:
    """An empty query is answered 500, as in new-api before 2026-08."""
    if not call.request.get("query"):
        raise Refusal(500, "query is empty", kind="new_api_error", code="invalid_request")
