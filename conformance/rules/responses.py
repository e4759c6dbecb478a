"""Responses: what an answer says, plain or at the end of its stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.events import TypedEvent, of_type
from conformance.jsontext import parse_json_text
from conformance.model import Exchange, Finding
from conformance.operations import OPERATIONS
from conformance.refusals import message_of, refusal_is_plain
from conformance.rules.base import Answers, rule
from conformance.rules.views import request_body

BOTH = ("responses", "responses.stream")
FINALS = ("response.completed", "response.incomplete", "response.failed")
"""The events that end a stream."""

_OUTPUT = ("/output", "/response/output")
_STATUS = ("/status", "/response/status")
_COUNTS = ("input_tokens", "output_tokens", "total_tokens")
COUNTED = tuple(f"{at}/usage/{name}" for at in ("", "/response") for name in _COUNTS)
"""Where the counts stand: they can be judged without their details."""
_DETAILS = (("input_tokens_details", "input_tokens"), ("output_tokens_details", "output_tokens"))
_TROUBLE = frozenset({"server_error", "rate_limit_exceeded"})
"""Codes of errors that are no matter of the request."""

_LAST_COUNTED = "300"
"""Where the count ends that the limit is to cut."""
_FEW = 2
"""Output tokens that may be the end marks of a model that had nothing to say."""
_EARLIEST, _MILLISECONDS, _DAY = 1_600_000_000, 100_000_000_000, 86_400
_SECRET = "48213"  # noqa: S105 - the number that the first request tells


def final_event(exchange: Exchange) -> TypedEvent | None:
    """The last event that ends a stream."""
    found = of_type(exchange, *FINALS)
    return found[-1] if found else None


def response_of(exchange: Exchange) -> Mapping[str, Any]:
    """The whole response: the body, or what the stream ends with; empty where there is none."""
    if not OPERATIONS[exchange.case.operation].streams:
        return exchange.json if isinstance(exchange.json, dict) else {}
    event = final_event(exchange)
    return event.part("response") if event else {}


def pointer(exchange: Exchange, path: str) -> str:
    """Where a part of the whole response stands."""
    event = final_event(exchange)
    return f"{event.at}/response{path}" if event else path


def unbroken(exchange: Exchange) -> bool:
    """There is a response, and it did not fail for load or for an upstream that is down."""
    response = response_of(exchange)
    error = response.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return bool(response) and not (response.get("status") == "failed" and code in _TROUBLE)


def completed(exchange: Exchange) -> bool:
    """The response says that it is whole."""
    return response_of(exchange).get("status") == "completed"


def items(exchange: Exchange, kind: str) -> list[tuple[int, Mapping[str, Any]]]:
    """(place, item) of the output of this kind."""
    return [(place, item) for place, item in enumerate(response_of(exchange)["output"]) if item["type"] == kind]


def parts(exchange: Exchange, kind: str) -> list[Mapping[str, Any]]:
    """The parts of this kind in all messages of the output."""
    return [part for _, item in items(exchange, "message") for part in item["content"] if part["type"] == kind]


def text_of(exchange: Exchange) -> str:
    """All that a response says."""
    return "".join(part["text"] for part in parts(exchange, "output_text"))


def usage_of(exchange: Exchange) -> Mapping[str, Any]:
    """The usage; empty where there is none."""
    return response_of(exchange).get("usage") or {}


def has_counts(exchange: Exchange) -> bool:
    """All three counts are there."""
    usage = usage_of(exchange)
    return all(isinstance(usage.get(name), int) for name in _COUNTS)


def _details(exchange: Exchange, name: str) -> Mapping[str, Any]:
    """The parts of a count; empty where there are none."""
    found = usage_of(exchange).get(name)
    return found if isinstance(found, dict) else {}


def written(exchange: Exchange) -> int:
    """Output tokens without those that went into thinking; only behind `has_counts`."""
    thought = _details(exchange, "output_tokens_details").get("reasoning_tokens")
    return int(usage_of(exchange)["output_tokens"]) - max(0, thought if isinstance(thought, int) else 0)


@rule(
    "responses.status.completed",
    doc="openai:responses/object#status",
    lines=("RSP-01",),
    zh="回答的 status 必须是 completed 且 error 为 null,或写明为何不完整",
    operations=BOTH,
    cases=lambda case: "cut" not in case.probes,
    applies=unbroken,
    needs=(*_STATUS, "/error", "/response/error", "/incomplete_details", "/response/incomplete_details"),
    breaks="agents wait for an answer that is there already, or take an error for one",
    breaks_zh="智能体会继续等待已有的回答,或把错误当作回答",
)
def status_completed(exchange: Exchange) -> Iterator[Finding]:
    """A good answer MUST have status `completed` and no error, or say why it is incomplete."""
    response, event = response_of(exchange), final_event(exchange)
    status = response.get("status")
    expected = event.type.removeprefix("response.") if event else "completed"
    if status == "incomplete" and expected != "failed":
        if not (response.get("incomplete_details") or {}).get("reason"):
            at = pointer(exchange, "/incomplete_details")
            yield Finding(at, "a reason", response.get("incomplete_details", "absent"))
    elif status != expected or status == "failed":
        yield Finding(pointer(exchange, "/status"), expected, response.get("status", "absent"))
    elif response.get("error"):
        yield Finding(pointer(exchange, "/error"), None, response["error"])


def _forced(exchange: Exchange) -> bool:
    return request_body(exchange).get("tool_choice") == "required"


def _deltas(exchange: Exchange) -> bool:
    """Whether a stream brought any text."""
    return any(event.data.get("delta") for event in of_type(exchange, "response.output_text.delta"))


@rule(
    "responses.output.present",
    doc="openai:responses/object#output",
    lines=("RSP-02",),
    zh="完整的回答必须含有 output_text",
    operations=BOTH,
    applies=lambda exchange: completed(exchange) and not _forced(exchange),
    needs=(*_OUTPUT, *COUNTED),
    breaks="`response.output_text` is empty: nothing arrives, and it is billed",
    breaks_zh="`response.output_text` 为空:扣了费却没有内容",
)
def output_present(exchange: Exchange) -> Iterator[Finding]:
    """A complete answer MUST have a message with output text."""
    said = parts(exchange, "output_text")
    nothing_to_say = bool(said) and has_counts(exchange) and written(exchange) <= _FEW
    if text_of(exchange) or parts(exchange, "refusal") or nothing_to_say or _deltas(exchange):
        return
    yield Finding(pointer(exchange, "/output"), "a message with output_text", response_of(exchange)["output"])


@rule(
    "responses.tool-choice.honoured",
    doc="openai:responses/create#tool_choice",
    lines=("RSP-02",),
    zh="tool_choice 为 required 时,回答必须含有 function_call",
    operations=BOTH,
    probe="forced-tool",
    applies=completed,
    needs=_OUTPUT,
    breaks="agents that need a call get prose",
    breaks_zh="需要函数调用的智能体只得到文字",
)
def tool_choice_honoured(exchange: Exchange) -> Iterator[Finding]:
    """With `tool_choice: required`, an answer MUST hold a function call."""
    streamed = of_type(exchange, "response.function_call_arguments.done")
    if not items(exchange, "function_call") and not streamed:
        kinds = [item["type"] for item in response_of(exchange)["output"]]
        yield Finding(pointer(exchange, "/output"), "a function_call", kinds, deviation="params-dropped")


@rule(
    "responses.function-call.names-offered",
    doc="openai:responses/object#output",
    lines=("RSP-02",),
    basis="implied",
    zh="function_call 必须调用所给的函数,并带有各不相同的非空 call_id",
    operations=BOTH,
    probe="forced-tool",
    applies=completed,
    needs=_OUTPUT,
    breaks="the result of the function cannot be handed back",
    breaks_zh="函数结果无法交还给模型",
)
def call_names_offered(exchange: Exchange) -> Iterator[Finding]:
    """A function call MUST name a function that was offered, under a `call_id` of its own."""
    offered = [tool["name"] for tool in request_body(exchange)["tools"]]
    seen = {""}
    for place, item in items(exchange, "function_call"):
        at = pointer(exchange, f"/output/{place}")
        if item["name"] not in offered:
            yield Finding(f"{at}/name", offered, item["name"])
        if item["call_id"] in seen:
            yield Finding(f"{at}/call_id", "an id of its own", item["call_id"])
        seen.add(item["call_id"])


@rule(
    "responses.function-call.arguments-json",
    doc="openai:responses/object#output",
    lines=("RSP-08",),
    zh="function_call 的 arguments 必须是 JSON 对象的文本",
    operations=BOTH,
    probe="forced-tool",
    applies=completed,
    needs=_OUTPUT,
    breaks="agents crash when they read the arguments",
    breaks_zh="智能体读取参数时会崩溃",
)
def arguments_are_json(exchange: Exchange) -> Iterator[Finding]:
    """The `arguments` of a function call MUST be the text of a JSON object."""
    for place, item in items(exchange, "function_call"):
        document = parse_json_text(item["arguments"])
        if not isinstance(document.value, dict):
            at = pointer(exchange, f"/output/{place}/arguments")
            yield Finding(at, "a JSON object", item["arguments"], document.problem)


@rule(
    "responses.usage.present",
    doc="openai:responses/object#usage",
    basis="implied",
    zh="回答可以不含 usage,但这样无法核对计费",
    operations=BOTH,
    applies=completed,
    breaks="billing cannot be checked; some clients count zero",
    breaks_zh="无法核对计费;部分客户端会按零计",
)
def usage_present(exchange: Exchange) -> Iterator[Finding]:
    """An answer MAY leave out its usage, which leaves the bill unchecked."""
    if not isinstance(response_of(exchange).get("usage"), dict):
        found = response_of(exchange).get("usage", "absent")
        yield Finding(pointer(exchange, "/usage"), "an object", found, deviation="usage-missing")


@rule(
    "responses.usage.adds-up",
    doc="openai:responses/object#usage",
    lines=("RSP-03",),
    zh="total_tokens 必须等于 input_tokens 与 output_tokens 之和",
    operations=BOTH,
    applies=has_counts,
    needs=COUNTED,
    breaks="billing: clients that trust the total miscount",
    breaks_zh="计费:相信总数的客户端会算错",
)
def usage_adds_up(exchange: Exchange) -> Iterator[Finding]:
    """`usage.total_tokens` MUST equal input plus output tokens."""
    usage = usage_of(exchange)
    total = usage["input_tokens"] + usage["output_tokens"]
    if usage["total_tokens"] != total:
        at = pointer(exchange, "/usage/total_tokens")
        yield Finding(at, total, usage["total_tokens"], deviation="usage-total-mismatch")


@rule(
    "responses.usage.details-bounded",
    doc="openai:responses/object#usage",
    lines=("RSP-03",),
    zh="用量明细必须为非负数,且不超过所属的总数",
    operations=BOTH,
    applies=has_counts,
    needs=COUNTED,
    breaks="billing: discounts and surcharges are miscounted",
    breaks_zh="计费:优惠与附加费会算错",
)
def details_bounded(exchange: Exchange) -> Iterator[Finding]:
    """Usage details MUST lie between 0 and the count that they are part of."""
    usage = usage_of(exchange)
    for name, whole in _DETAILS:
        for part, count in _details(exchange, name).items():
            if part.endswith("_tokens") and isinstance(count, int) and not 0 <= count <= usage[whole]:
                yield Finding(pointer(exchange, f"/usage/{name}/{part}"), f"0 to {usage[whole]}", count)


@rule(
    "responses.usage.counts",
    doc="openai:responses/object#usage",
    basis="implied",
    zh="有文字的回答,input_tokens 与 output_tokens 都应大于 0",
    operations=BOTH,
    applies=lambda exchange: has_counts(exchange) and bool(text_of(exchange).strip()),
    needs=(*_OUTPUT, *COUNTED),
    breaks="billing cannot be checked; clients add up zeros",
    breaks_zh="无法核对计费;客户端累计的是零",
)
def usage_counts(exchange: Exchange) -> Iterator[Finding]:
    """An answer with text SHOULD count input and output tokens."""
    for name in ("input_tokens", "output_tokens"):
        if usage_of(exchange)[name] <= 0:
            at = pointer(exchange, f"/usage/{name}")
            yield Finding(at, "more than 0", usage_of(exchange)[name], deviation="usage-zero")


@rule(
    "responses.max-output-tokens.honoured",
    doc="openai:responses/create#max_output_tokens",
    lines=("RSP-09",),
    zh="output_tokens 不得超过 max_output_tokens",
    operations=BOTH,
    applies=has_counts,
    needs=COUNTED,
    breaks="billing: a limit on spending does not hold",
    breaks_zh="计费:支出上限不起作用",
)
def limit_honoured(exchange: Exchange) -> Iterator[Finding]:
    """An answer MUST NOT take more output tokens than `max_output_tokens` allows."""
    allowed = request_body(exchange).get("max_output_tokens")
    if isinstance(allowed, int) and written(exchange) > allowed:
        at = pointer(exchange, "/usage/output_tokens")
        yield Finding(at, f"at most {allowed}", written(exchange), deviation="params-dropped")


def _was_cut(exchange: Exchange) -> bool:
    """The answer says so, or took all that it was allowed and did not come to its end."""
    if response_of(exchange).get("status") == "incomplete":
        return True
    full = has_counts(exchange) and usage_of(exchange)["output_tokens"] >= request_body(exchange)["max_output_tokens"]
    return full and _LAST_COUNTED not in text_of(exchange)


@rule(
    "responses.max-output-tokens.incomplete",
    doc="openai:responses/object#incomplete_details",
    lines=("RSP-09",),
    zh="因 max_output_tokens 截断的回答,status 必须是 incomplete 并写明原因",
    operations=BOTH,
    probe="cut",
    applies=_was_cut,
    needs=(*_OUTPUT, *_STATUS, *COUNTED, "/incomplete_details", "/response/incomplete_details"),
    breaks="a cut answer looks finished",
    breaks_zh="被截断的回答看起来像说完了",
)
def cut_says_incomplete(exchange: Exchange) -> Iterator[Finding]:
    """An answer that is cut by its limit MUST be `incomplete` for `max_output_tokens`."""
    response, event = response_of(exchange), final_event(exchange)
    reason = (response.get("incomplete_details") or {}).get("reason")
    if response.get("status") != "incomplete":
        yield Finding(pointer(exchange, "/status"), "incomplete", response.get("status", "absent"))
    elif reason not in ("max_output_tokens", "content_filter"):
        at = pointer(exchange, "/incomplete_details/reason")
        yield Finding(at, "max_output_tokens", reason if reason is not None else "absent")
    elif event is not None and event.type != "response.incomplete":
        yield Finding(f"{event.at}/type", "response.incomplete", event.type)


@rule(
    "responses.created-at.seconds",
    doc="openai:responses/object#created_at",
    zh="created_at 应是以秒为单位的 Unix 时间",
    operations=BOTH,
    applies=unbroken,
    needs=("/created_at", "/response/created_at"),
    breaks="logs and caches sort answers wrongly",
    breaks_zh="日志和缓存会按错误的时间排序",
)
def created_in_seconds(exchange: Exchange) -> Iterator[Finding]:
    """`created_at` SHOULD be the time of the answer in Unix seconds."""
    found = response_of(exchange)["created_at"]
    if not _EARLIEST < found < exchange.started + _DAY:
        seen = "these are milliseconds" if found > _MILLISECONDS else ""
        yield Finding(pointer(exchange, "/created_at"), "seconds, about now", found, seen)


def _lost(exchange: Exchange) -> bool:
    """The refusal says that the earlier response is not there, not that one cannot ask for one."""
    said = f"{(exchange.error or {}).get('code')} {message_of(exchange)}".lower()
    return exchange.status == 404 or "not found" in said or "not_found" in said or "不存在" in said


@rule(
    "responses.previous.accepted",
    doc="openai:responses/create#previous_response_id",
    lines=("RSP-10",),
    zh="刚得到的 response 应能用作 previous_response_id,否则应明确拒绝该字段",
    operations=("responses",),
    probe="asks-previous",
    answers=Answers.VALID,
    breaks="conversations that go on from an answer break off at random",
    breaks_zh="基于上一个回答的对话会随机中断",
)
def previous_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A stored answer SHOULD be found as `previous_response_id`, or that field plainly refused."""
    if exchange.status >= 300 and (_lost(exchange) or not refusal_is_plain(exchange)):
        label = "previous-response-lost" if _lost(exchange) else ""
        yield Finding("status", 200, exchange.status, message_of(exchange), deviation=label)


