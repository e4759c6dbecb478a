"""`langchain-openai`: its chat model and its embeddings."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

# Read at import: nothing is to be sent to LangSmith.
os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGCHAIN_TRACING_V2"] = "false"

import openai
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from conformance.clients.readings import Content, vector_text
from conformance.clients.using import KEY, PROMPT, SECONDS, Unusable, text_of, tokens_of, tool_call

if TYPE_CHECKING:
    from conformance.clients.readings import Job

VERSION = version("langchain-openai")
API_ERRORS = (openai.APIError,)


def read(job: Job) -> Content:
    """What a user gets; raises whatever LangChain, or the user's own code, raises."""
    asked: dict[str, Any] = {
        "model": job.model,
        "base_url": job.base_url,
        "api_key": KEY,
        "timeout": SECONDS,
        "max_retries": 0,
    }
    if job.operation == "embeddings":
        # Counting the tokens would load a vocabulary from the network.
        model = OpenAIEmbeddings(check_embedding_ctx_length=False, **asked)
        return Content(items=tuple(map(vector_text, model.embed_documents([PROMPT]))), unsaid=("usage",))
    chat = ChatOpenAI(stream_usage=bool(job.asked.get("include_usage")), **asked)
    if job.operation == "chat":
        return _content([each.message for each in chat.generate([[HumanMessage(PROMPT)]]).generations[0]])
    whole: Any = None
    for chunk in chat.stream(PROMPT):
        whole = chunk if whole is None else whole + chunk
    return _content([whole])


def _content(messages: list[Any]) -> Content:
    if any(message.invalid_tool_calls for message in messages):
        raise Unusable("the arguments of a tool call came as an invalid one")
    usage = messages[0].usage_metadata
    calls = [call for message in messages for call in message.tool_calls]
    return Content(
        texts=tuple(text_of(message.content) for message in messages),
        tools=tuple(tool_call(call["name"], call["args"], call["id"]) for call in calls),
        finishes=tuple(text_of(message.response_metadata.get("finish_reason")) for message in messages),
        usage=usage and tokens_of(usage["input_tokens"], usage["output_tokens"]),
    )
