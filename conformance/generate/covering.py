"""Which fields a case combines: each one alone, then pairs and values greedily, then at random."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from conformance.generate.values import Choice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from random import Random

Row = dict[str, Choice]
"""The optional fields of one case."""

Kind = tuple[str, str]
"""A field, and what its value is like: two values of a kind are the same to other fields."""

WIDEST = 7
"""Optional fields that one case combines: what fails must be easy to read."""

_KINDS = {
    "as null": "null",
    "as a list": "list",
    "as a string": "text",
    "as one character": "text",
    "as two": "several",
    "as three": "several",
    "as true": "true",
    "as false": "false",
    "as json_object": "json_object",
    "as json_schema": "json_schema",
    "at its minimum": "low",
    "just above its minimum": "low",
    "one above its minimum": "low",
    "at its maximum": "high",
    "just below its maximum": "high",
    "one below its maximum": "high",
}
"""What the words of a choice begin with, and the kind of its value."""

_NEEDS = {"stream_options": ("stream", "as true"), "top_logprobs": ("logprobs", "as true")}
"""Fields of a chat that need another, and its value."""


def rows(
    fields: Mapping[str, Sequence[Choice]],
    random: Random,
    needs: Mapping[str, tuple[str, str]] = _NEEDS,
    clashes: Collection[tuple[str, str]] = (),
) -> Iterator[Row]:
    """Rows without end: the first ones cover, the others are drawn.

    `needs`: fields that need another, and the words of its value. `clashes`: fields that no request has together.
    """
    planner = _Planner(fields, random, needs, clashes)
    yield from planner.singles()
    yield from planner.greedy()
    while True:
        yield planner.drawn()


class _Planner:
    """Keeps the account of what no row has yet."""

    def __init__(
        self,
        fields: Mapping[str, Sequence[Choice]],
        random: Random,
        needs: Mapping[str, tuple[str, str]],
        clashes: Collection[tuple[str, str]],
    ) -> None:
        self._fields = fields
        self._random = random
        self._needs = needs
        self._clashes = [frozenset(pair) for pair in clashes]
        self._together = [choice for found in fields.values() for choice in found if not choice.alone]
        self._alone = [choice for found in fields.values() for choice in found if choice.alone]
        self._values = {(choice.name, choice.words) for choice in self._together}
        of_kinds = combinations(sorted({_kind(choice) for choice in self._together} - _nulls(fields)), 2)
        self._pairs = dict.fromkeys((one, other) for one, other in of_kinds if one[0] != other[0])

    def singles(self) -> Iterator[Row]:
        """Each field without any other that it does not need."""
        names = list(self._fields)
        self._random.shuffle(names)
        for name in names:
            usable = [choice for choice in self._fields[name] if not choice.alone]
            telling = [choice for choice in usable if choice.words != "as null"] or usable
            row = self.with_choice({}, self._random.choice(telling)) if telling else None
            if row is not None:
                yield self._counted(row)
        yield from ({choice.name: choice} for choice in self._alone)

    def greedy(self) -> Iterator[Row]:
        """Rows that add as much as they can to what is covered, until nothing is left to cover."""
        stuck = False
        while not stuck:
            row = self._fullest()
            before = len(self._values) + len(self._pairs)
            self._counted(row)
            stuck = len(self._values) + len(self._pairs) == before
            if not stuck:
                yield row

    def drawn(self) -> Row:
        """A few fields with any of their values."""
        row: Row = {}
        for choice in self._random.sample(self._together, min(self._random.randint(1, WIDEST), len(self._together))):
            row = self.with_choice(row, choice) or row
        return row

    def _fullest(self) -> Row:
        """The row to which choices were added one by one, each time one that covers the most."""
        order = self._random.sample(self._together, len(self._together))
        row = {} if self._values else self._pair(order)
        while len(row) < WIDEST:
            grown = [(self._gain(row, other), other) for choice in order if (other := self.with_choice(row, choice))]
            gain, best = max(grown, key=lambda each: each[0], default=(0, row))
            if not gain:
                break
            row = best
        return row

    def _pair(self, order: Sequence[Choice]) -> Row:
        """Two fields in kinds that no row has together yet; nothing when the pairs that are left cannot be."""
        for one, other in list(self._pairs):
            firsts = [row for choice in order if _kind(choice) == one and (row := self.with_choice({}, choice))]
            for first in firsts:
                for choice in order:
                    row = self.with_choice(first, choice) if _kind(choice) == other else None
                    if row is not None:
                        return row
            del self._pairs[one, other]
        return {}

    def _gain(self, row: Row, grown: Row) -> int:
        """How much more the grown row covers; a value counts for two pairs."""
        new = [choice for name, choice in grown.items() if name not in row]
        values = sum((choice.name, choice.words) in self._values for choice in new)
        return 2 * values + sum(_pair_of(choice, other) in self._pairs for choice in new for other in row.values())

    def _counted(self, row: Row) -> Row:
        """The row, now on the account."""
        self._values -= {(choice.name, choice.words) for choice in row.values()}
        for one, other in combinations(row.values(), 2):
            self._pairs.pop(_pair_of(one, other), None)
        return row

    def with_choice(self, row: Row, choice: Choice) -> Row | None:
        """The row with one more field and what that needs; None where that makes no sensible request."""
        if choice.name in row:
            return None
        grown = {**row, choice.name: choice}
        if choice.name in self._needs:
            name, words = self._needs[choice.name]
            needed = grown.get(name) or next((each for each in self._fields.get(name, ()) if each.words == words), None)
            if needed is None or needed.words != words:
                return None
            grown[name] = needed
        several = "n" in grown and grown["n"].words not in {"as null", "at its minimum"}
        clash = any(pair <= grown.keys() for pair in self._clashes)
        return None if clash or (several and "max_completion_tokens" in grown) else grown


def _pair_of(one: Choice, other: Choice) -> tuple[Kind, Kind]:
    first, second = sorted((_kind(one), _kind(other)))
    return first, second


def _kind(choice: Choice) -> Kind:
    """A list is not a string and several answers are not one, but any number is a number."""
    return choice.name, next((kind for beginning, kind in _KINDS.items() if choice.words.startswith(beginning)), "any")


def _nulls(names: Iterable[str]) -> set[Kind]:
    """What says nothing: it is covered once, and not beside every other field."""
    return {(name, "null") for name in names}
