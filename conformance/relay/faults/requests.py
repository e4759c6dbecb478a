"""Faults of what a relay does with a chat request: good ones refused, bad ones taken, fields ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault
from conformance.relay.validate import FIELDS
from conformance.relay.words import prompt_tokens, respond

if TYPE_CHECKING:
    from conformance.relay.call import Call

_LONG_PROMPT = 100


def _obscurely(status: int = 400) -> Refusal:
    """A refusal that does not say what was wrong."""
    return Refusal(status, "Bad request.", kind="upstream_error", code="bad_response_status_code")


@fault("chinese-refused", Stage.PROMPT, trips={"chat.request.accepted"}, zh="含中文的请求被拒")
def _(call: Call) -> None:
    """A message with characters beyond ASCII is refused."""
    if not call.question.isascii():
        raise Refusal(400, "Invalid characters in 'messages'.", param="messages", code="sensitive_words_detected")


@fault("long-prompt-refused", Stage.PROMPT, trips={"chat.request.accepted"}, zh="稍长的请求被拒")
def _(call: Call) -> None:
    """A prompt of a few hundred words is refused as too large."""
    if prompt_tokens(call.messages) > _LONG_PROMPT:
        raise Refusal(413, "Request entity too large.", code="read_request_body_failed")


@fault(
    "nulls-refused",
    Stage.REQUEST,
    trips={"chat.nulls.accepted"},
    zh="可选字段为 null 就被拒",
)
def _(call: Call) -> None:
    """A null for an optional field is refused, as by decoders that want the field to be absent."""
    if None in call.request.values():
        raise _obscurely()


@fault("unknown-field-refused", Stage.REQUEST, trips={"chat.unknown-field.recorded"}, zh="不认识的字段被拒")
def _(call: Call) -> None:
    """A field that no document knows is refused, as OpenAI does."""
    unknown = sorted(set(call.request) - {"model", "messages", *FIELDS})
    if unknown:
        message = f"Unrecognized request argument supplied: {unknown[0]}"
        raise Refusal(400, message, param=unknown[0], code="unknown_parameter")


@fault("logit-bias-refused", Stage.PROMPT, trips={"chat.logit-bias.accepted"}, zh="logit_bias 被拒")
def _(call: Call) -> None:
    """A logit_bias object is refused, as by relays that took their page's "null" for the type."""
    if call.request.get("logit_bias"):
        raise _obscurely()


@fault("developer-role-refused", Stage.REQUEST, trips={"chat.developer-role.accepted"}, zh="developer 角色被拒")
def _(call: Call) -> None:
    """The developer role is refused, as by upstreams older than it."""
    if any(message.get("role") == "developer" for message in call.request.get("messages") or ()):
        raise _obscurely()


@fault("charset-refused", Stage.ADMITTED, trips={"chat.charset.accepted"}, zh="content-type 带 charset 就被拒")
def _(call: Call) -> None:
    """A content type with a charset is not recognized as JSON."""
    if b"charset" in call.headers.get(b"content-type", b""):
        raise _obscurely(415)


@fault(
    "fractional-temperature-refused",
    Stage.PROMPT,
    trips={"chat.temperature.accepted"},
    zh="小数 temperature 被拒",
)
def _(call: Call) -> None:
    """A temperature must be an integer, as the pages of the providers state it."""
    if (call.request.get("temperature") or 0) % 1:
        raise _obscurely()


@fault(
    "integer-temperature-refused",
    Stage.PROMPT,
    trips={"chat.temperature.accepted"},
    zh="整数 temperature 被拒",
)
def _(call: Call) -> None:
    """A temperature of 1 is refused, because it is not written as 1.0."""
    if call.request.get("temperature") == 1:
        raise _obscurely()


@fault(
    "text-temperature-answered",
    Stage.REQUEST,
    trips={"chat.temperature.type-refused"},
    zh="temperature 是单词也回答",
)
def _(call: Call) -> None:
    """A temperature that is a word is ignored."""
    if isinstance(call.request.get("temperature"), str):
        del call.request["temperature"]


@fault(
    "text-temperature-500",
    Stage.REQUEST,
    trips={"chat.temperature.type-refused"},
    zh="temperature 是单词时返回 500",
)
def _(call: Call) -> None:
    """A temperature that is a word makes the relay stumble, as in new-api from mid-2025."""
    if isinstance(call.request.get("temperature"), str):
        raise _obscurely(500)


@fault(
    "high-temperature-answered",
    Stage.REQUEST,
    trips={"chat.temperature.range-refused"},
    zh="temperature 超范围也回答",
)
def _(call: Call) -> None:
    """A temperature above 2 is quietly lowered."""
    if isinstance(call.request.get("temperature"), int | float):
        call.request["temperature"] = min(2, call.request["temperature"])


@fault(
    "zero-temperature-varies",
    Stage.TEXT,
    trips={"chat.temperature.zero-repeats"},
    zh="temperature 为 0 时回答不同",
)
def _(call: Call) -> None:
    """The same question at temperature 0 gets another answer each time."""
    if call.request.get("temperature") == 0:
        call.texts = [respond(call.messages, call.state.count("zero")) for _text in call.texts]


