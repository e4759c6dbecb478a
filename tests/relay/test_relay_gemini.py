"""Gemini of the reference relay: in Google's words, plain and streamed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from conformance.relay import DEFAULT_KEY, BackgroundRelay

MODEL = "mock-gemini-flash"

Say = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def opened() -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client() as found:
        yield found


@pytest.fixture
def say(relay: BackgroundRelay, opened: httpx.Client) -> Say:
    def send(
        question: str = "Say OK",
        *,
        action: str = "generateContent",
        model: str = MODEL,
        prefix: str = "",
        **fields: Any,
    ) -> httpx.Response:
        key = fields.pop("key", DEFAULT_KEY)
        body = {"contents": [{"parts": [{"text": question}]}], **fields}
        url = f"{relay.url}{prefix}/v1beta/models/{model}:{action}"
        return opened.post(url, headers={"x-goog-api-key": key}, content=json.dumps(body).encode())

    return send


def objects(response: httpx.Response) -> list[dict[str, Any]]:
    """The objects of a stream."""
    return [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line]


def test_an_answer_is_googles(say: Say):
    answer = say().json()
    assert answer.pop("responseId")
    assert answer == {
        "modelVersion": MODEL,
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": "OK"}]}, "index": 0, "finishReason": "STOP"},
        ],
        "usageMetadata": {"promptTokenCount": 8, "candidatesTokenCount": 1, "totalTokenCount": 9},
    }


def test_a_stream_comes_in_parts_and_only_the_last_is_finished(say: Say):
    told = objects(say("Count from 1 to 9", action="streamGenerateContent?alt=sse"))
    candidates = [each["candidates"][0] for each in told]
    assert "".join(each["content"]["parts"][0]["text"] for each in candidates) == "1 2 3 4 5 6 7 8 9"
    assert [each.get("finishReason") for each in candidates] == [None, None, "STOP"]
    assert ["usageMetadata" in each for each in told] == [False, False, True]


def test_a_stream_without_text_has_one_object(say: Say):
    config = {"stopSequences": ["O"]}
    (told,) = objects(say(action="streamGenerateContent?alt=sse", generationConfig=config))
    assert told["candidates"][0]["content"]["parts"] == [{"text": ""}]


def test_turns_and_system_instruction_are_read(say: Say):
    contents = [
        {"role": "user", "parts": [{"text": "My number is 42."}]},
        {"role": "model", "parts": [{"text": "OK"}]},
        {"role": "user", "parts": [{"text": "Which number did I tell you?"}]},
    ]
    system = {"parts": [{"text": "Add the code word ABC."}]}
    answer = say(contents=contents, systemInstruction=system).json()
    assert answer["candidates"][0]["content"]["parts"] == [{"text": "42 ABC"}]


@pytest.mark.parametrize(
    ("config", "text", "reason"),
    [
        ({"maxOutputTokens": 3}, "1 2 3", "MAX_TOKENS"),
        ({"stopSequences": ["4"]}, "1 2 3 ", "STOP"),
        ({"responseMimeType": "application/json"}, '{"answer": "1 2 3 4 5"}', "STOP"),
        (
            {
                "responseMimeType": "application/json",
                "responseSchema": {"type": "object", "properties": {"said": {"type": "string"}}},
            },
            '{"said": "1 2 3 4 5"}',
            "STOP",
        ),
    ],
)
def test_the_configuration_is_honoured(say: Say, config: dict[str, Any], text: str, reason: str):
    (candidate,) = say("Count from 1 to 5", generationConfig=config).json()["candidates"]
    assert (candidate["content"]["parts"][0]["text"], candidate["finishReason"]) == (text, reason)


def test_there_are_as_many_candidates_as_asked_for(say: Say):
    answer = say("Name one animal", generationConfig={"candidateCount": 2}).json()
    assert [each["index"] for each in answer["candidates"]] == [0, 1]
    assert answer["usageMetadata"]["candidatesTokenCount"] == 2


def test_tokens_are_counted_without_an_answer(say: Say):
    assert say(action="countTokens").json() == {"totalTokens": 8}


@pytest.mark.parametrize("action", ["generateContent", "streamGenerateContent?alt=sse", "countTokens"])
@pytest.mark.parametrize(
    "fields",
    [
        {"contents": None},
        {"contents": []},
        {"contents": "Hi"},
        {"contents": ["Hi"]},
        {"contents": [{"parts": []}]},
        {"contents": [{"parts": ["Hi"]}]},
        {"contents": [{"role": "system", "parts": [{"text": "Hi"}]}]},
        {"systemInstruction": "Hi"},
        {"generationConfig": 1},
        {"generationConfig": {"temperature": 3}},
        {"generationConfig": {"maxOutputTokens": 0}},
        {"generationConfig": {"stopSequences": "5"}},
        {"generationConfig": {"stopSequences": ["1", "2", "3", "4", "5", "6"]}},
    ],
)
def test_what_is_wrong_is_refused_in_googles_form(say: Say, action: str, fields: dict[str, Any]):
    answer = say(action=action, **fields)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("fields", "status", "word"),
    [({"key": "wrong"}, 401, "UNAUTHENTICATED"), ({"model": "no-such-model"}, 404, "NOT_FOUND")],
)
def test_other_refusals_have_the_form_as_well(say: Say, fields: dict[str, Any], status: int, word: str):
    answer = say(**fields)
    assert (answer.status_code, answer.json()["error"]["status"]) == (status, word)


def test_the_path_is_found_below_a_fault(say: Say):
    assert say(prefix="/fault/gemini-openai-envelope", contents=[]).json()["error"]["type"] == "invalid_request_error"
