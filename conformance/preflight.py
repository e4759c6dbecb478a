"""Is it worth going on? Pure answers from the first two exchanges of a run."""

from __future__ import annotations

import difflib
import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conformance.errors import UsageError
from conformance.model import Stop
from conformance.refusals import is_html, message_of, names_model, out_of_credit

if TYPE_CHECKING:
    from conformance.model import Exchange


_LONGEST_NAME = 200
_MOST_NAMES = 5_000
"""Models of a list that are looked at; the largest relays list some hundreds."""


def base_urls(given: str) -> list[str]:
    """The base URLs to try, likeliest first; raises UsageError for what is no base URL.

    A relay's own page may print it with `/v1`, without, or with a path prefix, and with a slash at the end.
    """
    example = "a base URL looks like https://api.example.com/v1"
    try:
        parts = urlsplit(given)
        usable = parts.scheme in {"http", "https"} and parts.port != 0 and _is_host(parts.hostname or "")
    except ValueError:
        usable = False
    # A wrong base URL is not repeated word for word: what stands before an @ may be a password.
    if any(mark in given for mark in "@?#"):
        hint = f"{example}; keys go into variables"
        raise UsageError("the base URL carries a user name, a query or a fragment", hint)
    if not usable or not given.isprintable() or " " in given:
        raise UsageError(f"{given!r} is no base URL", example)
    path = parts.path.rstrip("/")
    for ending in ("/chat/completions", "/models"):
        path = path.removesuffix(ending)
    root = f"{parts.scheme}://{parts.netloc}{path}"
    if path.endswith("/v1"):
        return [root, root.removesuffix("/v1")]
    return [f"{root}/v1", root]


def _is_host(name: str) -> bool:
    """Whether a name or address can be asked for at all."""
    if ":" in name:
        return bool(ipaddress.IPv6Address(name))
    labels = name.encode("idna").decode().removesuffix(".").split(".")
    return all(re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", label) for label in labels)


def speaks_api(exchange: Exchange) -> bool:
    """Whether an answer shows that this base URL is one: JSON, or a stream, and not an unknown path."""
    if is_html(exchange) or exchange.status in {404, 405, *range(300, 400)}:
        return False
    return exchange.answered or (exchange.response is not None and _kind(exchange) == "too-large")


def reason_to_stop(models: Exchange, chat: Exchange) -> Stop | None:
    """Why nothing more should be sent, or None."""
    if chat.response is None or chat.failure is not None:
        return _no_answer(chat)
    if chat.status in range(300, 400):
        return _redirected(chat)
    if is_html(chat):
        return Stop(
            "wrong-base-url",
            "the base URL answers with a web page, not with the API",
            "这个 base URL 返回的是网页,不是 API",
            "look for the API address on the provider's page; it often ends in /v1",
        )
    return None if chat.status < 300 else _refused(models, chat)


def _no_answer(chat: Exchange) -> Stop:
    """Nothing came, or it never became whole."""
    detail = chat.failure.detail if chat.failure else ""
    if _kind(chat) == "unsent":
        english = f"the first requests could not be sent: {detail}"
        return Stop("not-sent", english, f"最初的请求未能发送: {detail}", "raise that limit")
    if chat.response is None:
        return Stop("unreachable", f"no answer from the relay: {detail}", f"中转站没有回应: {detail}", _hint(chat))
    english = f"the relay's answer never became whole: {detail}"
    return Stop("unreachable", english, f"中转站的回答不完整: {detail}", _hint(chat))


def _redirected(chat: Exchange) -> Stop:
    """The key stays here."""
    target = chat.response.header("location") if chat.response else ""
    return Stop(
        "redirected",
        f"the relay redirects to {target}; the key is not sent there",
        f"中转站重定向到 {target}; 密钥不会发送到那里",
        "if you trust that address, give it as the base URL",
    )


def _refused(models: Exchange, chat: Exchange) -> Stop | None:
    """The smallest request was refused: for a reason that would refuse all others, or for one that is judged."""
    said = message_of(chat)
    answer = f"HTTP {chat.status}" + (f": {said}" if said else "")
    status = chat.status
    if out_of_credit(chat):
        return Stop("no-credit", f"the account cannot pay for a request ({answer})", f"账户余额不足或已过期 ({answer})")
    if names_model(chat):
        return _unknown_model(models, chat, answer)
    if status in {401, 403}:
        hint = "is it copied whole?"
        return Stop("key-rejected", f"the relay rejects the key ({answer})", f"中转站拒绝了密钥 ({answer})", hint)
    if status in {404, 405, 501}:
        return Stop(
            "no-chat", f"there is no chat endpoint here ({answer})", f"这里没有聊天接口 ({answer})", _hint(chat)
        )
    if status in {408, 409, 425, 429} or status >= 500:
        hint = "try again later"
        return Stop("unavailable", f"the relay cannot answer now ({answer})", f"中转站暂时无法回答 ({answer})", hint)
    return None


def _unknown_model(models: Exchange, chat: Exchange, answer: str) -> Stop:
    """The model under test is not served; name the nearest that is."""
    listed = listed_models(models)
    near = difflib.get_close_matches(chat.model, listed, 3, 0.3) or listed[:5]
    hint = f"listed are: {', '.join(near)}" if near else "look up the exact name on the provider's page"
    return Stop(
        "model-unknown",
        f"the relay does not serve the model {chat.model!r} ({answer})",
        f"中转站没有提供模型 {chat.model!r} ({answer})",
        hint,
    )


def listed_models(models: Exchange) -> list[str]:
    """The names in an answer to the list of models; none where it is no such list."""
    entries = models.json.get("data") if isinstance(models.json, dict) else None
    named = [entry.get("id") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    names = [name for name in named if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and name.isprintable()]
    return names[:_MOST_NAMES]


def _kind(exchange: Exchange) -> str:
    return exchange.failure.kind if exchange.failure else ""


def _hint(chat: Exchange) -> str:
    return {
        "refused": "is the port right, and is the relay running?",
        "dns": "is the host name spelt right?",
        "tls": "the certificate or TLS version is not accepted; is it https?",
    }.get(_kind(chat), "is the base URL right? Try it with curl")