@fault("stop-ignored", Stage.PROMPT, trips={"chat.stop.honoured"}, zh="忽略 stop")
def _(call: Call) -> None:
    """Stop strings are dropped, as in the Claude and Gemini channels of one-api."""
    call.stops = []


@fault("stop-array-refused", Stage.PROMPT, trips={"chat.stop.array-accepted"}, zh="stop 数组被拒")
def _(call: Call) -> None:
    """Several stop strings are refused, as by relays whose page says that stop is a string."""
    if isinstance(call.request.get("stop"), list):
        raise _obscurely()


@fault("stop-five-answered", Stage.REQUEST, trips={"chat.stop.five-refused"}, zh="五个 stop 也接受")
def _(call: Call) -> None:
    """More stop strings than allowed are accepted, and the surplus is dropped."""
    if isinstance(call.request.get("stop"), list):
        call.request["stop"] = call.request["stop"][:4]


@fault("max-tokens-ignored", Stage.PROMPT, trips={"chat.max-tokens.honoured"}, zh="忽略 max_tokens")
def _(call: Call) -> None:
    """The limit of output tokens is dropped."""
    if call.request.get("max_tokens"):
        call.limit = None


@fault(
    "max-completion-tokens-ignored",
    Stage.PROMPT,
    trips={"chat.max-completion-tokens.honoured"},
    zh="忽略 max_completion_tokens",
)
def _(call: Call) -> None:
    """The limit of output tokens is dropped when it comes under its newer name."""
    if call.request.get("max_completion_tokens"):
        call.limit = None


@fault(
    "max-completion-tokens-refused",
    Stage.PROMPT,
    trips={"chat.max-completion-tokens.honoured", "chat.request.accepted"},
    zh="max_completion_tokens 被拒",
)
def _(call: Call) -> None:
    """The newer name of the limit is refused, without saying so."""
    if call.request.get("max_completion_tokens"):
        raise _obscurely()


@fault(
    "n-ignored",
    Stage.PROMPT,
    trips={"chat.choices.count", "chat.stream.choices-separable"},
    zh="忽略 n,只给一个候选回答",
)
def _(call: Call) -> None:
    """One choice is given however many are asked for, as in the Claude and Gemini channels of one-api."""
    call.count = 1


@fault("system-dropped", Stage.PROMPT, trips={"chat.system.reaches-model"}, zh="丢掉 system 消息")
def _(call: Call) -> None:
    """The system message never reaches the model."""
    call.messages = [message for message in call.messages if message["role"] != "system"] or call.messages


@fault("turns-dropped", Stage.PROMPT, trips={"chat.turns.reach-model"}, zh="丢掉前面的对话")
def _(call: Call) -> None:
    """Of the conversation only the instructions and the last message reach the model."""
    kept = {"system", "developer"}
    instructions = [message for message in call.messages[:-1] if message["role"] in kept]
    call.messages = [*instructions, call.messages[-1]]


@fault(
    "canned-answer",
    Stage.PROMPT,
    trips={
        "chat.max-tokens.honoured",
        "chat.system.reaches-model",
        "chat.tool-result.reaches-model",
        "chat.turns.reach-model",
        "chat.usage.grows",
        "variants.drawing.links-picture",
        "vision.bare-url.seen",
        "vision.empty-url.refused",
        "vision.picture.counted",
        "vision.picture.recognised",
        "vision.pictures.all-used",
    },
    zh="不管问什么都给同一个回答",
)
def canned_answer(call: Call) -> None:
    """Every request gets the example of the provider pages, whatever it asks."""
    call.messages, call.limit, call.stops = [{"role": "user", "content": "Hello!"}], None, []


@canned_answer.also(Stage.TEXT)
def _(call: Call) -> None:
    """Say it."""
    call.texts = ["\n\nHello there, how may I assist you today?"] * call.count


@fault(
    "stream-options-start-stream",
    Stage.REQUEST,
    trips={"chat.stream-options.alone", "http.body.json"},
    zh="只有 stream_options 也返回流",
)
def _(call: Call) -> None:
    """Stream options without stream start a stream."""
    if call.request.get("stream_options") and not call.request.get("stream"):
        call.request["stream"] = True


@fault("plain-as-stream", Stage.REQUEST, trips={"http.body.json"}, zh="非流式请求得到流")
def _(call: Call) -> None:
    """A plain request gets a stream, as from reverse channels that can do nothing else."""
    if not call.request.get("stream_options"):
        call.request["stream"] = True


@fault(
    "stream-as-plain",
    Stage.REQUEST,
    trips={"chat.stream.content-type", "chat.stream.data-json"},
    zh="流式请求得到普通 JSON",
)
def _(call: Call) -> None:
    """A request for a stream gets one JSON answer, which most clients read as an empty text."""
    call.request.pop("stream", None)
