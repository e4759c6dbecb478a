"""Anthropic messages: what honest relays send in their own ways is not blamed, and nothing makes a rule stumble."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from conformance.judging import judge
from conformance.model import Case, Ledger, Response, Verdict
from conformance.planning import plan
from conformance.reasons import finding

from .runs import answer, exchange, ledger, sse, verdicts
from .test_garbage import ODD, changed, pointers

USAGE = {"input_tokens": 11, "output_tokens": 9}
TEXTS = {
    "repeat": "The quick brown fox jumps over the lazy dog.",
    "cut": "1 2 3 4 5",
    "stop": "1 2 3 4 ",
}
REASONS = {"cut": "max_tokens", "stop": "stop_sequence", "tool": "tool_use"}
INPUT = {"city": "Paris"}
CASES = {case.id: case for case in plan(["messages", "operation"]) if case.operation.startswith("messages")}
ALL = list(CASES.values())


def name_of(case: Case) -> str:
    return case.id.partition("/")[2]


def blocks(case: Case) -> list[dict[str, Any]]:
    if name_of(case) == "tool":
        return [{"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": INPUT}]
    return [{"type": "text", "text": TEXTS.get(name_of(case), "OK")}]


def message(case: Case, **changes: Any) -> dict[str, Any]:
    """A good plain answer."""
    name = name_of(case)
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "mock-claude-haiku",
        "content": blocks(case),
        "stop_reason": REASONS.get(name, "end_turn"),
        "stop_sequence": "5" if name == "stop" else None,
        "usage": USAGE,
        **changes,
    }


def block_events(index: int, block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    tool = block["type"] == "tool_use"
    written = json.dumps(INPUT)
    yield {
        "type": "content_block_start",
        "index": index,
        "content_block": {**block, "input": {}} if tool else {**block, "text": ""},
    }
    if tool:
        for piece in ("", written[:5], written[5:]):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
    else:
        yield {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": block["text"]}}
    yield {"type": "content_block_stop", "index": index}


def streamed(case: Case, told: Sequence[Mapping[str, Any]] | None = None, **ending: Any) -> list[dict[str, Any]]:
    """The events of a good streamed answer."""
    whole = message(case)
    start = whole | {"content": [], "stop_reason": None, "stop_sequence": None}
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": whole["stop_sequence"], **ending}
    found: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(blocks(case) if told is None else told):
        found += block_events(index, block)
    return [*found, {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}}, {"type": "message_stop"}]


def wire(events: Sequence[Any], *, end: str = "\n") -> Response:
    """A stream of these events; text goes out as it is."""
    lines = []
    for event in events:
        named = f"event: {event['type']}{end}" if isinstance(event, dict) and "type" in event else ""
        lines.append(event if isinstance(event, str) else f"{named}data: {json.dumps(event)}{end}{end}")
    return answer("".join(lines).encode(errors="replace"), content_type="text/event-stream")


def few(case: Case) -> dict[str, Any]:
    """The last event but one, with too few tokens."""
    return {**streamed(case)[-2], "usage": {"output_tokens": 3}}


def stumbling(run: Ledger) -> list[str]:
    """Our rules that raise on a run, be it over a body of the wrong shape."""
    caught = finding("blocked", "/")
    return [
        judgement.rule
        for judgement in judge(run, ["messages"])
        for found in judgement.findings
        if judgement.verdict is Verdict.ERROR or (found.message, found.actual) == (caught.message, caught.actual)
    ]


def error(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": "No.", **more}, "request_id": "req_1"}


def refused(case: Case) -> Response:
    kinds = {"wrong-key": (401, "authentication_error"), "unknown-model": (404, "not_found_error")}
    status, kind = kinds.get(name_of(case), (400, "invalid_request_error"))
    return answer(error(kind), status)


def honest(case: Case) -> Response:
    if case.expect == "refusal":
        return refused(case)
    return wire(streamed(case)) if case.operation == "messages.stream" else answer(message(case))


def judged(changes: Mapping[str, Response], only: Sequence[str] = ("messages", "operation")) -> dict[str, str]:
    """What is not passed when these cases are answered so, and every other one well: rule -> verdict."""
    run = ledger([exchange(case, changes.get(case.id, honest(case))) for case in ALL])
    quiet = {Verdict.PASS, Verdict.NOT_APPLICABLE}
    return {rule: found.verdict.label for (rule, _), found in verdicts(run, only).items() if found.verdict not in quiet}


PLAIN, STREAM = CASES["messages/minimal"], CASES["messages.stream/minimal"]
REPEAT = CASES["messages.stream/repeat"]
TOOL, TOOL_STREAM = CASES["messages/tool"], CASES["messages.stream/tool"]
CUT, STOP, STOP_STREAM = CASES["messages/cut"], CASES["messages/stop"], CASES["messages.stream/stop"]
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln", "text": ""}


def test_a_good_relay_passes():
    assert judged({}) == {}


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        (PLAIN, {"content": [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}, *blocks(PLAIN)]}),
        (PLAIN, {"content": [], "stop_reason": "refusal"}),
        (PLAIN, {"content": [], "stop_reason": "max_tokens"}),
        (PLAIN, {"content": [], "usage": {**USAGE, "output_tokens": 3}}),
        (PLAIN, {"content": [{"type": "text", "text": ""}], "usage": {**USAGE, "output_tokens": 2}}),
        (PLAIN, {"usage": {"input_tokens": 0, "output_tokens": 1, "cache_read_input_tokens": 12}}),
        (PLAIN, {"usage": {"input_tokens": 9.0, "output_tokens": 9.0}}),
        (PLAIN, {"usage": {**USAGE, "cache_creation_input_tokens": None, "service_tier": "standard"}}),
        (
            CUT,
            {
                "content": [{"type": "text", "text": "I would rather not."}],
                "stop_reason": "end_turn",
                "usage": {**USAGE, "output_tokens": 6},
            },
        ),
        (CUT, {"content": [{"type": "text", "text": "1 … 90"}], "stop_reason": "end_turn"}),
        (
            STOP,
            {
                "content": [{"type": "text", "text": "I cannot count."}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
            },
        ),
        (STOP, {"content": [], "stop_reason": "stop_sequence"}),
        (TOOL, {"content": [{"type": "text", "text": "I look."}, *blocks(TOOL)]}),
        (TOOL, {"content": [*blocks(TOOL), *blocks(TOOL)]}),
        (TOOL, {"content": [], "stop_reason": "max_tokens"}),
        (TOOL, {"content": [{**blocks(TOOL)[0], "input": {}}], "stop_reason": "max_tokens"}),
    ],
)
def test_what_an_honest_plain_answer_may_be(case: Case, changes: dict[str, Any]):
    assert judged({case.id: answer(message(case, **changes))}) == {}


def _two_deltas() -> list[Any]:
    events = streamed(STREAM)
    first = {
        "type": "message_delta",
        "delta": {"stop_reason": None, "stop_sequence": None},
        "usage": {"output_tokens": 2},
    }
    return [*events[:-2], first, *events[-2:]]


def _text_at_start() -> list[Any]:
    events = streamed(STREAM)
    events[1]["content_block"]["text"] = "OK"
    return [events[0], events[1], *events[3:]]


def _whole_input_at_start() -> list[Any]:
    events = streamed(TOOL_STREAM)
    events[1]["content_block"]["input"] = INPUT
    return [*events[:2], *events[5:]]


@pytest.mark.parametrize(
    ("case", "events"),
    [
        (STREAM, [{"type": "ping"}, *streamed(STREAM), {"type": "ping"}]),
        (STREAM, [": keep-alive\n\n", *streamed(STREAM)]),
        (STREAM, [*streamed(STREAM), {"type": "billing_note"}]),
        (STREAM, [*streamed(STREAM), "data: [DONE]\n\n"]),
        (STREAM, _two_deltas()),
        (STREAM, _text_at_start()),
        (STREAM, streamed(STREAM, [THOUGHT, *blocks(STREAM)])),
        (STREAM, streamed(STREAM, [], stop_reason="refusal")),
        (TOOL_STREAM, _whole_input_at_start()),
        (TOOL_STREAM, streamed(TOOL_STREAM, [{"type": "text", "text": "I look."}, *blocks(TOOL_STREAM)])),
        (TOOL_STREAM, [*streamed(TOOL_STREAM)[:3], *streamed(TOOL_STREAM, stop_reason="max_tokens")[5:]]),
    ],
)
def test_what_an_honest_stream_may_be(case: Case, events: list[Any]):
    found = judged({case.id: wire(events)})
    assert found in ({}, {"operation.response.extra-fields": "note"})


def test_a_stream_may_have_lines_that_end_otherwise():
    assert judged({STREAM.id: wire(streamed(STREAM), end="\r\n")}) == {}


@pytest.mark.parametrize(
    ("case", "response", "rule"),
    [
        (PLAIN, answer(message(PLAIN, content=[])), "messages.content.present"),
        (PLAIN, answer(message(PLAIN, content=[{"type": "text", "text": ""}])), "messages.content.present"),
        (STREAM, wire(streamed(STREAM, [])), "messages.content.present"),
        (STREAM, wire(streamed(STREAM, stop_reason=None)), "messages.stream.stop-reason"),
        (STREAM, wire([streamed(STREAM)[-1]]), "messages.stream.lifecycle"),
        (STREAM, wire([{"type": "ping"}]), "messages.stream.lifecycle"),
        (STREAM, wire([*streamed(STREAM)[:3], *streamed(STREAM)[2:]]), ""),
        (STREAM, wire([*streamed(STREAM)[:3], *streamed(STREAM)[4:]]), "messages.stream.blocks"),
        (STREAM, wire([*streamed(STREAM)[:4], *streamed(STREAM)[3:]]), "messages.stream.blocks"),
        (STREAM, wire(streamed(STREAM)[:1] + streamed(STREAM)[2:]), "messages.stream.blocks"),
        (TOOL, answer(message(TOOL, content=blocks(PLAIN), stop_reason="end_turn")), "messages.tool-choice.honoured"),
        (TOOL, answer(message(TOOL, content=[{**blocks(TOOL)[0], "name": "other"}])), "messages.tool-choice.honoured"),
        (TOOL_STREAM, wire(streamed(TOOL_STREAM, stop_reason="end_turn")), "messages.tool-use.stop-reason"),
        (TOOL_STREAM, wire([*streamed(TOOL_STREAM)[:3], *streamed(TOOL_STREAM)[5:]]), "messages.tool-use.input-valid"),
        (STOP_STREAM, wire(streamed(STOP_STREAM, stop_sequence="6")), "messages.stop-sequence.named"),
        (PLAIN, answer(message(PLAIN, stop_reason="length")), "messages.stop-reason.known"),
        (CUT, answer(message(CUT, stop_reason="end_turn")), "messages.max-tokens.stop-reason"),
        (STOP, answer(message(STOP, stop_reason="end_turn")), "messages.stop-sequence.named"),
        (STOP, answer(message(STOP, content=[{"type": "text", "text": "4 5"}])), "messages.stop-sequences.honoured"),
        (PLAIN, answer(message(PLAIN, usage={"input_tokens": 3, "output_tokens": 0})), "messages.usage.counts"),
        (PLAIN, answer(message(PLAIN, usage={"input_tokens": 0, "output_tokens": 3})), "messages.usage.counts"),
        (REPEAT, wire(streamed(REPEAT, blocks(STREAM))), "messages.stream.text-whole"),
        (STREAM, answer(sse(streamed(STREAM))), "messages.stream.event-names"),
        (STREAM, wire([*streamed(STREAM)[:-2], *streamed(STREAM)[:-3:-1]]), "messages.stream.stop-reason"),
        (REPEAT, wire([*streamed(REPEAT)[:-2], few(REPEAT), streamed(REPEAT)[-1]]), "messages.stream.usage-cumulative"),
    ],
)
def test_what_is_blamed(case: Case, response: Response, rule: str):
    found = {name: verdict for name, verdict in judged({case.id: response}).items() if verdict in {"fail", "warn"}}
    assert (rule in found) if rule else not found


def test_a_count_of_zero_is_shown_where_it_stands():
    events = streamed(STREAM)
    start = {**events[0], "message": {**events[0]["message"], "usage": {"input_tokens": 0, "output_tokens": 0}}}
    delta = {**events[-2], "usage": {"output_tokens": 0}}
    run = ledger([exchange(STREAM, wire([start, *events[1:-2], delta, events[-1]]))])
    found = verdicts(run, ["messages.usage.counts"])["messages.usage.counts", "messages.stream"]
    assert [each.at for each in found.findings] == [
        "/events/0/message/usage/input_tokens",
        f"/events/{len(events) - 2}/usage/output_tokens",
    ]


def test_output_tokens_that_are_no_number_are_left_to_the_schema():
    events = [*streamed(STREAM)[:-2], {**few(STREAM), "usage": {}}, streamed(STREAM)[-1]]
    run = ledger([exchange(STREAM, wire(events))])
    found = verdicts(run, ["messages.stream.usage-cumulative"])
    assert {judgement.verdict for judgement in found.values()} == {Verdict.INCONCLUSIVE}


def test_output_tokens_must_not_shrink():
    events = streamed(STREAM)
    more = {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 30}}
    found = judged({STREAM.id: wire([*events[:-2], more, *events[-2:]])})
    assert found["messages.stream.usage-cumulative"] == "warn"


@pytest.mark.parametrize(
    ("status", "value", "rule"),
    [
        (400, error("invalid_request_error"), ""),
        (422, error("invalid_request_error"), ""),
        (413, error("request_too_large"), ""),
        (413, error("invalid_request_error"), ""),
        (404, error("not_found_error"), ""),
        (404, error("invalid_request_error"), "messages.error.type"),
        (400, error("new_api_error"), "messages.error.type"),
        (
            400,
            {"error": {"message": "No.", "type": "new_api_error", "param": None, "code": ""}},
            "messages.error.envelope",
        ),
        (400, {"type": "error", "error": "No."}, "messages.error.envelope"),
        (400, {"message": "No."}, "messages.error.envelope"),
    ],
)
def test_how_errors_are_judged(status: int, value: Any, rule: str):
    found = judged({"messages/no-messages": answer(value, status)}, ["messages"])
    assert list(found) == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("rule", "case", "value", "label"),
    [
        (
            "messages.error.envelope",
            "messages/no-messages",
            {"error": {"message": "No.", "type": "x"}},
            "envelope-mismatch",
        ),
        ("messages.error.envelope", "messages/no-messages", {"message": "No."}, ""),
        ("messages.error.type", "messages/no-messages", error("one_api_error"), "error-type-foreign"),
        ("messages.error.type", "messages/no-messages", error("rate_limit_error"), ""),
    ],
)
def test_a_known_way_of_errors_is_named(rule: str, case: str, value: Any, label: str):
    run = ledger([exchange(CASES[case], answer(value, 400))])
    assert {found.deviation for found in verdicts(run, [rule])[rule, "messages"].findings} == {label}


def test_a_relay_without_messages_is_not_blamed():
    missing = answer({"error": {"message": "Invalid URL", "type": "invalid_request_error"}}, 404)
    found = judged({case.id: missing for case in ALL})
    assert set(found.values()) == {"unsupported"}


def test_a_schema_that_is_none_lets_every_input_through():
    odd = copy.deepcopy(dict(TOOL.body or {}))
    odd["tools"][0]["input_schema"] = {"type": 7}
    case = Case(
        **{**{name: getattr(TOOL, name) for name in Case.__dataclass_fields__}, "id": "messages/odd", "body": odd}
    )
    found = verdicts(ledger([exchange(case, answer(message(TOOL)))]), ["messages.tool-use.input-valid"])
    assert {judgement.verdict for judgement in found.values()} == {Verdict.PASS}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("case", [PLAIN, STOP, TOOL, TOOL_STREAM, STOP_STREAM], ids=lambda case: case.id)
def test_nothing_odd_makes_a_rule_stumble(case: Case, odd: Any):
    plain = case.operation == "messages"
    template: Any = message(case) if plain else streamed(case)
    for at in pointers(template):
        value = changed(template, at, odd)
        response = answer(value) if plain else wire(value if isinstance(value, list) else [value])
        assert stumbling(ledger([exchange(case, response)])) == [], at


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_nothing_odd_in_an_error_makes_a_rule_stumble(odd: Any):
    template = error("invalid_request_error")
    for at in pointers(template):
        response = answer(changed(template, at, odd), 400)
        assert stumbling(ledger([exchange(case, response) for case in ALL])) == [], at


@pytest.mark.parametrize("raw", [b"", b"data: {}\n\n", b"\xff", b"[]", b"data: 1\n\n", b"event: message_start\n\n"])
def test_no_bytes_make_a_rule_stumble(raw: bytes):
    assert stumbling(ledger([exchange(case, answer(raw)) for case in ALL])) == []
