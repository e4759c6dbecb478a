"""Faults of operations beside chat that only generated requests meet: what they take amiss, and what they do not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from conformance.materialise import asset
from conformance.relay import catalogue
from conformance.relay.call import family
from conformance.relay.faults.base import GENERATED

RESPONSES = ("/v1/responses", {"model": "mock-chat", "input": "Say OK", "max_output_tokens": 16})
RERANK = ("/v1/rerank", {"model": "mock-rerank", "query": "a", "documents": ["a", "b"]})
MESSAGES = (
    "/v1/messages",
    {"model": "mock-claude-haiku", "max_tokens": 16, "messages": [{"role": "user", "content": "Say OK"}]},
)
GEMINI = ("/v1beta/models/mock-gemini-flash:generateContent", {"contents": [{"parts": [{"text": "Say OK"}]}]})
BLOCKS = [{"type": "text", "text": "Be brief."}]

TRIPPED: dict[str, tuple[tuple[str, dict[str, Any]], dict[str, Any], dict[str, Any], int]] = {
    "truncation-refused": (RESPONSES, {"truncation": "auto"}, {"truncation": None}, 400),
    "rerank-unchecked": (RERANK, {"top_n": 0}, {"top_n": 1}, 200),
    "top-k-refused": (MESSAGES, {"top_k": 5}, {"top_p": 1}, 400),
    "messages-unchecked": (MESSAGES, {"temperature": 2}, {"system": BLOCKS}, 200),
    "gemini-seed-refused": (GEMINI, {"generationConfig": {"seed": 1}}, {"generationConfig": {"topK": 1}}, 400),
    "gemini-unchecked": (GEMINI, {"generationConfig": "none"}, {"generationConfig": {"topP": 1}}, 200),
}
FORMS = {"language-refused", "transcription-unchecked"}


@pytest.mark.parametrize("name", TRIPPED)
def test_a_fault_needs_what_it_says_and_nothing_else(client: httpx.Client, name: str) -> None:
    (path, plain), tripping, harmless, status = TRIPPED[name]

    assert client.post(f"/fault/{name}{path}", json={**plain, **tripping}).status_code == status
    assert client.post(f"/fault/{name}{path}", json={**plain, **harmless}).status_code == 200
    # The honest relay says something else.
    assert client.post(path, json={**plain, **tripping}).status_code != status


@pytest.mark.parametrize(("seed", "status"), [(1, 200), (2**31, 400), ("1", 400)])
def test_a_seed_of_gemini_is_a_number_of_32_bits(client: httpx.Client, seed: Any, status: int) -> None:
    path, plain = GEMINI
    assert client.post(path, json={**plain, "generationConfig": {"seed": seed}}).status_code == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"safetySettings": ["none"]},
        {"safetySettings": "none"},
        {"contents": [{"parts": [{"text": 1}]}]},
        {"contents": [{"parts": [{}]}]},
        {"contents": [{"parts": ["Say OK"]}]},
        {"generationConfig": {"presencePenalty": 3}},
    ],
)
def test_gemini_looks_at_what_it_is_told(client: httpx.Client, wrong: dict[str, Any]) -> None:
    path, plain = GEMINI
    assert client.post(path, json={**plain, **wrong}).status_code == 400


def test_responses_refuses_a_role_of_another_type(client: httpx.Client) -> None:
    path, plain = RESPONSES
    asked = {**plain, "input": [{"role": ["user"], "content": "Say OK"}]}
    assert client.post(path, json=asked).status_code == 400


def test_a_setting_that_is_wrong_is_dropped_alone(client: httpx.Client) -> None:
    path, plain = GEMINI
    asked = {**plain, "generationConfig": {"temperature": "hot", "maxOutputTokens": 1}}
    said = client.post(f"/fault/gemini-unchecked{path}", json=asked).json()
    assert said["usageMetadata"]["candidatesTokenCount"] == 1


@pytest.mark.parametrize(
    ("name", "fields", "status"),
    [
        ("language-refused", {"language": "en"}, 400),
        ("language-refused", {"prompt": "A greeting."}, 200),
        ("transcription-unchecked", {"temperature": "hot"}, 200),
    ],
)
def test_a_fault_of_forms_needs_one_field(client: httpx.Client, name: str, fields: dict[str, str], status: int) -> None:
    def sent(path: str) -> int:
        files = {"file": ("hello.wav", asset("hello.wav"), "audio/wav")}
        return client.post(path, data={"model": "mock-whisper", **fields}, files=files).status_code

    assert sent(f"/fault/{name}/v1/audio/transcriptions") == status
    assert (sent("/v1/audio/transcriptions") == status) == ("prompt" in fields)


def test_every_such_fault_is_tried_here() -> None:
    found = {
        name
        for name, entry in catalogue().items()
        if entry.needs == GENERATED and not {family(stage) for stage, _ in entry.hooks} <= {"", "chat"}
    }
    assert found == {*TRIPPED, *FORMS}
