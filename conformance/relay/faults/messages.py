"""Faults of Anthropic messages, plain and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.relay.call import Call

_OPENAI_REASONS = {"end_turn": "stop", "max_tokens": "length", "stop_sequence": "stop", "tool_use": "tool_calls"}
_UNAUTHORIZED = 401
_FORBIDDEN = 403


def _data(call: Call, kind: str) -> list[dict[str, Any]]:
    """The data of every event of a type."""
    return [data for _, data in call.events if data["type"] == kind]


def _place(call: Call, kind: str) -> int:
    """Where the first event of a type stands."""
    return next(place for place, (_, data) in enumerate(call.events) if data["type"] == kind)


def _without(call: Call, kind: str) -> None:
    call.events = [(name, data) for name, data in call.events if data["type"] != kind]


def _insert(call: Call, place: int, data: dict[str, Any]) -> None:
    call.events.insert(place, (data["type"], data))


def _endings(call: Call) -> list[dict[str, Any]]:
    """What says why the message ended."""
    return [data["delta"] for data in _data(call, "message_delta")] if call.streaming else [call.answer]


def _usages(call: Call) -> list[dict[str, Any]]:
    """Every usage object."""
    if not call.streaming:
        return [call.answer["usage"]]
    started = [data["message"]["usage"] for data in _data(call, "message_start")]
    return started + [data["usage"] for data in _data(call, "message_delta")]


def _on_reason(call: Call, change: Callable[[str], str | None]) -> None:
    for ending in _endings(call):
        ending["stop_reason"] = change(ending["stop_reason"])


@fault("messages-content-empty", Stage.MESSAGES, trips={"messages.content.present"}, zh="消息的 content 是空数组")
def _(call: Call) -> None:
    """A message that ended by itself has no content."""
    if call.answer["stop_reason"] == "end_turn":
        call.answer["content"] = []


@fault(
    "messages-text-empty",
    Stage.MESSAGES_EVENTS,
    trips={"messages.content.present", "messages.stream.text-whole"},
    zh="流式消息没有文字",
)
def _(call: Call) -> None:
    """A streamed message has a text block without text."""
    if _endings(call)[0]["stop_reason"] == "end_turn":
        _without(call, "content_block_delta")


@fault(
    "messages-reason-null", Stage.MESSAGES, trips={"messages.stop-reason.known"}, zh="非流式消息的 stop_reason 是 null"
)
def _(call: Call) -> None:
    """A plain message does not say why it ended."""
    _on_reason(call, lambda _: None)


@fault(
    "messages-reason-openai",
    Stage.MESSAGES,
    Stage.MESSAGES_EVENTS,
    trips={
        "messages.stop-reason.known",
        "messages.max-tokens.stop-reason",
        "messages.stop-sequence.named",
        "messages.tool-use.stop-reason",
        "operation.response.strict",
    },
    zh="stop_reason 用了 OpenAI 的词",
)
def _(call: Call) -> None:
    """Messages end with OpenAI's words, as when they are converted half."""
    _on_reason(call, lambda reason: _OPENAI_REASONS[reason])


@fault(
    "messages-cut-as-end",
    Stage.MESSAGES,
    Stage.MESSAGES_EVENTS,
    trips={"messages.max-tokens.stop-reason"},
    zh="被截断的消息写着 end_turn",
)
def _(call: Call) -> None:
    """A message that was cut says that it ended by itself."""
    _on_reason(call, lambda reason: "end_turn" if reason == "max_tokens" else reason)


@fault(
    "messages-stop-ignored",
    Stage.MESSAGES_REQUEST,
    trips={"messages.stop-sequences.honoured"},
    zh="忽略 stop_sequences",
)
def _(call: Call) -> None:
    """Stop sequences are accepted and ignored."""
    call.request.pop("stop_sequences", None)


@fault(
    "messages-stop-unnamed",
    Stage.MESSAGES,
    Stage.MESSAGES_EVENTS,
    trips={"messages.stop-sequence.named"},
    zh="stop_sequence 始终为 null",
)
def _(call: Call) -> None:
    """The stop sequence that was hit is not named."""
    for ending in _endings(call):
        ending["stop_sequence"] = None


@fault(
    "messages-stop-as-end",
    Stage.MESSAGES,
    Stage.MESSAGES_EVENTS,
    trips={"messages.stop-sequence.named"},
    zh="遇到停止序列时写着 end_turn",
)
def _(call: Call) -> None:
    """A message that met a stop sequence says that it ended by itself, as a converted channel cannot know better."""
    _on_reason(call, lambda reason: "end_turn" if reason == "stop_sequence" else reason)


