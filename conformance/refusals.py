"""Reads refusals: what kind of no an answer is. Lenient, because errors come in every shape."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.model import Exchange

_NO_MODEL = re.compile(r"model|模型|渠道|channel|deployment", re.IGNORECASE)
_NO_CREDIT = re.compile(r"quota|insufficient|balance|credit|billing|额度|余额|欠费|用尽|过期|expired", re.IGNORECASE)


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


def wants_other_limit(exchange: Exchange) -> bool:
    """Whether the model takes `max_completion_tokens` only, as OpenAI's reasoning models do."""
    said = f"{(exchange.error or {}).get('param')} {message_of(exchange)}"
    return exchange.status in {400, 422} and "max_tokens" in said


def refusal_is_plain(exchange: Exchange) -> bool:
    """Whether a 4xx answer says in a proper envelope which field it does not take."""
    error, feature = exchange.error, exchange.case.feature
    if error is None or exchange.status not in range(400, 500) or not isinstance(error.get("message"), str):
        return False
    if feature == "max_tokens":
        feature = "(?:max_tokens|max_completion_tokens|max_output_tokens)"
        return re.search(feature, f"{error.get('param')} {error['message']}") is not None
    return feature in str(error.get("param")) or re.search(rf"\b{re.escape(feature)}\b", error["message"]) is not None
