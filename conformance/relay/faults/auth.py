"""Faults of authentication, of routes and of the gateway itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay import wire
from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call

_UNAUTHORIZED = 401
_NO_KEY = {"auth.missing-key.401", "billing.key.required"}
_NOT_FOUND = 404
_NOT_ALLOWED = 405


@fault("key-rejected-later", Stage.ADMITTED, trips={"auth.key.accepted"}, zh="同一把密钥后来被拒")
def _(call: Call) -> None:
    """The key that was good for the first list of models is rejected later, as by a node out of step."""
    if call.path == "/v1/models" and call.state.count("list") > 1:
        raise Refusal(401, "无效的令牌", kind="new_api_error", code="invalid_api_key")


@fault("missing-key-answered", Stage.ARRIVED, trips=_NO_KEY, zh="不带密钥也能用")
def _(call: Call) -> None:
    """A request without a key is answered at somebody else's expense."""
    call.authorization = call.authorization or f"Bearer {call.state.key}"


@fault("missing-key-403", Stage.ERROR, trips=_NO_KEY, zh="不带密钥时返回 403")
def _(call: Call) -> None:
    """A missing key is answered with 403, so that clients raise another class of error."""
    if call.status == _UNAUTHORIZED and not call.authorization:
        call.status = 403


@fault("missing-key-500", Stage.ERROR, trips=_NO_KEY, zh="不带密钥时返回 500")
def _(call: Call) -> None:
    """A missing key makes the relay stumble."""
    if call.status == _UNAUTHORIZED and not call.authorization:
        call.status = 500


@fault("wrong-key-answered", Stage.ARRIVED, trips={"auth.wrong-key.401"}, zh="错误的密钥也能用")
def _(call: Call) -> None:
    """Any key at all is accepted."""
    if call.authorization.startswith("Bearer "):
        call.authorization = f"Bearer {call.state.key}"


@fault("wrong-key-400", Stage.ERROR, trips={"auth.wrong-key.401"}, zh="密钥错误时返回 400")
def _(call: Call) -> None:
    """A wrong key is answered with 400, so that clients do not know that it is the key."""
    if call.status == _UNAUTHORIZED and call.authorization.startswith("Bearer "):
        call.status = 400


@fault("bare-key-answered", Stage.ARRIVED, trips={"auth.bare-key.refused"}, zh="不写 Bearer 也能用")
def _(call: Call) -> None:
    """The key is accepted without the word Bearer, as in one-api and new-api."""
    if call.authorization == call.state.key:
        call.authorization = f"Bearer {call.state.key}"


def _lost(call: Call) -> bool:
    """Whether the path exists nowhere in the API."""
    return call.status == _NOT_FOUND and call.refusal is not None and call.refusal.code == "unknown_url"


@fault("unknown-path-answered", Stage.ERROR, trips={"gateway.unknown-path.404"}, zh="不存在的路径返回 200")
def _(call: Call) -> None:
    """A path that does not exist is answered with 200 and a greeting."""
    if _lost(call):
        call.status = 200
        call.answer = {"message": "Welcome to the API!"}


@fault("unknown-path-html", Stage.REPLY, trips={"gateway.unknown-path.404"}, zh="不存在的路径返回网页")
def _(call: Call) -> None:
    """A path that does not exist falls through to the web page, as outside /v1 in one-api."""
    if _lost(call):
        call.status, call.body = 200, wire.PAGE
        wire.set_header(call.reply_headers, *wire.HTML_TYPE)


@fault("unknown-path-empty", Stage.REPLY, trips={"gateway.unknown-path.404"}, zh="不存在的路径返回空的 404")
def _(call: Call) -> None:
    """A path that does not exist is answered with 404 and nothing else."""
    if _lost(call):
        call.body = b""
        wire.drop_header(call.reply_headers, b"content-type")


@fault("wrong-method-answered", Stage.ERROR, trips={"gateway.wrong-method.refused"}, zh="错误的方法返回 200")
def _(call: Call) -> None:
    """The wrong method on a known path is answered with 200."""
    if call.status == _NOT_ALLOWED:
        call.status = 200
        call.answer = {"object": "list", "data": []}


@fault("wrong-method-500", Stage.ERROR, trips={"gateway.wrong-method.refused"}, zh="错误的方法返回 500")
def _(call: Call) -> None:
    """The wrong method on a known path makes the relay stumble."""
    if call.status == _NOT_ALLOWED:
        call.status = 500


@fault("cors-missing", Stage.REPLY, trips={"gateway.cors.allowed"}, zh="没有 CORS 头")
def _(call: Call) -> None:
    """No web page may call the relay."""
    wire.drop_header(call.reply_headers, b"access-control-*")
