"""JSON texts with marked places."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.reporting.highlight import marked
from conformance.reporting.visible import is_harmless

from .samples import HOSTILE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('ab"\\/~0é'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab"\\/~0', max_size=3), inner, max_size=4),
    max_leaves=12,
)


def shown(text: str, pointers: dict[str, bool] | None = None, **options: Any) -> str:
    """The text with marks in guillemets, missing ones with a question mark."""
    pieces = marked(text, pointers, **options).pieces
    return "".join(f"«{each.text}{'?' * each.missing}»" if each.pointer else each.text for each in pieces)


def test_a_text_is_written_one_field_a_line() -> None:
    assert shown('{"a":[1,{"b":[]}],"c":{},"d":[1,2.50e3]}') == (
        '{\n  "a": [\n    1,\n    {\n      "b": []\n    }\n  ],\n  "c": {},\n  "d": [1, 2.50e3]\n}'
    )


@settings(max_examples=150, deadline=None)
@given(value=JSON, indent=st.booleans(), ascii_only=st.booleans())
def test_any_value_stays_the_same(value: Any, indent: bool, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)

    assert json.loads(shown(text, indent=indent)) == value


def test_doubled_keys_and_escapes_stay_as_they_were_sent() -> None:
    assert shown('{"a":1,"a":"\\u00e9"}', indent=False) == '{"a": 1, "a": "\\u00e9"}'


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/a", '{«"a": [»[1], {"b": 2}, 3], "x/y~": null}'),
        ("/a/1/b", '{"a": [[1], {«"b": 2»}, 3], "x/y~": null}'),
        ("/a/0/0", '{"a": [[«1»], {"b": 2}, 3], "x/y~": null}'),
        ("/a/*/0", '{"a": [[«1»], {"b": 2}, 3], "x/y~": null}'),
        ("/x~1y~0", '{"a": [[1], {"b": 2}, 3], «"x/y~": null»}'),
        ("/nowhere", '{"a": [[1], {"b": 2}, 3], "x/y~": null}'),
    ],
)
def test_a_place_is_marked(pointer: str, expected: str) -> None:
    assert shown('{"a":[[1],{"b":2},3],"x/y~":null}', {pointer: False}, indent=False) == expected


def test_what_is_missing_is_marked_where_it_should_be() -> None:
    assert shown('{"a":{"b":1}}', {"/a/c/d": True}) == '{\n  "a": {\n    "b": 1\n    «c/d?»\n  }\n}'
    assert shown("{}", {"/id": True}, indent=False) == "{«id?»}"
    assert shown("[]", {"/0": True}) == "[\n  «0?»\n]"


def test_the_last_of_doubled_keys_is_the_one_that_counts() -> None:
    assert "«1»" in shown('{"a":[0],"a":[1]}', {"/a/0": False})


def test_little_more_than_the_limit_is_shown_but_always_what_is_marked() -> None:
    text = json.dumps({"list": [{"k": number} for number in range(2_000)], "long": "x" * 9_000})
    found = marked(text, {"/list/1500/k": False, "/long": False}, 200)
    said = "".join(piece.text for piece in found.pieces)

    assert '"k": 1500' in said
    assert '"k": 900' not in said
    assert found.more > 1_900
    assert "7,000 more characters" in said or "7,002 more characters" in said
    assert len(said) < 4_000


def test_a_giant_text_is_only_cut() -> None:
    (piece,) = marked(f'"{"x" * 2_100_000}"', {"": False}, 50).pieces

    assert piece.text.startswith('"xxx')
    assert len(piece.text) < 100


def test_hostile_text_is_made_visible() -> None:
    text = json.dumps({HOSTILE: [HOSTILE]}, ensure_ascii=False)
    pieces = marked(text, {"/x": True, f"/{HOSTILE}": False, "/\u202e": True}).pieces

    assert all(is_harmless(piece.text, lines=True) for piece in pieces)


def test_the_deepest_text_that_is_read_is_written() -> None:
    assert shown("[" * 128 + "]" * 128, indent=False) == "[" * 128 + "]" * 128
    assert shown("") == ""
