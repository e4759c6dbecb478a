"""Tool calls: chosen as asked, whole, told apart in a stream, and answered in a second turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.contract import SchemaSet
from conformance.jsontext import parse_json
from conformance.model import Case, Exchange, Finding
from conformance.refusals import message_of, refusal_is_plain
from conformance.rules.base import Answers, rule
from conformance.rules.views import CHATS, FINISHES, has_usage, is_json, request_body, usage_of
from conformance.stream import CallPiece

_SUCCESS = range(200, 300)
_CUT = frozenset({"length", "content_filter", "max_tokens", "MAX_TOKENS", "SAFETY"})
_NUMBER = re.compile(r"\d+\.\d+")
_ASKED = "asked.json"
_MISSES_THOUGHT = re.compile(r"thought_?signature|reasoning_content", re.IGNORECASE)
"""What Gemini 3 and DeepSeek want back with a call; OpenAI's own form has no place for it."""


@dataclass(frozen=True)
class ToolCall:
    """A call as an answer tells it: plain values of any type, streamed ones put together to strings."""

    at: str
    id: Any
    name: Any
    arguments: Any
    kind: Any = "function"


@dataclass(frozen=True)
class Answer:
    """One choice of an answer, as far as it can be read."""

    calls: tuple[ToolCall, ...]
    finish: Any
    text: str
    at: str
    refused: bool = False


def answers(exchange: Exchange) -> list[Answer]:
    """The choices of an answer, plain or streamed; what is none is left out."""
    if exchange.case.operation == "chat.stream":
        choices = [choice for choice in exchange.stream.choices.values() if choice.first_delta >= 0]
        return [Answer(_streamed(choice.calls), choice.finish, choice.text, "") for choice in choices]
    listed = exchange.json.get("choices") if is_json(exchange) else None
    found = [_plain(choice, place) for place, choice in enumerate(listed if isinstance(listed, list) else ())]
    return [answer for answer in found if answer is not None]


def _plain(choice: Any, place: int) -> Answer | None:
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        return None
    listed, content = message.get("tool_calls"), message.get("content")
    at = f"/choices/{place}"
    calls = [
        _called(call, f"{at}/message/tool_calls/{number}")
        for number, call in enumerate(listed if isinstance(listed, list) else ())
        if isinstance(call, dict)
    ]
    text = content if isinstance(content, str) else ""
    return Answer(tuple(calls), choice.get("finish_reason"), text, at, bool(message.get("refusal")))


def _called(call: Mapping[str, Any], at: str) -> ToolCall:
    told = call.get("function")
    function = told if isinstance(told, dict) else {}
    return ToolCall(at, call.get("id"), function.get("name"), function.get("arguments"), call.get("type"))


def _streamed(pieces: Sequence[CallPiece]) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(
            _place_of(call[0]),
            _id_of(call),
            next((piece.name for piece in call if piece.name), ""),
            "".join(piece.arguments for piece in call),
        )
        for call in assembled(pieces)
    )


def assembled(pieces: Sequence[CallPiece]) -> list[list[CallPiece]]:
    """The pieces of each call: those of one index, or where there is none those after one another.

    Another id with a name begins another call, whatever its index.
    """
    calls: list[list[CallPiece]] = []
    for piece in pieces:
        same = [call for call in calls if piece.index is None or call[0].index == piece.index][-1:]
        known = _id_of(same[0]) if same else ""
        if same and not (known and piece.name and piece.id and piece.id != known):
            same[0].append(piece)
        else:
            calls.append([piece])
    return calls


def _id_of(call: Sequence[CallPiece]) -> str:
    """The first id that the pieces of a call name."""
    return next((piece.id for piece in call if piece.id), "")


def _place_of(piece: CallPiece) -> str:
    return f"/events/{piece.event}/choices/0/delta/tool_calls/{piece.place}"


def _has_tools(case: Case) -> bool:
    return bool((case.body or {}).get("tools"))


