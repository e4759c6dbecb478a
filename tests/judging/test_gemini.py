"""Gemini, native: what honest relays send in their own ways is not blamed, and nothing makes a rule stumble."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from conformance.judging import judge
from conformance.model import Case, Ledger, Response, Verdict
from conformance.planning import plan
from conformance.reasons import finding

from .runs import answer, exchange, ledger, verdicts
from .test_garbage import ODD, changed, pointers

CASES = {case.id: case for case in plan(["gemini", "operation"]) if case.operation.startswith("gemini")}
ALL = list(CASES.values())
PLAIN, STREAM, COUNT = (
    CASES[name] for name in ("gemini.generate/minimal", "gemini.stream/minimal", "gemini.generate/count-tokens")
)
USAGE = {"promptTokenCount": 2, "candidatesTokenCount": 1, "totalTokenCount": 3}
HEAD = {"modelVersion": "mock-gemini-flash", "responseId": "r1"}


def candidate(*parts: Any, reason: Any = "STOP", **more: Any) -> dict[str, Any]:
    found = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **more}
    return found if reason is None else {**found, "finishReason": reason}


def whole(*parts: Any, usage: Any = USAGE, reason: Any = "STOP") -> dict[str, Any]:
    """A good plain answer, which is also a stream of one object."""
    return {**HEAD, "candidates": [candidate(*(parts or ({"text": "OK"},)), reason=reason)], "usageMetadata": usage}


def error(code: object, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": "No.", "status": "INVALID_ARGUMENT", **more}}


def sse(*objects: Any, end: bytes = b"") -> Response:
    events = b"".join(b"data: " + json.dumps(value).encode() + b"\r\n\r\n" for value in objects)
    return answer(events + end, content_type="text/event-stream")


def honest(case: Case) -> Response:
    if case.expect == "refusal":
        return answer(error(400), 400)
    if case is COUNT:
        return answer({"totalTokens": 2})
    return sse(whole()) if case.operation == "gemini.stream" else answer(whole())


def judged(changes: Mapping[str, Response], only: Sequence[str] = ("gemini", "operation")) -> dict[str, str]:
    """What is not passed when these cases are answered so, and every other one well: rule -> verdict."""
    run = ledger([exchange(case, changes.get(case.id, honest(case))) for case in ALL])
    quiet = {Verdict.PASS, Verdict.NOT_APPLICABLE}
    return {rule: found.verdict.label for (rule, _), found in verdicts(run, only).items() if found.verdict not in quiet}


def stumbling(run: Ledger) -> list[str]:
    """Our rules that raise on a run, be it over a body of the wrong shape."""
    caught = finding("blocked", "/")
    return [
        judgement.rule
        for judgement in judge(run, ["gemini"])
        for found in judgement.findings
        if judgement.verdict is Verdict.ERROR or (found.message, found.actual) == (caught.message, caught.actual)
    ]


def test_a_good_relay_passes():
    assert judged({}) == {}


@pytest.mark.parametrize(
    "value",
    [
        whole(
            {"text": "Hm.", "thought": True},
            {"text": "OK"},
            usage={**USAGE, "thoughtsTokenCount": 4, "totalTokenCount": 7},
        ),
        whole({"text": ""}, reason="MAX_TOKENS", usage={"promptTokenCount": 2, "totalTokenCount": 2}),
        whole({"text": ""}, reason="SAFETY"),
        {**whole(), "candidates": [{"finishReason": "MAX_TOKENS", "index": 0}]},
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": USAGE},
        whole({"inlineData": {"mimeType": "image/png", "data": "AA=="}}),
        whole(
            usage={"promptTokenCount": 2, "candidatesTokenCount": 1, "toolUsePromptTokenCount": 5, "totalTokenCount": 8}
        ),
        whole(usage={**USAGE, "cachedContentTokenCount": 2, "thoughtsTokenCount": None}),
    ],
)
def test_what_an_honest_plain_answer_may_be(value: Any):
    assert judged({PLAIN.id: answer(value)}, ["gemini"]) == {}


@pytest.mark.parametrize(
    "objects",
    [
        [{**HEAD, "candidates": [candidate({"text": "O"}, reason=None)]}, whole({"text": "K"})],
        [{**HEAD, "candidates": [candidate({"text": "OK"}, reason=None)]}, whole({"text": ""})],
        [whole(), {**HEAD, "usageMetadata": USAGE}],
        [{**whole(), "usageMetadata": {"promptTokenCount": 2, "totalTokenCount": 9}}, whole({"text": "K"})],
        [{"promptFeedback": {"blockReason": "SAFETY"}}],
    ],
)
def test_what_an_honest_stream_may_be(objects: list[Any]):
    assert judged({STREAM.id: sse(*objects)}, ["gemini"]) == {}


@pytest.mark.parametrize(
    ("case", "response", "rule", "verdict"),
    [
        (PLAIN, answer(whole({"text": ""})), "gemini.text.present", "fail"),
        (PLAIN, answer({**whole(), "candidates": []}), "gemini.text.present", "fail"),
        (PLAIN, answer(whole({"text": "Hm.", "thought": True})), "gemini.text.present", "fail"),
        (PLAIN, answer(whole(reason=None)), "gemini.finish-reason.known", "fail"),
        (PLAIN, answer(whole(reason="stop")), "gemini.finish-reason.known", "fail"),
        (PLAIN, answer(whole(reason="done")), "gemini.finish-reason.known", "fail"),
        (STREAM, sse(whole(), whole({"text": "!"}, reason=None)), "gemini.finish-reason.known", "fail"),
        (PLAIN, answer(whole(usage={**USAGE, "totalTokenCount": 2})), "gemini.usage.adds-up", "fail"),
        (PLAIN, answer(whole(usage={"promptTokenCount": 2})), "gemini.usage.adds-up", "fail"),
        (STREAM, sse(whole(), end=b"data: [DONE]\n\n"), "gemini.stream.no-done", "fail"),
        (STREAM, sse(whole(), {**HEAD, "candidates": [candidate()]}), "gemini.stream.one-last", "note"),
        (COUNT, answer(whole()), "gemini.count-tokens.counts", "note"),
    ],
)
def test_what_is_blamed(case: Case, response: Response, rule: str, verdict: str):
    assert judged({case.id: response}, ["gemini"]) == {rule: verdict}


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("value", [{"error": {"message": "Invalid URL", "type": "x"}}, b"<html>"])
def test_a_relay_need_not_count_tokens(status: int, value: Any):
    assert judged({COUNT.id: answer(value, status)}) == {}


def test_a_web_page_where_tokens_would_be_counted_is_not_blamed():
    assert judged({COUNT.id: answer(b"<html>", content_type="text/html")}, ["gemini", "operation", "http.body"]) == {}


@pytest.mark.parametrize(("status", "value"), [(500, error(500)), (200, whole())])
def test_contents_are_required(status: int, value: Any):
    run = ledger([exchange(CASES["gemini.generate/no-contents"], answer(value, status))])
    found = verdicts(run, ["gemini.contents.required"])["gemini.contents.required", "gemini.generate"]
    assert found.verdict is Verdict.WARN
    assert all(each.deviation for each in found.findings)


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        (error(400), set()),
        (error(400, details=[{"reason": "x"}]), set()),
        ({"error": {"message": "No.", "type": "new_api_error", "param": "", "code": None}}, {"envelope-mismatch"}),
        (error("400"), {""}),
        ({"error": "No."}, {""}),
    ],
)
def test_how_errors_are_judged(value: Any, labels: set[str]):
    run = ledger([exchange(CASES["gemini.generate/no-contents"], answer(value, 400))])
    found = verdicts(run, ["gemini.error.envelope"])["gemini.error.envelope", "gemini.generate"]
    assert {each.deviation for each in found.findings} == labels


def test_a_relay_without_gemini_is_not_blamed():
    missing = answer({"error": {"message": "Invalid URL", "type": "invalid_request_error"}}, 404)
    assert set(judged({case.id: missing for case in ALL}).values()) == {"unsupported"}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("case", [PLAIN, STREAM, COUNT], ids=lambda case: case.id)
def test_nothing_odd_makes_a_rule_stumble(case: Case, odd: Any):
    template = whole({"text": "OK", "thought": False})
    for at in pointers(template):
        value = changed(template, at, odd)
        response = sse(value, whole()) if case is STREAM else answer(value)
        assert stumbling(ledger([exchange(case, response)])) == [], at
        assert stumbling(ledger([exchange(case, sse(value) if case is STREAM else response)])) == [], at


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_nothing_odd_in_an_error_makes_a_rule_stumble(odd: Any):
    template = error(400)
    for at in pointers(template):
        response = answer(changed(template, at, odd), 400)
        assert stumbling(ledger([exchange(case, response) for case in ALL])) == [], at


@pytest.mark.parametrize("raw", [b"", b"data: {}\n\n", b"\xff", b"[]", b"data: 1\n\n", b"data: [DONE]\n\n"])
def test_no_bytes_make_a_rule_stumble(raw: bytes):
    assert stumbling(ledger([exchange(case, answer(raw)) for case in ALL])) == []
