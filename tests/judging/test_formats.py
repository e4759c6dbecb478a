"""The form of an answer: JSON, schemas and log probabilities as relays give them, well and badly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.planning import plan

from .runs import COMPLETION, HEAD, answer, exchange, generated, ledger, sse, stumbles, verdicts

CASES = {case.id: case for case in plan(["chat"])}
RULES = ["chat.response-format", "chat.logprobs", "chat.stream.logprobs-joined"]
PLACE = '{"city": "Paris", "capital": true}'


def said(content: Any, finish: Any = "stop", logprobs: Any = None, **message: Any) -> dict[str, Any]:
    """A plain answer."""
    told = {"role": "assistant", "content": content, "refusal": None, **message}
    return COMPLETION | {"choices": [{"index": 0, "message": told, "logprobs": logprobs, "finish_reason": finish}]}


def rated(token: Any, logprob: Any = -0.25, **more: Any) -> dict[str, Any]:
    """One token with its log probability and two alternatives."""
    told = list(token.encode()) if isinstance(token, str) else None
    tops = [{"token": token, "logprob": logprob, "bytes": told}, {"token": " the", "logprob": -9999.0, "bytes": None}]
    return {"token": token, "logprob": logprob, "bytes": told, "top_logprobs": tops, **more}


def counted(*entries: Any, text: str = "1 2") -> dict[str, Any]:
    """A plain answer of these tokens."""
    return said(text, logprobs={"content": list(entries), "refusal": None})


def streamed(*pieces: tuple[str, Any]) -> bytes:
    """A stream of (content, tokens that are listed beside it)."""
    listed = [{"content": text} for text, _ in pieces]
    probabilities = [None if tokens is None else {"content": tokens} for _, tokens in pieces]
    chunks = [
        HEAD | {"choices": [{"index": 0, "delta": delta, "logprobs": found, "finish_reason": None}]}
        for delta, found in zip(listed, probabilities, strict=True)
    ]
    return sse([*chunks, HEAD | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}])


def judged(name: str, value: Any, rule: str, status: int = 200) -> str:
    """The verdict of a rule on one answer to one case."""
    (judgement,) = verdicts(ledger([exchange(CASES[name], answer(value, status))]), [rule]).values()
    return judgement.verdict.label


@pytest.mark.parametrize(
    ("content", "finish", "verdict"),
    [
        (PLACE, "stop", "pass"),
        (f"\n {PLACE}\n", "stop", "pass"),
        ('{"city": "Paris"}', "stop", "fail"),
        ('{"city": "Paris", "capital": true, "more": 1}', "stop", "fail"),
        ('{"city": "Paris", "capital": "yes"}', "stop", "fail"),
        ('{"city": "Paris"', "length", "not-applicable"),
        ("Paris", "stop", "pass"),
        (None, "stop", "not-applicable"),
    ],
)
def test_an_answer_is_held_to_its_strict_schema(content: Any, finish: str, verdict: str):
    assert judged("chat/schema-strict", said(content, finish), "chat.response-format.schema") == verdict


@pytest.mark.parametrize(
    ("content", "label"),
    [(f"```json\n{PLACE}\n```", "json-fenced"), ("Paris.", "params-dropped"), ("[1]", "params-dropped")],
)
def test_what_is_no_json_object_is_told_apart(content: str, label: str):
    for name in ("chat/schema-strict", "chat/json-object"):
        run = ledger([exchange(CASES[name], answer(said(content)))])
        (judgement,) = verdicts(run, ["chat.response-format.json"]).values()
        assert (judgement.verdict.label, judgement.findings[0].deviation) == ("fail", label)


@pytest.mark.parametrize("name", ["chat/json-word-missing", "chat/schema-open", "chat/logprobs-alone"])
def test_a_request_that_openai_refuses_should_be_refused(name: str):
    found = {
        status: [
            judgement.verdict.label
            for judgement in verdicts(ledger([exchange(CASES[name], answer(COMPLETION, status))]), RULES).values()
            if judgement.severity == "SHOULD" and judgement.verdict.label != "not-applicable"
        ]
        for status in (200, 400, 422, 429, 500)
    }
    assert found == {200: ["warn"], 400: ["pass"], 422: ["pass"], 429: ["inconclusive"], 500: ["warn"]}


GOOD: dict[str, Any] = {
    "plain": counted(rated("1"), rated(" 2")),
    "rounded above zero": counted(rated("1", 1e-7), rated(" 2", -0.0)),
    "an integer": counted(rated("1", 0), rated(" 2", -3)),
    "bytes left out": counted(rated("1", bytes=None), {k: v for k, v in rated(" 2").items() if k != "bytes"}),
    "an end mark": counted(rated("1"), rated(" 2"), rated("<|im_end|>")),
    "an empty end mark": counted(rated("1"), rated(" 2"), rated("")),
    "a blank in front": counted(rated(" 1"), rated(" 2")),
    "no alternatives": counted(rated("1", top_logprobs=[]), rated(" 2", top_logprobs=[])),
    "half characters": counted(rated("\ufffd", bytes=[228]), rated("\ufffd", bytes=[189, 160]), text="你"),
}


@pytest.mark.parametrize("value", GOOD.values(), ids=GOOD)
def test_log_probabilities_of_their_own_kind_are_let_pass(value: Any):
    run = ledger([exchange(CASES["chat/logprobs-top"], answer(value))])
    assert {each.verdict.label for each in verdicts(run, ["chat.logprobs"]).values()} == {"pass"}


@pytest.mark.parametrize(
    ("value", "rule", "verdict"),
    [
        (counted(rated("1"), rated(" 3")), "joined", "fail"),
        (counted(rated("1")), "joined", "fail"),
        (counted(rated("1", 0.5), rated(" 2")), "entries", "fail"),
        (counted(rated("1", "-0.5"), rated(" 2")), "entries", "fail"),
        (counted(rated("1", True), rated(" 2")), "entries", "fail"),
        (counted(rated("1", None), rated(" 2")), "entries", "fail"),
        (counted(rated(1), rated(" 2")), "entries", "fail"),
        (counted(rated("1", bytes=[256]), rated(" 2")), "entries", "fail"),
        (counted(rated("1", bytes="1"), rated(" 2")), "entries", "fail"),
        (counted(rated("1", top_logprobs=None), rated(" 2")), "entries", "fail"),
        (counted(rated("1", top_logprobs=[5]), rated(" 2")), "entries", "fail"),
        (counted(rated("1", top_logprobs=rated("1")["top_logprobs"][::-1]), rated(" 2")), "sorted", "warn"),
        (counted(rated("1", bytes=[50]), rated(" 2")), "bytes", "warn"),
    ],
)
def test_log_probabilities_that_are_wrong_are_found(value: Any, rule: str, verdict: str):
    assert judged("chat/logprobs-top", value, f"chat.logprobs.{rule}") == verdict


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (streamed(("1", [rated("1")]), (" 2", [rated(" 2")])), "pass"),
        (streamed(("1 2", [rated("1"), rated(" 2")])), "pass"),
        (streamed(("1", [rated("1")]), (" 2", None)), "warn"),
        (streamed(("1", None), (" 2", None)), "not-applicable"),
    ],
)
def test_tokens_of_a_stream_make_its_text(body: bytes, verdict: str):
    assert judged("chat.stream/logprobs-top", body, "chat.stream.logprobs-joined") == verdict


ODD: list[Any] = [
    None,
    5,
    -1,
    True,
    1.5,
    "",
    "x",
    "\ud800",
    10**400,
    -(10**400),
    [],
    [None],
    [[]],
    {},
    {"a": None},
    "[" * 5000,
]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_no_answer_makes_a_rule_stumble(odd: Any):
    entry = {"token": odd, "logprob": odd, "bytes": odd, "top_logprobs": odd}
    values = [
        said(odd),
        said("1 2", odd),
        said("1 2", logprobs=odd),
        said("1 2", logprobs={"content": odd}),
        counted(odd),
        counted(entry),
        counted(rated("1", top_logprobs=[odd, entry, rated("1"), rated("2", odd)])),
        said(json.dumps({"city": odd, "capital": odd})),
    ]
    streams = [streamed((odd, odd)), streamed(("1", [odd])), streamed(("1", [entry]))]
    cases = [case for case in CASES.values() if case.body and not {"tools", "functions"} & set(case.body)]
    for plain in values:
        assert stumbles(ledger([exchange(each, answer(plain)) for each in cases if each.operation == "chat"])) == []
    for stream in streams:
        chosen = [each for each in cases if each.operation == "chat.stream"]
        assert stumbles(ledger([exchange(each, answer(stream)) for each in chosen])) == []


@pytest.mark.parametrize("odd", [None, 5, "json", [], {}, {"type": 5}, {"type": "json_schema", "json_schema": 5}])
def test_a_request_of_any_form_is_looked_at(odd: Any):
    case = generated(response_format=odd, logprobs=odd, top_logprobs=odd)
    assert stumbles(ledger([exchange(case, answer(counted(rated("1"))))])) == []
