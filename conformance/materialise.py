"""Case + provider -> the request that goes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from conformance.inflate import ACCEPTED
from conformance.model import Auth, Case, Provider, Request

if TYPE_CHECKING:
    from conformance.redaction import Secrets

WRONG_KEY = "sk-relay-conformance-no-such-key"
_AGENT = "relay-conformance (conformance test)"


@dataclass(frozen=True)
class Target:
    """Everything about a run that is not in its cases."""

    base_url: str
    provider: Provider
    secrets: Secrets
    limit_field: str = "max_tokens"
    """How the model under test calls the output limit."""


def materialise(case: Case, target: Target) -> Request:
    """The request for a case, secrets still in it."""
    path = case.path.replace("$model", quote(target.provider.model, safe="/:@"))
    headers = {"Accept": "application/json", "Accept-Encoding": ACCEPTED, "User-Agent": _AGENT}
    body = _body(case, target)
    if body:
        headers["Content-Type"] = "application/json"
    if isinstance(case.body, dict) and case.body.get("stream"):
        headers["Accept"] = "text/event-stream"
    headers |= {name: target.secrets.get(variable) for name, variable in target.provider.headers.items()}
    key = _authorization(case.auth, target)
    if key:
        headers["Authorization"] = key
    headers |= case.headers
    return Request(case.method, target.base_url + path, tuple(headers.items()), body)


def _body(case: Case, target: Target) -> bytes:
    """The bytes of the body, placeholders filled in."""
    model = target.provider.model
    if case.raw is not None:
        return case.raw.replace("$model", json.dumps(model)[1:-1]).encode()
    if case.body is None:
        return b""
    body = _filled(case.body, model)
    if target.limit_field != "max_tokens" and "max_tokens" in body:
        body = {target.limit_field if name == "max_tokens" else name: value for name, value in body.items()}
    return json.dumps(body, ensure_ascii=False).encode()


def _filled(value: Any, model: str) -> Any:
    """The value with `$model` replaced wherever it is a whole string."""
    if value == "$model":
        return model
    if isinstance(value, dict):
        return {name: _filled(inner, model) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, model) for inner in value]
    return value


def _authorization(auth: Auth, target: Target) -> str:
    """The value of the Authorization header; empty when there is to be none."""
    if auth is Auth.NONE:
        return ""
    if auth is Auth.WRONG:
        return f"Bearer {WRONG_KEY}"
    if not target.provider.key_env:
        return ""
    key = target.secrets.get(target.provider.key_env)
    return key if auth is Auth.BARE else f"Bearer {key}"
