"""Faults that only a provider's own page makes visible: what it promises is not what is delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import PAGE, fault

if TYPE_CHECKING:
    from conformance.relay.call import Call


@fault(
    "page-model-list-gone",
    Stage.ARRIVED,
    trips={"documented.operation.offered"},
    needs=PAGE,
    zh="文档列出的模型列表接口不存在",
)
def _(call: Call) -> None:
    """There is no list of models, though the provider's page names it."""
    if call.path.startswith("/v1/models"):
        raise Refusal(404, f"Invalid URL ({call.method} {call.path[:200]})", code="unknown_url")


@fault(
    "page-usage-missing",
    Stage.ANSWER,
    trips={"response.documented", "chat.usage.present"},
    needs=PAGE,
    zh="缺少文档标为必需的 usage",
)
def _(call: Call) -> None:
    """An answer lacks its usage, which the provider's page marks as required."""
    del call.answer["usage"]


@fault(
    "page-detail-as-text",
    Stage.ANSWER,
    trips={"response.example.documented", "chat.response.strict"},
    needs=PAGE,
    zh="文档示例中的整数以字符串返回",
)
def _(call: Call) -> None:
    """A count that the example of the provider's page shows as a number comes as text."""
    call.answer["usage"]["completion_tokens_details"]["reasoning_tokens"] = "0"
