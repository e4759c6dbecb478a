"""Reads refusals: what kind of no an answer is. Lenient, because errors come in every shape."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.model import Expectation
from conformance.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.model import Case, Exchange, JSONValue, Ledger

_NO_MODEL = re.compile(r"model|模型|渠道|channel|deployment", re.IGNORECASE)
_FOR_NOW = re.compile(r"temporar|currently|overload|try again|later|maintenance|暂时|稍后|繁忙|维护", re.IGNORECASE)
"""Words of what passes: such a refusal is no statement about what a relay offers."""
_MODEL_CODE = re.compile(r"model_not_|invalid_model|unsupported_model|unknown_model")
_NOT_SERVED = re.compile(
    r"models?\b.{0,120}\b(not (be )?found|not exist|not available|unavailable|not allowed|no access|not supported in"
    r"|not support (this|the) (endpoint|operation|api|method))|(unknown|invalid|unsupported|no such) model"
    r"|no (available|healthy) (channel|deployment|distributor)|not an? \w+ model"
    r"|模型.{0,60}(不存在|不支持|不可用|无可用|未找到|没有可用)|(无可用|没有可用|不支持).{0,20}(渠道|模型)",
    re.IGNORECASE,
)
_NOT_BUILT = re.compile(
    r"\b(is|are) not (supported|implemented|enabled|available)|\bnot implemented\b"
    r"|unsupported (endpoint|operation|route|path|api)"
    r"|(不支持|未实现|未开放|暂未开放)(该|此|这个)?(接口|操作|功能|端点)",
    re.IGNORECASE,
)
_NO_CREDIT = re.compile(r"quota|insufficient|balance|credit|billing|额度|余额|欠费|用尽|过期|expired", re.IGNORECASE)


_NO_ROUTE = frozenset({404, 405, 501})
BUSY = frozenset({408, 409, 425, 429, 502, 503, 504, 520, 521, 522, 523, 524, 529, 530})
"""What a relay or a gateway answers for load, or for an upstream that is down: nothing is wrong with the request."""

REFUSED_KEY = frozenset({401, 402, 403})
"""What is said of a key or an account, not of the request."""

GENERATED = "generated"
"""The probe of requests that were generated from a schema."""

OTHER_FORM = "other-form"
"""The probe of requests that ask for an answer of another form than the one that their operation's schema describes."""

_OTHER_NAMES = {
    "max_tokens": "max_tokens|max_completion_tokens|max_output_tokens",
    "developer": "developer|role",
    "candidateCount": "candidateCount|candidate_count|[Mm]ultiple candidates",
    "presencePenalty": "presencePenalty|presence_penalty|[Pp]enalty",
    "frequencyPenalty": "frequencyPenalty|frequency_penalty|[Pp]enalty",
    "tools": "tools|tool_choice|[Tt]ool (?:choice|use|calling|calls)|functions?|function.calling|工具|函数",
    "functions": "functions?|function_call",
    "image_url": "image_url|[Ii]mages?|[Vv]ision|图片|图像",
}
"""Under which names a refusal may speak of a part of the request."""


_ASKED = frozenset({"model", "messages"})
_TEXTS = frozenset({"prompt", "input"})
_NEEDED: Mapping[str, frozenset[str]] = {
    "messages": frozenset({"model", "messages", "max_tokens"}),
    "completions": frozenset({"model", "prompt"}),
    "embeddings": frozenset({"model", "input"}),
    "rerank": frozenset({"model", "query", "documents"}),
    "moderations": frozenset({"model", "input"}),
    "responses": frozenset({"model", "input"}),
    "gemini.generate": frozenset({"contents", "generationConfig"}),
    "audio.speech": frozenset({"model", "input", "voice"}),
    "audio.transcriptions": frozenset({"model", "file"}),
    "audio.translations": frozenset({"model", "file"}),
    "images.generations": frozenset({"model", "prompt"}),
    "images.edits": frozenset({"model", "image", "prompt"}),
    "images.variations": frozenset({"model", "image"}),
}
"""Operation -> the fields without which it asks nothing; `_ASKED` for chat."""


def is_html(exchange: Exchange) -> bool:
    """Whether a web page came instead of an answer (COM-02)."""
    body = exchange.response.body[:200].lstrip().lower() if exchange.response else b""
    return exchange.media_type == "text/html" or body.startswith((b"<!doctype html", b"<html"))


def message_of(exchange: Exchange) -> str:
    """What the relay says about an error, cut to a line; empty when it says nothing readable."""
    if exchange.error is not None:
        said = exchange.error.get("message")
    elif isinstance(exchange.json, dict):
        said = exchange.json.get("error") or exchange.json.get("detail") or exchange.json.get("message")
    else:
        said = None
    return " ".join(str(said).split())[:200] if said else ""


def out_of_credit(exchange: Exchange) -> bool:
    """Whether a refusal says that money or quota is used up (COM-09): the account's matter, not the contract's."""
    return exchange.status in {401, 402, 403, 429} and bool(_NO_CREDIT.search(message_of(exchange)))


def names_model(exchange: Exchange) -> bool:
    """Whether a refusal is about the model."""
    code = str((exchange.error or {}).get("code"))
    return exchange.status in {400, 403, 404, 503} and bool(_NO_MODEL.search(code + message_of(exchange)))


