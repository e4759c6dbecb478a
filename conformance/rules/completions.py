"""Text completions: as many as were asked for, as long as was asked for, and streamed the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from conformance.model import Case, Exchange, Finding
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.chat import finish_label
from conformance.rules.views import has_usage, is_json, is_readable, request_body, usage_of
from conformance.stream import DONE

_PLAIN = ("completions",)
_STREAM = ("completions.stream",)
_BOTH = _PLAIN + _STREAM
_FINISHES = ("stop", "length", "content_filter")
_DEFAULT_LIMIT = 16
_ARRAYS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")


def prompts(exchange: Exchange) -> int:
    """How many prompts the request has; a list of tokens is one."""
    given = request_body(exchange)["prompt"]
    return len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1


def _wanted(exchange: Exchange) -> int:
    """How many choices the request asks for."""
    return prompts(exchange) * int(request_body(exchange).get("n") or 1)


def _choices(exchange: Exchange) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(pointer, choice) of every choice of an answer, or of every chunk."""
    streamed = exchange.case.operation in _STREAM
    bodies = [(f"/events/{chunk.event}", chunk.value) for chunk in exchange.stream.chunks] if streamed else []
    for at, body in bodies or [("", exchange.json)]:
        for place, choice in enumerate(body["choices"]):
            yield f"{at}/choices/{place}", choice


