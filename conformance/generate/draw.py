"""Draws from strategies by a seed, the same values in every process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir, storage_directory
from hypothesis.errors import InvalidArgument

from conformance.errors import DataError

if TYPE_CHECKING:
    from random import Random

    from hypothesis.strategies import DrawFn, SearchStrategy

_TRIES = 12
_BYTES = 2_048


@contextmanager
def _writing_nothing() -> Iterator[None]:
    """Keep Hypothesis from leaving a table of Unicode in the working directory, as it does for patterns.

    It goes without where it cannot write: below a file there can be no folder.
    """
    before = storage_directory(intent_to_write=False).home_directory
    set_hypothesis_home_dir(__file__)
    try:
        yield
    finally:
        set_hypothesis_home_dir(before)


class Drawer:
    """Draws values from strategies.

    Hypothesis's ordinary draws mix in constants that it collects from whatever modules happen to be loaded, so a seed
    does not fix them. Its entry for fuzzers takes every choice from the bytes that it is given.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self._wanted: SearchStrategy[Any] = st.none()
        self._drawn: list[Any] = []

        @st.composite
        def wanted(draw: DrawFn) -> Any:
            return draw(self._wanted)

        @settings(database=None, deadline=None)
        @given(wanted())
        def take(value: Any) -> None:
            self._drawn.append(value)

        self._feed = take.hypothesis.fuzz_one_input  # type: ignore[attr-defined]

    def draw(self, strategy: SearchStrategy[Any]) -> Any:
        """One value; raises DataError when none turns up."""
        with _writing_nothing():
            return self._draw(strategy)

    def _draw(self, strategy: SearchStrategy[Any]) -> Any:
        self._wanted = strategy
        self._drawn.clear()
        for attempt in range(_TRIES):
            try:
                self._feed(self.random.randbytes(_BYTES << min(attempt, 6)))
            except (InvalidArgument, ValueError, OverflowError, RecursionError) as error:
                raise DataError(f"nothing can be drawn: {error}") from error
            if self._drawn:
                return self._drawn[0]
        raise DataError("nothing that satisfies the schema was found", "is the schema satisfiable?")
