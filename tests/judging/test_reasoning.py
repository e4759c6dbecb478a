"""Reasoning that is shown: where it stands, and that streams and plain answers agree."""

from __future__ import annotations

from typing import Any

import pytest

from .families import Family
from .runs import COMPLETION, HEAD, sse

FAMILY = Family("reasoning")
PLAIN, STREAM = "chat/reasoning-plain", "chat.stream/reasoning-stream"
THOUGHT = "Nine and nine tenths is more than nine and eleven hundredths."


def says(text: Any = "9.9", **fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, **fields}
    return COMPLETION | {"choices": [COMPLETION["choices"][0] | {"message": message}]}


def streams(*deltas: dict[str, Any]) -> bytes:
    ends = [({}, "stop")]
    parts = [({"role": "assistant", "content": ""}, None), *((delta, None) for delta in deltas), *ends]
    return sse([HEAD | {"choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in parts])


def thinks(text: str) -> dict[str, Any]:
    return {"reasoning_content": text}


GOOD = {PLAIN: says(reasoning_content=THOUGHT), STREAM: streams(thinks("Nine "), thinks("and"), {"content": "9.9"})}
AWKWARD: dict[str, dict[str, Any]] = {
    "as always": {},
    "the other name": {PLAIN: says(reasoning=THOUGHT), STREAM: streams({"reasoning": THOUGHT}, {"content": "9.9"})},
    "a line break after the answer has begun": {
        STREAM: streams(thinks("a"), {"content": "9"}, thinks("\n"), {"content": ".9"})
    },
    "blanks before the reasoning": {STREAM: streams({"content": "\n"}, thinks("a"), {"content": "9.9"})},
    "both in one delta, null where nothing is": {
        STREAM: streams({"reasoning_content": "a", "content": None}, {"reasoning_content": None, "content": "9.9"})
    },
    "a short thought that the answer repeats": {PLAIN: says("9.9", reasoning_content="9.9")},
    "cut while thinking": {PLAIN: says("", reasoning_content=THOUGHT), STREAM: streams(thinks("Nine"))},
}  # fmt: skip


def runs(changes: dict[str, Any]) -> list[Any]:
    return [FAMILY.run(name, each) for name, each in (GOOD | changes).items()]


@pytest.mark.parametrize("changes", AWKWARD.values(), ids=AWKWARD)
def test_an_honest_relay_is_not_blamed(changes: dict[str, Any]):
    assert FAMILY.blamed(*runs(changes)) == set()


SHOWN, MATCHES = "reasoning.content.shown", "reasoning.stream.matches-plain"
BROKEN: dict[str, tuple[dict[str, Any], set[str]]] = {
    "think tags": ({PLAIN: says(f"<think>{THOUGHT}</think>9.9")}, {SHOWN, MATCHES}),
    "nowhere": ({PLAIN: says(), STREAM: streams({"content": "9.9"})}, {SHOWN}),
    "not streamed": ({STREAM: streams({"content": "9.9"})}, {SHOWN, MATCHES}),
    "twice": ({PLAIN: says(f"{THOUGHT} 9.9", reasoning_content=THOUGHT)}, {"reasoning.content.separate"}),
    "too late": ({STREAM: streams({"content": "9"}, thinks("Nine"))}, {"reasoning.stream.first"}),
}


@pytest.mark.parametrize(("changes", "rules"), BROKEN.values(), ids=BROKEN)
def test_reasoning_out_of_place_is_told(changes: dict[str, Any], rules: set[str]):
    assert FAMILY.blamed(*runs(changes)) == rules


def test_think_tags_are_known():
    assert FAMILY.labels(FAMILY.run(PLAIN, says(f"<think>{THOUGHT}</think>9.9"))) == {"think-tags"}


@pytest.mark.parametrize(
    ("name", "told", "rule"),
    [
        (PLAIN, says(reasoning=THOUGHT), "reasoning.field.other-name"),
        ("chat/minimal", says(reasoning_content=""), "reasoning.field.empty"),
    ],
)
def test_harmless_habits_are_noted(name: str, told: Any, rule: str):
    assert FAMILY.judged(FAMILY.run(name, told))[rule].verdict.label == "note"
    assert FAMILY.judged(FAMILY.run(name, says(reasoning_content=THOUGHT)))[rule].verdict.label == "pass"


def test_no_rule_stumbles_over_an_answer_of_another_shape():
    assert list(FAMILY.stumbles_over({PLAIN: GOOD[PLAIN], "chat/minimal": says()})) == []


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, [[]], {"index": "x", "delta": {"reasoning_content": 7}}])
def test_no_rule_stumbles_over_an_odd_stream(odd: Any):
    told = sse([HEAD | {"choices": odd}, HEAD | {"choices": [odd]}, HEAD | {"choices": [{"index": 0, "delta": odd}]}])

    assert FAMILY.stumbles(FAMILY.run(PLAIN, GOOD[PLAIN]), FAMILY.run(STREAM, told)) == []