def texts(exchange: Exchange) -> list[str]:
    """The text of each choice, by its index, put together where it was streamed."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for _, choice in _choices(exchange):
        found[choice["index"]].append(choice["text"])
    return ["".join(found[index]) for index in sorted(found)]


def _usage_at(exchange: Exchange, name: str) -> str:
    """Where a count of the usage stands."""
    usages = exchange.stream.usages
    return f"/events/{usages[-1].event}/usage/{name}" if usages else f"/usage/{name}"


@rule(
    "completions.choices.count",
    doc="openai:completions/create#n",
    lines=("CMP-02",),
    zh="choices 的数量必须等于 n 乘以提示数,下标从 0 起依次递增",
    operations=_PLAIN,
    applies=is_json,
    needs=("/choices",),
    breaks="answers are paid for and do not come, or belong to another prompt",
    breaks_zh="付了费却少了回答,或回答对应错了提示",
    mend="Pass `n` and a list of prompts on whole, and number the choices through: prompt 0 has the indexes 0 to `n` "
    "- 1, prompt 1 the next `n`.",
    mend_zh="完整转发 `n` 和 prompt 列表,并连续编号:第 0 个 prompt 的 index 为 0 至 `n` - 1,第 1 个接着编号。",
)
def choices_count(exchange: Exchange) -> Iterator[Finding]:
    """There MUST be `n` choices for each prompt, with indexes from 0."""
    expected = list(range(_wanted(exchange)))
    found = sorted(choice["index"] for choice in exchange.json["choices"])
    if found != expected:
        label = "params-dropped" if len(found) < len(expected) and found == expected[: len(found)] else ""
        yield Finding("/choices", expected, found, deviation=label)


@rule(
    "completions.finish-reason.known",
    doc="openai:completions/object#finish_reason",
    lines=("CMP-04",),
    zh="每个候选的 finish_reason 必须是 stop、length 或 content_filter",
    operations=_BOTH,
    applies=is_readable,
    needs=("/choices/*/index", "/choices/*/finish_reason"),
    breaks="nobody can tell a finished answer from a cut one",
    breaks_zh="无法分辨回答是说完了还是被截断",
    mend="Map the upstream's reasons to `stop`, `length` or `content_filter`, and set one on every choice, also at "
    "the end of a stream.",
    mend_zh="把上游的结束原因映射为 `stop`、`length` 或 `content_filter`,每个 choice 都要有,流的末尾也一样。",
)
def finish_known(exchange: Exchange) -> Iterator[Finding]:
    """Every choice MUST end with a documented `finish_reason`."""
    last: dict[int, tuple[str, Any]] = {}
    for at, choice in _choices(exchange):
        reason = choice.get("finish_reason")
        if choice["index"] not in last or reason is not None:
            last[choice["index"]] = (at, reason)
    for at, reason in last.values():
        if reason not in _FINISHES:
            label = "finish-lost" if reason is None else finish_label(reason)
            yield Finding(f"{at}/finish_reason", list(_FINISHES), reason, deviation=label)


def _limit(case: Case) -> Any:
    """The limit that a request sets; None where it sets none."""
    return (case.body or {}).get("max_tokens")


def _echoes(case: Case) -> bool:
    """Whether the prompt is asked for as well, which some count as written."""
    return bool((case.body or {}).get("echo"))


def _over_limit(exchange: Exchange, limit: int) -> Iterator[Finding]:
    """A finding where more was written than this limit allows for each choice, shown or not."""
    each = max(request_body(exchange).get("n") or 1, request_body(exchange).get("best_of") or 1)
    allowed, taken = limit * prompts(exchange) * each, usage_of(exchange)["completion_tokens"]
    if taken > allowed:
        at = _usage_at(exchange, "completion_tokens")
        yield Finding(at, f"at most {allowed}", taken, deviation="params-dropped")


@rule(
    "completions.max-tokens.default",
    doc="openai:completions/create#max_tokens",
    lines=("CMP-04",),
    zh="未指定 max_tokens 时,每个候选不得超过 16 个 token",
    operations=_PLAIN,
    cases=lambda case: _limit(case) is None and not _echoes(case),
    applies=has_usage,
    needs=("/usage",),
    breaks="billing: programs that rely on the default pay for long answers",
    breaks_zh="计费:依赖默认值的程序要为长回答付费",
    mend="Set `max_tokens` to 16 in the adapter where the request leaves it out: other upstreams have larger defaults.",
    mend_zh="请求未给出时由适配器把 `max_tokens` 设为 16:其他上游的默认值更大。",
)
def default_limit(exchange: Exchange) -> Iterator[Finding]:
    """Without `max_tokens`, a choice MUST NOT take more than 16 tokens."""
    yield from _over_limit(exchange, _DEFAULT_LIMIT)


@rule(
    "completions.max-tokens.honoured",
    doc="openai:completions/create#max_tokens",
    lines=("CMP-04",),
    zh="每个候选的 token 数不得超过 max_tokens",
    operations=_BOTH,
    cases=lambda case: _limit(case) is not None and not _echoes(case),
    applies=has_usage,
    needs=("/usage",),
    breaks="billing: a limit on spending does not hold",
    breaks_zh="计费:支出上限不起作用",
    mend="Pass `max_tokens` on under the upstream's name, and check that no default of the channel overrides it.",
    mend_zh="以上游的名称转发 `max_tokens`,并确认没有被渠道的默认值覆盖。",
)
def max_tokens_honoured(exchange: Exchange) -> Iterator[Finding]:
    """A choice MUST NOT take more tokens than `max_tokens` allows."""
    yield from _over_limit(exchange, request_body(exchange)["max_tokens"])


@rule(
    "completions.echo.honoured",
    doc="openai:completions/create#echo",
    lines=("CMP-03",),
    zh="echo 为 true 时,文本必须以提示开头",
    operations=_PLAIN,
    probe="echo",
    applies=is_json,
    needs=("/choices",),
    breaks="evaluations that score the prompt have nothing to read",
    breaks_zh="需要对提示评分的评测无数据可读",
    mend="Pass `echo` on, put the prompt before the text in the adapter, or answer 400 naming `echo`.",
    mend_zh="转发 `echo`,或由适配器把 prompt 放在文本之前,否则返回指明 `echo` 的 400。",
)
def echo_honoured(exchange: Exchange) -> Iterator[Finding]:
    """With `echo`, the text MUST begin with the prompt."""
    prompt = request_body(exchange)["prompt"]
    for at, choice in _choices(exchange):
        # Some tokenizers give the first word a blank of its own.
        if not choice["text"].lstrip().startswith(prompt):
            yield Finding(f"{at}/text", f"{prompt}…", choice["text"], deviation="params-dropped")


@rule(
    "completions.stop.honoured",
    doc="openai:completions/create#stop",
    lines=("CMP-05",),
    zh="文本不得包含 stop 指定的字符串",
    operations=_PLAIN,
    probe="stop",
    applies=is_json,
    needs=("/choices",),
    breaks="programs that rely on a stop word read on into invented text",
    breaks_zh="依赖停止词的程序会读到模型编造的后文",
    mend="Pass `stop` on, as a text and as a list, or cut the text before it in the adapter.",
    mend_zh="转发 `stop` (字符串和列表都要支持),或由适配器在其之前截断文本。",
)
def stop_honoured(exchange: Exchange) -> Iterator[Finding]:
    """The text MUST NOT contain a stop string."""
    word = request_body(exchange)["stop"]
    for at, choice in _choices(exchange):
        if word in choice["text"]:
            yield Finding(f"{at}/text", f"nothing from {word!r} on", choice["text"], deviation="params-dropped")


@rule(
    "completions.logprobs.aligned",
    doc="openai:completions/object#logprobs",
    lines=("CMP-06",),
    zh="请求 logprobs 时,应给出四个等长的数组",
    operations=_PLAIN,
    probe="logprobs",
    applies=is_json,
    needs=("/choices",),
    breaks="evaluations that need probabilities have nothing to read",
    breaks_zh="需要概率的评测无数据可读",
    mend="Convert to the old form: `tokens`, `token_logprobs`, `top_logprobs` and `text_offset` with one entry for "
    "each token; without data of the upstream, answer 400 naming `logprobs`.",
    mend_zh="转换为旧格式:`tokens`、`token_logprobs`、`top_logprobs`、`text_offset`,每个 token 一项;"
    "上游没有数据时返回指明 `logprobs` 的 400。",
)
def logprobs_aligned(exchange: Exchange) -> Iterator[Finding]:
    """Log probabilities that are asked for SHOULD come as four arrays of one length."""
    for at, choice in _choices(exchange):
        found = choice.get("logprobs")
        if not found and not choice["text"]:
            continue  # there is no token to rate
        if not found:
            yield Finding(f"{at}/logprobs", list(_ARRAYS), "absent", deviation="params-dropped")
            continue
        lengths = {name: len(found[name]) for name in _ARRAYS if isinstance(found.get(name), list)}
        if len(lengths) < len(_ARRAYS) or len(set(lengths.values())) > 1:
            yield Finding(f"{at}/logprobs", f"{', '.join(_ARRAYS)} of one length", lengths)


@rule(
    "completions.usage.present",
    doc="openai:completions/object#usage",
    lines=("CMP-10",),
    basis="implied",
    zh="回答可以不含 usage,但这样无法核对计费",
    operations=_PLAIN,
    applies=is_json,
    breaks="billing cannot be checked; some clients count zero",
    breaks_zh="无法核对计费;部分客户端会按零计",
    mend="Copy the upstream's counts into `usage`, or count with a tokenizer in the adapter where it gives none.",
    mend_zh="把上游的计数写入 `usage`;上游没有给出时,由适配器用分词器统计。",
)
def usage_present(exchange: Exchange) -> Iterator[Finding]:
    """A completion MAY leave out its usage, which leaves the bill unchecked."""
    if not isinstance(exchange.json.get("usage"), dict):
        yield Finding("/usage", "an object", exchange.json.get("usage", "absent"), deviation="usage-missing")


@rule(
    "completions.usage.adds-up",
    doc="openai:completions/object#usage",
    lines=("CMP-10",),
    zh="total_tokens 必须等于 prompt_tokens 与 completion_tokens 之和",
    operations=_BOTH,
    applies=has_usage,
    needs=("/usage",),
    breaks="billing: clients that trust the total miscount",
    breaks_zh="计费:相信总数的客户端会算错",
    mend="Count in the adapter: set `usage.total_tokens` to the sum before answering.",
    mend_zh="在适配器中统计:回答前把 `usage.total_tokens` 设为两项之和。",
)
def usage_adds_up(exchange: Exchange) -> Iterator[Finding]:
    """The total of a completion MUST equal prompt plus completion tokens."""
    usage = usage_of(exchange)
    total = usage["prompt_tokens"] + usage["completion_tokens"]
    if usage["total_tokens"] != total:
        at = _usage_at(exchange, "total_tokens")
        yield Finding(at, total, usage["total_tokens"], deviation="usage-total-mismatch")


@rule(
    "completions.usage.counts",
    doc="openai:completions/object#usage",
    lines=("CMP-10",),
    zh="有文字的补全,prompt_tokens 与 completion_tokens 都必须大于 0",
    operations=_BOTH,
    cases=lambda case: not _echoes(case),
    applies=lambda exchange: has_usage(exchange) and is_readable(exchange),
    needs=("/usage", "/choices"),
    breaks="billing cannot be checked; clients add up zeros",
    breaks_zh="无法核对计费;客户端累计的是零",
    mend="Take the counts from the upstream, or count `prompt` and `text` with a tokenizer; a counter written for "
    "chat finds no `messages` here.",
    mend_zh="计数取自上游,或用分词器统计 `prompt` 和 `text`;为聊天写的统计程序在这里找不到 `messages`。",
)
def usage_counts(exchange: Exchange) -> Iterator[Finding]:
    """A completion with text MUST count prompt and completion tokens."""
    if not any(text.strip() for text in texts(exchange)):
        return
    for name in ("prompt_tokens", "completion_tokens"):
        if usage_of(exchange)[name] <= 0:
            yield Finding(_usage_at(exchange, name), "more than 0", usage_of(exchange)[name], deviation="usage-zero")


@rule(
    "completions.stream.done-last",
    doc="openai:completions/create#stream",
    lines=("CMP-07",),
    zh="流必须以唯一的 data: [DONE] 结束",
    operations=_STREAM,
    applies=is_readable,
    breaks="hand-written parsers wait for an end that does not come",
    breaks_zh="手写解析器会一直等待结束标记",
    mend="Write `data: [DONE]` once at the end of this stream too, not only in the handler for chat.",
    mend_zh="这个接口的流结束时也要写一次 `data: [DONE]`,不能只在聊天接口写。",
)
def done_last(exchange: Exchange) -> Iterator[Finding]:
    """A streamed completion MUST end with `data: [DONE]`, once."""
    done, last = exchange.stream.done, len(exchange.stream.events) - 1
    if not done:
        yield Finding(f"/events/{last}", DONE, "absent", deviation="done-missing")
    elif done != (last,):
        shown = ", ".join(map(str, islice(done, 9)))
        yield Finding(f"/events/{done[0]}", f"{DONE} once, as event {last}", f"as event {shown}")


def _pair(exchanges: Sequence[Exchange]) -> tuple[Exchange, str, str]:
    """The streamed one, and the text of the plain and of the streamed answer to the same request."""
    plain, streamed = sorted(exchanges, key=lambda exchange: exchange.case.operation)[:2]
    one, other = ("".join(texts(exchange)) for exchange in (plain, streamed))
    return streamed, one, other


@rule(
    "completions.stream.text-present",
    doc="openai:completions/create#stream",
    lines=("CMP-07",),
    zh="非流式有文字的请求,流式拼接后也必须有文字",
    operations=("completions.stream", "completions"),
    probe="pair",
    over="run",
    least=2,
    applies=is_readable,
    needs=("/choices",),
    breaks="clients show nothing, and tokens are billed",
    breaks_zh="客户端没有内容可显示,却照样计费",
    mend="Write the pieces to `choices[].text`: chunks converted for chat carry them in `delta`, where clients of "
    "this path do not look.",
    mend_zh="把内容写入 `choices[].text`:按聊天转换的数据块放在 `delta` 里,此接口的客户端不会去读。",
)
def stream_has_text(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The chunks of a stream MUST carry text where the plain answer does."""
    streamed, plain, text = _pair(exchanges)
    if plain.strip() and not text.strip():
        yield Finding("/events/0/choices", plain, "no text", exchange=streamed.case.id)


