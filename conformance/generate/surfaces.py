"""The operations beside chat that requests are generated for: those that take and give text."""

from __future__ import annotations

from typing import Any

from conformance.generate.surface import SENTENCES, STREAM, USER, Surface, listed
from conformance.generate.surfaces_media import MEDIA
from conformance.generate.values import BY_HAND

_LATER = ("tools", "tool_choice", "parallel_tool_calls")
_TOKENS = [9906, 11, 1917]
_BEFORE = ("Name one animal.", "An otter.", "Name another one.")
_TURNS = tuple(zip(("user", "assistant", "user"), _BEFORE, strict=True))


def _completion(text: str, limit: int) -> dict[str, Any]:
    return {"model": "$model", "prompt": text, "max_tokens": limit}


_COMPLETIONS = Surface(
    "completions",
    "openai:completions/create",
    _completion,
    by_hand={
        "prompt": listed(
            ("as a list of texts", "为字符串数组", ["Say OK", "Say hello."]),
            ("as tokens", "为 token 数组", _TOKENS),
            ("as several lists of tokens", "为多个 token 数组", [_TOKENS, [9906]]),
        ),
        "suffix": listed(("as null", "为 null", None), ("as a string", "为字符串", " That is all.")),
        "best_of": listed(("as null", "为 null", None), ("at one", "为 1", 1), ("as two", "为 2", 2)),
        "n": BY_HAND["n"],
        "stop": BY_HAND["stop"],
        "logit_bias": BY_HAND["logit_bias"],
        "stream": STREAM,
        "stream_options": BY_HAND["stream_options"],
        "user": USER,
    },
    left=frozenset({"max_tokens"}),
    needs={"stream_options": ("stream", "as true")},
    clashes=(("best_of", "stream"), ("best_of", "n"), ("suffix", "echo"), ("suffix", "prompt")),
    places=("stop/0", "logit_bias/15", "stream_options/include_usage"),
    context={"stop": ["5"], "logit_bias": {"15": 1}, "stream_options": {"include_usage": True}},
)

_EMBEDDINGS = Surface(
    "embeddings",
    "openai:embeddings/create",
    lambda text, _: {"model": "$model", "input": text},
    by_hand={
        "input": listed(
            ("as a list of texts", "为字符串数组", list(SENTENCES)),
            ("as a list of one", "为一个字符串的数组", ["Hello, world!"]),
            ("as tokens", "为 token 数组", _TOKENS),
            ("as several lists of tokens", "为多个 token 数组", [_TOKENS, [9906]]),
        ),
        "dimensions": listed(("as 8", "为 8", 8), ("as 64", "为 64", 64), ("as 128", "为 128", 128)),
        "user": USER,
    },
    places=("input/0",),
    context={"input": list(SENTENCES)},
)

_RERANK = Surface(
    "rerank",
    "new-api:jinaai-rerank",
    lambda text, _: {"model": "$model", "query": text, "documents": list(SENTENCES)},
    by_hand={
        "documents": listed(
            ("as a list of one", "为一个文档", [SENTENCES[0]]),
            ("as objects", "为对象数组", [{"text": text} for text in SENTENCES]),
        ),
        "top_n": listed(("at one", "为 1", 1), ("as two", "为 2", 2), ("as ten", "为 10", 10)),
        "max_chunk_per_doc": listed(("as 10", "为 10", 10)),
        "max_tokens_per_doc": listed(("as 512", "为 512", 512)),
    },
    places=("documents/0", "documents/0/text"),
    context={"documents": [{"text": text} for text in SENTENCES]},
)

_MODERATIONS = Surface(
    "moderations",
    "openai:moderations/create",
    lambda text, _: {"model": "$model", "input": text},
    by_hand={
        "input": listed(
            ("as a list of texts", "为字符串数组", list(SENTENCES)),
            ("as a list of one", "为一个字符串的数组", [SENTENCES[0]]),
            ("as parts", "为分段数组", [{"type": "text", "text": SENTENCES[0]}]),
            ("as several parts", "为多个分段", [{"type": "text", "text": text} for text in SENTENCES]),
        ),
    },
    left=frozenset({"model"}),
    places=("model", "input/0", "input/0/type", "input/0/text"),
    context={"input": [{"type": "text", "text": SENTENCES[0]}]},
)

_FORMATS = listed(
    ("as text", "为 text", {"format": {"type": "text"}}),
    ("as json_schema", "为 json_schema", {
        "format": {
            "type": "json_schema",
            "name": "answer",
            "schema": {
                "type": "object",
                "properties": {"answer": {"type": "string"}},
                "required": ["answer"],
                "additionalProperties": False,
            },
            "strict": True,
        }
    }),
    ("as low verbosity", "为低 verbosity", {"verbosity": "low"}),
)  # fmt: skip


def _items(*contents: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role, content in contents]


