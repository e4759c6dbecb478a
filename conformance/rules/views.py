"""What rules look at again and again, named once: guards and readings of an exchange."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from conformance.operations import OPERATIONS
from conformance.usage import reported_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.model import Exchange

SUCCESS = range(200, 300)
"""The statuses of a good answer."""
CHATS = ("chat", "chat.stream")
EVERY = tuple(name for name in OPERATIONS if name != "media")
"""Every operation of the relay itself."""
OPENAI = tuple(name for name in EVERY if OPERATIONS[name].dialect == "openai")
"""Those whose errors have OpenAI's form."""
PLAIN = tuple(
    name for name in EVERY if OPERATIONS[name].shaped and not OPERATIONS[name].streams and not name.startswith("audio.")
)
"""Those that answer with one JSON text, whatever is asked."""
STREAMS = tuple(name for name in EVERY if OPERATIONS[name].streams)
LATER = tuple(
    name for name in EVERY if not name.startswith("models.") and name not in {"chat", "chat.stream", "gateway"}
)
"""Operations beside models and chat, whose rules of shape and acceptance are the same for all."""

WEB_ROLES = frozenset({"gpts", "analysis", "drawing"})
"""Roles of models that relays reach through a web page: it counts no tokens and heeds no limit."""
THINKING_ROLES = frozenset({"o1", "reasoner", "claude", "gemini-chat"})
"""Roles of models that may think unseen, and use up a limit with it."""

FINISHES = ("stop", "length", "tool_calls", "content_filter", "function_call")
"""OpenAI's finish reasons."""

_PICTURE = re.compile(
    r"!\[[^\]\n]{0,300}\]\((https?://[^\s)]{1,2000})|(https?://[^\s()<>\"]{1,2000}?\.(?:png|jpe?g|webp|gif)\b[^\s()<>\"]*)",
    re.IGNORECASE,
)
"""A link to a picture."""
_LONGEST_TEXT = 100_000
"""Characters that are searched for one."""

_OTHER_OUTPUT = ("tool_calls", "function_call", "refusal", "audio", "reasoning_content", "reasoning")


def is_json(exchange: Exchange) -> bool:
    """The body is a JSON object."""
    return isinstance(exchange.json, dict)


def has_chunks(exchange: Exchange) -> bool:
    """The stream has at least one chunk."""
    return bool(exchange.stream.chunks)


def is_readable(exchange: Exchange) -> bool:
    """The answer has a body of its operation's kind: chunks of a stream, or a JSON object."""
    return has_chunks(exchange) if OPERATIONS[exchange.case.operation].streams else is_json(exchange)


def request_body(exchange: Exchange) -> Mapping[str, Any]:
    """The request as it was sent."""
    found = json.loads(exchange.request.body or b"{}")
    return found if isinstance(found, dict) else {}


def texts(exchange: Exchange) -> list[str]:
    """The answer's text for each choice, plain or streamed."""
    if exchange.case.operation == "chat.stream":
        return [choice.text for _, choice in sorted(exchange.stream.choices.items())]
    return [choice["message"].get("content") or "" for choice in exchange.json["choices"]]


def has_text(exchange: Exchange) -> bool:
    """Some choice carries text, and the body can be read."""
    if exchange.case.operation == "chat.stream":
        return any(texts(exchange))
    choices = exchange.json.get("choices") if is_json(exchange) else None
    return any(_has_content(choice) for choice in choices) if isinstance(choices, list) else False


def _has_content(choice: Any) -> bool:
    """One entry of `choices`, whatever it is, carries text."""
    message = choice.get("message") if isinstance(choice, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    return isinstance(content, str) and bool(content)


def finishes(exchange: Exchange) -> list[str]:
    """The finish reason of each choice, empty where there is none."""
    if exchange.case.operation == "chat.stream":
        return [choice.finish for _, choice in sorted(exchange.stream.choices.items())]
    return [choice["finish_reason"] or "" for choice in exchange.json["choices"]]


def usage_of(exchange: Exchange) -> Mapping[str, Any]:
    """The usage object; only behind `has_usage`."""
    return reported_usage(exchange) or {}


def has_usage(exchange: Exchange) -> bool:
    """The answer reports all three token counts, as integers."""
    usage = reported_usage(exchange) or {}
    return all(isinstance(usage.get(name), int) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))


def usage_pointer(exchange: Exchange) -> str:
    """Where the usage object stands."""
    usages = exchange.stream.usages if exchange.case.operation == "chat.stream" else []
    return f"/events/{usages[-1].event}/usage" if usages else "/usage"


def reasoning_tokens(exchange: Exchange) -> int:
    """Tokens that the answer says went into thinking."""
    details = usage_of(exchange).get("completion_tokens_details")
    count = details.get("reasoning_tokens") if isinstance(details, dict) else 0
    return max(0, count) if isinstance(count, int) else 0


def says_more_than_text(exchange: Exchange) -> bool:
    """The answer carries tool calls, a refusal, audio or visible thinking."""
    if exchange.case.operation == "chat.stream":
        return any(choice.other or choice.reasoning for choice in exchange.stream.choices.values())
    return any(choice["message"].get(name) for choice in exchange.json["choices"] for name in _OTHER_OUTPUT)


def word_count(text: str) -> int:
    """Blank-separated words: no tokenizer makes fewer tokens than these."""
    return len(re.findall(r"\S+", text))


def output_limit(exchange: Exchange) -> int:
    """The limit that the request set, by either name."""
    body = request_body(exchange)
    found = body.get("max_tokens", body.get("max_completion_tokens"))
    return found if isinstance(found, int) else 0


def linked_pictures(text: str) -> list[str]:
    """The addresses of pictures in a text: in Markdown, or bare with the ending of a picture."""
    return [marked or bare for marked, bare in _PICTURE.findall(text[:_LONGEST_TEXT])]
