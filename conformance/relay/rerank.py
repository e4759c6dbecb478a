"""Reranking: the more words of the query a text has, the better."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Stage
from conformance.relay.giving import give_json
from conformance.relay.reading import read_request
from conformance.relay.validate import check_fields, check_model, integer, of, refuse, require
from conformance.relay.words import tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.relay.call import Call

_MOST_DOCUMENTS = 1000
_FIELDS = {
    "query": of(str, "a string"),
    "documents": of(list, "an array"),
    "top_n": integer(1),
    "return_documents": of(bool, "a boolean"),
    "max_chunk_per_doc": integer(1),
    "max_tokens_per_doc": integer(1),
}


def answer(call: Call) -> None:
    """Do what the request asks."""
    read_request(call)
    call.at(Stage.RERANK_REQUEST)
    check_model(call.request.get("model"), call.state.models)
    require(call.request, "query", "documents")
    check_fields(call.request, _FIELDS)
    query, texts = call.request["query"], _texts(call.request["documents"])
    scores = {index: _score(query, text) for index, text in enumerate(texts)}
    ranked = sorted(scores, key=lambda index: (-scores[index], texts[index]))
    count = sum(len(tokens(text)) for text in [query, *texts])
    call.answer = {
        "id": f"rerank-{secrets.token_hex(12)}",
        "model": call.request["model"],
        "results": [
            {"index": index, "relevance_score": scores[index]} | _document(call, texts[index])
            for index in ranked[: int(call.request.get("top_n") or len(texts))]
        ],
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }
    give_json(call, Stage.RERANK)


def _texts(documents: Sequence[Any]) -> list[str]:
    """The texts of the documents, each a string or an object."""
    texts = [each.get("text") if isinstance(each, dict) else each for each in documents]
    if len(texts) > _MOST_DOCUMENTS or not all(isinstance(text, str) for text in texts):
        message = f"Invalid 'documents': expected up to {_MOST_DOCUMENTS} texts, or objects with a text."
        raise refuse("documents", "invalid_type", message)
    return [str(text) for text in texts]


def _score(query: str, text: str) -> float:
    """The share of the words of both that both have."""
    one, other = _words(query), _words(text)
    return round(len(one & other) / (len(one | other) or 1), 4)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _document(call: Call, text: str) -> dict[str, Any]:
    """The document beside a result, where it was asked for."""
    return {"document": {"text": text}} if call.request.get("return_documents") else {}
