"""Bad requests in chains, after each of which a good one asks how the relay took them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.generate.mutations import Mutant

CHAIN = 4
"""Bad requests that are sent one after the other before a good one asks how the relay took them."""


def chains_of(mutants: Sequence[Mutant], wanted: int) -> list[Sequence[Mutant]]:
    """The mutants to send, in chains of nearly equal length; with a recovery each, they are `wanted` cases at most."""
    number = -(-wanted // (CHAIN + 1))
    room = min(wanted - number, len(mutants))
    number = min(number, room)
    sizes = [room // number + (place < room % number) for place in range(number)]
    starts = [sum(sizes[:place]) for place in range(number)]
    return [mutants[start : start + size] for start, size in zip(starts, sizes, strict=True)]
