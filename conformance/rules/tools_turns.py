"""Tools in use: one at a time, without arguments, streamed as well as plain, and answered in a second turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from conformance.model import Exchange, Finding
from conformance.refusals import message_of, refusal_is_plain
from conformance.rules.base import Answers, rule
from conformance.rules.tool_views import answers, calls_of, has_calls, is_whole, object_of
from conformance.rules.views import CHATS, SUCCESS, has_usage, request_body, usage_of

_NUMBER = re.compile(r"\d+\.\d+")
_MISSES_THOUGHT = re.compile(r"thought_?signature|reasoning_content", re.IGNORECASE)
"""What Gemini 3 and DeepSeek want back with a call; OpenAI's own form has no place for it."""


@rule(
    "chat.tool-calls.one-at-a-time",
    doc="openai:chat/create#parallel_tool_calls",
    lines=("TOOL-10",),
    zh="parallel_tool_calls 为 false 时,回答应至多调用一个工具",
    operations=("chat",),
    probe="tool-one",
    applies=has_calls,
    breaks="programs that run one call lose the others",
    breaks_zh="只执行一个调用的程序会丢掉其余的",
    mend="Pass `parallel_tool_calls` on (Anthropic: `disable_parallel_tool_use`), or answer 400 naming it where the "
    "upstream has no such switch.",
    mend_zh="转发 `parallel_tool_calls` (Anthropic 为 `disable_parallel_tool_use`);上游没有该开关时返回指明它的 400。",
    noisy=True,
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
    mend="The converter skips tools without `parameters`: send the upstream an empty object schema "
    '(`{"type": "object", "properties": {}}`) instead.',
    mend_zh="转换程序跳过了没有 `parameters` 的工具:应改为向上游发送空对象模式 "
    '(`{"type": "object", "properties": {}}`)。',
)
def bare_tool_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A tool without `parameters` SHOULD be accepted, and called where a call is required."""
    if exchange.status not in SUCCESS:
        if not refusal_is_plain(exchange) or "parameters" in message_of(exchange):
            yield Finding("status", 200, exchange.status, message_of(exchange))
    elif is_whole(exchange) and not calls_of(exchange):
        yield Finding("/choices/0/message/tool_calls", "a call", "absent", deviation="tool-dropped")


@rule(
    "chat.tool-calls.empty-arguments",
    doc="openai:chat/object#tool_calls",
    lines=("TOOL-14",),
    basis="implied",
    zh="没有参数的调用,arguments 应为 {}",
    operations=("chat",),
    probe="tool-bare",
    applies=has_calls,
    breaks="clients that parse the arguments raise",
    breaks_zh="解析参数的客户端会报错",
    mend="Write `{}` in the converter where the upstream sends no arguments at all.",
    mend_zh="上游完全没有给出参数时,由转换程序写成 `{}`。",
)
def no_arguments_are_an_object(exchange: Exchange) -> Iterator[Finding]:
    """A call without arguments SHOULD have the arguments `{}`."""
    for call in calls_of(exchange):
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
        has_calls(exchange) and None not in [object_of(each.arguments) for each in calls_of(exchange)]
    ),
    breaks="a program works without streaming and fails with it",
    breaks_zh="程序在非流式时正常,流式时失败",
    mend="Convert streamed and plain calls with the same code, or compare both on one request: mostly the stream "
    "loses a piece or the name.",
    mend_zh="流式与非流式的调用使用同一段转换代码,或用同一请求对比两者:多半是流式丢了片段或名称。",
    noisy=True,
)
def stream_matches_plain(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A call that is forced SHOULD be the same streamed and not: name, and names of arguments."""
    plain, streamed = (_outline(exchange) for exchange in exchanges[:2])
    if plain != streamed:
        yield Finding(calls_of(exchanges[1])[0].at, plain, streamed, exchange=exchanges[1].case.id)


def _outline(exchange: Exchange) -> list[list[str]]:
    """Name and argument names of the calls, without repeats."""
    found = {(str(call.name), *sorted(object_of(call.arguments) or ())) for call in calls_of(exchange)}
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
    mend="Convert messages with the role `tool` and assistant messages with `tool_calls` (their `content` may be "
    "null) to the upstream's form, keeping the call ids.",
    mend_zh="把 `tool` 角色的消息以及带 `tool_calls` 的 assistant 消息 (其 `content` 可为 null)转换为上游的形式,"
    "并保留调用 id。",
)
def result_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A second turn with the relay's own calls and their results MUST be accepted."""
    if exchange.status not in SUCCESS:
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
    mend="The converter loses messages with the role `tool`: pass them on as the upstream's tool results, matched by "
    "`tool_call_id`.",
    mend_zh="转换程序丢失了 `tool` 角色的消息:应按 `tool_call_id` 作为工具结果转发给上游。",
    noisy=True,
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
    mend="Nothing has to change; convert `functions` to `tools` and the answer back, or answer 400 that points to "
    "`tools`.",
    mend_zh="无须修改;可把 `functions` 转换为 `tools` 并把回答转回来,或返回提示改用 `tools` 的 400。",
)
def legacy_functions(exchange: Exchange) -> Iterator[Finding]:
    """A relay MAY leave the old `functions` unanswered."""
    if exchange.status not in SUCCESS:
        yield Finding("status", 200, exchange.status, message_of(exchange))
    elif is_whole(exchange) and not _has_function_call(exchange):
        yield Finding("/choices/0/message/function_call", "a call", "absent")


def _has_function_call(exchange: Exchange) -> bool:
    """Whether some choice calls a function in the old form."""
    choices = [choice for choice in exchange.json["choices"] if isinstance(choice, dict)]
    messages = [choice.get("message") for choice in choices]
    return any(isinstance(message, dict) and message.get("function_call") for message in messages)
