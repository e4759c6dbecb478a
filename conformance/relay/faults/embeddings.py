"""Faults of embeddings."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.relay.call import Call

_BATCH = "embeddings.batch.equals-single"
_DECODES = "embeddings.base64.decodes"
_NUMBERS = "embeddings.vectors.numbers"


def _in_base64(call: Call) -> bool:
    return call.request.get("encoding_format") == "base64"


def _floats(item: dict[str, Any]) -> list[float]:
    """The components of one item, whatever its form."""
    given = item["embedding"]
    if isinstance(given, str):
        raw = base64.b64decode(given)
        return list(struct.unpack(f"<{len(raw) // 4}f", raw))
    return list(given)


def _coded(vector: list[float], order: str = "<", letter: str = "f") -> str:
    return base64.b64encode(struct.pack(f"{order}{len(vector)}{letter}", *vector)).decode()


def _change(call: Call, change: Callable[[list[float]], list[float]]) -> None:
    """Change every vector, in the form that it has."""
    for item in call.answer["data"]:
        found = change(_floats(item))
        item["embedding"] = _coded(found) if isinstance(item["embedding"], str) else found


@fault(
    "embedding-index-zero",
    Stage.EMBEDDINGS,
    trips={"embeddings.data.one-each"},
    zh="每个嵌入的 index 都是 0",
)
def _(call: Call) -> None:
    """Every embedding has index 0, as in the Gemini channel of one-api."""
    for item in call.answer["data"]:
        item["index"] = 0


@fault("embedding-first-only", Stage.EMBEDDINGS, trips={"embeddings.data.one-each"}, zh="只嵌入第一段文本")
def _(call: Call) -> None:
    """Of several texts, the first is embedded, as in the Gemini channel of new-api in 2025."""
    del call.answer["data"][1:]


@fault("embedding-order-lost", Stage.EMBEDDINGS, trips={_BATCH}, zh="嵌入的顺序错乱")
def _(call: Call) -> None:
    """The vectors of a batch come in reverse, under the indexes of the right order."""
    data = call.answer["data"]
    for item, vector in zip(data, [item["embedding"] for item in reversed(data)], strict=True):
        item["embedding"] = vector


@fault("embedding-null", Stage.EMBEDDINGS, trips={"operation.response.compat"}, zh="嵌入是 null")
def _(call: Call) -> None:
    """An embedding is null."""
    for item in call.answer["data"]:
        item["embedding"] = None


@fault("embedding-zeros", Stage.EMBEDDINGS, trips={_NUMBERS}, zh="向量全为零")
def _(call: Call) -> None:
    """A text that is embedded alone gets a vector of zeros."""
    if len(call.answer["data"]) == 1 and not call.request.keys() & {"encoding_format", "dimensions"}:
        _change(call, lambda vector: [0.0] * len(vector))


@fault("embedding-base64-unasked", Stage.EMBEDDINGS, trips={_NUMBERS}, zh="未要求却返回 base64")
def _(call: Call) -> None:
    """Embeddings come in base64 whatever was asked for."""
    for item in call.answer["data"]:
        item["embedding"] = _coded(_floats(item))


@fault("embedding-length-varies", Stage.EMBEDDINGS, trips={"embeddings.vectors.same-length"}, zh="向量长度不一")
def _(call: Call) -> None:
    """The vectors of a batch are shorter than those of a single text."""
    if len(call.answer["data"]) > 1:
        _change(call, lambda vector: vector[:-1])


@fault("embedding-not-normalised", Stage.EMBEDDINGS, trips={"embeddings.vectors.unit-length"}, zh="向量没有归一化")
def _(call: Call) -> None:
    """Vectors are three times as long as OpenAI's."""
    _change(call, lambda vector: [3 * value for value in vector])


@fault("embedding-drifts", Stage.EMBEDDINGS, trips={"embeddings.vectors.repeat"}, zh="同一文本第二次的向量不同")
def _(call: Call) -> None:
    """The same request gets another vector the second time."""
    if call.state.count(call.raw.hex()) > 1:
        _change(call, lambda vector: [*vector[1:], vector[0]])


@fault("embedding-senseless", Stage.EMBEDDINGS, trips={"embeddings.vectors.sense"}, zh="向量与意思无关")
def _(call: Call) -> None:
    """What means the same is embedded as the opposite."""
    data = call.answer["data"]
    if len(data) > 1:
        data[0]["embedding"] = [-value for value in _floats(data[0])]


@fault("embedding-format-ignored", Stage.EMBEDDINGS, trips={"embeddings.base64.honoured"}, zh="忽略 encoding_format")
def _(call: Call) -> None:
    """Floats come although base64 was asked for, as in new-api#1402."""
    for item in call.answer["data"]:
        item["embedding"] = _floats(item)


