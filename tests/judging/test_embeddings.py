"""Embeddings: honest answers that look odd are let be, broken ones are blamed where they break, nothing stumbles."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Sequence
from typing import Any

import pytest

from conformance.model import Verdict

from .families import Family
from .runs import answer

ANY = Family("embeddings", "bge-m3")
OPENAI = Family("embeddings", "openai/text-embedding-3-small")
HELLO = [0.6, 0.0, 0.8]
CATS = [[1.0, 0.0, 0.0], [0.96, 0.28, 0.0]]


def of(*vectors: Any, **changes: Any) -> dict[str, Any]:
    data = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 7, "total_tokens": 7}
    return {"object": "list", "data": data, "model": "m", "usage": usage, **changes}


def coded(vector: Sequence[float], form: str = "<f") -> str:
    return base64.b64encode(struct.pack(f"{form[0]}{len(vector)}{form[1]}", *vector)).decode()


def long(vector: Sequence[float], size: int = 1536) -> list[float]:
    return [*vector, *[0.0] * (size - len(vector))]


GOOD = {
    "batch": of(*CATS, HELLO),
    "single": of(HELLO),
    "single-again": of(HELLO),
    "base64": of(coded(HELLO)),
    "dimensions": of(HELLO),
    "tokens": of(HELLO),
}
AWKWARD = {
    "as always": {},
    "a little drift": {"single-again": of([0.6001, 0.0, 0.7999])},
    "integers": {"batch": of([1, 0, 0], CATS[1], HELLO)},
    "not of unit length": {name: of(*([3 * value for value in vector] for vector in vectors)) for name, vectors in (
        ("single", [HELLO]), ("single-again", [HELLO]), ("batch", [*CATS, HELLO])
    )},
    "a mapped model": {"single": of(HELLO, model="text-embedding-v3")},
    "more keys": {"single": of(HELLO, id="embd-1", created=1)},
    "no dimensions": {"dimensions": of(HELLO)},
    "tokens refused": {"tokens": answer({"error": {"message": "bad", "type": "x", "param": None, "code": None}}, 400)},
}  # fmt: skip


@pytest.mark.parametrize("changes", AWKWARD.values(), ids=AWKWARD)
def test_an_honest_relay_is_not_blamed(changes: dict[str, Any]):
    assert ANY.blamed(*(ANY.run(name, told) for name, told in (GOOD | changes).items())) == set()


def test_openai_s_own_answers_pass():
    told = {
        name: of(*map(long, vectors))
        for name, vectors in {"batch": [*CATS, HELLO], "single": [HELLO], "single-again": [HELLO]}.items()
    } | {"base64": of(coded(long(HELLO))), "dimensions": of(long(HELLO, 128)), "tokens": of(long(HELLO))}
    judged = OPENAI.judged(*(OPENAI.run(name, each) for name, each in told.items()))
    ours = {rule: each.verdict for rule, each in judged.items() if rule.startswith("embeddings")}
    assert set(ours.values()) == {Verdict.PASS}
    assert len(ours) == 15


BROKEN: dict[str, tuple[str, Any, str]] = {
    "index zero": ("batch", of(*CATS, HELLO) | {"data": [
        {"object": "embedding", "index": 0, "embedding": each} for each in (*CATS, HELLO)
    ]}, "data.one-each"),
    "only the first": ("batch", of(CATS[0]), "data.one-each"),
    "one too many": ("single", of(HELLO, HELLO), "data.one-each"),
    "none": ("single", of(), "data.one-each"),
    "another in the batch": ("batch", of(*CATS, [0.0, 1.0, 0.0]), "batch.equals-single"),
    "no sense": ("batch", of(CATS[0], [-1.0, 0.0, 0.0], HELLO), "vectors.sense"),
    "empty": ("single", of([]), "vectors.numbers"),
    "zeros": ("single", of([0, 0, 0]), "vectors.numbers"),
    "too large": ("single", of([10**400, 0, 0]), "vectors.numbers"),
    "base64 unasked": ("single", of(coded(HELLO)), "vectors.numbers"),
    "shorter": ("single-again", of([0.6, 0.8]), "vectors.same-length"),
    "another vector": ("single-again", of(CATS[0]), "vectors.repeat"),
    "floats for base64": ("base64", of(HELLO), "base64.honoured"),
    "nothing for base64": ("base64", of(""), "base64.honoured"),
    "big-endian": ("base64", of(coded(HELLO, ">f")), "base64.decodes"),
    "doubles": ("base64", of(coded(HELLO, "<d")), "base64.decodes"),
    "no base64": ("base64", of("{}"), "base64.decodes"),
    "no ASCII": ("base64", of("你好"), "base64.decodes"),
    "a byte too many": ("base64", of(base64.b64encode(b"12345").decode()), "base64.decodes"),
    "not finite": ("base64", of(coded([math.inf, 0.0, 0.0])), "base64.decodes"),
    "another in base64": ("base64", of(coded(CATS[0])), "base64.decodes"),
    "nothing counted": ("single", of(HELLO, usage={"prompt_tokens": 0, "total_tokens": 0}), "usage.counts"),
    "another total": ("single", of(HELLO, usage={"prompt_tokens": 7, "total_tokens": 9}), "usage.adds-up"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "told", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_blamed_once(name: str, told: Any, rule: str):
    assert ANY.blamed(*(ANY.run(each, value) for each, value in (GOOD | {name: told}).items())) == {
        f"embeddings.{rule}"
    }


@pytest.mark.parametrize(
    ("name", "told", "label"),
    [
        (*BROKEN["index zero"][:2], "embedding-index-zero"),
        (*BROKEN["only the first"][:2], "embedding-first-only"),
        (*BROKEN["floats for base64"][:2], "embedding-format-ignored"),
        (*BROKEN["nothing counted"][:2], "usage-zero"),
        (*BROKEN["another total"][:2], "usage-total-mismatch"),
    ],
)
def test_a_known_deviation_is_named(name: str, told: Any, label: str):
    assert ANY.labels(ANY.run(name, told)) == {label}


@pytest.mark.parametrize(
    ("name", "told", "rule"),
    [
        ("single", of(long([3 * value for value in HELLO])), "vectors.unit-length"),
        ("single", of(HELLO), "vectors.same-length"),
        ("dimensions", of(long(HELLO)), "dimensions.honoured"),
        ("tokens", of(long(CATS[0])), "tokens.equal-text"),
        ("tokens", answer({"error": {"message": "bad", "type": "x"}}, 400), "tokens.accepted"),
    ],
)
def test_openai_s_models_are_held_to_more(name: str, told: Any, rule: str):
    others = [OPENAI.run("single", of(long(HELLO)))] if name == "tokens" else []
    assert OPENAI.blamed(*others, OPENAI.run(name, told)) == {f"embeddings.{rule}"}


def test_openai_s_models_may_refuse_tokens_by_name():
    refused = answer({"error": {"message": "input must be text", "type": "x"}}, 400)
    judged = OPENAI.judged(OPENAI.run("tokens", refused))
    assert judged["embeddings.tokens.accepted"].verdict in {Verdict.PASS, Verdict.UNSUPPORTED}
    assert OPENAI.blamed(OPENAI.run("tokens", refused)) == set()


def test_rounded_base64_is_noted_and_another_vector_is_not():
    def noted(vector: Sequence[float]) -> Verdict:
        judged = ANY.judged(ANY.run("single", of(HELLO)), ANY.run("base64", of(coded(vector))))
        return judged["embeddings.base64.exact"].verdict

    assert noted(HELLO) is Verdict.PASS
    assert noted([0.6003, 0.0, 0.8]) is Verdict.NOTE
    assert noted(CATS[0]) is Verdict.PASS


@pytest.mark.parametrize(
    ("told", "status", "bad", "label"),
    [
        ({"error": {"message": "input is required", "type": "x"}}, 400, False, ""),
        ({"error": {"message": "input is required", "type": "x"}}, 422, False, ""),
        (of(HELLO), 200, True, "params-unchecked"),
        ({"error": {"message": "x", "type": "x", "code": "invalid_request"}}, 500, True, "validation-500"),
        ({"error": {"message": "x", "type": "x", "code": "oops"}}, 500, True, ""),
    ],
)
@pytest.mark.parametrize("name", ["missing-input", "empty-input"])
def test_no_input_has_to_be_refused(name: str, told: Any, status: int, bad: bool, label: str):
    found = ANY.judged(ANY.run(name, told, status))["embeddings.input.required"]
    assert (found.verdict is Verdict.FAIL) is bad
    assert not bad or found.findings[0].deviation == label


@pytest.mark.parametrize("name", GOOD)
def test_no_body_that_is_not_json_makes_a_rule_stumble(name: str):
    for body in (b"", b"[]", b"<html>", b"data: {}\n\n", b"null"):
        assert ANY.stumbles(*(ANY.run(each, GOOD[each]) for each in GOOD if each != name), ANY.run(name, body)) == []


def test_nothing_odd_in_one_place_makes_a_rule_stumble():
    assert list(OPENAI.stumbles_over(GOOD)) == []
