"""The hard ceiling of a run: asked before every request, told after every answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.usage import tokens_of, unreported_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.model import Case, Exchange, Limits


_SAID = re.compile(rb'"(?:completion_tokens|output_tokens|candidatesTokenCount)"\s*:\s*(\d{1,9})\b')
_TAIL = 4096


class Budget:
    """Counts requests and output tokens; what is under way counts with its ceiling."""

    def __init__(self, limits: Limits, planned: int, spent: Sequence[Exchange] = ()) -> None:
        self._limits = limits
        self._first_tries = planned
        # A resumed run goes on counting where it was interrupted.
        sent = [exchange for exchange in spent if exchange.was_sent]
        self.requests = sum(1 + len(exchange.attempts) for exchange in sent)
        self.output_tokens = sum(tokens_of(exchange)[1] for exchange in sent)

    def take(self, case: Case, *, again: bool) -> str:
        """Reserve one request for a case; return why not, or an empty string.

        A further attempt may not use up what cases still need that have not had their first one.
        """
        if self.requests + (self._first_tries if again else 0) >= self._limits.requests:
            return f"the limit of {self._limits.requests} requests is reached (--max-requests)"
        if self.output_tokens + case.output_tokens > self._limits.output_tokens:
            return f"the limit of {self._limits.output_tokens} output tokens is reached (--max-output-tokens)"
        self.requests += 1
        self.output_tokens += case.output_tokens
        if not again:
            self._first_tries -= 1
        return ""

    def plan_again(self) -> None:
        """A case that was sent needs another first try: its answer only showed where to send."""
        self._first_tries += 1

    def drop(self) -> None:
        """A planned case is never sent: it needs no first try."""
        self._first_tries -= 1

    def settle(self, exchange: Exchange) -> None:
        """Replace the ceiling of an ended exchange by what it really cost."""
        self.output_tokens += _output_of(exchange) - exchange.case.output_tokens


def _output_of(exchange: Exchange) -> int:
    """Output tokens at a glance, the ceiling where nothing is said: for a budget no stream is read twice."""
    said = _SAID.findall(exchange.response.body[-_TAIL:]) if exchange.response else []
    return int(said[-1]) if said else unreported_tokens(exchange)
