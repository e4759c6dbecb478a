"""Responses: what an answer says, plain or at the end of its stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.events import of_type
from conformance.jsontext import parse_json_text
from conformance.model import Exchange, Finding
from conformance.refusals import message_of, refusal_is_plain
from conformance.rules.base import Answers, rule
from conformance.rules.response_views import (
    COUNTED,
    completed,
    details_of,
    final_event,
    has_counts,
    items,
    parts,
    pointer,
    response_of,
    text_of,
    unbroken,
    usage_of,
    written,
)
from conformance.rules.views import request_body

BOTH = ("responses", "responses.stream")
_OUTPUT = ("/output", "/response/output")
_STATUS = ("/status", "/response/status")
_DETAILS = (("input_tokens_details", "input_tokens"), ("output_tokens_details", "output_tokens"))
_LAST_COUNTED = "300"
"""Where the count ends that the limit is to cut."""
_FEW = 2
"""Output tokens that may be the end marks of a model that had nothing to say."""
_EARLIEST, _MILLISECONDS, _DAY = 1_600_000_000, 100_000_000_000, 86_400
_SECRET = "48213"  # noqa: S105 - the number that the first request tells


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
    mend="Set `status` from the upstream's end: `completed` with `error` null, `incomplete` with "
    "`incomplete_details.reason`, or `failed` with the error.",
    mend_zh="根据上游的结束情况设置 `status`:`completed` (`error` 为 null)、`incomplete` (带 "
    "`incomplete_details.reason`)或 `failed` (带错误)。",
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
    mend="Convert the upstream's text to an item of type `message` with an `output_text` part in `output`; the SDK's "
    "`output_text` is read from there.",
    mend_zh="把上游文本转换为 `output` 中 `message` 类型的项,内含 `output_text`;SDK 的 `output_text` 就取自那里。",
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
    mend="Map `tool_choice` `required` when converting to chat or to another vendor's protocol (`any` there), or "
    "answer 400 naming it.",
    mend_zh="转换为聊天或其他厂商协议时映射 `tool_choice` 的 `required` (对方称 `any`),否则返回指明它的 400。",
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
    mend="Give every call a `call_id` of its own (the upstream's, or one that you make) and translate function names "
    "back if you changed them.",
    mend_zh="每个调用都要有自己的 `call_id` (取自上游或自行生成);改写过的函数名要改回来。",
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
    mend="Serialise `arguments` to a JSON text, `{}` for none, and only after all pieces of the upstream have come.",
    mend_zh="收齐上游的全部片段后再把 `arguments` 序列化为 JSON 文本,没有参数时为 `{}`。",
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
    mend="Copy the upstream's counts into `usage` as `input_tokens` and `output_tokens`, or count with a tokenizer "
    "where it gives none.",
    mend_zh="把上游的计数以 `input_tokens`、`output_tokens` 写入 `usage`;上游没有给出时用分词器统计。",
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
    mend="Count in the adapter: set `total_tokens` to the sum before answering, with reasoning tokens inside "
    "`output_tokens`.",
    mend_zh="在适配器中统计:回答前把 `total_tokens` 设为两项之和,推理 token 计入 `output_tokens`。",
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
    mend="Add cached tokens to `input_tokens` and reasoning tokens to `output_tokens` when converting from an "
    "upstream that counts them beside.",
    mend_zh="上游把缓存和推理 token 另列时,转换时要把它们分别计入 `input_tokens` 和 `output_tokens`。",
)
def details_bounded(exchange: Exchange) -> Iterator[Finding]:
    """Usage details MUST lie between 0 and the count that they are part of."""
    usage = usage_of(exchange)
    for name, whole in _DETAILS:
        for part, count in details_of(exchange, name).items():
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
    mend="Rename the counts when converting from chat: `prompt_tokens` to `input_tokens`, `completion_tokens` to "
    "`output_tokens`.",
    mend_zh="由聊天格式转换时要改名:`prompt_tokens` 改为 `input_tokens`,`completion_tokens` 改为 `output_tokens`。",
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
    mend="Pass `max_output_tokens` on under the upstream's name (`max_tokens`, `max_completion_tokens`), and count "
    "reasoning within it.",
    mend_zh="以上游的名称 (`max_tokens`、`max_completion_tokens`)转发 `max_output_tokens`,推理 token 计算在内。",
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
    mend="Map the upstream's `length` to `status` `incomplete` with `incomplete_details` "
    '`{"reason": "max_output_tokens"}`; in a stream end with `response.incomplete`.',
    mend_zh='把上游的 `length` 映射为 `status` `incomplete`,`incomplete_details` 为 `{"reason": "max_output_tokens"}`;'
    "流以 `response.incomplete` 结束。",
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
    mend="Set `created_at` in the adapter to the current Unix time in seconds (not milliseconds, not 0).",
    mend_zh="在适配器中把 `created_at` 设为当前 Unix 时间的秒数 (不是毫秒或 0)。",
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
    mend="Send follow-ups to the upstream account that gave the answer, or store answers yourself; else answer 400 "
    "naming `previous_response_id`.",
    mend_zh="后续请求应发给给出该回答的上游账号,或自行保存回答;否则返回指明 `previous_response_id` 的 400。",
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
    mend="The field is accepted and dropped: put the stored conversation before the new input, or answer 400 naming "
    "`previous_response_id`.",
    mend_zh="该字段被接受后丢弃了:应把保存的对话放在新输入之前,或返回指明 `previous_response_id` 的 400。",
    noisy=True,
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
    mend="Convert `text.format` to the upstream's own form (`response_format` in chat), or answer 400 naming it.",
    mend_zh="把 `text.format` 转换为上游自己的形式 (聊天中为 `response_format`),否则返回指明它的 400。",
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
    mend="Answer bad requests yourself before choosing a channel: 400 with `param` `input`; map errors of your own "
    "validation to 400, not 500.",
    mend_zh="选择渠道之前自行处理错误请求:返回 400,`param` 为 `input`;自身校验出的错误应为 400 而不是 500。",
)
def input_required(exchange: Exchange) -> Iterator[Finding]:
    """A request without `input` MUST be refused with a 4xx status."""
    if exchange.status not in range(400, 500):
        label = "validation-500" if exchange.status == 500 else ""
        yield Finding("status", "4xx", exchange.status, message_of(exchange), deviation=label)