@rule(
    "completions.stream.equals-plain",
    doc="openai:completions/create#stream",
    lines=("CMP-07",),
    basis="implied",
    zh="temperature 为 0 时,流式拼接的文字应与非流式相同",
    operations=("completions.stream", "completions"),
    probe="pair",
    over="run",
    least=2,
    applies=is_readable,
    needs=("/choices",),
    breaks="text is lost or changed on its way through the stream",
    breaks_zh="文字在流式传输中丢失或被改动",
    mend="Forward every piece once and unchanged, spaces and line breaks included; if all are there, the model itself "
    "varies at temperature 0.",
    mend_zh="每个片段原样转发一次,包括空格和换行;若确无遗漏,则是模型在温度 0 下仍有差异。",
    noisy=True,
)
def stream_equals_plain(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """At temperature 0, the streamed text SHOULD be that of the plain answer."""
    streamed, plain, text = _pair(exchanges)
    if text.strip() and plain.strip() != text.strip():
        yield Finding("/events/0/choices", plain, text, exchange=streamed.case.id)


@rule(
    "completions.prompt.required",
    doc="openai:completions/create#prompt",
    lines=("CMP-08",),
    zh="没有 prompt 的请求应以 4xx 拒绝",
    operations=_PLAIN,
    probe="no-prompt",
    answers=Answers.REFUSAL,
    breaks="a mistake is billed, or retried because of a 5xx",
    breaks_zh="错误的请求也会计费,或因 5xx 被反复重试",
    mend="Answer bad requests yourself before choosing a channel: 400 with `param` `prompt` where there is none.",
    mend_zh="选择渠道之前自行处理错误请求:没有 `prompt` 时返回 400,`param` 为 `prompt`。",
)
def prompt_required(exchange: Exchange) -> Iterator[Finding]:
    """A request without a prompt SHOULD be refused with a 4xx status."""
    yield from must_be_4xx(exchange)
