"""LiteLLM as a client of an OpenAI-style endpoint."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

# Read at import: without it, LiteLLM asks the network for prices.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_TELEMETRY"] = "False"

import litellm
import openai

from conformance.clients.readings import Content, unpacked, vector_text
from conformance.clients.using import KEY, PROMPT, SECONDS, Streamed, chat_content, tokens_of

if TYPE_CHECKING:
    from conformance.clients.readings import Job

VERSION = version("litellm")
API_ERRORS = (openai.APIError,)

litellm.telemetry = False
litellm.suppress_debug_info = True


def read(job: Job) -> Content:
    """What a user gets; raises whatever LiteLLM, or the user's own code, raises."""
    asked: dict[str, Any] = {
        "model": f"openai/{job.model}",
        "api_base": job.base_url,
        "api_key": KEY,
        "timeout": SECONDS,
        "max_retries": 0,
        "num_retries": 0,
    }
    if job.operation == "embeddings":
        return _vectors(asked, job)
    asked["messages"] = [{"role": "user", "content": PROMPT}]
    if job.operation == "chat":
        return chat_content(litellm.completion(**asked))
    if job.asked.get("include_usage"):
        asked["stream_options"] = {"include_usage": True}
    found = Streamed()
    for chunk in litellm.completion(stream=True, **asked):
        found.take(chunk)
    return found.content()


def _vectors(asked: dict[str, Any], job: Job) -> Content:
    """Who asks LiteLLM for base64 gets it, and unpacks it; who does not, wants numbers."""
    form = job.asked.get("encoding_format")
    answer = litellm.embedding(input=[PROMPT], encoding_format=form, **asked)
    vectors = [each["embedding"] for each in answer.data]
    return Content(
        items=tuple(vector_text(unpacked(vector) if form else vector) for vector in vectors),
        usage=answer.usage and tokens_of(answer.usage.prompt_tokens, 0),
    )
