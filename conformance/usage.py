"""What an exchange cost, as far as anybody said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.model import Exchange

_REFUSED = 300
_NAMES = (
    ("prompt_tokens", "input_tokens", "promptTokenCount"),
    ("completion_tokens", "output_tokens", "candidatesTokenCount"),
)
"""How the protocols call what was read and what was written."""


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
    usage = _any_usage(exchange) if exchange.status < _REFUSED else {}
    read, written = (next((usage[name] for name in names if name in usage), None) for names in _NAMES)
    if read is None and written is None:
        return 0, unreported_tokens(exchange)
    return _count(read), _count(written)


def _any_usage(exchange: Exchange) -> Mapping[str, Any]:
    """The usage of an answer in whatever protocol: what several events of a stream say, the later one counts."""
    found: dict[str, Any] = {}
    for value in [chunk.value for chunk in exchange.stream.chunks] or [exchange.json]:
        if isinstance(value, dict):
            for holder in (value, value.get("response"), value.get("message")):
                found |= _usage_in(holder)
    return found


def _usage_in(holder: Any) -> Mapping[str, Any]:
    """The usage that one object carries, by either name."""
    said = (holder.get("usage") or holder.get("usageMetadata")) if isinstance(holder, dict) else None
    return said if isinstance(said, dict) else {}


def reported_tokens(exchange: Exchange) -> int:
    """The output tokens that an answer reports; 0 where it reports none."""
    usage = _any_usage(exchange) if exchange.status < _REFUSED else {}
    return _count(next((usage[name] for name in _NAMES[1] if name in usage), None))


def unreported_tokens(exchange: Exchange) -> int:
    """The output tokens to reckon with when nothing is reported: the case's ceiling once an answer may have begun."""
    begun = exchange.response is not None and exchange.status < _REFUSED
    lost = exchange.failure is not None and exchange.failure.kind in {"timeout", "idle", "reset", "protocol"}
    return exchange.case.output_tokens if begun or lost else 0


def _count(value: Any) -> int:
    """A token count out of a hostile answer."""
    return value if isinstance(value, int) and 0 <= value < 10**9 else 0
