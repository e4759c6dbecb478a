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
from conformance.derive.nouns import Body, DeriveError, Document, Endpoint, Header, Source
from conformance.derive.plain import lines_of, plain, unix
from conformance.derive.tolerant import first_value, read_json_tolerantly

__all__ = ["infer", "looks_like", "read_json_tolerantly", "read_pair"]

MOST_VALUES = 20
LONGEST = 4_000_000

_OPENS = re.compile(r"^[ \t]*([{\[])", re.MULTILINE)
_TARGET = re.compile(
    r"^[ \t#*>`-]{0,8}(GET|POST|PUT|PATCH|DELETE)\s{1,4}((?:https?://|/)[^\s'\"\\`]{1,2000})", re.MULTILINE
)
_REQUEST = re.compile(r"请求|request", re.IGNORECASE)
_RESPONSE = re.compile(r"返回|响应|回复|response|answer|returns", re.IGNORECASE)
_SENT = frozenset(("messages", "prompt", "input", "contents"))
_ANSWERED = frozenset(("choices", "object", "usage", "error", "data", "output"))
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
    request, response = _told_apart(_values(file, curl))
    if request is None and response is None:
        raise DeriveError(f"{source.at(1)}: no JSON example in this file", "Give a request and an answer as JSON.")
    return Document(source, "example", _title(file), (), (_endpoint(file, curl, request, response),))


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
    bearer = any(each.name.lower() == "authorization" for each in headers) or "bearer" in source.text.lower()
    return Endpoint(
        title=_title(source),
        folder=(),
        method=method or ("POST" if request else "GET"),
        url=url or _guessed(request, response),
        line=line,
        description="",
        bearer=True if bearer else None,
        headers=headers,
        request=_body(source, request),
        response=_body(source, response),
    )


def _guessed(request: _Value | None, response: _Value | None) -> str:
    """The path that a body of this shape is sent to; empty when nothing tells."""
    keys = request.value if request and isinstance(request.value, dict) else {}
    if response and isinstance(response.value, dict) and response.value.get("object") == "chat.completion":
        return "/v1/chat/completions"
    return next((path for key, path in _SHAPES if key in keys), "")


def _body(source: Source, each: _Value | None) -> Body | None:
    if each is None:
        return None
    evidence = "curl" if each.sent else "example"
    schema = infer(each.value, source, each.line, evidence)
    return Body("application/json", schema, each.value, each.line, each.line)
