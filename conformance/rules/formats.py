"""What a request may ask of the form of an answer: JSON, and log probabilities."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from conformance.contract import SchemaSet
from conformance.jsontext import parse_json
from conformance.model import Case, Exchange, Finding
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.views import CHATS, finishes, has_text, request_body, says_more_than_text, texts

_JSON = frozenset({"json_object", "json_schema"})
_SLACK = 1e-6
"""How far above 0 rounding may lift a logarithm."""
_MARK = re.compile(r"<[^<>]{0,40}>|")
"""The end mark of a template, which some list as the last token."""
_ASKED = "asked.json"


def _json_wanted(case: Case) -> bool:
    """JSON is asked for, and no stop string of ours can cut it."""
    form = (case.body or {}).get("response_format")
    return isinstance(form, dict) and str(form.get("type")) in _JSON and not (case.body or {}).get("stop")


def _ended_by_itself(exchange: Exchange) -> bool:
    return has_text(exchange) and set(finishes(exchange)) == {"stop"}


@rule(
    "chat.response-format.json",
    doc="openai:chat/create#response_format",
    lines=("SO-01", "SO-04", "SO-06"),
    zh="要求 JSON 且正常结束的回答必须是一个 JSON 对象",
    operations=CHATS,
    cases=_json_wanted,
    applies=_ended_by_itself,
    needs=("/choices",),
    breaks="programs that parse the answer crash",
    breaks_zh="解析回答的程序会崩溃",
    mend="The converter for this channel drops `response_format`: pass it on in the upstream's form, take Markdown "
    "fences off the text, or answer 400 naming the field.",
    mend_zh="该渠道的转换程序丢掉了 `response_format`:应按上游的形式转发,去掉文本外的 Markdown 围栏,"
    "否则返回指明该字段的 400。",
)
def json_as_asked(exchange: Exchange) -> Iterator[Finding]:
    """An answer that was asked for as JSON and ended by itself MUST be a JSON object."""
    for place, text in enumerate(texts(exchange)):
        if text and not isinstance(parse_json(text.encode(errors="replace")).value, dict):
            label = "json-fenced" if text.lstrip().startswith("```") else "params-dropped"
            yield Finding(f"/choices/{place}/message/content", "a JSON object", text, deviation=label)


def _strict_schema(case: Case) -> bool:
    """JSON of a strict schema is asked for."""
    asked = (case.body or {})["response_format"].get("json_schema") if _json_wanted(case) else None
    return isinstance(asked, dict) and asked.get("strict") is True


@rule(
    "chat.response-format.schema",
    doc="openai:chat/create#response_format",
    lines=("SO-03",),
    zh="要求 strict 模式且正常结束的回答,必须符合该模式",
    operations=CHATS,
    cases=_strict_schema,
    applies=_ended_by_itself,
    needs=("/choices",),
    breaks="programs that rely on the schema and do not check crash",
    breaks_zh="依赖模式而不检查的程序会崩溃",
    mend="Pass `json_schema` on in the upstream's own form (Gemini's `responseSchema`, say), or answer 400 naming "
    "`response_format` where it has none.",
    mend_zh="以上游自己的形式转发 `json_schema` (例如 Gemini 的 `responseSchema`);上游不支持时返回指明 "
    "`response_format` 的 400。",
)
def schema_as_asked(exchange: Exchange) -> Iterator[Finding]:
    """An answer that was asked for with a `strict` schema and ended by itself MUST satisfy it."""
    schema = request_body(exchange)["response_format"]["json_schema"]["schema"]
    asked = SchemaSet({_ASKED: {"$defs": {"asked": schema}}})
    for place, text in enumerate(texts(exchange)):
        value = parse_json(text.encode(errors="replace")).value
        # What is no object at all is another rule's finding.
        for error in asked.errors(f"{_ASKED}#/$defs/asked", value) if isinstance(value, dict) else ():
            at = f"/choices/{place}/message/content"
            words = f"{error.at}: {error.message}"
            yield Finding(at, error.expected, error.actual, words, deviation="params-dropped")


@rule(
    "chat.response-format.word-json",
    doc="openai:chat/create#response_format",
    lines=("SO-02",),
    zh="要求 json_object 而消息中没有 JSON 一词时,应以 4xx 拒绝",
    operations=("chat",),
    probe="json-word-missing",
    answers=Answers.REFUSAL,
    breaks="models that were not told of JSON write blanks until the limit",
    breaks_zh="没有被告知 JSON 的模型会输出空白直到上限",
    mend="Look for the word JSON in the messages when `json_object` is asked for, and answer 400 as OpenAI does, or "
    "pass the upstream's 400 on.",
    mend_zh="请求 `json_object` 时检查消息中是否有 JSON 一词,没有则像 OpenAI 一样返回 400,或转发上游的 400。",
)
def word_json_wanted(exchange: Exchange) -> Iterator[Finding]:
    """`json_object` without the word JSON in the messages SHOULD be refused with a 4xx status."""
    yield from must_be_4xx(exchange)


@rule(
    "chat.response-format.open-schema",
    doc="openai:chat/create#response_format",
    lines=("SO-07",),
    zh="strict 模式缺少 additionalProperties: false 时,应以 4xx 拒绝",
    operations=("chat",),
    probe="schema-open",
    answers=Answers.REFUSAL,
    breaks="a schema that cannot be kept to is taken without a word",
    breaks_zh="无法保证的模式被默默接受",
    mend="Check `strict` schemas before the request goes out: every object needs `additionalProperties: false`, else "
    "answer 400 naming `response_format`.",
    mend_zh="转发前检查 `strict` 模式:每个对象都要有 `additionalProperties: false`,否则返回指明 `response_format` 的 "
    "400。",
)
def open_schema_refused(exchange: Exchange) -> Iterator[Finding]:
    """A `strict` schema without `additionalProperties: false` SHOULD be refused with a 4xx status."""
    yield from must_be_4xx(exchange)


def _logprobs_wanted(case: Case) -> bool:
    return (case.body or {}).get("logprobs") is True


def logprobs_of(exchange: Exchange) -> list[Mapping[str, Any]]:
    """The log probabilities of an answer, one object for each token that has them."""
    if exchange.case.operation == "chat.stream":
        holders = [choice for chunk in exchange.stream.chunks for choice in chunk.value.get("choices") or ()]
    else:
        holders = exchange.json["choices"]
    found = [holder.get("logprobs") for holder in holders if isinstance(holder, dict)]
    contents = [each.get("content") for each in found if isinstance(each, dict)]
    return [entry for content in contents if isinstance(content, list) for entry in content if isinstance(entry, dict)]


@rule(
    "chat.logprobs.present",
    doc="openai:chat/create#logprobs",
    lines=("LP-02", "LP-07"),
    zh="请求 logprobs 时,回答应带有对数概率",
    operations=CHATS,
    cases=_logprobs_wanted,
    applies=has_text,
    needs=("/choices",),
    breaks="evaluations that need probabilities have nothing to read",
    breaks_zh="需要概率的评测无数据可读",
    mend="Pass `logprobs` and `top_logprobs` on and copy `choices[].logprobs` back; where the upstream has none, "
    "answer 400 naming `logprobs`.",
    mend_zh="转发 `logprobs` 和 `top_logprobs`,并把 `choices[].logprobs` 带回;上游不支持时返回指明 `logprobs` 的 400。",
)
def logprobs_present(exchange: Exchange) -> Iterator[Finding]:
    """An answer to a request with `logprobs` SHOULD carry them."""
    if not logprobs_of(exchange):
        yield Finding("/choices/0/logprobs", "log probabilities", "absent", deviation="params-dropped")


@rule(
    "chat.logprobs.unasked",
    doc="openai:chat/object#logprobs",
    lines=("LP-01",),
    zh="没有请求 logprobs 时,回答不得带有对数概率",
    operations=CHATS,
    cases=lambda case: not (case.body or {}).get("logprobs"),
    applies=has_text,
    needs=("/choices",),
    breaks="answers are several times larger than asked for",
    breaks_zh="回答比所需的大数倍",
    mend="Do not switch `logprobs` on in the channel's defaults, and drop the upstream's where the request did not "
    "ask.",
    mend_zh="不要在渠道默认参数中打开 `logprobs`;请求未要求时去掉上游返回的概率。",
)
def logprobs_unasked(exchange: Exchange) -> Iterator[Finding]:
    """An answer MUST NOT carry `logprobs` that were not asked for."""
    for entry in logprobs_of(exchange)[:1]:
        yield Finding("/choices/0/logprobs", "null or absent", entry)


@rule(
    "chat.logprobs.top-count",
    doc="openai:chat/create#top_logprobs",
    lines=("LP-04",),
    zh="每个位置给出的候选 token 数不得超过 top_logprobs",
    operations=CHATS,
    cases=_logprobs_wanted,
    applies=has_text,
    needs=("/choices",),
    breaks="code that sized its tables by the request overruns",
    breaks_zh="按请求分配空间的代码会越界",
    mend="Pass `top_logprobs` on as it came, and cut the upstream's list of alternatives to that length.",
    mend_zh="原样转发 `top_logprobs`,并把上游返回的候选截到该数目。",
    noisy=True,
)
def top_logprobs_count(exchange: Exchange) -> Iterator[Finding]:
    """There MUST NOT be more alternatives for a token than `top_logprobs` asks for."""
    allowed = request_body(exchange).get("top_logprobs") or 0
    counts = [len(tops) for entry in logprobs_of(exchange) if isinstance(tops := entry.get("top_logprobs"), list)]
    if max(counts, default=0) > allowed:
        yield Finding("/choices/0/logprobs/content", f"at most {allowed}", max(counts))


def _has_logprobs(exchange: Exchange) -> bool:
    """There is text with log probabilities, and nothing else that they could belong to."""
    return has_text(exchange) and bool(logprobs_of(exchange)) and not says_more_than_text(exchange)


def _is_rated(entry: object) -> bool:
    """Whether a token and its logarithm are there, and bytes are a list of numbers, null or absent."""
    if not isinstance(entry, dict) or not isinstance(entry.get("token"), str):
        return False
    rated, listed = entry.get("logprob"), entry.get("bytes")
    number = isinstance(rated, int | float) and not isinstance(rated, bool) and rated <= _SLACK
    return number and (listed is None or _bytes_of(entry) is not None)


def _bytes_of(entry: Mapping[str, Any]) -> bytes | None:
    """The bytes of a token; None where there are none."""
    listed = entry.get("bytes")
    known = isinstance(listed, list) and all(type(each) is int and each in range(256) for each in listed)
    return bytes(listed) if known and listed is not None else None


def _tops(entry: Mapping[str, Any]) -> list[Any]:
    listed = entry.get("top_logprobs")
    return listed if isinstance(listed, list) else []


@rule(
    "chat.logprobs.entries",
    doc="openai:chat/object#logprobs",
    lines=("LP-03",),
    zh="每个 token 必须带文本、不大于 0 的 logprob 与候选列表",
    operations=CHATS,
    probe="logprobs",
    applies=_has_logprobs,
    needs=("/choices",),
    breaks="evaluations crash, or compute probabilities above one",
    breaks_zh="评测会崩溃,或算出大于一的概率",
    mend="Convert each token to `token`, `logprob` (natural logarithm, at most 0), `bytes` and `top_logprobs`; a "
    "probability needs its logarithm taken.",
    mend_zh="把每个 token 转换为 `token`、`logprob` (自然对数,不大于 0)、`bytes` 和 `top_logprobs`;"
    "若上游给的是概率要取对数。",
)
def entries_are_whole(exchange: Exchange) -> Iterator[Finding]:
    """Each token MUST have its text, a logarithm of at most 0, and a list of alternatives."""
    for entry in logprobs_of(exchange):
        if not all(map(_is_rated, [entry, *_tops(entry)])) or not isinstance(entry.get("top_logprobs"), list):
            yield Finding("/choices/0/logprobs/content", "token, logprob <= 0, bytes, top_logprobs", entry)


@rule(
    "chat.logprobs.sorted",
    doc="openai:chat/object#logprobs",
    lines=("LP-04",),
    basis="implied",
    zh="候选 token 应按概率从高到低排列",
    operations=CHATS,
    probe="logprobs",
    applies=_has_logprobs,
    needs=("/choices",),
    breaks="code that takes the first alternative takes the wrong one",
    breaks_zh="取第一个候选的代码会取错",
    mend="Sort `top_logprobs` by `logprob`, the highest first, when converting them.",
    mend_zh="转换时把 `top_logprobs` 按 `logprob` 从高到低排序。",
)
def tops_are_sorted(exchange: Exchange) -> Iterator[Finding]:
    """Alternatives SHOULD come with the likeliest first."""
    for entry in logprobs_of(exchange):
        rates = [top["logprob"] for top in _tops(entry) if _is_rated(top)]
        if any(later > earlier for earlier, later in pairwise(rates)):
            yield Finding("/choices/0/logprobs/content", "the likeliest first", rates)


def _joined(exchange: Exchange) -> Iterator[Finding]:
    """A finding when the tokens do not make up the text; a last mark of a template and outer blanks are let pass."""
    tokens = [str(entry.get("token")) for entry in logprobs_of(exchange)]
    bare = tokens[:-1] if _MARK.fullmatch(tokens[-1]) else tokens
    text = texts(exchange)[0].strip()
    if text.isascii() and text not in {"".join(tokens).strip(), "".join(bare).strip()}:
        yield Finding("/choices/0/logprobs/content", text, "".join(tokens))


@rule(
    "chat.logprobs.joined",
    doc="openai:chat/object#logprobs",
    lines=("LP-02",),
    zh="logprobs 的 token 连起来必须等于回答内容",
    operations=("chat",),
    probe="logprobs",
    applies=_has_logprobs,
    needs=("/choices",),
    breaks="probabilities are assigned to the wrong words",
    breaks_zh="概率会对应到错误的词",
    mend="Change the text and its `logprobs` together: whatever trims the content or cuts it at a stop string must "
    "take the same tokens out of the list.",
    mend_zh="文本和 `logprobs` 要一起修改:修剪正文或在停止词处截断时,列表中也要去掉相应的 token。",
)
def tokens_make_the_text(exchange: Exchange) -> Iterator[Finding]:
    """The tokens of `logprobs` MUST make up the content."""
    yield from _joined(exchange)


@rule(
    "chat.stream.logprobs-joined",
    doc="openai:chat/streaming#logprobs",
    lines=("LP-08",),
    zh="流式回答中 logprobs 的 token 连起来应等于回答内容",
    operations=("chat.stream",),
    probe="logprobs",
    applies=_has_logprobs,
    needs=("/choices",),
    breaks="probabilities are assigned to the wrong words",
    breaks_zh="概率会对应到错误的词",
    mend="Send each delta together with the `logprobs` of its own tokens, also where pieces are merged or split on "
    "the way.",
    mend_zh="每个 delta 都附上自己 token 的 `logprobs`,合并或拆分数据块时也要如此。",
)
def streamed_tokens_make_the_text(exchange: Exchange) -> Iterator[Finding]:
    """The tokens of a stream's `logprobs` SHOULD make up its content."""
    yield from _joined(exchange)


