"""Faults of embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay.call import Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call


@fault(
    "embedding-index-zero",
    Stage.EMBEDDINGS,
    trips={"embeddings.data.one-each"},
    zh="每个嵌入的 index 都是 0",
)
def _(call: Call) -> None:
    """Every embedding has index 0, as in the Gemini channel of one-api."""
    for item in call.answer["data"]:
        item["index"] = 0
