"""What situation leads to which verdict, and how the verdicts of exchanges become one."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from conformance.errors import UsageError
from conformance.judging import MOST_FINDINGS, judge
from conformance.model import Case, Exchange, Finding, Judgement, Response, Severity, Stop, Verdict
from conformance.rules.base import REGISTRY, Answers, rule

from .runs import CASES, CHUNKS, COMPLETION, ERROR, HONEST, MODELS, answer, exchange, honest, ledger, sse, verdicts

MINIMAL = CASES["chat/minimal"]
TWO = CASES["chat/two-choices"]
STOP = CASES["chat/stop-array"]
BAD = CASES["chat/missing-messages"]
NO_MODEL = CASES["chat/unknown-model"]
OBSCURE = {"error": {"message": "Bad request.", "type": "invalid"}}
PAGE = Response(200, (("content-type", "text/html"),), b"<!doctype html><html></html>", 0.1)


def one(rule_id: str, case: Case, response: Response | None, kind: str = "", detail: str = "") -> Judgement:
    """One rule on one exchange."""
    (judgement,) = judge(ledger([exchange(case, response, kind, detail)]), [rule_id])
    return judgement


def several(rule_id: str, *answers: tuple[Case, Response | None]) -> Verdict:
    """The verdict of one rule on several exchanges."""
    exchanges = [exchange(case, response, "" if response else "reset") for case, response in answers]
    (judgement,) = judge(ledger(exchanges), [rule_id])
    return judgement.verdict


@pytest.fixture
def enter() -> Iterator[Callable[..., str]]:
    """Enter a rule for the length of one test."""
    judge(ledger([]))  # every rule of ours has been entered
    before = dict(REGISTRY)

    def enter_rule(check: Callable[[Any], Any], **fields: Any) -> str:
        fields = {"mend": "Mend it.", "mend_zh": "修正它。", **fields}
        rule("test.rule", doc="openai:chat", zh="测试", operations=("chat",), **fields)(check)
        return "test.rule"

    yield enter_rule
    REGISTRY.clear()
    REGISTRY.update(before)


def yields_always(_: object) -> Iterator[Finding]:
    """A relay MUST be perfect."""
    yield Finding("/id", 1, 2)


def yields_without_end(_: object) -> Iterator[Finding]:
    """A relay SHOULD be perfect in everything."""
    while True:
        yield Finding("/x" * 1000, "e" * 1000, ["a"] * 1000, "m" * 1000)


def stumbles(exchange: Exchange) -> Iterator[Finding]:
    """A relay MUST have what no relay has."""
    yield Finding("/nothing", 1, exchange.json["nothing"]["at all"])


# Nothing wrong, something wrong


@pytest.mark.parametrize(
    ("severity", "verdict"),
    [(Severity.MUST, Verdict.FAIL), (Severity.SHOULD, Verdict.WARN), (Severity.MAY, Verdict.NOTE)],
)
def test_a_finding_counts_by_the_keyword_of_its_rule(severity: Severity, verdict: Verdict):
    assert Verdict.of(severity) is verdict


def test_a_rule_without_findings_passes():
    judgement = one("http.body.json", MINIMAL, answer(COMPLETION))
    assert (judgement.verdict, judgement.findings) == (Verdict.PASS, ())


def test_a_judgement_names_its_exchanges_and_each_finding_its_own():
    run = ledger([exchange(MINIMAL, answer(b"no JSON")), exchange(TWO, answer(COMPLETION))])
    judgement = verdicts(run)["http.body.json", "chat"]
    assert judgement.verdict is Verdict.FAIL
    assert judgement.exchanges == (MINIMAL.id, TWO.id)
    assert [found.exchange for found in judgement.findings] == [MINIMAL.id]


def test_the_worst_exchange_decides():
    good, bad = answer(COMPLETION), answer(b"no JSON")
    assert several("http.body.json", (MINIMAL, good), (TWO, bad)) is Verdict.FAIL
    assert several("http.body.json", (MINIMAL, bad), (TWO, good)) is Verdict.FAIL


def test_what_does_not_apply_is_not_judged():
    assert one("error.success.no-error", MINIMAL, answer(ERROR, 404)).verdict is Verdict.NOT_APPLICABLE


def test_a_rule_about_refusals_does_not_apply_to_an_answer():
    assert one("error.envelope.shape", MINIMAL, answer(COMPLETION)).verdict is Verdict.NOT_APPLICABLE


# No answer that could be judged


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 530])
def test_trouble_of_the_relay_is_inconclusive(status: int):
    judgement = one("chat.request.accepted", MINIMAL, answer(OBSCURE, status))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.findings[0].actual == f"HTTP {status} Bad request."


@pytest.mark.parametrize("kind", ["refused", "dns", "tls", "reset", "timeout", "idle", "protocol", "encoding"])
def test_an_answer_that_did_not_come_is_inconclusive_with_the_reason(kind: str):
    judgement = one("chat.request.accepted", MINIMAL, None, kind, "the detail")
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.findings[0].message
    assert judgement.findings[0].zh
    assert judgement.findings[0].actual == "the detail"


@pytest.mark.parametrize("kind", ["unsent", "cancelled"])
def test_a_case_that_was_never_sent_is_inconclusive_even_for_rules_about_everything(kind: str):
    judgement = one("http.body.bounded", MINIMAL, None, kind, "the budget is spent")
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.findings[0].actual == "the budget is spent"


@pytest.mark.parametrize("status", [401, 402, 403, 429])
@pytest.mark.parametrize("said", ["insufficient quota", "用户额度不足", "Your credit balance is too low"])
def test_an_account_without_credit_is_inconclusive(status: int, said: str):
    judgement = one("chat.request.accepted", MINIMAL, answer({"error": {"message": said}}, status))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.findings[0].actual == said


def test_an_error_in_mid_stream_is_inconclusive_for_rules_about_the_answer():
    broken = answer(sse([CHUNKS[0], ERROR]))
    assert one("chat.stream.finish-once", CASES["chat.stream/minimal"], broken).verdict is Verdict.INCONCLUSIVE
    assert one("error.stream.event-envelope", CASES["chat.stream/minimal"], broken).verdict is Verdict.PASS


def test_a_missing_exchange_says_whether_the_run_was_stopped_or_interrupted():
    interrupted = ledger([], plan=[MINIMAL], complete=False)
    stopped = replace(interrupted, stop=Stop("key-rejected", "The key was rejected.", "密钥被拒绝"), complete=True)
    found = [verdicts(run, ["chat.request"])["chat.request.accepted", "chat"] for run in (interrupted, stopped)]
    assert [judgement.verdict for judgement in found] == [Verdict.INCONCLUSIVE] * 2
    assert [judgement.findings[0].message for judgement in found] == [
        "not sent: the run was interrupted",
        "not sent: the run stopped after its first requests",
    ]


# Refusals


@pytest.mark.parametrize("status", [400, 404, 422, 500, 501])
def test_a_bad_request_is_judged_whatever_its_status(status: int):
    expected = Verdict.PASS if status < 500 else Verdict.FAIL
    assert one("error.missing-field.4xx", BAD, answer(OBSCURE, status)).verdict is expected


def test_a_503_to_a_bad_request_is_judged_only_where_it_is_about_the_model():
    named = answer({"error": {"message": "no available channel for model x", "type": "e"}}, 503)
    assert one("error.unknown-model.404", NO_MODEL, named).verdict is Verdict.WARN
    assert one("error.unknown-model.404", NO_MODEL, answer(OBSCURE, 503)).verdict is Verdict.INCONCLUSIVE


def test_a_field_that_is_plainly_refused_is_unsupported():
    judgement = one("chat.stop.honoured", CASES["chat/stop-string"], answer(ERROR, 400))
    assert judgement.verdict is Verdict.UNSUPPORTED
    assert judgement.findings[0].actual == "stop"


def test_a_refusal_that_does_not_name_the_field_is_a_finding():
    assert one("chat.stop.array-accepted", STOP, answer(OBSCURE, 400)).verdict is Verdict.WARN
    assert one("chat.stop.array-accepted", STOP, answer(ERROR, 400)).verdict is Verdict.PASS


def test_a_refused_request_leaves_nothing_to_look_at():
    judgement = one("http.body.json", MINIMAL, answer(OBSCURE, 400))
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.findings[0].actual == "HTTP 400 Bad request."


def test_a_request_that_may_be_refused_says_nothing_about_answers_when_it_is():
    either = CASES["chat/unknown-field"]
    assert one("http.body.json", either, answer(OBSCURE, 400)).verdict is Verdict.NOT_APPLICABLE


# Operations


@pytest.mark.parametrize("missing", [answer(OBSCURE, 404), answer(OBSCURE, 405), answer(OBSCURE, 501), PAGE])
def test_an_operation_that_meets_no_route_is_unsupported(missing: Response):
    judgement = one("models.retrieve.compat", CASES["models.retrieve/listed"], missing)
    assert judgement.verdict is Verdict.UNSUPPORTED
    assert judgement.findings[0].message == "the relay does not offer this operation"


def test_an_essential_operation_is_never_unsupported():
    assert one("chat.request.accepted", MINIMAL, answer(OBSCURE, 404)).verdict is Verdict.FAIL


def test_an_operation_that_was_never_answered_is_not_called_unsupported():
    assert one("models.list.compat", CASES["models.list/list"], None, "reset").verdict is Verdict.INCONCLUSIVE


def test_an_operation_that_is_answered_once_is_supported():
    first, again = CASES["models.list/list"], CASES["models.list/again"]
    assert several("models.list.compat", (first, answer(MODELS)), (again, answer(OBSCURE, 404))) is Verdict.PASS


def test_rules_about_everything_judge_unsupported_operations_too():
    leaking = answer({"error": {"message": "dial tcp 10.0.0.1:443"}}, 404)
    assert one("error.message.no-leak", CASES["models.list/list"], leaking).verdict is Verdict.FAIL


# Shape


def test_a_rule_is_blocked_where_the_shape_is_wrong_and_only_there():
    broken = answer(COMPLETION | {"usage": {"prompt_tokens": "5"}})
    found = verdicts(ledger([exchange(MINIMAL, broken)]))
    assert found["chat.usage.adds-up", "chat"].verdict is Verdict.INCONCLUSIVE
    assert found["chat.usage.adds-up", "chat"].findings[0].actual.startswith("/usage/")
    assert found["chat.finish-reason.known", "chat"].verdict is Verdict.PASS
    assert found["chat.response.compat", "chat"].verdict is Verdict.FAIL


def test_a_rule_is_blocked_by_a_wrong_shape_above_the_place_where_it_looks():
    judgement = one("chat.finish-reason.known", MINIMAL, answer(COMPLETION | {"choices": 5}))
    assert (judgement.verdict, judgement.findings[0].actual) == (Verdict.INCONCLUSIVE, "/choices")


def test_a_rule_about_a_stream_is_blocked_by_any_of_its_chunks():
    broken = answer(sse([CHUNKS[0], CHUNKS[1] | {"id": None}, CHUNKS[2]]))
    judgement = one("chat.stream.same-id", CASES["chat.stream/minimal"], broken)
    assert (judgement.verdict, judgement.findings[0].actual) == (Verdict.INCONCLUSIVE, "/events/1/id")


# Folding


def test_an_unanswered_exchange_leaves_no_mark_on_rules_about_answers():
    assert several("http.body.json", (MINIMAL, answer(COMPLETION)), (TWO, None)) is Verdict.PASS
    assert several("http.body.json", (MINIMAL, None), (TWO, None)) is Verdict.INCONCLUSIVE


def test_an_unanswered_exchange_does_leave_a_mark_on_rules_about_being_answered():
    assert several("chat.request.accepted", (MINIMAL, answer(COMPLETION)), (TWO, None)) is Verdict.PASS
    plain = CASES["chat/utf8"]
    assert several("chat.request.accepted", (MINIMAL, answer(COMPLETION)), (plain, None)) is Verdict.INCONCLUSIVE


def test_what_was_never_seen_does_not_apply_though_another_answer_is_missing():
    assert several("error.success.no-error", (MINIMAL, answer(b"text")), (TWO, None)) is Verdict.NOT_APPLICABLE


def test_a_plain_refusal_counts_less_than_an_answer():
    field = CASES["chat/stop-string"]
    assert several("http.body.json", (MINIMAL, answer(COMPLETION)), (field, answer(ERROR, 400))) is Verdict.PASS


# Rules over a run

TWICE = (CASES["chat/twice-1"], CASES["chat/twice-2"])


def test_a_rule_over_a_run_relates_exchanges():
    same, other = answer(COMPLETION), answer(COMPLETION | {"id": "chatcmpl-2"})
    assert several("chat.id.fresh", (TWICE[0], same), (TWICE[1], other)) is Verdict.PASS
    assert several("chat.id.fresh", (TWICE[0], same), (TWICE[1], same)) is Verdict.FAIL


def test_a_rule_over_a_run_needs_its_exchanges():
    assert several("chat.id.fresh", (TWICE[0], answer(COMPLETION)), (TWICE[1], None)) is Verdict.INCONCLUSIVE


def test_a_rule_over_a_run_does_not_apply_where_too_few_exchanges_are_usable():
    without = {name: value for name, value in COMPLETION.items() if name != "usage"}
    answers = ((TWICE[0], answer(COMPLETION)), (TWICE[1], answer(without)))
    assert several("chat.usage.repeats", *answers) is Verdict.NOT_APPLICABLE


def test_a_rule_over_a_run_is_blocked_by_a_wrong_shape():
    wrong = answer(COMPLETION | {"id": None})
    assert several("chat.id.fresh", (TWICE[0], answer(COMPLETION)), (TWICE[1], wrong)) is Verdict.INCONCLUSIVE


def test_a_rule_over_a_run_says_nothing_of_an_operation_that_is_not_offered():
    cases = (CASES["models.list/list"], CASES["models.list/again"])
    answers = ((case, answer(OBSCURE, 404)) for case in cases)
    assert several("models.list.stable", *answers) is Verdict.UNSUPPORTED


# Our own mistakes


def test_a_rule_that_raises_is_our_error(enter: Callable[..., str]):
    judgement = one(enter(stumbles), MINIMAL, answer(COMPLETION))
    assert judgement.verdict is Verdict.ERROR
    assert judgement.findings[0].actual == "KeyError: 'nothing'"


def test_a_guard_that_raises_is_our_error_too(enter: Callable[..., str]):
    name = enter(yields_always, applies=lambda exchange: exchange.json["nothing"], over="run", least=2)
    assert several(name, (MINIMAL, answer(COMPLETION)), (TWO, answer(COMPLETION))) is Verdict.ERROR


def test_a_rule_that_raises_over_a_body_of_the_wrong_shape_is_blocked(enter: Callable[..., str]):
    judgement = one(enter(stumbles), MINIMAL, answer({"id": 5}))
    assert (judgement.verdict, judgement.findings[0].actual) == (Verdict.INCONCLUSIVE, "/")


def test_a_rule_that_raises_over_what_has_no_schema_is_our_error(enter: Callable[..., str]):
    name = enter(stumbles, answers=Answers.ANY)
    assert one(name, MINIMAL, answer(OBSCURE, 400)).verdict is Verdict.ERROR


def test_an_error_is_worse_than_a_failure(enter: Callable[..., str]):
    name = enter(stumbles, answers=Answers.ANY)
    assert several(name, (MINIMAL, answer(COMPLETION)), (TWO, answer(OBSCURE, 400))) is Verdict.ERROR


def test_findings_and_what_they_show_are_bounded(enter: Callable[..., str]):
    judgement = one(enter(yields_without_end), MINIMAL, answer(COMPLETION))
    assert len(judgement.findings) == MOST_FINDINGS
    assert all(len(str(getattr(judgement.findings[0], name))) < 1000 for name in ("at", "expected", "actual"))
    assert len(judgement.findings[0].message) < 500


# Whole runs


def test_an_honest_run_judged_twice_gives_the_same_judgements():
    run = ledger([exchange(case, honest(case)) for case in CASES.values()])
    assert judge(run) == judge(run) == judge(replace(run))


def test_judgements_come_in_the_order_of_the_rules_and_their_operations():
    run = ledger([exchange(case, honest(case)) for case in CASES.values()])
    shuffled = replace(run, plan=run.plan[::-1], exchanges=run.exchanges[::-1])
    order = [(judgement.rule, judgement.operation) for judgement in judge(run)]
    assert order == [(judgement.rule, judgement.operation) for judgement in judge(shuffled)]
    assert sorted({name for name, _ in order}, key=list(REGISTRY).index) == list(
        dict.fromkeys(name for name, _ in order)
    )


def test_only_selects_rules_and_without_it_the_run_says_which():
    run = ledger([exchange(MINIMAL, answer(COMPLETION))], rules=("chat.id",))
    assert {judgement.rule for judgement in judge(run)} == {"chat.id.prefix"}
    assert {judgement.rule for judgement in judge(run, ["http.body"])} == {
        "http.body.never-html",
        "http.body.json",
        "http.body.unique-keys",
        "http.body.bounded",
    }


def test_a_prefix_that_no_rule_has_is_refused():
    with pytest.raises(UsageError, match=r"no rule 'chat\.nothing'"):
        judge(ledger([]), ["chat.nothing"])


def test_rules_without_cases_give_no_judgement():
    assert judge(ledger([])) == []


def test_a_partial_run_is_judged_as_far_as_it_came():
    run = ledger([exchange(MINIMAL, answer(COMPLETION))], plan=tuple(CASES.values()), complete=False)
    found = verdicts(run)
    assert found["chat.response.compat", "chat"].verdict is Verdict.PASS
    assert found["chat.request.accepted", "chat"].verdict is Verdict.INCONCLUSIVE
    assert found["chat.stream.compat", "chat.stream"].verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("collects", [True, False])
def test_the_garbage_collector_is_left_as_it_was(*, collects: bool):
    was_on = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        judge(ledger([exchange(MINIMAL, answer(COMPLETION))]), ["chat.id"])
        assert gc.isenabled() is collects
    finally:
        (gc.enable if was_on else gc.disable)()


def test_every_operation_has_an_honest_answer_in_these_tests():
    assert {case.operation for case in CASES.values()} == set(HONEST)
