"""The values of one request field that are worth sending: each branch, each enum value, each bound and just inside."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.generate.merging import alternatives, kinds
from conformance.generate.strategies import strategy_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

    from conformance.generate.documents import Document, Schema
    from conformance.generate.draw import Drawer

    Plain = dict[str, Any]

MOST_CHOICES = 3
"""Answers that a case asks for at once, but for the one case about the most that may be asked for."""

REFERENCES = 12
"""References that are followed to find what a field takes."""

_MOST_VALUES = 100
"""Values of one enum that are sent."""
_INSIDE = 0.001
"""How far a number just inside its bound is from it."""

Make = Callable[["Drawer"], Any]


@dataclass(frozen=True)
class Choice:
    """One kind of value of one field; `make` draws such a value."""

    name: str
    words: str
    zh: str
    make: Make
    alone: bool = False
    """Dear: only in the one case that is about it."""


def choices(name: str, documents: Sequence[Document]) -> list[Choice]:
    """What the documents suggest for a field, in their order; the same words may stand for several values.

    A bound of one document may be beyond that of another: who asks keeps the first value that all of them allow.
    """
    found = [Choice(name, *each) for each in BY_HAND.get(name, ())]
    if name == "n":
        found += _counts(documents)
    return found or [choice for document in documents for choice in _of_document(name, document)]


def _of_document(name: str, document: Document) -> Iterator[Choice]:
    """The choices that one document's schema of a field suggests."""
    schema = properties(document).get(name)
    if schema is not None:
        yield from suggested(name, (plain for plain, _, _ in alternatives(document, schema, REFERENCES)), document)


def suggested(name: str, plains: Iterable[Plain], document: Document) -> Iterator[Choice]:
    """The choices that plain schemas of a field suggest."""
    for plain in plains:
        for words, zh, make in _of_plain(plain, document):
            yield Choice(name, words, zh, make)


def _counts(documents: Sequence[Document]) -> Iterator[Choice]:
    """The most answers that may be asked for."""
    schemas = [(document, properties(document)["n"]) for document in documents if "n" in properties(document)]
    plains = [plain for document, schema in schemas for plain, _, _ in alternatives(document, schema, REFERENCES)]
    most = min((plain["maximum"] for plain in plains if "maximum" in plain), default=0)
    if most > MOST_CHOICES:
        yield Choice("n", "at its maximum", "取最大值", constant(int(most)), alone=True)


def properties(document: Document) -> Mapping[str, Schema]:
    """The fields that a document's request has."""
    found: dict[str, Schema] = {}
    for plain, _, _ in alternatives(document, document.root, REFERENCES):
        found |= plain.get("properties", {})
    return found


def required(document: Document) -> list[str]:
    """The fields that a document's request must have."""
    plains = alternatives(document, document.root, REFERENCES)
    return [name for plain, _, _ in plains for name in plain.get("required", ())]


def constant(value: Any) -> Make:
    """Make always the same value."""
    return lambda _: value


def _drawn(strategy: SearchStrategy[Any]) -> Make:
    return lambda drawer: drawer.draw(strategy)


def _of_plain(plain: Plain, document: Document) -> Iterator[tuple[str, str, Make]]:
    """(words, zh, make) for each kind of value of a plain schema."""
    if "enum" in plain:
        for value in plain["enum"][:_MOST_VALUES]:
            shown = json.dumps(value, ensure_ascii=False)
            yield f"as {shown}", f"为 {shown}", constant(value)
        return
    for kind in kinds(plain.get("type")):
        if kind == "null":
            yield "as null", "为 null", constant(None)
        elif kind == "boolean":
            yield "as true", "为 true", constant(True)
            yield "as false", "为 false", constant(False)
        elif kind == "integer":
            yield from _integers(plain)
        elif kind == "number":
            yield from _numbers(plain)
        else:
            yield f"as {_A[kind]}", f"为{_ZH[kind]}", _drawn(strategy_in(document, {**plain, "type": kind}))


_A = {"string": "a string", "array": "an array", "object": "an object"}
_ZH = {"string": "字符串", "array": "数组", "object": "对象"}


def _integers(plain: Plain) -> Iterator[tuple[str, str, Make]]:
    """Whole numbers at the bounds, one inside, and in between."""
    low, high = plain.get("minimum"), plain.get("maximum")
    if low is not None:
        yield "at its minimum", "取最小值", constant(int(low))
        yield "one above its minimum", "比最小值大一", constant(int(low) + 1)
    if high is not None:
        yield "at its maximum", "取最大值", constant(int(high))
        yield "one below its maximum", "比最大值小一", constant(int(high) - 1)
    first = int(low) if low is not None else min(1, int(high or 1))
    last = min(int(high) if high is not None else first + 99, first + 10**6)
    yield "as a whole number", "为整数", lambda drawer: drawer.random.randint(first, last)