def _whole(exchange: Exchange) -> bool:
    """There is an answer to judge, and neither a limit nor a filter ended it."""
    found = answers(exchange)
    return bool(found) and not any(str(answer.finish) in _CUT or answer.refused for answer in found)


def _calls(exchange: Exchange) -> list[ToolCall]:
    return [call for answer in answers(exchange) for call in answer.calls]


def _has_calls(exchange: Exchange) -> bool:
    return _whole(exchange) and bool(_calls(exchange))


def _functions(exchange: Exchange) -> dict[str, Mapping[str, Any]]:
    """The functions that the request offers, by name."""
    return {tool["function"]["name"]: tool["function"] for tool in request_body(exchange)["tools"]}


def _function(exchange: Exchange, call: ToolCall) -> Mapping[str, Any]:
    """What the request says of the function that is called; nothing where it does not offer it."""
    return _functions(exchange).get(call.name, {}) if isinstance(call.name, str) else {}


def _object(arguments: Any) -> dict[str, Any] | None:
    """The arguments of a call as an object; None when they are no JSON text of one."""
    value = parse_json(arguments.encode(errors="replace")).value if isinstance(arguments, str) else None
    return value if isinstance(value, dict) else None


@rule(
    "chat.tool-choice.required",
    doc="openai:chat/create#tool_choice",
    lines=("TOOL-01",),
    zh="tool_choice 为 required 时,回答必须调用工具",
    operations=CHATS,
    probe="tool-required",
    applies=_whole,
    breaks="agents that wait for a call get prose and stop",
    breaks_zh="等待工具调用的智能体只得到文字而停下",
)
def required_is_called(exchange: Exchange) -> Iterator[Finding]:
    """With `tool_choice` set to `required`, an answer MUST call a tool."""
    for answer in answers(exchange):
        if not answer.calls:
            yield Finding(f"{answer.at}/message/tool_calls", "a call", answer.text, deviation="params-dropped")


@rule(
    "chat.tool-choice.none",
    doc="openai:chat/create#tool_choice",
    lines=("TOOL-01",),
    zh="tool_choice 为 none 时,回答不得调用工具",
    operations=("chat",),
    probe="tool-none",
    applies=_whole,
    breaks="a tool runs that the program had switched off",
    breaks_zh="程序已禁用的工具仍被调用",
)
def none_is_not_called(exchange: Exchange) -> Iterator[Finding]:
    """With `tool_choice` set to `none`, an answer MUST NOT call a tool."""
    for call in _calls(exchange):
        yield Finding(call.at, "no call", call.name, deviation="params-dropped")


@rule(
    "chat.tool-choice.named",
    doc="openai:chat/create#tool_choice",
    lines=("TOOL-01",),
    zh="tool_choice 指定工具时,必须调用该工具,且只调用它",
    operations=CHATS,
    probe="tool-named",
    applies=_whole,
    breaks="programs that read data out of a named call get none, or another",
    breaks_zh="从指定的调用中取数据的程序取不到,或取到别的",
)
def named_is_called(exchange: Exchange) -> Iterator[Finding]:
    """With a named `tool_choice`, an answer MUST call that tool and no other."""
    name = request_body(exchange)["tool_choice"]["function"]["name"]
    for answer in answers(exchange):
        called = [call.name for call in answer.calls]
        if not called or any(each != name for each in called):
            found = called or answer.text
            yield Finding(f"{answer.at}/message/tool_calls", name, found, deviation="params-dropped")


