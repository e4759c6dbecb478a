"""Schemas: found, loaded, and worded."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hostile.server import chunks, completion, last_chunk

from conformance import contract
from conformance.contract import data, is_valid, load_schemas, schema_errors, shape_errors, validator
from conformance.errors import DataError
from conformance.model import Exchange, Request, Response
from conformance.planning import plan

CASES = {case.id: case for case in plan()}
COMPAT = "openai/chat.json#/$defs/compat"
STREAM = "openai/chat.stream.json#/$defs/compat"


def exchange(case: str, body: bytes) -> Exchange:
    """An answer to a case."""
    return Exchange(CASES[case], "m", Request("POST", "", (), b""), Response(200, (), body, 0.1), None, 0.0, 0.1)


def test_an_honest_answer_breaks_nothing() -> None:
    assert schema_errors(COMPAT, completion()) == []
    assert shape_errors(exchange("chat.stream/minimal", b"".join(chunks("O")) + last_chunk()), "compat") == ()


def test_errors_say_where_and_what() -> None:
    value = completion()
    value["choices"][0]["index"] = "0"
    del value["id"]

    errors = {error.at: error for error in shape_errors(exchange("chat/minimal", json.dumps(value).encode()), "compat")}

    assert (errors["/choices/0/index"].expected, errors["/choices/0/index"].actual) == ("integer", "0")
    assert (errors["/id"].expected, errors["/id"].actual) == ("present", "absent")


def test_errors_of_a_stream_begin_with_the_event_and_are_bounded() -> None:
    body = (
        b'data: {"choices": 3}\n\n' * 100 + b'data: {"error": {}, "choices": 3}\n\n' + b'data: {"error": {"m": 1}}\n\n'
    )

    errors = shape_errors(exchange("chat.stream/minimal", body), "compat")

    assert errors[0].at.startswith("/events/0/")
    assert 20 <= len(errors) < 30


def test_errors_are_computed_once() -> None:
    found = exchange("chat/minimal", b"{}")

    assert shape_errors(found, "compat") is shape_errors(found, "compat")


@pytest.mark.parametrize("value", ["\ud800", 10**400, -(10**4000), {"\ud800": 1}, [10**400] * 3, 1e308])
def test_values_that_the_fast_validator_cannot_hold_are_judged_by_the_other(value: Any) -> None:
    assert not is_valid(COMPAT, value)
    assert schema_errors(COMPAT, value)
    strange = completion() | {"created": value, "x-note": value}
    assert isinstance(is_valid(COMPAT, strange), bool)
    assert is_valid(STREAM, strange) is (schema_errors(STREAM, strange) == [])


def test_an_answer_of_many_errors_is_bounded() -> None:
    value = completion() | {"choices": [{} for _ in range(1000)]}

    assert 20 <= len(schema_errors(COMPAT, value)) < 40


def test_a_long_list_is_looked_through_quickly_and_its_last_item_is_found() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [*([call] * 30_000), call | {"id": 7}]}
    choice = completion()["choices"][0] | {"message": message}
    body = completion(choices=[choice], usage="none")

    begun = time.process_time()
    found = {error.at: error.actual for error in schema_errors(COMPAT, body)}

    assert found == {"/choices/0/message/tool_calls/30000/id": 7, "/usage": "none"}
    assert time.process_time() - begun < 2


def test_a_name_with_a_slash_is_escaped() -> None:
    line = {"kind": "header", "format": 1, "provider": {"headers": {"a/b~c": 1}}}

    assert schema_errors("formats/ledger.json", line)


def test_a_schema_that_is_not_there_is_said() -> None:
    with pytest.raises(DataError, match="there is no schema 'nope"):
        validator("nope.json#/x")
    with pytest.raises(DataError, match="'nothing' is missing"):
        data("nothing")


def test_a_schema_that_is_no_json_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    monkeypatch.setattr(contract, "data", lambda _: tmp_path)
    load_schemas.cache_clear()
    try:
        with pytest.raises(DataError, match=r"bad\.json"):
            load_schemas()
    finally:
        load_schemas.cache_clear()