def _numbers(plain: Plain) -> Iterator[tuple[str, str, Make]]:
    """Numbers at the bounds, just inside, whole and broken."""
    low, high = plain.get("minimum"), plain.get("maximum")
    if low is not None:
        yield "at its minimum", "取最小值", constant(low)
        yield "just above its minimum", "略大于最小值", constant(round(low + _INSIDE, 6))
    if high is not None:
        yield "at its maximum", "取最大值", constant(high)
        yield "at its maximum with a decimal point", "取最大值 (写作小数)", constant(float(high))
        yield "just below its maximum", "略小于最大值", constant(round(high - _INSIDE, 6))
    first = low if low is not None else 0
    last = high if high is not None else first + 1
    yield "as a fraction", "为小数", lambda drawer: round(drawer.random.uniform(first, last), 2)
    if int(last) - int(first) > 1:
        yield "as a whole number", "为整数", lambda drawer: drawer.random.randint(int(first) + 1, int(last) - 1)


_STOPS = ("5", "END", "\n\n", "###", "。", "stop here", "🌏", "</s>", "User:", "7")
_TOKENS = ("0", "15", "198", "1000", "50256")


def _stops(least: int, most: int) -> Make:
    return lambda drawer: drawer.random.sample(_STOPS, drawer.random.randint(least, most))


def _bias(value: int) -> Make:
    return lambda drawer: {drawer.random.choice(_TOKENS): value}


def _biases(drawer: Drawer) -> dict[str, int]:
    return {token: drawer.random.randint(-5, 5) for token in drawer.random.sample(_TOKENS, 2)}


_ANSWER = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}


def _json_schema(**more: Any) -> Make:
    def make(drawer: Drawer) -> dict[str, Any]:
        name = drawer.random.choice(("answer", "a-1", "Reply_2"))
        return {"type": "json_schema", "json_schema": {"name": name, "schema": _ANSWER, **more}}

    return make


By = tuple[str, str, Make]
"""What a choice is called in English and Chinese, and how its value is made."""

NULL: By = ("as null", "为 null", constant(None))
BY_HAND: Mapping[str, tuple[By, ...]] = {
    "max_tokens": (
        ("at one", "为 1", constant(1)),
        ("up to 16", "不超过 16", lambda drawer: drawer.random.randint(2, 16)),
    ),
    "max_completion_tokens": (
        ("at one", "为 1", constant(1)),
        ("up to 16", "不超过 16", lambda drawer: drawer.random.randint(2, 16)),
    ),
    "n": (
        NULL,
        ("at its minimum", "取最小值", constant(1)),
        ("as two", "为 2", constant(2)),
        ("as three", "为 3", constant(MOST_CHOICES)),
    ),
    "stop": (
        NULL,
        ("as a string", "为字符串", lambda drawer: drawer.random.choice([stop for stop in _STOPS if len(stop) > 1])),
        (
            "as one character",
            "为单个字符",
            lambda drawer: drawer.random.choice([stop for stop in _STOPS if len(stop) == 1]),
        ),
        ("as a list of one", "为一个字符串的数组", _stops(1, 1)),
        ("as a list", "为数组", _stops(2, 3)),
        ("as a list of four", "为四个字符串的数组", _stops(4, 4)),
    ),
    "stream_options": (
        NULL,
        ("asking for usage", "要求用量", constant({"include_usage": True})),
        ("declining usage", "不要用量", constant({"include_usage": False})),
        ("with obfuscation", "要求混淆", constant({"include_usage": True, "include_obfuscation": True})),
        ("without obfuscation", "不要混淆", constant({"include_obfuscation": False})),
    ),
    "logit_bias": (
        NULL,
        ("at its minimum", "取最小值", _bias(-100)),
        ("at its maximum", "取最大值", _bias(100)),
        ("one above its minimum", "比最小值大一", _bias(-99)),
        ("for two tokens", "针对两个 token", _biases),
    ),
    "response_format": (
        ("as text", "为 text", constant({"type": "text"})),
        ("as json_object", "为 json_object", constant({"type": "json_object"})),
        ("as json_schema", "为 json_schema", _json_schema()),
        ("as json_schema with strict", "为 json_schema 且 strict", _json_schema(strict=True)),
        ("as json_schema without strict", "为 json_schema 且不 strict", _json_schema(strict=False)),
        (
            "as json_schema with every field",
            "为 json_schema 且字段齐全",
            _json_schema(strict=None, description="An answer in one field.", name="long_name-" + "x" * 54),
        ),
    ),
    "user": (("as a string", "为字符串", lambda drawer: f"user-{drawer.random.randint(1, 999)}"),),
}
"""Fields whose values a schema alone would not make sensible."""

ASKS_FOR_JSON = frozenset({"json_object", "json_schema"})
