"""A relay whose answers are what the next request is made from, and are made to do harm there."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from conformance.fixtures import load_cases
from conformance.ledger import read_ledger
from conformance.model import Ledger, Limits, Provider
from conformance.planning import PREFLIGHT
from conformance.send import record

from .runs import QUICK, SECRETS, check_no_key
from .server import KEY, MODEL, Answer, Call, Server, completion, first_honest

CASES = load_cases()
LARGEST = 50_000
"""Bytes of a request that is made from an answer without a file in it."""
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}


def steps(base_url: str, folder: Path, scenario: str, limits: Limits = QUICK) -> Ledger:
    """Record one scenario; whatever the relay does, the run ends, nothing is lost and no key is written."""
    cases = [case for case in CASES if case.id in PREFLIGHT or case.scenario == scenario]
    models = {"drawing": MODEL, "speech": MODEL, "transcription": MODEL, "images": MODEL, "edits": MODEL}
    path = folder / "ledger.jsonl"
    record(cases, Provider(base_url, MODEL, models=models), path, secrets=SECRETS, limits=limits)
    ledger = read_ledger(path)
    assert ledger.complete
    assert len(ledger.exchanges) == len(ledger.plan)
    check_no_key(folder)
    return ledger


def held_back(ledger: Ledger) -> dict[str, str]:
    """Why cases were not sent, by case."""
    return {each.case.id: each.failure.kind for each in ledger.exchanges if each.failure and not each.was_sent}


def saying(value: Any) -> Answer:
    """Everything behind the preflight is answered with this."""

    async def answer(call: Call) -> None:
        await call.value(value)

    return first_honest(answer)


def calling(content: Any = None, call: Any = CALL, count: int = 1) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "tool_calls": [call] * count}
    return completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])


@pytest.mark.parametrize(
    "answer",
    [
        calling({"\ud800": 1}),
        calling(["\ud800"]),
        calling(call=CALL | {"id": {"\udfff": "x"}}),
        calling("x" * 100_000),
        calling(call=CALL | {"id": "x" * 50_000}),
        calling(count=1_000),
        calling(call="call_1"),
        calling(call={"function": []}),
    ],
    ids=["name", "text", "id", "long", "long-id", "many", "no-call", "no-function"],
)
def test_a_tool_call_that_cannot_be_repeated_is_not(answer: dict[str, Any], tmp_path: Path) -> None:
    with Server(saying(answer)) as server:
        ledger = steps(server.base_url, tmp_path, "tool-round")

    assert held_back(ledger) == {"chat/tool-result": "no-basis"}
    assert max(len(call.body) for call in server.calls) < LARGEST


def test_nothing_in_a_tool_call_is_taken_for_a_word_of_ours(tmp_path: Path) -> None:
    function = {"name": "$data:red.png", "arguments": "$$model"}
    with Server(saying(calling("$model", {"id": "$model", "function": function}))) as server:
        steps(server.base_url, tmp_path, "tool-round")

    said, result = server.calls[-1].json["messages"][-2:]
    assert (said["content"], said["tool_calls"][0]["id"], result["tool_call_id"]) == ("$model",) * 3
    assert said["tool_calls"][0]["function"] == function


@pytest.mark.parametrize("name", ["\ud800", "x" * 100_000, ["x"], {}, None, 7, ""])
@pytest.mark.parametrize("scenario", ["models-then-retrieve", "previous-response"])
def test_an_id_that_is_none_is_not_asked_for(scenario: str, name: Any, tmp_path: Path) -> None:
    with Server(saying({"id": name, "data": [{"id": name}]})) as server:
        ledger = steps(server.base_url, tmp_path, scenario)

    assert set(held_back(ledger).values()) == {"no-basis"}


def test_a_name_that_leads_out_of_the_list_is_not_asked_for(tmp_path: Path) -> None:
    with Server(saying({"data": [{"id": "../../account/delete"}]})) as server:
        ledger = steps(server.base_url, tmp_path, "models-then-retrieve")

    assert held_back(ledger) == {"models.retrieve/last-listed": "no-basis"}


@pytest.mark.parametrize("name", ["a b\r\nX-Y: z", "$model", "?a=1#b", "//elsewhere.example/", "@b:c"])
def test_whatever_a_model_is_called_the_relay_is_asked(name: str, tmp_path: Path) -> None:
    with Server(saying({"object": "list", "data": [{"id": name}]})) as server:
        steps(server.base_url, tmp_path, "models-then-retrieve")

    assert server.calls[-1].path.startswith("/v1/models/")
    assert server.calls[-1].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("scheme", ["http", "HTTP", "hTTps"])
def test_an_address_in_any_spelling_is_asked_without_the_key(scheme: str, tmp_path: Path) -> None:
    async def answer(call: Call) -> None:
        await call.value(completion(f"![drawn]({scheme}://127.0.0.1:9/a.png)"))

    with Server(answer) as server:
        # Without /v1: the address must not become a part of the relay's own host name.
        ledger = steps(server.url, tmp_path, "drawing-then-fetch")

    assert held_back(ledger) == {"media/drawn": "private"}
    assert "authorization" not in dict(ledger.by_case["media/drawn"].request.headers)


def test_a_key_in_an_address_goes_nowhere(tmp_path: Path) -> None:
    async def answer(call: Call) -> None:
        if call.path.startswith("/v1/images"):
            await call.value({"created": 1, "data": [{"url": f"http://{call.headers['host']}/a.png?key={KEY}"}]})
        else:
            await call.reply(b"", content_type="image/png")

    with Server(first_honest(answer)) as server:
        steps(server.base_url, tmp_path, "picture-by-address")

    assert server.calls[-1].path.startswith("/a.png")
    assert KEY not in server.calls[-1].path + json.dumps(server.calls[-1].headers)


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"b64_json": base64.b64encode(b"<html>sign in</html>").decode()}]},
        {"data": [{"b64_json": "\u00e9"}]},
        {"data": [{"b64_json": ["x"]}]},
        {"data": [{}]},
        {"data": {"0": 1}},
        {"data": []},
        [],
    ],
)
def test_what_is_no_picture_is_not_sent_to_be_edited(answer: Any, tmp_path: Path) -> None:
    with Server(saying(answer)) as server:
        ledger = steps(server.base_url, tmp_path, "generate-then-edit")

    assert held_back(ledger) == {"media/generated": "no-basis", "images.edits/generated": "no-basis"}
