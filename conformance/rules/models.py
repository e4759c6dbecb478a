"""The list of models, and one model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from conformance.model import Exchange, Finding
from conformance.refusals import message_of
from conformance.rules.base import Answers, rule
from conformance.rules.views import SUCCESS

_MADE_UP_TIME = 1_626_777_600
_FACTS = ("object", "created", "owned_by")


def _ids(exchange: Exchange) -> list[str]:
    return [entry["id"] for entry in exchange.json["data"]]


@rule(
    "models.list.ids-unique",
    doc="openai:models/list",
    lines=("MOD-03",),
    basis="implied",
    zh="模型列表里的 id 不得重复",
    operations=("models.list",),
    needs=("/data/*/id",),
    breaks="model pickers show doubles",
    breaks_zh="模型选择列表出现重复项",
    mend="Merge the models of all channels by id before listing them: several channels serve the same model.",
    mend_zh="列出之前按 id 合并各渠道的模型:同一模型往往由多个渠道提供。",
)
def ids_unique(exchange: Exchange) -> Iterator[Finding]:
    """Each model id MUST be listed once."""
    for name, count in Counter(_ids(exchange)).items():
        if count > 1:
            yield Finding("/data", f"{name!r} once", count)


@rule(
    "models.list.ids-trimmed",
    doc="openai:models/list",
    lines=("MOD-04",),
    basis="implied",
    zh="模型 id 前后不应有空白",
    operations=("models.list",),
    needs=("/data/*/id",),
    breaks="a copied model name is not found",
    breaks_zh="复制出来的模型名找不到",
    mend="Trim the model names when a channel is saved; blanks mostly come from a comma-separated list in its "
    "settings.",
    mend_zh="保存渠道时去掉模型名首尾的空白;它们大多来自设置里用逗号分隔的模型列表。",
)
def ids_trimmed(exchange: Exchange) -> Iterator[Finding]:
    """Model ids SHOULD NOT begin or end with blanks."""
    for place, name in enumerate(_ids(exchange)):
        if name != name.strip():
            yield Finding(f"/data/{place}/id", name.strip(), name)


@rule(
    "models.list.names-model",
    doc="openai:models/list",
    lines=("MOD-04",),
    basis="implied",
    zh="能调用的模型应出现在模型列表中",
    operations=("models.list",),
    needs=("/data/*/id",),
    breaks="clients that offer only listed models cannot use it",
    breaks_zh="只提供列表内模型的客户端无法选用它",
    mend="List every model that a key may use, names that a channel maps to others included.",
    mend_zh="列出密钥可以使用的全部模型,包括渠道做了映射的名称。",
)
def names_model(exchange: Exchange) -> Iterator[Finding]:
    """The list SHOULD name the model under test."""
    listed = _ids(exchange)
    if exchange.model not in listed:
        yield Finding("/data", exchange.model, f"{len(listed)} other models")


@rule(
    "models.list.stable",
    doc="openai:models/list",
    lines=("MOD-08",),
    basis="implied",
    zh="连续两次列出的模型集合应相同",
    operations=("models.list",),
    probe="stable",
    over="run",
    least=2,
    needs=("/data/*/id",),
    breaks="a model is there on one call and gone on the next",
    breaks_zh="同一个模型时有时无",
    mend="Make the list from the configured channels, not from those that happen to be healthy, and let all nodes "
    "read the same configuration.",
    mend_zh="模型列表应来自渠道配置,而不是当下恰好可用的渠道,并让所有节点读取同一份配置。",
)
def list_stable(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Two calls SHOULD list the same models."""
    first, second = (set(_ids(exchange)) for exchange in exchanges[:2])
    if first != second:
        yield Finding("/data", "the same ids", sorted(first ^ second))


@rule(
    "models.list.real-facts",
    doc="one-api:controller/model",
    lines=("MOD-02",),
    zh="created 与 owned_by 可以是占位值",
    operations=("models.list",),
    needs=("/data",),
    breaks="nothing; it tells which software runs here",
    breaks_zh="没有影响;可据此看出所用软件",
    mend="Nothing has to change; to be exact, keep each model's own `created` and `owned_by` from its upstream's list.",
    mend_zh="无须修改;若要准确,保留上游列表里各模型自己的 `created` 和 `owned_by`。",
)
def real_facts(exchange: Exchange) -> Iterator[Finding]:
    """`created` and `owned_by` MAY be made up, as one-api does."""
    data = exchange.json["data"]
    if data and all(entry.get("created") == _MADE_UP_TIME for entry in data):
        yield Finding(
            "/data/0/created", "a time of the model's own", _MADE_UP_TIME, deviation="models-created-constant"
        )
    if any(entry.get("owned_by") == "custom" for entry in data):
        yield Finding("/data", "the owner", "custom", deviation="models-owner-custom")


