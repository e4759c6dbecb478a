"""Responses as rules read them: the whole response, plain or at the end of its stream, and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.events import TypedEvent, of_type
from conformance.model import Exchange
from conformance.operations import OPERATIONS

FINALS = ("response.completed", "response.incomplete", "response.failed")
"""The events that end a stream."""

_COUNTS = ("input_tokens", "output_tokens", "total_tokens")
COUNTED = tuple(f"{at}/usage/{name}" for at in ("", "/response") for name in _COUNTS)
"""Where the counts stand: they can be judged without their details."""
_TROUBLE = frozenset({"server_error", "rate_limit_exceeded"})
"""Codes of errors that are no matter of the request."""


def final_event(exchange: Exchange) -> TypedEvent | None:
    """The last event that ends a stream."""
    found = of_type(exchange, *FINALS)
    return found[-1] if found else None


def response_of(exchange: Exchange) -> Mapping[str, Any]:
    """The whole response: the body, or what the stream ends with; empty where there is none."""
    if not OPERATIONS[exchange.case.operation].streams:
        return exchange.json if isinstance(exchange.json, dict) else {}
    event = final_event(exchange)
    return event.part("response") if event else {}


def pointer(exchange: Exchange, path: str) -> str:
    """Where a part of the whole response stands."""
    event = final_event(exchange)
    return f"{event.at}/response{path}" if event else path


def unbroken(exchange: Exchange) -> bool:
    """There is a response, and it did not fail for load or for an upstream that is down."""
    response = response_of(exchange)
    error = response.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return bool(response) and not (response.get("status") == "failed" and code in _TROUBLE)


def completed(exchange: Exchange) -> bool:
    """The response says that it is whole."""
    return response_of(exchange).get("status") == "completed"


def items(exchange: Exchange, kind: str) -> list[tuple[int, Mapping[str, Any]]]:
    """(place, item) of the output of this kind."""
    return [(place, item) for place, item in enumerate(response_of(exchange)["output"]) if item["type"] == kind]


def parts(exchange: Exchange, kind: str) -> list[Mapping[str, Any]]:
    """The parts of this kind in all messages of the output."""
    return [part for _, item in items(exchange, "message") for part in item["content"] if part["type"] == kind]


def text_of(exchange: Exchange) -> str:
    """All that a response says."""
    return "".join(part["text"] for part in parts(exchange, "output_text"))


def usage_of(exchange: Exchange) -> Mapping[str, Any]:
    """The usage; empty where there is none."""
    return response_of(exchange).get("usage") or {}


def has_counts(exchange: Exchange) -> bool:
    """All three counts are there."""
    usage = usage_of(exchange)
    return all(isinstance(usage.get(name), int) for name in _COUNTS)


def details_of(exchange: Exchange, name: str) -> Mapping[str, Any]:
    """The parts of a count; empty where there are none."""
    found = usage_of(exchange).get(name)
    return found if isinstance(found, dict) else {}


def written(exchange: Exchange) -> int:
    """Output tokens without those that went into thinking; only behind `has_counts`."""
    thought = details_of(exchange, "output_tokens_details").get("reasoning_tokens")
    return int(usage_of(exchange)["output_tokens"]) - max(0, thought if isinstance(thought, int) else 0)
