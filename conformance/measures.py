"""How fast a relay answered, as samples: one value for each good answer to a first attempt.

A retried request says nothing about speed: what it waited for was the relay's own refusal.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.model import Expectation
from conformance.operations import OPERATIONS
from conformance.refusals import not_offered
from conformance.usage import reported_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.intervals import Interval
    from conformance.model import Case, Exchange, Ledger

FIRST_BYTE, FIRST_CONTENT, TOKEN_RATE = "first-byte", "first-content", "tokens-per-second"
SLOWER_IS_MORE = frozenset({FIRST_BYTE, FIRST_CONTENT})
"""What is worse the larger it is: seconds. Of tokens a second, more is better."""
_OK = range(200, 300)
LEAST_TOKENS, SHORTEST = 8, 0.05
"""Fewer tokens, or seconds, than this say nothing of a rate."""


@dataclass(frozen=True)
class Measure:
    """Samples of one quantity at one operation: seconds, or output tokens a second."""

    operation: str
    what: str
    values: tuple[float, ...]

    @property
    def interval(self) -> Interval | None:
        """The median with its interval."""
        from conformance.intervals import median_interval  # noqa: PLC0415 - statistics is slow to import

        return median_interval(self.values)


@dataclass(frozen=True)
class Reliability:
    """How many good requests were answered at the first attempt: anything but 429, 5xx and silence."""

    answered: int
    asked: int


def measures(ledger: Ledger) -> list[Measure]:
    """All samples of a run, in the order of the operations."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for exchange in ledger.exchanges:
        if exchange.answered and not exchange.attempts and exchange.status in _OK:
            for what, value in _values(exchange):
                found[exchange.case.operation, what].append(value)
    order = {name: place for place, name in enumerate(OPERATIONS)}
    keys = sorted(found, key=lambda key: (order.get(key[0], len(order)), key))
    return [Measure(operation, what, tuple(found[operation, what])) for operation, what in keys]


def _values(exchange: Exchange) -> Iterator[tuple[str, float]]:
    """What one good answer shows."""
    if exchange.response is None:
        return
    yield FIRST_BYTE, exchange.response.first_byte
    if not exchange.stream.first_content or exchange.case.stop_after_events:
        return  # no stream, or one of a protocol whose content is not looked for
    yield FIRST_CONTENT, exchange.stream.first_content
    took = exchange.stream.times[-1] - exchange.stream.first_content
    tokens = reported_tokens(exchange)
    if took >= SHORTEST and tokens >= LEAST_TOKENS:
        yield TOKEN_RATE, tokens / took


def reliability(ledger: Ledger) -> Reliability:
    """How many of the good requests that were sent met neither a limit, nor an internal error, nor silence at once.

    A 500 for a request that is meant to be refused, or for an operation that is not offered, is a wrong answer or a
    clumsy one, which other rules say; it is no outage.
    """
    absent = not_offered(ledger)
    sent = [each for each in ledger.exchanges if each.was_sent and _is_owed_an_answer(each.case, absent)]
    good = sum(not each.attempts and each.answered and each.status != 429 and each.status < 500 for each in sent)
    return Reliability(good, len(sent))


def _is_owed_an_answer(case: Case, absent: frozenset[str]) -> bool:
    return case.expect is Expectation.SUCCESS and case.operation not in absent
