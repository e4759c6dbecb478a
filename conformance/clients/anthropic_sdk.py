"""The official `anthropic` SDK, used as its documentation shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic

from conformance.clients.readings import Content
from conformance.clients.using import KEY, PROMPT, SECONDS, text_of, tokens_of, tool_call

if TYPE_CHECKING:
    from conformance.clients.readings import Job

VERSION = anthropic.__version__
API_ERRORS = (anthropic.APIError,)
_LIMIT = 64


def read(job: Job) -> Content:
    """What a user gets; raises whatever the SDK, or the user's own code, raises."""
    base_url = job.base_url.removesuffix("/v1")  # this SDK adds it itself
    client = anthropic.Anthropic(base_url=base_url, api_key=KEY, max_retries=0, timeout=SECONDS)
    asked: dict[str, Any] = {
        "model": job.model,
        "max_tokens": _LIMIT,
        "messages": [{"role": "user", "content": PROMPT}],
    }
    if job.operation == "messages":
        return _content(client.messages.create(**asked))
    with client.messages.stream(**asked) as stream:
        return _content(stream.get_final_message())


def _content(answer: Any) -> Content:
    calls = [block for block in answer.content if block.type == "tool_use"]
    return Content(
        texts=("".join(text_of(block.text) for block in answer.content if block.type == "text"),),
        tools=tuple(tool_call(call.name, call.input, call.id) for call in calls),
        finishes=(text_of(answer.stop_reason),),
        usage=answer.usage and tokens_of(answer.usage.input_tokens, answer.usage.output_tokens),
    )
