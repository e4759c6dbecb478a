"""Faults of tool calls: choices ignored, calls that cannot be run, pieces of a stream that do not fit together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault
from conformance.relay.tools import offered
from conformance.relay.words import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.relay.call import Call, ToolCall

_JSON = {"chat.tool-calls.arguments-json"}
_IDS = {"chat.tool-calls.ids"}
_INDEX = {"chat.stream.tool-calls-index"}


def _made(call: Call) -> Iterator[ToolCall]:
    """The calls of all choices."""
    for choice in call.choices:
        yield from choice.calls


def _written(call: Call) -> Iterator[dict[str, Any]]:
    """The calls of a plain answer, as they are written."""
    for choice in call.answer["choices"]:
        yield from choice["message"].get("tool_calls", ())


def _pieces(call: Call) -> Iterator[dict[str, Any]]:
    """The pieces of calls in a stream, as they are written."""
    for chunk in call.chunks:
        for choice in chunk["choices"]:
            yield from choice["delta"].get("tool_calls", ())


def _parameters(call: Call, made: ToolCall) -> Any:
    """What the request says of the arguments of a call; None for a function without any."""
    return next((each.get("parameters") for each in offered(call.request) if each["name"] == made.name), None)


def _is_strict(call: Call, made: ToolCall) -> bool:
    return any(each["name"] == made.name and each.get("strict") for each in offered(call.request))


@fault(
    "tool-choice-required-ignored",
    Stage.PROMPT,
    trips={"chat.tool-choice.required", "chat.tools.without-parameters"},
    zh="忽略 tool_choice: required",
)
def _(call: Call) -> None:
    """A required tool call becomes a free choice, as in the Claude channel of one-api, and the model rather talks."""
    if call.request.get("tool_choice") == "required":
        del call.request["tools"], call.request["tool_choice"]


@fault("tool-choice-none-ignored", Stage.PROMPT, trips={"chat.tool-choice.none"}, zh="忽略 tool_choice: none")
def _(call: Call) -> None:
    """Tools are called although that is forbidden, as in the Claude channel of one-api."""
    if call.request.get("tool_choice") == "none":
        del call.request["tool_choice"]


@fault("tool-choice-named-ignored", Stage.PROMPT, trips={"chat.tool-choice.named"}, zh="调用了别的工具")
def _(call: Call) -> None:
    """Another tool is called than the one that is named."""
    if isinstance(call.request.get("tool_choice"), dict):
        call.request["tool_choice"]["function"]["name"] = offered(call.request)[0]["name"]


@fault(
    "tool-calls-as-text",
    Stage.CHOICES,
    trips={
        "chat.tool-choice.required",
        "chat.tool-choice.named",
        "chat.tools.without-parameters",
        "chat.functions.legacy",
    },
    zh="工具调用写在文字里",
)
def _(call: Call) -> None:
    """Calls stand in the text, as a model writes them before anybody has read them."""
    for choice in call.choices:
        if choice.calls:
            told = [{"name": made.name, "arguments": made.arguments} for made in choice.calls]
            choice.pieces = list(tokens(f"<tool_call>{json.dumps(told)}</tool_call>"))
            choice.calls, choice.finish = [], "stop"


@fault("tool-arguments-object", Stage.ANSWER, trips={"chat.response.compat", *_JSON}, zh="工具参数是对象而不是字符串")
def _(call: Call) -> None:
    """The arguments of a call are an object instead of its text."""
    for made in _written(call):
        made["function"]["arguments"] = json.loads(made["function"]["arguments"])


@fault("tool-arguments-broken", Stage.CHOICES, trips=_JSON, zh="工具参数不是 JSON")
def _(call: Call) -> None:
    """The arguments of a call lack their last brace."""
    for made in _made(call):
        made.pieces = list(tokens(made.arguments[:-1]))


@fault(
    "tool-arguments-empty",
    Stage.CHOICES,
    trips={"chat.tool-calls.empty-arguments", *_JSON},
    zh="工具参数是空字符串",
)
def _(call: Call) -> None:
    """The arguments of every call are an empty string."""
    for made in _made(call):
        made.pieces = []


@fault(
    "bare-tool-arguments-empty",
    Stage.CHOICES,
    trips={"chat.tool-calls.empty-arguments"},
    zh="没有参数的调用,arguments 为空字符串",
)
def _(call: Call) -> None:
    """A call of a tool without parameters has an empty string for arguments."""
    for made in _made(call):
        if not _parameters(call, made):
            made.pieces = []


@fault("tool-arguments-misfit", Stage.CHOICES, trips={"chat.tool-calls.arguments-fit"}, zh="工具参数缺少必需的字段")
def _(call: Call) -> None:
    """Calls of functions that are not strict lack their arguments."""
    for made in _made(call):
        if not _is_strict(call, made):
            made.pieces = list(tokens("{}"))


@fault("strict-tool-ignored", Stage.CHOICES, trips={"chat.tool-calls.strict-arguments"}, zh="忽略函数的 strict")
def _(call: Call) -> None:
    """A call of a strict function has an argument that its schema forbids."""
    for made in _made(call):
        if _is_strict(call, made):
            made.pieces = list(tokens(json.dumps({**json.loads(made.arguments), "unit": "celsius"})))


@fault(
    "streamed-arguments-renamed",
    Stage.CHOICES,
    trips={
        "chat.tool-calls.stream-matches-plain",
        "chat.tool-calls.arguments-fit",
        "chat.tool-calls.strict-arguments",
    },
    zh="流式调用的参数名与非流式不同",
)
def _(call: Call) -> None:
    """Streamed, the arguments of a call have other names than in a plain answer."""
    for made in _made(call):
        if call.streaming:
            renamed = {f"arg_{name}": value for name, value in json.loads(made.arguments).items()}
            made.pieces = list(tokens(json.dumps(renamed)))


@fault("tool-id-missing", Stage.ANSWER, trips={"chat.response.compat", *_IDS}, zh="工具调用没有 id")
def _(call: Call) -> None:
    """Calls in a plain answer have no id."""
    for made in _written(call):
        del made["id"]


@fault(
    "streamed-tool-id-missing", Stage.CHUNKS, trips={"chat.stream.tool-calls-start", *_IDS}, zh="流式工具调用没有 id"
)
def _(call: Call) -> None:
    """Calls in a stream have no id."""
    for piece in _pieces(call):
        piece.pop("id", None)


@fault("tool-ids-equal", Stage.CHOICES, trips=_IDS, zh="所有工具调用的 id 相同")
def _(call: Call) -> None:
    """All calls have one id."""
    for made in _made(call):
        made.id = "call_0"


@fault(
    "tool-name-unknown",
    Stage.CHOICES,
    trips={"chat.tool-calls.known-name", "chat.tool-choice.named"},
    zh="工具名称与请求不符",
)
def _(call: Call) -> None:
    """The name of a called function has a prefix that the request does not know."""
    for made in _made(call):
        made.name = f"functions-{made.name}"


@fault(
    "tool-type-wrong", Stage.ANSWER, trips={"chat.tool-calls.type", "chat.response.strict"}, zh="工具调用的 type 不对"
)
def _(call: Call) -> None:
    """Calls of functions call themselves tools."""
    for made in _written(call):
        made["type"] = "tool"


@fault("tool-finish-stop", Stage.CHOICES, trips={"chat.tool-calls.finish"}, zh="带工具调用的回答以 stop 结束")
def _(call: Call) -> None:
    """An answer with calls ends with stop, as in the Gemini channel of one-api."""
    for choice in call.choices:
        choice.finish = "stop" if choice.calls else choice.finish


@fault("tool-index-missing", Stage.CHUNKS, trips={"chat.stream.compat", *_INDEX}, zh="流式工具调用没有 index")
def _(call: Call) -> None:
    """Pieces of calls have no index, as in the Claude channel of one-api."""
    for piece in _pieces(call):
        del piece["index"]


@fault("tool-index-gap", Stage.CHUNKS, trips=_INDEX, zh="流式工具调用的 index 有缺号")
def _(call: Call) -> None:
    """The index of calls begins at 1, as in the Claude channel of new-api after thinking."""
    for piece in _pieces(call):
        piece["index"] += 1


@fault("tool-index-collision", Stage.CHUNKS, trips=_INDEX, zh="流式工具调用的 index 相撞")
def _(call: Call) -> None:
    """Two calls have index 0, as in the Claude channel of new-api when the first block is a call."""
    for piece in _pieces(call):
        piece["index"] = 0


@fault("tool-name-repeated", Stage.CHUNKS, trips={"chat.stream.tool-calls-once"}, zh="流式每块都重复工具的 id 和名称")
def _(call: Call) -> None:
    """Every piece of a call repeats its id and its name."""
    known: dict[int, dict[str, Any]] = {}
    for piece in _pieces(call):
        first = known.setdefault(piece["index"], piece)
        piece |= {"id": first["id"], "type": "function"}
        piece["function"]["name"] = first["function"]["name"]


@fault("tool-start-late", Stage.CHUNKS, trips={"chat.stream.tool-calls-start"}, zh="流式工具调用的 id 和名称来迟")
def _(call: Call) -> None:
    """Which tool is called is only told with the second piece of its call."""
    waiting: dict[str, Any] = {}
    for piece in _pieces(call):
        if "id" in piece:
            waiting = {"id": piece.pop("id"), "name": piece["function"].pop("name")}
        elif waiting:
            piece["id"], piece["function"]["name"] = waiting["id"], waiting["name"]
            waiting = {}


@fault("tool-piece-lost", Stage.CHUNKS, trips=_JSON, zh="流式工具参数丢了一块")
def _(call: Call) -> None:
    """One piece of the arguments of each streamed call gets lost."""
    for piece in _pieces(call):
        arguments = piece["function"]["arguments"]
        piece["function"]["arguments"] = arguments.replace("{", "")


@fault("parallel-calls-forced", Stage.PROMPT, trips={"chat.tool-calls.one-at-a-time"}, zh="忽略 parallel_tool_calls")
def _(call: Call) -> None:
    """Several calls come although only one at a time is allowed."""
    call.request.pop("parallel_tool_calls", None)


@fault("bare-tool-dropped", Stage.PROMPT, trips={"chat.tools.without-parameters"}, zh="没有参数的工具被丢弃")
def _(call: Call) -> None:
    """Tools without parameters are dropped, as in the Claude channels of one-api and new-api."""
    if any("parameters" not in function for function in offered(call.request)):
        del call.request["tools"], call.request["tool_choice"]


@fault("bare-tool-refused", Stage.PROMPT, trips={"chat.tools.without-parameters"}, zh="没有参数的工具被拒")
def _(call: Call) -> None:
    """A tool without parameters is refused."""
    if any("parameters" not in function for function in offered(call.request)):
        raise Refusal(400, "tools[0].function.parameters is required", param="tools", code="invalid_value")


@fault("tool-result-refused", Stage.PROMPT, trips={"chat.tool-result.accepted"}, zh="拒绝工具结果")
def _(call: Call) -> None:
    """A message with the result of a tool is refused."""
    if any(message["role"] == "tool" for message in call.messages):
        raise Refusal(400, "Invalid role in 'messages'.", param="messages", code="invalid_value")


@fault("tool-result-lost", Stage.PROMPT, trips={"chat.tool-result.reaches-model"}, zh="工具结果没有送达模型")
def _(call: Call) -> None:
    """Calls and their results do not reach the model."""
    call.messages = [each for each in call.messages if each["role"] != "tool" and not each.get("tool_calls")]


@fault("legacy-functions-dropped", Stage.PROMPT, trips={"chat.functions.legacy"}, zh="忽略旧的 functions")
def _(call: Call) -> None:
    """The old functions are quietly dropped."""
    if call.request.pop("functions", None):
        call.request.pop("function_call", None)


@fault("legacy-functions-refused", Stage.PROMPT, trips={"chat.functions.legacy"}, zh="拒绝旧的 functions")
def _(call: Call) -> None:
    """The old functions are refused."""
    if call.request.get("functions"):
        raise Refusal(400, "Unknown parameter: 'functions'.", param="functions", code="unknown_parameter")
