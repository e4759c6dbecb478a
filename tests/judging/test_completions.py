"""Text completions: honest answers that look odd are let be, broken ones are blamed where they break."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from conformance.model import Response, Verdict

from .families import Family
from .runs import answer, sse
from .test_garbage import ODD, changed, pointers

FAMILY = Family("completions", "gpt-3.5-turbo-instruct")
HEAD = {"id": "cmpl-1", "object": "text_completion", "created": 1_770_000_000, "model": "m"}
USAGE = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}
NONE_WRITTEN = {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}
LOGPROBS = {
    "tokens": ["a", "b"],
    "token_logprobs": [None, -1.5],
    "top_logprobs": [None, {"b": -1.5}],
    "text_offset": [0, 1],
}


def choice(text: str, index: int = 0, finish: str | None = "stop", logprobs: Any = None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish}


def of(*texts: str, **changes: Any) -> dict[str, Any]:
    choices = [choice(text, index) for index, text in enumerate(texts)]
    return {**HEAD, "choices": choices, "usage": USAGE, **changes}


def chunk(*choices: Any, **changes: Any) -> dict[str, Any]:
    return {**HEAD, "choices": list(choices), **changes}


STREAM = [chunk(choice("\n1", finish=None)), chunk(choice(" 2", finish=None)), chunk(choice("", finish="length"))]
USED = [*STREAM, chunk(usage=USAGE)]
GOOD: dict[str, Any] = {
    "default-limit": of("one, two"),
    "counting": of("\n1 2"),
    "prompts": of("Otter", "Paris"),
    "two-choices": of("Otter", "Heron"),
    "echo": of("Say OK OK"),
    "stop": of("1 2 3 4"),
    "logprobs": of("OK", choices=[choice("ab", logprobs=LOGPROBS)]),
    "completions.stream/counting": answer(sse(STREAM)),
    "completions.stream/usage": answer(sse(USED)),
}


def runs(**changes: Any) -> list[Any]:
    named = {name.replace("stream_", "completions.stream/").replace("_", "-"): told for name, told in changes.items()}
    return [FAMILY.run(name, told) for name, told in (GOOD | named).items()]


AWKWARD: dict[str, dict[str, Any]] = {
    "as always": {},
    "a blank before the echo": {"echo": of(" Say OK OK")},
    "nothing after the echo": {"echo": of("Say OK", usage=NONE_WRITTEN)},
    "no usage": {"counting": {name: value for name, value in of("\n1 2").items() if name != "usage"}},
    "usage is null": {"stop": of("1", usage=None)},
    "nothing said": {"stop": of("", usage=NONE_WRITTEN)},
    "the filter cut it": {"stop": of(choices=[choice("1", finish="content_filter")])},
    "finish on the last text": {"stream_counting": answer(sse([STREAM[0], chunk(choice(" 2", finish="length"))]))},
    "no key before the finish": {"stream_counting": answer(sse([chunk({"text": "\n1 2", "index": 0}), STREAM[2]]))},
    "finish, then more of nothing": {"stream_counting": answer(sse([*STREAM, chunk(choice("", finish=None))]))},
    "usage null on every chunk": {"stream_counting": answer(sse([{**each, "usage": None} for each in STREAM]))},
    "choices in turns": {"two_choices": of(choices=[choice("b", 1), choice("a", 0)])},
    "nothing said, nothing rated": {"logprobs": of("", usage=NONE_WRITTEN)},
    "another blank": {"stream_counting": answer(sse([chunk(choice("1 2", finish="length"))]))},
}  # fmt: skip


@pytest.mark.parametrize("changes", AWKWARD.values(), ids=AWKWARD)
def test_an_honest_relay_is_not_blamed(changes: dict[str, Any]):
    assert FAMILY.blamed(*runs(**changes)) == set()


def counted(**counts: int) -> dict[str, Any]:
    return of("1 2 3 4", usage={**USAGE, **counts})


BROKEN: dict[str, tuple[str, Any, str]] = {
    "one of two": ("two_choices", of("Otter"), "choices.count"),
    "one of two prompts": ("prompts", of("Otter"), "choices.count"),
    "no choice": ("stop", of(), "choices.count"),
    "the same index": ("two_choices", of(choices=[choice("a"), choice("b")]), "choices.count"),
    "no finish": ("stop", of(choices=[choice("1", finish=None)]), "finish-reason.known"),
    "a foreign finish": ("stop", of(choices=[choice("1", finish="end_turn")]), "finish-reason.known"),
    "no finish in a stream": ("stream_usage", answer(sse([*USED[:2], USED[3]])), "finish-reason.known"),
    "more than sixteen": ("default_limit", counted(completion_tokens=17, total_tokens=22), "max-tokens.default"),
    "more than was allowed": ("stop", counted(completion_tokens=25, total_tokens=30), "max-tokens.honoured"),
    "no echo": ("echo", of(" OK"), "echo.honoured"),
    "read on": ("stop", of("1 2 3 4 5 6"), "stop.honoured"),
    "no logprobs": ("logprobs", of("OK"), "logprobs.aligned"),
    "chat's logprobs": ("logprobs", of(choices=[choice("OK", logprobs={"content": []})]), "logprobs.aligned"),
    "ragged": ("logprobs", of(choices=[choice("OK", logprobs={**LOGPROBS, "tokens": []})]), "logprobs.aligned"),
    "another total": ("stop", counted(total_tokens=10), "usage.adds-up"),
    "no prompt counted": ("stop", counted(prompt_tokens=0, total_tokens=4), "usage.counts"),
    "another total in a stream": (
        "stream_usage", answer(sse([*STREAM, chunk(usage={**USAGE, "total_tokens": 1})])), "usage.adds-up"
    ),
    "no key for the finish": ("stream_usage", answer(sse([chunk({"text": "1", "index": 0})])), "finish-reason.known"),
    "no end": ("stream_counting", answer(sse(STREAM).removesuffix(b"data: [DONE]\n\n")), "stream.done-last"),
    "two ends": ("stream_counting", answer(sse(STREAM) + b"data: [DONE]\n\n"), "stream.done-last"),
    "nothing streamed": ("stream_counting", answer(sse([chunk(choice("", finish="length"))])), "stream.text-present"),
    "half streamed": ("stream_counting", answer(sse([STREAM[0], STREAM[2]])), "stream.equals-plain"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "told", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_blamed_once(name: str, told: Any, rule: str):
    assert FAMILY.blamed(*runs(**{name: told})) == {f"completions.{rule}"}


@pytest.mark.parametrize(
    ("what", "label"),
    [
        ("one of two", "params-dropped"),
        ("no finish", "finish-lost"),
        ("a foreign finish", "finish-foreign"),
        ("no echo", "params-dropped"),
        ("no end", "done-missing"),
    ],
)
def test_a_known_deviation_is_named(what: str, label: str):
    name, told, _ = BROKEN[what]
    assert label in FAMILY.labels(*runs(**{name: told}))


def asked(body: dict[str, Any], told: Any) -> set[str]:
    """Who is blamed when this was asked and so much was said to be written."""
    made = FAMILY.run("counting", told)
    body = {"model": "m", "prompt": "Say OK", **body}
    case = replace(made.case, id="completions/generated-1", probes=frozenset({"generated"}), body=body)
    sent = replace(made.request, body=json.dumps(body).encode())
    return FAMILY.blamed(replace(made, case=case, request=sent))


@pytest.mark.parametrize(
    ("body", "written", "blamed"),
    [
        ({"max_tokens": 4, "best_of": 2}, 8, False),
        ({"max_tokens": 4, "best_of": 2}, 9, True),
        ({"max_tokens": 4, "best_of": 2, "n": 1}, 8, False),
        ({"max_tokens": 4, "best_of": None}, 5, True),
        ({"max_tokens": 4, "echo": True}, 6, False),
        ({"max_tokens": 4, "echo": False}, 6, True),
    ],
)
def test_what_is_written_for_a_choice_that_is_not_shown_counts_as_well(body: Any, written: int, blamed: bool):
    told = counted(completion_tokens=written, total_tokens=5 + written)
    assert ("completions.max-tokens.honoured" in asked(body, told)) is blamed


@pytest.mark.parametrize(("written", "blamed"), [(16, False), (17, True)])
def test_no_limit_is_the_default_limit_also_where_it_is_null(written: int, blamed: bool):
    told = counted(completion_tokens=written, total_tokens=5 + written)
    assert ("completions.max-tokens.default" in asked({"max_tokens": None}, told)) is blamed


def test_a_missing_prompt_should_be_refused():
    answered = FAMILY.run("missing-prompt", of("OK"))
    refused = FAMILY.run("missing-prompt", {"error": {"message": "no", "type": "x"}}, 400)
    assert FAMILY.judged(answered)["completions.prompt.required"].verdict is Verdict.WARN
    assert FAMILY.judged(refused)["completions.prompt.required"].verdict is Verdict.PASS


def test_a_missing_usage_is_noted():
    assert FAMILY.judged(*runs(stop=of("1", usage=None)))["completions.usage.present"].verdict is Verdict.NOTE


def test_a_finish_is_judged_where_a_text_is_missing():
    """Seen with LiteLLM: the last chunks of a stream have no text."""
    judged = FAMILY.judged(*runs(stream_counting=answer(sse([STREAM[0], chunk({"index": 0, "finish_reason": "no"})]))))
    assert judged["operation.response.compat"].verdict is Verdict.FAIL
    assert judged["completions.finish-reason.known"].verdict is Verdict.FAIL
    assert judged["completions.stream.text-present"].verdict is Verdict.INCONCLUSIVE


def streams(template: Sequence[Any]) -> list[Response]:
    places = [at for at in pointers(list(template)) if at]
    return [answer(sse(changed(list(template), at, odd))) for at in places for odd in ODD.values()]


def test_nothing_odd_in_one_place_makes_a_rule_stumble():
    assert list(FAMILY.stumbles_over({name: told for name, told in GOOD.items() if "/" not in name})) == []


@pytest.mark.parametrize("name", ["counting", "usage"])
def test_nothing_odd_in_one_place_of_a_stream_makes_a_rule_stumble(name: str):
    counting = FAMILY.run("counting", GOOD["counting"])
    for told in streams([STREAM[0], *USED[2:]]):
        assert FAMILY.stumbles(counting, FAMILY.run(f"completions.stream/{name}", told)) == []


def test_no_body_of_another_kind_makes_a_rule_stumble():
    for body in (b"", b"[]", b"<html>", b"data: {}\n\n", b"data: 5\n\n", b"data: [DONE]\n\n", b"null", b"{}"):
        assert FAMILY.stumbles(*(FAMILY.run(name, body) for name in GOOD)) == []
