"""Faults of responses: what they say, what they remember, and their streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault
from conformance.relay.responses import MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.relay.call import Call

_SHAPE = {"operation.response.compat"}
_TERMINAL = ("response.completed", "response.incomplete")


def _items(call: Call, kind: str) -> list[dict[str, Any]]:
    """The items of the answer of this kind."""
    return [item for item in call.answer["output"] if item["type"] == kind]


def _on_text(call: Call, change: Callable[[str], str]) -> None:
    """Change every text of the answer."""
    for item in _items(call, "message"):
        for part in item["content"]:
            part["text"] = change(part["text"])


def _of_type(call: Call, *types: str) -> Iterator[dict[str, Any]]:
    """The data of the events of these types."""
    return (data for name, data in call.events if name in types)


def _number(call: Call) -> None:
    """Number the events again, after some came or went."""
    for place, (_, data) in enumerate(call.events):
        data["sequence_number"] = place


def _without(call: Call, *types: str) -> None:
    """Leave out the events of these types."""
    call.events = [(name, data) for name, data in call.events if name not in types]
    _number(call)


def _final(call: Call) -> dict[str, Any]:
    """The response with which a stream ends, made apart from what came before."""
    name, data = call.events[-1]
    output = [{**item, **_copied(item)} for item in data["response"]["output"]]
    data["response"] = {**data["response"], "output": output}
    call.events[-1] = name, data
    response: dict[str, Any] = data["response"]
    return response


def _copied(item: dict[str, Any]) -> dict[str, Any]:
    return {"content": [dict(part) for part in item["content"]]} if "content" in item else {}


@fault("response-object-wrong", Stage.RESPONSES, trips=_SHAPE, zh="object 不是 response")
def _(call: Call) -> None:
    """A response says that it is a chat completion."""
    call.answer["object"] = "chat.completion"


@fault(
    "response-in-progress",
    Stage.RESPONSES,
    trips={"responses.status.completed", "responses.max-output-tokens.incomplete"},
    zh="普通回答的 status 是 in_progress",
)
def _(call: Call) -> None:
    """A plain response that is whole says that it is still in progress."""
    if not call.request.get("stream"):
        call.answer["status"] = "in_progress"
        call.answer["incomplete_details"] = None


@fault(
    "response-error-set",
    Stage.RESPONSES,
    trips={"responses.status.completed", "error.success.no-error"},
    zh="完整的回答带有 error",
)
def _(call: Call) -> None:
    """A complete response carries an error beside its output."""
    if call.answer["status"] == "completed":
        call.answer["error"] = {"code": "none", "message": "no error"}


@fault("response-incomplete-unsaid", Stage.RESPONSES, trips={"responses.max-output-tokens.incomplete"}, zh="截断不说明")
def _(call: Call) -> None:
    """A response that was cut by its limit says that it is complete."""
    call.answer["status"] = "completed"
    call.answer["incomplete_details"] = None


@fault(
    "response-incomplete-reason-foreign",
    Stage.RESPONSES,
    trips={"responses.max-output-tokens.incomplete", "operation.response.strict"},
    zh="截断的原因写作 length",
)
def _(call: Call) -> None:
    """A response that was cut gives chat's word `length` for its reason."""
    if call.answer["incomplete_details"]:
        call.answer["incomplete_details"] = {"reason": "length"}


@fault("response-limit-ignored", Stage.RESPONSES_REQUEST, trips={"responses.max-output-tokens.honoured"}, zh="忽略上限")
def _(call: Call) -> None:
    """The output limit is dropped on the way."""
    call.request.pop("max_output_tokens", None)


@fault("response-output-empty", Stage.RESPONSES, trips={"responses.output.present"}, zh="output 里没有文字")
def _(call: Call) -> None:
    """A plain response has no text, and bills it."""
    if not call.request.get("stream"):
        call.answer["output"] = [item for item in call.answer["output"] if item["type"] != "message"]