@rule(
    "responses.previous.reaches-model",
    doc="openai:responses/create#previous_response_id",
    lines=("RSP-10",),
    zh="previous_response_id 所指的对话应送达模型",
    operations=("responses",),
    probe="previous",
    over="run",
    least=2,
    anchor="asks-previous",
    applies=lambda exchange: has_counts(exchange) and completed(exchange),
    needs=("/output", *COUNTED),
    breaks="every answer forgets the conversation",
    breaks_zh="每次回答都会忘记前文",
)
def previous_reaches_model(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The conversation before SHOULD reach the model: it is used, or at least counted.

    The words alone prove nothing: a weak model may not obey. The question is shorter than what was told before.
    """
    told, asked = sorted(exchanges, key=lambda exchange: exchange.case.step)[:2]
    counts = [usage_of(exchange)["input_tokens"] for exchange in (told, asked)]
    if _SECRET not in text_of(asked) and 0 < counts[1] <= counts[0]:
        yield Finding(
            "/usage/input_tokens",
            f"more than {counts[0]}",
            counts[1],
            exchange=asked.case.id,
            deviation="messages-dropped",
        )


def _is_place(value: Any) -> bool:
    """Whether a value is of the schema that the request gives."""
    if not isinstance(value, dict) or set(value) != {"city", "population"}:
        return False
    count = value["population"]
    whole = isinstance(count, int) or (isinstance(count, float) and count.is_integer())
    return isinstance(value["city"], str) and whole and not isinstance(count, bool)


@rule(
    "responses.text-format.json-schema",
    doc="openai:responses/create#text",
    lines=("RSP-11",),
    zh="text.format 给出 JSON Schema 时,回答应符合它",
    operations=("responses",),
    probe="json-schema",
    applies=lambda exchange: completed(exchange) and bool(text_of(exchange)) and not parts(exchange, "refusal"),
    needs=("/output",),
    breaks="programs that parse the answer crash",
    breaks_zh="解析回答的程序会崩溃",
)
def format_honoured(exchange: Exchange) -> Iterator[Finding]:
    """An answer SHOULD be JSON of the schema that `text.format` gives."""
    text = text_of(exchange)
    if not _is_place(parse_json_text(text).value):
        yield Finding("/output", "JSON of the schema", text, deviation="params-dropped")


@rule(
    "responses.input.required",
    doc="openai:responses/create#input",
    lines=("RSP-12",),
    zh="缺少 input 的请求必须以 4xx 拒绝",
    operations=("responses",),
    probe="missing-input",
    answers=Answers.REFUSAL,
    breaks="SDKs retry a 5xx: the mistake is billed and hidden",
    breaks_zh="SDK 会对 5xx 反复重试,掩盖真正的错误",
)
def input_required(exchange: Exchange) -> Iterator[Finding]:
    """A request without `input` MUST be refused with a 4xx status."""
    if exchange.status not in range(400, 500):
        label = "validation-500" if exchange.status == 500 else ""
        yield Finding("status", "4xx", exchange.status, message_of(exchange), deviation=label)
