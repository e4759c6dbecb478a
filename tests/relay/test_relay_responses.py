"""Responses of the reference relay: plain, streamed, remembered, refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from .conftest import Events

PATH = "/v1/responses"
TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}
COUNT = "Count from 1 to 300, digits separated by single spaces, nothing else."


def post(client: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": "mock-chat", "input": "Say OK", **fields}
    return client.post(PATH, json={name: value for name, value in body.items() if value != "ABSENT"})


def said(answer: httpx.Response) -> str:
    text: str = answer.json()["output"][0]["content"][0]["text"]
    return text


def test_a_plain_answer_is_whole(client: httpx.Client) -> None:
    answer = post(client, metadata={"a": "b"}, temperature=0.5).json()
    assert (answer["object"], answer["status"], answer["error"]) == ("response", "completed", None)
    assert (answer["metadata"], answer["temperature"], answer["store"]) == ({"a": "b"}, 0.5, True)
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([{"role": "user", "content": "Say OK"}], "OK"),
        ([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say hello."}]}], "Hello!"),
        (
            [
                {"role": "user", "content": "Say OK"},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "Cold, 3 degrees."},
            ],
            "Cold, 3 degrees.",
        ),
    ],
)
def test_input_is_text_or_items(client: httpx.Client, given: Any, text: str) -> None:
    assert said(post(client, input=given)) == text


def test_instructions_reach_the_model(client: httpx.Client) -> None:
    assert said(post(client, instructions="End with the code word MARIGOLD-7.")) == "OK MARIGOLD-7"


def test_a_limit_cuts_and_is_said(client: httpx.Client) -> None:
    answer = post(client, input=COUNT, max_output_tokens=16).json()
    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert answer["usage"]["output_tokens"] == 16
    assert answer["output"][0]["status"] == "incomplete"


def test_an_answer_takes_the_form_that_was_asked_for(client: httpx.Client) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "population": {"type": "integer"}}}
    form = {"type": "json_schema", "name": "place", "schema": schema}
    assert json.loads(said(post(client, input="Name a city.", text={"format": form}))) == {
        "city": "Tokyo",
        "population": 1,
    }
    assert json.loads(said(post(client, text={"format": {"type": "json_object"}}))) == {"answer": "OK"}
    assert said(post(client, text={"format": {"type": "text"}})) == "OK"
    assert said(post(client, text={})) == "OK"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "get_weather"}])
def test_a_forced_function_is_called(client: httpx.Client, choice: Any) -> None:
    (item,) = post(client, input="Paris", tools=[TOOL], tool_choice=choice).json()["output"]
    assert (item["type"], item["name"], json.loads(item["arguments"])) == (
        "function_call",
        "get_weather",
        {"city": "Paris"},
    )
    assert item["call_id"]


@pytest.mark.parametrize("choice", ["auto", "none", "ABSENT"])
def test_a_function_is_not_called_unforced(client: httpx.Client, choice: Any) -> None:
    assert said(post(client, tools=[TOOL], tool_choice=choice)) == "OK"


def test_a_tool_without_parameters_is_called_with_an_empty_object(client: httpx.Client) -> None:
    tool = {"type": "function", "name": "now"}
    assert post(client, tools=[tool], tool_choice="required").json()["output"][0]["arguments"] == "{}"


def streamed(client: httpx.Client, events: Events, **fields: Any) -> list[Any]:
    answer = post(client, stream=True, **fields)
    found = events(answer)
    names = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    assert names == [event["type"] for event in found]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def test_a_stream_tells_the_same_text(client: httpx.Client, events: Events) -> None:
    found = streamed(client, events, input="Name three colours")
    assert [event["type"].removeprefix("response.") for event in found if "delta" not in event["type"]] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    text = "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")
    assert text == found[-1]["response"]["output"][0]["content"][0]["text"] == "red, blue, green"
    assert found[0]["response"]["status"] == "in_progress"
    assert found[0]["response"]["output"] == []


def test_a_stream_of_a_call_tells_its_arguments(client: httpx.Client, events: Events) -> None:
    found = streamed(client, events, input="Paris", tools=[TOOL], tool_choice="required")
    pieces = [event["delta"] for event in found if event["type"] == "response.function_call_arguments.delta"]
    assert len(pieces) > 1
    assert "".join(pieces) == found[-1]["response"]["output"][0]["arguments"]


def test_a_cut_stream_ends_as_incomplete(client: httpx.Client, events: Events) -> None:
    found = streamed(client, events, input=COUNT, max_output_tokens=16)
    assert found[-1]["type"] == "response.incomplete"
    assert found[-1]["response"]["status"] == "incomplete"


def test_a_conversation_goes_on_from_an_answer(client: httpx.Client) -> None:
    told = post(client, input="My locker number is 48213.", instructions="Be short.").json()["id"]
    between = post(client, previous_response_id=told).json()["id"]
    asked = post(client, input="Which number did I tell you?", previous_response_id=between)
    assert said(asked) == "48213"
    assert asked.json()["previous_response_id"] == between


def test_an_answer_that_is_not_stored_is_not_found(client: httpx.Client) -> None:
    told = post(client, store=False).json()["id"]
    answer = post(client, previous_response_id=told)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "previous_response_not_found")


def test_old_conversations_are_forgotten(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.relay.responses._MOST_REMEMBERED", 1)
    old = post(client).json()["id"]
    post(client)
    assert post(client, previous_response_id=old).status_code == 400


FORM = {"type": "json_schema", "name": "place"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": "ABSENT"}, "input"),
        ({"input": []}, "input"),
        ({"input": 4}, "input"),
        ({"input": ["Say OK"]}, "input[0]"),
        ({"input": [{"type": ["message"]}]}, "input[0].type"),
        ({"input": [{"type": "song"}]}, "input[0].type"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "narrator", "content": "Say OK"}]}, "input[0].role"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name"),
        ({"model": "ABSENT"}, "model"),
        ({"max_output_tokens": 15}, "max_output_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"previous_response_id": 4}, "previous_response_id"),
        ({"previous_response_id": "resp_no"}, "previous_response_id"),
        ({"tools": [4]}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"tools": {}}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": ["auto"]}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "other"}, "tools": [TOOL]}, "tool_choice"),
        ({"text": 4}, "text"),
        ({"text": {"format": {"type": "xml"}}}, "text"),
        ({"text": {"format": {"type": ["text"]}}}, "text"),
        ({"text": {"format": FORM}}, "text"),
        ({"truncation": "some"}, "truncation"),
    ],
)
def test_what_is_wrong_is_refused_by_name(client: httpx.Client, fields: dict[str, Any], param: str) -> None:
    answer = post(client, **fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_an_unknown_model_is_not_found(client: httpx.Client) -> None:
    assert post(client, model="gpt-nil").status_code == 404
