"""Making failing cases smaller: what is proposed, what is sent, what is recorded, and what it costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hostile.server import KEY, MODEL, Answer, Call, Server, completion, first_honest, honest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.contract import is_valid
from conformance.errors import UsageError
from conformance.failing import MOST_SEARCHES, broken_rules, worth_minimising
from conformance.judging import judge
from conformance.ledger import read_ledger
from conformance.minimising import candidates
from conformance.model import Auth, Case, Expectation, Judgement, Ledger, Limits, Phase, Price, Provider, Verdict
from conformance.planning import plan
from conformance.profiles import Profile
from conformance.redaction import Secrets
from conformance.resending import minimise
from conformance.send import record

always = settings(derandomize=True, database=None, deadline=None, max_examples=200)
REQUEST = "openai/chat.json#/$defs/request"
SECRETS = Secrets({"RELAY_API_KEY": KEY})
QUICK = Limits(timeout=5.0, backoff=0.01, longest_wait=1.0, retries=1)
SHAPE = "chat.response.compat"
PREFLIGHT = [case for case in plan(("chat.id.fresh",)) if case.phase is Phase.PREFLIGHT]

BODY: dict[str, Any] = {
    "model": "$model",
    "messages": [
        {"role": "system", "content": "You are brief.", "name": "rules"},
        {"role": "user", "content": "Name three colours, please."},
    ],
    "temperature": 0.7,
    "top_p": 0.9,
    "n": 3,
    "stop": ["END", "###", "stop here"],
    "presence_penalty": -1.5,
    "frequency_penalty": 0.25,
    "logit_bias": {"50256": -100, "198": 5},
    "logprobs": True,
    "top_logprobs": 4,
    "response_format": {"type": "text"},
    "seed": 12345,
    "user": "somebody",
    "max_tokens": 16,
}
"""Twelve optional keys, and the output limit."""


def case(body: Any = None, **more: Any) -> Case:
    """A generated case."""
    fields = {
        "id": "chat/generated-1",
        "operation": "chat",
        "purpose": "p",
        "zh": "z",
        "source": "generated",
        "method": "POST",
        "path": "/chat/completions",
        "expect": Expectation.SUCCESS,
        "price": Price.CHEAP,
        "phase": Phase.VALID,
        "probes": frozenset({"generated"}),
        "output_tokens": 48,
        **more,
    }
    return Case(**fields, body=BODY if body is None else body)


def shrunk(
    start: Case, fails: Callable[[dict[str, Any]], bool], probe: str = "", *, refused: bool = False
) -> tuple[Case, list[dict[str, Any]]]:
    """The smallest case, and every body that was tried."""
    search = candidates(start, probe, refused=refused)
    tried: list[dict[str, Any]] = []
    try:
        proposed = next(search)
        while True:
            tried.append(dict(proposed.body or {}))
            proposed = search.send(fails(tried[-1]))
    except StopIteration as end:
        return end.value, tried


def wants_two_lists(body: dict[str, Any]) -> bool:
    """A fault that needs two keys together, with certain values."""
    return (body.get("n") or 1) >= 2 and isinstance(body.get("stop"), list)


def anything(_: Any) -> bool:
    """A fault that needs nothing."""
    return True


SMALLEST = {
    "model": "$model",
    "messages": [{"role": "user", "content": "Say OK"}],
    "n": 2,
    "stop": ["a"],
    "max_tokens": 16,
}


def test_a_fault_of_two_keys_in_twelve_is_found_in_few_questions() -> None:
    smallest, tried = shrunk(case(), wants_two_lists)

    assert smallest.body == SMALLEST
    assert len(tried) <= 24


KEYS = sorted(BODY.keys() - {"model", "messages", "max_tokens"})


@always
@given(st.sets(st.sampled_from(KEYS), max_size=3), st.permutations(list(BODY)))
def test_only_the_keys_that_a_fault_needs_are_left(needed: set[str], order: list[str]) -> None:
    start = case({key: BODY[key] for key in order})

    smallest, tried = shrunk(start, lambda body: needed <= body.keys())

    kept = needed | ({"logprobs"} if "top_logprobs" in needed else set())
    assert set(smallest.body or {}) == kept | {"model", "messages", "max_tokens"}
    assert all(is_valid(REQUEST, body) for body in tried)
    assert all(body["max_tokens"] == 16 for body in tried)
    texts = [json.dumps(body, sort_keys=True) for body in [BODY, *tried]]
    assert len(set(texts)) == len(texts)


@always
@given(st.randoms(use_true_random=False), st.sampled_from(["BODY", "TOOLS"]))
def test_a_search_ends_and_keeps_a_failing_case_whatever_it_is_told(random: Any, name: str) -> None:
    start = {"BODY": BODY, "TOOLS": TOOLS}[name]
    told: list[bool] = []

    def fails(_: dict[str, Any]) -> bool:
        told.append(random.random() < 0.4)
        return told[-1]

    smallest, tried = shrunk(case(start), fails)

    failed = [start, *(body for body, failing in zip(tried, told, strict=True) if failing)]
    assert smallest.body == failed[-1]
    assert len(tried) < 200
    assert all(later.keys() <= earlier.keys() for earlier, later in pairwise(failed))


STREAMED = {**BODY, "stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}}


def test_a_streamed_request_stays_one() -> None:
    smallest, _ = shrunk(case(STREAMED, operation="chat.stream"), anything)

    assert smallest.body == {
        "model": "$model",
        "messages": [{"role": "user", "content": "Say OK"}],
        "stream": True,
        "max_tokens": 16,
    }


def test_what_a_probe_promises_is_kept() -> None:
    smallest, _ = shrunk(case(STREAMED, operation="chat.stream"), anything, "include-usage")

    assert (smallest.body or {})["stream_options"] == STREAMED["stream_options"]


def test_a_rule_about_a_feature_is_only_asked_about_requests_that_have_it() -> None:
    start = case(feature="response_format", probes=frozenset({"json"}))

    kept, _ = shrunk(start, anything, "json")
    left_out, _ = shrunk(start, anything)

    assert "response_format" in (kept.body or {})
    assert "response_format" not in (left_out.body or {})


CALL = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {"a": {}}}}}
TALK = [
    {"role": "user", "content": "What time is it?", "name": "ann"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "noon"},
    {"role": "user", "content": [{"type": "text", "text": "Say it again, in one word"}]},
]
TOOLS: dict[str, Any] = {
    "model": "$model",
    "messages": TALK,
    "tools": [TOOL, {**TOOL, "function": {"name": "later", "description": "when"}}],
    "tool_choice": {"type": "function", "function": {"name": "later"}},
    "parallel_tool_calls": True,
    "max_tokens": 16,
}


def test_no_request_is_proposed_that_makes_no_sense() -> None:
    _, tried = shrunk(case(TOOLS), lambda body: len(body["messages"]) > 1 and len(json.dumps(body)) % 3 > 0)

    for body in tried:
        names = [tool["function"]["name"] for tool in body.get("tools", [])]
        assert "tool_choice" not in body or body["tool_choice"]["function"]["name"] in names
        assert "parallel_tool_calls" not in body or names
        calls = [call["id"] for each in body["messages"] for call in each.get("tool_calls", [])]
        assert calls == [each["tool_call_id"] for each in body["messages"] if each["role"] == "tool"]
        assert "user" in [each["role"] for each in body["messages"]]
        assert {"type", "function"} <= {key for tool in body.get("tools", [CALL]) for key in tool}


def test_a_tool_that_is_chosen_stays() -> None:
    smallest, _ = shrunk(case(TOOLS), lambda body: "tool_choice" in body)

    assert (smallest.body or {})["tools"] == [{"type": "function", "function": {"name": "later"}}]


@pytest.mark.parametrize("form", ["json_object", "text"])
def test_where_json_is_asked_for_the_messages_say_so(form: str) -> None:
    messages = [{"role": "user", "content": "Answer in JSON, please: are you there?"}]
    start = case({**BODY, "messages": messages, "response_format": {"type": form}})

    smallest, _ = shrunk(start, lambda body: body.get("response_format") == {"type": form})

    body = smallest.body or {}
    assert set(body) == {"model", "messages", "response_format", "max_tokens"}
    assert ("json" in body["messages"][0]["content"].lower()) == (form == "json_object")


def test_a_conversation_that_is_needed_loses_what_it_can() -> None:
    smallest, _ = shrunk(case(TOOLS), lambda body: len(body["messages"]) == 4 and "tools" in body)

    body = smallest.body or {}
    assert "name" not in body["messages"][0]
    assert body["messages"][0]["content"] == "a"
    assert body["messages"][3]["content"] == [{"type": "text", "text": "a"}]
    assert len(body["tools"]) == 1
    assert "tool_choice" not in body


@pytest.mark.parametrize(
    ("change", "mutation", "kept"),
    [
        ({"temperature": "hot"}, "wrong-type /temperature", {"temperature": "hot"}),
        ({"n": 1000}, "out-of-range /n", {"n": 1000}),
        ({"invented": {"a": 1}}, "unknown-field /invented", {"invented": {"a": 1}}),
        ({"logit_bias": {"198": 5000}}, "out-of-range /logit_bias/198", {"logit_bias": {"198": 5000}}),
        ({"stop": ["END", 5]}, "wrong-type /stop/1", {"stop": ["a", 5]}),
        ({"tools": 5, "tool_choice": "auto"}, "wrong-type /tools", {"tools": 5}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_on_purpose_stays_wrong_in_the_same_way(
    change: dict[str, Any], mutation: str, kept: dict[str, Any]
) -> None:
    start = case({**BODY, **change}, mutation=mutation, expect=Expectation.REFUSAL, phase=Phase.INVALID)

    smallest, _ = shrunk(start, anything)

    assert smallest.body == {
        "model": "$model",
        "messages": [{"role": "user", "content": "Say OK"}],
        **kept,
        "max_tokens": 16,
    }


def test_what_is_missing_on_purpose_is_not_put_in() -> None:
    body = {key: value for key, value in BODY.items() if key != "messages"}
    start = case(body, mutation="missing /messages", expect=Expectation.REFUSAL, phase=Phase.INVALID)

    smallest, _ = shrunk(start, anything)

    assert smallest.body == {"model": "$model", "max_tokens": 16}


@pytest.mark.parametrize(
    ("value", "needed", "left"),
    [
        (1.75, lambda value: value > 0, 1),
        (-1.75, lambda value: value < 0, -1),
        (-1.75, lambda value: value != int(value), -1.75),
        (2, lambda value: value >= 1, 1),
        (0, anything, 0),
        (-2, lambda value: value < 0, -1),
    ],
)
def test_numbers_become_small_and_whole(value: float, needed: Callable[[float], bool], left: float) -> None:
    start = case({**BODY, "presence_penalty": value})

    smallest, _ = shrunk(start, lambda body: "presence_penalty" in body and needed(body["presence_penalty"]))

    assert (smallest.body or {})["presence_penalty"] == left


@pytest.mark.parametrize("value", [[[1, 2], [3, 4]], 10**400, -(10**400), float("inf"), True, "x", "", None, {}, []])
def test_odd_values_end_no_search(value: Any) -> None:
    smallest, _ = shrunk(case({**BODY, "odd": value}), lambda body: "odd" in body)

    assert "odd" in (smallest.body or {})


def test_a_bound_among_large_numbers_is_met_in_few_steps() -> None:
    start = case({**BODY, "seed": 2**62 + 1})

    smallest, tried = shrunk(start, lambda body: body.get("seed", 0) > 2**31)

    assert 2**31 < (smallest.body or {})["seed"] <= 2**32
    assert len(tried) <= 30


def test_texts_and_lists_are_cut_to_what_is_needed() -> None:
    start = case({**BODY, "user": "0123456789x0123456789", "stop": ["1", "22", "END", "4"]})

    smallest, _ = shrunk(start, lambda body: "x" in body.get("user", "") and "END" in body.get("stop", []))

    assert smallest.body == {
        "model": "$model",
        "messages": [{"role": "user", "content": "Say OK"}],
        "user": "x",
        "stop": ["END"],
        "max_tokens": 16,
    }


def test_an_operation_whose_requests_have_no_schema_is_searched_as_well() -> None:
    smallest, _ = shrunk(case({"model": "$model", "more": [1, 2]}, operation="gateway"), lambda body: "more" in body)

    assert smallest.body == {"model": "$model", "more": [0]}


# --- live ----------------------------------------------------------------------------------------------


def faulty(fails: Callable[[dict[str, Any]], bool], answer: Answer | None = None) -> Answer:
    """Honest but for some requests, whose answer has no id."""

    async def no_id(call: Call) -> None:
        value = completion()
        del value["id"]
        await call.value(value)

    async def answered(call: Call) -> None:
        await ((answer or no_id) if call.method == "POST" and fails(call.json) else honest)(call)

    return first_honest(answered)


def recorded(server: Server, folder: Path, *cases: Case, **limits: Any) -> Path:
    """A run of generated cases; where its ledger is."""
    path = folder / "ledger.jsonl"
    planned = [*PREFLIGHT, *(cases or [case()])]
    record(planned, Provider(server.base_url, MODEL), path, secrets=SECRETS, limits=replace(QUICK, **limits))
    return path


PAIR = ("chat/generated-1", SHAPE)


def test_a_failing_case_is_made_small_within_the_budget_and_recorded(tmp_path: Path) -> None:
    with Server(faulty(wants_two_lists)) as server:
        path = recorded(server, tmp_path)
        before = len(server.calls)
        ledger = minimise(path, [PAIR], secrets=SECRETS)
        sent = len(server.calls) - before

    (found,) = ledger.minimised
    assert found.result.body == SMALLEST
    assert (found.case, found.rule, found.reproduced, found.complete) == (*PAIR, True, True)
    assert found.requests == len(found.exchanges) == sent <= 25
    assert found.exchanges[0].case == case()
    assert json.loads(found.exchange.request.body) == {**SMALLEST, "model": MODEL}
    assert found.exchange.json["object"] == "chat.completion"
    assert ledger.resent == found.exchanges
    assert ledger.complete
    assert KEY.encode() not in path.read_bytes()


async def refuses(call: Call) -> None:
    """An internal error."""
    await call.value({"error": {"message": "oops", "type": "t", "param": None, "code": None}}, 500)


def test_of_a_request_that_is_answered_with_an_error_nothing_is_left_that_is_not_needed(tmp_path: Path) -> None:
    with Server(faulty(wants_two_lists, refuses)) as server:
        path = recorded(server, tmp_path)
        before = len(server.calls)
        (found,) = minimise(path, [(PAIR[0], "generated.valid.no-5xx")], secrets=SECRETS).minimised
        sent = len(server.calls) - before

    assert found.result.body == {name: value for name, value in SMALLEST.items() if name != "max_tokens"}
    assert (found.complete, found.requests) == (True, sent)
    assert sent <= 25


@pytest.mark.parametrize(
    ("start", "fails"),
    [
        (case(), lambda body: "max_tokens" in body),
        (case(), lambda body: len(body["messages"]) > 1),
        (case(mutation="wrong-type /max_tokens", body={**BODY, "max_tokens": "x"}), anything),
    ],
    ids=["it is needed", "another question", "it is what is wrong"],
)
def test_the_limit_stays_where_it_is_needed_or_the_question_is_not_the_shortest(
    start: Case, fails: Callable[[dict[str, Any]], bool]
) -> None:
    smallest, _ = shrunk(start, fails, refused=True)

    assert "max_tokens" in (smallest.body or {})


def test_judging_does_not_change_because_a_case_was_made_smaller(tmp_path: Path) -> None:
    with Server(faulty(wants_two_lists)) as server:
        path = recorded(server, tmp_path)
        before = judge(read_ledger(path))
        after = judge(minimise(path, [PAIR], secrets=SECRETS))

    assert before == after


@pytest.mark.parametrize("budget", [1, 2, 7])
def test_a_small_budget_is_kept_and_what_was_found_until_then_counts(budget: int, tmp_path: Path) -> None:
    with Server(faulty(lambda body: "seed" in body and "user" in body)) as server:
        path = recorded(server, tmp_path)
        before = len(server.calls)
        (found,) = minimise(path, [PAIR], secrets=SECRETS, budget=budget).minimised
        sent = len(server.calls) - before

    assert sent == found.requests == budget
    assert (found.reproduced, found.complete) == (True, False)
    assert {"seed", "user"} <= set(found.result.body or {})
    assert (found.result == case()) == (budget < 7)


def test_a_failure_that_does_not_come_again_costs_one_request(tmp_path: Path) -> None:
    seen: list[Call] = []

    def once(body: dict[str, Any]) -> bool:
        seen.append(body)
        return len(seen) == 1

    with Server(faulty(once)) as server:
        path = recorded(server, tmp_path)
        (found,) = minimise(path, [PAIR], secrets=SECRETS).minimised

    assert (found.reproduced, found.complete, found.requests, found.result) == (False, True, 1, case())


def test_a_different_failure_is_not_followed(tmp_path: Path) -> None:
    async def other(call: Call) -> None:
        value = completion(created="now")
        await call.value(value)

    async def answer(call: Call) -> None:
        if call.method == "POST" and "seed" not in call.json:
            await other(call)
        else:
            await faulty(anything)(replace(call, number=9))

    with Server(first_honest(answer)) as server:
        path = recorded(server, tmp_path)
        (found,) = minimise(path, [PAIR], secrets=SECRETS).minimised

    assert "seed" in (found.result.body or {})
    assert found.exchange.json.get("id") is None


def busy(fails: Callable[[dict[str, Any]], bool], status: int) -> Answer:
    """An id is always missing; some requests are refused for now."""

    async def refuse(call: Call) -> None:
        await call.value({"error": {"message": "later", "type": "t", "param": None, "code": None}}, status)

    async def answer(call: Call) -> None:
        await (refuse if call.method == "POST" and fails(call.json) else faulty(anything))(replace(call, number=9))

    return first_honest(answer)


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_that_is_refused_for_now_is_sent_again_and_proves_nothing(status: int, tmp_path: Path) -> None:
    with Server(busy(lambda body: "seed" not in body, status)) as server:
        path = recorded(server, tmp_path)
        before = len(server.calls)
        (found,) = minimise(path, [PAIR], secrets=SECRETS).minimised
        sent = len(server.calls) - before

    assert "seed" in (found.result.body or {})
    assert sent == found.requests > len(found.exchanges)
    assert {attempt.status for exchange in found.exchanges for attempt in exchange.attempts} == {status}


def test_where_the_case_itself_is_not_answered_nothing_is_said(tmp_path: Path) -> None:
    with Server(faulty(anything)) as server:
        path = recorded(server, tmp_path)
    ledger = minimise(path, [PAIR], secrets=SECRETS)

    assert ledger.minimised == ()
    assert [exchange.failure.kind for exchange in ledger.resent if exchange.failure] == ["refused"]
    assert ledger.complete


def test_a_rate_is_kept(tmp_path: Path) -> None:
    with Server(faulty(anything)) as server:
        path = recorded(server, tmp_path)
        ledger = minimise(path, [PAIR], secrets=SECRETS, limits=replace(QUICK, rate=20.0))

    times = [exchange.started for exchange in ledger.resent]
    assert len(times) > 1
    assert all(later - earlier > 0.04 for earlier, later in pairwise(times))


@pytest.mark.parametrize("limits", [{"run_seconds": 0.0}, {"output_tokens": 20}])
def test_the_limits_of_a_run_hold_for_what_comes_after_it(limits: dict[str, Any], tmp_path: Path) -> None:
    with Server(faulty(anything)) as server:
        path = recorded(server, tmp_path)
        before = len(server.calls)
        ledger = minimise(path, [PAIR], secrets=SECRETS, limits=replace(QUICK, **limits))

    assert (ledger.minimised, ledger.resent) == ((), ())
    assert len(server.calls) == before


def test_a_later_search_replaces_the_earlier_one_and_both_were_paid_for(tmp_path: Path) -> None:
    with Server(faulty(wants_two_lists)) as server:
        path = recorded(server, tmp_path)
        minimise(path, [PAIR], secrets=SECRETS, budget=3)
        ledger = minimise(path, [PAIR, PAIR], secrets=SECRETS)

    (found,) = ledger.minimised
    assert found.complete
    assert len(ledger.resent) == 3 + found.requests


def test_the_model_that_wants_the_other_limit_is_asked_with_it(tmp_path: Path) -> None:
    with Server(faulty(anything)) as server:
        path = recorded(server, tmp_path)
        path.write_bytes(
            path.read_bytes().replace(b'"limit_field":"max_tokens"', b'"limit_field":"max_completion_tokens"')
        )
        (found,) = minimise(path, [PAIR], secrets=SECRETS).minimised

    assert json.loads(found.exchange.request.body)["max_completion_tokens"] == 16


def test_a_run_is_continued_after_a_search(tmp_path: Path) -> None:
    with Server(faulty(wants_two_lists)) as server:
        path = recorded(server, tmp_path)
        searched = minimise(path, [PAIR], secrets=SECRETS)
        provider = Provider(server.base_url, MODEL)
        ledger = record((), provider, path, secrets=SECRETS, limits=QUICK, resume=True)

    assert ledger.complete
    assert ledger.minimised == searched.minimised


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_search_that_was_cut_off_leaves_the_run_whole(cut: int, tmp_path: Path) -> None:
    with Server(faulty(wants_two_lists)) as server:
        path = recorded(server, tmp_path)
        run = read_ledger(path)
        minimise(path, [PAIR], secrets=SECRETS, budget=2)
        path.write_bytes(path.read_bytes()[:-cut])
        torn = read_ledger(path)
        ledger = minimise(path, [PAIR], secrets=SECRETS)

    assert (torn.complete, torn.minimised, torn.exchanges) == (True, (), run.exchanges)
    (found,) = ledger.minimised
    assert found.complete
    assert len(ledger.resent) == len(torn.resent) + found.requests


# --- what can be made smaller --------------------------------------------------------------------------


def several() -> list[Case]:
    """Cases that cannot be made smaller, and one that can."""
    return [
        case(),
        case(id="chat/raw", raw="{}"),
        replace(case(id="chat/no-body"), body=None),
        case(id="chat/after", follows="chat/generated-1"),
        case(id="chat/bad", follows="chat/generated-1", mutation="unknown-field /odd", body={**BODY, "odd": 1}),
        case(id="chat/short", body={"model": "$model", "messages": BODY["messages"], "seed": 1, "max_tokens": 16}),
    ]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which every answer lacks its id."""
    with Server(faulty(anything)) as server:
        return recorded(server, tmp_path_factory.mktemp("run"), *several())


