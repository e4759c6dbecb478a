"""Tool calls: what relays may send in their own way, what they may not, and what nobody should."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.model import Exchange, Response
from conformance.planning import plan
from conformance.scenarios import advance, begin
from conformance.stream import CallPiece, Stream

from .runs import COMPLETION, HEAD, answer, exchange, ledger, sse, stumbles, verdicts

CASES = {case.id: case for case in plan(["chat"])}
PARIS = '{"city": "Paris"}'


def call(name: str = "get_weather", arguments: Any = PARIS, id: Any = "call_1", **more: Any) -> dict[str, Any]:  # noqa: A002 - the field's own word
    """A call in a plain answer."""
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def said(*calls: Any, finish: Any = "tool_calls", **message: Any) -> dict[str, Any]:
    """A plain answer with calls."""
    told = {"role": "assistant", "content": None, "refusal": None, "tool_calls": list(calls), **message}
    return COMPLETION | {"choices": [{"index": 0, "message": told, "logprobs": None, "finish_reason": finish}]}


def piece(arguments: Any = None, **more: Any) -> dict[str, Any]:
    """A piece of a call in a stream, without its index."""
    function = {
        key: value for key, value in (("name", more.pop("name", None)), ("arguments", arguments)) if value is not None
    }
    return {**more, "function": function}


def start(
    index: Any = 0,
    name: str = "get_weather",
    id: str = "call_1",  # noqa: A002 - the field's own word
    arguments: str = "",
    **more: Any,
) -> dict[str, Any]:
    """The first piece of a call."""
    return piece(arguments, index=index, name=name, id=id, type="function", **more)


def streamed(*deltas: Any, finish: Any = "tool_calls") -> bytes:
    """A stream of deltas: pieces of calls, each in one of its own, or lists of several."""
    listed = [delta if isinstance(delta, list) else [delta] for delta in deltas]
    told = [{"role": "assistant", "content": None}, *({"tool_calls": each} for each in listed)]
    chunks = [HEAD | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in told]
    return sse([*chunks, HEAD | {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}])


def judged(name: str, value: Any, rule: str, status: int = 200) -> str:
    """The verdict of a rule on one answer to one case."""
    case = CASES[name]
    (judgement,) = verdicts(ledger([exchange(case, answer(value, status))]), [rule]).values()
    return judgement.verdict.label


def label(name: str, value: Any, rule: str) -> str:
    """The deviation that the first finding carries."""
    (judgement,) = verdicts(ledger([exchange(CASES[name], answer(value))]), [rule]).values()
    return judgement.findings[0].deviation


GOOD: list[tuple[str, Any, str]] = [
    ("chat/tool-required", said(call(), content=""), "chat.tool-choice.required"),
    ("chat/tool-required", said(call(), content="Let me look."), "chat.tool-calls"),
    ("chat/tool-required", said(call(arguments=f" {PARIS}\n", index=0)), "chat.tool-calls"),
    ("chat/tool-required", said(call(id=5 * "x"), call(id="0")), "chat.tool-calls.ids"),
    ("chat/tool-none", COMPLETION, "chat.tool-choice.none"),
    ("chat/tool-none", said(content="Rain.", tool_calls=None, finish="stop"), "chat.tool-choice.none"),
    ("chat/tool-named", said(call("get_time"), finish="stop"), "chat.tool-choice.named"),
    ("chat/tool-named", said(call("get_time"), finish="stop"), "chat.tool-calls.finish"),
    ("chat/tool-named", said(call("get_time")), "chat.tool-calls.finish"),
    ("chat/tool-named", said(call("get_time")), "chat.tool-calls.strict-arguments"),
    ("chat/tool-required", said(call(), finish="tool_use"), "chat.tool-calls.finish"),
    ("chat/tool-bare", said(call("ping_server", "")), "chat.tool-calls.arguments-json"),
    ("chat/tool-bare", said(call("ping_server", "{}")), "chat.tool-calls.empty-arguments"),
    ("chat/tool-bare", said(finish="length"), "chat.tools.without-parameters"),
    ("chat/tool-legacy", said(function_call={"name": "get_weather", "arguments": PARIS}), "chat.functions.legacy"),
    ("chat/tool-one", said(call()), "chat.tool-calls.one-at-a-time"),
]
GOOD_STREAMS: dict[str, bytes] = {
    "whole call at once": streamed(start(arguments=PARIS)),
    "both calls in one delta": streamed([start(arguments=PARIS), start(1, id="call_2", arguments=PARIS)]),
    "nothing again": streamed(start(), piece('{"city": ', index=0, id="", name=""), piece('"Paris"}', index=0)),
    "nulls again": streamed(
        start(), {"index": 0, "id": None, "type": None, "function": {"name": None, "arguments": PARIS}}
    ),
    "type on every piece": streamed(start(), piece(PARIS, index=0, type="function")),
    "turns": streamed(start(), start(1, id="b"), piece(PARIS, index=1), piece(PARIS, index=0)),
    "a piece of nothing": streamed(start(arguments=PARIS), {"index": 0}),
}


@pytest.mark.parametrize(("name", "value", "rule"), GOOD)
def test_an_answer_of_its_own_kind_is_let_pass(name: str, value: Any, rule: str):
    run = ledger([exchange(CASES[name], answer(value))])
    assert {each.verdict.label for each in verdicts(run, [rule]).values()} <= {"pass", "not-applicable"}


@pytest.mark.parametrize("body", GOOD_STREAMS.values(), ids=GOOD_STREAMS)
def test_a_stream_of_its_own_kind_is_let_pass(body: bytes):
    run = ledger([exchange(CASES["chat.stream/tool-parallel"], answer(body))])
    found = verdicts(run, ["chat.tool-choice", "chat.tool-calls", "chat.stream.tool-calls-start"])
    found = {**found, **verdicts(run, ["chat.stream.tool-calls-index", "chat.stream.tool-calls-once"])}
    assert {each.verdict.label for each in found.values()} == {"pass"}


@pytest.mark.parametrize(
    ("value", "finish"), [(said(finish="length"), "length"), (said(content=None, refusal="I will not."), "stop")]
)
def test_an_answer_that_was_cut_or_refused_is_not_blamed(value: Any, finish: str):
    value["choices"][0]["finish_reason"] = finish
    assert judged("chat/tool-required", value, "chat.tool-choice.required") == "not-applicable"


BAD: list[tuple[str, Any, str, str]] = [
    ("chat/tool-required", COMPLETION, "chat.tool-choice.required", "fail"),
    ("chat/tool-required", said(finish="stop"), "chat.tool-choice.required", "fail"),
    ("chat/tool-none", said(call()), "chat.tool-choice.none", "fail"),
    ("chat/tool-named", COMPLETION, "chat.tool-choice.named", "fail"),
    ("chat/tool-named", said(call("get_time"), call()), "chat.tool-choice.named", "fail"),
    ("chat/tool-required", said(call(arguments={"city": "Paris"})), "chat.tool-calls.arguments-json", "fail"),
    ("chat/tool-required", said(call(arguments="")), "chat.tool-calls.arguments-json", "fail"),
    ("chat/tool-required", said(call(arguments="[]")), "chat.tool-calls.arguments-json", "fail"),
    ("chat/tool-required", said(call(arguments="{'city': 1}")), "chat.tool-calls.arguments-json", "fail"),
    ("chat/tool-required", said(call(arguments='{"city": 1}')), "chat.tool-calls.arguments-fit", "warn"),
    ("chat/tool-required", said(call(arguments="{}")), "chat.tool-calls.arguments-fit", "warn"),
    ("chat/tool-named", said(call("get_time", "{}")), "chat.tool-calls.strict-arguments", "fail"),
    ("chat/tool-required", said(call(id="")), "chat.tool-calls.ids", "fail"),
    ("chat/tool-required", said(call(id=["x"])), "chat.tool-calls.ids", "fail"),
    ("chat/tool-required", said(call(), call()), "chat.tool-calls.ids", "fail"),
    ("chat/tool-required", said(call("other")), "chat.tool-calls.known-name", "fail"),
    ("chat/tool-required", said(call(name=["x"])), "chat.tool-calls.known-name", "fail"),
    ("chat/tool-required", said(call(), finish="stop"), "chat.tool-calls.finish", "fail"),
    ("chat/tool-required", said(call(), finish="function_call"), "chat.tool-calls.finish", "fail"),
    ("chat/tool-one", said(call(), call(id="b")), "chat.tool-calls.one-at-a-time", "warn"),
    ("chat/tool-bare", COMPLETION, "chat.tools.without-parameters", "warn"),
    ("chat/tool-bare", said(call("ping_server", "")), "chat.tool-calls.empty-arguments", "warn"),
    ("chat/tool-legacy", COMPLETION, "chat.functions.legacy", "note"),
]


@pytest.mark.parametrize(("name", "value", "rule", "verdict"), BAD)
def test_an_answer_that_breaks_a_rule_is_found(name: str, value: Any, rule: str, verdict: str):
    assert judged(name, value, rule) == verdict


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        ((piece(PARIS, id="a", name="get_weather"),), "tool-index-missing"),
        ((start(), piece(PARIS)), "tool-index-missing"),
        ((start(True), piece(PARIS, index=True)), "tool-index-missing"),
        ((start(arguments=PARIS), start(0, id="b", arguments=PARIS)), "tool-index-collision"),
        ((start(1, arguments=PARIS),), "tool-index-gap"),
        ((start(arguments=PARIS), start(2, id="b", arguments=PARIS)), "tool-index-gap"),
    ],
)
def test_an_index_that_tells_nothing_apart_is_found_by_its_kind(deltas: Any, expected: str):
    rule = "chat.stream.tool-calls-index"
    assert judged("chat.stream/tool-parallel", streamed(*deltas), rule) == "fail"
    assert label("chat.stream/tool-parallel", streamed(*deltas), rule) == expected


@pytest.mark.parametrize("lost", ["id", "name"])
def test_a_call_that_does_not_begin_with_what_it_is_is_found(lost: str):
    first = start(arguments=PARIS)
    (first if lost == "id" else first["function"]).pop(lost)
    late = piece("", index=0, id="call_1", name="get_weather")
    rule = "chat.stream.tool-calls-start"
    assert judged("chat.stream/tool-parallel", streamed(first, late), rule) == "fail"


def test_a_name_that_comes_again_is_found():
    again = streamed(start(), start(arguments=PARIS))
    assert judged("chat.stream/tool-parallel", again, "chat.stream.tool-calls-once") == "warn"


def test_two_calls_at_one_index_are_put_together_by_their_ids():
    both = streamed(start(), piece(PARIS, index=0), start(0, id="b"), piece(PARIS, index=0))
    assert judged("chat.stream/tool-parallel", both, "chat.tool-calls.arguments-json") == "pass"


# Several answers


def pair(plain: Any, stream: bytes, rule: str = "chat.tool-calls.stream-matches-plain") -> str:
    """The verdict on a named call, plain and streamed."""
    both = [
        exchange(CASES["chat/tool-named"], answer(plain)),
        exchange(CASES["chat.stream/tool-named"], answer(stream)),
    ]
    (judgement,) = verdicts(ledger(both), [rule]).values()
    return judgement.verdict.label


def test_a_call_is_the_same_streamed_and_not():
    plain = said(call("get_time"))
    assert pair(plain, streamed(start(name="get_time", arguments='{"city": "Rome"}'))) == "pass"
    assert pair(plain, streamed(start(name="get_time", arguments='{"place": "Paris"}'))) == "warn"
    assert pair(plain, streamed(start(name="get_time", arguments="{}"))) == "warn"
    assert pair(plain, streamed(start(name="get_time", arguments="{"))) == "not-applicable"


def test_how_often_a_call_is_made_is_the_models_matter():
    twice = said(call("get_time"), call("get_time", '{"city": "Tokyo"}', id="call_2"))
    assert pair(twice, streamed(start(name="get_time", arguments=PARIS))) == "pass"


def told(text: str | None, tokens: int) -> dict[str, Any]:
    """An answer to the second turn."""
    usage = {"prompt_tokens": tokens, "completion_tokens": 3, "total_tokens": tokens + 3}
    return said(content=text, finish="stop") | {"usage": usage}


@pytest.mark.parametrize(
    ("text", "tokens", "verdict"),
    [
        ("It is 31.7 °C.", 1, "pass"),
        ("No idea.", 6, "pass"),
        (None, 9, "pass"),
        ("No idea.", 5, "warn"),
        ("", 0, "pass"),
    ],
)
def test_a_result_reaches_the_model_when_it_is_used_or_counted(text: str | None, tokens: int, verdict: str):
    asked = exchange(CASES["chat/tool-required"], answer(said(call())))
    second = exchange(CASES["chat/tool-result"], answer(told(text, tokens)))
    (judgement,) = verdicts(ledger([second, asked]), ["chat.tool-result.reaches-model"]).values()
    assert judgement.verdict.label == verdict


@pytest.mark.parametrize(
    ("name", "rule", "message", "verdict"),
    [
        ("chat/tool-result", "chat.tool-result.accepted", "role tool is not supported", "fail"),
        (
            "chat/tool-result",
            "chat.tool-result.accepted",
            "missing a thought_signature in functionCall parts",
            "not-applicable",
        ),
        ("chat/tool-result", "chat.tool-result.accepted", "reasoning_content must be passed back", "not-applicable"),
        ("chat/tool-bare", "chat.tools.without-parameters", "tools[0].function.parameters is missing", "warn"),
        ("chat/tool-bare", "chat.tools.without-parameters", "tools are not supported", "pass"),
        ("chat/tool-bare", "chat.tools.without-parameters", "bad request", "warn"),
        ("chat/tool-required", "chat.tool-choice.required", "tool_choice is not supported", "unsupported"),
        ("chat/tool-required", "chat.tool-choice.required", "tool calling is not enabled", "unsupported"),
        ("chat/tool-legacy", "chat.functions.legacy", "functions is not supported", "note"),
    ],
)
def test_a_refusal_is_read_as_what_it_is(name: str, rule: str, message: str, verdict: str):
    assert judged(name, {"error": {"message": message, "type": "x", "param": None, "code": None}}, rule, 400) == verdict


# The scenario


def second_turn(first: Any, status: int = 200) -> Any:
    """What the second step of the round trip sends after this answer; None when there is none."""
    asking, telling = CASES["chat/tool-required"], CASES["chat/tool-result"]
    running = begin([telling, asking])
    assert next(running) is asking
    body = first if isinstance(first, bytes) else json.dumps(first).encode()
    sent = advance(running, exchange(asking, Response(status, (), body, 0.1)))
    return sent and (sent.body or {})["messages"]


def test_results_are_given_under_the_ids_that_the_relay_gave():
    user, assistant, one, two = second_turn(said(call(index=0), call(id="call_2"), content="Let me look."))
    assert user["role"] == "user"
    assert assistant["content"] == "Let me look."
    assert assistant["tool_calls"] == [call(), call(id="call_2")]
    assert [each["tool_call_id"] for each in (one, two)] == ["call_1", "call_2"]
    assert "31.7" in one["content"]


@pytest.mark.parametrize(
    "first",
    [
        COMPLETION,
        said(),
        said({}),
        said(5),
        said(call(), tool_calls=None),
        said(call(id="\ud800")),
        {"choices": []},
        [],
        b"<html>",
    ],
)
def test_there_is_no_second_turn_without_calls_that_can_be_repeated(first: Any):
    assert second_turn(first) is None


def test_there_is_no_second_turn_after_a_refusal():
    assert second_turn(said(call()), 400) is None


# Whatever comes

ODD: list[Any] = [None, 5, -1, True, 1.5, "", "x", "\ud800", 10**40, [], [None], [[]], {}, {"a": None}, "[" * 5000]


def tool_exchanges(value: Any, stream: bytes) -> list[Exchange]:
    """Every case with tools, answered so."""
    wanted = [case for case in CASES.values() if "/tool-" in case.id]
    return [exchange(case, answer(stream if case.operation == "chat.stream" else value)) for case in wanted]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize(
    "place", ["calls", "call", "function", "name", "arguments", "id", "type", "message", "choice", "index"]
)
def test_no_answer_makes_a_rule_stumble(odd: Any, place: str):
    plain, delta = said(call()), start(arguments=PARIS)
    targets: dict[str, list[tuple[Any, Any]]] = {
        "calls": [(plain["choices"][0]["message"], "tool_calls")],
        "call": [(plain["choices"][0]["message"]["tool_calls"], 0)],
        "function": [(plain["choices"][0]["message"]["tool_calls"][0], "function"), (delta, "function")],
        "name": [(plain["choices"][0]["message"]["tool_calls"][0]["function"], "name"), (delta["function"], "name")],
        "arguments": [
            (plain["choices"][0]["message"]["tool_calls"][0]["function"], "arguments"),
            (delta["function"], "arguments"),
        ],
        "id": [(plain["choices"][0]["message"]["tool_calls"][0], "id"), (delta, "id")],
        "type": [(plain["choices"][0]["message"]["tool_calls"][0], "type"), (delta, "type")],
        "message": [(plain["choices"][0], "message")],
        "choice": [(plain["choices"], 0)],
        "index": [(delta, "index")],
    }
    for owner, key in targets[place]:
        owner[key] = odd
    stream = streamed(odd if place in {"calls", "call"} else delta, finish=odd)
    assert stumbles(ledger(tool_exchanges(plain, stream))) == []


def test_pieces_of_calls_are_read_leniently():
    delta = {"tool_calls": [5, {"function": 5}, {"index": "0", "id": 5, "function": {"name": 5, "arguments": 5}}]}
    chunk = {"choices": [{"index": 0, "delta": delta}, {"index": 1, "delta": {"tool_calls": {}}}]}
    stream = Stream.read(sse([chunk]))
    assert stream.choices[0].calls == [CallPiece(0, 1, None, "", "", ""), CallPiece(0, 2, None, "", "", "")]
    assert stream.choices[1].calls == []