@rule(
    "chat.tool-calls.arguments-json",
    doc="openai:chat/object#tool_calls",
    lines=("TOOL-02", "TOOL-06"),
    zh="工具参数必须是一个 JSON 对象的文本 (字符串)",
    operations=CHATS,
    cases=_has_tools,
    applies=_has_calls,
    breaks="openai and npm clients raise; langchain lists the call as invalid",
    breaks_zh="openai 与 npm 客户端会报错;langchain 把该调用列为无效",
)
def arguments_are_json(exchange: Exchange) -> Iterator[Finding]:
    """The arguments of a call MUST be a string that is the JSON text of an object."""
    for call in _calls(exchange):
        bare = call.arguments == "" and not _function(exchange, call).get("parameters")
        if _object(call.arguments) is None and not bare:
            label = "tool-arguments-empty" if call.arguments == "" else ""
            yield Finding(f"{call.at}/function/arguments", "JSON text of an object", call.arguments, deviation=label)


def _misfits(exchange: Exchange, *, strict: bool) -> Iterator[Finding]:
    """A finding for each place where arguments break the schema of a function that is strict, or is not."""
    for call in _calls(exchange):
        function, found = _function(exchange, call), _object(call.arguments)
        if "parameters" not in function or found is None or bool(function.get("strict")) is not strict:
            continue
        asked = SchemaSet({_ASKED: {"$defs": {"asked": function["parameters"]}}})
        for error in asked.errors(f"{_ASKED}#/$defs/asked", found):
            at = f"{call.at}/function/arguments"
            label = "params-dropped" if strict else ""
            yield Finding(at, error.expected, error.actual, f"{error.at}: {error.message}", deviation=label)


@rule(
    "chat.tool-calls.arguments-fit",
    doc="openai:chat/create#tools",
    lines=("TOOL-02",),
    zh="工具参数应符合 parameters 的模式",
    operations=CHATS,
    cases=_has_tools,
    applies=_has_calls,
    breaks="functions are called without what they need",
    breaks_zh="函数被调用时缺少所需的参数",
)
def arguments_fit(exchange: Exchange) -> Iterator[Finding]:
    """The arguments of a call SHOULD satisfy the function's `parameters`."""
    yield from _misfits(exchange, strict=False)


@rule(
    "chat.tool-calls.strict-arguments",
    doc="openai:chat/create#tools",
    lines=("TOOL-02",),
    zh="strict 为 true 的函数,工具参数必须符合其模式",
    operations=CHATS,
    probe="tool-named",
    applies=_has_calls,
    breaks="programs that rely on `strict` and do not check crash",
    breaks_zh="依赖 strict 而不检查的程序会崩溃",
)
def strict_arguments_fit(exchange: Exchange) -> Iterator[Finding]:
    """The arguments of a call of a `strict` function MUST satisfy its `parameters`."""
    yield from _misfits(exchange, strict=True)


@rule(
    "chat.tool-calls.ids",
    doc="openai:chat/object#tool_calls",
    lines=("TOOL-03",),
    zh="每个工具调用必须有非空且互不相同的 id",
    operations=CHATS,
    cases=_has_tools,
    applies=_has_calls,
    breaks="results cannot be assigned; litellm loses the call, the next turn fails",
    breaks_zh="结果无法对应;litellm 会丢失调用,下一轮失败",
)
def ids_tell_calls_apart(exchange: Exchange) -> Iterator[Finding]:
    """Every call MUST have an id that is not empty and that no other call has."""
    seen: list[Any] = []
    for call in _calls(exchange):
        if not isinstance(call.id, str) or not call.id or call.id in seen:
            yield Finding(f"{call.at}/id", "an id of its own", call.id)
        seen.append(call.id)


@rule(
    "chat.tool-calls.known-name",
    doc="openai:chat/object#tool_calls",
    lines=("TOOL-03",),
    zh="工具调用的名称必须是请求所提供的",
    operations=CHATS,
    cases=_has_tools,
    applies=_has_calls,
    breaks="programs look up a function that they do not have",
    breaks_zh="程序会去找一个不存在的函数",
)
def names_are_offered(exchange: Exchange) -> Iterator[Finding]:
    """Every call MUST name a function that the request offers."""
    offered = list(_functions(exchange))
    for call in _calls(exchange):
        if call.name not in offered:
            yield Finding(f"{call.at}/function/name", offered, call.name)