@fault(
    "messages-tool-choice-ignored",
    Stage.MESSAGES_REQUEST,
    trips={"messages.tool-choice.honoured"},
    zh="忽略 tool_choice",
)
def _(call: Call) -> None:
    """A forced choice of a tool is accepted and ignored."""
    call.request.pop("tool_choice", None)


@fault(
    "messages-tool-as-end",
    Stage.MESSAGES,
    Stage.MESSAGES_EVENTS,
    trips={"messages.tool-use.stop-reason"},
    zh="使用工具的消息写着 end_turn",
)
def _(call: Call) -> None:
    """A message that uses a tool says that it ended by itself."""
    _on_reason(call, lambda reason: "end_turn" if reason == "tool_use" else reason)


@fault("messages-tool-input-lost", Stage.MESSAGES, trips={"messages.tool-use.input-valid"}, zh="工具参数丢失")
def _(call: Call) -> None:
    """What a tool is given is lost on the way."""
    for block in call.answer["content"]:
        if block["type"] == "tool_use":
            block["input"] = {}


@fault("messages-tool-input-text", Stage.MESSAGES, trips={"operation.response.compat"}, zh="工具参数是字符串而不是对象")
def _(call: Call) -> None:
    """What a tool is given comes as text, as OpenAI gives it."""
    for block in call.answer["content"]:
        if block["type"] == "tool_use":
            block["input"] = '{"city": "Paris"}'


@fault(
    "messages-tool-input-broken", Stage.MESSAGES_EVENTS, trips={"messages.stream.tool-input"}, zh="流式工具参数缺了结尾"
)
def _(call: Call) -> None:
    """The last piece of what a tool is given is lost, and the rest is no JSON."""
    last = _place(call, "content_block_stop") - 1
    if call.events[last][1]["delta"]["type"] == "input_json_delta":
        del call.events[last]


@fault(
    "messages-input-tokens-zero",
    Stage.MESSAGES,
    Stage.MESSAGES_EVENTS,
    trips={"messages.usage.counts"},
    zh="input_tokens 是 0",
)
def _(call: Call) -> None:
    """No input tokens are counted."""
    _usages(call)[0]["input_tokens"] = 0


@fault(
    "messages-output-tokens-zero",
    Stage.MESSAGES,
    Stage.MESSAGES_EVENTS,
    trips={"messages.usage.counts"},
    zh="output_tokens 是 0",
)
def _(call: Call) -> None:
    """No output tokens are counted."""
    for usage in _usages(call):
        usage["output_tokens"] = 0


@fault(
    "messages-usage-strings",
    Stage.MESSAGES,
    Stage.MESSAGES_EVENTS,
    trips={"operation.response.compat"},
    zh="用量是字符串",
)
def _(call: Call) -> None:
    """Token counts are strings."""
    for usage in _usages(call):
        usage["output_tokens"] = str(usage["output_tokens"])


@fault("messages-openai-envelope", Stage.MESSAGES_ERROR, trips={"messages.error.envelope"}, zh="错误用了 OpenAI 的格式")
def _(call: Call) -> None:
    """Errors have OpenAI's form, as the middleware of new-api gives them."""
    if call.refusal:
        call.answer = call.refusal.envelope()


@fault(
    "messages-error-type-foreign", Stage.MESSAGES_ERROR, trips={"messages.error.type"}, zh="错误类型为 new_api_error"
)
def _(call: Call) -> None:
    """Errors have a type that the relay made up."""
    call.answer["error"]["type"] = "new_api_error"


@fault("messages-wrong-key-403", Stage.MESSAGES_ERROR, trips={"messages.wrong-key.401"}, zh="密钥错误时返回 403")
def _(call: Call) -> None:
    """A wrong key is answered 403."""
    if call.status == _UNAUTHORIZED:
        call.status = _FORBIDDEN
        call.answer["error"]["type"] = "permission_error"


@fault(
    "messages-max-tokens-optional",
    Stage.MESSAGES_REQUEST,
    trips={"messages.max-tokens.required"},
    zh="不写 max_tokens 也被接受",
)
def _(call: Call) -> None:
    """A request without max_tokens is answered, as new-api does."""
    call.request.setdefault("max_tokens", 64)


@fault(
    "messages-start-missing",
    Stage.MESSAGES_EVENTS,
    trips={"messages.stream.lifecycle", "messages.usage.counts"},
    zh="流没有 message_start",
)
def _(call: Call) -> None:
    """A stream lacks its first event, and with it the input tokens."""
    _without(call, "message_start")


@fault("messages-start-twice", Stage.MESSAGES_EVENTS, trips={"messages.stream.lifecycle"}, zh="message_start 出现两次")
def _(call: Call) -> None:
    """A stream begins twice."""
    call.events.insert(0, call.events[0])


