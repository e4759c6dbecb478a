"""How refusals are read, reasons worded, and values cut to what can be shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance import reasons
from conformance.jsonsafe import LONGEST, WIDEST, bounded
from conformance.model import Exchange, Response
from conformance.refusals import is_html, message_of, names_model, out_of_credit, refusal_is_plain, wants_other_limit

from .runs import CASES, answer, exchange

STOP = CASES["chat/stop-string"]


def refusal(error: Any, status: int = 400) -> Exchange:
    return exchange(STOP, answer({"error": error}, status))


def body(value: Any, status: int = 400) -> Exchange:
    return exchange(STOP, answer(value, status))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"error": {"message": "no  such\nfield"}}, "no such field"),
        ({"error": "no such field"}, "no such field"),
        ({"detail": "no such field"}, "no such field"),
        ({"message": "no such field"}, "no such field"),
        ({"error": {"message": {"text": "no"}}}, "{'text': 'no'}"),
        ({"error": {"message": None}}, ""),
        ({"error": {}}, ""),
        (["no such field"], ""),
        (b"no such field", ""),
        ({"error": {"message": "x" * 1000}}, "x" * 200),
    ],
)
def test_what_a_refusal_says_is_read_from_any_envelope(value: Any, said: str):
    assert message_of(body(value)) == said


@pytest.mark.parametrize("text", [b"<!DOCTYPE html>", b"  \n<HTML>", b"<html lang='en'>"])
def test_a_web_page_is_known_by_its_beginning(text: bytes):
    assert is_html(exchange(STOP, Response(200, (), text, 0.1)))


def test_a_web_page_is_known_by_its_type():
    assert is_html(exchange(STOP, Response(200, (("Content-Type", "Text/HTML; charset=utf-8"),), b"hello", 0.1)))


def test_no_answer_is_no_web_page():
    assert not is_html(exchange(STOP, None, "reset"))
    assert not is_html(exchange(STOP, answer({"page": "<html>"})))


@pytest.mark.parametrize(("status", "out"), [(400, False), (401, True), (402, True), (403, True), (429, True)])
def test_money_is_out_only_with_a_status_that_says_so(status: int, *, out: bool):
    assert out_of_credit(refusal({"message": "You exceeded your current quota"}, status)) is out
    assert not out_of_credit(refusal({"message": "Invalid key"}, status))


@pytest.mark.parametrize(
    ("error", "status", "named"),
    [
        ({"message": "The model does not exist"}, 404, True),
        ({"message": "当前分组下没有可用渠道"}, 503, True),
        ({"message": "not found", "code": "model_not_found"}, 403, True),
        ({"message": "not found", "code": None}, 404, False),
        ({"message": "The model is overloaded"}, 429, False),
        ("no such deployment", 400, True),
    ],
)
def test_a_refusal_names_the_model_in_its_message_or_its_code(error: Any, status: int, *, named: bool):
    assert names_model(refusal(error, status)) is named


def test_a_model_that_wants_the_newer_limit_says_so():
    said = {"message": "Unsupported parameter: 'max_tokens', use 'max_completion_tokens' instead."}
    assert wants_other_limit(refusal(said))
    assert not wants_other_limit(refusal(said, 500))
    assert not wants_other_limit(refusal({"message": "no"}))


@pytest.mark.parametrize(
    ("error", "status", "plain"),
    [
        ({"message": "no", "param": "stop"}, 400, True),
        ({"message": "stop is not supported", "param": None}, 400, True),
        ({"message": "'stop' is not supported"}, 422, True),
        ({"message": "unstoppable"}, 400, False),
        ({"message": "no"}, 400, False),
        ({"message": None, "param": "stop"}, 400, False),
        ({"message": "stop is not supported"}, 500, False),
        ("stop is not supported", 400, False),
    ],
)
def test_a_refusal_is_plain_when_a_proper_envelope_names_the_field(error: Any, status: int, *, plain: bool):
    assert refusal_is_plain(refusal(error, status)) is plain


@pytest.mark.parametrize("code", sorted(reasons._REASONS))
def test_a_reason_is_worded_in_both_languages_and_carries_what_was_seen(code: str):
    found = reasons.finding(code, "seen")
    assert found.message
    assert found.zh
    assert found.actual == "seen"
    assert reasons.finding(code).actual is None


@pytest.mark.parametrize("value", [None, True, 5, 1.5, "text", [1, "a"], {"a": {"b": [1]}}, 10**30])
def test_what_is_small_stays_as_it_is(value: Any):
    assert bounded(value) == value


def test_a_long_text_is_cut_and_says_by_how_much():
    assert bounded("x" * (LONGEST + 7)) == "x" * LONGEST + "… (7 more characters)"


def test_a_huge_number_is_described():
    assert bounded(10**40) == "a number of 41 digits"
    assert bounded(-(10**40)) == "a number of 41 digits"


def test_a_wide_value_is_cut_and_says_by_how_much():
    assert bounded(list(range(WIDEST + 5))) == [*range(WIDEST), "… 5 more"]
    assert bounded({str(number): 0 for number in range(WIDEST + 5)})["…"] == "5 more"


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}, lambda inner: (inner,)])
def test_a_deep_value_is_cut(wrap: Any):
    deep: Any = 1
    for _ in range(500):
        deep = wrap(deep)
    assert json.dumps(bounded(deep)).count("…") + json.dumps(bounded(deep)).count("\\u2026") == 1


def test_long_keys_are_cut_too():
    assert len(next(iter(bounded({"k" * 10_000: 1})))) < 500