@rule(
    "chat.tool-calls.type",
    doc="openai:chat/object#tool_calls",
    lines=("TOOL-03",),
    zh="工具调用的 type 必须是 function",
    operations=("chat",),
    cases=_has_tools,
    applies=_has_calls,
    needs=("/choices",),
    breaks="typed clients read the call as one of another kind",
    breaks_zh="强类型客户端会把它读成另一种调用",
)
def calls_are_of_functions(exchange: Exchange) -> Iterator[Finding]:
    """Every call of a function MUST have the type `function`."""
    for call in _calls(exchange):
        if call.kind != "function":
            yield Finding(f"{call.at}/type", "function", call.kind)


@rule(
    "chat.tool-calls.finish",
    doc="openai:chat/object#finish_reason",
    lines=("TOOL-04",),
    zh="带工具调用的回答,finish_reason 必须是 tool_calls (指定工具时也可以是 stop)",
    operations=CHATS,
    cases=_has_tools,
    applies=_has_calls,
    breaks="agents take the answer for the last one and stop",
    breaks_zh="智能体以为回答已结束而停下",
)
def calls_end_with_tool_calls(exchange: Exchange) -> Iterator[Finding]:
    """An answer with calls MUST end with `tool_calls`; where the tool is named, `stop` will do."""
    named = isinstance(request_body(exchange).get("tool_choice"), dict)
    allowed = ["tool_calls", "stop"] if named else ["tool_calls"]
    for answer in answers(exchange):
        # Another rule looks at reasons that nobody documents, or that are missing.
        if answer.calls and answer.finish in FINISHES and answer.finish not in allowed:
            label = "tool-finish-stop" if answer.finish == "stop" else ""
            yield Finding(f"{answer.at}/finish_reason", allowed, answer.finish, deviation=label)


def _pieces(exchange: Exchange) -> Iterator[list[list[CallPiece]]]:
    """The pieces of the calls of each choice of a stream."""
    for choice in exchange.stream.choices.values():
        yield assembled(choice.calls)


def _streams_calls(exchange: Exchange) -> bool:
    return any(_pieces(exchange)) and _whole(exchange)


@rule(
    "chat.stream.tool-calls-start",
    doc="openai:chat/streaming#tool_calls",
    lines=("TOOL-06",),
    zh="流式工具调用的第一块必须带有 id 和名称",
    operations=("chat.stream",),
    cases=_has_tools,
    applies=_streams_calls,
    breaks="litellm loses the call; openai keeps it without an id",
    breaks_zh="litellm 会丢失该调用;openai 得到没有 id 的调用",
)
def first_piece_tells_which(exchange: Exchange) -> Iterator[Finding]:
    """The first delta of a streamed call MUST carry its id and its name."""
    for calls in _pieces(exchange):
        for first, *_ in calls:
            said = {"id": first.id, "name": first.name}
            if not all(said.values()):
                yield Finding(_place_of(first), "id and name", said)


@rule(
    "chat.stream.tool-calls-index",
    doc="openai:chat/streaming#tool_calls",
    lines=("TOOL-06", "TOOL-07"),
    zh="流式工具调用必须带 index,从 0 起连续,每个调用一个",
    operations=("chat.stream",),
    cases=_has_tools,
    applies=_streams_calls,
    breaks="langchain makes two broken calls of one; others mix two calls into one",
    breaks_zh="langchain 把一个调用拆成两个残缺的;其他客户端把两个混成一个",
)
def index_tells_calls_apart(exchange: Exchange) -> Iterator[Finding]:
    """Every delta of a streamed call MUST carry its index: 0, 1, 2, one for each call."""
    for calls in _pieces(exchange):
        lost = next((piece for call in calls for piece in call if piece.index is None), None)
        indexes = [call[0].index for call in calls]
        if lost is not None:
            yield Finding(f"{_place_of(lost)}/index", "a number", "absent", deviation="tool-index-missing")
        elif indexes != list(range(len(calls))):
            label = "tool-index-collision" if len(set(indexes)) < len(indexes) else "tool-index-gap"
            at = f"{_place_of(calls[-1][0])}/index"
            yield Finding(at, list(range(len(calls))), indexes, deviation=label)


