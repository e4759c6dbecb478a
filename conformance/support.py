"""What a relay does with each optional request parameter: the matrix of parameter support.

Everything is read off exchanges. A parameter whose effect cannot be seen in an answer is *accepted*; one whose
effect is there is *honoured*, one whose effect is missing is *ignored*; *refused* is plain and by name; *breaks*
is an internal error or an unexplained refusal.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from conformance.amounts import GENERATED_OPERATIONS as FAMILIES
from conformance.jsontext import parse_json
from conformance.model import Expectation
from conformance.refusals import BUSY, GENERATED, met_no_route, optional_parts, out_of_credit, refused_part
from conformance.usage import reported_usage

if TYPE_CHECKING:
    from conformance.model import Exchange, Ledger

CHAT = "chat"
_PARTS = {
    "developer": "messages[].role developer",
    "name": "messages[].name",
    "image_url": "messages[].content image_url",
    "content": "messages[].content as parts or empty",
}
"""How parts of messages are called in the matrix."""

_LIMITS = frozenset({"max_tokens", "max_completion_tokens", "max_output_tokens"})


class Support(StrEnum):
    """What became of a parameter; members from best to worst."""

    HONOURED = "honoured"
    ACCEPTED = "accepted"
    IGNORED = "ignored"
    REFUSED = "refused"
    BREAKS = "breaks"


@dataclass(frozen=True)
class Row:
    """One parameter: what became of it, how often it was sent, and an exchange that shows it."""

    parameter: str
    support: Support
    sent: int
    exchange: str
    refused: int = 0
    """How often it was plainly refused."""
    beside: tuple[str, ...] = ()
    """Other optional parameters without which it was not seen to break."""


def parameter_support(ledger: Ledger) -> list[Row]:
    """One row for each optional parameter that a valid request of this run carried, by name: those of chat first.

    Those of another operation follow, in names such as `embeddings: dimensions`, where requests of it were generated.
    """
    asked = {_family(case.operation) for case in ledger.plan if GENERATED in case.probes}
    rows = []
    for family in FAMILIES:
        if family in {CHAT, *asked}:
            mark = "" if family == CHAT else f"{family}: "
            rows += [replace(row, parameter=mark + row.parameter) for row in _support(ledger, family)]
    return rows


def _family(operation: str) -> str:
    """The operation itself, or that of which it is the streamed form."""
    return next(name for name in (*FAMILIES, operation) if operation in {name, f"{name.partition('.')[0]}.stream"})


def _support(ledger: Ledger, family: str) -> list[Row]:
    """The rows of one operation and its streamed twin."""
    outcomes: dict[str, list[tuple[Support, Exchange, tuple[str, ...]]]] = defaultdict(list)
    exchanges = [each for each in ledger.exchanges if _family(each.case.operation) == family and _tells(each)]
    blamed = {each.case: _blamed(each.exchange) for each in ledger.minimised if each.reproduced}
    innocent = {name for exchange in exchanges if exchange.status < 300 for name in _optional(exchange)}
    for exchange in exchanges:
        for name, support in _outcomes(exchange, blamed.get(exchange.case.id), innocent):
            outcomes[name].append((support, exchange, blamed.get(exchange.case.id, ())))
    return [_row(name, outcomes[name]) for name in sorted(outcomes)]


def _row(name: str, outcomes: list[tuple[Support, Exchange, tuple[str, ...]]]) -> Row:
    """The worst that happened; one honoured answer outweighs answers in which nothing could be seen.

    How often it was refused is counted beside: some values of a parameter may be taken, and others not.
    """
    order = (Support.BREAKS, Support.IGNORED, Support.HONOURED, Support.ACCEPTED, Support.REFUSED)
    support, exchange, blamed = min(outcomes, key=lambda outcome: order.index(outcome[0]))
    beside = tuple(other for other in blamed if other != name) if support is Support.BREAKS else ()
    refused = sum(outcome[0] is Support.REFUSED for outcome in outcomes)
    return Row(name, support, len(outcomes), exchange.case.id, refused, beside)


def _tells(exchange: Exchange) -> bool:
    """Whether an exchange says something of its parameters: a valid request that got its own answer."""
    case = exchange.case
    if case.expect is not Expectation.SUCCESS or not (case.body or case.form):
        return False
    no_answer = not exchange.answered or exchange.status in BUSY or met_no_route(exchange) or out_of_credit(exchange)
    return not no_answer and not case.stop_after_events


def _optional(exchange: Exchange) -> tuple[str, ...]:
    """Everything optional in a request, parts of its messages too."""
    return tuple(_PARTS.get(name, name) for name in optional_parts(exchange.case))


def _blamed(exchange: Exchange) -> tuple[str, ...]:
    """What is left of a request that was made smaller, but for what always is: its output limit, being a stream."""
    always = _LIMITS | ({"stream"} if exchange.case.operation.endswith(".stream") else set())
    return tuple(name for name in _optional(exchange) if name not in always)


def _outcomes(exchange: Exchange, blamed: tuple[str, ...] | None, innocent: set[str]) -> Iterable[tuple[str, Support]]:
    """What one exchange says of each of its optional parameters."""
    names = _optional(exchange)
    if exchange.status < 300:
        return [(name, observe(exchange, name)) for name in names]
    part = refused_part(exchange)
    if part:
        return [(name, Support.REFUSED) for name in names if name == _PARTS.get(part, part)]
    # Nobody says which part it was: what a smaller request showed, else what was never accepted elsewhere.
    guilty = blamed if blamed is not None else [name for name in names if name not in innocent]
    return [(name, Support.BREAKS) for name in names if name in guilty]


def observe(exchange: Exchange, name: str) -> Support:
    """Whether a successful answer shows the effect of a parameter."""
    look = _LOOKS.get(name) if exchange.case.operation.startswith(CHAT) else None
    value = (exchange.case.body or {}).get(name)
    seen = look(exchange, value) if look and value is not None else None
    if seen is None:
        return Support.ACCEPTED
    return Support.HONOURED if seen else Support.IGNORED


def _is_stream(exchange: Exchange) -> bool:
    return bool(exchange.stream.chunks)


def _choices(exchange: Exchange) -> list[tuple[str, str]]:
    """(text, finish reason) of each choice; an answer of another shape has none."""
    if _is_stream(exchange):
        return [(choice.text, choice.finish) for _, choice in sorted(exchange.stream.choices.items())]
    found = exchange.json.get("choices") if isinstance(exchange.json, dict) else None
    choices = [choice for choice in found if isinstance(choice, dict)] if isinstance(found, list) else []
    return [(_text(choice), str(choice.get("finish_reason"))) for choice in choices]


def _text(choice: Mapping[str, Any]) -> str:
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


def _count(exchange: Exchange, value: Any) -> bool | None:
    """As many choices as asked for; one is what is given anyway."""
    return len(_choices(exchange)) == value if value != 1 else None


def _stops(exchange: Exchange, value: Any) -> bool | None:
    """A text that holds a stop string shows that it was ignored; that one ended a text cannot be seen."""
    words = value if isinstance(value, list) else [value]
    told = [word for word in words if isinstance(word, str) and word]
    return False if any(word in text for word in told for text, _ in _choices(exchange)) else None


def _limit(exchange: Exchange, value: Any) -> bool | None:
    """Not more output than allowed; it shows as honoured only where the limit ended a text."""
    usage = reported_usage(exchange) or {}
    taken, details = usage.get("completion_tokens"), usage.get("completion_tokens_details")
    thought = details.get("reasoning_tokens") if isinstance(details, dict) else 0
    count = (exchange.case.body or {}).get("n") or 1
    allowed = value * count if isinstance(value, int) and isinstance(count, int) else None
    if isinstance(taken, int) and isinstance(thought, int) and allowed is not None and taken - thought > allowed:
        return False
    return True if any(finish == "length" for _, finish in _choices(exchange)) else None


def _json(exchange: Exchange, value: Any) -> bool | None:
    """JSON where JSON was asked for, in an answer that was not cut."""
    kind = str(value.get("type")) if isinstance(value, dict) else ""
    whole = [text for text, finish in _choices(exchange) if text and finish == "stop"]
    if kind not in {"json_object", "json_schema"} or not whole or (exchange.case.body or {}).get("stop"):
        return None
    return all(isinstance(parse_json(text.encode(errors="replace")).value, dict) for text in whole)


def _logprobs(exchange: Exchange, value: Any) -> bool | None:
    """Log probabilities beside a text."""
    if value is not True or not any(text for text, _ in _choices(exchange)):
        return None
    body = exchange.response.body if exchange.response else b""
    return re.search(rb'"logprob"\s*:', body) is not None


def _usage_asked(exchange: Exchange, value: Any) -> bool | None:
    """A stream that was asked for its usage reports it."""
    if not _is_stream(exchange) or not isinstance(value, dict) or not value.get("include_usage"):
        return None
    return bool(exchange.stream.usages)


def _streamed(exchange: Exchange, value: Any) -> bool | None:
    """A stream where one was asked for; an empty one is a fault, but not of this parameter."""
    return (_is_stream(exchange) or exchange.media_type == "text/event-stream") is value


_LOOKS: Mapping[str, Callable[[Exchange, Any], bool | None]] = {
    "n": _count,
    "stop": _stops,
    "max_tokens": _limit,
    "max_completion_tokens": _limit,
    "response_format": _json,
    "logprobs": _logprobs,
    "top_logprobs": lambda exchange, value: _logprobs(exchange, True) if value else None,
    "stream_options": _usage_asked,
    "stream": _streamed,
}
"""How the effect of a parameter can be seen: True, False, or None where an answer shows neither."""
