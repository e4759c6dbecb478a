"""A file that holds a request and an answer as JSON, and little else, to a `Document`; and the way examples are read.

The two are told apart by curl, by the words above them, by their fields, and at last by their order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.derive.curl import Curl, read_curl
from conformance.derive.infer import infer
from conformance.derive.keys import shown_key
from conformance.derive.nouns import Body, DeriveError, Document, Endpoint, Header, Source
from conformance.derive.plain import lines_of, plain, unix
from conformance.derive.tolerant import first_value, read_json_tolerantly

__all__ = ["infer", "looks_like", "read_json_tolerantly", "read_pair"]

MOST_VALUES = 20
_GENERATED = ("chat.completion", "chat.completion.chunk", "text_completion", "response", "message")
LONGEST = 4_000_000

_OPENS = re.compile(r"^[ \t]*([{\[])", re.MULTILINE)
_TARGET = re.compile(
    r"^[ \t#*>`-]{0,8}(GET|POST|PUT|PATCH|DELETE)\s{1,4}((?:https?://|/)[^\s'\"\\`]{1,2000})", re.MULTILINE
)
_REQUEST = re.compile(r"请求|request", re.IGNORECASE)
_RESPONSE = re.compile(r"返回|响应|回复|response|answer|returns", re.IGNORECASE)
_SENT = frozenset(("messages", "prompt", "input", "contents"))
_ANSWERED = frozenset(("choices", "object", "usage", "error", "data", "output"))
_SPOKEN = frozenset(("voice", "file", "query", "documents"))
_SHAPES = (("messages", "/v1/chat/completions"), ("prompt", "/v1/completions"), ("input", "/v1/embeddings"))


@dataclass(frozen=True)
class _Value:
    """One JSON value of the file, and what stands above it."""

    value: Any
    line: int
    above: str
    sent: bool
    """Whether a curl command sends it."""


def looks_like(text: str) -> bool:
    """Whether a line begins with a JSON object or array, or with curl."""
    return _OPENS.search(text) is not None or read_curl(text) is not None


def read_pair(source: Source) -> Document:
    """Read a request and an answer, or one of them. Raises DeriveError, with file and line."""
    if len(source.text) > LONGEST:
        raise DeriveError(f"{source.at(1)}: the file is longer than {LONGEST:,} characters", "Shorten the examples.")
    file = replace(source, text=unix(source.text))
    curl = read_curl(file.text)
    values = _values(file, curl)
    if len(values) == 1 and not values[0].sent:
        values = _pair_inside(file, values[0]) or values
        _check_shape(source, values)
    request, response = _told_apart(values)
    if request is None and response is None:
        raise DeriveError(f"{source.at(1)}: no JSON example in this file", "Give a request and an answer as JSON.")
    return Document(file, "example", _title(file), (), (_endpoint(file, curl, request, response),))


def _values(source: Source, curl: Curl | None) -> list[_Value]:
    """The JSON values that begin a line, and the data of the curl command."""
    text, at = source.text, 0
    found: list[_Value] = []
    sent_at = curl.data_at if curl else -1
    while len(found) < MOST_VALUES:
        hit = _OPENS.search(text, at)
        start = hit.start(1) if hit else len(text)
        if at <= sent_at <= start:
            start = sent_at
        if start >= len(text):
            break
        line = text.count("\n", 0, start) + 1
        read = first_value(text, source.at(line), start)
        found.append(_Value(read.value, line, plain(text[max(at, start - 300) : start]), start == sent_at))
        at = read.end
    return found


def _pair_inside(source: Source, only: _Value) -> list[_Value]:
    """The two parts of `{"request": …, "response": …}` or `[request, response]`; empty for any other value."""
    value = only.value
    if isinstance(value, dict) and {"request", "response"} <= value.keys():
        parts = [(word, value[word], _key_at(source, word)) for word in ("request", "response")]
    elif isinstance(value, list) and len(value) == 2 and _has(value[0], _SENT) and _has(value[1], _ANSWERED):
        first = first_value(source.text, source.at(only.line), source.text.index("[") + 1)
        parts = [("request", value[0], source.text.index("{")), ("response", value[1], first.end)]
    else:
        return []
    if not all(isinstance(part, dict | list) for _, part, _ in parts):
        return []
    return [_Value(part, source.text.count("\n", 0, at) + 1, word, sent=False) for word, part, at in parts]


def _key_at(source: Source, word: str) -> int:
    found = re.search(rf'"{word}"\s*:\s*', source.text)
    return found.end() if found else 0


def _check_shape(source: Source, values: Sequence[_Value]) -> None:
    """Refuse a file with one JSON value that nothing makes a request or an answer."""
    only = values[0]
    shaped = _has(only.value, _SENT | _ANSWERED | _SPOKEN) or only.above or _TARGET.search(source.text)
    if len(values) == 1 and not shaped:
        raise DeriveError(
            f"{source.at(only.line)}: JSON that is neither OpenAPI 3 nor a request or an answer",
            "Give an OpenAPI document, or a request and an answer; put the words Request and Response above them.",
        )


def _has(value: Any, keys: frozenset[str]) -> bool:
    return isinstance(value, dict) and not keys.isdisjoint(value)


def _told_apart(values: Sequence[_Value]) -> tuple[_Value | None, _Value | None]:
    """Which value is the request and which the answer."""
    request = next((each for each in values if _is_request(each)), None)
    rest = [each for each in values if each is not request]
    response = next((each for each in rest if _is_response(each)), None)
    if request is None and rest and (response is None or rest[0] is not response):
        request = rest[0]
        rest = rest[1:]
    return request, response or (rest[0] if rest else None)


def _is_request(each: _Value) -> bool:
    keys = set(each.value) if isinstance(each.value, dict) else set()
    last = _last_word(each.above)
    return each.sent or last == "request" or (not last and bool(keys & _SENT) and not keys & _ANSWERED)


def _is_response(each: _Value) -> bool:
    keys = set(each.value) if isinstance(each.value, dict) else set()
    return _last_word(each.above) == "response" or bool(keys & _ANSWERED)


def _last_word(above: str) -> str:
    """Which of the two the nearest word above a value names; `请求示例` is a request, `返回` an answer."""
    asked = [hit.start() for hit in _REQUEST.finditer(above)]
    answered = [hit.start() for hit in _RESPONSE.finditer(above)]
    if not asked and not answered:
        return ""
    return "request" if max(asked, default=-1) > max(answered, default=-1) else "response"


def _title(source: Source) -> str:
    """The first line that is words, else the name of the file."""
    first = next((line.text for line in lines_of(source.text[:20_000]) if line.text), "")
    words = first.lstrip("# ")
    return words if words and words[0] not in "{[/" and not words.startswith("curl") else source.name


def _endpoint(source: Source, curl: Curl | None, request: _Value | None, response: _Value | None) -> Endpoint:
    target = _TARGET.search(source.text)
    method = target[1] if target else (curl.method if curl else "")
    url = target[2] if target else (curl.url if curl else "")
    line = next(each.line for each in (request, response) if each)
    headers = tuple(
        Header(name, None, value, source.text.count("\n", 0, at) + 1, "curl")
        for name, value, at in (curl.headers if curl else ())
    )
    key_line, key_header = shown_key(headers)
    spoken = source.text.lower().find("bearer")
    if not key_line and spoken >= 0:
        key_line = source.text.count("\n", 0, spoken) + 1
    return Endpoint(
        title=_title(source),
        folder=(),
        method=method or ("POST" if request or (response and _is_generated(response.value)) else "GET"),
        url=url or _guessed(request, response),
        line=line,
        description="",
        bearer=True if key_line and not key_header else None,
        headers=headers,
        request=_body(source, request),
        response=_body(source, response),
        key_line=key_line,
        key_header=key_header,
    )


def _is_generated(answer: Any) -> bool:
    """Whether an answer is one that a model gave, which only a POST gets."""
    return _has(answer, frozenset({"choices"})) or (
        isinstance(answer, dict) and any(answer.get(key) in _GENERATED for key in ("object", "type"))
    )


def _guessed(request: _Value | None, response: _Value | None) -> str:
    """The path that a body of this shape is sent to; empty when nothing tells."""
    keys = request.value if request and isinstance(request.value, dict) else {}
    if response and _is_chat(response.value):
        return "/v1/chat/completions"
    return next((path for key, path in _SHAPES if key in keys), "")


def _is_chat(answer: Any) -> bool:
    """Whether an answer says that it is one of chat, or has a message as only those have."""
    if not isinstance(answer, dict):
        return False
    choices = answer.get("choices")
    messages = isinstance(choices, list) and any(_has(each, frozenset({"message", "delta"})) for each in choices[:1])
    return messages or answer.get("object") == "chat.completion"


def _body(source: Source, each: _Value | None) -> Body | None:
    if each is None:
        return None
    evidence = "curl" if each.sent else "example"
    schema = infer(each.value, source, each.line, evidence)
    return Body("application/json", schema, each.value, each.line, each.line)
