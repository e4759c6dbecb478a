"""Faults of the form of an answer: JSON, schemas, log probabilities."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Stage
from conformance.relay.faults.base import fault
from conformance.relay.words import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.relay.call import Call

_ENTRIES = {"chat.logprobs.entries"}


def _form(call: Call) -> dict[str, Any]:
    """The form that is asked for; empty where none is."""
    found = call.request.get("response_format")
    return found if isinstance(found, dict) else {}


@fault("json-fenced", Stage.CHOICES, trips={"chat.response-format.json"}, zh="JSON 包在 Markdown 代码块里")
def _(call: Call) -> None:
    """JSON comes inside a Markdown fence, as from models that nobody keeps from it."""
    for choice in call.choices:
        if _form(call).get("type") in {"json_object", "json_schema"}:
            choice.pieces = list(tokens(f"```json\n{choice.text}\n```"))


@fault("schema-ignored", Stage.PROMPT, trips={"chat.response-format.schema"}, zh="忽略 JSON 模式")
def _(call: Call) -> None:
    """Any JSON object comes where one of a schema was asked for."""
    if _form(call).get("type") == "json_schema":
        call.request["response_format"] = {"type": "json_object"}


@fault("schema-keys-surplus", Stage.CHOICES, trips={"chat.response-format.schema"}, zh="JSON 里有模式不允许的字段")
def _(call: Call) -> None:
    """JSON of a schema has a key more than the schema lets in."""
    for choice in call.choices:
        if _form(call).get("type") == "json_schema" and choice.finish == "stop":
            choice.pieces = list(tokens(json.dumps({**json.loads(choice.text), "note": "Here you are."})))


@fault(
    "json-word-unchecked", Stage.REQUEST, trips={"chat.response-format.word-json"}, zh="不检查消息里有没有 JSON 一词"
)
def _(call: Call) -> None:
    """A request for JSON whose messages do not speak of it is answered with prose."""
    said = json.dumps(call.request.get("messages"))
    if _form(call).get("type") == "json_object" and "json" not in said.lower():
        del call.request["response_format"]


@fault("open-schema-taken", Stage.REQUEST, trips={"chat.response-format.open-schema"}, zh="接受不封闭的 strict 模式")
def _(call: Call) -> None:
    """A strict schema that lets further properties in is taken for one that is not strict."""
    asked = _form(call).get("json_schema")
    if isinstance(asked, dict) and "additionalProperties" not in (asked.get("schema") or ()):
        asked.pop("strict", None)


@fault("top-logprobs-alone-taken", Stage.REQUEST, trips={"chat.logprobs.alone"}, zh="接受单独的 top_logprobs")
def _(call: Call) -> None:
    """Alternatives without log probabilities are quietly dropped."""
    if not call.request.get("logprobs"):
        call.request.pop("top_logprobs", None)


def _entries(call: Call) -> Iterator[dict[str, Any]]:
    """The tokens that have log probabilities, plain or streamed."""
    for body in call.chunks if call.streaming else [call.answer]:
        for choice in body["choices"]:
            yield from (choice["logprobs"] or {}).get("content", ())


@fault("logprobs-positive", Stage.ANSWER, Stage.CHUNKS, trips=_ENTRIES, zh="logprob 大于 0")
def _(call: Call) -> None:
    """Probabilities are given instead of their logarithms."""
    for entry in _entries(call):
        entry["logprob"] = 0.78


@fault("logprobs-token-missing", Stage.ANSWER, Stage.CHUNKS, trips=_ENTRIES, zh="候选没有 token 文本")
def _(call: Call) -> None:
    """Alternatives do not say which token they are."""
    for entry in _entries(call):
        for top in entry["top_logprobs"]:
            del top["token"]


@fault("logprobs-unsorted", Stage.ANSWER, Stage.CHUNKS, trips={"chat.logprobs.sorted"}, zh="候选没有排序")
def _(call: Call) -> None:
    """Alternatives come with the least likely first."""
    for entry in _entries(call):
        entry["top_logprobs"].reverse()


@fault("logprobs-bytes-wrong", Stage.ANSWER, Stage.CHUNKS, trips={"chat.logprobs.bytes"}, zh="bytes 与 token 不符")
def _(call: Call) -> None:
    """Bytes are those of UTF-16."""
    for entry in _entries(call):
        entry["bytes"] = list(entry["token"].encode("utf-16-le", "replace"))


@fault("logprobs-short", Stage.ANSWER, trips={"chat.logprobs.joined"}, zh="logprobs 少了一个 token")
def _(call: Call) -> None:
    """The first token has no log probability."""
    for choice in call.answer["choices"]:
        if choice["logprobs"]:
            del choice["logprobs"]["content"][:1]


@fault(
    "streamed-logprobs-short", Stage.CHUNKS, trips={"chat.stream.logprobs-joined"}, zh="流式 logprobs 少了一个 token"
)
def _(call: Call) -> None:
    """The first content of a stream comes without log probabilities."""
    rated = [choice for chunk in call.chunks for choice in chunk["choices"] if choice["logprobs"]]
    for choice in rated[:1]:
        choice["logprobs"] = None
