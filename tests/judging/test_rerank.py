"""Reranking: honest answers of Jina, Cohere and others are let be, broken ones are blamed where they break."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.model import Verdict

from .families import CASES, Family

FAMILY = Family("rerank", "rerank-v3.5")


def of(*ranked: tuple[int, float], **changes: Any) -> dict[str, Any]:
    return {"results": [{"index": index, "relevance_score": score} for index, score in ranked], **changes}


def told(name: str, *, text: Any = None) -> list[dict[str, Any]]:
    """Two results with their documents, in a form of one's own."""
    documents = (CASES[f"rerank/{name}"].body or {})["documents"]
    return [
        {"index": index, "relevance_score": score, "document": text(documents[index])}
        for index, score in ((1, 0.9), (0, 0.2))
    ]


GOOD: dict[str, Any] = {
    "three": of((1, 0.9), (0, 0.2), (2, 0.01), usage={"total_tokens": 9}),
    "permuted": of((0, 0.9), (2, 0.2), (1, 0.01), id="x", meta={"billed_units": {"search_units": 1}}),
    "top-two": of((1, 0.9), (0, 0.2)),
    "with-documents": {"results": told("with-documents", text=lambda text: {"text": text})},
    "without-documents": of((1, 0.9), (0, 0.2)),
}
AWKWARD: dict[str, dict[str, Any]] = {
    "as always": {},
    "documents as texts": {"with-documents": {"results": told("with-documents", text=lambda text: text)}},
    "documents that are null": {"without-documents": {"results": told("without-documents", text=lambda _: None)}},
    "empty documents": {"without-documents": {"results": told("without-documents", text=lambda _: {"text": ""})}},
    "jina returns documents unasked": {"top-two": {"results": told("top-two", text=lambda text: {"text": text})}},
    "a tie": {"three": of((1, 0.9), (0, 0.2), (2, 0.2)), "permuted": of((0, 0.9), (1, 0.2), (2, 0.2))},
    "near ties change places": {
        "three": of((1, 0.9), (0, 0.204), (2, 0.2)), "permuted": of((0, 0.9), (1, 0.204), (2, 0.2))
    },
    "whole scores": {"top-two": of((1, 1), (0, 0))},
    "rounded by float32": {"top-two": of((1, 1.0000001), (0, -1e-08))},
}  # fmt: skip


def runs(changes: dict[str, Any]) -> list[Any]:
    return [FAMILY.run(name, each) for name, each in (GOOD | changes).items()]


@pytest.mark.parametrize("changes", AWKWARD.values(), ids=AWKWARD)
def test_an_honest_relay_is_not_blamed(changes: dict[str, Any]):
    assert FAMILY.blamed(*runs(changes)) == set()


BROKEN: dict[str, tuple[str, Any, str]] = {
    "top_n ignored": ("top-two", GOOD["three"], "results.count"),
    "one lost": ("three", of((1, 0.9), (0, 0.2)), "results.count"),
    "none": ("three", of(), "results.count"),
    "an index twice": ("top-two", of((1, 0.9), (1, 0.2)), "results.indexes"),
    "an index beyond": ("top-two", of((1, 0.9), (3, 0.2)), "results.indexes"),
    "unsorted": ("top-two", of((0, 0.2), (1, 0.9)), "results.sorted"),
    "below zero": ("top-two", of((1, 0.9), (0, -4.5)), "scores.range"),
    "above one": ("top-two", of((1, 7.1), (0, 0.2)), "scores.range"),
    "another document": (
        "with-documents", {"results": told("with-documents", text=lambda _: "x")}, "documents.returned"
    ),
    "no document": ("with-documents", of((1, 0.9), (0, 0.2)), "documents.returned"),
    "documents unasked": (
        "without-documents", {"results": told("without-documents", text=lambda text: text)}, "documents.unasked"
    ),
    "another order": ("permuted", of((1, 0.9), (2, 0.2), (0, 0.01)), "results.permuted-same"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "body", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_blamed_once(name: str, body: Any, rule: str):
    assert FAMILY.blamed(*runs({name: body})) == {f"rerank.{rule}"}


def test_the_answer_to_the_query_should_come_first():
    wrong = {"three": of((2, 0.9), (0, 0.2), (1, 0.01)), "permuted": of((1, 0.9), (2, 0.2), (0, 0.01))}
    assert FAMILY.blamed(*runs(wrong)) == {"rerank.results.relevant-first"}


@pytest.mark.parametrize("name", ["empty-query", "empty-documents"])
def test_nothing_to_rank_has_to_be_refused(name: str):
    refused = FAMILY.run(name, {"error": {"message": "query is empty", "type": "x"}}, 400)
    failed = FAMILY.run(name, {"error": {"message": "query is empty", "type": "x", "code": "invalid_request"}}, 500)
    assert FAMILY.judged(refused)["rerank.input.required"].verdict is Verdict.PASS
    assert FAMILY.judged(failed)["rerank.input.required"].verdict is Verdict.FAIL
    assert FAMILY.judged(FAMILY.run(name, of()))["rerank.input.required"].verdict is Verdict.FAIL


def test_nothing_odd_in_one_place_makes_a_rule_stumble():
    assert list(FAMILY.stumbles_over(GOOD)) == []


def test_no_body_of_another_kind_makes_a_rule_stumble():
    for body in (b"", b"[]", b"<html>", b"data: {}\n\n", b"null", b"{}"):
        assert FAMILY.stumbles(*(FAMILY.run(name, body) for name in GOOD)) == []
