"""Responses: honest answers that look odd are let be, broken ones are blamed where they break, nothing stumbles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from conformance.fixtures import load_cases
from conformance.model import Exchange, Response, Verdict
from conformance.reasons import finding

from .runs import answer, exchange, ledger, verdicts
from .test_garbage import ODD, changed, pointers

CASES = {case.id: case for case in load_cases() if case.operation.startswith("responses")}
BAD = {Verdict.WARN, Verdict.FAIL, Verdict.ERROR}
PART = {"type": "output_text", "text": "OK", "annotations": [], "logprobs": []}
MESSAGE = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [PART]}
CALL = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "get_weather",
    "arguments": '{"city": "Paris"}',
}
THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": None}
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 11,
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_770_000_000,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "model": "mock-chat",
    "output": [MESSAGE],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": USAGE,
}
CUT = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
IN_ITEM = {"item_id": "msg_1", "output_index": 0}
IN_PART = {**IN_ITEM, "content_index": 0}
IN_CALL = {"item_id": "fc_1", "output_index": 0}

Event = dict[str, Any]


def of(**changes: Any) -> dict[str, Any]:
    """The response with these fields changed."""
    return {**RESPONSE, **changes}


def usage(**changes: Any) -> dict[str, Any]:
    return {**USAGE, **changes}


def event(kind: str, **data: Any) -> Event:
    return {"type": kind, **data}


def begun(**changes: Any) -> list[Event]:
    """How a stream begins."""
    response = of(status="in_progress", output=[], usage=None, **changes)
    return [event("response.created", response=response), event("response.in_progress", response=response)]


def telling(final: Mapping[str, Any] = RESPONSE) -> list[Event]:
    """The events of a stream that says OK."""
    return [
        *begun(),
        event("response.output_item.added", output_index=0, item={**MESSAGE, "content": [], "status": "in_progress"}),
        event("response.content_part.added", **IN_PART, part={**PART, "text": ""}),
        event("response.output_text.delta", **IN_PART, delta="O", logprobs=[]),
        event("response.output_text.delta", **IN_PART, delta="K", logprobs=[]),
        event("response.output_text.done", **IN_PART, text="OK", logprobs=[]),
        event("response.content_part.done", **IN_PART, part=PART),
        event("response.output_item.done", output_index=0, item=MESSAGE),
        event(f"response.{final['status']}", response=final),
    ]


def calling(final: Mapping[str, Any] | None = None) -> list[Event]:
    """The events of a stream that calls a function."""
    return [
        *begun(),
        event("response.output_item.added", output_index=0, item={**CALL, "arguments": "", "status": "in_progress"}),
        event("response.function_call_arguments.delta", **IN_CALL, delta='{"city": '),
        event("response.function_call_arguments.delta", **IN_CALL, delta='"Paris"}'),
        event("response.function_call_arguments.done", **IN_CALL, name="get_weather", arguments=CALL["arguments"]),
        event("response.output_item.done", output_index=0, item=CALL),
        event("response.completed", response=final or of(output=[CALL])),
    ]


def stream(events: Sequence[Event], *, end: bytes = b"") -> Response:
    """A stream of these events, numbered where they are not."""
    told = b""
    for number, data in enumerate(events):
        line = f"event: {data.get('type')}\n".encode(errors="replace")
        value = {"sequence_number": number, **data}
        told += line + b"data: " + json.dumps(value).encode() + b"\n\n"
    return answer(told + end, content_type="text/event-stream")


def run(name: str, response: Response) -> Exchange:
    return exchange(CASES[name], response)


def blamed(*exchanges: Exchange) -> set[str]:
    """The rules that warn or fail."""
    judged = verdicts(ledger(exchanges), ["responses", "operation"])
    return {rule for (rule, _), judgement in judged.items() if judgement.verdict in BAD}


def stumbles(*exchanges: Exchange) -> list[str]:
    """The rules that raised: each has to say where it looks instead."""
    judged = verdicts(ledger(exchanges), ["responses"])
    caught = finding("blocked", "/")
    found = [(rule, each) for (rule, _), judgement in judged.items() for each in judgement.findings]
    raised = [rule for (rule, _), judgement in judged.items() if judgement.verdict is Verdict.ERROR]
    return raised + [rule for rule, each in found if (each.message, each.actual) == (caught.message, caught.actual)]


AWKWARD_ANSWERS: dict[str, dict[str, Any]] = {
    "as the official API": of(),
    "thoughts come first": of(output=[THOUGHT, MESSAGE]),
    "the model refuses": of(output=[{**MESSAGE, "content": [{"type": "refusal", "refusal": "No."}]}]),
    "nothing to say": of(output=[{**MESSAGE, "content": [{**PART, "text": ""}]}], usage=usage()),
    "usage is null": of(usage=None),
    "no usage": {name: value for name, value in RESPONSE.items() if name != "usage"},
    "no error key": {name: value for name, value in RESPONSE.items() if name != "error"},
    "a fraction of a second": of(created_at=1_770_000_000.25),
    "all was thought": of(output=[THOUGHT], **CUT),
    "the filter cut it": of(status="incomplete", incomplete_details={"reason": "content_filter"}),
    "tools of the relay": of(output=[{"type": "web_search_call", "id": "ws_1", "status": "completed"}, MESSAGE]),
    "counts of chat as well": of(usage=usage(prompt_tokens=9, completion_tokens=2)),
    "thinking beyond the limit": of(
        usage=usage(output_tokens=90, output_tokens_details={"reasoning_tokens": 80}, total_tokens=99)
    ),
}


@pytest.mark.parametrize("body", AWKWARD_ANSWERS.values(), ids=AWKWARD_ANSWERS)
def test_an_honest_answer_is_not_blamed(body: Mapping[str, Any]):
    assert blamed(run("responses/minimal", answer(body))) == set()


CUT_ANSWERS = {
    "cut": of(**CUT, usage=usage(output_tokens=16, total_tokens=25)),
    "ended before its limit": of(),
    "ended at its limit": of(
        output=[{**MESSAGE, "content": [{**PART, "text": "1 … 300"}]}], usage=usage(output_tokens=16, total_tokens=25)
    ),
    "no usage": of(**CUT, usage=None),
}


@pytest.mark.parametrize("body", CUT_ANSWERS.values(), ids=CUT_ANSWERS)
def test_a_long_answer_may_end_in_several_ways(body: Mapping[str, Any]):
    assert blamed(run("responses/cut", answer(body))) == set()


FAILED = of(status="failed", error={"code": "server_error", "message": "upstream"}, output=[], usage=None)
AWKWARD_STREAMS: dict[str, list[Event]] = {
    "as the official API": telling(),
    "queued first": [telling()[0], event("response.queued", response=begun()[0]["response"]), *telling()[1:]],
    "kept alive": [*telling()[:4], event("keepalive"), *telling()[4:]],
    "obfuscated": [{**each, "obfuscation": "a8f"} for each in telling()],
    "cut": telling(of(**CUT)),
    "all was thought": [*begun(), event("response.incomplete", response=of(output=[THOUGHT], **CUT))],
    "the upstream failed": [*begun(), event("response.failed", response=FAILED)],
    "an error event": [*begun(), event("error", message="upstream", code=None, param=None)],
    "a null usage": telling(of(usage=None)),
    "items of no id at the end": telling(of(output=[{**MESSAGE, "id": "msg_of_the_store"}])),
}


@pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n", b": PING\n\n"])
@pytest.mark.parametrize("events", AWKWARD_STREAMS.values(), ids=AWKWARD_STREAMS)
def test_an_honest_stream_is_not_blamed(events: Sequence[Event], end: bytes):
    assert blamed(run("responses.stream/minimal", stream(events, end=end))) == set()


def test_an_honest_call_is_not_blamed():
    told = run("responses/forced-tool", answer(of(output=[THOUGHT, CALL])))
    streamed = run("responses.stream/forced-tool", stream(calling()))
    assert blamed(told, streamed) == set()


def test_a_call_of_two_functions_at_once_is_not_blamed():
    both = of(output=[CALL, {**CALL, "id": "fc_2", "call_id": "call_2"}])
    assert blamed(run("responses/forced-tool", answer(both))) == set()


def test_a_call_that_was_cut_is_not_read():
    cut = of(output=[{**CALL, "arguments": '{"ci', "status": "incomplete"}], **CUT)
    assert blamed(run("responses/forced-tool", answer(cut))) == set()


BROKEN_ANSWERS = {
    "status missing": (of(status=None), {"responses.status.completed"}),
    "incomplete without a reason": (of(status="incomplete"), {"responses.status.completed"}),
    "an error beside the answer": (
        of(error={"code": "none", "message": "no error"}),
        {"responses.status.completed"},
    ),
    "no output": (of(output=[]), {"responses.output.present"}),
    "no text for ten tokens": (
        of(output=[{**MESSAGE, "content": [{**PART, "text": ""}]}], usage=usage(output_tokens=10, total_tokens=19)),
        {"responses.output.present"},
    ),
    "a year ago": (of(created_at=1), {"responses.created-at.seconds"}),
    "another total": (of(usage=usage(total_tokens=12)), {"responses.usage.adds-up"}),
    "fewer than no details": (
        of(usage=usage(output_tokens_details={"reasoning_tokens": 3})),
        {"responses.usage.details-bounded"},
    ),
    "only the output is counted": (of(usage=usage(input_tokens=0, total_tokens=2)), {"responses.usage.counts"}),
}


@pytest.mark.parametrize(("body", "rules"), BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS)
def test_a_broken_answer_is_blamed(body: Mapping[str, Any], rules: set[str]):
    assert blamed(run("responses/minimal", answer(body))) == rules


@pytest.mark.parametrize("details", [None, "none", []])
def test_counts_are_judged_without_their_details(details: Any):
    """Seen with LiteLLM and with mocks: null for the details, or none at all."""
    parts = {"input_tokens_details": details, "output_tokens_details": details}
    counts = {name: value for name, value in usage(total_tokens=12, **parts).items() if value != []}
    judged = verdicts(ledger([run("responses/minimal", answer(of(usage=counts)))]), ["responses", "operation"])
    found = {rule: judgement.verdict for (rule, _), judgement in judged.items()}
    assert found["operation.response.compat"] is Verdict.FAIL
    assert found["responses.usage.adds-up"] is Verdict.FAIL
    assert found["responses.output.present"] is found["responses.max-output-tokens.honoured"] is Verdict.PASS
    assert Verdict.INCONCLUSIVE not in found.values()


BROKEN_STREAMS = {
    "completed says in_progress": [*telling()[:-1], event("response.completed", response=of(status="in_progress"))],
    "incomplete without a reason": [*telling()[:-1], event("response.incomplete", response=of(status="incomplete"))],
}


@pytest.mark.parametrize("events", BROKEN_STREAMS.values(), ids=BROKEN_STREAMS)
def test_a_stream_that_ends_badly_is_blamed(events: Sequence[Event]):
    assert blamed(run("responses.stream/minimal", stream(events))) == {"responses.status.completed"}


def test_a_stream_that_fails_shows_nothing_else():
    """As with a 5xx: whose mistake it is cannot be seen."""
    reason = {"code": "invalid_prompt", "message": "no"}
    events = [*begun(), event("response.failed", response=of(status="failed", error=reason))]
    judged = verdicts(ledger([run("responses.stream/minimal", stream(events))]), ["responses"])
    assert judged["responses.status.completed", "responses.stream"].verdict is Verdict.INCONCLUSIVE
    assert {Verdict.FAIL, Verdict.WARN}.isdisjoint(judgement.verdict for judgement in judged.values())


def test_a_cut_stream_that_ends_as_complete_is_blamed():
    final = of(**CUT, usage=usage(output_tokens=16, total_tokens=25))
    events = [*telling()[:-1], event("response.completed", response=final)]
    assert blamed(run("responses.stream/cut", stream(events))) == {"responses.max-output-tokens.incomplete"}


def test_a_stream_of_another_kind_has_no_response():
    assert "responses.stream.created-first" in blamed(
        run("responses.stream/minimal", stream([event("message_start"), event("message_stop")]))
    )


def test_an_error_after_some_text_is_no_end():
    events = [*telling()[:5], event("error", message="upstream", code=None, param=None)]
    assert blamed(run("responses.stream/minimal", stream(events))) == set()


BROKEN_COURSES = {
    "ends twice": ([*telling(), telling()[-1]], {"responses.stream.terminal-last"}),
    "goes on after its end": ([*telling(), event("relay.cost")], {"responses.stream.terminal-last"}),
    "has no end": (telling()[:-1], {"responses.stream.terminal-last"}),
    "is not closed": ([*telling()[:-2], telling()[-1]], {"responses.stream.lifecycle"}),
    "tells no progress": ([telling()[0], *telling()[2:]], {"responses.stream.lifecycle"}),
    "numbers too fast": (
        [{**each, "sequence_number": 2 * place} for place, each in enumerate(telling())],
        {"responses.stream.sequence-from-zero"},
    ),
    "repeats a number": (
        [{**each, "sequence_number": place - place // 5} for place, each in enumerate(telling())],
        {"responses.stream.sequence-from-zero", "responses.stream.sequence-increases"},
    ),
}


@pytest.mark.parametrize(("events", "rules"), BROKEN_COURSES.values(), ids=BROKEN_COURSES)
def test_a_stream_that_goes_wrong_is_blamed(events: Sequence[Event], rules: set[str]):
    assert blamed(run("responses.stream/minimal", stream(events))) == rules


BROKEN_CALLS = {
    "another function": ([{**CALL, "name": "run_shell"}], {"responses.function-call.names-offered"}),
    "no call_id": ([{**CALL, "call_id": ""}], {"responses.function-call.names-offered"}),
    "one call_id twice": ([CALL, {**CALL, "id": "fc_2"}], {"responses.function-call.names-offered"}),
    "cut arguments": ([{**CALL, "arguments": '{"city": '}], {"responses.function-call.arguments-json"}),
    "arguments in a list": ([{**CALL, "arguments": "[]"}], {"responses.function-call.arguments-json"}),
}


@pytest.mark.parametrize(("output", "rules"), BROKEN_CALLS.values(), ids=BROKEN_CALLS)
def test_a_call_that_cannot_be_made_is_blamed(output: list[Any], rules: set[str]):
    assert blamed(run("responses/forced-tool", answer(of(output=output)))) == rules


def test_a_cut_answer_that_looks_complete_is_blamed():
    body = of(usage=usage(output_tokens=16, total_tokens=25))
    assert blamed(run("responses/cut", answer(body))) == {"responses.max-output-tokens.incomplete"}


def test_events_without_names_are_blamed():
    body = b"".join(
        b"data: " + json.dumps({"sequence_number": number, **each}).encode() + b"\n\n"
        for number, each in enumerate(telling())
    )
    assert blamed(run("responses.stream/minimal", answer(body))) == {"responses.stream.event-named"}


def test_a_limit_that_does_not_hold_is_blamed():
    body = of(
        usage=usage(output_tokens=17, total_tokens=26), output=[{**MESSAGE, "content": [{**PART, "text": "300"}]}]
    )
    assert blamed(run("responses/cut", answer(body))) == {"responses.max-output-tokens.honoured"}


@pytest.mark.parametrize(("status", "rules"), [(400, set()), (200, {"responses.input.required"})])
def test_a_request_without_input_is_refused(status: int, rules: set[str]):
    body = of() if status == 200 else error("Missing required parameter: 'input'.", param="input")
    assert blamed(run("responses/missing-input", answer(body, status))) == rules


def test_streaming_costs_the_same():
    final = of(usage=usage(input_tokens=19, total_tokens=21))
    plain = run("responses/minimal", answer(of()))
    assert blamed(plain, run("responses.stream/minimal", stream(telling()))) == set()
    assert blamed(plain, run("responses.stream/minimal", stream(telling(final)))) == {
        "responses.stream.usage-matches-plain"
    }


def test_prose_instead_of_a_forced_call_is_blamed():
    assert blamed(run("responses/forced-tool", answer(of()))) == {"responses.tool-choice.honoured"}


def test_an_argument_that_is_kept_differently_is_blamed():
    events = calling(of(output=[{**CALL, "arguments": "{}"}]))
    assert blamed(run("responses.stream/forced-tool", stream(events))) == {"responses.stream.arguments-join"}


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ('{"city": "Cairo", "population": 10000000}', True),
        ('{"city": "Cairo", "population": 1e7}', True),
        ('{"city": "Cairo", "population": 1.5}', False),
        ('{"city": "Cairo", "population": true}', False),
        ('{"city": "Cairo"}', False),
        ("[]", False),
        ("Cairo", False),
    ],
)
def test_json_is_held_to_the_schema_that_was_asked_for(text: str, good: bool):
    body = of(output=[{**MESSAGE, "content": [{**PART, "text": text}]}])
    assert ("responses.text-format.json-schema" not in blamed(run("responses/json-schema", answer(body)))) is good


def error(message: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


LOST = error("Previous response with id 'resp_1' not found.", "previous_response_not_found", "previous_response_id")


@pytest.mark.parametrize(
    ("response", "verdict", "label"),
    [
        (answer(of()), Verdict.PASS, ""),
        (answer(LOST, 400), Verdict.WARN, "previous-response-lost"),
        (answer(error("no such response"), 404), Verdict.WARN, "previous-response-lost"),
        (answer(error("bad request"), 400), Verdict.WARN, ""),
        (answer(error("previous_response_id is not supported here"), 400), Verdict.PASS, ""),
        (answer(error("try later"), 502), Verdict.INCONCLUSIVE, ""),
    ],
)
def test_going_on_from_an_answer(response: Response, verdict: Verdict, label: str):
    told = run("responses/remember-1", answer(of()))
    found = verdicts(ledger([told, run("responses/remember-2", response)]), ["responses.previous.accepted"])
    judged = found["responses.previous.accepted", "responses"]
    assert judged.verdict is verdict
    assert not label or judged.findings[0].deviation == label


@pytest.mark.parametrize(("text", "read", "good"), [("48213", 5, True), ("42", 20, True), ("42", 9, False)])
def test_a_conversation_is_forgotten_when_it_is_neither_used_nor_counted(text: str, read: int, good: bool):
    body = of(
        output=[{**MESSAGE, "content": [{**PART, "text": text}]}],
        usage=usage(input_tokens=read, total_tokens=read + 2),
    )
    told = run("responses/remember-1", answer(of()))
    rules = blamed(told, run("responses/remember-2", answer(body)))
    assert rules == (set() if good else {"responses.previous.reaches-model"})


TEMPLATES: dict[str, Any] = {
    "responses/minimal": of(),
    "responses/cut": of(**CUT),
    "responses/forced-tool": of(output=[CALL]),
    "responses.stream/minimal": telling(),
    "responses.stream/forced-tool": calling(),
}


def sent(name: str, body: Any) -> Response:
    """The body as an answer of the case's kind."""
    if not name.startswith("responses.stream"):
        return answer(body)
    events = [each if isinstance(each, dict) else {"type": each} for each in body] if isinstance(body, list) else []
    return stream(events) if events else answer(body)


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_odd_makes_a_rule_stumble(name: str, turn: int):
    # The first two events of a stream say what the last one says again; four odd values for each place are enough.
    for number, at in enumerate(pointers(TEMPLATES[name])):
        for odd in [list(ODD.values())[(number + 3 * turn) % len(ODD)]] if at[:1] not in ((0,), (1,)) else ():
            response = sent(name, changed(TEMPLATES[name], at, odd))
            assert stumbles(run(name, response)) == [], (at, odd)


@pytest.mark.parametrize("odd", [[], [{}], {"output": None}, {"status": "completed"}, "", 10**40])
def test_no_pair_of_answers_makes_a_rule_stumble(odd: Any):
    first, second = run("responses/remember-1", answer(of())), run("responses/remember-2", answer(odd))
    assert stumbles(first, second) == []
