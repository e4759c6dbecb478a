"""Breaches grouped by cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance.deviations import DEVIATIONS
from conformance.model import Expectation, Finding, Severity, Verdict
from conformance.reporting.causes import causes, title

from .samples import RULES, answer, case, exchange, finding, judgement

if TYPE_CHECKING:
    from conformance.model import Exchange, Judgement

HTML = answer(headers=(("content-type", "text/html"),))
FIVE_HUNDRED = answer({"error": {"message": "boom 17"}}, 500)


def broken(rule: str, *findings: Finding, **changes: Any) -> Judgement:
    return judgement(rule, changes.pop("verdict", Verdict.FAIL), findings=findings, **changes)


def at(pointer: str = "", actual: Any = 1, expected: Any = 2, **changes: Any) -> Finding:
    return finding(at=pointer, actual=actual, expected=expected, deviation=changes.pop("deviation", ""), **changes)


def grouped(*judgements: Judgement, **exchanges: Exchange) -> list[list[str]]:
    """The rules of each cause."""
    found = causes(judgements, {each.case.id: each for each in exchanges.values()})
    return [[each.rule for each in cause.judgements] for cause in found]


def test_a_label_is_one_cause_whatever_the_places() -> None:
    one = broken("a.b", at("/x", deviation="usage-zero"))
    other = broken("c.d", at("/y", "text", deviation="usage-zero"), operation="embeddings", verdict=Verdict.WARN)
    (cause,) = causes([other, one], {})

    assert [each.rule for each in cause.judgements] == ["a.b", "c.d"]
    assert cause.verdict is Verdict.FAIL
    assert cause.operations == ["chat", "embeddings"]
    assert title(cause, RULES).en.lower() == DEVIATIONS["usage-zero"].text.lower()
    assert title(cause, RULES).zh == DEVIATIONS["usage-zero"].zh


def test_a_label_that_nobody_knows_leaves_the_words_of_the_worst_rule() -> None:
    (cause,) = causes([broken("chat.usage.adds-up", finding()), broken("x.y", finding())], {})

    assert title(cause, RULES) == title(causes([broken("chat.usage.adds-up")], {})[0], RULES)


def test_the_same_place_of_the_same_answer_is_one_cause() -> None:
    assert grouped(broken("a.b", at("/choices/0/x", 1)), broken("c.d", at("/choices/1/x", "no"))) == [["a.b", "c.d"]]


@pytest.mark.parametrize("vague", ["", "status", "/events/3"])
def test_a_place_that_says_little_joins_nothing(vague: str) -> None:
    assert grouped(broken("a.b", at(vague)), broken("c.d", at(vague))) == [["a.b"], ["c.d"]]


def test_the_same_field_of_a_stream_and_of_an_answer_is_one_cause() -> None:
    plain = broken("a.b", at("/choices/0/message/role", 1))
    streamed = broken("c.d", at("/events/4/choices/0/delta/role", 7, exchange="chat.stream/x"), operation="chat.stream")
    other_kind = broken("e.f", at("/choices/0/message/role", "", exchange="chat/other"))

    assert grouped(plain, streamed, other_kind) == [["a.b", "c.d"], ["e.f"]]


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [(200, 201, True), (200, 500, False), ("absent", None, True), (0.5, 0.25, True), (7, 7.5, False), (True, 5, False)],
)
def test_one_rule_of_two_operations_is_one_cause_where_the_kinds_agree(one: Any, other: Any, joined: bool) -> None:
    found = grouped(
        broken("a.b", at("status", one)), broken("a.b", at("status", other, exchange="e/x"), operation="embeddings")
    )

    assert (len(found) == 1) is joined


def test_what_was_expected_tells_causes_apart_by_its_words_and_else_by_its_kind() -> None:
    def pair(one: Any, other: Any) -> int:
        second = at("/usage/total", expected=other, exchange="e/x")
        return len(grouped(broken("a.b", at("/usage/total", expected=one)), broken("c.d", second)))

    assert pair(3, 4) == pair("a word", "a word") == 1
    assert pair("a word", "a number") == 2


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (HTML, "A web page comes instead of an answer"),
        (answer(body=b"\n <!DOCTYPE html><p>hi"), "A web page comes instead of an answer"),
        (FIVE_HUNDRED, "Requests are answered with HTTP 500"),
        (answer({"error": {"message": "no"}}, 400), "A good request is answered with an error"),
        (answer({"error": {"message": "no"}}), "A good request is answered with an error"),
    ],
)
def test_an_answer_that_is_none_is_one_cause(response: Any, said: str) -> None:
    (cause,) = causes(
        [broken("a.b", at("status")), broken("c.d", at(""))], {"chat/minimal": exchange(response=response)}
    )

    assert title(cause, RULES).en == said


def test_errors_that_differ_in_a_number_are_the_same_and_others_are_not() -> None:
    def failing(name: str, message: str) -> dict[str, Exchange]:
        return {name.replace("/", "_"): exchange(name, answer({"error": {"message": message}}, 500))}

    one, other = broken("a.b", at(exchange="chat/1")), broken("c.d", at(exchange="chat/2"))

    assert len(grouped(one, other, **failing("chat/1", "boom 1"), **failing("chat/2", "boom 22"))) == 1
    assert len(grouped(one, other, **failing("chat/1", "boom"), **failing("chat/2", "bang"))) == 2


def test_a_plain_refusal_that_was_asked_for_is_no_failing_answer() -> None:
    refused = exchange(response=answer({"error": {}}, 400), case=case(expect=Expectation.REFUSAL))

    assert len(grouped(broken("a.b", at("")), broken("c.d", at("")), only=refused)) == 2


def test_a_rule_that_good_answers_break_too_has_nothing_to_do_with_failing_ones() -> None:
    everywhere = [
        broken("a.b", at("", "x")),
        broken("a.b", at("", "x", exchange="e/x"), operation="embeddings"),
    ]
    stumbles = broken("c.d", at("status", 500))

    assert grouped(*everywhere, stumbles, only=exchange(response=FIVE_HUNDRED)) == [["a.b", "a.b"], ["c.d"]]


def test_what_breaks_in_many_ways_does_not_glue_them_together() -> None:
    shape = broken("shape", at("/id"), at("/usage"), at("/model"))

    found = grouped(broken("a.id", at("/id")), broken("a.usage", at("/usage")), shape)

    assert found == [["a.id"], ["a.usage"], ["shape"]]


def test_the_worst_comes_first_and_of_equals_the_one_that_speaks_most() -> None:
    label = {"deviation": "usage-zero"}
    once = broken("a.once", at("/x", **label))
    twice = [broken("b.twice", at("/y", **label), operation=name) for name in ("chat", "embeddings")]
    advice = broken("c.advice", at("/z", **label), verdict=Verdict.WARN, severity=Severity.SHOULD)
    alone = broken("d.alone", at("/q"), verdict=Verdict.ERROR)

    assert grouped(advice, once, *twice, alone) == [["d.alone"], ["b.twice", "b.twice", "a.once", "c.advice"]]


def test_notes_are_apart_and_what_could_not_be_judged_goes_by_its_reason() -> None:
    late = [broken(f"a.r{number}", Finding(message="time-out"), verdict=Verdict.INCONCLUSIVE) for number in range(3)]
    note = broken("a.note", at("/x"), verdict=Verdict.NOTE)
    found = causes([*late, note], {}, {Verdict.NOTE, Verdict.INCONCLUSIVE})

    assert [len(cause.judgements) for cause in found] == [3, 1]
    assert causes([*late, note], {}) == []
