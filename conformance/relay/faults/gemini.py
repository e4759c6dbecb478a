"""Faults of Gemini, native, plain and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.relay import wire
from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call

_OPENAI_REASONS = {"STOP": "stop", "MAX_TOKENS": "length"}
_UNAUTHORIZED, _BAD_REQUEST = 401, 400


def _bodies(call: Call) -> list[dict[str, Any]]:
    """The plain answer, or every object of a stream."""
    return [data for _, data in call.events] if call.streaming else [call.answer]


def _candidates(call: Call) -> list[dict[str, Any]]:
    return [candidate for body in _bodies(call) for candidate in body.get("candidates", ())]


def _answer(text: str = "OK") -> dict[str, Any]:
    """A whole answer."""
    content = {"role": "model", "parts": [{"text": text}]}
    usage = {"promptTokenCount": 8, "candidatesTokenCount": 1, "totalTokenCount": 9}
    return {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], "usageMetadata": usage}


@fault("gemini-text-empty", Stage.GEMINI, Stage.GEMINI_EVENTS, trips={"gemini.text.present"}, zh="回答没有文字")
def _(call: Call) -> None:
    """An answer that ended by itself has no text."""
    for candidate in _candidates(call):
        candidate["content"]["parts"] = [{"text": ""}]


@fault(
    "gemini-finish-missing",
    Stage.GEMINI,
    Stage.GEMINI_EVENTS,
    trips={"gemini.finish-reason.known", "operation.response.strict"},
    zh="没有 finishReason",
)
def _(call: Call) -> None:
    """An answer does not say why it ended."""
    for candidate in _candidates(call):
        candidate.pop("finishReason", None)


@fault(
    "gemini-finish-openai",
    Stage.GEMINI,
    Stage.GEMINI_EVENTS,
    trips={"gemini.finish-reason.known", "operation.response.strict"},
    zh="finishReason 用了 OpenAI 的词",
)
def _(call: Call) -> None:
    """An answer ends with OpenAI's word."""
    for candidate in _candidates(call):
        if "finishReason" in candidate:
            candidate["finishReason"] = _OPENAI_REASONS[candidate["finishReason"]]


@fault("gemini-total-wrong", Stage.GEMINI, Stage.GEMINI_EVENTS, trips={"gemini.usage.adds-up"}, zh="总数不等于各项之和")
def _(call: Call) -> None:
    """The total leaves out what was written."""
    for body in _bodies(call):
        if "usageMetadata" in body:
            body["usageMetadata"]["totalTokenCount"] = body["usageMetadata"]["promptTokenCount"]


@fault("gemini-done", Stage.WIRE, trips={"gemini.stream.no-done"}, zh="流以 [DONE] 结尾")
def _(call: Call) -> None:
    """A stream ends with OpenAI's mark."""
    if call.dialect == "gemini" and call.streaming:
        call.frames.append(wire.DONE)


@fault("gemini-one-more", Stage.GEMINI_EVENTS, trips={"gemini.stream.one-last"}, zh="流末尾多出一个空对象")
def _(call: Call) -> None:
    """A stream has one more object, empty, after its last, as new-api makes it from an OpenAI stream."""
    before = call.events[-1][1]
    last = {"content": {"role": "model", "parts": []}, "finishReason": "STOP", "index": 0}
    call.events.append(("", before | {"candidates": [last], "usageMetadata": before.pop("usageMetadata")}))


@fault("gemini-openai-envelope", Stage.GEMINI_ERROR, trips={"gemini.error.envelope"}, zh="错误用了 OpenAI 的格式")
def _(call: Call) -> None:
    """Errors have OpenAI's form, as new-api gives them."""
    if call.refusal:
        call.answer = call.refusal.envelope()


@fault("gemini-wrong-key-answered", Stage.GEMINI_ERROR, trips={"gemini.wrong-key.refused"}, zh="密钥错误也能得到回答")
def _(call: Call) -> None:
    """A wrong key is let in."""
    if call.status == _UNAUTHORIZED:
        call.status = 200
        call.answer = _answer()


@fault(
    "gemini-contents-optional", Stage.GEMINI_REQUEST, trips={"gemini.contents.required"}, zh="不写 contents 也被接受"
)
def _(call: Call) -> None:
    """A request without contents is answered."""
    call.request.setdefault("contents", [{"parts": [{"text": "Say OK"}]}])


@fault("gemini-bad-request-500", Stage.GEMINI_ERROR, trips={"gemini.contents.required"}, zh="错误的请求返回 500")
def _(call: Call) -> None:
    """A bad request is answered 500, as new-api did."""
    if call.status == _BAD_REQUEST:
        call.status = 500
        call.answer["error"] |= {"code": 500, "status": "INTERNAL"}


@fault(
    "gemini-count-tokens-generates",
    Stage.GEMINI,
    trips={"gemini.count-tokens.counts"},
    zh="countTokens 被当作生成请求",
)
def _(call: Call) -> None:
    """Counting tokens is answered, and billed, like a request to write."""
    if call.path.endswith(":countTokens"):
        call.answer = _answer()


@fault("gemini-bearer-only", Stage.GEMINI_REQUEST, trips={"auth.native-key.accepted"}, zh="只接受 Bearer 密钥")
def _(call: Call) -> None:
    """The key is only taken as a Bearer token, so that the vendor's own SDK cannot log in."""
    if not call.authorization:
        raise Refusal(401, "You didn't provide an API key.", code="invalid_api_key")
