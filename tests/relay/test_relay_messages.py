"""Anthropic messages of the reference relay: in every respect what Anthropic's own SDK expects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from conformance.relay import DEFAULT_KEY, BackgroundRelay

MODEL = "mock-claude-haiku"
TOOL = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
OTHER = {"name": "get_time", "input_schema": {"type": "object"}}

Say = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def opened() -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client() as found:
        yield found


@pytest.fixture
def say(relay: BackgroundRelay, opened: httpx.Client) -> Say:
    def send(question: Any = "Say OK", *, key: str = DEFAULT_KEY, without: str = "", **fields: Any) -> httpx.Response:
        body = {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": question}], **fields}
        body.pop(without, None)
        return opened.post(f"{relay.url}/v1/messages", headers={"x-api-key": key}, content=json.dumps(body).encode())

    return send


def events(response: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream: name and data."""
    found = []
    for block in response.text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_an_answer_is_a_message(say: Say):
    answer = say().json()
    assert answer.pop("id").startswith("msg_")
    assert answer == {
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": "OK"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 8, "output_tokens": 1},
    }


def test_a_bearer_token_does_as_well(relay: BackgroundRelay):
    body = {"model": MODEL, "max_tokens": 8, "messages": [{"role": "user", "content": "Say OK"}]}
    answer = httpx.post(f"{relay.url}/v1/messages", headers={"Authorization": f"Bearer {DEFAULT_KEY}"}, json=body)
    assert answer.status_code == 200


def test_blocks_are_read_like_text(say: Say):
    answer = say([{"type": "text", "text": "Say OK"}], system=[{"type": "text", "text": "Add the code word ABC."}])
    assert answer.json()["content"][0]["text"] == "OK ABC"


@pytest.mark.parametrize(
    ("fields", "reason", "stopped_by", "text"),
    [
        ({"max_tokens": 3}, "max_tokens", None, "1 2 3"),
        ({"stop_sequences": ["x", "4"]}, "stop_sequence", "4", "1 2 3 "),
        ({"stop_sequences": ["x"]}, "end_turn", None, "1 2 3 4 5 6"),
    ],
)
def test_why_a_message_ended_is_said(say: Say, fields: dict[str, Any], reason: str, stopped_by: str | None, text: str):
    plain = say("Count from 1 to 6", **fields).json()
    assert (plain["stop_reason"], plain["stop_sequence"], plain["content"][0]["text"]) == (reason, stopped_by, text)
    told = [data for _, data in events(say("Count from 1 to 6", stream=True, **fields))]
    assert told[-2]["delta"] == {"stop_reason": reason, "stop_sequence": stopped_by}
    assert "".join(each["delta"].get("text", "") for each in told if each["type"] == "content_block_delta") == text


def test_a_stop_sequence_at_the_beginning_leaves_no_content(say: Say):
    answer = say("Count from 1 to 6", stop_sequences=["1"])
    assert (answer.json()["content"], answer.json()["stop_reason"]) == ([], "stop_sequence")
    names = [name for name, _ in events(say("Count from 1 to 6", stop_sequences=["1"], stream=True))]
    assert names == ["message_start", "message_delta", "message_stop"]


def test_a_stream_has_its_events_in_order(say: Say):
    told = events(say("Say hello", stream=True))
    assert all(name == data["type"] for name, data in told)
    assert [name for name, _ in told] == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert told[0][1]["message"]["stop_reason"] is None
    assert told[-2][1]["usage"] == {"output_tokens": 2}


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "get_weather"}])
def test_a_forced_tool_is_used(say: Say, choice: dict[str, Any]):
    answer = say(tools=[TOOL, OTHER], tool_choice=choice).json()
    (block,) = answer["content"]
    assert (block["type"], block["name"], block["input"]) == ("tool_use", "get_weather", {"city": "Paris"})
    assert answer["stop_reason"] == "tool_use"


def test_the_named_tool_is_used(say: Say):
    answer = say(tools=[TOOL, OTHER], tool_choice={"type": "tool", "name": "get_time"}).json()
    assert answer["content"][0]["name"] == "get_time"


@pytest.mark.parametrize("choice", [{"type": "auto"}, {"type": "none"}, None])
def test_a_tool_that_is_not_forced_is_not_used(say: Say, choice: Any):
    assert say(tools=[TOOL], tool_choice=choice).json()["content"] == [{"type": "text", "text": "OK"}]


def test_the_input_of_a_tool_is_streamed_as_json(say: Say):
    told = [data for _, data in events(say(tools=[TOOL], tool_choice={"type": "any"}, stream=True))]
    pieces = [each["delta"]["partial_json"] for each in told if each["type"] == "content_block_delta"]
    assert len(pieces) > 1
    assert json.loads("".join(pieces)) == {"city": "Paris"}
    assert told[1]["content_block"]["input"] == {}


def test_the_input_of_a_tool_can_be_cut(say: Say):
    answer = say(tools=[TOOL], tool_choice={"type": "any"}, max_tokens=2).json()
    assert (answer["stop_reason"], answer["content"][0]["input"]) == ("max_tokens", {})


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"without": "max_tokens"}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"without": "messages"}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages"),
        ({"messages": [{"role": "system", "content": "Hi"}]}, "role"),
        ({"messages": [{"role": "user"}]}, "content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]}, "content"),
        ({"messages": [{"role": "user", "content": [{"type": "song"}]}]}, "content"),
        ({"system": 1}, "system"),
        ({"temperature": 1.5}, "temperature"),
        ({"stop_sequences": "5"}, "stop_sequences"),
        ({"stop_sequences": [" "]}, "stop_sequences"),
        ({"tools": [{"name": "x"}]}, "tools"),
        ({"tools": ["x"]}, "tools"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "some"}}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "x"}}, "tool_choice"),
        ({"without": "model"}, "model"),
    ],
)
def test_what_is_wrong_is_refused_in_anthropics_form(say: Say, fields: dict[str, Any], named: str):
    answer = say(**fields)
    assert answer.status_code == 400
    told = answer.json()
    assert (told["type"], told["error"]["type"]) == ("error", "invalid_request_error")
    assert named in told["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"key": "sk-wrong"}, 401, "authentication_error"),
        ({"model": "no-such-model"}, 404, "not_found_error"),
        ({"model": "no-such-model", "stream": True}, 404, "not_found_error"),
    ],
)
def test_other_refusals_have_the_form_as_well(say: Say, fields: dict[str, Any], status: int, kind: str):
    answer = say(**fields)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
