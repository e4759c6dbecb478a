"""Tool calls: chosen as asked, whole, named, told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.contract import SchemaSet
from conformance.model import Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.tool_views import (
    answers,
    calls_of,
    function_of,
    functions_of,
    has_calls,
    has_tools,
    is_whole,
    object_of,
)
from conformance.rules.views import CHATS, FINISHES, request_body

_ASKED = "asked.json"


@rule(
    "chat.tool-choice.required",
    doc="openai:chat/create#tool_choice",
    lines=("TOOL-01",),
    zh="tool_choice 为 required 时,回答必须调用工具",
    operations=CHATS,
    probe="tool-required",
    applies=is_whole,
    breaks="agents that wait for a call get prose and stop",
    breaks_zh="等待工具调用的智能体只得到文字而停下",
    mend="The converter for this channel drops `tool_choice`: map `required` to the upstream's word (Anthropic and "
    "Gemini call it `any`), or answer 400 naming it.",
    mend_zh="该渠道的转换程序丢掉了 `tool_choice`:应把 `required` 映射为上游的说法 (Anthropic 与 Gemini 为 `any`),"
    "否则返回指明它的 400。",
    noisy=True,
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
    applies=is_whole,
    breaks="a tool runs that the program had switched off",
    breaks_zh="程序已禁用的工具仍被调用",
    mend="Map `none` to the upstream's own switch, or leave the tools out of what goes to the upstream.",
    mend_zh="把 `none` 映射为上游自己的开关,或不把工具转发给上游。",
    noisy=True,
)
def none_is_not_called(exchange: Exchange) -> Iterator[Finding]:
    """With `tool_choice` set to `none`, an answer MUST NOT call a tool."""
    for call in calls_of(exchange):
        yield Finding(call.at, "no call", call.name, deviation="params-dropped")


@rule(
    "chat.tool-choice.named",
    doc="openai:chat/create#tool_choice",
    lines=("TOOL-01",),
    zh="tool_choice 指定工具时,必须调用该工具,且只调用它",
    operations=CHATS,
    probe="tool-named",
    applies=is_whole,
    breaks="programs that read data out of a named call get none, or another",
    breaks_zh="从指定的调用中取数据的程序取不到,或取到别的",
    mend='Map the named tool to the upstream\'s form (for Anthropic `{"type": "tool", "name": …}`), or send the '
    "upstream that tool alone and force a call.",
    mend_zh='把指定的工具映射为上游的形式 (Anthropic 为 `{"type": "tool", "name": …}`),或只转发该工具并强制调用。',
    noisy=True,
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
    cases=has_tools,
    applies=has_calls,
    breaks="openai and npm clients raise; langchain lists the call as invalid",
    breaks_zh="openai 与 npm 客户端会报错;langchain 把该调用列为无效",
    mend="Serialise the arguments to a JSON text in the converter, `{}` for none, and wait for all pieces of the "
    "upstream's JSON before a plain answer is sent.",
    mend_zh="在转换程序中把参数序列化为 JSON 文本,没有参数时为 `{}`;非流式回答要等上游的 JSON 片段收齐再发送。",
    noisy=True,
)
def arguments_are_json(exchange: Exchange) -> Iterator[Finding]:
    """The arguments of a call MUST be a string that is the JSON text of an object."""
    for call in calls_of(exchange):
        bare = call.arguments == "" and not function_of(exchange, call).get("parameters")
        if object_of(call.arguments) is None and not bare:
            label = "tool-arguments-empty" if call.arguments == "" else ""
            yield Finding(f"{call.at}/function/arguments", "JSON text of an object", call.arguments, deviation=label)


def _misfits(exchange: Exchange, *, strict: bool) -> Iterator[Finding]:
    """A finding for each place where arguments break the schema of a function that is strict, or is not."""
    for call in calls_of(exchange):
        function, found = function_of(exchange, call), object_of(call.arguments)
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
    cases=has_tools,
    applies=has_calls,
    breaks="functions are called without what they need",
    breaks_zh="函数被调用时缺少所需的参数",
    mend="Pass each function's `parameters` to the upstream whole: converters lose `required`, `enum` or nested "
    "objects; what remains after that is the model's own doing.",
    mend_zh="把每个函数的 `parameters` 完整转发给上游:转换程序常丢失 `required`、`enum` 或嵌套对象;"
    "其余则取决于模型本身。",
    noisy=True,
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
    applies=has_calls,
    breaks="programs that rely on `strict` and do not check crash",
    breaks_zh="依赖 strict 而不检查的程序会崩溃",
    mend="Pass `strict` on with the function; where the upstream cannot promise it, answer 400 naming `strict` "
    "instead of ignoring it.",
    mend_zh="随函数一起转发 `strict`;上游无法保证时返回指明 `strict` 的 400,不要忽略。",
    noisy=True,
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
    cases=has_tools,
    applies=has_calls,
    breaks="results cannot be assigned; litellm loses the call, the next turn fails",
    breaks_zh="结果无法对应;litellm 会丢失调用,下一轮失败",
    mend="Pass the upstream's call id on, or make one (`call_` and random letters) for upstreams that give none.",
    mend_zh="转发上游的调用 id;上游没有 id 时自行生成 (`call_` 加随机字符)。",
)
def ids_tell_calls_apart(exchange: Exchange) -> Iterator[Finding]:
    """Every call MUST have an id that is not empty and that no other call has."""
    seen: list[Any] = []
    for call in calls_of(exchange):
        if not isinstance(call.id, str) or not call.id or call.id in seen:
            yield Finding(f"{call.at}/id", "an id of its own", call.id)
        seen.append(call.id)


@rule(
    "chat.tool-calls.known-name",
    doc="openai:chat/object#tool_calls",
    lines=("TOOL-03",),
    zh="工具调用的名称必须是请求所提供的",
    operations=CHATS,
    cases=has_tools,
    applies=has_calls,
    breaks="programs look up a function that they do not have",
    breaks_zh="程序会去找一个不存在的函数",
    mend="If the converter renames functions to suit the upstream, translate the names back in answers; if it does "
    "not, the model made the name up.",
    mend_zh="若转换程序为适应上游改写了函数名,回答中要改回来;若没有改写,则是模型编造了名称。",
)
def names_are_offered(exchange: Exchange) -> Iterator[Finding]:
    """Every call MUST name a function that the request offers."""
    offered = list(functions_of(exchange))
    for call in calls_of(exchange):
        if call.name not in offered:
            yield Finding(f"{call.at}/function/name", offered, call.name)


@rule(
    "chat.tool-calls.type",
    doc="openai:chat/object#tool_calls",
    lines=("TOOL-03",),
    zh="工具调用的 type 必须是 function",
    operations=("chat",),
    cases=has_tools,
    applies=has_calls,
    needs=("/choices",),
    breaks="typed clients read the call as one of another kind",
    breaks_zh="强类型客户端会把它读成另一种调用",
    mend='Write `"type": "function"` into each call in the converter.',
    mend_zh='由转换程序在每个调用中写入 `"type": "function"`。',
)
def calls_are_of_functions(exchange: Exchange) -> Iterator[Finding]:
    """Every call of a function MUST have the type `function`."""
    for call in calls_of(exchange):
        if call.kind != "function":
            yield Finding(f"{call.at}/type", "function", call.kind)


@rule(
    "chat.tool-calls.finish",
    doc="openai:chat/object#finish_reason",
    lines=("TOOL-04",),
    zh="带工具调用的回答,finish_reason 必须是 tool_calls (指定工具时也可以是 stop)",
    operations=CHATS,
    cases=has_tools,
    applies=has_calls,
    breaks="agents take the answer for the last one and stop",
    breaks_zh="智能体以为回答已结束而停下",
    mend="Set `finish_reason` to `tool_calls` in the converter whenever the answer holds calls, whatever word the "
    "upstream uses.",
    mend_zh="只要回答含有工具调用,转换程序就应把 `finish_reason` 设为 `tool_calls`,无论上游用什么词。",
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
