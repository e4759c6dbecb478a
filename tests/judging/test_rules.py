"""Every rule is described whole, and has been seen to pass and to fail."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance import relay
from conformance.commands.rules_command import rules_command
from conformance.contract import data, schema_errors
from conformance.judging import judge
from conformance.ledger import case_in, exchange_in
from conformance.model import Finding, Judgement, Severity, Verdict
from conformance.operations import OPERATIONS
from conformance.rules.base import REGISTRY, Rule, catalogue, rule
from tools.example_exchanges import _text, page_of

from .runs import ledger

FOLDER = data("fixtures") / "exchanges"
RULES = catalogue()
_SOURCE = re.compile(
    r"(openai|anthropic|google|one-api|new-api|jina|cohere|rfc|w3c|whatwg|page|apifox):[A-Za-z0-9/.#_-]+"
)
_LINE = re.compile(r"[A-Z]{2,4}-\d\d|\d\.\d")

every_rule = pytest.mark.parametrize("described", RULES.values(), ids=RULES)
every_file = pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)


def examples(rule_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{rule_id}.json").read_bytes())
    return found


def judged(rule_id: str, group: dict[str, Any]) -> Judgement:
    exchanges = [exchange_in(raw, case_in(raw["case"])) for raw in group["exchanges"]]
    (judgement,) = judge(ledger(exchanges), [rule_id], page_of(RULES[rule_id]))
    return judgement


@every_rule
def test_a_rule_passes_what_it_must_pass(described: Rule):
    for group in examples(described.id)["pass"]:
        assert judged(described.id, group).verdict is Verdict.PASS, group["why"]


@every_rule
def test_a_rule_fails_what_it_must_fail_and_says_where(described: Rule):
    for group in examples(described.id)["fail"]:
        judgement = judged(described.id, group)
        assert judgement.verdict is Verdict.of(described.severity), group["why"]
        assert judgement.findings[0].at == group["at"]


@every_rule
def test_a_failing_example_comes_from_a_fault_that_trips_the_rule(described: Rule):
    for group in examples(described.id)["fail"]:
        assert described.id in relay.catalogue()[group["fault"]].trips


@every_rule
def test_a_rule_over_one_exchange_is_shown_by_one_exchange(described: Rule):
    found = examples(described.id)
    for group in [*found["pass"], *found["fail"]]:
        assert len(group["exchanges"]) >= described.least
        assert described.over == "run" or len(group["exchanges"]) == 1


@every_rule
def test_a_rule_says_what_it_asks_why_and_where_that_is_written(described: Rule):
    assert _SOURCE.fullmatch(described.doc)
    assert all(_LINE.fullmatch(line) for line in described.lines)
    assert described.basis in {"stated", "implied"}
    assert described.zh
    assert described.breaks
    assert described.breaks_zh


@every_rule
def test_a_rule_says_what_the_provider_can_do_about_it(described: Rule):
    for text, stop in ((described.mend, "."), (described.mend_zh, "。")):
        assert text.endswith(stop)
        assert text.count("`") % 2 == 0
    assert len(described.mend) <= 190
    assert re.search(r"[\u4e00-\u9fff]", described.mend_zh)
    assert described.mend.rstrip(".") != described.requirement.rstrip(".")


@every_rule
def test_a_requirement_is_one_sentence_with_one_keyword(described: Rule):
    assert len(described.requirement) <= 100
    assert described.requirement.endswith(".")
    assert re.findall(r"\b(?:MUST|SHOULD|MAY)\b", described.requirement) == [described.severity]


@every_rule
def test_a_rule_looks_at_operations_that_there_are(described: Rule):
    assert described.operations
    assert set(described.operations) <= set(OPERATIONS)
    assert described.over in {"exchange", "operation", "run"}
    assert described.least == 1 or described.over == "run"


@every_file
def test_a_file_of_examples_follows_its_format(path: Path):
    found = json.loads(path.read_bytes())
    assert schema_errors("formats/exchanges.json", found) == []
    assert found["rule"] == path.stem


@every_file
def test_a_file_of_examples_belongs_to_a_rule(path: Path):
    assert path.stem in RULES


@every_file
def test_a_file_of_examples_is_small_and_keyless(path: Path):
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 20_000
    assert relay.DEFAULT_KEY not in text


@every_file
def test_a_file_of_examples_is_laid_out_as_the_tool_does_it(path: Path):
    text = path.read_text(encoding="utf-8")
    assert _text(json.loads(text)) + "\n" == text


def asks_nothing(_: object) -> list[Finding]:
    """A rule that asks for nothing."""
    return []


def asks_twice(_: object) -> list[Finding]:
    """A relay MUST answer and SHOULD be quick."""
    return []


def asks_at_length(_: object) -> list[Finding]:
    """A relay MUST answer, and this sentence is much too long for the one line that people read in a report."""
    return []


def asks(_: object) -> list[Finding]:
    """A relay MUST answer."""
    return []


@pytest.mark.parametrize(
    ("name", "check", "zh"),
    [
        ("test.rule", asks_nothing, "测试"),
        ("test.rule", asks_twice, "测试"),
        ("test.rule", asks_at_length, "测试"),
        ("test.rule", asks, ""),
        ("Test rule", asks, "测试"),
        ("norule", asks, "测试"),
        ("chat.id.prefix", asks, "测试"),
    ],
)
def test_a_malformed_rule_is_refused_at_import(name: str, check: Any, zh: str):
    with pytest.raises(ValueError, match=re.escape(repr(name))):
        rule(name, doc="openai:chat/create", zh=zh, operations=("chat",), mend="Answer.", mend_zh="回答。")(check)
    assert "test.rule" not in REGISTRY


def test_a_rule_without_a_docstring_is_refused():
    with pytest.raises(ValueError, match="one MUST, SHOULD or MAY"):
        rule("test.rule", doc="openai:chat/create", zh="测试", operations=("chat",))(lambda _: [])


@pytest.mark.parametrize("said", [{}, {"mend": "Answer."}, {"mend_zh": "回答。"}])
def test_a_rule_that_does_not_say_how_to_mend_it_is_refused(said: dict[str, str]):
    with pytest.raises(ValueError, match=r"'test\.rule': needs mend and mend_zh"):
        rule("test.rule", doc="openai:chat/create", zh="测试", operations=("chat",), **said)(asks)
    assert "test.rule" not in REGISTRY


def explained(rule_id: str) -> str:
    """What the command prints about a rule."""
    shown = CliRunner().invoke(rules_command, [rule_id])
    assert shown.exit_code == 0
    return shown.output


@pytest.mark.parametrize("rule_id", ["chat.choices.count", "chat.stream.incremental"])
def test_the_command_says_how_to_mend_a_rule_and_whether_chance_has_a_part(rule_id: str):
    assert RULES[rule_id].mend in explained(rule_id)
    assert RULES[rule_id].mend_zh in explained(rule_id)
    assert ("chance has a part" in explained(rule_id)) is RULES[rule_id].noisy


def test_a_must_that_chance_has_a_part_in_is_so_on_purpose():
    noisy = {each.id for each in RULES.values() if each.noisy and each.severity is Severity.MUST}
    # Where a choice of tools is dropped, it is the model that happens to call one, or not; so with its JSON.
    of_tools = {f"chat.tool-choice.{name}" for name in ("none", "named", "required")} | {
        "chat.tool-calls.arguments-json",
        "chat.tool-calls.strict-arguments",
    }
    # A sampled token may be one alternative more.
    assert noisy == {*of_tools, "chat.logprobs.top-count", "chat.turns.reach-model", "generated.invalid.in-time"}
