"""The schemas of every family: what honest answers may lack, what they may not, and where that is said.

`data/answers/` holds examples as the official documents and SDKs have them. Beside each stands what it may not lack,
compared with the pydantic types of the SDKs (openai 3.54, anthropic 2.12) by taking away one field after the other;
what those ask for and honest relays lack is left out. Strict refuses the examples with `tolerated` in their name.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest

from conformance.contract import is_valid, load_schemas, schema_errors
from conformance.generate.documents import Document
from conformance.generate.draw import Drawer
from conformance.generate.strategies import strategy_in

ANSWERS = Path(__file__).parent / "data" / "answers"
FOLDERS = ("openai", "anthropic", "gemini")
SCHEMAS = {name: schema for name, schema in load_schemas().items() if name.partition("/")[0] in FOLDERS}
REQUESTS = [name for name, schema in SCHEMAS.items() if "request" in schema["$defs"]]


def _examples() -> Iterator[Any]:
    for path in sorted(ANSWERS.rglob("*.json")):
        family = path.relative_to(ANSWERS).as_posix()
        for name, example in json.loads(path.read_text("utf-8")).items():
            yield pytest.param(family, name, example["value"], example["required"], id=f"{family} {name}")


EXAMPLES = list(_examples())
each_example = pytest.mark.parametrize(("family", "name", "value", "required"), EXAMPLES)


def contracts(family: str, name: str) -> tuple[str, str]:
    """The compat and the strict schema of an example."""
    compat, strict = ("verbose", "strict-verbose") if name.startswith("verbose") else ("compat", "strict")
    return f"{family}#/$defs/{compat}", f"{family}#/$defs/{strict}"


def places(value: Any, at: str = "") -> Iterator[str]:
    """The pointer of every field."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        there = f"{at}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if isinstance(value, dict):
            yield there
        yield from places(below, there)


