"""Embeddings: a text becomes a vector of unit length, texts with the same words similar ones."""

from __future__ import annotations

import base64
import math
import struct
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Stage
from conformance.relay.giving import give_json
from conformance.relay.reading import read_request
from conformance.relay.validate import check_fields, check_model, integer, of, one_of, refuse, require
from conformance.relay.words import tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.relay.call import Call

DIMENSIONS = 160
_MOST_INPUTS = 2048
_DIGITS = 4
_TOKENS = {9906: "Hello", 11: ",", 1917: " world", 0: "!", 220: " ", 57668: "你", 53901: "好"}
"""As much of the vocabulary cl100k_base as one greeting needs."""
_FIELDS = {
    "encoding_format": one_of("float", "base64"),
    "dimensions": integer(1, DIMENSIONS),
    "user": of(str, "a string"),
}


def answer(call: Call) -> None:
    """Do what the request asks."""
    read_request(call)
    call.at(Stage.EMBEDDINGS_REQUEST)
    check_model(call.request.get("model"), call.state.models)
    texts = _inputs(call.request)
    check_fields(call.request, _FIELDS)
    count = sum(len(tokens(text)) for text in texts)
    call.answer = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _written(vector(text, call), call)}
            for index, text in enumerate(texts)
        ],
        "model": call.request["model"],
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }
    give_json(call, Stage.EMBEDDINGS)


def _inputs(request: dict[str, Any]) -> list[str]:
    """The texts to embed; a list of tokens is one text."""
    require(request, "input")
    given = request["input"]
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or len(given) > _MOST_INPUTS:
        raise refuse("input", "invalid_type", f"Invalid 'input': expected a text or up to {_MOST_INPUTS} of them.")
    if all(isinstance(each, str) and each for each in given):
        return given
    coded = [given] if isinstance(given[0], int) else given
    if all(isinstance(each, list) and each and all(isinstance(token, int) for token in each) for each in coded):
        return [_text(each) for each in coded]
    raise refuse("input", "invalid_type", "Invalid 'input': expected texts that are not empty, or lists of tokens.")


def _text(coded: Sequence[int]) -> str:
    """The text of tokens; one that is not known becomes a word of its own."""
    return "".join(_TOKENS.get(token, f" {token}") for token in coded)


def vector(text: str, call: Call) -> list[float]:
    """The vector of a text: the sum of those of its words, shortened and made of unit length."""
    size = call.request.get("dimensions") or DIMENSIONS
    words = [word.strip().lower() for word in tokens(text) if word.strip()]
    summed = [sum(column) for column in zip(*map(_of_word, words or [text]), strict=True)][:size]
    length = math.sqrt(sum(value * value for value in summed)) or 1.0
    return [round(value / length, _DIGITS) for value in summed]


def _of_word(word: str) -> list[float]:
    """Numbers from -1 to 1 that depend on the word only."""
    digests = b"".join(sha256(f"{word} {block}".encode(errors="replace")).digest() for block in range(DIMENSIONS // 32))
    return [(byte - 127.5) / 127.5 for byte in digests]


def _written(vector: Sequence[float], call: Call) -> Any:
    """The vector in the form that was asked for."""
    if call.request.get("encoding_format") != "base64":
        return list(vector)
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