@fault("embedding-format-empty", Stage.EMBEDDINGS, trips={"embeddings.base64.honoured"}, zh="要求 base64 时返回空向量")
def _(call: Call) -> None:
    """An empty vector comes when base64 was asked for."""
    if _in_base64(call):
        call.answer["data"][0]["embedding"] = []


@fault("embedding-big-endian", Stage.EMBEDDINGS, trips={_DECODES}, zh="base64 是大端序")
def _(call: Call) -> None:
    """The base64 form is big-endian."""
    if _in_base64(call):
        call.answer["data"][0]["embedding"] = _coded(_floats(call.answer["data"][0]), ">")


@fault("embedding-double", Stage.EMBEDDINGS, trips={_DECODES}, zh="base64 是 float64")
def _(call: Call) -> None:
    """The base64 form is of float64."""
    if _in_base64(call):
        call.answer["data"][0]["embedding"] = _coded(_floats(call.answer["data"][0]), "<", "d")


@fault("embedding-not-base64", Stage.EMBEDDINGS, trips={_DECODES}, zh="base64 无法解码")
def _(call: Call) -> None:
    """What was asked for in base64 is JSON in a string."""
    if _in_base64(call):
        item = call.answer["data"][0]
        item["embedding"] = str([round(value, 4) for value in _floats(item)])


@fault("embedding-rounded", Stage.EMBEDDINGS, trips={"embeddings.base64.exact"}, zh="base64 形式被舍入")
def _(call: Call) -> None:
    """The base64 form is rounded to three digits."""
    if _in_base64(call):
        _change(call, lambda vector: [round(value, 3) for value in vector])


@fault(
    "embedding-dimensions-ignored",
    Stage.EMBEDDINGS_REQUEST,
    trips={"embeddings.dimensions.honoured"},
    zh="忽略 dimensions",
)
def _(call: Call) -> None:
    """Vectors have their full length whatever was asked for."""
    call.request.pop("dimensions", None)


def _is_coded(call: Call) -> bool:
    """Whether the input is a list of tokens."""
    given = call.request.get("input")
    return isinstance(given, list) and isinstance(given[0], int)


@fault("embedding-tokens-refused", Stage.EMBEDDINGS_REQUEST, trips={"embeddings.tokens.accepted"}, zh="拒绝 token 数组")
def _(call: Call) -> None:
    """Lists of tokens are refused without a word about what is wrong."""
    if _is_coded(call):
        raise Refusal(400, "bad request body")


@fault(
    "embedding-tokens-as-text", Stage.EMBEDDINGS_REQUEST, trips={"embeddings.tokens.equal-text"}, zh="把 token 当作文字"
)
def _(call: Call) -> None:
    """The numbers of tokens are embedded as if they were the text."""
    if _is_coded(call):
        call.request["input"] = str(call.request["input"])


@fault("embedding-usage-zero", Stage.EMBEDDINGS, trips={"embeddings.usage.counts"}, zh="嵌入的用量为零")
def _(call: Call) -> None:
    """No tokens are counted, as in the Gemini channel of one-api."""
    call.answer["usage"] = {"prompt_tokens": 0, "total_tokens": 0}


@fault("embedding-usage-total", Stage.EMBEDDINGS, trips={"embeddings.usage.adds-up"}, zh="嵌入的总数多于输入")
def _(call: Call) -> None:
    """The total counts more than the input, although nothing is written."""
    call.answer["usage"]["total_tokens"] += 7


@fault(
    "embedding-input-unneeded", Stage.EMBEDDINGS_REQUEST, trips={"embeddings.input.required"}, zh="没有 input 也作答"
)
def _(call: Call) -> None:
    """A request without an input, or with an empty one, is answered."""
    call.request["input"] = call.request.get("input") or "nothing"


@fault("embedding-input-500", Stage.EMBEDDINGS_REQUEST, trips={"embeddings.input.required"}, zh="没有 input 时返回 500")
def _(call: Call) -> None:
    """A request without an input is answered 500, as in new-api before 2026-08."""
    if not call.request.get("input"):
        raise Refusal(500, "input is empty", kind="new_api_error", code="invalid_request")


@fault(
    "embedding-lists-refused", Stage.EMBEDDINGS_REQUEST, trips={"operation.request.accepted"}, zh="拒绝多个文本的输入"
)
def _(call: Call) -> None:
    """Only one text is taken, as the pages of some providers document it."""
    if isinstance(call.request.get("input"), list):
        raise Refusal(400, "Invalid type for 'input': expected a string.", param="input", code="invalid_type")
