"""What may be asked of the form of an answer, and the faults that only generated requests meet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from conformance.contract import is_valid
from conformance.relay import DEFAULT_KEY, catalogue
from conformance.relay.call import family
from conformance.relay.faults.base import GENERATED

if TYPE_CHECKING:
    from conformance.relay import BackgroundRelay

    from .conftest import Ask, Events

NUMBERS = "Count from 1 to 5"
HARD = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer"},
        "part": {"type": "number"},
        "sure": {"type": "boolean"},
        "none": {"type": "null"},
        "kind": {"enum": ["first", "second"]},
        "list": {"type": "array", "items": {"type": "boolean"}},
        "inner": {"type": "object", "properties": {"deep": {"type": "string"}}},
        "either": {"type": ["string", "null"]},
    },
}


def schema(value: Any, **more: Any) -> dict[str, Any]:
    """A response format that asks for JSON of this schema."""
    return {"type": "json_schema", "json_schema": {"name": "asked", "schema": value, **more}}


def content(response: httpx.Response) -> Any:
    """What the first choice says, as JSON."""
    return json.loads(response.json()["choices"][0]["message"]["content"])


def test_json_is_given_when_it_is_asked_for(ask: Ask) -> None:
    assert content(ask("Say OK in JSON", response_format={"type": "json_object"})) == {"answer": "OK"}
    assert ask(response_format={"type": "text"}).json()["choices"][0]["message"]["content"] == "OK"


def test_a_stream_of_json_is_json(ask: Ask, events: Events) -> None:
    chunks = events(ask("Say OK in JSON", response_format={"type": "json_object"}, stream=True))[:-1]

    assert json.loads("".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)) == {"answer": "OK"}


def test_json_follows_its_schema(ask: Ask) -> None:
    assert content(ask(response_format=schema(HARD))) == {
        "text": "OK",
        "count": 1,
        "part": 1.5,
        "sure": True,
        "none": None,
        "kind": "first",
        "list": [True],
        "inner": {"deep": "OK"},
        "either": "OK",
    }


@pytest.mark.parametrize(
    ("odd", "answered"),
    [
        ({}, {}),
        ({"type": "object"}, {}),
        ({"properties": 5}, {}),
        ({"properties": {"a": 5, "b": True}}, {"a": "OK", "b": "OK"}),
        ({"enum": [], "type": "integer"}, 1),
        ({"enum": 5, "type": "boolean"}, True),
        ({"type": "array"}, [{}]),
        ({"type": "array", "items": 5}, ["OK"]),
        ({"type": 5}, "OK"),
        ({"type": "invented"}, "OK"),
    ],
)
def test_an_odd_schema_is_answered_all_the_same(ask: Ask, odd: Any, answered: Any) -> None:
    assert content(ask(response_format=schema(odd))) == answered


def test_a_schema_without_bottom_has_an_end(ask: Ask) -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(200):
        deep = {"properties": {"a": deep}}

    found, depth = content(ask(response_format=schema(deep))), 0
    while isinstance(found, dict):
        found, depth = found["a"], depth + 1

    assert (found, depth) == ("OK", 50)


def test_a_schema_need_not_be_given(ask: Ask) -> None:
    assert content(ask(response_format={"type": "json_schema", "json_schema": {"name": "a"}})) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        5,
        {},
        {"type": 5},
        {"type": []},
        {"type": "yaml"},
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": 5},
        {"type": "json_schema", "json_schema": {}},
        schema({}, name=5),
        schema({}, name=""),
        schema({}, name="a b"),
        schema({}, name="a" * 65),
        schema(5),
        schema(None),
    ],
)
def test_a_format_that_is_none_is_refused_by_name(ask: Ask, wrong: Any) -> None:
    response = ask(response_format=wrong)

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "response_format"
    assert not is_valid("openai/chat.json#/$defs/request/properties/response_format", wrong)


def test_log_probabilities_are_given_for_each_token(ask: Ask) -> None:
    choice = ask(NUMBERS, logprobs=True, top_logprobs=3).json()["choices"][0]
    entries = choice["logprobs"]["content"]

    assert "".join(entry["token"] for entry in entries) == choice["message"]["content"]
    assert {len(entry["top_logprobs"]) for entry in entries} == {3}
    for entry in entries:
        assert bytes(entry["bytes"]).decode() == entry["token"]
        likely = [each["logprob"] for each in entry["top_logprobs"]]
        assert likely == sorted(likely, reverse=True)
        assert entry["top_logprobs"][0]["token"] == entry["token"]
        assert max(likely) == entry["logprob"] <= 0


def test_the_most_alternatives_are_given(ask: Ask) -> None:
    entry = ask(logprobs=True, top_logprobs=20).json()["choices"][0]["logprobs"]["content"][0]

    assert len({each["token"] for each in entry["top_logprobs"]}) == 20


def test_a_stream_carries_log_probabilities_beside_its_text(ask: Ask, events: Events) -> None:
    chunks = events(ask(NUMBERS, logprobs=True, stream=True))[:-1]
    choices = [chunk["choices"][0] for chunk in chunks]

    assert all(bool(choice["logprobs"]) == bool(choice["delta"].get("content")) for choice in choices)
    assert [c["logprobs"]["content"][0]["token"] for c in choices if c["logprobs"]] == [
        c["delta"]["content"] for c in choices if c["delta"].get("content")
    ]


@pytest.mark.parametrize("fields", [{}, {"logprobs": False}, {"logprobs": None}])
def test_log_probabilities_that_are_not_asked_for_are_not_given(ask: Ask, fields: dict[str, Any]) -> None:
    assert ask(**fields).json()["choices"][0]["logprobs"] is None


def test_log_probabilities_without_alternatives_have_none(ask: Ask) -> None:
    assert ask(logprobs=True).json()["choices"][0]["logprobs"]["content"][0]["top_logprobs"] == []


# Faults: what trips them, what does not, and the status that it leads to


def turns(*contents: Any) -> dict[str, Any]:
    """A conversation."""
    roles = ["user", "assistant"] * len(contents)
    return {"messages": [{"role": role, "content": text} for role, text in zip(roles, contents, strict=False)]}


Fields = dict[str, Any]
TRIPPED: dict[str, tuple[Fields, Fields, int]] = {
    "stop-list-with-n-500": ({"stop": ["a"], "n": 2}, {"stop": "a", "n": 2}, 500),
    "top-p-with-temperature-refused": ({"top_p": 1, "temperature": 1}, {"top_p": None, "temperature": 1}, 400),
    "penalties-together-500": (
        {"presence_penalty": 1, "frequency_penalty": 0},
        {"presence_penalty": 1, "frequency_penalty": None},
        500,
    ),
    "top-p-zero-500": ({"top_p": 0}, {"top_p": 0.1}, 500),
    "penalty-bound-refused": ({"presence_penalty": -2}, {"presence_penalty": -1.9}, 400),
    "negative-seed-500": ({"seed": -1}, {"seed": 0}, 500),
    "right-to-left-500": (turns("قل نعم"), turns("说好"), 500),
    "control-character-refused": (turns("a\x07b"), turns("a\tb\r\n"), 400),
    "model-not-first-refused": ({}, {"invented": 1}, 400),
    "empty-turn-500": (turns("Hi", "", "Say OK"), turns("Hi", "Yes", ""), 500),
    "text-parts-500": (turns([{"type": "text", "text": "Say OK"}]), turns("Say OK"), 500),
    "bad-penalty-answered": ({"frequency_penalty": "high"}, {"frequency_penalty": 1}, 200),
    "bad-n-500": ({"n": 0}, {"n": 1}, 500),
}


@pytest.mark.parametrize("name", TRIPPED)
def test_a_fault_needs_what_it_says_and_nothing_else(client: httpx.Client, name: str) -> None:
    tripping, harmless, status = TRIPPED[name]
    plain: Fields = {"model": "mock-chat", **turns("Say OK")}
    before: Fields = {"temperature": 1} if name == "model-not-first-refused" else {}
    path = f"/fault/{name}/v1/chat/completions"

    assert client.post(path, json={**before, **plain, **tripping}).status_code == status
    assert client.post(path, json={**plain, **harmless}).status_code == 200
    # The honest relay says something else.
    assert client.post("/v1/chat/completions", json={**before, **plain, **tripping}).status_code != status


def test_every_fault_of_generated_requests_is_tried_here() -> None:
    others = {"json-format-ignored", "logprobs-ignored", "top-logprobs-surplus", "bad-stop-hangs"}
    others |= {"bad-field-unnamed", "bad-request-poisons"}

    about_chat = {
        name
        for name, entry in catalogue().items()
        if entry.needs == GENERATED and {family(stage) for stage, _ in entry.hooks} <= {"", "chat"}
    }
    assert about_chat == {*TRIPPED, *others}


def test_a_bad_n_of_any_type_makes_the_relay_stumble(ask: Ask) -> None:
    assert {ask(prefix="fault/bad-n-500", n=n).status_code for n in (-1, 1.5, "two", True, [])} == {500}


def test_json_and_log_probabilities_are_left_out_with_those_faults(ask: Ask) -> None:
    prose = ask("Say OK in JSON", prefix="fault/json-format-ignored", response_format={"type": "json_object"})
    bare = ask(prefix="fault/logprobs-ignored", logprobs=True, top_logprobs=2)

    assert prose.json()["choices"][0]["message"]["content"] == "OK"
    assert bare.json()["choices"][0]["logprobs"] is None


def test_log_probabilities_come_unasked_and_in_surplus_with_those_faults(ask: Ask) -> None:
    unasked = ask(prefix="fault/logprobs-unasked").json()["choices"][0]["logprobs"]["content"]
    asked = ask(prefix="fault/logprobs-unasked", logprobs=True, top_logprobs=2).json()["choices"][0]["logprobs"]
    surplus = ask(prefix="fault/top-logprobs-surplus", logprobs=True, top_logprobs=2).json()["choices"][0]["logprobs"]

    assert unasked[0]["top_logprobs"] == []
    assert len(asked["content"][0]["top_logprobs"]) == 2
    assert len(surplus["content"][0]["top_logprobs"]) == 3
    assert ask(prefix="fault/top-logprobs-surplus").json()["choices"][0]["logprobs"] is None


def test_a_bad_stop_is_never_answered_with_that_fault(relay: BackgroundRelay) -> None:
    url = f"{relay.variant('fault/bad-stop-hangs')}/chat/completions"
    body = {"model": "mock-chat", **turns("Say OK")}
    headers = {"Authorization": f"Bearer {DEFAULT_KEY}"}

    assert httpx.post(url, json={**body, "stop": "a"}, headers=headers).status_code == 200
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, json={**body, "stop": 5}, headers=headers, timeout=0.3)


def test_a_refusal_is_silent_about_the_field_with_that_fault(ask: Ask) -> None:
    silent = ask(prefix="fault/bad-field-unnamed", n="x").json()["error"]
    about_model = ask(prefix="fault/bad-field-unnamed", model="").json()["error"]

    assert (silent["message"], silent["param"]) == ("The request is not valid.", None)
    assert about_model["param"] == "model"


def test_a_bad_request_poisons_the_next_good_one_with_that_fault(ask: Ask) -> None:
    answers = [ask(prefix="fault/bad-request-poisons", **fields) for fields in ({}, {"n": "x"}, {}, {})]

    assert [answer.status_code for answer in answers] == [200, 400, 400, 200]


# Faults that a page makes visible


def test_the_list_of_models_is_gone_with_that_fault(client: httpx.Client) -> None:
    gone = client.get("/fault/page-model-list-gone/v1/models")

    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "unknown_url")
    assert client.get("/fault/page-model-list-gone/v1/models/mock-chat").status_code == 404


def test_what_the_page_promises_is_not_given_with_those_faults(ask: Ask) -> None:
    as_text = ask(prefix="fault/page-detail-as-text").json()["usage"]["completion_tokens_details"]

    assert "usage" not in ask(prefix="fault/page-usage-missing").json()
    assert as_text["reasoning_tokens"] == "0"
