"""The provider's own page: what it names is offered, and answers are as it documents them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.documented import Documented
from conformance.model import Exchange, Expectation, Finding
from conformance.refusals import BUSY, message_of, met_no_route
from conformance.rules.base import Answers, rule
from conformance.rules.views import LATER, STREAMS, is_json

_DERIVED = ("models.list", "models.retrieve", "chat")
"""Operations whose answers a page may document."""
_NAMED = (*_DERIVED, *(name for name in LATER if name not in STREAMS))
"""Operations that a page may name."""
_BREAKS = "what the provider's page promises is not what is delivered"
_BREAKS_ZH = "实际返回的内容与服务商自己的文档不符"


@rule(
    "documented.operation.offered",
    doc="page:navigation",
    zh="文档目录中列出的接口必须存在",
    operations=_NAMED,
    answers=Answers.EVERYTHING,
    cases=lambda case: case.expect is Expectation.SUCCESS,
    applies=lambda exchange: exchange.answered and exchange.status not in BUSY,
    over="operation",
    page=lambda page, operation: page.claim(operation) is not None,
    breaks="an endpoint that was bought is not there",
    breaks_zh="付费的接口并不存在",
    mend="Switch on a channel with a model for this operation, or take the operation off your page.",
    mend_zh="为该接口启用有对应模型的渠道,或从页面上删去该接口。",
)
def operation_offered(exchanges: Sequence[Exchange], page: Documented) -> Iterator[Finding]:
    """An operation that the provider's own page names MUST be offered."""
    if all(met_no_route(exchange) for exchange in exchanges):
        first = exchanges[0]
        claim = page.claim(first.case.operation)
        title = f"{claim.title} ({page.profile.name}, line {claim.line})" if claim else ""
        yield Finding("status", f"an answer: the page names {title}", first.status, message_of(first))


def _shape(exchange: Exchange, page: Documented, *, weak: bool) -> Iterator[Finding]:
    """What an answer breaks of the page's schema: what the page states, or what it only shows by an example."""
    for error in page.errors(exchange):
        if error.weak is weak:
            stated = f"; {error.source} says so" if error.source else ""
            yield Finding(error.at, error.expected, error.actual, error.message + stated)


@rule(
    "response.documented",
    doc="page:response",
    zh="回答的结构必须符合服务商自己文档中写明的内容",
    operations=_DERIVED,
    applies=is_json,
    page=Documented.describes,
    breaks=_BREAKS,
    breaks_zh=_BREAKS_ZH,
    mend="Change the answer to what your page states, or change the page; `derive` shows how the page was read.",
    mend_zh="按页面修改回答,或按实际修改页面;`derive` 会显示页面是如何被解读的。",
)
def as_documented(exchange: Exchange, page: Documented) -> Iterator[Finding]:
    """An answer MUST be as the provider's own page states it."""
    yield from _shape(exchange, page, weak=False)


@rule(
    "response.example.documented",
    doc="page:response",
    basis="implied",
    zh="回答的结构应与服务商文档中的示例一致",
    operations=_DERIVED,
    applies=is_json,
    page=Documented.describes,
    breaks=_BREAKS,
    breaks_zh=_BREAKS_ZH,
    mend="Replace the example on your page by a real answer of today, or bring the answer back to the example.",
    mend_zh="用当前的真实回答替换页面上的示例,或让回答与示例一致。",
)
def as_shown(exchange: Exchange, page: Documented) -> Iterator[Finding]:
    """An answer SHOULD be as the example on the provider's own page shows it."""
    yield from _shape(exchange, page, weak=True)
