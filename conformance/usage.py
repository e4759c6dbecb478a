"""What an exchange cost, as far as anybody said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.model import Exchange

_REFUSED = 300


def reported_usage(exchange: Exchange) -> Mapping[str, Any] | None:
    """The usage object of an answer: of the body, or the last one of a stream."""
    if exchange.response is None:
        return None
    if isinstance(exchange.json, dict):
        usage = exchange.json.get("usage")
    else:
        usages = exchange.stream.usages
        usage = usages[-1].value["usage"] if usages else None
    return usage if isinstance(usage, dict) else None


def tokens_of(exchange: Exchange) -> tuple[int, int]:
    """(input, output) tokens: as reported; the case's ceiling where an answer began and said nothing."""
    usage = reported_usage(exchange) if exchange.status < _REFUSED else None
    if usage is not None:
        return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    return 0, unreported_tokens(exchange)


def unreported_tokens(exchange: Exchange) -> int:
    """The output tokens to reckon with when nothing is reported: the case's ceiling once an answer may have begun."""
    begun = exchange.response is not None and exchange.status < _REFUSED
    lost = exchange.failure is not None and exchange.failure.kind in {"timeout", "idle", "reset", "protocol"}
    return exchange.case.output_tokens if begun or lost else 0


def _count(value: Any) -> int:
    """A token count out of a hostile answer."""
    return value if isinstance(value, int) and 0 <= value < 10**9 else 0
