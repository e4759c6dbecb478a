from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.reporting.visible import bounded, is_harmless, json_text, shorten, visible, visible_bytes

from .samples import HOSTILE

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 你好 🌏 café", "plain 你好 🌏 café"),
        ("\x1b[31m", r"\u{1b}[31m"),
        ("a\x00b\x9b", r"a\u{0}b\u{9b}"),
        ("\u202egpj.exe\u2069", r"\u{202e}gpj.exe\u{2069}"),
        ("a\u200bb\u2060c\ufeff", r"a\u{200b}b\u{2060}c\u{feff}"),
        ("line\u2028line\u2029", r"line\u{2028}line\u{2029}"),
        ("\ud800", r"\u{d800}"),
        ("\U000e0041\ufffe", r"\u{e0041}\u{fffe}"),
        ("two\nlines\t", r"two\u{a}lines\u{9}"),
    ],
)
def test_hostile_characters_become_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_newline_and_tab_stay_when_asked() -> None:
    assert visible("two\nlines\t\r", lines=True) == "two\nlines\t\\u{d}"


def test_long_text_says_how_much_is_missing() -> None:
    assert visible("x" * 1_400, 100) == "x" * 100 + "… (1,300 more characters)"


@given(ANY_TEXT)
def test_visible_text_is_harmless_and_can_be_encoded(text: str) -> None:
    shown = visible(text)

    assert is_harmless(shown)
    assert shown.encode().decode() == shown


def test_a_hostile_text_is_not_harmless() -> None:
    assert not is_harmless(HOSTILE)
    assert not is_harmless("a\nb")
    assert is_harmless("a\nb", lines=True)


def test_bytes_that_are_no_text_are_shown_as_escapes() -> None:
    assert visible_bytes(b"ok \xff\n\x1b", 100) == ("ok \\xff\n\\u{1b}", 0)


def test_a_character_that_the_limit_cuts_in_two_is_left_out() -> None:
    assert visible_bytes("你好".encode(), 4) == ("你", 2)


def test_a_json_value_is_shown_compactly() -> None:
    assert shorten({"a": [1, None, "x\u202e"]}) == '{"a": [1, null, "x\\u{202e}"]}'


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10**6,
        ["x"] * 10**6,
        {str(number): number for number in range(10**5)},
        10**5_000,
        float("nan"),
        float("-inf"),
        object,
    ],
    ids=["text", "list", "object", "integer", "nan", "infinity", "no JSON"],
)
def test_any_value_is_shown_shortly(value: Any) -> None:
    assert 0 < len(shorten(value, 100)) < 400


def test_a_value_that_is_nested_too_deeply_is_cut() -> None:
    value: object = "end"
    for _ in range(10**5):
        value = [value]

    assert "…" in shorten(value)


def test_a_small_value_stays_what_it_is() -> None:
    value = {"a": [1, 2.5, True, None, "x"], "b": {}}

    assert bounded(value, 300) == value
    assert json.loads(json_text(value)) == value


def test_what_is_cut_is_counted() -> None:
    assert bounded(["abc", "def", "ghi"], 6) == ["abc", "… (2 more)"]
    assert bounded({"abc": "def", "ghi": 1, "jkl": 2}, 10) == {"abc": "… (3 more characters)", "…": "2 more"}
    assert bounded("abcdef", 2) == "ab… (4 more characters)"
