"""Faults of refusals: what is refused, with which status, and what the envelope says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.relay import wire
from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call

_BAD_REQUEST = 400
_UNCLEAR = {"error.envelope.shape", "variants.o1.field-clear"}
_UNAUTHORIZED = 401
_PLAIN = {"messages": [{"role": "user", "content": "Say OK"}]}


def _error(call: Call) -> dict[str, Any]:
    """The inner object of the envelope; an empty one unless the request was found invalid."""
    found: dict[str, Any] = call.answer["error"] if call.status == _BAD_REQUEST else {}
    return found


def _code(call: Call) -> str:
    """Why the request was refused."""
    return (call.refusal.code if call.refusal else "") or ""


def _is_stream(call: Call) -> bool:
    """Whether the request, valid or not, asked for a stream."""
    return bool(call.request.get("stream"))


@fault("error-as-string", Stage.ERROR, trips=_UNCLEAR, zh="error 是字符串")
def _(call: Call) -> None:
    """The error of an invalid request is a string instead of an object."""
    if call.status == _BAD_REQUEST:
        call.answer = {"error": call.answer["error"]["message"]}


@fault("error-as-detail", Stage.ERROR, trips=_UNCLEAR, zh="错误写在 detail 里")
def _(call: Call) -> None:
    """An invalid request gets {"detail": …}, as from FastAPI."""
    if call.status == _BAD_REQUEST:
        call.answer = {"detail": call.answer["error"]["message"]}


@fault("error-wrapped", Stage.ERROR, trips=_UNCLEAR, zh="错误包在 code 和 msg 里")
def _(call: Call) -> None:
    """An invalid request gets {"code", "msg", "data"}, the house style of many Chinese gateways."""
    if call.status == _BAD_REQUEST:
        call.answer = {"code": 400, "msg": call.answer["error"]["message"], "data": None}


@fault("error-message-empty", Stage.ERROR, trips=_UNCLEAR, zh="错误信息是空的")
def _(call: Call) -> None:
    """The error of an invalid request says nothing."""
    if call.status == _BAD_REQUEST:
        call.answer["error"]["message"] = ""


@fault("error-type-missing", Stage.ERROR, trips={"error.envelope.shape"}, zh="错误没有 type")
def _(call: Call) -> None:
    """The error of an invalid request has no type."""
    _error(call).pop("type", None)


@fault("error-code-integer", Stage.ERROR, trips={"error.envelope.param-code"}, zh="错误的 code 是数字")
def _(call: Call) -> None:
    """The code of an error is a number, as in the Gemini channel of one-api."""
    _error(call)["code"] = 400


@fault("error-param-holds-status", Stage.ERROR, trips={"error.envelope.param-code"}, zh="param 里是上游的状态码")
def _(call: Call) -> None:
    """The param of an error is the status of the upstream, as in one-api for errors that are not OpenAI's."""
    if call.status == _BAD_REQUEST:
        call.answer["error"] |= {"type": "upstream_error", "code": "bad_response_status_code", "param": "400"}


@fault("error-param-code-missing", Stage.ERROR, trips={"error.envelope.param-code"}, zh="错误没有 param 和 code")
def _(call: Call) -> None:
    """The error about a key has neither param nor code, as in one-api's middleware."""
    if call.status == _UNAUTHORIZED:
        error = call.answer["error"]
        call.answer = {"error": {"message": error["message"], "type": "one_api_error"}}


@fault(
    "error-in-answer",
    Stage.ANSWER,
    trips={"error.success.no-error", "chat.response.extra-fields"},
    zh="成功的回答里带着 error",
)
def _(call: Call) -> None:
    """A plain answer carries an error object besides the answer."""
    call.answer["error"] = {"message": "", "type": "", "param": "", "code": None}


@fault(
    "error-instead-of-answer",
    Stage.PROMPT,
    Stage.ERROR,
    trips={
        "error.success.no-error",
        "chat.response.compat",
        "chat.response.extra-fields",
        "chat.usage.present",
    },
    zh="200 里装的是错误",
)
def _(call: Call) -> None:
    """A request for several choices gets an error with status 200, as from the Gemini channel of one-api."""
    if call.refusal and _code(call) == "no_candidates":
        call.status = 200
    elif not call.refusal and call.count > 1 and not call.streaming:
        raise Refusal(500, "No candidates returned", kind="server_error", code="no_candidates")


@fault("error-leaks-upstream", Stage.ERROR, trips={"error.message.no-leak"}, zh="错误信息泄露上游地址")
def _(call: Call) -> None:
    """An error names the upstream and its address, as one-api's do_request_failed does."""
    leak = 'Post "https://api.upstream.example/v1/chat/completions": dial tcp 203.0.113.7:443: refused'
    if call.status == _BAD_REQUEST:
        call.answer["error"]["message"] += f" ({leak})"


@fault("error-leaks-key", Stage.ERROR, trips={"error.message.no-leak"}, zh="错误信息泄露上游密钥")
def _(call: Call) -> None:
    """An error names the key that the relay uses with its upstream."""
    if call.status == _BAD_REQUEST:
        call.answer["error"]["message"] += " Incorrect API key provided: sk-proj-Zk3vQx81mTfUpStReAm0000aB9."


