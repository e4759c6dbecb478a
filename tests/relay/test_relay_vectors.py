"""What is refused, and what is answered, by the relay's embeddings, reranking and moderation."""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import TYPE_CHECKING, Any

import pytest

from conformance.relay import MODELS
from conformance.relay.embeddings import DIMENSIONS
from conformance.relay.moderations import CATEGORIES

if TYPE_CHECKING:
    import httpx

HELLO = "Hello, world! 你好"
TOKENS = [9906, 11, 1917, 0, 220, 57668, 53901]
EMBEDDING = next(name for name in MODELS if "embedding" in name)
DOCUMENTS = ["Nevada has a capital.", "The capital of France is Paris.", "Bananas"]


def embed(client: httpx.Client, given: Any, **fields: Any) -> httpx.Response:
    body = {"model": EMBEDDING, "input": given, **fields}
    return client.post("/v1/embeddings", content=json.dumps(body))


def rank(client: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": "mock-rerank", "query": "What is the capital of France?", "documents": DOCUMENTS, **fields}
    return client.post("/v1/rerank", content=json.dumps(body))


def moderate(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/v1/moderations", content=json.dumps(fields))


def vectors(answer: httpx.Response) -> list[Any]:
    return [item["embedding"] for item in answer.json()["data"]]


def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 400
    return str(answer.json()["error"]["param"])


@pytest.mark.parametrize("given", [None, "", [], 4, {}, [""], ["a", 4], [[]], [4, "a"], [["a"]], ["a"] * 2049])
def test_what_is_no_text_is_not_embedded(client: httpx.Client, given: Any) -> None:
    assert refused(embed(client, given)) == "input"


@pytest.mark.parametrize(
    "fields", [{"encoding_format": "hex"}, {"dimensions": 0}, {"dimensions": DIMENSIONS + 1}, {"user": 4}]
)
def test_a_bad_field_of_embeddings_is_refused(client: httpx.Client, fields: dict[str, Any]) -> None:
    assert refused(embed(client, HELLO, **fields)) == next(iter(fields))


def test_every_text_gets_a_vector_of_its_own(client: httpx.Client) -> None:
    answer = embed(client, ["a cat", HELLO])
    assert [item["index"] for item in answer.json()["data"]] == [0, 1]
    assert vectors(answer)[1:] == vectors(embed(client, HELLO)) == vectors(embed(client, [HELLO]))
    assert {len(vector) for vector in vectors(answer)} == {DIMENSIONS}
    assert answer.json()["usage"]["prompt_tokens"] == answer.json()["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("size", [1, 16, DIMENSIONS])
def test_vectors_are_of_unit_length_however_short(client: httpx.Client, size: int) -> None:
    (vector,) = vectors(embed(client, HELLO, dimensions=size))
    assert len(vector) == size
    assert math.hypot(*vector) == pytest.approx(1, abs=0.005)


def test_base64_is_the_same_in_float32(client: httpx.Client) -> None:
    (text,) = vectors(embed(client, HELLO, encoding_format="base64"))
    (vector,) = vectors(embed(client, HELLO))
    assert struct.unpack(f"<{DIMENSIONS}f", base64.b64decode(text)) == pytest.approx(vector)


def test_tokens_are_read_as_their_text(client: httpx.Client) -> None:
    (vector,) = vectors(embed(client, HELLO))
    assert vectors(embed(client, TOKENS)) == [vector]
    assert vectors(embed(client, [TOKENS, [1, 2]]))[0] == vector
    assert vectors(embed(client, [1, 2])) != [vector]


def test_a_text_of_blanks_has_a_vector_too(client: httpx.Client) -> None:
    assert math.hypot(*vectors(embed(client, "  "))[0]) == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"query": ""}, "query"),
        ({"query": 4}, "query"),
        ({"documents": []}, "documents"),
        ({"documents": "text"}, "documents"),
        ({"documents": [4]}, "documents"),
        ({"documents": [{"title": "x"}]}, "documents"),
        ({"documents": ["x"] * 1001}, "documents"),
        ({"top_n": 0}, "top_n"),
        ({"return_documents": 1}, "return_documents"),
        ({"model": ""}, "model"),
    ],
)
def test_a_bad_request_to_rank_is_refused(client: httpx.Client, fields: dict[str, Any], param: str) -> None:
    assert refused(rank(client, **fields)) == param


def test_the_best_comes_first(client: httpx.Client) -> None:
    results = rank(client).json()["results"]
    assert [result["index"] for result in results] == [1, 0, 2]
    assert results[0]["relevance_score"] > results[1]["relevance_score"] > results[2]["relevance_score"] >= 0
    assert all("document" not in result for result in results)


@pytest.mark.parametrize(("top", "count"), [(1, 1), (2, 2), (9, 3)])
def test_as_many_come_as_were_asked_for(client: httpx.Client, top: int, count: int) -> None:
    assert len(rank(client, top_n=top).json()["results"]) == count


def test_documents_come_back_as_texts(client: httpx.Client) -> None:
    documents = [{"text": text} for text in DOCUMENTS]
    results = rank(client, documents=documents, return_documents=True).json()["results"]
    assert all(result["document"] == documents[result["index"]] for result in results)


@pytest.mark.parametrize(
    "given",
    [None, "", [], 4, [4], ["a", 4], [{"type": "text"}], [{"type": "image_url"}], [{"type": "text", "text": "a"}, "b"]],
)
def test_what_is_no_text_is_not_moderated(client: httpx.Client, given: Any) -> None:
    assert refused(moderate(client, input=given)) == "input"


@pytest.mark.parametrize("model", ["none", 4])
def test_only_a_known_model_moderates(client: httpx.Client, model: Any) -> None:
    assert moderate(client, input="a", model=model).status_code in {400, 404}


def test_a_threat_is_flagged_and_nothing_else(client: httpx.Client) -> None:
    answer = moderate(client, input=["Nice weather.", "I will kill you."]).json()
    good, bad = answer["results"]
    assert (good["flagged"], bad["flagged"]) == (False, True)
    assert not any(good["categories"].values())
    assert {name for name, found in bad["categories"].items() if found} == {"violence", "harassment/threatening"}
    assert good["category_scores"].keys() == bad["categories"].keys() == set(CATEGORIES)
    assert answer["model"] == "mock-moderation"


def test_a_text_alone_has_one_result(client: httpx.Client) -> None:
    assert [result["flagged"] for result in moderate(client, input="They shoot.").json()["results"]] == [True]


def test_parts_are_moderated_together(client: httpx.Client) -> None:
    parts = [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "text", "text": "a murder"},
    ]
    (found,) = moderate(client, input=parts, model="mock-moderation").json()["results"]
    assert found["flagged"]
