"""Ways in which a good chat request is made bad, each by one named mistake that an honest relay must notice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.jsontext import parse_json

if TYPE_CHECKING:
    from random import Random

    from conformance.generate.documents import Document

    Body = dict[str, Any]

MODEL = "any-model"
"""Stands in for the model under test when a body is checked."""

WRONG: Mapping[str, Any] = {
    "string": "abc",
    "number": 1.5,
    "integer": 3,
    "boolean": True,
    "array": [1],
    "object": {"a": 1},
}
"""A value of each JSON type but null."""

_KINDS: Mapping[str, tuple[str, ...]] = {
    "model": ("string",),
    "messages": ("array",),
    "messages/0": ("object",),
    "messages/0/role": ("string",),
    "messages/0/content": ("string", "array"),
    "temperature": ("number", "integer"),
    "top_p": ("number", "integer"),
    "presence_penalty": ("number", "integer"),
    "frequency_penalty": ("number", "integer"),
    "n": ("integer",),
    "max_tokens": ("integer",),
    "seed": ("integer",),
    "top_logprobs": ("integer",),
    "stream": ("boolean",),
    "logprobs": ("boolean",),
    "stop": ("string", "array"),
    "stop/0": ("string",),
    "user": ("string",),
    "logit_bias": ("object",),
    "logit_bias/15": ("integer",),
    "stream_options": ("object",),
    "stream_options/include_usage": ("boolean",),
    "response_format": ("object",),
    "response_format/type": ("string",),
}
"""Fields and the JSON types that they may have; a mistake is any other."""

_BOUNDS: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "n": (1, 128),
    "top_logprobs": (0, 20),
    "logit_bias/15": (-100, 100),
}
_WHOLE = ("n", "max_tokens", "seed", "top_logprobs", "logit_bias/15")
_ENUMS = ("messages/0/role", "response_format/type")
_REQUIRED = ("model", "messages", "messages/0/role", "response_format/type")
_NOT_NULL = ("model", "messages", "messages/0/role")
_ITEMS: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "messages": (("empty-array", []),),
    "stop": (("empty-array", []), ("too-many-items", ["4", "5", "6", "7", "8"])),
}
_CONTEXT: Mapping[str, Any] = {
    "stop": ["5"],
    "logit_bias": {"15": 1},
    "stream_options": {"include_usage": True},
    "response_format": {"type": "text"},
    "top_logprobs": 2,
}
"""Good values of fields that a mistake inside them needs."""
_ALSO: Mapping[str, Mapping[str, Any]] = {"stream_options": {"stream": True}, "top_logprobs": {"logprobs": True}}


@dataclass(frozen=True)
class Mutant:
    """A request that is wrong in one way: a body, or the text that is sent in its place."""

    name: str
    pointer: str
    """Where the mistake is; empty for the whole body."""
    detail: str = ""
    """Which of the mistakes of this name it is, such as `boolean`."""
    body: Mapping[str, Any] | None = None
    raw: str | None = None

    @property
    def title(self) -> str:
        """Such as `wrong-type /temperature`; `/` is the whole body."""
        return f"{self.name} {self.pointer or '/'}"

    @property
    def text(self) -> str:
        """The text that is sent, with the placeholder for the model in it."""
        return self.raw if self.raw is not None else json.dumps(self.body, ensure_ascii=False)


def mutate(body: Mapping[str, Any], documents: Sequence[Document], random: Random) -> list[Mutant]:
    """Every mistake that can be made in a plain valid chat body and that no document allows, in random order.

    Mistakes in the same field are spread: neighbours are about different fields.
    """
    return spread([mutant for mutant in _mistakes(body) if is_invalid(mutant.text, documents)], random)


def spread(mutants: Iterable[Mutant], random: Random) -> list[Mutant]:
    """Mutants in random order, neighbours about different fields."""
    kept = list(mutants)
    random.shuffle(kept)
    rank: dict[str, int] = {}
    turns = []
    for mutant in kept:
        field = mutant.pointer.split("/")[1] if mutant.pointer else mutant.name
        rank[field] = rank.get(field, 0) + 1
        turns.append((rank[field], mutant))
    return [mutant for _, mutant in sorted(turns, key=lambda each: each[0])]


def is_invalid(text: str, documents: Sequence[Document]) -> bool:
    """Whether the bytes that are sent are no JSON, or a value that every document forbids."""
    found = parse_json(text.replace("$model", MODEL).encode())
    return bool(found.problem) or not any(document.accepts(found.value) for document in documents)


def _mistakes(body: Mapping[str, Any]) -> Iterator[Mutant]:
    yield from _wrong_types(body)
    yield from _wrong_numbers(body)
    yield from _missing(body)
    yield from _wrong_lists_and_names(body)
    yield from not_an_object(body)
    yield from malformed(body)


def _changed(body: Mapping[str, Any], path: str, change: Callable[[Any, Any], None]) -> Body:
    """The body after `change(container, key)` at a path, with what the field needs around it."""
    changed = deepcopy(dict(body))
    top, *_ = path.split("/")
    changed |= deepcopy(dict(_ALSO.get(top, {})))
    if top in _CONTEXT:
        changed[top] = deepcopy(_CONTEXT[top])
    container: Any = changed
    *way, last = path.split("/")
    for step in way:
        container = container[int(step)] if isinstance(container, list) else container[step]
    change(container, int(last) if isinstance(container, list) else last)
    return changed


def _set(body: Mapping[str, Any], name: str, path: str, value: Any, detail: str = "") -> Mutant:
    """A mutant with another value at a path."""

    def put(container: Any, key: Any) -> None:
        container[key] = value

    return Mutant(name, f"/{path}", detail, _changed(body, path, put))


def _wrong_types(body: Mapping[str, Any]) -> Iterator[Mutant]:
    for path, allowed in _KINDS.items():
        for kind, value in WRONG.items():
            if kind not in allowed and not (kind == "number" and "integer" in allowed):
                yield _set(body, "wrong-type", path, value, kind)


def _wrong_numbers(body: Mapping[str, Any]) -> Iterator[Mutant]:
    for path, (low, high) in _BOUNDS.items():
        step = 1 if path in _WHOLE else 0.1
        yield _set(body, "below-minimum", path, round(low - step, 1))
        yield _set(body, "above-maximum", path, round(high + step, 1))
    for path in _WHOLE:
        yield _set(body, "not-an-integer", path, 1.5)


def _missing(body: Mapping[str, Any]) -> Iterator[Mutant]:
    def remove(container: Any, key: Any) -> None:
        del container[key]

    for path in _REQUIRED:
        yield Mutant("missing-required", f"/{path}", body=_changed(body, path, remove))
    for path in _NOT_NULL:
        yield _set(body, "null-where-not-nullable", path, None)
    yield _set(body, "empty-string", "model", "")


def _wrong_lists_and_names(body: Mapping[str, Any]) -> Iterator[Mutant]:
    for path in _ENUMS:
        yield _set(body, "unknown-value", path, "no-such-value")
    for path, lists in _ITEMS.items():
        for name, value in lists:
            yield _set(body, name, path, value)


def not_an_object(body: Mapping[str, Any]) -> Iterator[Mutant]:
    """The body inside something else, or another value in its place."""
    whole = json.dumps(body, ensure_ascii=False)
    values = {"array": f"[{whole}]", "string": json.dumps(whole), "null": "null", "number": "42", "boolean": "true"}
    for kind, raw in values.items():
        yield Mutant("wrong-type", "", kind, raw=raw)


def malformed(body: Mapping[str, Any], key: str = "content") -> Iterator[Mutant]:
    """The body as text that is no JSON; `key`: the name of a text in it, which is cut.

    The first field after the model, or the only one, loses its quotes.
    """
    whole = json.dumps(body, ensure_ascii=False)
    bare = list(body)[:2][-1]
    texts = {
        "cut at the end": whole[:-1],
        "cut in a string": whole[: whole.index(key) + 3],
        "trailing comma": f"{whole[:-1]},}}",
        "single quotes": whole.replace('"', "'"),
        "twice the same": whole + whole,
        "text after the end": f"{whole} and so on",
        "key without quotes": whole.replace(f'"{bare}"', bare),
        "comment": f"/* please */ {whole}",
    }
    for name, raw in texts.items():
        yield Mutant("malformed-json", "", name, raw=raw)