@fault(
    "response-tool-choice-ignored",
    Stage.RESPONSES_REQUEST,
    trips={"responses.tool-choice.honoured"},
    zh="忽略 tool_choice",
)
def _(call: Call) -> None:
    """A forced function call is not made: `tool_choice` is dropped on the way."""
    call.request.pop("tool_choice", None)


@fault("response-call-renamed", Stage.RESPONSES, trips={"responses.function-call.names-offered"}, zh="函数名被改写")
def _(call: Call) -> None:
    """A function call names the function with a prefix of the upstream's."""
    for item in _items(call, "function_call"):
        item["name"] = f"functions.{item['name']}"


@fault("response-call-id-empty", Stage.RESPONSES, trips={"responses.function-call.names-offered"}, zh="call_id 为空")
def _(call: Call) -> None:
    """A function call has an empty `call_id`."""
    for item in _items(call, "function_call"):
        item["call_id"] = ""


@fault(
    "response-arguments-cut",
    Stage.RESPONSES,
    trips={"responses.function-call.arguments-json"},
    zh="arguments 不是 JSON",
)
def _(call: Call) -> None:
    """The arguments of a function call lack their last brace."""
    for item in _items(call, "function_call"):
        item["arguments"] = item["arguments"][:-1]


@fault("response-usage-null", Stage.RESPONSES, trips={"responses.usage.present"}, zh="usage 是 null")
def _(call: Call) -> None:
    """A response has no usage."""
    call.answer["usage"] = None


@fault("response-usage-total-wrong", Stage.RESPONSES, trips={"responses.usage.adds-up"}, zh="total_tokens 不是两项之和")
def _(call: Call) -> None:
    """The total of a response counts thinking on top."""
    call.answer["usage"]["total_tokens"] += 11


@fault(
    "response-usage-cached-too-many", Stage.RESPONSES, trips={"responses.usage.details-bounded"}, zh="缓存数大于总数"
)
def _(call: Call) -> None:
    """More input tokens are cached than there are."""
    usage = call.answer["usage"]
    usage["input_tokens_details"]["cached_tokens"] = usage["input_tokens"] + 1


@fault("response-usage-zero", Stage.RESPONSES, trips={"responses.usage.counts"}, zh="用量都是 0")
def _(call: Call) -> None:
    """All counts of a response are zero."""
    call.answer["usage"].update(input_tokens=0, output_tokens=0, total_tokens=0)


@fault("response-created-milliseconds", Stage.RESPONSES, trips={"responses.created-at.seconds"}, zh="created_at 是毫秒")
def _(call: Call) -> None:
    """The time of a response is in milliseconds."""
    call.answer["created_at"] *= 1000


@fault("response-previous-lost", Stage.RESPONSES_REQUEST, trips={"responses.previous.accepted"}, zh="找不到刚才的回答")
def _(call: Call) -> None:
    """Every request goes to another upstream account, which does not know the answer before."""
    call.state.memory.pop(MEMORY, None)


@fault(
    "response-previous-unbuilt", Stage.RESPONSES_REQUEST, trips={"responses.previous.accepted"}, zh="续答时报不明错误"
)
def _(call: Call) -> None:
    """A request that goes on from an answer is refused without a word about it."""
    if "previous_response_id" in call.request:
        raise Refusal(400, "Your request could not be processed.")


@fault(
    "response-previous-forgotten", Stage.RESPONSES_REQUEST, trips={"responses.previous.reaches-model"}, zh="忘记前文"
)
def _(call: Call) -> None:
    """`previous_response_id` is accepted and dropped."""
    call.request.pop("previous_response_id", None)


@fault(
    "response-format-ignored",
    Stage.RESPONSES_REQUEST,
    trips={"responses.text-format.json-schema"},
    zh="忽略 text.format",
)
def _(call: Call) -> None:
    """The form that was asked for is dropped on the way."""
    call.request.pop("text", None)


