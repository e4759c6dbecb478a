"""No answer makes a rule stumble: hostile relays send anything."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.model import Case

from .runs import CASES, CHUNKS, COMPLETION, ERROR, HONEST, MODEL, MODELS, answer, exchange, ledger, sse, stumbles
from .runs import honest as answered_well

ABSENT = object()
ODD = {
    "absent": ABSENT,
    "null": None,
    "negative": -1,
    "true": True,
    "huge": 10**40,
    "fraction": 1.5,
    "lone-surrogate": "\ud800",
    "empty-list": [],
    "list-of-null": [None],
    "list-of-objects": [{}],
    "empty-object": {},
    "odd-keys": {"/~": {"": [None]}, "index": "0"},
}
TEMPLATES: dict[str, Any] = {
    "models.list": MODELS,
    "models.retrieve": MODEL,
    "chat": COMPLETION,
    "chat.stream": [CHUNKS[0], *CHUNKS[2:]],
}

quickly = settings(derandomize=True, database=None, deadline=None, max_examples=60)


def pointers(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place inside a JSON value."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from pointers(inner, (*at, key))


def changed(template: Any, at: tuple[str | int, ...], odd: Any) -> Any:
    """The template with something odd, or nothing, at one place."""
    if not at:
        return None if odd is ABSENT else odd
    whole = copy.deepcopy(template)
    owner = whole
    for step in at[:-1]:
        owner = owner[step]
    if odd is ABSENT:
        del owner[at[-1]]
    else:
        owner[at[-1]] = odd
    return whole


def body(operation: str, value: Any) -> bytes:
    """A body as the operation has it."""
    return sse(value) if operation == "chat.stream" and isinstance(value, list) else json.dumps(value).encode()


def run(operation: str, value: bytes, status: int = 200, *, often: bool = True) -> list[str]:
    """What stumbles when one operation is answered so, always or every second time."""
    exchanges = []
    for place, case in enumerate(CASES.values()):
        odd = case.operation == operation and (often or place % 2)
        exchanges.append(exchange(case, answer(value, status) if odd else answered_well(case)))
    return stumbles(ledger([each for each in exchanges if _related(each.case, operation)]))


def _related(case: Case, operation: str) -> bool:
    """Rules over a run relate an operation to others of its family."""
    return case.operation.partition(".")[0] == operation.partition(".")[0]


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("operation", TEMPLATES)
def test_nothing_odd_in_one_place_of_an_answer_makes_a_rule_stumble(operation: str, odd: Any):
    template = TEMPLATES[operation]
    for at in pointers(template):
        assert run(operation, body(operation, changed(template, at, odd))) == [], at


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500, 503])
def test_nothing_odd_in_an_error_makes_a_rule_stumble(status: int):
    for at in pointers(ERROR):
        for odd in ODD.values():
            response = answer(changed(ERROR, at, odd), status)
            assert stumbles(ledger([exchange(case, response) for case in CASES.values()])) == [], (at, odd)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(COMPLETION)) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)
places = st.sampled_from(sorted(TEMPLATES)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(list(pointers(TEMPLATES[name]))), values)
)


@quickly
@given(
    found=st.lists(places, min_size=1, max_size=3), status=st.sampled_from([200, 400, 404, 500]), often=st.booleans()
)
def test_no_json_makes_a_rule_stumble(found: list[tuple[str, tuple[str | int, ...], Any]], status: int, *, often: bool):
    for operation, at, odd in found:
        assert run(operation, body(operation, changed(TEMPLATES[operation], at, odd)), status, often=often) == []


@quickly
@given(st.sampled_from(sorted(HONEST)), st.binary(max_size=200), st.sampled_from([200, 204, 400, 500]))
def test_no_bytes_make_a_rule_stumble(operation: str, raw: bytes, status: int):
    assert run(operation, raw, status) == []


lines = st.sampled_from([b"data: ", b"data:", b": PING", b"event: error", b"data", b"", b"id: 1", b"data: [DONE]"])
payloads = values.map(lambda value: json.dumps(value).encode()) | st.sampled_from(
    [json.dumps(chunk).encode() for chunk in CHUNKS]
    + [b'{"error": {"message": "late"}}', b'{"error": "late"}', b"\xff"]
)


@quickly
@given(st.lists(st.tuples(lines, payloads), max_size=8), st.sampled_from([b"\n\n", b"\n", b"\r\n\r\n", b"\r"]))
def test_no_events_make_a_rule_stumble(events: list[tuple[bytes, bytes]], end: bytes):
    stream = b"data: {}\n\n" + b"".join(line + payload + end for line, payload in events)
    assert run("chat.stream", stream) == []
    assert run("chat", stream) == []


names = st.sampled_from(
    ["content-type", "retry-after", "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-request-id"]
)


@quickly
@given(st.dictionaries(names, st.text(max_size=12) | st.integers().map(str)), st.sampled_from([200, 429, 500]))
def test_no_headers_make_a_rule_stumble(headers: dict[str, str], status: int):
    response = answer(COMPLETION, status, **headers)
    assert stumbles(ledger([exchange(case, response) for case in CASES.values()])) == []


@pytest.mark.parametrize("kind", ["refused", "reset", "timeout", "too-large", "encoding", "unsent"])
def test_no_failure_makes_a_rule_stumble(kind: str):
    for response in (None, answer(COMPLETION), answer(sse(CHUNKS[:2])), answer(b"data: 5\n\n")):
        assert stumbles(ledger([exchange(case, response, kind, "why") for case in CASES.values()])) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"\n" * 300_000,
        b'{"error": {"message": "' + b"\\n   " * 60_000 + b'"}}',
        b"    at x (" + b":1" * 100_000,
        b"sk-" * 100_000,
        b"lookup " * 50_000,
        json.dumps(COMPLETION | {"model": "m" + "-2024" * 50_000 + "x"}).encode(),
    ],
    ids=["blank-lines", "escaped-lines", "colons", "keys", "lookups", "dates"],
)
def test_no_text_makes_a_rule_slow(raw: bytes):
    some = [CASES["chat/minimal"], CASES["chat/missing-messages"]]
    assert stumbles(ledger([exchange(case, answer(raw, 400 + place)) for place, case in enumerate(some)])) == []
    assert stumbles(ledger([exchange(case, answer(raw)) for case in some])) == []
