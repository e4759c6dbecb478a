"""What kind of no an answer is: nothing there, a part refused by name, or anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from judging.runs import CASES, COMPLETION, answer, exchange, generated

from conformance.model import Case, Response
from conformance.refusals import (
    is_not_built,
    met_no_route,
    optional_parts,
    refusal_is_plain,
    refused_part,
    refuses_model,
)

MINIMAL = CASES["chat/minimal"]
UNKNOWN_MODEL = {"error": {"message": "no such model", "code": "model_not_found"}}


@pytest.mark.parametrize(
    ("response", "nothing"),
    [
        *((answer({}, status), True) for status in (404, 405, 501)),
        (answer(UNKNOWN_MODEL, 404), False),
        (answer({"error": {"message": "no", "code": 404}}, 404), True),
        (answer({"error": "no such page"}, 404), True),
        (answer(b"<!doctype html>"), True),
        (answer(b"  <HTML>"), True),
        (Response(200, (("content-type", "text/html; charset=utf-8"),), b"hello", 0.1), True),
        *((answer({}, status), False) for status in (200, 400, 401, 403, 410, 500, 503)),
        (None, False),
    ],
)
def test_an_address_at_which_there_is_nothing_is_known(response: Response | None, *, nothing: bool) -> None:
    assert met_no_route(exchange(MINIMAL, response, "" if response else "reset")) is nothing


def says(message: Any, status: int = 400, **error: Any) -> Response:
    """A refusal in an envelope."""
    return answer({"error": {"message": message, "type": "invalid", **error}}, status)


def turns(*contents: Any, role: str = "user", **more: Any) -> dict[str, Any]:
    """Messages of one role."""
    return {"messages": [{"role": role, "content": content, **more} for content in contents]}


FULL = generated(n=2, stop=["a"], max_tokens=5)
IMAGE = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "data:"}}]


@pytest.mark.parametrize(
    ("case", "response", "part"),
    [
        (FULL, says("n is not supported"), "n"),
        (FULL, says("Bad.", param="stop"), "stop"),
        (FULL, says("Use max_completion_tokens instead"), "max_tokens"),
        (FULL, says("the parameter `n`, please"), "n"),
        (FULL, says("Bad."), ""),
        (FULL, says("none of them"), ""),
        (FULL, says("stops are bad"), ""),
        (FULL, says("seed is not supported"), ""),
        (FULL, says("model is not supported"), ""),
        (FULL, says("n", 500), ""),
        (FULL, says("n", 200), ""),
        (FULL, says(5, param="n"), ""),
        (FULL, says(None, param="n"), ""),
        (FULL, answer({"error": "n"}, 400), ""),
        (FULL, answer(b"n", 400), ""),
        (FULL, answer(COMPLETION), ""),
        (generated(**turns(IMAGE)), says("This model has no vision"), "image_url"),
        (generated(**turns(IMAGE)), says("不支持图片"), "image_url"),
        (generated(**turns([{"type": "text", "text": "a"}])), says("content must be a string"), "content"),
        (generated(**turns("Hi", role="developer")), says("unknown role"), "developer"),
        (generated(**turns("Hi", name="ann")), says("name is not allowed"), "name"),
        (generated(**turns("  ")), says("content is empty"), "content"),
        (generated(**turns("Hi")), says("content is empty"), ""),
    ],
)
def test_a_refusal_of_a_generated_request_may_name_any_optional_part(case: Case, response: Response, part: str) -> None:
    assert refused_part(exchange(case, response)) == part


def test_a_refusal_of_a_fixed_request_may_name_only_what_it_is_about() -> None:
    fixed = generated("chat/fixed", probes=frozenset(), feature="stop", stop="a", n=2)

    assert refused_part(exchange(fixed, says("stop is not supported"))) == "stop"
    assert refused_part(exchange(fixed, says("n is not supported"))) == ""
    assert refused_part(exchange(generated("chat/fixed", probes=frozenset(), n=2), says("n"))) == ""
    assert refusal_is_plain(exchange(fixed, says("stop is not supported")))
    assert not refusal_is_plain(exchange(fixed, says("n is not supported")))


@pytest.mark.parametrize(
    ("messages", "parts"),
    [
        (None, []),
        (5, []),
        ({"role": "user"}, []),
        ([5, None, "text", []], []),
        ([{}], ["content"]),
        ([{"content": 5}], ["content"]),
        ([{"content": [5, {"type": []}, {"type": "image_url"}]}], ["image_url", "content"]),
        ([{"content": "Hi", "role": "developer", "name": None}], ["developer", "name"]),
    ],
)
def test_odd_messages_are_read_all_the_same(messages: Any, parts: list[str]) -> None:
    assert optional_parts(generated(messages=messages, seed=1)) == ["seed", *parts]


def test_a_request_without_a_body_has_no_parts() -> None:
    assert optional_parts(generated(body=None)) == []


@pytest.mark.parametrize(
    ("operation", "body", "parts"),
    [
        ("embeddings", {"model": "m", "input": "a", "dimensions": 8}, ["dimensions"]),
        ("embeddings", {"model": "m", "input": [1, 2]}, ["input"]),
        ("rerank", {"model": "m", "query": "a", "documents": ["a"]}, []),
        ("rerank", {"model": "m", "query": "a", "documents": [{"text": "a"}]}, ["documents"]),
        ("completions.stream", {"model": "m", "prompt": ["a"], "stream": True}, ["prompt", "stream"]),
        ("gemini.generate", {"contents": [], "generationConfig": {"maxOutputTokens": 1, "topK": 2}}, ["topK"]),
        ("gemini.generate", {"contents": [], "generationConfig": "odd"}, []),
        ("messages", {"model": "m", "max_tokens": 1, "messages": [], "system": "s"}, ["system"]),
    ],
)
def test_the_optional_parts_of_other_operations(operation, body, parts):
    case = replace(generated(), operation=operation, body=body)
    assert optional_parts(case) == parts


def test_the_optional_parts_of_a_form():
    case = replace(generated(), operation="audio.transcriptions", body=None)
    form = {"file": {"asset": "hello.wav"}, "model": "m", "timestamp_granularities[]": ["word"]}
    assert optional_parts(replace(case, form=form)) == ["timestamp_granularities"]


@pytest.mark.parametrize("name", ["topK", "generation_config.top_k"])
def test_google_may_write_a_name_in_two_ways(name):
    body = {"contents": [], "generationConfig": {"topK": 2}}
    case = replace(generated(), operation="gemini.generate", body=body)
    said = answer({"error": {"code": 400, "message": f"{name} is not supported.", "status": "INVALID_ARGUMENT"}}, 400)
    assert refused_part(exchange(case, said)) == "topK"


@pytest.mark.parametrize(
    ("message", "code", "refused"),
    [
        ("The model `x` does not exist", "model_not_found", True),
        ("This model is not supported in the v1/responses endpoint.", None, True),
        ("当前分组 default 下对于模型 x 无可用渠道", None, True),
        ("no available channel for this", None, True),
        ("This is a chat model and not an embedding model", None, True),
        ("You must provide n=1 for this model.", "invalid_n", False),
        ("Unsupported value: 'temperature' does not support 0 with this model.", "unsupported_value", False),
        ("Invalid value for 'size'", "size_not_supported", False),
        ("The model x is temporarily unavailable, try again later", None, False),
        ("模型 x 暂时不可用,请稍后再试", None, False),
    ],
)
def test_a_model_that_is_not_there_is_told_from_a_field_that_is_not_taken(message, code, *, refused):
    assert refuses_model(exchange(CASES["chat/minimal"], says(message, 400, code=code))) is refused


@pytest.mark.parametrize(
    ("message", "status", "not_built"),
    [
        ("messages is not supported by openai", 500, True),
        ("Rerank endpoints are not enabled here", 403, True),
        ("暂未开放该接口", 400, True),
        ("API not implemented", 501, True),
        ("Internal server error", 500, False),
        ("The upstream is not available, please try again later", 503, False),
        ("This service is currently not available", 503, False),
        ("Invalid value for 'input'", 400, False),
        ("messages is not supported by openai", 429, False),
    ],
)
def test_an_operation_can_be_refused_in_words(message, status, *, not_built):
    assert is_not_built(exchange(CASES["chat/minimal"], says(message, status))) is not_built
