"""What is refused, and what is answered: plain and streamed."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from conformance.relay import create_app
from conformance.relay.words import tokens

from .driver import call

if TYPE_CHECKING:
    import httpx

    from .conftest import Ask, Events

CHAT = "/v1/chat/completions"
NUMBERS = "Write the numbers from one to sixty in English words, separated by commas."
COUNT = "Count from 1 to 9, digits separated by single spaces, nothing else."


def content(answer: httpx.Response, index: int = 0) -> str:
    text: str = answer.json()["choices"][index]["message"]["content"]
    return text


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"model": NaN}', "[" * 100_000, "\ud800", "1e5"])
def test_a_body_that_is_no_json_object_is_refused(client: httpx.Client, body: str) -> None:
    answer = client.post(CHAT, content=body.encode("utf-8", "surrogatepass"))
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_json"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 4}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": "Say OK"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["Say OK"]}, "messages[0]"),
        ({"messages": [{"content": "Say OK"}]}, "messages[0].role"),
        ({"messages": [{"role": "narrator", "content": "Say OK"}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": "Say OK"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 4}]}, "messages[0].content"),
        ({"temperature": "abc"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"n": 1.5}, "n"),
        ({"n": True}, "n"),
        ({"stop": 5}, "stop"),
        ({"stop": []}, "stop"),
        ({"stop": ["a", 5]}, "stop"),
        ({"stop": list("abcde")}, "stop"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": "usage"}, "stream_options"),
        ({"stream_options": {"include_usage": 1}}, "stream_options"),
        ({"logit_bias": []}, "logit_bias"),
        ({"logit_bias": {"50256": "never"}}, "logit_bias"),
        ({"logit_bias": {"50256": 101}}, "logit_bias"),
        ({"presence_penalty": -3}, "presence_penalty"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"seed": 0.5}, "seed"),
        ({"user": 7}, "user"),
    ],
)
def test_a_bad_field_is_refused_by_name(ask: Ask, fields: dict[str, Any], param: str) -> None:
    answer = ask(**fields)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["param"] == param
    assert param in error["message"]
    assert error["type"] == "invalid_request_error"


def test_an_unknown_model_is_refused_before_bad_messages(ask: Ask) -> None:
    answer = ask(model="no-such-model", messages=[])
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0, "top_p": 1, "n": 1.0, "stop": "never", "seed": 7, "user": "me", "logprobs": False},
        {"temperature": 0.7, "stop": ["a b", ""], "logit_bias": {"50256": -100}},
        dict.fromkeys(["temperature", "top_p", "n", "stop", "stream", "max_tokens", "stream_options", "user"]),
        {"unheard_of": {"field": 1}, "response_format": {"type": "text"}},
        {"stream_options": {"include_usage": True, "include_obfuscation": None}},
        {
            "messages": [
                {"role": "developer", "content": None},
                {"role": "user", "content": "Say OK", "name": "A"},
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Say OK"}, {"type": "file"}, 4]}]},
    ],
)
def test_good_fields_are_accepted(ask: Ask, fields: dict[str, Any]) -> None:
    answer = ask(**fields)
    assert answer.status_code == 200
    assert content(answer) == "OK"


def test_a_plain_answer_has_everything_that_openai_gives(ask: Ask) -> None:
    body = ask().json()
    assert body["id"].startswith("chatcmpl-")
    assert body["object"] == "chat.completion"
    assert abs(body["created"] - time.time()) < 5
    assert body["model"] == "mock-chat"
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "OK", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert set(body["usage"]) >= {"prompt_tokens_details", "completion_tokens_details"}
    assert body["system_fingerprint"]


def test_the_same_request_gets_another_id(ask: Ask) -> None:
    assert ask().json()["id"] != ask().json()["id"]


def test_prompt_tokens_are_the_tokens_of_all_messages_and_a_little_more(ask: Ask) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say OK"}]
    usage = ask(messages=messages).json()["usage"]
    assert usage["prompt_tokens"] == len(tokens("Be brief.")) + len(tokens("Say OK")) + 2 * 3 + 3
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize("limit", [1, 2, 6, 11, 16])
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_cuts_exactly(ask: Ask, name: str, limit: int) -> None:
    body = ask(NUMBERS, **{name: limit}).json()
    assert body["usage"]["completion_tokens"] == limit
    assert body["choices"][0]["finish_reason"] == "length"


def test_the_smaller_limit_counts(ask: Ask) -> None:
    assert ask(NUMBERS, max_tokens=9, max_completion_tokens=4).json()["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize("stop", ["5", ["8", "5", "6"], ["", "5"]])
def test_a_stop_string_ends_the_answer_before_it(ask: Ask, stop: object) -> None:
    body = ask(COUNT, stop=stop).json()
    assert body["choices"][0]["message"]["content"] == "1 2 3 4 "
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["completion_tokens"] == len(tokens("1 2 3 4 "))


def test_a_stop_string_beyond_the_limit_does_not_count(ask: Ask) -> None:
    assert ask(COUNT, stop="5", max_tokens=3).json()["choices"][0]["finish_reason"] == "length"


def test_each_choice_says_something_else_and_all_are_billed(ask: Ask) -> None:
    body = ask("Name one animal.", n=3).json()
    texts = [choice["message"]["content"] for choice in body["choices"]]
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert len(set(texts)) == 3
    assert body["usage"]["completion_tokens"] == sum(len(tokens(text)) for text in texts)


def test_a_lone_surrogate_does_not_break_the_answer(ask: Ask) -> None:
    assert content(ask("Repeat exactly, nothing else: a\ud800b")) == "a?b"


def test_a_stream_has_a_role_then_tokens_then_an_end(ask: Ask, events: Events) -> None:
    answer = ask(COUNT, stream=True)
    *chunks, done = events(answer)
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-cache"
    assert done == "[DONE]"
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta["content"] for delta in deltas[1:-1]) == "1 2 3 4 5 6 7 8 9"
    assert deltas[-1] == {}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert len({(chunk["id"], chunk["created"], chunk["model"], chunk["object"]) for chunk in chunks}) == 1


def test_a_stream_tells_its_usage_when_asked(ask: Ask, events: Events) -> None:
    chunks = events(ask(stream=True, stream_options={"include_usage": True}))
    plain = ask().json()
    assert chunks[-2]["choices"] == []
    assert chunks[-2]["usage"] == plain["usage"]
    assert not any("usage" in chunk for chunk in chunks[:-2])


def test_a_stream_tells_no_usage_unasked(ask: Ask, events: Events) -> None:
    assert all(chunk["choices"] for chunk in events(ask(stream=True))[:-1])


def test_streamed_choices_can_be_told_apart(ask: Ask, events: Events) -> None:
    chunks = events(ask("Name three colours.", n=2, stream=True))[:-1]
    for index in (0, 1):
        mine = [choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == index]
        assert mine[0]["delta"]["role"] == "assistant"
        assert [choice["finish_reason"] for choice in mine if choice["finish_reason"]] == ["stop"]


def test_a_refused_stream_is_answered_with_json(ask: Ask) -> None:
    answer = ask(stream=True, temperature=3)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"


def test_latency_delays_the_first_byte_and_spreads_a_stream() -> None:
    body = {"model": "mock-chat", "stream": True, "messages": [{"role": "user", "content": NUMBERS}]}
    started = time.monotonic()
    answer = asyncio.run(call(create_app(latency=0.1), "POST", CHAT, json.dumps(body).encode()))
    assert time.monotonic() - started >= 0.08
    assert len(answer.pieces) > 3
    assert answer.ended


@pytest.mark.parametrize("latency", [5.0, 0.01])
def test_a_client_that_hangs_up_is_forgotten_at_once(latency: float) -> None:
    body = {"model": "mock-chat", "stream": True, "messages": [{"role": "user", "content": NUMBERS}]}
    started = time.monotonic()
    answer = asyncio.run(call(create_app(latency=latency), "POST", CHAT, json.dumps(body).encode(), leave=True))
    assert time.monotonic() - started < 2
    assert not answer.ended


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Say OK", "OK"),
        ("Please say hello.", "Hello!"),
        ("Repeat exactly, nothing else: 你好,世界 🌏 café", "你好,世界 🌏 café"),
        ("Count from 7 to 10.", "7 8 9 10"),
        ("Write the numbers from nineteen to twenty in English words", "nineteen, twenty"),
        ("Write the numbers from nought to two in English words", "zero, one, two"),
        ("Name a large city.", "Tokyo"),
        ("What is truth?", "I am a small reference model and know no answer to that."),
        ("Which locker number did I tell you? Digits only.", "You have not told me."),
    ],
)
def test_the_model_does_what_it_is_asked(ask: Ask, question: str, answer: str) -> None:
    assert content(ask(question)) == answer


def test_the_model_obeys_the_system_message(ask: Ask) -> None:
    system = "End every answer with the code word MARIGOLD-7, whatever is asked."
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "Say hello."}]
    assert content(ask(messages=messages)) == "Hello! MARIGOLD-7"


def test_the_model_remembers_earlier_turns(ask: Ask) -> None:
    messages = [
        {"role": "user", "content": "Please remember that my locker number is 48213."},
        {"role": "assistant", "content": "Understood."},
        {"role": "user", "content": "Which locker number did I tell you? Digits only."},
    ]
    assert content(ask(messages=messages)) == "48213"


def test_the_long_answer_is_long_within_two_hundred_tokens(ask: Ask) -> None:
    assert len(content(ask(NUMBERS, max_tokens=200))) > 200


@pytest.mark.parametrize(
    "text", ["", " ", "a  b\n\n", "one, twenty-one", "你好,世界 🌏 café", "snake_case 1234", "\x00"]
)
def test_tokens_are_the_text_again_and_none_is_empty(text: str) -> None:
    assert "".join(tokens(text)) == text
    assert all(tokens(text))
    assert len(tokens(text)) >= len(text.split())
