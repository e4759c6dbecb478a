"""The official `openai` SDK, used as its documentation shows."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import openai

from conformance.clients.readings import Content, vector_text
from conformance.clients.using import (
    KEY,
    PROMPT,
    SECONDS,
    Streamed,
    bytes_text,
    chat_content,
    text_of,
    tokens_of,
    tool_call,
)

if TYPE_CHECKING:
    from conformance.clients.readings import Job

VERSION = openai.__version__
API_ERRORS = (openai.APIError,)
_MESSAGES: Any = [{"role": "user", "content": PROMPT}]
_FILE = ("file.bin", b"0")


def read(job: Job) -> Content:
    """What a user gets; raises whatever the SDK, or the user's own code, raises."""
    client = openai.OpenAI(base_url=job.base_url, api_key=KEY, max_retries=0, timeout=SECONDS)
    return _READERS[job.operation](client, job)


def _chat(client: Any, job: Job) -> Content:
    return chat_content(client.chat.completions.create(model=job.model, messages=_MESSAGES))


def _chat_stream(client: Any, job: Job) -> Content:
    options = {"stream_options": {"include_usage": True}} if job.asked.get("include_usage") else {}
    found = Streamed(several="n" in job.asked)
    for chunk in client.chat.completions.create(model=job.model, messages=_MESSAGES, stream=True, **options):
        found.take(chunk)
    return found.content()


def _completions(client: Any, job: Job) -> Content:
    answer = client.completions.create(model=job.model, prompt=PROMPT)
    return Content(
        texts=tuple(text_of(choice.text) for choice in answer.choices),
        finishes=tuple(text_of(choice.finish_reason) for choice in answer.choices),
        usage=answer.usage and tokens_of(answer.usage.prompt_tokens, answer.usage.completion_tokens),
    )


def _completions_stream(client: Any, job: Job) -> Content:
    texts: dict[Any, str] = {}
    finishes: dict[Any, str] = {}
    usage = None
    for chunk in client.completions.create(model=job.model, prompt=PROMPT, stream=True):
        usage = chunk.usage or usage
        for choice in chunk.choices or []:
            texts[choice.index] = texts.get(choice.index, "") + text_of(choice.text)
            finishes[choice.index] = text_of(choice.finish_reason) or finishes.get(choice.index, "")
    order = sorted(texts, key=str)
    return Content(
        texts=tuple(texts[key] for key in order),
        finishes=tuple(finishes[key] for key in order),
        usage=usage and tokens_of(usage.prompt_tokens, usage.completion_tokens),
    )


def _embeddings(client: Any, job: Job) -> Content:
    answer = client.embeddings.create(model=job.model, input=[PROMPT])
    return Content(
        items=tuple(vector_text(each.embedding) for each in answer.data),
        usage=answer.usage and tokens_of(answer.usage.prompt_tokens, 0),
    )


def _moderations(client: Any, job: Job) -> Content:
    answer = client.moderations.create(model=job.model, input=PROMPT)
    return Content(items=tuple(f"flagged: {each.flagged}" for each in answer.results))


def _responses(client: Any, job: Job) -> Content:
    return _response(client.responses.create(model=job.model, input=PROMPT))


def _responses_stream(client: Any, job: Job) -> Content:
    final = None
    text = ""
    for event in client.responses.create(model=job.model, input=PROMPT, stream=True):
        if event.type == "response.output_text.delta":
            text += text_of(event.delta)
        elif event.type in {"response.completed", "response.incomplete", "response.failed"}:
            final = event.response
    ended = _response(final) if final is not None else Content(finishes=("",))
    return Content(texts=(text,), tools=ended.tools, finishes=ended.finishes, usage=ended.usage)


def _response(answer: Any) -> Content:
    calls = [item for item in answer.output if item.type == "function_call"]
    return Content(
        texts=(text_of(answer.output_text),),
        tools=tuple(tool_call(call.name, call.arguments, call.call_id) for call in calls),
        finishes=(text_of(answer.status),),
        usage=answer.usage and tokens_of(answer.usage.input_tokens, answer.usage.output_tokens),
    )


def _speech(client: Any, job: Job) -> Content:
    answer = client.audio.speech.create(model=job.model, voice="alloy", input=PROMPT)
    return Content(items=(bytes_text(answer.read()),))


def _transcription(client: Any, job: Job) -> Content:
    return _heard(client.audio.transcriptions, job)


def _translation(client: Any, job: Job) -> Content:
    return _heard(client.audio.translations, job)


def _heard(resource: Any, job: Job) -> Content:
    form = job.asked.get("response_format")
    options = {"response_format": form} if form else {}
    answer = resource.create(model=job.model, file=_FILE, **options)
    return Content(texts=(answer if isinstance(answer, str) else text_of(answer.text),))


def _generation(client: Any, job: Job) -> Content:
    return _pictures(client.images.generate(model=job.model, prompt=PROMPT))


def _edit(client: Any, job: Job) -> Content:
    return _pictures(client.images.edit(model=job.model, prompt=PROMPT, image=_FILE))


def _variation(client: Any, job: Job) -> Content:
    return _pictures(client.images.create_variation(model=job.model, image=_FILE))


def _pictures(answer: Any) -> Content:
    return Content(
        items=tuple(bytes_text(base64.b64decode(each.b64_json)) if each.b64_json else each.url for each in answer.data)
    )


def _models(client: Any, _: Job) -> Content:
    return Content(items=tuple(text_of(model.id) for model in client.models.list()))


def _model(client: Any, job: Job) -> Content:
    return Content(items=(text_of(client.models.retrieve(job.model).id),))


_READERS = {
    "models.list": _models,
    "models.retrieve": _model,
    "chat": _chat,
    "chat.stream": _chat_stream,
    "completions": _completions,
    "completions.stream": _completions_stream,
    "embeddings": _embeddings,
    "moderations": _moderations,
    "responses": _responses,
    "responses.stream": _responses_stream,
    "audio.speech": _speech,
    "audio.transcriptions": _transcription,
    "audio.translations": _translation,
    "images.generations": _generation,
    "images.edits": _edit,
    "images.variations": _variation,
}
