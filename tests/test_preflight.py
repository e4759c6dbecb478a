"""Pure answers from the first exchanges; what needs a server is in `test_send.py`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.errors import UsageError
from conformance.model import Exchange, Failure, Request, Response
from conformance.planning import plan
from conformance.preflight import base_urls, reason_to_stop, speaks_api
from conformance.refusals import is_html, message_of, names_model, out_of_credit, refusal_is_plain, wants_other_limit

CASES = {case.id: case for case in plan()}
always = settings(derandomize=True, database=None, deadline=None)


def answer(
    status: int = 200,
    value: Any = None,
    *,
    body: bytes | None = None,
    failure: str = "",
    kind: str = "application/json",
) -> Exchange:
    """An exchange of the smallest request."""
    raw = json.dumps(value).encode() if body is None else body
    response = Response(status, (("Content-Type", kind),), raw, 0.1) if status else None
    failed = Failure(failure, "said so") if failure else None
    return Exchange(CASES["chat/minimal"], "gpt-x", Request("POST", "http://h", (), b""), response, failed, 0.0, 0.1)


@pytest.mark.parametrize(
    ("given_url", "first"),
    [
        ("http://h", "http://h/v1"),
        ("HTTP://h", "http://h/v1"),
        ("https://h:8443/p/v1/", "https://h:8443/p/v1"),
        ("https://h/v1/chat/completions", "https://h/v1"),
        ("https://h/v1/models/", "https://h/v1"),
        ("http://[::1]:80", "http://[::1]:80/v1"),
        ("http://1.2.3.4", "http://1.2.3.4/v1"),
        ("http://under_score.example.", "http://under_score.example./v1"),
        ("http://例子.测试", "http://例子.测试/v1"),
    ],
)
def test_base_urls_are_tried_likeliest_first(given_url: str, first: str) -> None:
    urls = base_urls(given_url)

    assert urls[0] == first
    assert urls[1] == first.removesuffix("/v1")


@always
@given(
    st.text(max_size=20) | st.text(max_size=20).map("http://".__add__) | st.text(max_size=20).map("http://h/".__add__)
)
def test_any_text_is_a_base_url_or_is_refused(text: str) -> None:
    try:
        urls = base_urls(text)
    except UsageError as error:
        assert error.hint  # noqa: PT017 - both ends are right
        return
    assert all(url.startswith(("http://", "https://")) for url in urls)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(UsageError) as refusal:
        base_urls("https://user:hunter22@h:99999/")

    assert "hunter22" not in str(refusal.value) + refusal.value.hint


@pytest.mark.parametrize(
    ("exchange", "speaks"),
    [
        (answer(200, {}), True),
        (answer(401, {}), True),
        (answer(500, body=b"oops"), True),
        (answer(404, {}), False),
        (answer(405, {}), False),
        (answer(302, body=b""), False),
        (answer(200, body=b"<!DOCTYPE html>"), False),
        (answer(200, body=b"x", kind="text/html; charset=utf-8"), False),
        (answer(0, failure="refused"), False),
        (answer(200, body=b"{", failure="reset"), False),
        (answer(200, body=b"{", failure="too-large"), True),
        (answer(0, failure="too-large"), False),
    ],
)
def test_an_api_is_told_from_what_is_none(exchange: Exchange, speaks: bool) -> None:
    assert speaks_api(exchange) is speaks


def said(message: Any, status: int = 400, **more: Any) -> Exchange:
    """A refusal in an envelope."""
    return answer(status, {"error": {"message": message, **more}})


@pytest.mark.parametrize(
    ("exchange", "message"),
    [
        (said("  a\n b "), "a b"),
        (said("x" * 500), "x" * 200),
        (said(None), ""),
        (said({"a": 1}), "{'a': 1}"),
        (answer(400, {"error": "text"}), "text"),
        (answer(400, {"detail": "text"}), "text"),
        (answer(400, {"message": "text"}), "text"),
        (answer(400, ["text"]), ""),
        (answer(400, body=b"oops"), ""),
        (answer(0, failure="idle"), ""),
    ],
)
def test_what_a_relay_says_is_found_in_every_shape(exchange: Exchange, message: str) -> None:
    assert message_of(exchange) == message


def test_kinds_of_refusals_are_told_apart() -> None:
    assert out_of_credit(said("insufficient_quota", 429))
    assert not out_of_credit(said("insufficient_quota", 500))
    assert names_model(said("x", 404, code="model_not_found"))
    assert not names_model(said("model", 401))
    assert wants_other_limit(said("use max_completion_tokens, not max_tokens"))
    assert not wants_other_limit(said("max_tokens", 500))
    assert is_html(answer(body=b" \n<HTML>"))
    assert not is_html(answer(0))


def plain(value: Any, status: int = 400) -> bool:
    """Whether a refusal of `logit_bias` is plain."""
    exchange = answer(status, value)
    return refusal_is_plain(
        Exchange(CASES["chat/logit-bias"], "m", exchange.request, exchange.response, None, 0.0, 0.1)
    )


def test_a_refusal_is_plain_when_it_names_the_field() -> None:
    assert plain({"error": {"message": "no", "param": "logit_bias"}})
    assert plain({"error": {"message": "logit_bias is not taken", "param": None}})
    assert not plain({"error": {"message": "no", "param": None}})
    assert not plain({"error": {"message": 3, "param": "logit_bias"}})
    assert not plain({"error": {"message": "no", "param": "logit_bias"}}, 500)
    assert not plain({"detail": "logit_bias"})


@pytest.mark.parametrize("kind", ["refused", "dns", "tls", "reset"])
def test_the_hint_fits_what_went_wrong(kind: str) -> None:
    stop = reason_to_stop(answer(0, failure=kind), answer(0, failure=kind))

    assert stop is not None
    assert stop.code == "unreachable"
    assert stop.hint.endswith(("?", "curl"))


def test_a_good_answer_is_no_reason_to_stop() -> None:
    assert reason_to_stop(answer(200, {}), answer(200, {})) is None


@pytest.mark.parametrize("models", [None, [], {"data": None}, {"data": []}, {"data": [{"id": None}, 1]}, {"data": {}}])
def test_an_unknown_model_is_said_whatever_the_list_looks_like(models: Any) -> None:
    stop = reason_to_stop(answer(200, models), said("no such model", 404))

    assert stop is not None
    assert stop.code == "model-unknown"
    assert stop.hint
