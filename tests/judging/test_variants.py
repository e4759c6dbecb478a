"""Variants of chat: what honest channels answer is let be, whatever their models are like."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.model import Response, Verdict

from .families import BAD, CASES, Family
from .runs import COMPLETION, answer, exchange, ledger, verdicts

FAMILY = Family("variants")
REFUSED = {"error": {"message": "'max_tokens' is not supported here", "type": "invalid", "param": None, "code": None}}
VAGUE = {"error": {"message": "bad request", "type": "invalid", "param": None, "code": None}}
PICTURE = Response(200, (("content-type", "image/png"),), b"\x89PNG", 0.1)


def no(part: str) -> dict[str, Any]:
    return {"error": {**VAGUE["error"], "message": f"'{part}' is not supported"}}


def says(text: Any = "OK", finish: str = "stop", written: int = 3, prompt: int = 5, **details: Any) -> dict[str, Any]:
    choice = COMPLETION["choices"][0] | {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
    return COMPLETION | {
        "choices": [choice],
        "usage": usage | ({"completion_tokens_details": details} if details else {}),
    }


def judged(*exchanges: Any) -> dict[str, Verdict]:
    """The worst verdict of every rule there is."""
    found: dict[str, Verdict] = {}
    for (rule, _), judgement in verdicts(ledger(exchanges)).items():
        found[rule] = max(judgement.verdict, found.get(rule, Verdict.NOT_RUN))
    return found


def blamed(*exchanges: Any) -> set[str]:
    return {rule for rule, verdict in judged(*exchanges).items() if verdict in BAD}


def run(name: str, told: Any, status: int = 200) -> Any:
    return exchange(CASES[name], told if isinstance(told, Response) else answer(told, status))


HONEST: dict[str, tuple[str, Any, int]] = {
    "o1 that used up its limit": ("chat/variant-o1", says("", "length", 256, reasoning_tokens=256), 200),
    "o1 that answers": ("chat/variant-o1", says("9.9", written=200, reasoning_tokens=190), 200),
    "o1 without usage": ("chat/variant-o1", says() | {"usage": None}, 200),
    "o1 that is gone": ("chat/variant-o1", {"error": {**VAGUE["error"], "code": "model_not_found"}}, 404),
    "o1 that takes max_tokens": ("chat/variant-o1-max-tokens", says(reasoning_tokens=2), 200),
    "o1 that refuses max_tokens": ("chat/variant-o1-max-tokens", REFUSED, 400),
    "o1 that refuses system": ("chat/variant-o1-system", no("system"), 400),
    "Gemini that only thought": ("chat/variant-gemini", says("", "stop", 16), 200),
    "Gemini that thought and says nothing": ("chat/variant-gemini", says("", "length", 16), 200),
    "Gemini that was cut": ("chat/variant-gemini", says("1 2 3", "length", 16), 200),
    "Gemini that counts in few tokens": ("chat/variant-gemini", says("1 2 90", "stop", 16), 200),
    "Claude": ("chat/variant-claude", says() | {"id": "msg_1", "model": "claude-3-haiku"}, 200),
    "a GPT that counts nothing": ("chat/variant-gpts", says(written=0, prompt=0), 200),
    "a GPT that talks on": ("chat/variant-gpts", says("word " * 90, written=90), 200),
    "a GPT that does not exist": ("chat/variant-gpts-unknown", VAGUE, 404),
    "gpt-4-all that sees": ("chat/variant-analysis", says("red", written=0, prompt=0), 200),
    "gpt-4-all that takes text only": ("chat/variant-analysis", no("image_url"), 400),
    "gpt-4-all that draws": ("chat/variant-drawing", says("![a](https://files.example/a)", written=0), 200),
    "gpt-4-all that draws barely": ("chat/variant-drawing", says("at https://f.example/a.PNG?x=1", written=900), 200),
    "a drawing": ("media/drawn", PICTURE, 200),
    "a drawing behind a busy host": ("media/drawn", VAGUE, 429),
}  # fmt: skip


@pytest.mark.parametrize(("name", "told", "status"), HONEST.values(), ids=HONEST)
def test_an_honest_channel_is_not_blamed(name: str, told: Any, status: int):
    assert {rule for rule in blamed(run(name, told, status)) if not rule.startswith("images.")} == set()


BROKEN: dict[str, tuple[str, Any, int, str]] = {
    "o1 without details": ("chat/variant-o1", says(), 200, "variants.o1.reasoning-tokens"),
    "o1 that did not reason": ("chat/variant-o1", says(reasoning_tokens=0), 200, "variants.o1.reasons"),
    "o1 that refuses vaguely": ("chat/variant-o1-max-tokens", VAGUE, 400, "variants.o1.field-clear"),
    "Gemini that says stop": ("chat/variant-gemini", says("1 2 3", "stop", 16), 200, "variants.gemini.cut-says-length"),
    "any GPT": ("chat/variant-gpts-unknown", says(), 200, "variants.gpts.unknown-refused"),
    "gpt-4-all that refuses vaguely": ("chat/variant-analysis", VAGUE, 400, "variants.analysis.picture-taken"),
    "gpt-4-all that only talks": ("chat/variant-drawing", says("Done!"), 200, "variants.drawing.links-picture"),
    "a drawing that is gone": ("media/drawn", VAGUE, 404, "variants.drawing.served"),
    "a drawing that is a page": ("media/drawn", {}, 200, "variants.drawing.served"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "told", "status", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_broken_channel_is_told(name: str, told: Any, status: int, rule: str):
    assert FAMILY.blamed(run(name, told, status)) == {rule}


def test_zeros_of_a_web_channel_are_noted():
    assert judged(run("chat/variant-gpts", says(written=0)))["variants.web.usage-counted"] is Verdict.NOTE


def test_no_rule_stumbles_over_an_answer_of_another_shape():
    good = {name: told for name, told, status in HONEST.values() if status == 200 and name.startswith("chat/")}
    assert list(FAMILY.stumbles_over(good)) == []
