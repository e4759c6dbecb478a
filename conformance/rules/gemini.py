"""Gemini, native: what an answer says, why it ended, what it cost, and how a request is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from conformance.contract import schema_errors
from conformance.model import Exchange, Finding
from conformance.refusals import OTHER_FORM
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.views import SUCCESS, is_json, is_readable

GEMINI = ("gemini.generate", "gemini.stream")
_ENVELOPE = "gemini/error.json#/$defs/compat"
_DOC = "google:generate-content"
_REASON = re.compile(r"[A-Z][A-Z_]+")
"""Google's words for why an answer ended; the list grows from year to year."""
_FOREIGN = frozenset({"stop", "length", "tool_calls", "content_filter", "end_turn", "max_tokens"})
_SAID = ("STOP", "", "FINISH_REASON_UNSPECIFIED")
"""Reasons with which an answer has text; with others it may have been kept back."""
_PARTS = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")


def _answers(exchange: Exchange) -> bool:
    """Whether the answer is of the kind that was asked for, and the prompt was not blocked."""
    asked = is_readable(exchange) and OTHER_FORM not in exchange.case.probes
    return asked and not any(_object(body.get("promptFeedback")).get("blockReason") for _, body in _bodies(exchange))


def _bodies(exchange: Exchange) -> list[tuple[str, Mapping[str, Any]]]:
    """(pointer, object) of the plain answer, or of every object of a stream."""
    if exchange.case.operation == "gemini.generate":
        return [("", _object(exchange.json))]
    return [(f"/events/{chunk.event}", chunk.value) for chunk in exchange.stream.chunks]


def _firsts(exchange: Exchange) -> list[tuple[str, Mapping[str, Any]]]:
    """(pointer, first candidate) wherever there is one."""
    found = [(at, body.get("candidates")) for at, body in _bodies(exchange)]
    return [(f"{at}/candidates/0", _object(listed[0])) for at, listed in found if isinstance(listed, list) and listed]


