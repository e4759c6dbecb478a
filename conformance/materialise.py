"""Case + provider -> the request that goes out."""

from __future__ import annotations

import base64
import json
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from conformance.contract import data
from conformance.errors import DataError
from conformance.inflate import ACCEPTED
from conformance.model import Auth, Case, Provider, Request
from conformance.operations import OPERATIONS
from conformance.roles import CHAT

if TYPE_CHECKING:
    from conformance.redaction import Secrets

WRONG_KEY = "sk-relay-conformance-no-such-key"
_AGENT = "relay-conformance (conformance test)"
_BOUNDARY = "relay-conformance-6d0c1f9b2e57"
_DATA = "$data:"
_ANTHROPIC_VERSION = "2023-06-01"
_KEY_HEADERS = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}
"""Where other protocols want the key. Relays read one or the other, so both are sent, but to see just that."""


@dataclass(frozen=True)
class Target:
    """Everything about a run that is not in its cases."""

    base_url: str
    provider: Provider
    secrets: Secrets
    limit_field: str = "max_tokens"
    """How the model under test calls the output limit."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Role -> model; the chat model is the provider's."""

    def model_of(self, case: Case) -> str:
        """The model that a case asks; empty when there is none for its role."""
        role = role_of(case)
        return self.provider.model if role in {"", CHAT} else self.models.get(role, "")


def role_of(case: Case) -> str:
    """The kind of model that a case asks; empty when it asks none."""
    return case.role or OPERATIONS[case.operation].role


def materialise(case: Case, target: Target) -> Request:
    """The request for a case, secrets still in it; raises DataError for an asset that is not there."""
    model = target.model_of(case)
    headers = {"Accept": "application/json", "Accept-Encoding": ACCEPTED, "User-Agent": _AGENT}
    body = _body(case, target, model)
    if body:
        multipart = case.form is not None
        headers["Content-Type"] = f"multipart/form-data; boundary={_BOUNDARY}" if multipart else "application/json"
    operation = OPERATIONS[case.operation]
    if operation.streams or (isinstance(case.body, dict) and case.body.get("stream")):
        headers["Accept"] = "text/event-stream"
    elif operation.media or case.form is not None:
        headers["Accept"] = "*/*"
    url = url_of(case, target, model)
    if not is_elsewhere(case):
        headers |= {name: target.secrets.get(variable) for name, variable in target.provider.headers.items()}
        headers |= _key_headers(case, target, operation.dialect)
    headers |= case.headers
    return Request(case.method, url, tuple(headers.items()), body)


def is_elsewhere(case: Case) -> bool:
    """Whether a case asks for an address that an answer named: no key and no header of the user's goes there."""
    return case.path.lower().startswith(("http://", "https://"))


def url_of(case: Case, target: Target, model: str) -> str:
    """Where a case is sent."""
    path = case.path.replace("$model", quote(model, safe="/:@"))
    if is_elsewhere(case):
        return case.path
    if path.startswith("~"):
        return target.base_url.removesuffix("/v1") + path[1:]
    return target.base_url + path


def _body(case: Case, target: Target, model: str) -> bytes:
    """The bytes of the body, placeholders filled in."""
    if case.form is not None:
        return b"".join(_multipart(_filled(case.form, model)))
    if case.raw is not None:
        return case.raw.replace("$model", json.dumps(model)[1:-1]).encode()
    if case.body is None:
        return b""
    body = _filled(case.body, model)
    ours = case.operation in {"chat", "chat.stream"} and model == target.provider.model
    other_name = ours and target.limit_field != "max_tokens"
    if other_name and "max_tokens" in body:
        body = {target.limit_field if name == "max_tokens" else name: value for name, value in body.items()}
    return json.dumps(body, ensure_ascii=False).encode()


def _filled(value: Any, model: str) -> Any:
    """The value with `$model`, and `$data:FILE` for the data URL of an asset, wherever that is a whole string.

    Two `$` at the beginning stand for one: that text is meant as it is.
    """
    if value == "$model":
        return model
    if isinstance(value, str) and value.startswith("$$"):
        return value[1:]
    if isinstance(value, str) and value.startswith(_DATA):
        name = value.removeprefix(_DATA)
        return f"data:{_media_type(name)};base64,{base64.b64encode(asset(name)).decode()}"
    if isinstance(value, dict):
        return {name: _filled(inner, model) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, model) for inner in value]
    return value


@cache
def asset(name: str) -> bytes:
    """A small file of ours, from `fixtures/assets`; raises DataError when there is none of this name."""
    path = data("fixtures") / "assets" / name
    if "/" in name or not path.is_file():
        raise DataError(f"there is no asset {name!r}", "the files are in fixtures/assets")
    return path.read_bytes()


def _media_type(name: str) -> str:
    return {"webp": "image/webp"}.get(name.rpartition(".")[2]) or mimetypes.guess_type(name)[0] or ""


def _multipart(form: Mapping[str, Any]) -> Iterator[bytes]:
    """The parts of a form (RFC 7578): plain values, lists of them, and files as `{"asset": NAME}`.

    A file may also be given as `{"base64": DATA, "name": NAME, "type": MEDIA TYPE}`.
    """
    for name, value in form.items():
        for each in value if isinstance(value, list) else [value]:
            yield f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
            if isinstance(each, dict):
                filename = each.get("asset") or each["name"]
                content = asset(filename) if "asset" in each else base64.b64decode(each["base64"])
                kind = each.get("type") or _media_type(filename)
                yield f'; filename="{filename}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
                yield content + b"\r\n"
            else:
                yield f"\r\n\r\n{each if isinstance(each, str) else json.dumps(each)}\r\n".encode()
    yield f"--{_BOUNDARY}--\r\n".encode()


def _key_headers(case: Case, target: Target, dialect: str) -> dict[str, str]:
    """The headers that present the key, as the protocol has them."""
    more = {"anthropic-version": _ANTHROPIC_VERSION} if dialect == "anthropic" else {}
    value = _key(case.auth, target)
    if not value:
        return more
    bearer = {"Authorization": value if case.auth is Auth.BARE else f"Bearer {value}"}
    own = {_KEY_HEADERS[dialect]: value} if dialect in _KEY_HEADERS else {}
    return {**own, **more} if case.auth is Auth.NATIVE else {**bearer, **own, **more}


def _key(auth: Auth, target: Target) -> str:
    """The key that a case presents; empty when there is to be none."""
    if auth is Auth.NONE:
        return ""
    if auth is Auth.WRONG:
        return WRONG_KEY
    return target.secrets.get(target.provider.key_env) if target.provider.key_env else ""
