"""Pictures: weak models and refusals are let be, pictures that never arrive are told."""

from __future__ import annotations

from typing import Any

import pytest

from .families import Family
from .runs import COMPLETION, USAGE

FAMILY = Family("vision")
REFUSED = {"error": {"message": "image_url is not supported", "type": "invalid", "param": None, "code": None}}
COLOURS = {
    "red": "Red.",
    "low": "blue",
    "high": "Blue",
    "two": "Red and blue.",
    "jpeg": "red",
    "webp": "红色",
    "gif": "Red",
}


def says(text: Any, prompt: int = 300) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    usage = USAGE | {"prompt_tokens": prompt, "total_tokens": prompt + 3}
    return COMPLETION | {"choices": [COMPLETION["choices"][0] | {"message": message}], "usage": usage}


GOOD = {
    **{f"chat/vision-{name}": says(text) for name, text in COLOURS.items()},
    "chat/vision-two": says(COLOURS["two"], 500),
    "chat/vision-control": says("I see no picture.", 20),
}


def every(text: str, prompt: int) -> dict[str, Any]:
    return dict.fromkeys(GOOD, says(text, prompt))


AWKWARD: dict[str, dict[str, Any]] = {
    "as always": {},
    "a weak model that is right once": every("A house.", 300)
    | {"chat/vision-low": says("blue"), "chat/vision-two": says("?", 400), "chat/vision-control": says("", 20)},
    "no usage": {name: each | {"usage": None} for name, each in GOOD.items()},
    "counts of zero": {name: says(each["choices"][0]["message"]["content"], 0) for name, each in GOOD.items()},
    "both are named, and counted as one": {"chat/vision-two": says("red, blue", 300)},
}  # fmt: skip


def runs(changes: dict[str, Any]) -> list[Any]:
    return [FAMILY.run(name, each) for name, each in (GOOD | changes).items()]


@pytest.mark.parametrize("changes", AWKWARD.values(), ids=AWKWARD)
def test_an_honest_relay_is_not_blamed(changes: dict[str, Any]):
    assert FAMILY.blamed(*runs(changes)) == set()


def test_a_model_that_takes_no_pictures_is_not_blamed():
    refused = [FAMILY.run(name, REFUSED, 400) for name in GOOD if name != "chat/vision-control"]
    found = FAMILY.judged(*refused, FAMILY.run("chat/vision-control", says("?")))

    assert {judgement.verdict.label for judgement in found.values()} <= {"unsupported", "not-applicable", "pass"}


ALONE = {"chat/vision-control", "chat/vision-two"}
ALL_LOST = {"vision.picture.recognised", "vision.picture.counted", "vision.pictures.all-used"}
BROKEN: dict[str, tuple[dict[str, Any], set[str]]] = {
    "dropped": (every("I cannot see pictures.", 20), ALL_LOST),
    "every colour there is": (
        {name: says("red, blue, green, yellow") for name in GOOD.keys() - ALONE},
        {"vision.picture.recognised"},
    ),
    "high costs less": ({"chat/vision-high": says("blue", 100)}, {"vision.detail.counted"}),
    "one of two": ({"chat/vision-two": says("red", 300)}, {"vision.pictures.all-used"}),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "rules"), BROKEN.values(), ids=BROKEN)
def test_a_picture_that_does_not_arrive_is_told(changes: dict[str, Any], rules: set[str]):
    found = FAMILY.judged(*runs(changes)).values()
    told = {each.rule for each in found if each.verdict.label in {"note", "warn", "fail"}}
    assert {rule for rule in told if rule.startswith("vision.")} == rules


def test_a_weak_model_is_not_blamed_for_what_it_does_not_see():
    assert FAMILY.blamed(*runs({name: says("I") for name in GOOD.keys() - ALONE})) == set()


def test_a_kind_that_is_refused_where_png_is_not_is_told():
    gif = FAMILY.run("chat/vision-gif", REFUSED, 400)
    others = [each for each in runs({}) if each.case.id != "chat/vision-gif"]

    assert FAMILY.blamed(*others, gif) == {"vision.kinds.accepted"}


@pytest.mark.parametrize(("status", "blamed"), [(400, set()), (500, set()), (200, {"vision.empty-url.refused"})])
def test_a_picture_without_an_address_is_not_described(status: int, blamed: set[str]):
    answered = FAMILY.run("chat/vision-empty-url", says("A cat.") if status == 200 else REFUSED, status)

    assert FAMILY.blamed(*runs({}), answered) == blamed


@pytest.mark.parametrize(("text", "verdict"), [("Red", "pass"), ("A cat", "note")])
def test_a_picture_as_a_bare_string_is_noted_where_it_is_dropped(text: str, verdict: str):
    found = FAMILY.judged(FAMILY.run("chat/vision-bare-url", says(text)))

    assert found["vision.bare-url.seen"].verdict.label == verdict


def test_no_rule_stumbles_over_an_answer_of_another_shape():
    assert list(FAMILY.stumbles_over({**GOOD, "chat/vision-bare-url": says("A cat")})) == []