@fault("response-format-fenced", Stage.RESPONSES, trips={"responses.text-format.json-schema"}, zh="JSON 包在代码块里")
def _(call: Call) -> None:
    """JSON that was asked for comes in a Markdown fence."""
    if call.request.get("text"):
        _on_text(call, lambda text: f"```json\n{text}\n```")


@fault("response-input-optional", Stage.RESPONSES_REQUEST, trips={"responses.input.required"}, zh="缺少 input 也照答")
def _(call: Call) -> None:
    """A request without input is answered."""
    call.request.setdefault("input", "Say hello")


@fault(
    "response-input-missing-500", Stage.RESPONSES_REQUEST, trips={"responses.input.required"}, zh="缺少 input 返回 500"
)
def _(call: Call) -> None:
    """A request without input is answered with an internal error, as by new-api (#6773)."""
    if "input" not in call.request:
        raise Refusal(500, "input is required", kind="new_api_error", code="invalid_request")


@fault(
    "response-event-renamed", Stage.RESPONSES_EVENTS, trips={"responses.stream.event-matches"}, zh="事件名与 type 不同"
)
def _(call: Call) -> None:
    """The name of a text event differs from its type."""
    call.events = [(name.replace("output_text.delta", "text.delta"), data) for name, data in call.events]


@fault(
    "response-event-line-missing", Stage.RESPONSES_EVENTS, trips={"responses.stream.event-named"}, zh="没有 event 行"
)
def _(call: Call) -> None:
    """Events come without their names, as behind LiteLLM."""
    call.events = [("", data) for _, data in call.events]


@fault(
    "response-sequence-repeated",
    Stage.RESPONSES_EVENTS,
    trips={"responses.stream.sequence-increases", "responses.stream.sequence-from-zero"},
    zh="sequence_number 重复",
)
def _(call: Call) -> None:
    """Every event has the sequence number 0."""
    for _name, data in call.events:
        data["sequence_number"] = 0


@fault(
    "response-sequence-from-one",
    Stage.RESPONSES_EVENTS,
    trips={"responses.stream.sequence-from-zero"},
    zh="序号从 1 开始",
)
def _(call: Call) -> None:
    """Sequence numbers begin at 1."""
    for _name, data in call.events:
        data["sequence_number"] += 1


@fault("response-sequence-missing", Stage.RESPONSES_EVENTS, trips=_SHAPE, zh="没有 sequence_number")
def _(call: Call) -> None:
    """Events have no sequence number."""
    for _name, data in call.events:
        del data["sequence_number"]


@fault("response-terminal-missing", Stage.RESPONSES_EVENTS, trips={"responses.stream.terminal-last"}, zh="没有结束事件")
def _(call: Call) -> None:
    """A stream breaks off before the event that ends it."""
    _without(call, *_TERMINAL)


@fault("response-terminal-twice", Stage.RESPONSES_EVENTS, trips={"responses.stream.terminal-last"}, zh="结束事件重复")
def _(call: Call) -> None:
    """A stream ends twice."""
    name, data = call.events[-1]
    call.events.append((name, {**data, "sequence_number": len(call.events)}))


@fault(
    "response-event-after-end",
    Stage.RESPONSES_EVENTS,
    trips={"responses.stream.terminal-last"},
    zh="结束之后还有事件",
)
def _(call: Call) -> None:
    """The relay adds an event of its own after the end."""
    kind = "relay.cost"
    call.events.append((kind, {"type": kind, "sequence_number": len(call.events)}))


@fault(
    "response-created-missing",
    Stage.RESPONSES_EVENTS,
    trips={"responses.stream.created-first"},
    zh="没有 response.created",
)
def _(call: Call) -> None:
    """A stream does not begin with `response.created`."""
    _without(call, "response.created")


