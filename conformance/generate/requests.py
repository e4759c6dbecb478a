"""Good requests: which fields they combine, what they say, and that every schema in force allows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any

from conformance.errors import DataError
from conformance.generate.chats import KINDS, SHAPES, SPECIAL, Shape, conversations, plainer
from conformance.generate.covering import Row, rows
from conformance.generate.documents import Document
from conformance.generate.draw import Drawer
from conformance.generate.mutations import MODEL
from conformance.generate.own import own_fields
from conformance.generate.values import ASKS_FOR_JSON, MOST_CHOICES, Choice, choices, properties, required

LONGEST_ANSWER = 16
"""Output tokens that a good request allows at most, for each answer."""

_TRIES = 20
"""Rows that are tried for each request."""
_FIRST = 3
"""How many times as many for the first: what no request satisfies is said soon."""
_ASKED = frozenset({"model", "messages", "max_tokens"})
_LATER = frozenset({"tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "audio", "modalities"})


@dataclass(frozen=True)
class Planned:
    """A good request: its optional fields, its conversation, its body."""

    row: Row
    shape: Shape
    body: dict[str, Any]


def plain(random: Random, limit: int) -> dict[str, Any]:
    """A request that nobody refuses, with `limit` output tokens at most."""
    question = random.choice(("Say OK", "Say hello.", "Name one animal."))
    messages = [{"role": "user", "content": question}]
    return {"model": "$model", "messages": messages, "max_tokens": random.randint(1, limit)}


class Requests:
    """Makes the good requests of one plan; raises DataError where the documents cannot be used."""

    def __init__(self, documents: Sequence[Document], random: Random, drawer: Drawer) -> None:
        self._documents = documents
        self._random = random
        self._drawer = drawer
        self._fields = self._known_fields()
        names = [name for document in documents for name in required(document)]
        self._required = [name for name in dict.fromkeys(names) if name in self._fields]

    def good(self, count: int) -> Iterator[Planned]:
        """So many good requests, fewer where the documents allow none any more."""
        planned = rows(self._fields, self._random)
        shapes = cycle(self._random.sample(SHAPES, len(SHAPES)))
        kinds = cycle(self._random.sample(list(KINDS), len(KINDS)))
        special = list(self._random.sample(SPECIAL, len(SPECIAL)))
        made = misses = 0
        while made < count and misses < _TRIES * (made + _FIRST):
            row = {} if special and made % 4 == 3 else next(planned)
            shape = special.pop() if special and not row else Shape(next(kinds)) if len(row) < 2 else next(shapes)
            found = self._try(row, shape)
            made, misses = (made + 1, misses) if found else (made, misses + 1)
            if found:
                yield found
        if count and not made:
            raise DataError("no request satisfies all schemas in force", "do the schemas of the provider fit chat?")

    def _known_fields(self) -> dict[str, list[Choice]]:
        """The optional fields that may be sent, each with the values that every document allows."""
        reference = properties(self._documents[0])
        others = [name for document in self._documents[1:] for name in own_fields(document, reference, _LATER)]
        names = [name for name in dict.fromkeys([*reference, *others]) if name not in _ASKED | _LATER]
        found = {name: self._allowed(name) for name in names}
        return {name: allowed for name, allowed in found.items() if allowed}

    def _allowed(self, name: str) -> list[Choice]:
        """The choices of a field whose values every document that has the field allows."""
        schemas = [(document, properties(document).get(name, True)) for document in self._documents]
        kept: dict[str, Choice] = {}
        for choice in choices(name, self._documents):
            with suppress(DataError, ValueError):  # a range without values among them
                if choice.words not in kept and self._is_allowed(choice.make(self._drawer), schemas):
                    kept[choice.words] = choice
        return list(kept.values())

    def _is_allowed(self, value: Any, schemas: Sequence[tuple[Document, Any]]) -> bool:
        return all(document.is_valid(schema, value) for document, schema in schemas)

    def _try(self, row: Row, shape: Shape) -> Planned | None:
        """The request of a row and a conversation; of a plainer one where a document forbids that."""
        more = {name: self._random.choice(self._fields[name]) for name in self._required if name not in row}
        for candidate in plainer(shape):
            body = self._body({**row, **more}, candidate)
            if all(document.accepts({**body, "model": MODEL}) for document in self._documents):
                return Planned({**row, **more}, candidate, body)
        return None

    def _body(self, row: Row, shape: Shape) -> dict[str, Any]:
        """The body: now and then in another order than usual."""
        values = {name: choice.make(self._drawer) for name, choice in row.items()}
        kind = (values.get("response_format") or {}).get("type")
        messages = self._drawer.draw(conversations(shape, json=kind in ASKS_FOR_JSON))
        body: dict[str, Any] = {"model": "$model", "messages": messages}
        if "max_completion_tokens" not in row:
            dear = (values.get("n") or 1) > MOST_CHOICES
            body["max_tokens"] = 1 if dear else self._random.randint(1, LONGEST_ANSWER)
        body |= values
        if self._random.random() < 1 / 3:
            body = dict(self._random.sample(list(body.items()), len(body)))
        return body
