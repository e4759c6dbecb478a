"""What the protocol says of the fields that pages get wrong: one table, so that no repair knows a field by itself.

Sources: the official OpenAPI document of OpenAI and the types of its Python SDK; what relays are known to leave out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fact:
    """One field: its JSON Schema by protocol, and the rows of the defect table that a page breaks when it differs."""

    path: str
    """`messages[].content`: a dot steps into an object, `[]` into the elements of an array."""
    schema: Mapping[str, Any]
    type_row: str = ""
    required: bool | None = None
    """True: clients need it. False: relays leave it out. None: as the page says."""
    required_row: str = ""
    open_row: str = ""
    """Set where a list of values on a page is seldom complete; `values` is the whole list."""
    values: tuple[str, ...] = ()


def _sampling(*, ranged: bool) -> tuple[Fact, ...]:
    """Fields of many requests; their ranges hold for text only (audio has temperatures up to 1)."""

    def between(low: float, high: float) -> dict[str, float]:
        return {"minimum": low, "maximum": high} if ranged else {}

    bias = {"type": "number", **between(-100, 100)}
    return (
        Fact("temperature", {"type": ["number", "null"], **between(0, 2)}, "D1"),
        Fact("top_p", {"type": ["number", "null"], **between(0, 1)}, "D1"),
        Fact("presence_penalty", {"type": ["number", "null"], **between(-2, 2)}, "D2"),
        Fact("frequency_penalty", {"type": ["number", "null"], **between(-2, 2)}, "D2"),
        Fact("logit_bias", {"type": ["object", "null"], "additionalProperties": bias}, "D3"),
        Fact(
            "stop",
            {"type": ["string", "array", "null"], "minItems": 1, "maxItems": 4, "items": {"type": "string"}},
            "D7",
        ),
        Fact("n", {"type": ["integer", "null"], "minimum": 1}, "D8"),
        Fact("max_tokens", {"type": ["integer", "null"], "minimum": 1}, "D8"),
        Fact("max_completion_tokens", {"type": ["integer", "null"], "minimum": 1}, "D8"),
        Fact("top_logprobs", {"type": ["integer", "null"], "minimum": 0}, "D8"),
        Fact("seed", {"type": ["integer", "null"]}, "D8"),
        Fact("stream", {"type": ["boolean", "null"]}),
        Fact("stream_options", {"type": ["object", "null"]}),
        Fact("model", {"type": "string", "minLength": 1}, required=True, required_row="D5"),
    )


_PART = {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}}

_ROLES = ("system", "user", "assistant", "tool", "developer")

_CHAT_REQUEST = (
    *_sampling(ranged=True),
    Fact("messages", {"type": "array", "minItems": 1}, required=True, required_row="D5"),
    Fact("messages[]", {"type": "object"}),
    Fact("messages[].role", {"type": "string"}, required=True, required_row="D5", open_row="D6", values=_ROLES),
    Fact(
        "messages[].content",
        {"type": ["string", "array"], "minItems": 1, "items": _PART},
        "D4",
        required=True,
        required_row="D5",
    ),
    Fact("response_format", {"type": ["object", "null"]}),
    Fact("tools", {"type": ["array", "null"]}),
    Fact("tool_choice", {"type": ["string", "object", "null"]}),
    Fact("logprobs", {"type": ["boolean", "null"]}),
)

_COUNT = {"type": "integer"}
_ANSWER = (
    Fact("id", {"type": "string"}, required=True),
    Fact("object", {"type": "string"}, required=True),
    Fact("created", {"type": "integer"}, "D8", required=True),
    Fact("model", {"type": "string"}, required=True),
    Fact("choices", {"type": "array"}, required=True),
    Fact("choices[]", {"type": "object"}),
    Fact("choices[].index", {"type": "integer"}, "D8", required=True, required_row="D9"),
    Fact("choices[].finish_reason", {"type": "string"}, required=True, required_row="D9"),
    Fact("choices[].logprobs", {"type": ["object", "null"]}, "D10", required=False, required_row="D11"),
    Fact("usage", {"type": "object"}),
    Fact("usage.prompt_tokens", _COUNT, "D8", required=True),
    Fact("usage.completion_tokens", _COUNT, "D8", required=True),
    Fact("usage.total_tokens", _COUNT, "D8", required=True),
    Fact("usage.prompt_tokens_details", {"type": ["object", "null"]}, required=False, required_row="D11"),
    Fact("usage.completion_tokens_details", {"type": ["object", "null"]}, required=False, required_row="D11"),
    Fact("system_fingerprint", {"type": ["string", "null"]}, required=False, required_row="D11"),
    Fact("service_tier", {"type": ["string", "null"]}, required=False, required_row="D11"),
)

_CHAT_RESPONSE = (
    *_ANSWER,
    Fact("choices[].message", {"type": "object"}, required=True, required_row="D9"),
    Fact("choices[].message.role", {"type": "string"}, required=True, required_row="D9"),
    Fact("choices[].message.content", {"type": ["string", "null"]}),
    Fact("choices[].message.refusal", {"type": ["string", "null"]}, required=False, required_row="D11"),
    Fact("choices[].message.tool_calls", {"type": ["array", "null"]}, required=False, required_row="D11"),
    Fact("choices[].message.function_call", {"type": ["object", "null"]}, required=False, required_row="D11"),
    Fact("choices[].message.audio", {"type": ["object", "null"]}, required=False, required_row="D11"),
    Fact("choices[].message.annotations", {"type": ["array", "null"]}, required=False, required_row="D11"),
    Fact("choices[].message.reasoning_content", {"type": ["string", "null"]}, required=False, required_row="D11"),
)

_TEXT_RESPONSE = (*_ANSWER, Fact("choices[].text", {"type": "string"}, required=True, required_row="D9"))

_EMBEDDINGS_RESPONSE = (
    Fact("object", {"type": "string"}, required=True),
    Fact("model", {"type": "string"}, required=True),
    Fact("data", {"type": "array"}, required=True),
    Fact("data[].index", {"type": "integer"}, "D8", required=True, required_row="D9"),
    Fact("data[].embedding", {"type": ["array", "string"], "items": {"type": "number"}}, required=True),
    Fact("usage.prompt_tokens", _COUNT, "D8", required=True),
    Fact("usage.total_tokens", _COUNT, "D8", required=True),
)

_EMBEDDINGS_REQUEST = (
    Fact("model", {"type": "string", "minLength": 1}, required=True, required_row="D5"),
    Fact("input", {"type": ["string", "array"], "minItems": 1}, "D4", required=True, required_row="D5"),
    Fact("dimensions", {"type": ["integer", "null"], "minimum": 1}, "D8"),
)


@dataclass(frozen=True)
class Family:
    """The facts of one operation, and whether its answer names the model."""

    request: tuple[Fact, ...]
    response: tuple[Fact, ...] = ()
    names_model: bool = False


FAMILIES = {
    "chat": Family(_CHAT_REQUEST, _CHAT_RESPONSE, names_model=True),
    "completions": Family(_sampling(ranged=True), _TEXT_RESPONSE, names_model=True),
    "embeddings": Family(_EMBEDDINGS_REQUEST, _EMBEDDINGS_RESPONSE, names_model=True),
    "": Family(tuple(fact for fact in _sampling(ranged=False) if fact.path != "model")),
}

KEY_HEADER = re.compile(
    r"(?:\w+[-_])*(?:api[-_]?(?:key|token|secret)|subscription-key|access[-_]?(?:key|token)|auth[-_]?(?:key|token))"
    r"|(?:x[-_])?(?:token|key|secret)",
    re.IGNORECASE | re.ASCII,
)
"""Headers that hold a key and are not Authorization."""

_PATHS = (("/chat/completions", "chat"), ("/completions", "completions"), ("/embeddings", "embeddings"))


def family_of(operation: str, url: str) -> tuple[str, Family]:
    """The facts for an operation id such as `chat`; without one the path of the URL decides; else few facts hold."""
    name = "chat" if operation.partition(".")[0] == "chat" else operation
    if not operation:
        path = url.partition("?")[0].rstrip("/")
        name = next((family for end, family in _PATHS if path.endswith(end)), "")
    return (name, FAMILIES[name]) if name in FAMILIES else ("", FAMILIES[""])


KNOWN_CHILDREN: Mapping[str, frozenset[str]] = {
    "usage": frozenset(
        ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details")
    )
    | frozenset(("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details")),
    "error": frozenset(("message", "type", "param", "code")),
    "image_url": frozenset(("url", "detail")),
    "messages": frozenset(("role", "content", "name", "tool_calls", "tool_call_id")),
    "choices": frozenset(("index", "message", "finish_reason", "logprobs", "text", "delta")),
    "message": frozenset(("role", "content", "refusal", "tool_calls")),
    "stream_options": frozenset(("include_usage", "include_obfuscation")),
    "response_format": frozenset(("type", "json_schema")),
}
"""What objects of these names hold, for a table whose example leaves them out."""

CANNED = {"id": "chatcmpl-123", "created": 1677652288}
"""Values of the example answer that pages copy from each other."""

RETIRED = re.compile(
    r"gpt-4-vision-preview|gpt-4-32k|gemini-pro(?!-)|gemini-?1\.[05]|text-davinci-00\d|claude-?[12]\b",
    re.IGNORECASE,
)
"""Models that their makers no longer serve."""

NAV_METHODS = (
    (
        re.compile(
            r"TTS|文本转语音|文字转语音|语音转文字|创建(?:转录|翻译|嵌入|图像|图片|完成)|聊天接口", re.IGNORECASE
        ),
        "POST",
    ),
    (re.compile(r"额度查询|余额查询|列出(?:可用)?模型"), "GET"),
)
"""What a title in the navigation is called with by protocol."""

CHAT_IN_IMAGES = (
    re.compile(r"\bgpt-4o?-all\b.*(?:生成|画图|绘图)", re.IGNORECASE),
    re.compile(r"图像|图片|绘画|images?", re.IGNORECASE),
)
"""A title that is a chat model, and a folder that promises another endpoint."""

LEGACY_PROSE = re.compile(r"替代标记的概率|predicted completions[^.]{0,200}alternative tokens", re.IGNORECASE)
"""Words of the description of the old completions endpoint."""

WHOLE = re.compile(r"created|index|\w{1,40}_(?:at|tokens)")
"""Names of times and counts: they have no fraction, whatever an example shows."""

MONEY = ("usd", "usage", "amount", "balance", "cost", "price", "fee")
"""Last words of names whose values are money, so that a whole number in an example proves nothing."""