def _pieces(candidate: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a candidate that are no thoughts."""
    parts = _object(candidate.get("content")).get("parts")
    known = [_object(part) for part in parts] if isinstance(parts, list) else []
    return [part for part in known if part.get("thought") is not True]


def _says_something(candidate: Mapping[str, Any]) -> bool:
    """Whether a candidate has text, or a part of another kind."""
    return any(part.get("text") or part.keys() - {"text", "thought", "thoughtSignature"} for part in _pieces(candidate))


def _finish(candidate: Mapping[str, Any]) -> str:
    """Why a candidate ended; empty where it does not say."""
    reason = candidate.get("finishReason")
    return reason if isinstance(reason, str) else ""


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


@rule(
    "gemini.text.present",
    doc=_DOC,
    lines=("GEM-01",),
    zh="正常结束的回答必须带有文字",
    operations=GEMINI,
    applies=_answers,
    needs=("/candidates",),
    breaks="tokens are billed and nothing arrives",
    breaks_zh="扣了费却没有内容",
    mend="Convert the upstream's text to `candidates[0].content.parts[].text`; a blocked answer needs its "
    "`finishReason` or `promptFeedback` and no bill.",
    mend_zh="把上游文本转换为 `candidates[0].content.parts[].text`;被拦截的回答应带 `finishReason` 或 "
    "`promptFeedback`,且不计费。",
)
def text_present(exchange: Exchange) -> Iterator[Finding]:
    """An answer that ended by itself MUST have text in its first candidate."""
    firsts = _firsts(exchange)
    kept_back = any(_finish(candidate) not in _SAID for _, candidate in firsts)
    if not kept_back and not any(_says_something(candidate) for _, candidate in firsts):
        at = f"{firsts[-1][0]}/content/parts" if firsts else "/candidates"
        yield Finding(at, "text", "none")


@rule(
    "gemini.finish-reason.known",
    doc=_DOC,
    lines=("GEM-02",),
    zh="回答 (流式时为最后一个对象) 必须带有 Google 定义的 finishReason",
    operations=GEMINI,
    applies=lambda exchange: _answers(exchange) and bool(_firsts(exchange)),
    needs=("/candidates/*/finishReason",),
    breaks="clients cannot tell a finished answer from a cut one",
    breaks_zh="客户端无法分辨回答是说完了还是被截断",
    mend="Map the upstream's reasons to Google's words: `stop` to `STOP`, `length` to `MAX_TOKENS`, `content_filter` "
    "to `SAFETY`, also in the last object of a stream.",
    mend_zh="把上游的结束原因映射为 Google 的说法:`stop` 为 `STOP`,`length` 为 `MAX_TOKENS`,`content_filter` 为 "
    "`SAFETY`,流的最后一个对象也一样。",
)
def finish_known(exchange: Exchange) -> Iterator[Finding]:
    """The answer, or the last object of a stream, MUST say why it ended, in Google's words."""
    at, candidate = _firsts(exchange)[-1]
    reason = candidate.get("finishReason")
    if not _REASON.fullmatch(_finish(candidate)):
        label = "finish-lost" if not reason else "finish-foreign" if reason in _FOREIGN else ""
        yield Finding(f"{at}/finishReason", "STOP, MAX_TOKENS, …", reason, deviation=label)


@rule(
    "gemini.usage.adds-up",
    doc=_DOC,
    lines=("GEM-03",),
    zh="totalTokenCount 必须等于提示、回答、思考与工具提示各项之和",
    operations=GEMINI,
    applies=_answers,
    needs=("/usageMetadata",),
    breaks="billing: clients that trust the total miscount",
    breaks_zh="计费:相信总数的客户端会算错",
    mend="Count in the adapter: `totalTokenCount` is the sum of prompt, candidates, thoughts and tool-use prompt "
    "tokens.",
    mend_zh="在适配器中统计:`totalTokenCount` 为提示、候选、思考和工具提示 token 之和。",
)
def usage_adds_up(exchange: Exchange) -> Iterator[Finding]:
    """`totalTokenCount` MUST be the sum of its parts, where one that is missing counts nothing."""
    told = [(at, _object(body.get("usageMetadata"))) for at, body in _bodies(exchange) if body.get("usageMetadata")]
    for at, usage in told[-1:]:
        wanted = sum(usage.get(name) or 0 for name in _PARTS)
        if wanted != (usage.get("totalTokenCount") or 0):
            found = usage.get("totalTokenCount", "absent")
            yield Finding(f"{at}/usageMetadata/totalTokenCount", wanted, found, deviation="usage-total-mismatch")


@rule(
    "gemini.stream.no-done",
    doc=_DOC,
    lines=("GEM-04",),
    zh="流中不得有 [DONE]",
    operations=("gemini.stream",),
    applies=lambda exchange: bool(exchange.stream.chunks),
    breaks="Google's SDK reads [DONE] as JSON and raises",
    breaks_zh="Google SDK 会把 [DONE] 当作 JSON 解析而报错",
    mend="Leave out `data: [DONE]` on this path: Google's streams simply end; it comes from code shared with chat.",
    mend_zh="在该路径上不要发送 `data: [DONE]`:Google 的流直接结束;它来自与聊天共用的代码。",
)
def no_done(exchange: Exchange) -> Iterator[Finding]:
    """A stream MUST NOT contain `[DONE]`: every event is a JSON object."""
    for place in exchange.stream.done[:1]:
        yield Finding(f"/events/{place}", "a JSON object", "[DONE]")


@rule(
    "gemini.stream.one-last",
    doc="new-api:relay/channel/openai/helper.go",
    lines=("GEM-05",),
    zh="流末尾可以多出一个空的对象,说明上游是 OpenAI 格式",
    operations=("gemini.stream",),
    applies=lambda exchange: _answers(exchange) and len(_firsts(exchange)) > 1,
    needs=("/candidates",),
    breaks="nothing; it tells which upstream answered",
    breaks_zh="没有影响;可据此看出上游是谁",
    mend="Nothing has to change; drop the chunk that carries nothing but the end of an OpenAI upstream's stream.",
    mend_zh="无须修改;可以去掉由 OpenAI 上游的流结束所产生的空数据块。",
)
def one_last(exchange: Exchange) -> Iterator[Finding]:
    """A stream MAY end with one more object, empty, after the one that said why it ended."""
    (_, before), (at, last) = _firsts(exchange)[-2:]
    if _finish(before) and _finish(last) and not _says_something(last):
        yield Finding(at, "no further object", last, deviation="gemini-converted")


@rule(
    "gemini.error.envelope",
    doc="google:errors",
    lines=("GEM-06",),
    zh='错误回答必须是 {"error": {"code", "message", "status"}} 结构,code 为整数',
    operations=GEMINI,
    answers=Answers.ERROR,
    cases=lambda case: "count-tokens" not in case.probes,  # no path of this operation; a relay may not know it
    applies=is_json,
    breaks="Google's SDK loses code, status and message",
    breaks_zh="Google SDK 会丢失错误码、状态与信息",
    mend="Choose the form of an error by the path: here "
    '`{"error": {"code": 400, "message", "status": "INVALID_ARGUMENT"}}` with a number as code, in middlewares too.',
    mend_zh='按路径选择错误格式:这里为 `{"error": {"code": 400, "message", "status": "INVALID_ARGUMENT"}}`,code '
    "是数字,中间件也不例外。",
)
def error_envelope(exchange: Exchange) -> Iterator[Finding]:
    """A refusal MUST carry Google's envelope: an `error` with an integer code, a message and a status."""
    errors = schema_errors(_ENVELOPE, exchange.json)
    label = "envelope-mismatch" if "type" in (exchange.error or {}) else ""
    for error in errors:
        yield Finding(error.at, error.expected, error.actual, error.message, deviation=label)


@rule(
    "gemini.wrong-key.refused",
    doc="google:errors",
    lines=("GEM-06",),
    basis="implied",
    zh="x-goog-api-key 中的密钥错误时,必须以 4xx 拒绝",
    operations=("gemini.generate",),
    probe="wrong-key",
    answers=Answers.REFUSAL,
    breaks="where it is let in, keys are not checked on this path",
    breaks_zh="若被放行,说明这一路径没有检查密钥",
    mend="Put the key check before this path as well, let it read `x-goog-api-key` and `?key=`, and refuse an unknown "
    "key with 401 or 400.",
    mend_zh="在该路径上也先校验密钥,读取 `x-goog-api-key` 和 `?key=`,未知密钥以 401 或 400 拒绝。",
)
def wrong_key(exchange: Exchange) -> Iterator[Finding]:
    """An unknown key in `x-goog-api-key` MUST be refused with a 4xx status; Google itself answers 400."""
    yield from must_be_4xx(exchange)


@rule(
    "gemini.contents.required",
    doc=_DOC,
    lines=("GEM-08",),
    zh="缺少 contents 的请求应以 4xx 拒绝",
    operations=("gemini.generate",),
    probe="missing-contents",
    answers=Answers.REFUSAL,
    breaks="clients retry a 5xx: the mistake is billed and hidden",
    breaks_zh="客户端会对 5xx 反复重试,掩盖真正的错误",
    mend="Check `contents` before choosing a channel and answer 400 naming it; map errors of your own validation to "
    "400, not 500.",
    mend_zh="选择渠道之前检查 `contents`,缺少时返回指明它的 400;自身校验出的错误应为 400 而不是 500。",
)
def contents_required(exchange: Exchange) -> Iterator[Finding]:
    """A request without `contents` SHOULD be refused with a 4xx status."""
    for found in must_be_4xx(exchange):
        yield replace(found, deviation="validation-500" if exchange.status == 500 else found.deviation)


@rule(
    "gemini.count-tokens.counts",
    doc="google:count-tokens",
    lines=("GEM-07",),
    basis="implied",
    zh="countTokens 可以没有;若有,不应当作生成请求来回答并计费",
    operations=("gemini.generate",),
    probe="count-tokens",
    answers=Answers.ANY,
    applies=lambda exchange: is_json(exchange) and exchange.status in SUCCESS,
    breaks="billing: counting tokens costs as much as an answer",
    breaks_zh="计费:统计 token 与生成回答一样收费",
    mend="Route `:countTokens` to the upstream's own method, count with a tokenizer, or answer 404; it must not fall "
    "into the handler of `:generateContent`.",
    mend_zh="把 `:countTokens` 转到上游的同名方法、用分词器统计,或返回 404;不要落入 `:generateContent` 的处理程序。",
)
def count_tokens_counts(exchange: Exchange) -> Iterator[Finding]:
    """`countTokens` MAY be missing; one that answers with candidates was billed as a request to write."""
    if "candidates" in exchange.json:
        yield Finding(
            "/candidates", "only totalTokens", exchange.json["candidates"], deviation="count-tokens-generates"
        )