def refuses_model(exchange: Exchange) -> bool:
    """Whether a refusal says that the model is not there, or not for this: stricter than `names_model`."""
    error = exchange.error or {}
    about = f"{error.get('code')} {error.get('type')} {error.get('param')}"
    said = message_of(exchange)
    refused = exchange.status in {400, 403, 404, 503} and not _FOR_NOW.search(said)
    return refused and bool(_MODEL_CODE.search(about) or _NOT_SERVED.search(said))


def is_not_built(exchange: Exchange) -> bool:
    """Whether an error says that the operation itself is not there, in words rather than by its status."""
    said = message_of(exchange)
    refused = exchange.status in {400, 403, 404, 500, 501, 503} and not _FOR_NOW.search(said)
    return refused and bool(_NOT_BUILT.search(said))


def wants_other_limit(exchange: Exchange) -> bool:
    """Whether the model takes `max_completion_tokens` only, as OpenAI's reasoning models do."""
    said = f"{(exchange.error or {}).get('param')} {message_of(exchange)}"
    return exchange.status in {400, 422} and "max_tokens" in said


def met_no_route(exchange: Exchange) -> bool:
    """Whether there is nothing at this address: an unknown path, a method that is not built, a web page."""
    if is_html(exchange):
        return exchange.status in _NO_ROUTE or exchange.status in range(200, 300)
    return exchange.status in _NO_ROUTE and not _unknown_model(exchange)


def _unknown_model(exchange: Exchange) -> bool:
    return str((exchange.error or {}).get("code")) == "model_not_found"


def refusal_is_plain(exchange: Exchange) -> bool:
    """Whether a 4xx answer says in a proper envelope which field it does not take."""
    return _names(exchange, exchange.case.feature)


def refused_part(exchange: Exchange) -> str:
    """The optional part of a valid request that a 4xx answer plainly refuses by name; empty when there is none."""
    case = exchange.case
    if GENERATED in case.probes:
        return named_part(exchange)
    return case.feature if case.feature and _names(exchange, case.feature) else ""


def named_part(exchange: Exchange) -> str:
    """The first optional part of the request that a refusal in a proper envelope names; empty when there is none."""
    return next((part for part in optional_parts(exchange.case) if _names(exchange, part)), "")


def optional_parts(case: Case) -> list[str]:
    """What a request has beyond a model and a plain text, by the names that a refusal may use."""
    body = {name.removesuffix("[]"): value for name, value in (case.body or case.form or {}).items()}
    found = _parts_of_messages(body)
    needed = _NEEDED.get(case.operation.removesuffix(".stream"), _ASKED)
    inner = body.get("generationConfig") if case.operation.startswith("gemini.") else None
    return [
        *(name for name, value in body.items() if name not in needed or _is_other_form(name, value)),
        *(name for name in found if found[name]),
        *(name for name in (inner if isinstance(inner, dict) else ()) if name != "maxOutputTokens"),
    ]


def _is_other_form(name: str, value: JSONValue) -> bool:
    """Whether a field that every request has is in a form that not every relay takes: a list in a text's place."""
    if name == "documents":
        return isinstance(value, list) and not all(isinstance(item, str) for item in value)
    return name in _TEXTS and not isinstance(value, str)


def _parts_of_messages(body: Mapping[str, JSONValue]) -> dict[str, bool]:
    """Which of the optional parts of messages are there, by the names that a refusal may use."""
    told = body.get("messages")
    messages = [message for message in told if isinstance(message, dict)] if isinstance(told, list) else []
    contents = [message.get("content") for message in messages]
    parts = [part for content in contents if isinstance(content, list) for part in content if isinstance(part, dict)]
    kinds = [part.get("type") for part in parts]
    return {
        "developer": any(message.get("role") == "developer" for message in messages),
        "name": any("name" in message for message in messages),
        "image_url": "image_url" in kinds,
        "content": any(not isinstance(content, str) or not content.strip() for content in contents),
    }


def spelled(name: str) -> str:
    """A pattern of a field's name: with capitals inside it, or with underscores before them, as Google writes both."""
    return "|".join(dict.fromkeys((re.escape(name), re.escape(re.sub("(?=[A-Z])", "_", name).lower()))))


def _names(exchange: Exchange, part: str) -> bool:
    """Whether an answer is a refusal in a proper envelope that names this part of the request."""
    error = exchange.error
    if error is None or exchange.status not in range(400, 500) or not isinstance(error.get("message"), str):
        return False
    words = _OTHER_NAMES.get(part, spelled(part))
    said = f"{error.get('param')} {error['message']}"
    return re.search(rf"(?<![A-Za-z0-9_])(?:{words})(?![A-Za-z0-9_])", said) is not None


def not_offered(ledger: Ledger) -> frozenset[str]:
    """The operations that a relay does not offer."""
    return frozenset(operation for operation in OPERATIONS if _absent(ledger, operation))


def _absent(ledger: Ledger, operation: str) -> bool:
    """Whether a relay offers no such operation: every valid request met no route, a web page, or a model not for it."""
    if OPERATIONS[operation].essential or not OPERATIONS[operation].path:
        return False
    answers = [
        exchange
        for exchange in ledger.exchanges
        if exchange.case.operation == operation and exchange.case.expect is Expectation.SUCCESS and exchange.answered
    ]
    own = OPERATIONS[operation].method == "POST"
    return bool(answers) and all(
        met_no_route(answer) or (own and (refuses_model(answer) or is_not_built(answer))) for answer in answers
    )