_RESPONSES = Surface(
    "responses",
    "openai:responses/create",
    lambda text, _: {"model": "$model", "input": text, "max_output_tokens": 16},
    by_hand={
        "input": listed(
            ("as a message", "为一条消息", _items(("user", "Say OK"))),
            ("as turns", "为多轮对话", _items(*_TURNS)),
            ("as parts", "为分段内容", _items(("user", [{"type": "input_text", "text": "Say OK"}]))),
            ("as typed items", "为带类型的条目", [{"type": "message", **each} for each in _items(("user", "Say OK"))]),
            ("as a system message", "为 system 消息", _items(("system", "Be brief."), ("user", "Say OK"))),
        ),
        "instructions": listed(("as null", "为 null", None), ("as a string", "为字符串", "Be brief. 请简短。")),
        "text": _FORMATS,
        "reasoning": listed(("as null", "为 null", None), ("with low effort", "为低强度", {"effort": "low"})),
        "stream": STREAM,
        "stream_options": listed(
            ("as null", "为 null", None), ("without obfuscation", "不要混淆", {"include_obfuscation": False})
        ),
        "include": listed(("as null", "为 null", None), ("as an empty list", "为空数组", [])),
        "metadata": listed(("as null", "为 null", None), ("as an object", "为对象", {"topic": "test", "语言": "中文"})),
        "service_tier": listed(("as auto", "为 auto", "auto"), ("as default", "为 default", "default")),
        "user": USER,
        "safety_identifier": USER,
        "prompt_cache_key": USER,
    },
    left=frozenset(
        {"max_output_tokens", "background", "previous_response_id", "max_tool_calls", "top_logprobs", *_LATER}
    ),
    needs={"stream_options": ("stream", "as true")},
    places=("max_output_tokens", "input/0", "input/0/role", "input/0/content", "text/format", "text/format/type"),
    context={"input": _items(("user", "Say OK")), "text": {"format": {"type": "text"}}},
    tolerated=frozenset({"safety_identifier", "prompt_cache_key", "service_tier", "stream_options", "input/0/content"}),
)

_BLOCK = {"type": "text", "text": "Say OK"}


def _message(text: str, limit: int) -> dict[str, Any]:
    return {"model": "$model", "max_tokens": limit, "messages": [{"role": "user", "content": text}]}


_MESSAGES = Surface(
    "messages",
    "anthropic:messages",
    _message,
    by_hand={
        "messages": listed(
            ("as blocks", "为分块内容", _items(("user", [_BLOCK]))),
            ("as turns", "为多轮对话", _items(*_TURNS)),
            ("as several blocks", "为多个分块", _items(("user", [_BLOCK, {"type": "text", "text": "请简短。"}]))),
        ),
        "system": listed(
            ("as a string", "为字符串", "Be brief. 请简短。"),
            ("as blocks", "为分块内容", [{"type": "text", "text": "Be brief."}]),
        ),
        "stop_sequences": listed(
            ("as a list of one", "为一个字符串的数组", ["END"]), ("as a list", "为数组", ["END", "停", "###"])
        ),
        "stream": STREAM,
        "thinking": listed(("disabled", "关闭", {"type": "disabled"})),
        "metadata": listed(
            ("as an object", "为对象", {"user_id": "user-1"}), ("with null", "含 null", {"user_id": None})
        ),
    },
    left=frozenset({"max_tokens", *_LATER}),
    places=("max_tokens", "messages/0", "messages/0/role", "messages/0/content", "stop_sequences/0"),
    context={"stop_sequences": ["END"]},
    tolerated=frozenset({"service_tier"}),
)


def _contents(*texts: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"role": role, "parts": [{"text": text}]} for role, text in texts]


_GEMINI = Surface(
    "gemini.generate",
    "google:generate-content",
    lambda text, limit: {"contents": _contents(("user", text)), "generationConfig": {"maxOutputTokens": limit}},
    by_hand={
        "contents": listed(
            ("without a role", "不带 role", [{"parts": [{"text": "Say OK"}]}]),
            ("as turns", "为多轮对话", _contents(*zip(("user", "model", "user"), _BEFORE, strict=True))),
            ("as two parts", "为两个分段", [{"role": "user", "parts": [{"text": "Say"}, {"text": " OK"}]}]),
        ),
        "systemInstruction": listed(("as a text", "为文本", {"parts": [{"text": "Be brief. 请简短。"}]})),
        "safetySettings": listed(
            ("as a list of one", "为一项", [
                {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}
            ]),
            ("as a list", "为数组", [
                {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_NONE"},
                {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "BLOCK_MEDIUM_AND_ABOVE"},
            ]),
        ),
        "generationConfig/stopSequences": listed(
            ("as a list of one", "为一项", ["END"]), ("as a list of five", "为五项", ["END", "停", "#", "。", "7"])
        ),
        "generationConfig/candidateCount": listed(("at its minimum", "取最小值", 1)),
        "generationConfig/responseMimeType": listed(
            ("as text", "为纯文本", "text/plain"), ("as JSON", "为 JSON", "application/json")
        ),
    },
    left=frozenset({
        "generationConfig", "tools", "toolConfig", "generationConfig/maxOutputTokens",
        "generationConfig/responseSchema", "generationConfig/thinkingConfig",
    }),
    inside=("generationConfig",),
    places=(
        "generationConfig", "generationConfig/maxOutputTokens", "contents/0", "contents/0/role", "contents/0/parts",
        "contents/0/parts/0", "contents/0/parts/0/text", "safetySettings/0", "generationConfig/stopSequences/0",
    ),
    context={
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}],
        "generationConfig": {"maxOutputTokens": 16, "stopSequences": ["END"]},
    },
)  # fmt: skip

SURFACES = {
    each.operation: each
    for each in (_COMPLETIONS, _EMBEDDINGS, _RERANK, _MODERATIONS, _RESPONSES, _MESSAGES, _GEMINI, *MEDIA)
}
"""Operation -> what is known of it."""