@rule(
    "chat.logprobs.bytes",
    doc="openai:chat/object#logprobs",
    lines=("LP-05",),
    zh="bytes 应是 token 的 UTF-8 字节",
    operations=CHATS,
    probe="logprobs",
    applies=_has_logprobs,
    needs=("/choices",),
    breaks="texts that are put together from bytes are garbage",
    breaks_zh="由字节拼成的文字是乱码",
    mend="Take `bytes` from the upstream, or encode each token as UTF-8 yourself; a character cut over two tokens has "
    "only a part of its bytes in each.",
    mend_zh="`bytes` 取自上游,或自行把每个 token 编码为 UTF-8;被拆成两个 token 的字符,每个 token 只含其中一部分字节。",
)
def bytes_are_the_tokens(exchange: Exchange) -> Iterator[Finding]:
    """The `bytes` of the tokens SHOULD be their text in UTF-8, put together."""
    entries = logprobs_of(exchange)
    found = [_bytes_of(entry) for entry in entries]
    tokens = "".join(str(entry.get("token")) for entry in entries)
    said = b"".join(each for each in found if each is not None)
    # A token that is a part of a character has no text of its own.
    if None not in found and tokens.isascii() and said != tokens.encode():
        yield Finding("/choices/0/logprobs/content", tokens, said.decode(errors="replace"))


@rule(
    "chat.logprobs.alone",
    doc="openai:chat/create#top_logprobs",
    lines=("LP-06",),
    zh="没有 logprobs 的 top_logprobs 应以 4xx 拒绝",
    operations=("chat",),
    probe="logprobs-alone",
    answers=Answers.REFUSAL,
    breaks="a mistake in a request stays hidden: nothing comes of it",
    breaks_zh="请求中的错误被掩盖:什么都没有返回",
    mend="Check that `logprobs` is true where `top_logprobs` is set, and answer 400 naming `top_logprobs` if not.",
    mend_zh="设置了 `top_logprobs` 时检查 `logprobs` 是否为 true,否则返回指明 `top_logprobs` 的 400。",
)
def top_logprobs_alone(exchange: Exchange) -> Iterator[Finding]:
    """`top_logprobs` without `logprobs` SHOULD be refused with a 4xx status."""
    yield from must_be_4xx(exchange)
