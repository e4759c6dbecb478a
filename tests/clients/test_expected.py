"""What an answer says, whatever its form: texts, tool calls, finish reasons, token counts."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from clients.recorded import CALL, CHUNKS, USAGE, chunk, completion, exchange, sse
from conformance.clients.expected import Expected, expected
from conformance.clients.readings import LONGEST, MOST, Content, ToolCall, vector_text
from conformance.clients.using import bytes_text

PLAIN = Content(texts=("Hi there",), finishes=("stop",), usage=(8, 2))
STREAMED = Content(texts=("Hi there",), finishes=("stop",))
WEATHER = ToolCall("weather", '{"city": "Paris"}', "call_1")
CALLED = Content(texts=("",), tools=(WEATHER,), finishes=("tool_calls",), usage=(8, 2))
NUMBERS = [0.5, -0.25, 2.0]
PACKED = base64.b64encode(struct.pack("<3f", *NUMBERS)).decode()
VECTOR = "3 numbers: 0.5, -0.25, 2, … sum 2.25"


def delta_call(**changes: Any) -> dict[str, Any]:
    """A delta with a piece of a tool call."""
    return {"tool_calls": [{"index": 0, **changes}]}


PIECES = [
    chunk({"role": "assistant", "content": None}),
    chunk(delta_call(id="call_1", function={"name": "weather", "arguments": ""})),
    chunk(delta_call(function={"arguments": '{"city": '})),
    chunk(delta_call(function={"arguments": '"Paris"}'})),
    chunk(finish="tool_calls"),
    {"choices": [], "usage": USAGE},
]
NO_INDEX = [
    chunk({"tool_calls": [{"id": name, "function": {"name": name, "arguments": ""}}]}) for name in ("a", "b")
] + [chunk({"tool_calls": [{"function": {"arguments": "[1]"}}]})]
FIRST, SECOND = (completion(text)["choices"][0] | {"index": place} for place, text in ((1, "b"), (0, "a")))
MESSAGE = {
    "type": "message",
    "content": [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 8, "output_tokens": 2},
}
MESSAGE_EVENTS = [
    {
        "type": "message_start",
        "message": MESSAGE | {"content": [], "stop_reason": None, "usage": {"input_tokens": 8, "output_tokens": 1}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
    },
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": " 1}"}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use"},
        "usage": {"input_tokens": None, "output_tokens": 2},
    },
]
SPOKEN = Content(texts=("Hi",), tools=(ToolCall("f", '{"a": 1}', "t1"),), finishes=("tool_use",), usage=(8, 2))
RESPONSE = {
    "status": "completed",
    "output": [
        {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "function_call", "name": "f", "arguments": '{"a":1}', "call_id": "t1"},
    ],
    "usage": {"input_tokens": 8, "output_tokens": 2},
}
RESPONDED = Content(texts=("Hi",), tools=(ToolCall("f", '{"a": 1}', "t1"),), finishes=("completed",), usage=(8, 2))
RESPONSE_EVENTS = [
    {"type": "response.created", "response": {"status": "in_progress"}},
    {"type": "response.output_text.delta", "delta": "H"},
    {"type": "response.output_text.delta", "delta": "i"},
    {"type": "response.completed", "response": RESPONSE},
]

READ: dict[str, tuple[str, Any, Content]] = {
    "plain": ("chat/a", completion(), PLAIN),
    "parts": ("chat/a", completion([{"type": "text", "text": "Hi "}, {"text": "there"}, 5]), PLAIN),
    "wrapped": ("chat/a", {"code": 0, "data": completion()}, PLAIN),
    "null-content": ("chat/a", completion(None, tool_calls=[CALL], finish="tool_calls"), CALLED),
    "object-arguments": (
        "chat/a",
        completion(
            "", "tool_calls", tool_calls=[CALL | {"function": {"name": "weather", "arguments": {"city": "Paris"}}}]
        ),
        CALLED,
    ),
    "odd-arguments": (
        "chat/a",
        completion("", "tool_calls", None, tool_calls=[{"function": {"name": "f", "arguments": "{"}}]),
        Content(texts=("",), tools=(ToolCall("f", "{", ""),), finishes=("tool_calls",)),
    ),
    "two-choices": (
        "chat/a",
        completion() | {"choices": [FIRST, SECOND]},
        Content(texts=("a", "b"), finishes=("stop", "stop"), usage=(8, 2)),
    ),
    "finish-null": ("chat/a", completion(finish=None), Content(texts=("Hi there",), finishes=("",), usage=(8, 2))),
    "usage-as-text": ("chat/a", completion(usage={"prompt_tokens": "8", "completion_tokens": "2"}), PLAIN),
    "streamed": ("chat.stream/a", sse(CHUNKS), STREAMED),
    "streamed-tools": ("chat.stream/a", sse(PIECES), CALLED),
    "streamed-tools-without-index": (
        "chat.stream/a",
        sse(NO_INDEX),
        Content(texts=("",), tools=(ToolCall("a", "", "a"), ToolCall("b", "[1]", "b")), finishes=("",)),
    ),
    "a-stream-for-plain": ("chat/a", sse(CHUNKS), STREAMED),
    "plain-for-a-stream": ("chat.stream/a", completion(), PLAIN),
    "message-for-delta": (
        "chat.stream/a",
        sse([{"choices": [{"index": 0, "message": {"content": "Hi"}}]}]),
        Content(("Hi",), (), ("",)),
    ),
    "run-together": ("chat.stream/a", sse(CHUNKS, "\n"), STREAMED),
    "completions": (
        "completions/a",
        {"choices": [{"index": 0, "text": "Hi there", "finish_reason": "stop"}], "usage": USAGE},
        PLAIN,
    ),
    "completions-streamed": (
        "completions.stream/a",
        sse(
            [
                {"choices": [{"index": 0, "text": "Hi "}]},
                {"choices": [{"index": 0, "text": "there", "finish_reason": "stop"}]},
            ]
        ),
        STREAMED,
    ),
    "vectors": (
        "embeddings/a",
        {"data": [{"embedding": NUMBERS}, {"embedding": PACKED}], "usage": {"prompt_tokens": 8}},
        Content(items=(VECTOR, VECTOR), usage=(8, 0)),
    ),
    "vectors-without-usage": ("embeddings/a", {"data": []}, Content()),
    "moderations": ("moderations/a", {"results": [{"flagged": True}]}, Content(items=("flagged: True",))),
    "images": (
        "images.generations/a",
        {"data": [{"url": "https://x"}, {"b64_json": "QUI="}, {"b64_json": "A"}]},
        Content(items=("https://x", bytes_text(b"AB"), "no base64")),
    ),
    "speech": ("audio.speech/a", b"RIFF\xff", Content(items=(bytes_text(b"RIFF\xff"),))),
    "heard": ("audio.transcriptions/a", {"text": "Hi"}, Content(texts=("Hi",))),
    "heard-as-text": ("audio.translations/a", b"Hi\n", Content(texts=("Hi\n",))),
    "heard-streamed": (
        "audio.transcriptions/a",
        sse([{"type": "transcript.text.delta", "delta": "H"}, {"type": "transcript.text.done", "text": "Hi"}]),
        Content(texts=("Hi",)),
    ),
    "models": ("models.list/a", {"data": [{"id": "m"}, {"id": "n"}]}, Content(items=("m", "n"))),
    "no-models": ("models.list/a", {"data": []}, Content()),
    "model": ("models.retrieve/a", {"id": "m"}, Content(items=("m",))),
    "response": ("responses/a", RESPONSE, RESPONDED),
    "response-streamed": ("responses.stream/a", sse(RESPONSE_EVENTS), RESPONDED),
    "message": ("messages/a", MESSAGE, SPOKEN),
    "message-streamed": ("messages.stream/a", sse(MESSAGE_EVENTS), SPOKEN),
    "message-cut-short": (
        "messages.stream/a",
        sse([{"type": "message_start", "message": {}}, {"type": "message_delta"}]),
        Content(texts=("",), finishes=("",)),
    ),
}


@pytest.mark.parametrize("name", READ)
def test_what_is_there_is_read(name: str) -> None:
    case, value, content = READ[name]

    assert expected(exchange(case, value)) == Expected(content)


ERRORS: dict[str, tuple[str, Any, int]] = {
    "status": ("chat/a", completion(), 400),
    "in-200": ("chat/a", {"error": {"message": "no"}}, 200),
    "as-text": ("chat/a", {"error": "no"}, 200),
    "in-a-stream": ("chat.stream/a", sse([*CHUNKS[:2], {"error": {"message": "no"}}]), 200),
    "anthropic": ("messages.stream/a", sse([{"type": "error", "error": {}}]), 200),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_one_wherever_it_stands(name: str) -> None:
    case, value, status = ERRORS[name]

    assert expected(exchange(case, value, status)) == Expected(error=True)


NOTHING: dict[str, tuple[str, Any]] = {
    "empty": ("chat/a", b""),
    "html": ("chat/a", b"<html>"),
    "no-object": ("chat/a", [1]),
    "no-choices": ("chat/a", {"choices": None}),
    "choices-number": ("chat/a", {"choices": 5}),
    "choice-text": ("chat/a", {"choices": ["x"]}),
    "tool-text": ("chat/a", completion(tool_calls=["x"])),
    "usage-text": ("chat/a", completion(usage={"prompt_tokens": "many"})),
    "vector-text": ("embeddings/a", {"data": [{"embedding": ["x"]}]}),
    "vector-huge": ("embeddings/a", {"data": [{"embedding": [10**400]}]}),
    "vector-odd-length": ("embeddings/a", {"data": [{"embedding": "QUJD"}]}),
    "vector-no-base64": ("embeddings/a", {"data": [{"embedding": "!"}]}),
    "no-data": ("embeddings/a", {}),
    "block-before-start": ("messages.stream/a", sse([{"type": "message_start", "message": {}}, MESSAGE_EVENTS[2]])),
    "no-dialect-of-a-client": ("gemini.generate/a", {"candidates": []}),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_nobody_can_read_says_nothing(name: str) -> None:
    case, value = NOTHING[name]

    assert expected(exchange(case, value)) == Expected()


def test_long_answers_are_cut_as_readings_are() -> None:
    many = [{"index": place, "message": {"content": "x" * (LONGEST + 1)}} for place in range(MOST + 1)]

    content = expected(exchange("chat/a", {"choices": many})).content

    assert content is not None
    assert len(content.texts) == MOST
    assert {len(text) for text in content.texts} == {LONGEST}


def test_vectors_that_differ_look_different() -> None:
    assert vector_text([1.0] * 8) == "8 numbers: 1, 1, 1, … sum 8"
    assert json.loads(json.dumps(vector_text([]))) == "0 numbers: , … sum 0"
