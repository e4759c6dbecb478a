"""When a case is sent again: after a refused connection, 429 or 503, and how long is waited before."""

from __future__ import annotations

from conformance.model import Attempt, Exchange, Limits, Phase, Response
from conformance.operations import OPERATIONS
from conformance.refusals import out_of_credit, refuses_model

_AGAIN = frozenset({429, 503})


def wait_before_next(exchange: Exchange, tries: int, limits: Limits) -> float | None:
    """Seconds until the next attempt, or None when there is to be none; `tries` are the earlier attempts."""
    refused = exchange.failure is not None and exchange.failure.kind == "refused"
    if exchange.response is None and exchange.failure is not None and exchange.failure.kind == "reset":
        # Servers close a kept connection after an error of theirs; the next request on it meets the closed door.
        return 0.0 if not tries and limits.retries else None
    if not (refused or exchange.status in _AGAIN) or out_of_credit(exchange):
        return None
    if exchange.status == 503 and not OPERATIONS[exchange.case.operation].essential and refuses_model(exchange):
        return None  # one-api says so of a model that no channel serves: asking again costs as much and changes nothing
    # A port that refuses the first request will refuse the others, and 503 is what one-api answers for an
    # unknown model: both get fewer tries than a rate limit.
    few = exchange.status == 503 or (refused and exchange.case.phase is Phase.PREFLIGHT)
    if tries >= (min(1, limits.retries) if few else limits.retries):
        return None
    asked = _retry_after(exchange.response)
    wait = asked if asked is not None else limits.backoff * 2**tries
    return wait if wait <= limits.longest_wait else None


def attempt_of(exchange: Exchange, waited: float) -> Attempt:
    """What is kept of an exchange that is tried again after `waited` seconds."""
    headers = exchange.response.headers if exchange.response else ()
    return Attempt(exchange.status, headers, exchange.failure, round(waited, 3))


def _retry_after(response: Response | None) -> float | None:
    """The seconds that `Retry-After` asks for; None when it is absent or a date."""
    try:
        return max(0.0, float(response.header("retry-after"))) if response else None
    except ValueError:
        return None
