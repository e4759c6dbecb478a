"""The real clients, where they are installed: what they make of good answers, and of known deviations."""

from __future__ import annotations

import base64
import struct
from importlib.util import find_spec
from typing import Any

import pytest

from clients.recorded import CALL, CHUNKS, USAGE, chunk, completion, exchange, ledger, sse
from clients.test_expected import MESSAGE, MESSAGE_EVENTS, PIECES
from conformance.clients.comparing import State
from conformance.clients.running import run_clients
from conformance.clients.table import CLIENTS
from conformance.clients.verdicts import ClientVerdict, client_verdicts
from conformance.model import Exchange
from conformance.relay import BackgroundRelay
from conformance.replay_app import Replay
from conformance.replaying import Recording

# Importing a client takes seconds and is the worker's matter: here only whether it could.
INSTALLED = {name for name, client in CLIENTS.items() if find_spec(client.package.replace("-", "_"))}
ALL = {"openai", "litellm", "langchain"}
WITH_USAGE = [
    *CHUNKS,
    {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": USAGE},
]
EVERYWHERE = [each | {"usage": USAGE} for each in CHUNKS]
ASKED = {"stream_options": {"include_usage": True}}
PACKED = base64.b64encode(struct.pack("<3f", 0.5, -0.25, 2.0)).decode()
VECTORS = {"object": "list", "model": "m", "usage": {"prompt_tokens": 8, "total_tokens": 8}}
EVENTS = b"".join(f"event: {each['type']}\n".encode() + sse([each], end="") for each in MESSAGE_EVENTS)
RESPONSE: dict[str, Any] = {
    "id": "r1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "m1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
        },
        {
            "type": "function_call",
            "id": "f1",
            "call_id": "t1",
            "name": "f",
            "arguments": '{"a":1}',
            "status": "completed",
        },
    ],
    "usage": {"input_tokens": 8, "output_tokens": 2, "total_tokens": 10},
}
RESPONSE_EVENTS = [
    {"type": "response.created", "sequence_number": 0, "response": RESPONSE | {"status": "in_progress", "output": []}},
    *(
        {
            "type": "response.output_text.delta",
            "sequence_number": 1,
            "item_id": "m1",
            "output_index": 0,
            "content_index": 0,
            "delta": piece,
        }
        for piece in "Hi"
    ),
    {"type": "response.completed", "sequence_number": 3, "response": RESPONSE},
]
REST = b'"id": "m1", "role": "assistant", "model": "m", "stop_sequence": null, '
TEXT = {"id": "c", "object": "text_completion", "created": 1, "model": "m"}
ERROR = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}

GOOD = {
    "chat/text": completion(),
    "chat/tools": completion(None, "tool_calls", tool_calls=[CALL]),
    "chat.stream/text": sse(CHUNKS),
    "chat.stream/usage": sse(WITH_USAGE),
    "chat.stream/tools": sse(PIECES),
    "completions/text": TEXT
    | {"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop", "logprobs": None}], "usage": USAGE},
    "completions.stream/text": sse(
        [TEXT | {"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop", "logprobs": None}]}]
    ),
    "embeddings/floats": VECTORS | {"data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25, 2.0]}]},
    "moderations/text": {
        "id": "x",
        "model": "m",
        "results": [{"flagged": False, "categories": {}, "category_scores": {}}],
    },
    "responses/text": RESPONSE,
    "responses.stream/text": b"".join(
        f"event: {each['type']}\n".encode() + sse([each], end="") for each in RESPONSE_EVENTS
    ),
    "messages/text": {"id": "m1", "role": "assistant", "model": "m", "stop_sequence": None, **MESSAGE},
    "messages.stream/text": EVENTS.replace(b'"type": "message", ', b'"type": "message", ' + REST),
    "models.list/all": {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]},
    "models.retrieve/one": {"id": "m", "object": "model", "created": 1, "owned_by": "x"},
    "audio.speech/mp3": b"ID3\x04\xff\xfb",
    "audio.transcriptions/json": {"text": "Hi"},
    "audio.translations/json": {"text": "Hi"},
    "images.generations/url": {"created": 1, "data": [{"url": "https://img.example/1.png"}]},
    "images.edits/base64": {"created": 1, "data": [{"b64_json": "QUI="}]},
    "images.variations/url": {"created": 1, "data": [{"url": "https://img.example/1.png"}]},
}


def made(name: str, value: Any) -> Exchange:
    """An exchange whose request asks for the usage where the answer has it."""
    return exchange(name, value, asked=ASKED if name.endswith(("usage", "stream/tools")) else {})


