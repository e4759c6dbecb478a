"""Cases of several steps, each made from the answers before it.

A scenario is a generator: it yields a case and is sent the exchange that came of it. Its steps are fixtures like all
others (`scenario` and `step`), so that they are announced and paid for like all others; what the generator adds is
what only an earlier answer can tell. It ends early where that answer gives nothing to go on with.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.errors import DataError

if TYPE_CHECKING:
    from conformance.model import Case, Exchange

Steps = Generator["Case", "Exchange", None]
"""What a scenario is while it runs."""

_OK = range(200, 300)


def begin(cases: Sequence[Case]) -> Steps:
    """Start the scenario of these steps; raises DataError for one that there is not."""
    steps = sorted(cases, key=lambda case: case.step)
    scenario = SCENARIOS.get(steps[0].scenario)
    if scenario is None:
        raise DataError(f"there is no scenario {steps[0].scenario!r}", f"known: {', '.join(SCENARIOS)}")
    return scenario(*steps)


def advance(running: Steps, exchange: Exchange) -> Case | None:
    """Tell a scenario what came of its last step; its next one, or None when it is over."""
    try:
        return running.send(exchange)
    except StopIteration:
        return None
    except (LookupError, TypeError, ValueError, AttributeError):  # the answer is of another shape than it should be
        return None


def _good(exchange: Exchange) -> bool:
    return exchange.answered and exchange.status in _OK


def with_body(case: Case, **fields: Any) -> Case:
    """The case with these fields of its body set."""
    return replace(case, body={**(case.body or {}), **fields})


def models_then_retrieve(listing: Case, single: Case) -> Steps:
    """Ask for the first model of the list by its own name."""
    listed = yield listing
    if _good(listed):
        name = listed.json["data"][0]["id"]
        yield replace(single, path=f"/models/{name}")


SCENARIOS: dict[str, Callable[..., Steps]] = {
    "models-then-retrieve": models_then_retrieve,
}