@pytest.mark.parametrize(
    ("pair", "said", "hint"),
    [
        (("chat/generated-2", SHAPE), "no case", "did you mean 'chat/generated-1'?"),
        (("zzz", SHAPE), "no case", "plan lists them"),
        (("chat/generated-1", "chat.response.compact"), "no rule", f"did you mean '{SHAPE}'?"),
        (("chat/generated-1", "zzz"), "no rule", "rules lists them"),
        (("chat/generated-1", "chat.usage.adds-up"), "does not break", SHAPE),
        (("chat/generated-1", "chat.id.fresh"), "several", "about one"),
        (("chat/minimal", SHAPE), "every run begins", "choose"),
        (("chat/raw", SHAPE), "no JSON body", "choose"),
        (("chat/no-body", SHAPE), "no JSON body", "choose"),
        (("chat/after", SHAPE), "another request", "choose"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_made_smaller_is_said_before_anything_is_sent(
    pair: tuple[str, str], said: str, hint: str, broken: Path
) -> None:
    before = broken.read_bytes()

    with pytest.raises(UsageError, match=said) as refusal:
        minimise(broken, [PAIR, pair], secrets=SECRETS)

    assert hint in refusal.value.hint
    assert broken.read_bytes() == before


@pytest.mark.parametrize(("secrets", "budget"), [(Secrets(), 25), (SECRETS, 0)])
def test_without_a_key_or_a_budget_nothing_is_sent(secrets: Secrets, budget: int, broken: Path) -> None:
    before = broken.read_bytes()

    with pytest.raises(UsageError):
        minimise(broken, [PAIR], secrets=secrets, budget=budget)

    assert broken.read_bytes() == before


def test_a_case_that_was_not_sent_cannot_be_made_smaller(broken: Path, tmp_path: Path) -> None:
    lines = broken.read_bytes().splitlines(keepends=True)
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(line for line in lines if b'"case":"chat/generated-1"' not in line))

    with pytest.raises(UsageError, match="was not sent"):
        minimise(path, [PAIR], secrets=SECRETS)


def test_the_rules_that_a_case_breaks_are_named_worst_first(broken: Path) -> None:
    ledger = read_ledger(broken)
    alone = broken_rules(ledger, "chat/generated-1")

    assert SHAPE in alone
    verdicts = {judgement.rule: judgement.verdict for judgement in judge(ledger, alone)}
    assert [verdicts[rule] for rule in alone] == sorted((verdicts[rule] for rule in alone), reverse=True)


def test_for_each_rule_the_shortest_generated_case_is_chosen(broken: Path) -> None:
    ledger = read_ledger(broken)
    judgements = judge(ledger)

    pairs = worth_minimising(judgements, ledger)

    assert ("chat/short", SHAPE) in pairs
    assert len({rule for _, rule in pairs}) == len(pairs) <= MOST_SEARCHES


def verdict_of(judgements: list[Judgement], rule: str) -> Verdict:
    """The verdict of one rule."""
    return next(judgement.verdict for judgement in judgements if judgement.rule == rule)


def test_what_fails_comes_before_what_warns_and_their_number_is_limited(broken: Path) -> None:
    ledger = read_ledger(broken)
    judgements = judge(ledger)
    (finding,) = [each.findings[-1] for each in judgements if each.rule == SHAPE]
    others = [each for each in judgements if each.rule != SHAPE and each.operation == "chat"]
    made = [replace(each, verdict=Verdict.WARN, findings=(finding,)) for each in others]
    made += [replace(each, findings=(finding,), verdict=Verdict.FAIL) for each in judgements if each.rule == SHAPE]

    pairs = worth_minimising(made, ledger)

    assert len(pairs) == MOST_SEARCHES
    assert pairs[0][1] == SHAPE


def test_nothing_is_chosen_where_nothing_generated_fails(broken: Path) -> None:
    ledger: Ledger = read_ledger(broken)
    plain = [replace(each, case=replace(each.case, probes=frozenset())) for each in ledger.exchanges]

    assert worth_minimising(judge(ledger), replace(ledger, exchanges=tuple(plain))) == []
    assert worth_minimising([], ledger) == []


BAD: dict[str, Any] = {
    "phase": Phase.INVALID,
    "expect": Expectation.REFUSAL,
    "mutation": "wrong-type /temperature",
    "probes": frozenset({"generated", "generated-invalid"}),
    "body": {**BODY, "temperature": "hot"},
}


def test_a_hang_that_is_the_failure_itself_is_followed(tmp_path: Path) -> None:
    async def hang(_: Call) -> None:
        await asyncio.sleep(2)

    needed = {"temperature", "seed"}
    rule = "generated.invalid.in-time"
    with Server(faulty(lambda body: needed <= body.keys(), hang)) as server:
        path = recorded(server, tmp_path, case(**BAD), timeout=0.2)
        (found,) = minimise(path, [(PAIR[0], rule)], secrets=SECRETS).minimised

    assert set(found.result.body or {}) == {"model", "messages", "max_tokens", *needed}
    assert found.exchange.failure is not None
    assert found.exchange.failure.kind == "timeout"


@pytest.mark.parametrize(("other", "kept"), [(500, False), (501, False), (200, True)])
def test_a_status_of_the_same_hundred_is_the_same_failure(other: int, tmp_path: Path, *, kept: bool) -> None:
    async def answer(call: Call) -> None:
        status = 500 if "seed" in call.json else other
        await call.value({"error": {"message": "no", "type": "t", "param": None, "code": None}}, status)

    with Server(faulty(anything, answer)) as server:
        path = recorded(server, tmp_path, case(**BAD))
        (found,) = minimise(path, [(PAIR[0], "generated.invalid.no-5xx")], secrets=SECRETS).minimised

    assert ("seed" in (found.result.body or {})) == kept


def page(request: dict[str, Any] | None) -> Profile:
    """What the page of a provider says of a chat."""
    schema = {"$defs": {"request": request} if request else {}}
    return Profile(
        name="page",
        title="Page",
        base_path="/v1",
        hosts=(),
        models=(),
        claims=(),
        schemas={"page/chat.json": schema},
        defects=0,
        weak=0,
        digest="0",
        folder=Path(),
    )


@pytest.mark.parametrize(
    ("request_schema", "kept"), [({"type": "object", "required": ["user", "model"]}, True), (None, False)]
)
def test_no_request_is_sent_that_the_page_of_the_provider_does_not_allow(
    request_schema: dict[str, Any] | None, tmp_path: Path, *, kept: bool
) -> None:
    with Server(faulty(anything)) as server:
        path = recorded(server, tmp_path)
        (found,) = minimise(path, [PAIR], secrets=SECRETS, profile=page(request_schema)).minimised
        sent = [call.json for call in server.calls[2:]]

    assert ("user" in (found.result.body or {})) == kept
    assert all("user" in body for body in sent) == kept


def test_a_case_without_a_key_is_sent_without_one(tmp_path: Path) -> None:
    with Server(faulty(anything)) as server:
        path = recorded(server, tmp_path, case(auth=Auth.NONE))
        minimise(path, [PAIR], secrets=SECRETS, budget=3)
        headers = [call.headers for call in server.calls[2:]]

    assert not any("authorization" in each for each in headers)