@rule(
    "models.retrieve.matches-list",
    doc="openai:models/retrieve",
    lines=("MOD-06",),
    zh="单个模型的查询结果应与列表中的条目一致",
    operations=("models.retrieve", "models.list"),
    probe="",
    over="run",
    least=2,
    needs=("/data/*/id", "/id"),
    breaks="clients that check a model before use are misled",
    breaks_zh="使用前先查询模型的客户端会被误导",
    mend="Let `GET /v1/models/{id}` read from the same table as the list, so that both tell the same `created` and "
    "`owned_by`.",
    mend_zh="让 `GET /v1/models/{id}` 与列表读取同一份数据,使 `created`、`owned_by` 等一致。",
)
def retrieve_matches_list(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A model that is listed SHOULD be retrieved with the same facts."""
    listed = next((each for each in exchanges if each.case.operation == "models.list"), None)
    entries = {entry["id"]: entry for entry in listed.json["data"]} if listed else {}
    for single in exchanges:
        name = _asked(single)
        if single.case.operation == "models.retrieve" and name in entries:
            yield from _differences(single, name, entries[name])


def _asked(exchange: Exchange) -> str:
    """The model that the address of a request names."""
    return unquote(exchange.request.url.partition("/models/")[2])


def _differences(single: Exchange, name: str, entry: Mapping[str, Any]) -> Iterator[Finding]:
    """What an answer about one model says otherwise than the list."""
    if single.json["id"] != name:
        yield Finding("/id", name, single.json["id"], exchange=single.case.id)
    for fact in _FACTS:
        said = entry.get(fact), single.json.get(fact)
        # What is missing or of another type has been said already.
        if type(said[0]) is type(said[1]) and said[0] != said[1]:
            yield Finding(f"/{fact}", entry[fact], single.json[fact], exchange=single.case.id)


@rule(
    "models.retrieve.listed-found",
    doc="openai:models/retrieve",
    lines=("MOD-06",),
    zh="列表中的模型应能单独查询到",
    operations=("models.retrieve",),
    probe="listed",
    answers=Answers.VALID,
    breaks="clients that check a model before use think that it is gone",
    breaks_zh="使用前先查询模型的客户端会以为它不存在",
    mend="Look single models up in the list that this key is shown, instead of in a table of built-in names, and "
    "decode the id in the path (it may hold `/` and `:`).",
    mend_zh="单独查询时应在该密钥看到的列表中查找,而不是在内置名称表里;并正确解码路径中的 id (可能含 `/` 和 `:`)。",
)
def listed_is_found(exchange: Exchange) -> Iterator[Finding]:
    """A model that is listed SHOULD be found when it is asked for alone."""
    if exchange.status not in SUCCESS or exchange.error:
        label = "retrieve-built-in-only"
        yield Finding("status", 200, exchange.status, message_of(exchange), deviation=label)


@rule(
    "models.retrieve.unknown-404",
    doc="openai:models/retrieve",
    lines=("MOD-07",),
    zh="查询不存在的模型必须返回 HTTP 404",
    operations=("models.retrieve",),
    probe="unknown-model",
    answers=Answers.REFUSAL,
    breaks="a model that is not there seems to be",
    breaks_zh="不存在的模型看起来存在",
    mend="Set status 404 where the lookup finds nothing; the error object alone, with status 200, does not do.",
    mend_zh="查不到时把状态码设为 404;只在 200 里放错误对象是不够的。",
)
def retrieve_unknown(exchange: Exchange) -> Iterator[Finding]:
    """Retrieving an unknown model MUST be answered with HTTP 404."""
    if exchange.status != 404:
        label = "error-in-200" if exchange.error and exchange.status == 200 else ""
        yield Finding("status", 404, exchange.status, deviation=label)