@fault("response-id-changes", Stage.RESPONSES_EVENTS, trips={"responses.stream.same-id"}, zh="结束时换了 id")
def _(call: Call) -> None:
    """The response has another id at the end of a stream than at its beginning."""
    _final(call)["id"] = "resp_of-another-upstream"


@fault(
    "response-part-unopened",
    Stage.RESPONSES_EVENTS,
    trips={"responses.stream.opened-first"},
    zh="没有 content_part.added",
)
def _(call: Call) -> None:
    """Text comes in a part that was never opened."""
    _without(call, "response.content_part.added")


@fault(
    "response-item-unopened",
    Stage.RESPONSES_EVENTS,
    trips={"responses.stream.opened-first"},
    zh="没有 output_item.added",
)
def _(call: Call) -> None:
    """Output comes in an item that was never opened."""
    _without(call, "response.output_item.added")


@fault("response-progress-untold", Stage.RESPONSES_EVENTS, trips={"responses.stream.lifecycle"}, zh="没有 in_progress")
def _(call: Call) -> None:
    """A stream does not say that the response is in progress."""
    _without(call, "response.in_progress")


@fault(
    "response-item-unclosed", Stage.RESPONSES_EVENTS, trips={"responses.stream.lifecycle"}, zh="没有 output_item.done"
)
def _(call: Call) -> None:
    """Items of the output are opened and never closed."""
    _without(call, "response.output_item.done")


@fault("response-delta-lost", Stage.RESPONSES_EVENTS, trips={"responses.stream.deltas-join"}, zh="丢失一个 delta")
def _(call: Call) -> None:
    """The first piece of every text is lost."""
    found = [event for event in call.events if event[0] == "response.output_text.delta"]
    call.events = [event for event in call.events if event not in found[:1]]
    _number(call)


@fault(
    "response-done-text-differs",
    Stage.RESPONSES_EVENTS,
    trips={"responses.stream.deltas-join", "responses.stream.final-text"},
    zh="output_text.done 的文字不同",
)
def _(call: Call) -> None:
    """The event that closes a text lacks its last letter."""
    for data in _of_type(call, "response.output_text.done"):
        data["text"] = data["text"][:-1]


@fault("response-final-text-differs", Stage.RESPONSES_EVENTS, trips={"responses.stream.final-text"}, zh="最终文字不同")
def _(call: Call) -> None:
    """The last event gives another text than was streamed."""
    for item in _final(call)["output"]:
        for part in item.get("content", ()):
            part["text"] += " (translated)"


@fault(
    "response-final-output-empty",
    Stage.RESPONSES_EVENTS,
    trips={"responses.stream.final-text", "responses.stream.arguments-join"},
    zh="response.completed 的 output 为空",
)
def _(call: Call) -> None:
    """The last event has an empty output."""
    _final(call)["output"] = []


@fault(
    "response-arguments-delta-lost",
    Stage.RESPONSES_EVENTS,
    trips={"responses.stream.arguments-join"},
    zh="丢失参数片段",
)
def _(call: Call) -> None:
    """The first piece of the arguments of a function call is lost."""
    found = [event for event in call.events if event[0] == "response.function_call_arguments.delta"]
    call.events = [event for event in call.events if event not in found[:1]]
    _number(call)


@fault(
    "response-stream-usage-differs",
    Stage.RESPONSES_EVENTS,
    trips={"responses.stream.usage-matches-plain"},
    zh="流式用量不同",
)
def _(call: Call) -> None:
    """Streaming counts more input tokens."""
    response = _final(call)
    usage = response["usage"]
    more = {"input_tokens": usage["input_tokens"] + 9, "total_tokens": usage["total_tokens"] + 9}
    response["usage"] = {**usage, **more}


@fault("response-ping-as-data", Stage.RESPONSES_EVENTS, trips={"operation.stream.events"}, zh="把 PING 当作 data 发送")
def _(call: Call) -> None:
    """A stream is kept alive with data that are no event."""
    call.events.insert(2, ("", cast("Any", "PING")))
