"""What is refused, and what is answered, by the relay's text completions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from conformance.relay.words import tokens

if TYPE_CHECKING:
    import httpx

    from .conftest import Events

COUNT = "Count from 1 to 30, separated by single spaces, nothing else:"


def ask(client: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": "mock-instruct", "prompt": COUNT, **fields}
    return client.post("/v1/completions", content=json.dumps(body))


def texts(answer: httpx.Response) -> list[str]:
    return [choice["text"] for choice in answer.json()["choices"]]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": {"text": "Hi"}}, "prompt"),
        ({"prompt": ["Hi", 4]}, "prompt"),
        ({"prompt": [[]]}, "prompt"),
        ({"prompt": [True]}, "prompt"),
        ({"prompt": ["Hi"] * 129}, "prompt"),
        ({"prompt": ["Hi"] * 2, "n": 128}, "prompt"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"best_of": 21}, "best_of"),
        ({"echo": "yes"}, "echo"),
        ({"logprobs": 6}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"suffix": 4}, "suffix"),
        ({"stop": 4}, "stop"),
        ({"temperature": 3}, "temperature"),
    ],
)
def test_a_bad_request_is_refused_by_name(client: httpx.Client, fields: dict[str, Any], param: str) -> None:
    answer = ask(client, **fields)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_an_unknown_model_is_refused(client: httpx.Client) -> None:
    assert ask(client, model="none").status_code == 404


def test_sixteen_tokens_come_without_a_limit(client: httpx.Client) -> None:
    answer = ask(client).json()
    assert answer["object"] == "text_completion"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"] == {
        "prompt_tokens": len(tokens(COUNT)),
        "completion_tokens": 16,
        "total_tokens": len(tokens(COUNT)) + 16,
    }


def test_a_limit_of_nothing_gives_nothing(client: httpx.Client) -> None:
    assert texts(ask(client, max_tokens=0)) == [""]


@pytest.mark.parametrize("stop", ["5", ["9", "5"]])
def test_a_stop_string_is_not_said(client: httpx.Client, stop: str | list[str]) -> None:
    assert texts(ask(client, stop=stop)) == ["1 2 3 4 "]


def test_every_prompt_gets_its_choices_in_turn(client: httpx.Client) -> None:
    answer = ask(client, prompt=["Name one animal:", "Name one city:"], n=2)
    assert texts(answer) == ["Otter", "Heron", "Tokyo", "Cairo"]
    assert [choice["index"] for choice in answer.json()["choices"]] == [0, 1, 2, 3]


@pytest.mark.parametrize(("prompt", "count"), [([1, 2], 1), ([[1, 2], [3]], 2), (["a", [3]], 2)])
def test_lists_of_tokens_are_prompts(client: httpx.Client, prompt: list[Any], count: int) -> None:
    assert len(texts(ask(client, prompt=prompt))) == count


def test_log_probabilities_are_of_all_that_is_shown(client: httpx.Client) -> None:
    answer = ask(client, prompt="Say OK", echo=True, logprobs=1)
    assert texts(answer) == ["Say OKOK"]
    found = answer.json()["choices"][0]["logprobs"]
    assert found["tokens"] == ["Say", " OK", "OK"]
    assert found["text_offset"] == [0, 3, 6]
    assert [list(each) for each in found["top_logprobs"]] == [["Say"], [" OK"], ["OK"]]
    assert ask(client, logprobs=0).json()["choices"][0]["logprobs"]["top_logprobs"][0] == {}


def test_a_stream_says_the_same(client: httpx.Client, events: Events) -> None:
    plain = ask(client, n=2, echo=True, logprobs=0).json()
    *chunks, used, done = events(
        ask(client, n=2, echo=True, logprobs=0, stream=True, stream_options={"include_usage": True})
    )
    said = [choice for chunk in chunks for choice in chunk["choices"]]
    for index, choice in enumerate(plain["choices"]):
        own = [each for each in said if each["index"] == index]
        assert "".join(each["text"] for each in own) == choice["text"]
        assert [each["finish_reason"] for each in own if each["finish_reason"]] == [choice["finish_reason"]]
        offsets = [offset for each in own if each["logprobs"] for offset in each["logprobs"]["text_offset"]]
        assert offsets == choice["logprobs"]["text_offset"]
    assert (used["choices"], used["usage"], done) == ([], plain["usage"], "[DONE]")


def test_a_stream_has_no_usage_unasked(client: httpx.Client, events: Events) -> None:
    assert all(chunk["choices"] for chunk in events(ask(client, stream=True))[:-1])
