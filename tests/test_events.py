"""Typed events are read from whatever a stream holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.events import TypedEvent, joined, key_of, of_type, typed_events
from conformance.fixtures import load_cases
from conformance.model import Exchange, Request, Response

CASE = next(case for case in load_cases() if case.id == "responses.stream/minimal")


def read(*pieces: str) -> Exchange:
    """An exchange whose answer is these events."""
    body = "\n\n".join([*pieces, ""]).encode()
    response = Response(200, (("content-type", "text/event-stream"),), body, 0.1)
    return Exchange(CASE, "mock-chat", Request("POST", "", (), b"{}"), response, None, 0.0, 0.1)


def told(data: Any, name: str = "") -> str:
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}"


def test_an_event_has_its_name_its_type_and_its_place():
    exchange = read(": ping", told({"type": "a", "n": 1}, "b"), "data: [DONE]", told({"type": "c"}))
    first, second = typed_events(exchange)
    assert (first.place, first.name, first.type, first.data["n"], first.at) == (0, "b", "a", 1, "/events/0")
    assert (second.place, second.name, second.type) == (2, "", "c")


def test_events_are_read_once():
    exchange = read(told({"type": "a"}))
    assert typed_events(exchange) is typed_events(exchange)


@pytest.mark.parametrize("kind", [None, 4, [], {}])
def test_a_type_that_is_no_text_is_empty(kind: Any):
    assert [event.type for event in typed_events(read(told({"type": kind}), told({})))] == ["", ""]


def test_a_plain_answer_has_no_events():
    assert typed_events(read('{"type": "a"}')) == []


def test_events_are_picked_by_type_in_order():
    exchange = read(*(told({"type": kind}) for kind in "abcab"))
    assert [event.place for event in of_type(exchange, "b", "c")] == [1, 2, 4]


@pytest.mark.parametrize(("value", "part"), [({"x": 1}, {"x": 1}), (None, {}), ([], {}), ("x", {})])
def test_a_part_is_an_object_or_empty(value: Any, part: Any):
    assert TypedEvent(0, "", "a", {"item": value}).part("item") == part


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"id": "m", "index": 0}, ("m", 0)),
        ({"id": "m"}, None),
        ({"id": ["m"], "index": 0}, None),
        ({"id": "m", "index": {}}, None),
    ],
)
def test_a_key_is_made_of_texts_and_numbers(data: Any, key: Any):
    assert key_of(TypedEvent(0, "", "a", data), "id", "index") == key


def test_deltas_are_joined_for_each_key():
    pieces = [("m", "a"), ("n", "x"), ("m", "b"), ("m", None), ("m", 4), (["m"], "c"), ("n", "")]
    events = [TypedEvent(place, "", "d", {"id": name, "delta": text}) for place, (name, text) in enumerate(pieces)]
    assert joined(events, "id") == {("m",): "ab", ("n",): "x"}
    assert joined(events, "id", field="text") == {}
