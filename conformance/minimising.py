"""Proposes smaller and smaller versions of a failing case; told of each whether it still fails. Sends nothing."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from conformance.model import Case, JSONValue
from conformance.simpler import (
    LIMITS,
    PLAIN,
    Kind,
    Place,
    get,
    halves,
    nested_keys,
    optional_keys,
    put,
    simpler,
    walk,
    without,
)

Answer = Generator[Case, bool, bool]
"""Yields at most one case, is sent whether it fails, returns whether it did."""

Steps = Generator[Case, bool, None]


def candidates(case: Case, probe: str = "", *, refused: bool = False) -> Generator[Case, bool, Case]:
    """Yield smaller cases, be sent for each whether it still fails, and return the smallest that did.

    In order: optional keys are left out (all at once, then by halves), then optional parts inside of values, then the
    conversation becomes one plain message, lists are halved, and values made simple. No body is proposed twice, none
    is invalid where the original was valid, model and output limit stay. `probe` is that of the rule that is broken.
    `refused`: the original was answered with an error, so a short question may at last go without an output limit.
    """
    search = _Search(case, probe)
    yield from search.leave_out([(key,) for key in optional_keys(search.body) if search.kind.may_lack(key)])
    yield from search.leave_out(nested_keys(search.body))
    if "messages" in search.body:
        yield from search.fails(put(search.body, ("messages",), PLAIN))
    yield from search.halve_lists()
    yield from search.simplify_values()
    if refused:
        yield from search.leave_out_limit()
    return search.smallest


class _Search:
    """The smallest case that fails so far, and what was tried."""

    def __init__(self, case: Case, probe: str) -> None:
        self.smallest = case
        self.kind = Kind.of(case, probe)
        self._tried = {_text(case.body): True}

    @property
    def body(self) -> dict[str, Any]:
        """The body of the smallest case."""
        return dict(self.smallest.body or {})

    def fails(self, body: JSONValue) -> Answer:
        """Whether a body fails; then it is the smallest."""
        text = _text(body)
        if text not in self._tried:
            case = replace(self.smallest, body=body)
            self._tried[text] = self.kind.has(body) and (yield case)
            if self._tried[text]:
                self.smallest = case
        return self._tried[text]

    def leave_out(self, places: Sequence[Place]) -> Steps:
        """Leave out what is not needed to fail; it takes a few questions for each part that is needed."""
        left = list(places)
        needed = []
        while left and not (yield from self.fails(without(self.body, left))):
            last = yield from self._last_needed(left)
            needed.append(left[last])
            left = left[:last]
        for place in needed:
            yield from self.fails(without(self.body, [place]))

    def _last_needed(self, left: Sequence[Place]) -> Generator[Case, bool, int]:
        """The place where the shortest beginning of `left` ends with which the case still fails."""
        whole = self.body
        passing, failing = 0, len(left)
        while failing - passing > 1:
            middle = (passing + failing) // 2
            if (yield from self.fails(without(whole, left[middle:]))):
                failing = middle
            else:
                passing = middle
        return failing - 1

    def leave_out_limit(self) -> Steps:
        """Ask the shortest question without an output limit: an error costs nothing, and an answer little."""
        body = {name: value for name, value in self.body.items() if name not in LIMITS}
        kept = LIMITS & {*self.kind.mutated[:1], *self.kind.present}
        if body != self.body and body.get("messages") == PLAIN and not kept:
            case = replace(self.smallest, body=body)
            if (yield case):
                self.smallest = case

    def halve_lists(self) -> Steps:
        """Make lists as short as they may be."""
        for place in [place for place, value in walk(self.body) if isinstance(value, list)]:
            while (yield from self._replaced(place, halves(self._at(place)))):
                pass

    def simplify_values(self) -> Steps:
        """Make numbers small, switches off and texts short."""
        for place in [place for place, _ in walk(self.body) if self._at(place[:1]) != PLAIN]:
            while (yield from self._replaced(place, simpler(self._at(place), place))):
                pass

    def _replaced(self, place: Place, values: Sequence[JSONValue]) -> Answer:
        """Whether the case still fails with one of these values at a place; the first that does is kept."""
        for value in values:
            if (yield from self.fails(put(self.body, place, value))):
                return True
        return False

    def _at(self, place: Place) -> JSONValue:
        """The value at a place, None where it is gone."""
        try:
            return get(self.body, place)
        except (LookupError, TypeError):
            return None


def _text(body: JSONValue) -> str:
    """A body as text, the same for equal bodies."""
    return json.dumps(body, sort_keys=True)
