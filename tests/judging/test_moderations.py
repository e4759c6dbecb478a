"""Moderation: honest answers of old and new models are let be, broken ones are blamed where they break."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.model import Verdict
from conformance.relay.moderations import CATEGORIES

from .families import Family

FAMILY = Family("moderations", "omni-moderation-latest")
OLD = [name for name in CATEGORIES if not name.startswith("illicit")]


def result(*found: str, names: Any = CATEGORIES, **changes: Any) -> dict[str, Any]:
    return {
        "flagged": bool(found),
        "categories": {name: name in found for name in names},
        "category_scores": {name: 0.9 if name in found else 1e-05 for name in names},
        "category_applied_input_types": {name: ["text"] for name in names},
        **changes,
    }


def of(*results: dict[str, Any]) -> dict[str, Any]:
    return {"id": "modr-1", "model": "omni-moderation-latest", "results": list(results)}


GOOD = {"neutral": of(result()), "two-texts": of(result(), result("violence")), "parts": of(result())}
UNKNOWN = {name: None for name in CATEGORIES if name not in OLD}
AWKWARD: dict[str, dict[str, Any]] = {
    "as always": {},
    "an older model": {
        "two-texts": of(result(names=OLD), result("violence", names=OLD, category_applied_input_types=None))
    },
    "null for what is not known": {
        "neutral": of(
            result(
                categories=result()["categories"] | UNKNOWN, category_scores=result()["category_scores"] | UNKNOWN
            )
        )
    },
    "scores of a whole": {"neutral": of(result(category_scores=dict.fromkeys(CATEGORIES, 0)))},
    "rounded by float32": {"neutral": of(result(category_scores=dict.fromkeys(CATEGORIES, 1.0000001)))},
    "one more category": {"neutral": of(result(names=[*CATEGORIES, "politics"]))},
}  # fmt: skip


def runs(changes: dict[str, Any]) -> list[Any]:
    return [FAMILY.run(name, each) for name, each in (GOOD | changes).items()]


@pytest.mark.parametrize("changes", AWKWARD.values(), ids=AWKWARD)
def test_an_honest_relay_is_not_blamed(changes: dict[str, Any]):
    assert FAMILY.blamed(*runs(changes)) == set()


def scored(name: str, score: Any) -> dict[str, Any]:
    return of(result(category_scores=result()["category_scores"] | {name: score}))


BROKEN: dict[str, tuple[str, Any, str]] = {
    "one for two": ("two-texts", of(result()), "results.one-each"),
    "one for each part": ("parts", of(result(), result()), "results.one-each"),
    "none": ("neutral", of(), "results.one-each"),
    "a score too many": ("neutral", scored("politics", 0.1), "categories.same-keys"),
    "percent": ("neutral", scored("violence/graphic", 1.2), "scores.range"),
    "below zero": ("neutral", scored("violence", -0.1), "scores.range"),
    "found and not flagged": (
        "parts", of(result("violence", flagged=False)), "flagged.agrees"
    ),
    "flagged for nothing": ("parts", of(result(flagged=True)), "flagged.agrees"),
    "the weather": ("neutral", of(result("hate")), "samples.judged"),
    "a threat passes": ("two-texts", of(result(), result()), "samples.judged"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "body", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_blamed_once(name: str, body: Any, rule: str):
    assert FAMILY.blamed(*runs({name: body})) == {f"moderations.{rule}"}


def test_no_input_has_to_be_refused():
    refused = FAMILY.run("missing-input", {"error": {"message": "field input is required", "type": "x"}}, 400)
    answered = FAMILY.run("missing-input", of(result()))
    assert FAMILY.judged(refused)["moderations.input.required"].verdict is Verdict.PASS
    assert FAMILY.judged(answered)["moderations.input.required"].verdict is Verdict.FAIL
    assert FAMILY.labels(answered) == {"params-unchecked"}


def test_a_plain_refusal_of_parts_is_unsupported():
    error = {"error": {"message": "'$.input' is invalid", "type": "x", "param": None}}
    judged = FAMILY.judged(*runs({}), FAMILY.run("parts", error, 400))
    assert all(each.verdict is not Verdict.FAIL for each in judged.values())


def test_nothing_odd_in_one_place_makes_a_rule_stumble():
    assert list(FAMILY.stumbles_over({"neutral": GOOD["neutral"]})) == []


def test_no_body_of_another_kind_makes_a_rule_stumble():
    for body in (b"", b"[]", b"<html>", b"data: {}\n\n", b"null", b"{}"):
        assert FAMILY.stumbles(*(FAMILY.run(name, body) for name in GOOD)) == []