@fault("messages-stop-missing", Stage.MESSAGES_EVENTS, trips={"messages.stream.lifecycle"}, zh="流没有 message_stop")
def _(call: Call) -> None:
    """A stream does not say that it is over."""
    _without(call, "message_stop")


@fault("messages-stop-twice", Stage.MESSAGES_EVENTS, trips={"messages.stream.lifecycle"}, zh="message_stop 出现两次")
def _(call: Call) -> None:
    """A stream ends twice."""
    call.events.append(call.events[-1])


@fault(
    "messages-events-unnamed", Stage.MESSAGES_EVENTS, trips={"messages.stream.event-names"}, zh="事件没有 event: 名称"
)
def _(call: Call) -> None:
    """Events have no names, and Anthropic's SDK shows nothing."""
    call.events = [("", data) for _, data in call.events]


@fault(
    "messages-events-misnamed", Stage.MESSAGES_EVENTS, trips={"messages.stream.event-names"}, zh="事件名称都是 message"
)
def _(call: Call) -> None:
    """Every event is called `message`."""
    call.events = [("message", data) for _, data in call.events]


@fault("messages-block-open", Stage.MESSAGES_EVENTS, trips={"messages.stream.blocks"}, zh="内容块没有结束")
def _(call: Call) -> None:
    """A content block is never stopped."""
    _without(call, "content_block_stop")


@fault("messages-delta-early", Stage.MESSAGES_EVENTS, trips={"messages.stream.blocks"}, zh="增量先于内容块的开始")
def _(call: Call) -> None:
    """A delta comes before its block has started."""
    early = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}}
    _insert(call, _place(call, "content_block_start"), early)


@fault(
    "messages-block-index-gap", Stage.MESSAGES_EVENTS, trips={"messages.stream.blocks"}, zh="内容块的 index 从 1 开始"
)
def _(call: Call) -> None:
    """The first content block has index 1."""
    for _, data in call.events:
        if "index" in data:
            data["index"] += 1


@fault("messages-blocks-interleaved", Stage.MESSAGES_EVENTS, trips={"messages.stream.blocks"}, zh="两个内容块交错")
def _(call: Call) -> None:
    """A second content block starts before the first has stopped."""
    block = {"type": "text", "text": ""}
    _insert(
        call, _place(call, "content_block_stop"), {"type": "content_block_start", "index": 1, "content_block": block}
    )
    _insert(call, _place(call, "message_delta"), {"type": "content_block_stop", "index": 1})


@fault(
    "messages-message-delta-missing",
    Stage.MESSAGES_EVENTS,
    trips={"messages.stream.stop-reason"},
    zh="流没有 message_delta",
)
def _(call: Call) -> None:
    """A stream ends without saying why, as new-api does where the upstream gave no usage."""
    _without(call, "message_delta")


@fault(
    "messages-reason-lost", Stage.MESSAGES_EVENTS, trips={"messages.stream.stop-reason"}, zh="流式 stop_reason 是 null"
)
def _(call: Call) -> None:
    """The stop reason of a stream is null."""
    _on_reason(call, lambda _: None)


@fault(
    "messages-reason-late",
    Stage.MESSAGES_EVENTS,
    trips={"messages.stream.stop-reason", "messages.stream.lifecycle"},
    zh="stop_reason 在 message_stop 之后",
)
def _(call: Call) -> None:
    """A stream says why it ended after its end."""
    call.events[-2:] = call.events[:-3:-1]


@fault("messages-text-lost", Stage.MESSAGES_EVENTS, trips={"messages.stream.text-whole"}, zh="流式文字丢失片段")
def _(call: Call) -> None:
    """Every third piece of a streamed text is lost."""
    texts = [data for data in _data(call, "content_block_delta") if data["delta"]["type"] == "text_delta"]
    for lost in texts[2::3]:
        lost["delta"]["text"] = ""


@fault(
    "messages-usage-last-piece",
    Stage.MESSAGES_EVENTS,
    trips={"messages.stream.usage-cumulative"},
    zh="output_tokens 只是最后一段的数量",
)
def _(call: Call) -> None:
    """The output tokens of a stream are those of its last piece."""
    _usages(call)[-1]["output_tokens"] = 1


@fault("messages-bearer-only", Stage.MESSAGES_REQUEST, trips={"auth.native-key.accepted"}, zh="只接受 Bearer 密钥")
def _(call: Call) -> None:
    """The key is only taken as a Bearer token, so that the vendor's own SDK cannot log in."""
    if not call.authorization:
        raise Refusal(401, "You didn't provide an API key.", code="invalid_api_key")