@rule(
    "chat.stream.tool-calls-once",
    doc="openai:chat/streaming#tool_calls",
    lines=("TOOL-08",),
    basis="implied",
    zh="流式工具调用的 id 和名称不应在后续块中重复",
    operations=("chat.stream",),
    cases=_has_tools,
    applies=_streams_calls,
    breaks="clients that add the pieces up read the name twice",
    breaks_zh="逐块拼接的客户端会把名称读成两遍",
)
def which_is_told_once(exchange: Exchange) -> Iterator[Finding]:
    """Later deltas of a streamed call SHOULD NOT repeat its id or its name."""
    for calls in _pieces(exchange):
        for first, *later in calls:
            again = next((each for each in later if (each.id and first.id) or (each.name and first.name)), None)
            if again is not None:
                yield Finding(_place_of(again), "only arguments", {"id": again.id, "name": again.name})


@rule(
    "chat.tool-calls.one-at-a-time",
    doc="openai:chat/create#parallel_tool_calls",
    lines=("TOOL-10",),
    zh="parallel_tool_calls 为 false 时,回答应至多调用一个工具",
    operations=("chat",),
    probe="tool-one",
    applies=_has_calls,
    breaks="programs that run one call lose the others",
    breaks_zh="只执行一个调用的程序会丢掉其余的",
)
def one_at_a_time(exchange: Exchange) -> Iterator[Finding]:
    """With `parallel_tool_calls` set to false, an answer SHOULD make one call at most."""
    for answer in answers(exchange):
        if len(answer.calls) > 1:
            at = f"{answer.at}/message/tool_calls"
            yield Finding(at, "at most 1", len(answer.calls), deviation="params-dropped")


@rule(
    "chat.tools.without-parameters",
    doc="openai:chat/create#tools",
    lines=("TOOL-11",),
    zh="没有 parameters 的工具应被接受并可调用",
    operations=("chat",),
    probe="tool-bare",
    answers=Answers.VALID,
    breaks="tools that take nothing silently disappear",
    breaks_zh="不需要参数的工具会悄悄消失",
)
def bare_tool_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A tool without `parameters` SHOULD be accepted, and called where a call is required."""
    if exchange.status not in _SUCCESS:
        if not refusal_is_plain(exchange) or "parameters" in message_of(exchange):
            yield Finding("status", 200, exchange.status, message_of(exchange))
    elif _whole(exchange) and not _calls(exchange):
        yield Finding("/choices/0/message/tool_calls", "a call", "absent", deviation="tool-dropped")


@rule(
    "chat.tool-calls.empty-arguments",
    doc="openai:chat/object#tool_calls",
    lines=("TOOL-14",),
    basis="implied",
    zh="没有参数的调用,arguments 应为 {}",
    operations=("chat",),
    probe="tool-bare",
    applies=_has_calls,
    breaks="clients that parse the arguments raise",
    breaks_zh="解析参数的客户端会报错",
)
def no_arguments_are_an_object(exchange: Exchange) -> Iterator[Finding]:
    """A call without arguments SHOULD have the arguments `{}`."""
    for call in _calls(exchange):
        if call.arguments == "":
            yield Finding(f"{call.at}/function/arguments", "{}", "", deviation="tool-arguments-empty")


@rule(
    "chat.tool-calls.stream-matches-plain",
    doc="openai:chat/streaming#tool_calls",
    lines=("TOOL-12",),
    basis="implied",
    zh="同一个指定的调用,流式与非流式应有相同的名称和参数名",
    operations=CHATS,
    probe="tool-twin",
    over="run",
    least=2,
    applies=lambda exchange: (
        _has_calls(exchange) and None not in [_object(each.arguments) for each in _calls(exchange)]
    ),
    breaks="a program works without streaming and fails with it",
    breaks_zh="程序在非流式时正常,流式时失败",
)
def stream_matches_plain(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A call that is forced SHOULD be the same streamed and not: name, and names of arguments."""
    plain, streamed = (_outline(exchange) for exchange in exchanges[:2])
    if plain != streamed:
        yield Finding(_calls(exchanges[1])[0].at, plain, streamed, exchange=exchanges[1].case.id)


