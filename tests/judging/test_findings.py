"""What rules find beyond their examples: where, and which known deviation it is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.judging import judge
from conformance.model import Attempt, Finding, Request, Response, Verdict

from .runs import CASES, CHUNKS, COMPLETION, HEAD, MODELS, USAGE, answer, exchange, ledger, sse

MINIMAL = CASES["chat/minimal"]
ROLE, TEXT, END, BILL = CHUNKS


def found(rule: str, case: str, response: Response) -> Finding | None:
    """The first finding of a rule about one answer; None when it passes."""
    (judgement,) = judge(ledger([exchange(CASES[case], response)]), [rule])
    assert judgement.verdict in {Verdict.PASS, Verdict.NOTE, Verdict.WARN, Verdict.FAIL}
    return judgement.findings[0] if judgement.findings else None


def choice(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> dict[str, Any]:
    """A chunk with one choice."""
    return HEAD | {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


@pytest.mark.parametrize(
    ("rule", "chunks", "at", "deviation"),
    [
        ("chat.stream.done-last", [ROLE, END, "[DONE]"], None, ""),
        (
            "chat.stream.role-first",
            [ROLE, choice({"role": "assistant"}), END],
            "/events/0/choices/0/delta/role",
            "role-every-chunk",
        ),
        ("chat.stream.role-first", [choice({"role": "user"}), END], "/events/0/choices/0/delta/role", ""),
        ("chat.stream.finish-once", [BILL], "", ""),
        ("chat.stream.finish-once", [ROLE, END, END], "/events/2/choices/0/finish_reason", ""),
        ("chat.stream.finish-known", [choice({}, "SAFETY")], "/events/0/choices/0/finish_reason", "finish-foreign"),
        ("chat.stream.finish-known", [choice({}, "done")], "/events/0/choices/0/finish_reason", ""),
        ("chat.stream.index-from-zero", [choice({}, "stop", 1)], "/choices/0/index", "choice-index-shift"),
        ("chat.stream.usage-chunk", [ROLE, END], "", "usage-missing"),
        ("chat.stream.usage-chunk", [ROLE, END, BILL, BILL], "/events/2/usage", "usage-every-chunk"),
        ("chat.stream.usage-chunk", [ROLE, END | {"usage": USAGE}], "/events/1/choices", "usage-on-finish"),
        ("chat.stream.usage-chunk", [ROLE | {"usage": USAGE}, END], "/events/0/choices", "usage-with-choice"),
        ("chat.stream.usage-chunk", [ROLE, BILL, END], "/events/1", ""),
        ("chat.stream.usage-unasked", [ROLE, HEAD | {"choices": []}], "/events/1/choices", ""),
        ("chat.stream.usage-unasked", [ROLE, BILL], "/events/1/choices", "usage-unasked"),
        (
            "chat.stream.azure-filter-chunk",
            [{"choices": [], "prompt_filter_results": []}, END],
            "/events/0/choices",
            "azure-backed",
        ),
        ("chat.stream.extra-fields", [HEAD | {"choices": [], "a/b~": 1}], "/events/0/a~1b~0", ""),
        (
            "chat.stream.extra-fields",
            [HEAD | {"choices": [END["choices"][0] | {"content_filter_results": {}}]}],
            "/events/0/choices/0/content_filter_results",
            "azure-backed",
        ),
    ],
)
def test_what_is_found_in_a_stream(rule: str, chunks: list[Any], at: str | None, deviation: str):
    case = "chat.stream/usage" if rule == "chat.stream.usage-chunk" else "chat.stream/long"
    finding = found(rule, case, answer(sse(chunks).replace(b'data: "[DONE]"\n\n', b"")))
    assert (finding.at if finding else None) == at
    assert (finding.deviation if finding else "") == deviation


def test_an_end_mark_that_is_not_at_the_end_is_found():
    finding = found("chat.stream.done-last", "chat.stream/long", answer(sse([ROLE]) + sse([END])))
    assert finding
    assert (finding.at, finding.actual) == ("/events/1", "as event 1, 3")


def test_a_key_that_stands_twice_is_found_in_a_body_and_in_a_chunk():
    doubled = json.dumps(ROLE).replace("{", '{"id": "other", ', 1).encode()
    in_chunk = found("http.body.unique-keys", "chat.stream/long", answer(b"data: " + doubled + b"\n\n"))
    in_body = found("http.body.unique-keys", "chat/minimal", answer(doubled))
    assert in_chunk
    assert in_body
    assert (in_chunk.at, in_body.at) == ("/events/0", "")


@pytest.mark.parametrize(
    ("headers", "at"),
    [
        ({}, None),
        ({"x_ratelimit_limit_requests": "60", "x_ratelimit_remaining_requests": "59.5"}, None),
        ({"x_ratelimit_remaining_tokens": "5"}, None),
        ({"x_ratelimit_reset_tokens": "soon"}, None),
        ({"x_ratelimit_limit_requests": "60", "x_ratelimit_remaining_requests": "61"}, "remaining"),
        ({"x_ratelimit_limit_requests": "many"}, "limit"),
        ({"x_ratelimit_limit_requests": "9" * 400}, "limit"),
    ],
)
def test_rate_limits_are_read_where_they_are_stated(headers: dict[str, str], at: str | None):
    finding = found("http.rate-limit.readable", "chat/minimal", answer(COMPLETION, **headers))
    assert (finding.at if finding else None) == (f"header:x-ratelimit-{at}-requests" if at else None)


@pytest.mark.parametrize("place", ["header", "body"])
def test_a_masked_key_is_found_wherever_it_stands(place: str):
    masked = "<KEY*************>"
    response = answer(COMPLETION, x_token=masked) if place == "header" else answer(COMPLETION | {"id": masked})
    finding = found("http.key.not-echoed", "chat/minimal", response)
    assert finding
    assert finding.at == ("header:x-token" if place == "header" else "")


def test_a_429_is_found_wherever_it_came_among_the_attempts():
    good = answer(COMPLETION)
    for headers, verdict in (((), Verdict.WARN), ((("Retry-After", "1"),), Verdict.PASS)):
        tried = replace(exchange(MINIMAL, good), attempts=(Attempt(429, headers, None, 1.0),))
        (judgement,) = judge(ledger([tried]), ["http.retry-after.present"])
        assert judgement.verdict is verdict


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ({"param": "400", "code": None}, "param-holds-status"),
        ({"param": None, "code": 5}, "error-code-not-string"),
        ({}, "error-keys-missing"),
    ],
)
def test_oddities_of_the_error_object_are_told_apart(value: dict[str, Any], label: str):
    response = answer({"error": {"message": "no", "type": "t"} | value}, 400)
    finding = found("error.envelope.param-code", "chat/minimal", response)
    assert finding
    assert finding.deviation == label


@pytest.mark.parametrize(
    "leak",
    [
        'Post "https://api.upstream.example/v1": dial tcp: lookup api.upstream.example on 10.0.0.2:53',
        "Incorrect API key provided: sk-abcdefghijklmnopqrstuvwxyz",
        "Traceback (most recent call last)",
        "Error\n    at Object.run (/app/relay.js:10:5)",
        "goroutine 17 [running]",
        "see http://192.168.1.5:3000/panel",
    ],
)
def test_what_an_error_gives_away_is_found(leak: str):
    assert found("error.message.no-leak", "chat/minimal", answer({"error": {"message": leak, "type": "t"}}, 500))


def test_an_honest_error_gives_nothing_away():
    honest = {"error": {"message": "The model is at capacity; see https://relay.example/status", "type": "t"}}
    assert found("error.message.no-leak", "chat/minimal", answer(honest, 500)) is None


@pytest.mark.parametrize("text", ["", " \n"])
def test_tokens_need_not_be_counted_for_blanks(text: str):
    silent = COMPLETION | {"usage": USAGE | {"completion_tokens": 0, "total_tokens": 5}}
    silent["choices"] = [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]
    spoken = silent | {"choices": COMPLETION["choices"]}
    run = ledger([exchange(MINIMAL, answer(silent))])
    assert judge(run, ["chat.usage.counts"])[0].verdict in {Verdict.NOT_APPLICABLE, Verdict.PASS}
    assert found("chat.usage.counts", "chat/minimal", answer(spoken))


def test_facts_that_are_missing_are_not_held_against_the_single_model():
    cases = (CASES["models.list/list"], CASES["models.retrieve/listed"])
    for single, verdict in (({"id": "mock-chat"}, Verdict.PASS), ({"id": "mock-chat", "owned_by": "x"}, Verdict.WARN)):
        run = ledger([exchange(cases[0], answer(MODELS)), exchange(cases[1], answer(single))])
        assert judge(run, ["models.retrieve.matches-list"])[0].verdict is verdict


@pytest.mark.parametrize(
    ("times", "verdict"),
    [
        ((0.1, [3.0] * 30), Verdict.WARN),
        ((0.1, [3.0 + place / 50 for place in range(30)]), Verdict.PASS),
        ((2.9, [3.0] * 30), Verdict.PASS),
        ((0.1, [1.5] * 30), Verdict.PASS),
    ],
    ids=["all-at-once", "spread", "everything-late", "soon"],
)
def test_a_stream_that_comes_all_at_once_is_held_against_a_relay_that_is_quick_otherwise(
    times: tuple[float, list[float]], verdict: Verdict
):
    long = sse([ROLE, *(choice({"content": f"word {place}, "}) for place in range(28)), END])
    ends = [place + 2 for place in range(len(long)) if long.startswith(b"\n\n", place)]
    streamed = replace(answer(long), arrivals=tuple(zip(times[1], ends, strict=False)))
    short = replace(answer(sse([ROLE, TEXT, END])), arrivals=((times[0], 10_000),))
    run = ledger(
        [exchange(CASES["chat.stream/long"], streamed), exchange(CASES["chat.stream/minimal"], short)],
    )
    assert judge(run, ["chat.stream.incremental"])[0].verdict is verdict


@pytest.mark.parametrize(
    ("reasons", "verdict"),
    [(["length", "length"], Verdict.PASS), (["stop", "length"], Verdict.PASS), (["stop", None], Verdict.FAIL)],
)
def test_one_of_two_cut_answers_may_have_ended_by_itself(reasons: list[str | None], verdict: Verdict):
    exchanges = []
    for limit, reason in zip((6, 11), reasons, strict=True):
        cut = COMPLETION | {"usage": USAGE | {"completion_tokens": limit, "total_tokens": 5 + limit}}
        message = {"role": "assistant", "content": "one, two"}
        cut["choices"] = [{"index": 0, "message": message, "finish_reason": reason}]
        exchanges.append(exchange(CASES[f"chat/cut-at-{limit}"], answer(cut)))
    assert judge(ledger(exchanges), ["chat.max-tokens.finish-length"])[0].verdict is verdict


def test_a_streamed_answer_that_is_cut_says_so_too():
    billed = BILL | {"usage": USAGE | {"completion_tokens": 9, "total_tokens": 14}}
    for reason, verdict in (("length", Verdict.PASS), ("stop", Verdict.FAIL)):
        streams = [answer(sse([ROLE, TEXT, choice({}, reason), billed])) for _ in range(2)]
        case = CASES["chat.stream/cut-at-9"]
        other = replace(case, id="chat.stream/cut-again")
        run = ledger([exchange(each, stream) for each, stream in zip((case, other), streams, strict=True)])
        run = replace(run, exchanges=tuple(replace(each, request=_limited(9)) for each in run.exchanges))
        assert judge(run, ["chat.max-tokens.finish-length"])[0].verdict is verdict


def _limited(tokens: int) -> Request:
    return Request("POST", "http://127.0.0.1:8000/v1/chat/completions", (), json.dumps({"max_tokens": tokens}).encode())


@pytest.mark.parametrize(("reason", "label"), [("", "finish-empty-string"), ("tool_use", "finish-foreign"), (None, "")])
def test_an_undocumented_finish_of_a_plain_answer_is_labelled(reason: str | None, label: str):
    odd = COMPLETION | {"choices": [COMPLETION["choices"][0] | {"finish_reason": reason}]}
    finding = found("chat.finish-reason.known", "chat/minimal", answer(odd))
    assert finding
    assert finding.deviation == label