@fault("error-leaks-trace", Stage.ERROR, trips={"error.message.no-leak"}, zh="错误信息带着堆栈")
def _(call: Call) -> None:
    """An error shows the stack of the program."""
    trace = 'Traceback (most recent call last):\n  File "/app/relay/chat.py", line 88, in create\nKeyError: 0'
    if call.status == _BAD_REQUEST:
        call.answer["error"]["message"] += f"\n{trace}"


@fault("error-request-id-differs", Stage.ERROR, trips={"error.request-id.matches"}, zh="错误里的请求 id 与头不符")
def _(call: Call) -> None:
    """The request id in the message of an error is not the one in the header."""
    call.answer["error"]["message"] += " (request id: 2024051312000000000000000deadbeef)"


@fault(
    "unknown-model-answered",
    Stage.REQUEST,
    trips={"error.unknown-model.refused", "variants.gpts.unknown-refused"},
    zh="不存在的模型也回答",
)
def _(call: Call) -> None:
    """A model that does not exist is quietly replaced by another."""
    name = call.request.get("model")
    if isinstance(name, str) and name not in call.state.models and not _is_stream(call):
        call.request["model"] = next(iter(call.state.models))


@fault("unknown-model-503", Stage.ERROR, trips={"error.unknown-model.404"}, zh="不存在的模型返回 503")
def _(call: Call) -> None:
    """An unknown model is answered with 503, as in one-api and new-api, which find no channel for it."""
    if call.is_chat and _code(call) == "model_not_found":
        call.status = 503
        message = f"当前分组 default 下对于模型 {call.request['model']} 无可用渠道"
        call.answer = {"error": {"message": message, "type": "one_api_error", "param": "", "code": ""}}


@fault("unknown-model-400", Stage.ERROR, trips={"error.unknown-model.404"}, zh="不存在的模型返回 400")
def _(call: Call) -> None:
    """An unknown model is answered with 400."""
    if call.is_chat and _code(call) == "model_not_found":
        call.status = 400


@fault("missing-field-500", Stage.ERROR, trips={"error.missing-field.4xx"}, zh="缺少必填字段时返回 500")
def _(call: Call) -> None:
    """A missing field is answered with 500, as in new-api from mid-2025 to August 2026."""
    if _code(call) == "missing_required_parameter" and call.is_chat and not _is_stream(call):
        call.status = 500
        call.answer["error"] |= {"type": "new_api_error", "code": "invalid_request"}


@fault("missing-field-answered", Stage.REQUEST, trips={"error.missing-field.4xx"}, zh="缺少必填字段也回答")
def _(call: Call) -> None:
    """A request without messages is answered all the same."""
    if not _is_stream(call):
        call.request = _PLAIN | call.request


@fault("empty-messages-answered", Stage.REQUEST, trips={"error.empty-messages.4xx"}, zh="空的 messages 也回答")
def _(call: Call) -> None:
    """An empty conversation is answered all the same."""
    if call.request.get("messages") == []:
        call.request |= _PLAIN


@fault("empty-messages-500", Stage.ERROR, trips={"error.empty-messages.4xx"}, zh="空的 messages 返回 500")
def _(call: Call) -> None:
    """An empty conversation makes the relay stumble."""
    if _code(call) == "empty_array":
        call.status = 500


@fault("malformed-json-answered", Stage.ADMITTED, trips={"error.malformed-json.4xx"}, zh="请求体不是 JSON 也回答")
def _(call: Call) -> None:
    """A body that is not JSON is answered as if it were."""
    if not call.is_chat:
        return
    try:
        json.loads(call.raw)
    except ValueError:
        call.raw = wire.encode(_PLAIN | {"model": next(iter(call.state.models))})


@fault("malformed-json-500", Stage.ERROR, trips={"error.malformed-json.4xx"}, zh="请求体不是 JSON 时返回 500")
def _(call: Call) -> None:
    """A body that is not JSON makes the relay stumble."""
    if _code(call) == "invalid_json":
        call.status = 500


def _as_event(call: Call) -> None:
    """Send the error as server-sent events."""
    call.body = wire.event(call.answer) + wire.DONE
    wire.set_header(call.reply_headers, *wire.SSE_TYPE)


@fault("stream-refused-in-events", Stage.REPLY, trips={"error.stream.plain-json"}, zh="流式请求被拒时返回 SSE")
def _(call: Call) -> None:
    """An invalid request for a stream is refused with 400 and server-sent events."""
    if call.status == _BAD_REQUEST and _is_stream(call):
        _as_event(call)


@fault("stream-refused-in-200", Stage.REPLY, trips={"error.stream.plain-json"}, zh="流式请求被拒时状态是 200")
def _(call: Call) -> None:
    """An invalid request for a stream is refused with an event in a stream of status 200."""
    if call.status == _BAD_REQUEST and _is_stream(call):
        call.status = 200
        _as_event(call)


@fault("stream-error-bare", Stage.FRAMES, trips={"error.stream.event-envelope"}, zh="流里的错误没有信封")
def _(call: Call) -> None:
    """A long stream reports an error as a bare string."""
    if call.limit and call.limit > 190:  # one request in a run asks for so much
        call.frames.insert(-2, wire.event({"error": "upstream overloaded"}))
