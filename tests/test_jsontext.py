"""JSON as RFC 8259 has it: everything else has a problem, and nothing takes long."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.jsonsafe import bounded
from conformance.jsontext import DEEPEST, parse_json, parse_json_text

always = settings(derandomize=True, database=None, deadline=None)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@always
@given(values, st.booleans())
def test_what_is_written_as_json_is_read_as_it_was(value: Any, ascii_only: bool) -> None:
    document = parse_json(json.dumps(value, ensure_ascii=ascii_only).encode(errors="surrogatepass"))

    assert (document.value, document.problem, document.duplicates) == (value, "", ())


@always
@given(st.binary())
def test_no_bytes_make_it_raise(body: bytes) -> None:
    document = parse_json(body)

    assert bool(document.problem) or document.value == json.loads(body)


PROBLEMS = {
    b"": "empty",
    b" \n": "empty",
    b"{": "not JSON: Expecting property name",
    b"{} {}": "not JSON: Extra data",
    b"\xff": "not UTF-8: byte 0xff at offset 0",
    b"NaN": "not JSON: NaN is no JSON number",
    b"[Infinity]": "not JSON: Infinity is no JSON number",
    b"[-Infinity]": "not JSON: -Infinity is no JSON number",
    b"1e999": "number out of range: 1e999",
    b"[-1e999]": "number out of range: -1e999",
    b"9" * 5000: "number out of range: thousands of digits",
    b'{"b":{"a":1,"a":2},"c":' + b"9" * 5000 + b"}": "number out of range: thousands of digits",
    b'{"b":{"a":1,"a":2},"c":NaN}': "not JSON: NaN is no JSON number",
    b"[" * 129 + b"]" * 129: "nested deeper than 128 levels",
    b'{"a":' * 200 + b"1" + b"}" * 200: "nested deeper than 128 levels",
    b"[" * 100_000: "nested deeper than 128 levels",
    b'"\n"': "not JSON: Invalid control character",
    b"'a'": "not JSON",
    b"[1,]": "not JSON",
}


@pytest.mark.parametrize("body", PROBLEMS, ids=lambda body: body[:12].decode(errors="replace"))
def test_what_is_no_json_is_named(body: bytes) -> None:
    document = parse_json(body)

    assert document.value is None
    assert document.problem.startswith(PROBLEMS[body])


@pytest.mark.parametrize(
    "text", ["[" * DEEPEST + "]" * DEEPEST, "[" + "[],{}," * 500 + "0]", '["' + "[{" * 500 + '"]', '["\\"[["]']
)
def test_brackets_that_do_not_nest_too_deep_are_read(text: str) -> None:
    assert parse_json_text(text).problem == ""


def test_a_byte_order_mark_is_a_problem_of_its_own() -> None:
    assert parse_json(b"\xef\xbb\xbf{}").problem.startswith("begins with a byte order mark")


def test_doubled_keys_are_named_and_the_last_one_counts() -> None:
    document = parse_json_text('{"a": 1, "b": {"c": 1, "c": 2, "c": 3}, "a": 4}')

    assert document.value == {"a": 4, "b": {"c": 3}}
    assert document.duplicates == ("a", "c")


@pytest.mark.parametrize(
    "text",
    [
        "{" + ",".join(f'"{number}":1,"{number}":2' for number in range(50_000)) + "}",
        "[" * 200 + '"' + '\\"' * 300_000,
        "[" * 200 + '\\"' * 300_000,
        "[0]" * 200 + '"' + "\\" * 300_001,
        '"' * 300_001,
        "[" + '"[",' * 100_000 + "1]",
    ],
    ids=["doubled", "unended", "escaped", "backslashes", "quotes", "strings"],
)
def test_nothing_takes_time_that_grows_faster_than_the_text(text: str) -> None:
    begun = time.monotonic()
    parse_json_text(text)

    assert time.monotonic() - begun < 10


def test_values_are_bounded_before_they_are_shown() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [deep]
    value = {
        "long": "x" * 1000,
        "wide": list(range(100)),
        "big": 10**400,
        "deep": deep,
        "many": {str(n): n for n in range(50)},
    }

    shown = bounded(value)

    assert shown["long"].endswith("… (600 more characters)")
    assert shown["wide"][-1] == "… 80 more"
    assert shown["big"] == "a number of 401 digits"
    assert shown["many"]["…"] == "30 more"
    assert len(json.dumps(shown)) < 5000
    assert bounded([True, None, 1.5, 3, ("a",)]) == [True, None, 1.5, 3, ["a"]]