def without(value: Any, pointer: str) -> Any:
    """The value without one field."""
    left = copy.deepcopy(value)
    *way, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    holder = left
    for step in way:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    del holder[last]
    return left


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object in a schema."""
    if isinstance(schema, dict):
        yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(inner)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_says_where_it_is_from(name: str) -> None:
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f".invalid/{name}")
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["title"]
    assert schema["x-source"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_references_lead_somewhere(name: str) -> None:
    for part in parts(SCHEMAS[name]):
        path, _, pointer = part.get("$ref", f"{name}#/$defs/").partition("#/$defs/")
        home = f"{name.partition('/')[0]}/{path}" if path != name and path else name
        assert not pointer or pointer.partition("/")[0] in SCHEMAS[home]["$defs"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_answer_may_say_more(name: str) -> None:
    answers = {key: part for key, part in SCHEMAS[name]["$defs"].items() if key not in {"request", "later"}}
    assert all(part.get("additionalProperties") is not False for part in parts(answers))


def test_every_schema_of_answers_has_examples() -> None:
    older = {"openai/error.json", "openai/models.list.json", "openai/models.retrieve.json"}
    shown = {example.values[0] for example in EXAMPLES}
    assert shown == {name for name, schema in SCHEMAS.items() if "compat" in schema["$defs"]} - older


@each_example
def test_an_example_is_accepted(family: str, name: str, value: Any, required: list[str]) -> None:
    compat, strict = contracts(family, name)
    assert schema_errors(compat, value) == []
    assert bool(schema_errors(strict, value)) is ("tolerated" in name)
    assert set(required) <= set(places(value))


@each_example
def test_what_is_missing_is_said_at_its_place(family: str, name: str, value: Any, required: list[str]) -> None:
    compat, strict = contracts(family, name)
    for pointer in places(value):
        less = without(value, pointer)
        found = [(error.at, error.actual) for error in schema_errors(compat, less)]
        assert found == ([(pointer, "absent")] if pointer in required else [])
        assert is_valid(compat, less) or not is_valid(strict, less)


@each_example
def test_more_fields_break_nothing(family: str, name: str, value: Any, required: list[str]) -> None:
    compat, strict = contracts(family, name)
    more = {**value, "x-more": {"a": [1]}}
    assert schema_errors(compat, more) == []
    assert bool(schema_errors(strict, more)) is ("tolerated" in name)
    assert required == sorted(set(required), key=required.index)


@pytest.mark.parametrize("family", sorted({example.values[0] for example in EXAMPLES}))
@pytest.mark.parametrize("value", [None, [], "text", 1])
def test_what_is_no_object_is_no_answer(family: str, value: Any) -> None:
    assert [error.at for error in schema_errors(f"{family}#/$defs/compat", value)] == [""]
    assert not is_valid(f"{family}#/$defs/strict", value)


@pytest.mark.parametrize(
    ("schema", "value", "at"),
    [
        ("openai/completions", {"choices": [{"text": 1, "index": 0, "finish_reason": None}]}, "/choices/0/text"),
        ("openai/embeddings", {"data": [{"object": "embedding", "index": -1, "embedding": []}]}, "/data/0/index"),
        ("openai/embeddings", {"data": [{"object": "x", "index": 0, "embedding": ["1"]}]}, "/data/0/embedding/0"),
        ("openai/billing.usage", {"total_usage": "5"}, "/total_usage"),
        ("openai/billing.token", {"code": 1, "data": {}}, "/code"),
        ("openai/rerank", {"results": [{"index": 0, "relevance_score": "0.9"}]}, "/results/0/relevance_score"),
        (
            "openai/responses",
            {"output": [{"type": "message", "content": [{"type": "refusal"}]}]},
            "/output/0/content/0/refusal",
        ),
        ("openai/responses.stream", {"type": "response.completed", "response": {"object": "x"}}, "/response/object"),
        ("openai/responses.stream", {"type": "response.output_text.delta"}, "/sequence_number"),
        (
            "openai/chat.stream",
            {"choices": [{"index": 0, "delta": {"tool_calls": [{}]}}]},
            "/choices/0/delta/tool_calls/0/index",
        ),
        ("anthropic/messages", {"content": [{"type": "tool_use", "input": "{}"}]}, "/content/0/input"),
        ("anthropic/messages.stream", {"type": "content_block_delta", "delta": {"type": "text_delta"}}, "/delta/text"),
        ("anthropic/error", {"error": {"message": "no"}}, "/type"),
        ("gemini/gemini.generate", {}, "/candidates"),
        ("gemini/gemini.stream", {"usageMetadata": {"totalTokenCount": "4"}}, "/usageMetadata/totalTokenCount"),
        ("gemini/error", {"error": {"code": "400", "message": "no"}}, "/error/status"),
    ],
)
def test_a_mistake_is_found_where_it_is(schema: str, value: Any, at: str) -> None:
    assert at in {error.at for error in schema_errors(f"{schema}.json#/$defs/compat", value)}


def test_a_blocked_prompt_needs_no_candidates() -> None:
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}}
    assert schema_errors("gemini/gemini.generate.json#/$defs/compat", blocked) == []


@pytest.mark.parametrize("name", [name for name in REQUESTS if "stream" not in name])
def test_requests_can_be_generated(name: str) -> None:
    known = {key: part for key, part in SCHEMAS[name]["$defs"].items() if ".json#" not in json.dumps(part)}
    defs = known if len(known) == len(SCHEMAS[name]["$defs"]) else {"request": known["request"]}
    document = Document({"$ref": "#/$defs/request", "$defs": defs})
    strategy, drawer = strategy_in(document, document.root), Drawer(Random(1))
    drawn = [drawer.draw(strategy) for _ in range(5)]
    assert all(is_valid(f"{name}#/$defs/request", value) for value in drawn)


CHAT = {"model": "m", "messages": [{"role": "user", "content": "Say OK"}]}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        ("openai/chat", {**CHAT, "tools": [WEATHER], "tool_choice": "required", "parallel_tool_calls": False}),
        ("openai/chat", {**CHAT, "tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "f"}}}),
        ("openai/chat", {**CHAT, "functions": [{"name": "f"}], "function_call": {"name": "f"}}),
        ("openai/chat", {**CHAT, "reasoning_effort": "low", "logprobs": True, "top_logprobs": 20}),
        ("openai/chat", {**CHAT, "messages": [{"role": "assistant", "content": None, "tool_calls": [CALL]}]}),
        ("openai/chat.stream", {**CHAT, "stream": True, "tools": [WEATHER]}),
        ("openai/completions", {"model": "m", "prompt": [[1, 2], [3]], "best_of": 20, "logprobs": 5}),
        ("openai/embeddings", {"model": "m", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 1}),
        ("openai/audio.speech", {"model": "m", "input": "x" * 4096, "voice": "alloy", "speed": 0.25}),
        ("openai/images.generations", {"prompt": "a red cube", "n": 10, "size": "1024x1792", "style": None}),
        ("openai/moderations", {"input": [{"type": "text", "text": "x"}]}),
        ("openai/rerank", {"model": "m", "query": "q", "documents": ["a", {"text": "b"}], "top_n": 1}),
        ("openai/responses", {"model": "m", "input": [{"role": "user", "content": "x"}], "max_output_tokens": 16}),
        ("anthropic/messages", {**CHAT, "max_tokens": 1, "thinking": {"type": "enabled", "budget_tokens": 1024}}),
        ("anthropic/messages.stream", {**CHAT, "max_tokens": 1, "stream": True}),
        ("gemini/gemini.generate", {"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"topK": 1}}),
    ],
)
def test_a_good_request_is_accepted(schema: str, body: dict[str, Any]) -> None:
    assert schema_errors(f"{schema}.json#/$defs/request", body) == []


@pytest.mark.parametrize(
    ("schema", "body", "at"),
    [
        ("openai/chat", {**CHAT, "tools": [{"type": "function"}]}, "/tools/0/function"),
        ("openai/chat", {**CHAT, "tool_choice": "always"}, "/tool_choice"),
        ("openai/chat", {**CHAT, "reasoning_effort": "much"}, "/reasoning_effort"),
        ("openai/completions", {"model": "m"}, "/prompt"),
        ("openai/completions", {"model": "m", "prompt": "x", "logprobs": 6}, "/logprobs"),
        ("openai/completions.stream", {"model": "m", "prompt": "x"}, "/stream"),
        ("openai/embeddings", {"model": "m", "input": ""}, "/input"),
        ("openai/embeddings", {"model": "m", "input": ["x"] * 2049}, "/input"),
        ("openai/audio.speech", {"model": "m", "input": "x" * 4097, "voice": "alloy"}, "/input"),
        ("openai/audio.transcriptions", {"model": "m"}, "/file"),
        ("openai/images.generations", {"prompt": "x", "n": 11}, "/n"),
        ("openai/images.edits", {"prompt": "x"}, "/image"),
        ("openai/images.variations", {"image": "x", "size": "1x1"}, "/size"),
        ("openai/moderations", {}, "/input"),
        ("openai/rerank", {"model": "m", "query": "", "documents": []}, "/documents"),
        ("openai/responses", {"model": "m", "input": "x", "max_output_tokens": 15}, "/max_output_tokens"),
        ("anthropic/messages", {**CHAT, "max_tokens": 1, "temperature": 1.5}, "/temperature"),
        ("gemini/gemini.generate", {"contents": []}, "/contents"),
    ],
)
def test_a_bad_request_is_refused(schema: str, body: dict[str, Any], at: str) -> None:
    assert at in {error.at for error in schema_errors(f"{schema}.json#/$defs/request", body)}