DEVIATIONS: dict[str, tuple[Exchange, dict[str, str]]] = {
    "message-for-delta": (
        exchange(
            "chat.stream/message-for-delta",
            sse([{"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}]),
        ),
        {"openai": "raises", "litellm": "texts-lost"},
    ),
    "plain-for-a-stream": (
        exchange("chat.stream/plain-for-a-stream", completion()),
        {"openai": "texts-lost", "litellm": "texts-lost", "langchain": "raises"},
    ),
    "stream-for-plain": (exchange("chat/stream-for-plain", sse(CHUNKS)), dict.fromkeys(ALL, "raises")),
    "run-together": (
        exchange("chat.stream/run-together", sse(CHUNKS, "\n", "data: [DONE]\n")),
        {"openai": "texts-lost", "litellm": "texts-lost", "langchain": "raises"},
    ),
    "usage-everywhere": (
        exchange("chat.stream/usage-everywhere", sse(EVERYWHERE), asked=ASKED),
        {"openai": "", "litellm": "", "langchain": "usage-changed"},
    ),
    "usage-missing": (
        exchange("chat/usage-missing", completion(usage=None)),
        {"openai": "usage-missing", "litellm": "usage-invented"},
    ),
    "role-missing": (
        exchange("chat/role-missing", completion(role=None)),
        {"openai": "", "litellm": "", "langchain": "raises"},
    ),
    "finish-everywhere": (
        exchange(
            "chat.stream/finish-everywhere",
            sse([chunk({"role": "assistant", "content": "Hi"}, "stop"), chunk({"content": "!"}, "stop")]),
        ),
        {"openai": "", "litellm": "", "langchain": "finishes-changed"},
    ),
    "choices-null": (exchange("chat/choices-null", completion() | {"choices": None}), dict.fromkeys(ALL, "raises")),
    "base64-vectors": (
        exchange("embeddings/base64", VECTORS | {"data": [{"object": "embedding", "index": 0, "embedding": PACKED}]}),
        {"openai": ""},
    ),
    "base64-where-numbers-are-due": (
        exchange("embeddings/strings", VECTORS | {"data": [{"object": "embedding", "index": 0, "embedding": PACKED}]}),
        {"litellm": "raises"},
    ),
    "base64-where-it-was-asked": (
        exchange(
            "embeddings/asked",
            VECTORS | {"data": [{"object": "embedding", "index": 0, "embedding": PACKED}]},
            asked={"encoding_format": "base64"},
        ),
        {"openai": "", "litellm": "", "langchain": ""},
    ),
    "a-refusal": (exchange("chat/refused", ERROR, 401), dict.fromkeys(ALL, "")),
    "an-error-event": (exchange("chat.stream/error", sse([*CHUNKS[:2], ERROR], end="")), dict.fromkeys(ALL, "")),
    "anthropic-refusal": (
        exchange(
            "messages/refused", {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}, 400
        ),
        {"anthropic": ""},
    ),
    "anthropic-content-text": (exchange("messages/content-text", MESSAGE | {"content": "Hi"}), {"anthropic": "raises"}),
    "anthropic-plain-for-a-stream": (exchange("messages.stream/plain", MESSAGE), {"anthropic": "raises"}),
}


@pytest.fixture(scope="module")
def verdicts() -> dict[str, ClientVerdict]:
    """How the installed clients fare with everything above, read in one go."""
    exchanges = [made(name, value) for name, value in GOOD.items()] + [each for each, _ in DEVIATIONS.values()]
    recorded = ledger(*exchanges)
    clients = [client for name, client in CLIENTS.items() if name in INSTALLED]
    with BackgroundRelay(Replay(Recording(recorded))) as server:
        runs = run_clients(recorded, clients, server.url)
    return {each.client.name: each for each in client_verdicts(recorded, runs, ())}


def kinds(verdict: ClientVerdict, case: str) -> list[str]:
    return [trouble.kind for trouble in verdict.troubles if case in trouble.cases]


PAIRS = [
    (client.name, name) for client in CLIENTS.values() for name in GOOD if name.partition("/")[0] in client.operations
]
EFFECTS = [(client, name) for name, (_, effects) in DEVIATIONS.items() for client in effects]


@pytest.mark.parametrize(("client", "name"), PAIRS)
def test_a_good_answer_is_read(verdicts: dict[str, ClientVerdict], client: str, name: str) -> None:
    if client not in INSTALLED:
        pytest.skip("not installed")

    assert verdicts[client].state is not State.NOT_RUN
    assert kinds(verdicts[client], name) == []


@pytest.mark.parametrize(("client", "name"), EFFECTS)
def test_a_deviation_does_to_a_client_what_was_measured(
    verdicts: dict[str, ClientVerdict], client: str, name: str
) -> None:
    if client not in INSTALLED:
        pytest.skip("not installed")
    each, effects = DEVIATIONS[name]

    assert kinds(verdicts[client], each.case.id)[:1] == [effects[client]][: bool(effects[client])]
