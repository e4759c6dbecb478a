"""What a report says of operations and models: asked, picked, not run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.model import Exchange, Failure, Stop
from conformance.operations import OPERATIONS
from conformance.reporting.scope import models_asked, not_run

from .samples import PROVIDER, case, exchange, ledger

EMBEDDED = case("embeddings/one")
STREAMED = case("completions.stream/one")
VARIANT = case("chat/variant", role="o1")


def held(planned: Any, kind: str = "no-model") -> Exchange:
    """A case that was not sent."""
    return exchange(response=None, case=planned, failure=Failure(kind, ""))


def codes(*exchanges: Exchange, **changes: Any) -> dict[str, str]:
    """Why what was planned for these exchanges was not run."""
    planned = tuple(each.case for each in exchanges)
    return {
        each.name: each.code
        for each in not_run(ledger(*exchanges, plan=planned, **changes))
        if each.name in {one.operation for one in planned} | {one.role for one in planned}
    }


def test_what_has_no_model_is_not_run_and_the_role_to_give_is_named() -> None:
    found = {each.name: each for each in not_run(ledger(held(STREAMED), held(VARIANT), plan=(STREAMED, VARIANT)))}

    assert found["completions.stream"].role == "completions"
    assert "--model completions=NAME" in found["completions.stream"].why.en
    assert found["o1"].role == "o1"


def test_what_an_earlier_answer_had_to_lead_to_has_another_reason() -> None:
    assert codes(held(EMBEDDED, "no-basis")) == {"embeddings": "no-basis"}


def test_one_that_was_sent_is_enough() -> None:
    assert codes(held(EMBEDDED), exchange(case=EMBEDDED)) == {}


def test_a_run_of_some_rules_says_what_these_did_not_ask_and_nothing_of_the_rest() -> None:
    run = ledger(exchange(), held(EMBEDDED), plan=(case(), EMBEDDED), rules=("embeddings",))

    assert [each.name for each in not_run(run)] == ["embeddings"]


def test_a_run_that_ended_early_says_why_it_did_and_no_more() -> None:
    assert codes(held(EMBEDDED), stop=Stop("no-credit", "", "")) == {}


def test_everything_beside_the_plan_is_named() -> None:
    found = {each.name: each.code for each in not_run(ledger(exchange()))}

    assert found.keys() == (OPERATIONS.keys() - {"chat", "media"}) | {"gpts", "analysis", "drawing"}
    assert {found[role] for role in ("gpts", "analysis", "drawing")} == {"dear"}
    assert (found["embeddings"], found["audio.speech"]) == ("not-planned", "dear")


@pytest.mark.parametrize("given", [True, False])
def test_a_model_is_picked_unless_it_was_given(given: bool) -> None:
    provider = replace(PROVIDER, models={"embeddings": "e"} if given else {})
    (asked,) = models_asked(ledger(provider=provider, models={"embeddings": "e", "vision": PROVIDER.model}))

    assert (asked.role, asked.model, asked.picked) == ("embeddings", "e", not given)
