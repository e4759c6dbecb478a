"""Embeddings: one vector for each input, in order, of the length and form that was asked for.

Vendors' own vectors differ a little from call to call, so two answers are compared by their direction.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import mul
from typing import Any

from conformance.model import Case, Exchange, Finding
from conformance.refusals import message_of, refusal_is_plain
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.views import is_json, request_body

_ONE = ("embeddings",)
_KNOWN = {"text-embedding-ada-002": 1536, "text-embedding-3-small": 1536, "text-embedding-3-large": 3072}
"""Lengths of OpenAI's own vectors."""
_OPENAI = re.compile(r"(?:.*/)?text-embedding-(?:3|ada-002)\b", re.DOTALL)
_OPENAI_3 = re.compile(r"(?:.*/)?text-embedding-3\b", re.DOTALL)
_SAME, _TWICE = 0.999, 0.9999
"""Cosines from which two vectors are the same: of two requests, and of the same request sent twice."""
_NEAR = 1e-5
_UNIT = 0.01
_SHOWN = 60
_FIRST = "/data/0/embedding"


def inputs(exchange: Exchange) -> int:
    """How many inputs the request has."""
    given = request_body(exchange)["input"]
    return len(given) if isinstance(given, list) and not isinstance(given[0], int) else 1


def is_openai(model: str) -> bool:
    """The model is one of OpenAI's, by its name."""
    return bool(_OPENAI.match(model.lower()))


def numbers(embedding: Any) -> list[float]:
    """The components of an embedding, given as a list or in base64; empty where it is neither, or one is not finite."""
    try:
        found = _decoded(embedding) if isinstance(embedding, str) else [float(value) for value in embedding]
    except (ValueError, TypeError, OverflowError):
        return []
    return found if all(map(math.isfinite, found)) else []


def _decoded(text: str) -> list[float]:
    """Little-endian float32 from base64; raises ValueError for anything else."""
    raw = base64.b64decode(text, validate=True)
    if len(raw) % 4:
        raise ValueError("a part of a number is left over")
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def vectors(exchange: Exchange) -> list[list[float]]:
    """The vectors of an answer, in its own order."""
    return [numbers(item["embedding"]) for item in exchange.json["data"]]


def is_whole(exchange: Exchange) -> bool:
    """Every input has a vector that can be read and says something."""
    found = vectors(exchange)
    return len(found) == inputs(exchange) and all(map(any, found))


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """How alike two vectors point, from -1 to 1; 0 where they cannot be compared."""
    lengths = math.hypot(*one) * math.hypot(*other)
    if len(one) != len(other) or not 0 < lengths < math.inf:
        return 0.0
    return float(sum(map(mul, one, other))) / lengths


def _in_base64(case: Case) -> bool:
    return (case.body or {}).get("encoding_format") == "base64"


def _apart(one: Sequence[float], other: Sequence[float], least: float, where: Finding) -> Iterator[Finding]:
    """A finding where two vectors of one length point apart; their lengths are the matter of other rules."""
    found = cosine(one, other)
    if len(one) == len(other) and found <= least:
        yield replace(where, expected=f"cosine above {least} {where.expected}", actual=round(found, 6))


def _split(exchanges: Sequence[Exchange], probe: str) -> tuple[Exchange, Exchange]:
    """The exchange with this probe, and the first one without."""
    own = next(each for each in exchanges if probe in each.case.probes)
    return own, next(each for each in exchanges if probe not in each.case.probes)


@rule(
    "embeddings.data.one-each",
    doc="openai:embeddings/object",
    lines=("EMB-02",),
    zh="每个输入必须有一个嵌入,index 从 0 起依次递增",
    operations=_ONE,
    applies=is_json,
    needs=("/data",),
    breaks="vectors are stored with the wrong text",
    breaks_zh="向量会与错误的文本对应",
    mend="Pass the whole list on, or ask the upstream for each text, and set `index` to the place of the input; some "
    "converters embed the first text only or write 0 everywhere.",
    mend_zh="转发整个列表,或逐条请求上游,并把 `index` 设为输入的位置;有的转换程序只嵌入第一段文本,或全部写 0。",
)
def one_each(exchange: Exchange) -> Iterator[Finding]:
    """Every input MUST get one embedding, with the index of its place."""
    expected = list(range(inputs(exchange)))
    found = [item["index"] for item in exchange.json["data"]]
    if found != expected:
        label = "embedding-index-zero" if len(found) == len(expected) and not any(found) else ""
        label = "embedding-first-only" if len(expected) > 1 and found == [0] else label
        yield Finding("/data", expected, found, deviation=label)


