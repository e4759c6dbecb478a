"""Quirks: each does what it says, and none of them lies."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from conformance.errors import UsageError
from conformance.relay import Quirks, create_app
from conformance.relay.quirks import KNOWN

from .driver import Answer, call

CHAT = "/v1/chat/completions"
NUMBERS = "Write the numbers from one to sixty in English words, separated by commas."
MANY = range(40)


def ask(quirks: Quirks, times: int = 1, question: str = "Say OK", **fields: Any) -> list[Answer]:
    """The same chat request so many times."""
    body = {"model": "mock-chat", "messages": [{"role": "user", "content": question}], **fields}
    return request(quirks, [("POST", CHAT, body)] * times)


def request(quirks: Quirks, calls: list[tuple[str, str, Any]]) -> list[Answer]:
    """Some requests to one relay."""

    async def run() -> list[Answer]:
        app = create_app(quirks=quirks)
        return [await call(app, method, path, json.dumps(body).encode()) for method, path, body in calls]

    return asyncio.run(run())


def only(name: str, **settings: float) -> Quirks:
    """A relay with one quirk."""
    return Quirks(1, only=[name], **settings)


def bodies(answers: list[Answer]) -> list[Any]:
    return [json.loads(answer.body) for answer in answers]


def chunks(answer: Answer) -> list[Any]:
    """The chunks of a stream, [DONE] checked and left out."""
    lines = [line for line in answer.body.decode().splitlines() if line.startswith("data:")]
    assert lines.pop().removeprefix("data:").strip() == "[DONE]"
    return [json.loads(line.removeprefix("data:")) for line in lines]


def test_a_seed_always_draws_the_same_quirks() -> None:
    assert Quirks(7).on == Quirks(7).on
    assert len({Quirks(seed).on for seed in MANY}) > 30
    assert set().union(*(Quirks(seed).on for seed in MANY)) == set(KNOWN)


def test_an_unknown_quirk_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no quirk 'charm'"):
        _ = Quirks(1, only=["charm"]).on


def test_without_quirks_the_relay_is_the_honest_one() -> None:
    (body,) = bodies(ask(Quirks(1, only=())))
    assert body["choices"][0]["message"]["content"] == "OK"


@pytest.mark.parametrize("seed", range(25))
def test_no_quirks_lie(seed: int) -> None:
    quirks = Quirks(seed, latency=0.001, busy=0.0)
    for limit in (1, 6, 30):
        for body in bodies(ask(quirks, 4, NUMBERS, max_tokens=limit, stop="nine")):
            _check_plain(body, limit)
        options = {"include_usage": True}
        for answer in ask(quirks, 4, NUMBERS, max_tokens=limit, stop="nine", stream=True, stream_options=options):
            _check_stream(chunks(answer), limit)


def _check_plain(body: dict[str, Any], limit: int) -> None:
    choice = body["choices"][0]
    assert "nine" not in choice["message"]["content"]
    assert choice["finish_reason"] in {"stop", "length"}
    if "usage" in body:
        usage = body["usage"]
        assert usage["completion_tokens"] <= limit
        assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"]
        assert (choice["finish_reason"] == "length") >= (usage["completion_tokens"] == limit > 1)


def _check_stream(found: list[Any], limit: int) -> None:
    *rest, last = found
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in rest)
    finishes = [chunk["choices"][0]["finish_reason"] for chunk in rest]
    assert "nine" not in text
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] <= limit
    assert not any(chunk.get("usage") for chunk in rest)
    assert finishes[:-1] == [None] * (len(finishes) - 1)
    assert finishes[-1] in {"stop", "length"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in found}) == 1


def test_there_may_be_no_single_models() -> None:
    paths = [("GET", "/v1/models/mock-chat", None), ("GET", "/v1/models", None)]
    assert [answer.status for answer in request(only("no-retrieve"), paths)] == [404, 200]


def test_a_bad_request_benches_the_chat_for_a_while() -> None:
    async def run() -> list[int]:
        app = create_app(quirks=only("bench", bench=0.05))
        good = json.dumps({"model": "mock-chat", "messages": [{"role": "user", "content": "Say OK"}]}).encode()
        first = await call(app, "POST", CHAT, good)
        bad = await call(app, "POST", CHAT, b"{}")
        benched = await call(app, "POST", CHAT, good)
        keyless = await call(app, "POST", CHAT, good, headers=())
        models = await call(app, "GET", "/v1/models")
        assert (b"retry-after", b"1") in benched.headers
        await asyncio.sleep(0.06)
        later = await call(app, "POST", CHAT, good)
        return [answer.status for answer in (first, bad, benched, keyless, models, later)]

    assert asyncio.run(run()) == [200, 400, 429, 401, 200, 200]


def test_a_busy_relay_says_when_to_come_back() -> None:
    answers = ask(only("busy", busy=0.5), 20)
    assert {answer.status for answer in answers} == {200, 429}
    assert all((b"retry-after", b"1") in answer.headers for answer in answers if answer.status == 429)


def test_a_model_may_be_named_with_its_date() -> None:
    assert bodies(ask(only("dated-model")))[0]["model"] == "mock-chat-2024-05-13"


def test_a_weak_model_says_anything_and_is_billed_right() -> None:
    found = bodies(ask(only("weak-model"), 150))
    texts = {body["choices"][0]["message"]["content"] for body in found}
    assert {"", " ", "\n", ".", "OK", "I cannot help with that."} <= texts
    silent = {body["usage"]["completion_tokens"] for body in found if not body["choices"][0]["message"]["content"]}
    assert silent == {0, 1}


def test_a_weak_model_forgets_what_came_before() -> None:
    messages = [
        {"role": "system", "content": "The code word X1 ends all."},
        {"role": "user", "content": "Say OK"},
    ]
    found = bodies(ask(only("weak-model"), 60, messages=messages))
    assert {"OK", "OK X1"} <= {body["choices"][0]["message"]["content"] for body in found}


def test_a_reasoning_model_thinks_on_the_budget_of_the_answer() -> None:
    (short,) = bodies(ask(only("reasoning"), max_tokens=5))
    assert short["choices"][0]["message"]["content"] == ""
    assert short["choices"][0]["finish_reason"] == "length"
    assert short["usage"]["completion_tokens_details"]["reasoning_tokens"] == 5
    (whole,) = bodies(ask(only("reasoning")))
    assert whole["choices"][0]["message"]["content"] == "OK"
    assert whole["choices"][0]["message"]["reasoning_content"]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks(ask(only("reasoning"), stream=True)[0])]
    assert "reasoning_content" in deltas[1]


def test_several_tokens_may_come_at_once() -> None:
    found = chunks(ask(only("several-tokens-at-once"), question=NUMBERS, stream=True)[0])
    pieces = [chunk["choices"][0]["delta"].get("content", "") for chunk in found]
    assert max(map(len, pieces)) > 7
    assert "".join(pieces).endswith("fifty-nine, sixty")


def test_fields_may_be_added_everywhere() -> None:
    (body,) = bodies(ask(only("extra-fields")))
    assert {"provider", "x_timing"} <= set(body)
    assert "input_tokens" in body["usage"]
    assert all("provider" in chunk for chunk in chunks(ask(only("extra-fields"), stream=True)[0]))
    paths = [("GET", "/v1/models", None), ("GET", "/v1/models/mock-chat", None)]
    listed, single = bodies(request(only("extra-fields"), paths))
    assert listed["success"] is True
    assert single == listed["data"][0]


def test_optional_fields_may_be_absent() -> None:
    found = bodies(ask(only("absent-fields"), 20))
    assert {"system_fingerprint" in body for body in found} == {True, False}
    assert {"refusal" in body["choices"][0]["message"] for body in found} == {True, False}
    streams = [chunks(answer) for answer in ask(only("absent-fields"), 20, stream=True)]
    assert {"content" in stream[0]["choices"][0]["delta"] for stream in streams} == {True, False}


def test_usage_may_be_absent_from_plain_answers_only() -> None:
    assert {"usage" in body for body in bodies(ask(only("no-usage"), 20))} == {True, False}
    options = {"include_usage": True}
    streams = ask(only("no-usage"), 20, stream=True, stream_options=options)
    assert all(chunks(answer)[-1]["usage"] for answer in streams)


def test_usage_may_be_null_until_it_comes() -> None:
    found = chunks(ask(only("usage-null"), stream=True, stream_options={"include_usage": True})[0])
    assert [chunk["usage"] is None for chunk in found] == [True] * (len(found) - 1) + [False]
    assert "usage" not in chunks(ask(only("usage-null"), stream=True)[0])[0]


def test_ids_may_be_those_of_another_vendor() -> None:
    assert bodies(ask(only("message-ids")))[0]["id"].startswith("msg_")
    assert chunks(ask(only("message-ids"), stream=True)[0])[0]["id"].startswith("msg_")


def test_comments_keep_the_connection_alive() -> None:
    answers = ask(only("comments"), 10, stream=True)
    assert any(b": PING\n\n" in answer.body for answer in answers)
    assert all(answer.body.endswith(b"data: [DONE]\n\n") for answer in answers)


def test_the_blank_after_data_may_be_missing() -> None:
    assert b"data: " not in ask(only("no-space"), stream=True)[0].body


def test_lines_may_end_in_crlf() -> None:
    body = ask(only("crlf"), stream=True)[0].body
    assert body.count(b"\n") == body.count(b"\r\n") > 0


def test_the_content_type_may_state_the_charset() -> None:
    assert (b"content-type", b"application/json; charset=utf-8") in ask(only("charset"))[0].headers
    page, options = request(only("charset"), [("GET", "/", None), ("OPTIONS", CHAT, None)])
    assert (b"content-type", b"text/html; charset=utf-8") in page.headers
    assert b"content-type" not in dict(options.headers)


def test_the_request_id_may_be_named_as_in_one_api() -> None:
    headers = dict(ask(only("one-api-request-id"))[0].headers)
    assert b"x-request-id" not in headers
    assert len(headers[b"x-oneapi-request-id"]) == 24


def test_rate_limits_may_be_stated() -> None:
    headers = dict(ask(only("rate-limit-headers"))[0].headers)
    assert int(headers[b"x-ratelimit-remaining-tokens"]) <= int(headers[b"x-ratelimit-limit-tokens"])


def test_blank_lines_may_stand_before_the_json() -> None:
    found = ask(only("padded-json"), 10)
    assert any(answer.body.startswith(b"\n") for answer in found)
    assert bodies(found)
    assert request(only("padded-json"), [("GET", "/", None)])[0].body.startswith(b"<!doctype")


def test_bytes_may_be_cut_anywhere() -> None:
    text = "你好,世界 🌏"
    answers = ask(only("cut-anywhere"), 10, f"Repeat exactly, nothing else: {text}", stream=True)
    assert all(len(answer.pieces) > 1 for answer in answers)
    assert any(not _decodes(piece) for answer in answers for piece in answer.pieces)
    assert request(only("cut-anywhere"), [("OPTIONS", CHAT, None)])[0].pieces == []


def _decodes(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_latency_takes_time() -> None:
    started = time.monotonic()
    ask(only("latency", latency=0.02), 8, NUMBERS, stream=True)
    assert time.monotonic() - started > 0.04


OTHERS = [
    ("/v1/embeddings", {"model": "text-embedding-3-mock", "input": "hello"}),
    ("/v1/moderations", {"model": "mock-moderation", "input": "hello"}),
    ("/v1/images/generations", {"model": "mock-image", "prompt": "red", "response_format": "b64_json"}),
]


@pytest.mark.parametrize(("path", "body"), OTHERS)
def test_other_operations_have_further_fields_too(path: str, body: Any) -> None:
    (answer,) = bodies(request(only("extra-fields"), [("POST", path, body)]))
    assert answer["x_provider"] == "Reference"
    assert all(item["x_cached"] is False for item in answer.get("data", ()))


def test_vectors_differ_a_little_from_call_to_call_and_never_in_base64() -> None:
    path, body = OTHERS[0]
    one, two = bodies(request(only("uneven-vectors"), [("POST", path, body)] * 2))
    pairs = list(zip(one["data"][0]["embedding"], two["data"][0]["embedding"], strict=True))
    assert any(a != b for a, b in pairs)
    assert all(abs(a - b) < 1e-3 for a, b in pairs)
    packed = body | {"encoding_format": "base64"}
    one, two = bodies(request(only("uneven-vectors"), [("POST", path, packed)] * 2))
    assert one["data"] == two["data"]


def test_other_streams_are_kept_alive_with_comments() -> None:
    body = {"model": "mock-chat", "input": "Say hello.", "max_output_tokens": 16, "stream": True}
    answers = request(only("comments"), [("POST", "/v1/responses", body)] * 8)
    assert any(line.startswith(b":") for answer in answers for line in answer.body.splitlines())
    assert all(b"response.completed" in answer.body for answer in answers)


def test_what_is_sold_as_drawing_draws_whatever_the_model_is() -> None:
    body = {"model": "gpt-4-all", "messages": [{"role": "user", "content": "Draw a red square."}]}
    answers = bodies(request(only("weak-model"), [("POST", CHAT, body)] * 8))
    assert all("![" in answer["choices"][0]["message"]["content"] for answer in answers)


def test_thinking_that_is_billed_is_said() -> None:
    body = {"model": "o1-mini-mock", "messages": [{"role": "user", "content": "Say OK"}], "max_completion_tokens": 256}
    answers = bodies(request(only("absent-fields"), [("POST", CHAT, body)] * 8))
    assert all(answer["usage"]["completion_tokens_details"]["reasoning_tokens"] for answer in answers)
