"""Scenarios around chat: the reading of the quota before and after a call, and the fetching of a drawing."""

from __future__ import annotations

from typing import Any

import pytest
from judging.runs import COMPLETION, answer, exchange

from conformance.fixtures import load_cases
from conformance.rules.views import linked_pictures
from conformance.scenarios import advance, begin

CASES = {case.id: case for case in load_cases()}
DRAWING, DRAWN = CASES["chat/variant-drawing"], CASES["media/drawn"]


def says(text: Any) -> dict[str, Any]:
    return COMPLETION | {"choices": [COMPLETION["choices"][0] | {"message": {"role": "assistant", "content": text}}]}


def fetched(text: Any) -> str:
    """Where the picture is fetched that an answer links to; empty where nothing is fetched."""
    running = begin([DRAWN, DRAWING])
    asked = next(running)
    step = advance(running, exchange(asked, answer(says(text))))
    return step.path if step else ""


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("![a](https://a.example/1)", "https://a.example/1"),
        ("see https://a.example/1.png and more", "https://a.example/1.png"),
        ("https://a.example/page ![](http://a.example/2.webp?x=1)", "http://a.example/2.webp?x=1"),
        ("no picture: https://a.example/page", ""),
        ("![a](ftp://a.example/1.png)", ""),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_a_drawing_is_fetched_from_where_the_answer_links_to(text: Any, address: str) -> None:
    assert fetched(text) == address


def test_a_drawing_that_was_refused_is_not_fetched() -> None:
    running = begin([DRAWING, DRAWN])

    assert advance(running, exchange(next(running), answer({}, 400))) is None


def test_a_long_text_is_searched_in_a_moment() -> None:
    assert linked_pictures("![" * 1_000_000 + "http" * 1_000_000) == []


def test_the_quota_is_read_before_and_after_a_call_whatever_the_answers() -> None:
    steps = [case for case in CASES.values() if case.scenario == "quota"]
    running = begin(steps)
    sent = [next(running)]
    while step := advance(running, exchange(sent[-1], answer({}, 500))):
        sent.append(step)

    assert [case.id.partition("/")[0] for case in sent] == ["billing.usage", "billing.usage", "chat", "billing.usage"]


def test_the_quota_is_not_read_again_when_the_run_has_ended() -> None:
    running = begin([case for case in CASES.values() if case.scenario == "quota"])

    assert advance(running, exchange(next(running), None, "unsent", "the budget is spent")) is None
