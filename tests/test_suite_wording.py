"""What the tests of the suite say of their verdicts."""

from __future__ import annotations

from dataclasses import replace

from conformance import reasons
from conformance.model import (
    Case,
    Exchange,
    Expectation,
    Failure,
    Finding,
    Judgement,
    Ledger,
    Limits,
    Phase,
    Price,
    Provider,
    Request,
    Response,
    Severity,
    Stop,
    Verdict,
)
from conformance.suite import wording

RULE = "chat.usage.adds-up"
CASE = Case(
    id="chat/minimal",
    operation="chat",
    purpose="the least",
    zh="最小请求",
    source="",
    method="POST",
    path="/chat/completions",
    expect=Expectation.SUCCESS,
    price=Price.CHEAP,
    phase=Phase.VALID,
)


def judged(verdict, *findings):
    return Judgement(RULE, "chat", Severity.MUST, verdict, ("chat/minimal",), findings)


NOWHERE = Ledger(Provider("http://127.0.0.1:9/v1", "m"), Limits(), (), (), 0.0, 0.0, "")


def test_our_own_mistake_is_called_one():
    bug = Finding(message="this rule failed; that is our mistake", actual="KeyError: 'usage'", exchange="chat/minimal")
    text = wording.told(judged(Verdict.ERROR, bug), NOWHERE)
    assert "that is our mistake\nerror: KeyError: 'usage'\nwhere: chat/minimal" in text
    assert "curl" not in text


def test_what_points_at_something_comes_before_reasons_and_a_skip_the_other_way_round():
    reason = Finding(message="the connection broke", actual="reset by peer", exchange="chat/utf8")
    found = [Finding(f"/choices/{number}", expected=number, actual=None) for number in range(6)]
    text = wording.told(judged(Verdict.FAIL, reason, *found), NOWHERE)
    assert text.index("expected: 0\nactual: null") < text.index("also: expected 1, actual null, at /choices/1")
    assert text.endswith("and 3 more of the kind")
    skipped = wording.skipped(judged(Verdict.INCONCLUSIVE, found[0], reason))
    assert skipped == "inconclusive: the connection broke: reset by peer"


def test_a_missing_model_is_to_be_given_by_the_option_that_pytest_has():
    said = wording.skipped(judged(Verdict.NOT_RUN, reasons.finding("no-model", "speech")))
    assert "--relay-model ROLE=NAME" in said
    assert " --model" not in said


def test_values_and_labels_are_shown_as_they_are():
    finding = Finding("/x", actual={"a": 1}, message="odd", deviation="seen-before")
    text = wording.told(judged(Verdict.FAIL, finding), NOWHERE)
    assert "odd\nexpected: null" in text
    assert "known deviation: seen-before" in text
    assert wording.brief(judged(Verdict.NOTE, finding)) == 'odd: {"a": 1} (/x)'
    assert "odd" in wording.told(judged(Verdict.FAIL, Finding("/x", message="odd")), NOWHERE)
    assert wording.told(replace(judged(Verdict.FAIL, finding), rule="a.b"), NOWHERE).startswith("a.b\n")


def test_a_stop_is_told_with_what_to_do():
    assert wording.ended_early(Stop("unavailable", "not now", "", "wait")) == "not now; wait"
    assert wording.ended_early(Stop("unavailable", "not now", "")) == "not now; try again later"
    assert wording.ended_early(Stop("new", "not now", "")) == "not now"


def test_an_answer_that_never_came_and_one_that_is_long_are_shown_in_brief():
    request = Request("POST", "http://127.0.0.1:9/v1/chat/completions", (), b"{}")
    response = Response(200, (("content-type", "application/json"),), b"{}", 0.1)
    whole = Exchange(CASE, "m", request, response, None, 0.0, 0.2)
    assert wording.answer(whole).endswith("\nHTTP 200 application/json, 0.20 s\n{}")
    lost = replace(whole, response=None, failure=Failure("reset", "gone"))
    assert wording.answer(lost).endswith("\nreset: gone")
    long = replace(whole, response=replace(whole.response, body=b"x" * 5_000))
    assert "more bytes in the ledger" in wording.answer(long)
    huge = replace(whole, request=replace(whole.request, body=b"x" * 9_000))
    text = wording.told(judged(Verdict.FAIL, Finding("/x")), replace(NOWHERE, exchanges=(huge,)))
    assert text.endswith("curl: the request is too long to print here; it is in the ledger")
