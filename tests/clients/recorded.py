"""Recorded runs made by hand: a few exchanges of any operation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conformance.ledger import LedgerWriter
from conformance.model import (
    Case,
    Exchange,
    Expectation,
    Failure,
    Ledger,
    Limits,
    Phase,
    Price,
    Provider,
    Request,
    Response,
)
from conformance.redaction import Secrets

BASE = "https://relay.example/api/v1"
PATHS = {
    "chat": "/chat/completions",
    "chat.stream": "/chat/completions",
    "completions": "/completions",
    "completions.stream": "/completions",
    "embeddings": "/embeddings",
    "messages": "/messages",
    "messages.stream": "/messages",
    "models.list": "/models",
    "responses": "/responses",
}
USAGE = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}


def completion(content: Any = "Hi there", finish: Any = "stop", usage: Any = USAGE, **message: Any) -> dict[str, Any]:
    """A chat completion."""
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
        ],
        "usage": usage,
    }


def chunk(delta: Any = None, finish: Any = None, **more: Any) -> dict[str, Any]:
    """A chunk of a chat stream."""
    choices = [{"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}]
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}


CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hi "}),
    chunk({"content": "there"}),
    chunk(finish="stop"),
]


def sse(payloads: list[Any], gap: str = "\n\n", end: str = "data: [DONE]\n\n") -> bytes:
    """A stream of these payloads."""
    return "".join(f"data: {json.dumps(payload)}{gap}" for payload in payloads).encode() + end.encode()


def exchange(  # noqa: PLR0913 - what differs between exchanges
    name: str,
    value: Any,
    status: int = 200,
    *,
    asked: dict[str, Any] | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    arrivals: tuple[tuple[float, int], ...] = (),
    failure: str = "",
    method: str = "POST",
    query: str = "",
    **case: Any,
) -> Exchange:
    """An exchange of the case `OPERATION/NAME`; bytes are a body as it is, None is no answer."""
    operation = name.partition("/")[0]
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    kind = "text/event-stream" if body.startswith(b"data:") else "application/json"
    path = PATHS.get(operation, "/" + operation)
    sent = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]} if asked is None else asked
    if operation.endswith(".stream"):
        sent = sent | {"stream": True}
    made = Case(
        name, operation, "p", "z", "s", method, path, Expectation.SUCCESS, Price.CHEAP, Phase.VALID, body=sent, **case
    )
    request = Request(method, BASE + path + query, (), json.dumps(sent).encode() if method == "POST" else b"")
    response = Response(status, (("Content-Type", kind), *headers), body, 0.01, arrivals)
    return Exchange(
        made,
        "m",
        request,
        None if value is None else response,
        Failure(failure, "cut off") if failure else None,
        1_770_000_000.0,
        0.5,
    )


def ledger(*exchanges: Exchange, base: str = BASE) -> Ledger:
    """A run of these exchanges."""
    plan = tuple(each.case for each in exchanges)
    return Ledger(Provider(base, "m"), Limits(), plan, exchanges, 1_770_000_000.0, 1.0, "tool 1")


def write(folder: Path, recorded: Ledger) -> Path:
    """The file of a run."""
    path = folder / "ledger.jsonl"
    with LedgerWriter(path, Secrets({})) as writer:
        writer.header(recorded.provider, recorded.limits, recorded.plan, (), recorded.started)
        for each in recorded.exchanges:
            writer.exchange(each)
        writer.footer(1.0, None)
    return path
