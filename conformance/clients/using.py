"""What the readers of all clients have in common: what is asked, and how values reach a user."""

from __future__ import annotations

import hashlib
from typing import Any

from conformance.clients.readings import Content, ToolCall, arguments_text

KEY = "sk-replay"
PROMPT = "Hello"
SECONDS = 15.0
"""The longest that a client may wait for one answer."""


class Unusable(Exception):  # noqa: N818 - says what is the case
    """A value of another kind than the client's own types promise reached its user."""


def text_of(value: Any) -> str:
    """The text that a user gets; raises Unusable where it is something else."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unusable(f"a {type(value).__name__} came where text belongs")
    return value


def tokens_of(first: Any, second: Any) -> tuple[int, int]:
    """(input, output) tokens as a user gets them; raises Unusable where they are no integers."""
    if not (isinstance(first, int) and isinstance(second, int | None)):
        raise Unusable(f"{first!r} and {second!r} came where token counts belong")
    return first, second or 0


def tool_call(name: Any, arguments: Any, call_id: Any) -> ToolCall:
    """A call as a user gets it; raises Unusable where its arguments are no JSON, on which a user's program stumbles."""
    try:
        return ToolCall(text_of(name), arguments_text(arguments), text_of(call_id))
    except ValueError as error:
        raise Unusable(f"the arguments of a tool call are no JSON: {error}") from error


def bytes_text(content: bytes) -> str:
    """Bytes in a form that can be compared."""
    return f"{len(content)} bytes {hashlib.sha256(content).hexdigest()[:16]}"


def chat_content(answer: Any) -> Content:
    """A chat completion object, as users of the OpenAI SDK and of LiteLLM read it."""
    choices = list(answer.choices)
    if not choices:
        raise Unusable("there are no choices")
    calls = [call for choice in choices for call in choice.message.tool_calls or []]
    usage = getattr(answer, "usage", None)
    return Content(
        texts=tuple(text_of(choice.message.content) for choice in choices),
        tools=tuple(tool_call(call.function.name, call.function.arguments, call.id) for call in calls),
        finishes=tuple(text_of(choice.finish_reason) for choice in choices),
        usage=usage and tokens_of(usage.prompt_tokens, usage.completion_tokens),
    )


class Streamed:
    """Collects the chunks of a chat stream, as users of the OpenAI SDK and of LiteLLM do.

    `several`: more than one choice was asked for, so each has to be told by its index; nobody looks at it otherwise.
    """

    def __init__(self, *, several: bool = False) -> None:
        self._several = several
        self._texts: dict[Any, str] = {}
        self._finishes: dict[Any, str] = {}
        self._tools: dict[Any, list[str]] = {}
        self._usage: tuple[int, int] | None = None

    def take(self, chunk: Any) -> None:
        """One more chunk."""
        usage = getattr(chunk, "usage", None)
        if usage:
            self._usage = tokens_of(usage.prompt_tokens, usage.completion_tokens)
        for choice in chunk.choices or []:
            key = choice.index if self._several else 0
            delta = choice.delta
            self._texts[key] = self._texts.get(key, "") + text_of(delta.content)
            self._finishes[key] = text_of(choice.finish_reason) or self._finishes.get(key, "")
            for call in delta.tool_calls or []:
                self._call(self._tools.setdefault((key, call.index), ["", "", ""]), call)

    @staticmethod
    def _call(parts: list[str], call: Any) -> None:
        parts[0] += text_of(call.function.name)
        parts[1] += text_of(call.function.arguments)
        parts[2] = parts[2] or text_of(call.id)

    def content(self) -> Content:
        """Everything that came; raises ValueError where the arguments of a call are no JSON."""
        order = sorted(self._texts, key=str)
        return Content(
            texts=tuple(self._texts[key] for key in order),
            tools=tuple(tool_call(*parts) for parts in self._tools.values()),
            finishes=tuple(self._finishes[key] for key in order),
            usage=self._usage,
        )
