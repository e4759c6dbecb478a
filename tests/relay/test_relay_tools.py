"""Tools: which the reference relay calls, with which arguments, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from .conftest import Ask, Events

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOSED = {**CITY, "additionalProperties": False}
WEATHER = {"name": "get_weather", "parameters": CITY}
TIME = {"name": "get_time", "parameters": CITY}
TOOLS = [{"type": "function", "function": WEATHER}, {"type": "function", "function": TIME}]
QUESTION = "What is the weather in Paris today?"
BOTH = "What is the weather in Paris and in Tokyo?"
NAMED = {"type": "function", "function": {"name": "get_time"}}


def said(response: httpx.Response) -> list[tuple[str, Any]]:
    """Name and arguments of each call."""
    calls = response.json()["choices"][0]["message"].get("tool_calls", [])
    return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]


def finish(response: httpx.Response) -> str:
    """Why the first choice ended."""
    return str(response.json()["choices"][0]["finish_reason"])


@pytest.mark.parametrize(
    ("question", "fields", "calls", "finished"),
    [
        (QUESTION, {}, [("get_weather", {"city": "Paris"})], "tool_calls"),
        (QUESTION, {"tool_choice": "auto"}, [("get_weather", {"city": "Paris"})], "tool_calls"),
        (QUESTION, {"tool_choice": "none"}, [], "stop"),
        (QUESTION, {"tool_choice": NAMED}, [("get_time", {"city": "Paris"})], "stop"),
        ("Say OK", {}, [], "stop"),
        ("Say OK", {"tool_choice": "required"}, [("get_weather", {"city": "here"})], "tool_calls"),
        (BOTH, {}, [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Tokyo"})], "tool_calls"),
        (BOTH, {"parallel_tool_calls": False}, [("get_weather", {"city": "Paris"})], "tool_calls"),
        (BOTH, {"tool_choice": NAMED}, [("get_time", {"city": "Paris"})], "stop"),
        (
            "Weather and time, in Lima please",
            {},
            [("get_weather", {"city": "Lima"}), ("get_time", {"city": "Lima"})],
            "tool_calls",
        ),
    ],
)
def test_tools_are_called_as_the_choice_says(
    ask: Ask, question: str, fields: dict[str, Any], calls: list[Any], finished: str
) -> None:
    response = ask(question, tools=TOOLS, **fields)

    assert said(response) == calls
    assert finish(response) == finished
    assert (response.json()["choices"][0]["message"]["content"] is None) is bool(calls)


def test_every_call_has_an_id_of_its_own(ask: Ask) -> None:
    calls = ask(BOTH, tools=TOOLS).json()["choices"][0]["message"]["tool_calls"]

    assert len({call["id"] for call in calls}) == 2
    assert {call["type"] for call in calls} == {"function"}


def test_a_tool_without_parameters_is_called_with_none(ask: Ask) -> None:
    assert said(ask("Ping.", tools=[{"type": "function", "function": {"name": "ping_it"}}])) == [("ping_it", {})]


def test_every_choice_makes_its_calls(ask: Ask) -> None:
    choices = ask(QUESTION, tools=TOOLS, n=2).json()["choices"]

    assert len({choice["message"]["tool_calls"][0]["id"] for choice in choices}) == 2


@pytest.mark.parametrize("limit", [1, 3, 5])
def test_a_limit_cuts_calls(ask: Ask, limit: int) -> None:
    response = ask(QUESTION, tools=TOOLS, max_tokens=limit)
    (call,) = response.json()["choices"][0]["message"]["tool_calls"]

    assert finish(response) == "length"
    assert call["function"]["arguments"] in '{"city": "Paris"}'
    assert call["function"]["arguments"] != '{"city": "Paris"}'


def test_calls_and_tools_are_billed(ask: Ask) -> None:
    bare, tooled = (ask("Say OK", **fields).json()["usage"] for fields in ({}, {"tools": TOOLS}))
    called = ask(QUESTION, tools=TOOLS).json()["usage"]

    assert tooled["prompt_tokens"] > bare["prompt_tokens"]
    assert called["completion_tokens"] > 5
    assert called["total_tokens"] == called["prompt_tokens"] + called["completion_tokens"]


def test_a_stream_tells_a_call_first_and_then_its_arguments(ask: Ask, events: Events) -> None:
    chunks = events(ask(BOTH, tools=TOOLS, stream=True))[:-1]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    pieces = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    first = [piece for piece in pieces if "id" in piece]
    text = ["".join(p["function"]["arguments"] for p in pieces if p["index"] == index) for index in (0, 1)]

    assert deltas[0] == {"role": "assistant", "content": None}
    assert [piece["index"] for piece in first] == [0, 1]
    assert {piece["function"]["name"] for piece in first} == {"get_weather"}
    assert [json.loads(each) for each in text] == [{"city": "Paris"}, {"city": "Tokyo"}]
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def turns(identity: str = "call_1", **result: Any) -> list[dict[str, Any]]:
    """A conversation with a call and its result."""
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    return [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": identity, "content": "31.7 degrees", **result},
    ]


def test_the_result_of_a_tool_is_told(ask: Ask) -> None:
    response = ask(messages=turns(), tools=TOOLS)

    assert response.json()["choices"][0]["message"]["content"] == "31.7 degrees"
    assert said(response) == []


def test_a_required_call_is_made_after_a_result_too(ask: Ask) -> None:
    assert [name for name, _ in said(ask(messages=turns(), tools=TOOLS, tool_choice="required"))] == ["get_weather"]


# The old form


@pytest.mark.parametrize(
    ("fields", "finished"),
    [
        ({}, "function_call"),
        ({"function_call": "auto"}, "function_call"),
        ({"function_call": {"name": "get_time"}}, "stop"),
    ],
)
def test_functions_are_called_in_their_own_form(ask: Ask, fields: dict[str, Any], finished: str) -> None:
    response = ask(BOTH, functions=[WEATHER, TIME], **fields)
    message = response.json()["choices"][0]["message"]

    assert json.loads(message["function_call"]["arguments"]) == {"city": "Paris"}
    assert "tool_calls" not in message
    assert finish(response) == finished


def test_functions_may_be_forbidden(ask: Ask) -> None:
    assert (
        "function_call" not in ask(QUESTION, functions=[WEATHER], function_call="none").json()["choices"][0]["message"]
    )


def test_functions_are_streamed_in_their_own_form(ask: Ask, events: Events) -> None:
    chunks = events(ask(QUESTION, functions=[WEATHER], stream=True))[:-1]
    pieces = [chunk["choices"][0]["delta"].get("function_call", {}) for chunk in chunks]

    assert [piece["name"] for piece in pieces if "name" in piece] == ["get_weather"]
    assert json.loads("".join(piece.get("arguments", "") for piece in pieces)) == {"city": "Paris"}


# What is refused


def tool(**function: Any) -> dict[str, Any]:
    """One tool."""
    return {"type": "function", "function": function}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": 5}, "tools"),
        ({"tools": []}, "tools"),
        ({"tools": [5]}, "tools"),
        ({"tools": [{"type": "web"}]}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"tools": [tool(name=5)]}, "tools"),
        ({"tools": [tool(name="two words")]}, "tools"),
        ({"tools": [tool(name="a", parameters=5)]}, "tools"),
        ({"tools": [tool(name="a", parameters=CITY, strict=True)]}, "tools"),
        ({"tools": TOOLS, "tool_choice": "any"}, "tool_choice"),
        ({"tools": TOOLS, "tool_choice": {"name": "get_time"}}, "tool_choice"),
        ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": 5}}}, "tool_choice"),
        ({"tools": TOOLS, "tool_choice": tool(name="get_news")}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"tools": TOOLS, "parallel_tool_calls": "no"}, "parallel_tool_calls"),
        ({"functions": {}}, "functions"),
        ({"functions": [5]}, "functions"),
        ({"functions": [WEATHER], "function_call": "required"}, "function_call"),
        ({"functions": [WEATHER], "function_call": {"name": "get_news"}}, "function_call"),
        ({"functions": [WEATHER], "function_call": {"function": {"name": "get_weather"}}}, "function_call"),
        ({"function_call": "auto"}, "function_call"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"top_logprobs": 2, "logprobs": False}, "top_logprobs"),
        ({"response_format": {"type": "json_object"}}, "messages"),
        ({"messages": turns("call_2")}, "messages[2].tool_call_id"),
        ({"messages": turns(tool_call_id=None)}, "messages[2].tool_call_id"),
        ({"messages": turns()[:1] + turns()[2:]}, "messages[1].tool_call_id"),
        ({"messages": [{"role": "assistant", "content": "x", "tool_calls": 5}]}, "messages[0].tool_calls"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(ask: Ask, fields: dict[str, Any], param: str) -> None:
    response = ask(**fields)

    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [tool(name="a")]},
        {"tools": [tool(name="a", parameters=None, strict=None)]},
        {"tools": [tool(name="a", parameters=CLOSED, strict=True)]},
        {"functions": [{"name": "a"}]},
        {"tools": None, "tool_choice": None, "functions": None, "function_call": None, "parallel_tool_calls": None},
        {"messages": [{"role": "assistant", "tool_calls": [5, {}]}, {"role": "user", "content": "Say OK"}]},
    ],
)
def test_what_goes_together_is_answered(ask: Ask, fields: dict[str, Any]) -> None:
    assert ask(**fields).status_code == 200


LAX = {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("schema", "status"),
    [
        (LAX, 400),
        ({**LAX, "additionalProperties": True}, 400),
        ({**CLOSED, "properties": {"city": LAX}}, 400),
        ({**CLOSED, "$defs": {"a": [LAX]}}, 400),
        (CLOSED, 200),
        ({"type": "string"}, 200),
    ],
)
def test_a_strict_schema_has_to_be_closed(ask: Ask, schema: Any, status: int) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": True}}

    assert ask(response_format=form).status_code == status
    assert ask(response_format={**form, "json_schema": {"name": "a", "schema": schema}}).status_code == 200


def test_a_strict_schema_without_bottom_has_an_end(ask: Ask) -> None:
    deep: dict[str, Any] = CLOSED
    for _ in range(200):
        deep = {**CLOSED, "properties": {"a": deep}}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": deep, "strict": True}}

    assert ask(response_format=form).status_code == 200
