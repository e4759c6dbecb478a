"""Embeddings: one vector for each input, in order, of the length and form that was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.views import request_body

_ONE = ("embeddings",)


def inputs(exchange: Exchange) -> int:
    """How many inputs the request has."""
    given = request_body(exchange)["input"]
    return len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1


@rule(
    "embeddings.data.one-each",
    doc="openai:embeddings/object",
    lines=("EMB-02",),
    zh="每个输入必须有一个嵌入,index 从 0 起依次递增",
    operations=_ONE,
    needs=("/data",),
    breaks="vectors are stored with the wrong text",
    breaks_zh="向量会与错误的文本对应",
)
def one_each(exchange: Exchange) -> Iterator[Finding]:
    """Every input MUST get one embedding, with the index of its place."""
    expected = list(range(inputs(exchange)))
    found = [item["index"] for item in exchange.json["data"]]
    if found != expected:
        label = "embedding-index-zero" if len(found) > 1 and not any(found) else ""
        yield Finding("/data", expected, found, deviation=label)