@rule(
    "embeddings.vectors.numbers",
    doc="openai:embeddings/object#embedding",
    lines=("EMB-04",),
    zh="未要求 base64 时,嵌入必须是有限浮点数的列表,且不全为零",
    operations=_ONE,
    cases=lambda case: not _in_base64(case),
    applies=is_json,
    needs=("/data",),
    breaks="strings or useless numbers reach the index, without an error",
    breaks_zh="字符串或无用的数字会不报错地进入索引",
    mend="Pass the upstream's numbers on as JSON numbers, send base64 only when it was asked for, and answer an error "
    "where the upstream gave no vector.",
    mend_zh="把上游的数值作为 JSON 数字转发,只在要求时使用 base64;上游没有给出向量时返回错误。",
)
def vectors_are_numbers(exchange: Exchange) -> Iterator[Finding]:
    """An embedding MUST be a list of finite numbers, not all zero, unless base64 is asked for."""
    for place, item in enumerate(exchange.json["data"]):
        given = item["embedding"]
        if isinstance(given, str) or not any(numbers(given)):
            shown = given[:_SHOWN] if isinstance(given, str) else given[:3]
            yield Finding(f"/data/{place}/embedding", "finite numbers, not all zero", shown)


@rule(
    "embeddings.vectors.same-length",
    doc="openai:guides/embeddings",
    lines=("EMB-03",),
    zh="同一模型的向量长度必须一致;OpenAI 的模型则为其已知长度",
    operations=_ONE,
    over="run",
    cases=lambda case: "dimensions" not in (case.body or {}) and not _in_base64(case),
    applies=is_json,
    needs=("/data",),
    breaks="vector stores refuse the vectors, or mix those of two models",
    breaks_zh="向量库会拒绝写入,或混入两个模型的向量",
    mend="Give one model name to one upstream model: channels behind a name must not differ in their model or its "
    "default `dimensions`.",
    mend_zh="一个模型名只对应一个上游模型:同名的各渠道不得使用不同的模型或不同的默认 `dimensions`。",
)
def same_length(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Vectors of one model MUST have one length, and those of OpenAI's models the known one."""
    expected = _KNOWN.get(exchanges[0].model.lower().rpartition("/")[2], 0)
    for exchange in exchanges:
        for place, vector in enumerate(vectors(exchange)):
            expected = expected or len(vector)
            if vector and len(vector) != expected:
                at = f"/data/{place}/embedding"
                yield Finding(at, f"{expected} numbers", len(vector), exchange=exchange.case.id)


@rule(
    "embeddings.vectors.unit-length",
    doc="openai:guides/embeddings",
    lines=("EMB-04",),
    zh="OpenAI 模型的向量长度(范数)应为 1",
    operations=_ONE,
    cases=lambda case: not _in_base64(case),
    about=is_openai,
    applies=is_json,
    needs=("/data",),
    breaks="stores that compare by dot product rank wrongly",
    breaks_zh="按点积比较的向量库会排序错误",
    mend="Check that the channel serves OpenAI's own model, and scale vectors to length 1 again where the adapter "
    "shortens them.",
    mend_zh="确认渠道提供的确是 OpenAI 的模型;适配器截短向量后要重新归一化为长度 1。",
)
def unit_length(exchange: Exchange) -> Iterator[Finding]:
    """Vectors of OpenAI's models SHOULD be of length 1."""
    for place, vector in enumerate(vectors(exchange)):
        if any(vector) and abs(math.hypot(*vector) - 1) > _UNIT:
            yield Finding(f"/data/{place}/embedding", "length 1", round(math.hypot(*vector), 4))


@rule(
    "embeddings.batch.equals-single",
    doc="openai:embeddings/create#input",
    lines=("EMB-07",),
    zh="批量嵌入的每个结果必须与单独嵌入同一文本的结果一致",
    operations=_ONE,
    probe="batch-pair",
    over="run",
    least=2,
    anchor="batch",
    applies=is_whole,
    needs=("/data",),
    breaks="vectors are stored with the wrong text",
    breaks_zh="向量会与错误的文本对应",
    mend="Keep the order of the inputs when a batch is split or sent in parallel, and put each vector back by its "
    "`index`.",
    mend_zh="拆分或并行发送批次时保持输入顺序,并按 `index` 放回各向量。",
)
def batch_equals_single(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A text in a batch MUST get the vector that it gets alone."""
    batch, alone = _split(exchanges, "batch")
    texts, text = request_body(batch)["input"], request_body(alone)["input"]
    place = texts.index(text)
    where = Finding(f"/data/{place}/embedding", "with the vector of the text alone", exchange=batch.case.id)
    yield from _apart(vectors(batch)[place], vectors(alone)[0], _SAME, where)


@rule(
    "embeddings.vectors.repeat",
    doc="openai:guides/embeddings",
    lines=("EMB-12",),
    basis="implied",
    zh="同一文本两次的向量应几乎相同",
    operations=_ONE,
    probe="twice",
    over="run",
    least=2,
    applies=is_whole,
    needs=("/data",),
    breaks="what is searched for is not what was stored",
    breaks_zh="检索时的向量与入库时的不同",
    mend="Let one upstream model stand behind the name on all channels, and pass the text on unchanged.",
    mend_zh="让所有渠道上的该名称都对应同一个上游模型,并原样转发文本。",
)
def vectors_repeat(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The same text SHOULD get the same vector twice."""
    first, second = exchanges[:2]
    where = Finding(_FIRST, "with the first answer", exchange=second.case.id)
    yield from _apart(vectors(first)[0], vectors(second)[0], _TWICE, where)


@rule(
    "embeddings.vectors.sense",
    doc="openai:guides/embeddings",
    lines=("EMB-08",),
    basis="implied",
    zh="意思相近的文本,其向量应比无关文本的更接近",
    operations=_ONE,
    probe="sense",
    applies=is_whole,
    needs=("/data",),
    breaks="search finds nothing of use",
    breaks_zh="检索结果毫无用处",
    mend="Check which model the channel really asks, and that the text reaches it as it was sent; made-up or mixed-up "
    "vectors look like this.",
    mend_zh="检查渠道实际请求的是哪个模型,以及文本是否原样送达;编造或错位的向量就会如此。",
)
def vectors_make_sense(exchange: Exchange) -> Iterator[Finding]:
    """Texts that mean the same SHOULD be nearer to each other than to another one."""
    first, alike, other = vectors(exchange)
    near, far = cosine(first, alike), cosine(first, other)
    if near <= far:
        yield Finding("/data", f"cosine above {round(far, 4)} for the two alike", round(near, 4))


@rule(
    "embeddings.base64.honoured",
    doc="openai:embeddings/create#encoding_format",
    lines=("EMB-06",),
    zh="encoding_format 为 base64 时必须返回 base64 字符串",
    operations=_ONE,
    probe="base64",
    applies=is_json,
    needs=("/data",),
    breaks="openai for Node asks for base64 unasked and turns a list into garbage, silently",
    breaks_zh="Node 版 openai 默认请求 base64,收到列表会悄悄变成错误数据",
    mend="Read `encoding_format`: pass it on, or encode the floats yourself as base64 of little-endian float32.",
    mend_zh="读取 `encoding_format`:转发给上游,或自行把浮点数编码为小端 float32 的 base64。",
)
def base64_honoured(exchange: Exchange) -> Iterator[Finding]:
    """`encoding_format` base64 MUST be honoured."""
    for place, item in enumerate(exchange.json["data"]):
        given = item["embedding"]
        if not isinstance(given, str) or not given:
            at = f"/data/{place}/embedding"
            yield Finding(at, "base64", given[:3], deviation="embedding-format-ignored")


def _comparable(exchange: Exchange) -> bool:
    """A float answer that is whole, or an answer in base64 of some kind."""
    if not _in_base64(exchange.case):
        return is_whole(exchange)
    data = exchange.json["data"]
    return bool(data) and isinstance(data[0]["embedding"], str) and bool(data[0]["embedding"])


@rule(
    "embeddings.base64.decodes",
    doc="openai:embeddings/create#encoding_format",
    lines=("EMB-06",),
    zh="base64 必须解码为小端 float32,且与浮点形式是同一向量",
    operations=_ONE,
    probe="base64-pair",
    over="run",
    least=2,
    anchor="base64",
    applies=_comparable,
    needs=("/data",),
    breaks="both OpenAI SDKs decode it to garbage, silently",
    breaks_zh="两个 OpenAI SDK 都会悄悄解码出错误数据",
    mend="Pack the numbers as little-endian float32 and encode these bytes, not the JSON text of the list and not "
    "float64.",
    mend_zh="把数值按小端 float32 打包后再编码,不要编码列表的 JSON 文本,也不要用 float64。",
)
def base64_decodes(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The base64 form MUST be little-endian float32 of the same vector."""
    coded, plain = _split(exchanges, "base64")
    text = coded.json["data"][0]["embedding"]
    vector, other = numbers(text), vectors(plain)[0]
    name = coded.case.id
    if not vector:
        yield Finding(_FIRST, "base64 of finite little-endian float32", text[:_SHOWN], exchange=name)
    elif len(vector) != len(other):
        yield Finding(_FIRST, f"{4 * len(other)} bytes", 4 * len(vector), exchange=name)
    else:
        yield from _apart(vector, other, _SAME, Finding(_FIRST, "with the float form", exchange=name))


@rule(
    "embeddings.base64.exact",
    doc="openai:embeddings/create#encoding_format",
    lines=("EMB-06",),
    basis="implied",
    zh="base64 的数值可以与浮点形式相差 1e-5 以上,如厂商自身各次调用之间的差别",
    operations=_ONE,
    probe="base64-pair",
    over="run",
    least=2,
    anchor="base64",
    applies=is_whole,
    needs=("/data",),
    breaks="nothing; vectors were rounded, or computed twice",
    breaks_zh="没有影响;只是向量被舍入或重新计算过",
    mend="Nothing has to change; make both forms from the same vector, without rounding one of them.",
    mend_zh="无须修改;两种形式应由同一个向量得出,不要对其中之一取整。",
    noisy=True,
)
def base64_exact(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The numbers of the base64 form MAY differ from the floats by more than 1e-5."""
    coded, plain = _split(exchanges, "base64")
    vector, other = vectors(coded)[0], vectors(plain)[0]
    if cosine(vector, other) <= _SAME:
        return  # another vector altogether
    apart = max(abs(one - two) for one, two in zip(vector, other, strict=True))
    if apart > _NEAR:
        yield Finding(_FIRST, f"within {_NEAR} of the float form", apart, exchange=coded.case.id)


@rule(
    "embeddings.dimensions.honoured",
    doc="openai:embeddings/create#dimensions",
    lines=("EMB-05",),
    zh="text-embedding-3 系列模型必须遵守 dimensions",
    operations=_ONE,
    probe="dimensions",
    applies=lambda exchange: bool(_OPENAI_3.match(exchange.model.lower())) and is_whole(exchange),
    needs=("/data",),
    breaks="vectors do not fit the store that was made for them",
    breaks_zh="向量与为其建立的向量库维度不符",
    mend="Pass `dimensions` on; where the upstream has no such field, cut the vector to that length and scale it to "
    "length 1.",
    mend_zh="转发 `dimensions`;上游没有该字段时,截到该长度并重新归一化。",
)
def dimensions_honoured(exchange: Exchange) -> Iterator[Finding]:
    """Models of the text-embedding-3 family MUST honour `dimensions`."""
    asked, found = request_body(exchange)["dimensions"], len(vectors(exchange)[0])
    if found != asked:
        yield Finding(_FIRST, f"{asked} numbers", found, deviation="params-dropped")


@rule(
    "embeddings.tokens.accepted",
    doc="openai:embeddings/create#input",
    lines=("EMB-11",),
    zh="OpenAI 的嵌入模型应接受 token 数组,或明确拒绝",
    operations=_ONE,
    probe="tokens",
    answers=Answers.VALID,
    about=is_openai,
    breaks="langchain sends token lists by default and fails",
    breaks_zh="langchain 默认发送 token 列表,会失败",
    mend="Read `input` as a text, a list of texts, a list of token numbers or a list of such lists, or answer 400 "
    "naming `input`.",
    mend_zh="`input` 应可为字符串、字符串列表、token 编号列表或其列表,否则返回指明 `input` 的 400。",
)
def tokens_accepted(exchange: Exchange) -> Iterator[Finding]:
    """OpenAI's models SHOULD take a list of tokens as input, or plainly refuse it."""
    if exchange.status >= 300 and not refusal_is_plain(exchange):
        yield Finding("status", "200, or a refusal that names input", exchange.status, message_of(exchange))


@rule(
    "embeddings.tokens.equal-text",
    doc="openai:embeddings/create#input",
    lines=("EMB-11",),
    zh="token 数组的向量应与其文本的向量相同",
    operations=_ONE,
    probe="tokens-pair",
    over="run",
    least=2,
    anchor="tokens",
    about=is_openai,
    applies=is_whole,
    needs=("/data",),
    breaks="what langchain stores is not found by the text",
    breaks_zh="langchain 入库的内容用文本检索不到",
    mend="Pass token numbers on as they are, or decode them with the model's own tokenizer, instead of embedding "
    "their digits as text.",
    mend_zh="原样转发 token 编号,或用该模型自己的分词器解码,不要把数字当作文本嵌入。",
)
def tokens_equal_text(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A list of tokens SHOULD get the vector of its text."""
    coded, plain = _split(exchanges, "tokens")
    where = Finding(_FIRST, "with the vector of the text", exchange=coded.case.id)
    yield from _apart(vectors(coded)[0], vectors(plain)[0], _SAME, where)


@rule(
    "embeddings.usage.counts",
    doc="openai:embeddings/object#usage",
    lines=("EMB-09",),
    zh="prompt_tokens 必须大于 0",
    operations=_ONE,
    applies=is_json,
    needs=("/usage",),
    breaks="billing cannot be checked; clients add up zeros",
    breaks_zh="无法核对计费;客户端累计的是零",
    mend="Copy the upstream's `prompt_tokens`, or count the input with the model's tokenizer; a counter written for "
    "chat finds no `messages` here.",
    mend_zh="采用上游的 `prompt_tokens`,或用该模型的分词器统计输入;为聊天写的统计程序在这里找不到 `messages`。",
)
def usage_counts(exchange: Exchange) -> Iterator[Finding]:
    """`usage.prompt_tokens` MUST count the input."""
    counted = exchange.json["usage"]["prompt_tokens"]
    if counted <= 0:
        yield Finding("/usage/prompt_tokens", "more than 0", counted, deviation="usage-zero")


@rule(
    "embeddings.usage.adds-up",
    doc="openai:embeddings/object#usage",
    lines=("EMB-09",),
    zh="total_tokens 必须等于 prompt_tokens",
    operations=_ONE,
    applies=is_json,
    needs=("/usage",),
    breaks="billing: clients that trust the total miscount",
    breaks_zh="计费:相信总数的客户端会算错",
    mend="Set `total_tokens` to `prompt_tokens` in the adapter: there is no output to add.",
    mend_zh="在适配器中把 `total_tokens` 设为 `prompt_tokens`:没有输出可加。",
)
def usage_adds_up(exchange: Exchange) -> Iterator[Finding]:
    """`usage.total_tokens` MUST equal the prompt tokens: nothing is written."""
    usage = exchange.json["usage"]
    if usage["total_tokens"] != usage["prompt_tokens"]:
        total = usage["total_tokens"]
        yield Finding("/usage/total_tokens", usage["prompt_tokens"], total, deviation="usage-total-mismatch")


@rule(
    "embeddings.input.required",
    doc="openai:embeddings/create#input",
    lines=("EMB-10",),
    zh="没有 input 或 input 为空字符串的请求必须以 4xx 拒绝",
    operations=_ONE,
    probe="no-input",
    answers=Answers.REFUSAL,
    breaks="a mistake is billed, or retried because of a 5xx",
    breaks_zh="错误的请求也会计费,或因 5xx 被反复重试",
    mend="Answer bad requests yourself before choosing a channel: 400 with `param` `input` where it is missing or "
    "empty.",
    mend_zh="选择渠道之前自行处理错误请求:`input` 缺少或为空时返回 400,`param` 为 `input`。",
)
def input_required(exchange: Exchange) -> Iterator[Finding]:
    """A request whose input is missing or empty MUST be refused with a 4xx status."""
    yield from must_be_4xx(exchange)
