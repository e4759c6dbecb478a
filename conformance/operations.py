"""The table of operations: what can be asked of a relay, and where its contract is written down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """One method and path family.

    `streams`: the answer is server-sent events and `schema` describes one chunk.
    `essential`: a relay that does not offer it cannot be vetted; otherwise its absence is *unsupported*.
    """

    id: str
    method: str
    path: str
    title: str
    zh: str
    schema: str = ""
    streams: bool = False
    essential: bool = False


_TABLE = (
    Operation("models.list", "GET", "/models", "List models", "列出模型", "models.list"),
    Operation("models.retrieve", "GET", "/models/{model}", "Retrieve one model", "查询单个模型", "models.retrieve"),
    Operation("chat", "POST", "/chat/completions", "Chat completion", "聊天补全", "chat", essential=True),
    Operation(
        "chat.stream",
        "POST",
        "/chat/completions",
        "Chat completion, streamed",
        "聊天补全(流式)",
        "chat.stream",
        streams=True,
        essential=True,
    ),
    Operation("gateway", "*", "/*", "The gateway itself", "网关本身"),
)

OPERATIONS = {operation.id: operation for operation in _TABLE}
"""Operations by id, in the order in which reports show them."""
