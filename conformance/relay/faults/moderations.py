"""Faults of moderation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call

_REQUIRED = "moderations.input.required"
_SAMPLES = "moderations.samples.judged"


def _results(call: Call) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call.answer["results"]
    return found


@fault("moderation-first-only", Stage.MODERATIONS, trips={"moderations.results.one-each"}, zh="只审核第一段文本")
def _(call: Call) -> None:
    """Of several texts, the first is looked at."""
    del _results(call)[1:]


@fault(
    "moderation-result-per-part", Stage.MODERATIONS, trips={"moderations.results.one-each"}, zh="每个部分各有一个结果"
)
def _(call: Call) -> None:
    """The parts of a message get results of their own, and one more."""
    if isinstance(call.request["input"], list) and isinstance(call.request["input"][0], dict):
        call.answer["results"] *= 2


@fault("moderation-scores-null", Stage.MODERATIONS, trips={"operation.response.compat"}, zh="分数是 null")
def _(call: Call) -> None:
    """There are no scores."""
    for result in _results(call):
        result["category_scores"] = None


@fault(
    "moderation-scores-fewer",
    Stage.MODERATIONS,
    trips={"moderations.categories.same-keys", "operation.response.strict"},
    zh="分数比类别少",
)
def _(call: Call) -> None:
    """A category has no score."""
    for result in _results(call):
        del result["category_scores"]["illicit"]


@fault("moderation-scores-percent", Stage.MODERATIONS, trips={"moderations.scores.range"}, zh="分数是百分数")
def _(call: Call) -> None:
    """Scores are percentages."""
    for result in _results(call):
        result["category_scores"] = {name: 100 * score for name, score in result["category_scores"].items()}


@fault(
    "moderation-flag-lost", Stage.MODERATIONS, trips={"moderations.flagged.agrees", _SAMPLES}, zh="有类别命中却没有标记"
)
def _(call: Call) -> None:
    """Nothing is flagged, whatever the categories say."""
    for result in _results(call):
        result["flagged"] = False


@fault("moderation-lets-pass", Stage.MODERATIONS, trips={_SAMPLES}, zh="什么都不过滤")
def _(call: Call) -> None:
    """Nothing is found in any text, as where no model stands behind the path."""
    for result in _results(call):
        result["flagged"] = False
        result["categories"] = dict.fromkeys(result["categories"], False)


@fault("moderation-input-unneeded", Stage.MODERATIONS_REQUEST, trips={_REQUIRED}, zh="没有 input 也作答")
def _(call: Call) -> None:
    """A request without an input is answered, as in one-api."""
    call.request.setdefault("input", "nothing")


@fault("moderation-input-500", Stage.MODERATIONS_REQUEST, trips={_REQUIRED}, zh="没有 input 时返回 500")
def _(call: Call) -> None:
    """A request without an input is answered 500, as in new-api before 2026-08."""
    if "input" not in call.request:
        raise Refusal(500, "field input is required", kind="new_api_error", code="invalid_request")
