"""Faults that fixed requests do not meet: two fields together, a value at its bound, a rare character, an order."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage, text_of
from conformance.relay.faults.base import GENERATED, fault
from conformance.relay.validate import FIELDS

if TYPE_CHECKING:
    from conformance.relay.call import Call

_REFUSED = {"generated.valid.accepted"}
_BROKEN = {"generated.valid.no-5xx"}
_TAKEN = {"generated.invalid.refused"}
_NO_ANSWER = 600.0  # seconds, longer than anybody waits


def _obscurely() -> Refusal:
    """A refusal that does not say what was wrong."""
    return Refusal(400, "Bad request.", kind="upstream_error", code="bad_response_status_code")


def _broken() -> Refusal:
    """An internal error."""
    return Refusal(500, "Something went wrong.", kind="upstream_error", code="internal_error")


def _is_wrong(call: Call, name: str) -> bool:
    """Whether a field of the request is not as it may be."""
    value = call.request.get(name)
    return value is not None and FIELDS[name](value) is not None


def _said(call: Call) -> str:
    """All that the messages say."""
    return "".join(map(text_of, call.messages))


@fault("stop-list-with-n-500", Stage.PROMPT, trips=_BROKEN, needs=GENERATED, zh="stop 列表与 n≥2 同时出现即返回 500")
def _(call: Call) -> None:
    """Several choices together with a list of stop strings lead to an internal error."""
    if call.count > 1 and isinstance(call.request.get("stop"), list):
        raise _broken()


@fault(
    "top-p-with-temperature-refused",
    Stage.PROMPT,
    trips=_REFUSED,
    needs=GENERATED,
    zh="top_p 与 temperature 同时出现即被拒",
)
def _(call: Call) -> None:
    """A temperature and a top_p in one request are refused, as by models that take only one of them."""
    if call.request.get("temperature") is not None and call.request.get("top_p") is not None:
        raise _obscurely()


@fault("penalties-together-500", Stage.PROMPT, trips=_BROKEN, needs=GENERATED, zh="两种 penalty 同时出现即返回 500")
def _(call: Call) -> None:
    """Both penalties in one request lead to an internal error."""
    if call.request.get("presence_penalty") is not None and call.request.get("frequency_penalty") is not None:
        raise _broken()


@fault("top-p-zero-500", Stage.PROMPT, trips=_BROKEN, needs=GENERATED, zh="top_p 为 0 即返回 500")
def _(call: Call) -> None:
    """A top_p of 0 is divided by."""
    if call.request.get("top_p") == 0:
        raise _broken()


@fault("penalty-bound-refused", Stage.PROMPT, trips=_REFUSED, needs=GENERATED, zh="presence_penalty 为 -2 即被拒")
def _(call: Call) -> None:
    """A presence_penalty of exactly -2 is refused, as if the bound were not allowed."""
    if call.request.get("presence_penalty") == -2:
        raise _obscurely()


@fault("negative-seed-500", Stage.PROMPT, trips=_BROKEN, needs=GENERATED, zh="seed 为负数即返回 500")
def _(call: Call) -> None:
    """A negative seed does not fit the type that the relay reads it into."""
    seed = call.request.get("seed")
    if seed is not None and seed < 0:
        raise _broken()


@fault("right-to-left-500", Stage.PROMPT, trips=_BROKEN, needs=GENERATED, zh="从右到左的文字导致 500")
def _(call: Call) -> None:
    """A message in Arabic or Hebrew leads to an internal error."""
    if any(unicodedata.bidirectional(letter) in {"R", "AL"} for letter in _said(call)):
        raise _broken()


@fault("control-character-refused", Stage.PROMPT, trips=_REFUSED, needs=GENERATED, zh="消息含控制字符即被拒")
def _(call: Call) -> None:
    """A message with a control character is refused as if it were no JSON."""
    if any(unicodedata.category(letter) == "Cc" and letter not in "\t\n\r" for letter in _said(call)):
        raise _obscurely()


@fault("model-not-first-refused", Stage.REQUEST, trips=_REFUSED, needs=GENERATED, zh="model 之前有可选字段即被拒")
def _(call: Call) -> None:
    """A request in which an optional field comes before the model is refused: the relay looks only at the beginning."""
    if next(iter(call.request), "") in FIELDS:
        raise _obscurely()


@fault("empty-turn-500", Stage.PROMPT, trips=_BROKEN, needs=GENERATED, zh="对话中的空消息导致 500")
def _(call: Call) -> None:
    """An empty turn in a conversation leads to an internal error."""
    if any(text_of(message) == "" for message in call.messages[:-1]):
        raise _broken()


@fault("text-parts-500", Stage.PROMPT, trips=_BROKEN, needs=GENERATED, zh="数组形式的文本内容导致 500")
def _(call: Call) -> None:
    """A content that is a list of text parts leads to an internal error: the page says that it is a string."""
    if any(isinstance(message.get("content"), list) for message in call.messages):
        raise _broken()


@fault(
    "json-format-ignored",
    Stage.PROMPT,
    trips={"chat.response-format.json"},
    needs=GENERATED,
    zh="忽略 response_format,返回普通文本",
)
def _(call: Call) -> None:
    """A request for JSON is answered with prose, as by converted channels of one-api."""
    call.request.pop("response_format", None)


@fault("logprobs-ignored", Stage.PROMPT, trips={"chat.logprobs.present"}, needs=GENERATED, zh="忽略 logprobs")
def _(call: Call) -> None:
    """Log probabilities are left out, as by converted channels."""
    call.tops = None


@fault(
    "top-logprobs-surplus",
    Stage.PROMPT,
    trips={"chat.logprobs.top-count"},
    needs=GENERATED,
    zh="top_logprobs 比要求的多",
)
def _(call: Call) -> None:
    """One alternative more is listed for each token than was asked for."""
    if call.tops is not None:
        call.tops += 1


@fault("logprobs-unasked", Stage.PROMPT, trips={"chat.logprobs.unasked"}, zh="没有要求也返回 logprobs")
def _(call: Call) -> None:
    """Log probabilities come with every answer."""
    call.tops = call.tops or 0


@fault("bad-penalty-answered", Stage.REQUEST, trips=_TAKEN, needs=GENERATED, zh="penalty 非法也回答")
def _(call: Call) -> None:
    """A penalty that is no number from -2 to 2 is quietly dropped."""
    for name in ("presence_penalty", "frequency_penalty"):
        if _is_wrong(call, name):
            del call.request[name]


@fault("bad-n-500", Stage.REQUEST, trips={"generated.invalid.no-5xx"}, needs=GENERATED, zh="n 非法时返回 500")
def _(call: Call) -> None:
    """An n that is no integer from 1 to 128 makes the relay stumble."""
    if _is_wrong(call, "n"):
        raise _broken()


@fault("bad-stop-hangs", Stage.REQUEST, trips={"generated.invalid.in-time"}, needs=GENERATED, zh="stop 非法时不再回答")
def _(call: Call) -> None:
    """A stop that is neither text nor a list of one to four is never answered."""
    if _is_wrong(call, "stop"):
        call.pause = _NO_ANSWER


@fault(
    "bad-field-unnamed",
    Stage.ERROR,
    trips={"generated.invalid.named", "variants.o1.field-clear"},
    needs=GENERATED,
    zh="拒绝时不说明哪个字段有误",
)
def _(call: Call) -> None:
    """A refusal of an optional field does not say which one it is about."""
    error: dict[str, Any] = call.answer["error"]
    if call.is_chat and error["param"] in FIELDS:
        error |= {"message": "The request is not valid.", "param": None}


@fault(
    "bad-request-poisons",
    Stage.REQUEST,
    trips={"generated.invalid.recovers"},
    needs=GENERATED,
    zh="错误请求之后的正常请求被拒",
)
def poisons(call: Call) -> None:
    """After a request with a field of the wrong type, the next good one is refused."""
    if any(_is_wrong(call, name) for name in FIELDS):
        call.state.memory["poisoned"] = True


@poisons.also(Stage.PROMPT)
def _(call: Call) -> None:
    """Refuse the good one."""
    if call.state.memory.pop("poisoned", False):
        raise _obscurely()
