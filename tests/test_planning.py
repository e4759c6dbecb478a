"""What is sent for which rules, and what it can cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.errors import UsageError
from conformance.model import Auth, Phase
from conformance.planning import PREFLIGHT, ceiling, plan, prompt_length, select_rules

CONTENT = [{"type": "text", "text": "hi"}]


def test_every_plan_begins_with_the_preflight_and_ends_with_bad_requests() -> None:
    phases = [case.phase for case in plan()]

    assert tuple(case.id for case in plan()[:2]) in {PREFLIGHT, PREFLIGHT[::-1]}
    assert phases == sorted(phases, key=list(Phase).index)


HANG_UP = {f"chat.stream/{name}" for name in ("disconnect", "after-disconnect-1", "after-disconnect-2")}
AT_ONCE = {f"chat.stream/at-once-{n}-{which}" for n in (1, 2) for which in ("first", "second")}


@pytest.mark.parametrize(
    ("only", "more"),
    [
        ("chat.id.fresh", {"chat/twice-1", "chat/twice-2"}),
        ("models.retrieve.unknown-404", {"models.retrieve/unknown"}),
        ("chat.stream.survives-hang-up", HANG_UP | AT_ONCE),
        ("chat.stream.at-once", HANG_UP | AT_ONCE),
    ],
)
def test_only_plans_what_the_rules_look_at_and_what_that_needs(only: str, more: set[str]) -> None:
    assert {case.id for case in plan([only])} == {*PREFLIGHT, *more}


def test_every_rule_alone_plans_no_more_than_all_together() -> None:
    whole = {case.id for case in plan()}

    assert all({case.id for case in plan([rule.id])} <= whole for rule in select_rules())
    assert min(len(plan([rule.id])) for rule in select_rules()) <= 3


def test_without_a_key_nothing_is_asked_about_keys() -> None:
    assert {case.auth for case in plan(keyless=True) if case.operation != "gateway"} == {Auth.KEY}


def test_alone_nothing_needs_two() -> None:
    assert not [case for case in plan(alone=True) if case.during or "at-once" in case.probes]


@pytest.mark.parametrize("prefix", ["", ".", "chat.", "chat.id", "chat.id."])
def test_prefixes_end_at_words(prefix: str) -> None:
    if not prefix.strip("."):
        with pytest.raises(UsageError):
            select_rules([prefix])
    else:
        assert all(rule.id.startswith(prefix.rstrip(".") + ".") for rule in select_rules([prefix]))


@pytest.mark.parametrize(
    ("prefix", "hint"), [("chat.idd", "did you mean"), ("☃", "relay-conformance rules lists them")]
)
def test_an_unknown_rule_is_refused_with_its_neighbour(prefix: str, hint: str) -> None:
    with pytest.raises(UsageError) as refusal:
        select_rules([prefix])

    assert hint in refusal.value.hint


def test_the_ceiling_counts_everything_once() -> None:
    cases = plan()
    top = ceiling(cases)

    assert top.requests == len(cases)
    assert top.output_tokens == sum(case.output_tokens for case in cases)
    assert top.longest_prompt == max(map(prompt_length, cases))
    assert ceiling([]).longest_prompt == 0


def test_further_fixtures_are_planned(tmp_path: Path) -> None:
    (tmp_path / "chat").mkdir()
    fixture = {
        "purpose": "p", "zh": "z", "source": "s:x",
        "body": {"model": "$model", "messages": [{"role": "user", "content": CONTENT}], "max_tokens": 3, "n": 2},
    }  # fmt: skip
    (tmp_path / "chat" / "mine.json").write_text(json.dumps(fixture))

    found = {case.id: case for case in plan(folder=tmp_path)}["chat/mine"]

    assert found.output_tokens == 6
    assert prompt_length(found) == len("hi")
