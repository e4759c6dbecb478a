"""Secrets: gone in every spelling, at every place, and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
import string
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conformance.errors import UsageError
from conformance.redaction import MASKED, Secrets

always = settings(derandomize=True, database=None, deadline=None)
keys = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=6, max_size=40)
around = st.text(max_size=20)
KEY = 'sk-A+b/c"d\\e&f%g=h'

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": lambda key: json.dumps(key)[1:-1],
    "json-slashes": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "json-twice": lambda key: json.dumps(json.dumps(key))[1:-1],
    "json-all": lambda key: "".join(f"\\u{ord(character):04X}" for character in key),
    "python": lambda key: "".join(f"\\x{ord(character):02x}" for character in key),
    "url": lambda key: quote(key, safe=""),
    "url-path": quote,
    "url-lower": lambda key: "".join(f"%{ord(character):02x}" for character in key),
    "url-twice": lambda key: quote(quote(key, safe=""), safe=""),
    "html": html.escape,
    "html-decimal": lambda key: "".join(f"&#{ord(character):03};" for character in key),
    "html-hex": lambda key: "".join(f"&#x{ord(character):X};" for character in key),
    "hex": lambda key: key.encode().hex(),
    "hex-upper": lambda key: key.encode().hex().upper(),
    "upper": str.upper,
    "lower": str.lower,
}


@always
@given(keys, around, around, st.sampled_from(sorted(SPELLINGS)))
def test_a_key_is_gone_in_every_spelling_and_the_length_stays(key: str, before: str, after: str, name: str) -> None:
    spelled = SPELLINGS[name](key)
    text = before + spelled + after

    masked = Secrets({"K": key}).mask(text.encode())

    assert len(masked) == len(text.encode())
    assert spelled.lower() not in masked.decode().lower()
    assert MASKED.search(masked.decode())


@always
@given(keys, st.binary(max_size=8), st.binary(max_size=8), st.booleans())
def test_a_key_inside_base64_is_gone(key: str, before: bytes, after: bytes, urlsafe: bool) -> None:
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    text = encode(before + key.encode() + after)

    masked = Secrets({"K": key}).mask(text)

    assert len(masked) == len(text)
    assert MASKED.search(masked.decode())


@always
@given(keys, st.binary(max_size=200))
def test_what_does_not_hold_the_key_is_left_alone(key: str, data: bytes) -> None:
    assume(key.encode().lower()[:3] not in data.lower())

    assert Secrets({"K": key}).mask(data) == data


@always
@given(st.text(st.characters(codec=None), max_size=30), st.text(st.characters(codec=None), max_size=30))
def test_any_text_can_be_masked_halves_of_pairs_as_well(before: str, after: str) -> None:
    masked = Secrets({"K": KEY}).mask_text(before + KEY + after)

    assert KEY not in masked
    assert len(masked) == len(before + KEY + after)


@always
@given(st.lists(st.integers(1, len(KEY) - 1), max_size=6), st.sampled_from(["json", "json-slashes", "json-all"]))
def test_a_key_cut_into_deltas_anywhere_is_gone(cuts: list[int], name: str) -> None:
    at = sorted({0, len(KEY), *cuts})
    pieces = [KEY[start:end] for start, end in pairwise(at)]
    spelled = [SPELLINGS[name](piece) for piece in pieces]
    body = "".join(f'data: {{"choices": [{{"delta": {{"content": "{piece}"}}}}]}}\n\n' for piece in spelled).encode()

    masked = Secrets({"K": KEY}).mask_body(body)
    said = [json.loads(line[6:])["choices"][0]["delta"]["content"] for line in masked.decode().splitlines() if line]

    assert len(masked) == len(body)
    assert not any(
        piece in text for piece, text in zip(pieces, said, strict=True) if piece not in "sk-" and len(piece) > 1
    )
    assert KEY not in "".join(said)


def test_a_stream_without_the_key_is_left_as_it_is() -> None:
    body = b'data: {"choices": [{"delta": {"content": "sk-"}}]}\n\ndata: no json\n\ndata: [1, "x"]\n\n'

    assert Secrets({"K": KEY}).mask_body(body) == body


def test_several_secrets_are_masked_each_for_itself() -> None:
    secrets = Secrets({"A": "first-secret", "B": "second-secret"})

    assert secrets.mask_text("first-secret second-secret") == "<KEY*******> <KEY********>"
    assert secrets.get("B") == "second-secret"


def test_without_secrets_nothing_is_masked() -> None:
    assert Secrets().mask_body(b"data: x\n\n") == b"data: x\n\n"


@pytest.mark.parametrize("kept", [9, 12, 17])
def test_a_key_that_is_broken_off_at_the_end_is_masked(kept: int) -> None:
    assert Secrets({"K": KEY}).mask_body(b"x" + KEY[:kept].encode()) == b"x<KEY" + b"*" * (kept - 5) + b">"


def test_the_beginning_that_many_keys_share_is_no_secret() -> None:
    assert Secrets({"K": KEY}).mask_body(b"use sk-A+b") == b"use sk-A+b"


@pytest.mark.parametrize(
    "value", ["", "12345", "sk-has blank", "sk-line\nend", "sk-schlüssel", "sk-\x00nul-nul", "sk-\u202eabcdef"]
)
def test_a_value_that_cannot_be_masked_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="the value of K") as refusal:
        Secrets({"K": value})

    assert not value or value not in str(refusal.value)
