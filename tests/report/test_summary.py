from __future__ import annotations

from typing import Any

import pytest

from conformance.model import Attempt, Failure, Judgement, Severity, Spent, Stop, Verdict
from conformance.reporting.requirements import in_order, operation_title, requirement
from conformance.reporting.summary import (
    area,
    column,
    columns,
    counts,
    exit_code,
    matrix,
    outlook,
    run_verdict,
    sentence,
    spent,
    worst_first,
)

from .samples import answer, case, exchange, judgement, ledger, rule, says, stream

PASS, NOTE, WARN, FAIL, ERROR = Verdict.PASS, Verdict.NOTE, Verdict.WARN, Verdict.FAIL, Verdict.ERROR
UNSUPPORTED, INCONCLUSIVE = Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE
NOT_APPLICABLE = Verdict.NOT_APPLICABLE
MUST, SHOULD, MAY = Severity.MUST, Severity.SHOULD, Severity.MAY
STOP = Stop("key-rejected", "the relay rejects the key", "中转站拒绝了密钥")


Pairs = list[tuple[Severity, Verdict]]


def judged(*pairs: tuple[Severity, Verdict]) -> list[Judgement]:
    return [judgement("chat.id.fresh", verdict, severity=severity) for severity, verdict in pairs]


@pytest.mark.parametrize(
    ("pairs", "strict", "verdict"),
    [
        ([(MUST, PASS)], False, "pass"),
        ([(MAY, NOTE)], False, "pass"),
        ([(MUST, PASS), (SHOULD, WARN)], False, "pass"),
        ([(MUST, PASS), (SHOULD, WARN)], True, "fail"),
        ([(MUST, PASS), (MAY, NOTE)], True, "pass"),
        ([(MUST, PASS), (MUST, FAIL)], False, "fail"),
        ([(MUST, FAIL), (MUST, INCONCLUSIVE)], False, "fail"),
        ([(MUST, FAIL), (MUST, ERROR)], False, "error"),
        ([(MAY, ERROR)], True, "error"),
        ([(MUST, PASS), (MUST, INCONCLUSIVE)], False, "inconclusive"),
        ([(MUST, PASS), (SHOULD, INCONCLUSIVE)], False, "pass"),
        ([(MUST, PASS), (MUST, UNSUPPORTED)], False, "pass"),
        ([(MUST, UNSUPPORTED), (SHOULD, UNSUPPORTED)], False, "inconclusive"),
        ([(MUST, NOT_APPLICABLE)], False, "inconclusive"),
        ([], False, "inconclusive"),
    ],
)
def test_judgements_fold_into_one_verdict(pairs: Pairs, strict: bool, verdict: str) -> None:
    assert run_verdict(judged(*pairs), ledger(), strict=strict) == verdict


def test_a_run_that_stopped_or_broke_off_never_passes() -> None:
    judgements = judged((MUST, PASS))

    assert run_verdict(judgements, ledger(stop=STOP), strict=False) == "inconclusive"
    assert run_verdict(judgements, ledger(complete=False), strict=False) == "inconclusive"


def test_a_breach_stays_a_breach_when_the_run_broke_off() -> None:
    assert run_verdict(judged((MUST, FAIL)), ledger(complete=False), strict=False) == "fail"


def test_each_verdict_has_its_exit_code() -> None:
    assert [exit_code(word) for word in ("pass", "fail", "inconclusive", "error")] == [0, 1, 6, 7]


def test_all_eight_words_are_counted() -> None:
    found = counts(judged((MUST, PASS), (MUST, PASS), (SHOULD, WARN)))

    assert found == {**dict.fromkeys([verdict.label for verdict in Verdict], 0), "pass": 2, "warn": 1}


@pytest.mark.parametrize(
    ("pairs", "changes", "said"),
    [
        ([(MUST, FAIL), (MUST, PASS), (MUST, PASS)], {}, "breaks 1 of 3 requirements"),
        ([(MUST, PASS), (MUST, PASS)], {}, "keeps all 2 requirements that clients rely on."),
        ([(MUST, PASS), (SHOULD, WARN), (SHOULD, PASS)], {}, "strays from 1 of 2 recommendations"),
        ([(MAY, NOTE)], {}, "no requirement that clients rely on was among"),
        ([(MUST, ERROR)], {}, "went wrong (errors: 1)"),
        ([(MUST, PASS)], {"stop": STOP}, "ended early"),
        ([(MUST, PASS)], {"complete": False}, "interrupted"),
        ([(MUST, PASS), (MUST, INCONCLUSIVE)], {}, "1 of 2 requirements that clients rely on could not"),
        ([], {}, "Nothing could be judged"),
    ],
)
def test_the_sentence_says_what_the_verdict_rests_on(pairs: Pairs, changes: dict[str, Any], said: str) -> None:
    found = sentence(judged(*pairs), ledger(**changes), strict=False)

    assert said in found.en
    assert found.zh
    assert "{" not in "".join(found)