def _outline(exchange: Exchange) -> list[list[str]]:
    """Name and argument names of the calls, without repeats."""
    found = {(str(call.name), *sorted(_object(call.arguments) or ())) for call in _calls(exchange)}
    return [list(each) for each in sorted(found)]


@rule(
    "chat.tool-result.accepted",
    doc="openai:chat/create#messages",
    lines=("TOOL-09",),
    zh="把工具结果发回的第二轮请求必须被接受",
    operations=("chat",),
    probe="tool-result",
    answers=Answers.VALID,
    applies=lambda exchange: not _MISSES_THOUGHT.search(message_of(exchange)),
    breaks="agents get as far as their first call, and no further",
    breaks_zh="智能体只能走到第一次工具调用",
)
def result_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A second turn with the relay's own calls and their results MUST be accepted."""
    if exchange.status not in _SUCCESS:
        yield Finding("status", 200, exchange.status, message_of(exchange))


@rule(
    "chat.tool-result.reaches-model",
    doc="openai:chat/create#messages",
    lines=("TOOL-09",),
    basis="implied",
    zh="工具结果应送达模型",
    operations=("chat",),
    probe="tool-round",
    over="run",
    least=2,
    applies=has_usage,
    breaks="agents call the tool again and again, or make up its result",
    breaks_zh="智能体会反复调用工具,或编造结果",
)
def result_reaches_model(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The result of a tool SHOULD reach the model: it is used, or at least counted.

    The words alone prove nothing: a weak model may not use it. The count alone proves enough.
    """
    asked, told = sorted(exchanges, key=lambda exchange: exchange.case.step)[:2]
    counts = [usage_of(exchange)["prompt_tokens"] for exchange in (asked, told)]
    number = _NUMBER.findall(request_body(told)["messages"][-1]["content"])
    said = " ".join(answer.text for answer in answers(told))
    if not any(each in said for each in number) and 0 < counts[1] <= counts[0]:
        expected = f"more than {counts[0]} prompt tokens"
        at = "/usage/prompt_tokens"
        yield Finding(at, expected, counts[1], exchange=told.case.id, deviation="messages-dropped")


@rule(
    "chat.functions.legacy",
    doc="openai:chat/create#functions",
    lines=("TOOL-13",),
    zh="可以不支持旧的 functions 字段",
    operations=("chat",),
    probe="tool-legacy",
    answers=Answers.VALID,
    breaks="programs from before `tools` get no calls",
    breaks_zh="使用旧字段的程序得不到函数调用",
)
def legacy_functions(exchange: Exchange) -> Iterator[Finding]:
    """A relay MAY leave the old `functions` unanswered."""
    if exchange.status not in _SUCCESS:
        yield Finding("status", 200, exchange.status, message_of(exchange))
    elif _whole(exchange) and not _has_function_call(exchange):
        yield Finding("/choices/0/message/function_call", "a call", "absent")


def _has_function_call(exchange: Exchange) -> bool:
    """Whether some choice calls a function in the old form."""
    choices = [choice for choice in exchange.json["choices"] if isinstance(choice, dict)]
    messages = [choice.get("message") for choice in choices]
    return any(isinstance(message, dict) and message.get("function_call") for message in messages)