@pytest.mark.parametrize(
    ("operations", "said"),
    [
        ((), "rely on."),
        (("media",), "rely on."),
        (("embeddings",), "rely on. 1 operation was not run."),
        (("embeddings", "rerank", "chat"), "rely on. 2 operations were not run."),
    ],
)
def test_a_good_sentence_says_how_much_was_not_run(operations: tuple[str, ...], said: str) -> None:
    held = [judgement("http.body.bounded", Verdict.NOT_RUN, operation=name) for name in operations]

    assert sentence([*judged((MUST, PASS)), *held], ledger(), strict=False).en.endswith(said)
    assert "not run" not in sentence([*judged((MUST, FAIL)), *held], ledger(), strict=False).en


def test_the_strict_sentence_names_recommendations() -> None:
    found = sentence(judged((MUST, PASS), (SHOULD, WARN)), ledger(), strict=True)

    assert "strays from 1 of 1 recommendations" in found.en
    assert "严格模式" in found.zh


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("chat.usage.adds-up", "money"),
        ("chat.stream.usage-chunk", "money"),
        ("error.envelope.shape", "keys"),
        ("auth.missing-key.401", "keys"),
        ("gateway.unknown-path.404", "keys"),
        ("http.key.not-echoed", "keys"),
        ("http.body.json", "content"),
        ("chat.stream.done-last", "content"),
    ],
)
def test_a_rule_matters_for_one_thing(name: str, wanted: str) -> None:
    assert area(name) == wanted


@pytest.mark.parametrize(
    ("pairs", "state", "said"),
    [
        ([(MUST, FAIL), (MUST, PASS)], "broken", "1 of 2 requirements are broken"),
        ([(MUST, PASS)], "fine", "answers arrived whole"),
        ([(MUST, PASS), (SHOULD, WARN)], "strayed", "1 of 1 recommendations are not kept"),
        ([(MUST, PASS), (MUST, INCONCLUSIVE)], "unclear", "1 of 2 requirements could not be judged"),
        ([(MUST, FAIL), (MUST, ERROR)], "error", "the test tool made a mistake"),
        ([(MUST, NOT_APPLICABLE)], "unchecked", "not judged"),
    ],
)
def test_an_outlook_follows_from_the_verdicts_of_its_area(pairs: Pairs, state: str, said: str) -> None:
    others = [judgement("chat.usage.counts", ERROR)]

    found, text = outlook(judged(*pairs) + others, "content")

    assert found == state
    assert said in text.en


def test_the_matrix_sorts_rules_by_contract_and_operation() -> None:
    judgements = [
        judgement("models.list.compat", operation="models.list"),
        judgement("chat.response.compat"),
        judgement("chat.response.strict", NOTE, severity=MAY),
        judgement("chat.id.fresh"),
        judgement("chat.id.prefix", FAIL),
        judgement("made.up", operation="unknown"),
    ]

    table = matrix(judgements)

    assert list(table) == ["models.list", "chat", "unknown"]
    assert list(table["chat"]) == ["behaviour", "compat", "strict"]
    assert [member.rule for member in table["chat"]["behaviour"]] == ["chat.id.prefix", "chat.id.fresh"]
    assert table["unknown"]["compat"] == []


def test_the_documented_column_appears_with_its_first_rule() -> None:
    assert columns([judgement("chat.response.documented")])[:2] == ["behaviour", "documented"]
    assert column("chat.response.documented") == "documented"


def test_the_worst_judgements_come_first_and_equals_keep_their_order() -> None:
    judgements = [
        judgement("a.b", PASS),
        judgement("c.d", FAIL),
        judgement("e.f", ERROR),
        judgement("g.h", FAIL),
    ]

    assert [found.rule for found in worst_first(judgements)] == ["e.f", "c.d", "g.h", "a.b"]


def test_every_attempt_counts_as_a_request() -> None:
    tried = (Attempt(429, (), None, 1.0), Attempt(0, (), Failure("refused", "no"), 1.0))
    unsent = exchange("chat/late", failure=Failure("unsent", "budget"))
    run = ledger(exchange(attempts=tried), unsent, preflight=(exchange("chat/preflight"),))

    assert spent(run).requests == 4


def test_tokens_are_counted_as_reported_or_at_their_ceiling() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 5}
    run = ledger(
        exchange(),
        exchange("chat.stream/usage", stream(says("a"), {"choices": [], "usage": usage})),
        exchange("chat/silent", answer({"choices": []})),
        exchange("chat/refused", answer({"error": {}}, 400)),
    )

    assert spent(run) == Spent(requests=4, input_tokens=16, output_tokens=3 + 5 + 16)


def test_an_unknown_rule_and_operation_are_named_by_their_ids() -> None:
    assert requirement("made.up", {}).text == ("made.up", "made.up")
    assert operation_title("made.up") == ("made.up", "made.up")
    assert operation_title("chat").zh == "聊天补全"


def test_a_requirement_falls_back_on_the_language_that_there_is() -> None:
    about = requirement("a.b", {"a.b": rule("a.b", breaks="", breaks_zh="算错", lines=())})

    assert about.breaks == ("算错", "算错")
    assert about.document == "openai:chat/object#usage"


def test_operations_come_in_the_order_of_the_table() -> None:
    assert in_order({"zebra", "chat", "models.list", "ape"}) == ["models.list", "chat", "ape", "zebra"]


def test_a_case_without_output_costs_no_tokens() -> None:
    assert spent(ledger(exchange(case=case(output_tokens=0), response=answer({})))).output_tokens == 0
