"""Shape: every operation against its compat and strict schema, and what nobody documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from conformance.contract import CONTRACTS, load_schemas, shape_errors
from conformance.model import Exchange, Finding
from conformance.operations import OPERATIONS
from conformance.rules.base import rule
from conformance.rules.views import is_readable

_SUBJECTS = {
    "models.list": ("models.list", "The list of models", "模型列表", "openai:models/list", ("MOD-01", "MOD-02")),
    "models.retrieve": ("models.retrieve", "A single model", "单个模型", "openai:models/retrieve", ("MOD-06",)),
    "chat.response": ("chat", "A chat completion", "聊天补全", "openai:chat/object", ("CHAT-01", "CHAT-06", "CHAT-23")),
    "chat.stream": ("chat.stream", "Every stream chunk", "每个流式数据块", "openai:chat/streaming", ("STR-05",)),
}
_WORDS = {
    "compat": ("MUST have the shape that the official SDK needs", "的结构必须符合官方 SDK 的要求"),
    "strict": ("MAY lack what only OpenAI's own document requires", "可以缺少只有 OpenAI 自己文档要求的字段"),
}
_BREAKS = {
    "compat": ("typed clients raise, or hand on None", "强类型客户端会报错或得到 None"),
    "strict": ("only clients that trust OpenAI's own lists", "只影响完全依赖 OpenAI 文档的客户端"),
}
_MENDS = {
    "models.list.compat": (
        (
            'Write `{"object": "list", "data": […]}` where each entry has `id`, `object`, `created` and `owned_by`, '
            "whatever the upstreams' lists look like."
        ),
        '无论上游列表是什么样,都写成 `{"object": "list", "data": […]}`,每项含 `id`、`object`、`created`、`owned_by`。',
    ),
    "models.list.strict": (
        (
            "Nothing has to change; fill in the missing fields in the table of models to be complete by OpenAI's "
            "document as well."
        ),
        "无须修改;在模型表中补全缺少的字段,即可完全符合 OpenAI 的文档。",
    ),
    "models.list.extra-fields": (
        (
            "Nothing has to change; leave fields of your own out for clients that check strictly, or offer them under "
            "a path of your own."
        ),
        "无须修改;若要照顾严格检查的客户端,可去掉自有字段,或放到自己的路径下提供。",
    ),
    "models.retrieve.compat": (
        (
            "Answer one plain model object with `id`, `object`, `created` and `owned_by`, not a list and not a wrapper "
            "of your own."
        ),
        "直接返回一个模型对象,含 `id`、`object`、`created`、`owned_by`,不要返回列表或外加一层包装。",
    ),
    "models.retrieve.strict": (
        (
            "Nothing has to change; fill in the missing fields in the table of models to be complete by OpenAI's "
            "document as well."
        ),
        "无须修改;在模型表中补全缺少的字段,即可完全符合 OpenAI 的文档。",
    ),
    "chat.response.compat": (
        (
            "Build the answer in the adapter from typed fields (`id`, `object`, `choices[].message` and so on) rather "
            "than handing the upstream's body through, and test it with the official SDK."
        ),
        (
            "在适配器中按类型逐字段组成回答 (`id`、`object`、`choices[].message` 等),不要原样转发上游正文,并用官方 SDK "
            "测试。"
        ),
    ),
    "chat.response.strict": (
        (
            "Nothing has to change; let the adapter fill in the missing fields (null where they do not apply) to be "
            "complete by OpenAI's document."
        ),
        "无须修改;由适配器补全缺少的字段 (不适用时为 null),即可完全符合 OpenAI 的文档。",
    ),
    "chat.response.extra-fields": (
        (
            "Nothing has to change; strip the upstream's own fields in the adapter where customers need plain OpenAI "
            "answers."
        ),
        "无须修改;若客户需要纯粹的 OpenAI 格式,可在适配器中去掉上游自有的字段。",
    ),
    "chat.stream.compat": (
        (
            "Build each chunk in the adapter with `id`, `object`, `created`, `model` and `choices[].index`, `delta`, "
            "`finish_reason`, also the one that ends the stream and the one with the usage."
        ),
        (
            "在适配器中为每个数据块写出 `id`、`object`、`created`、`model` 以及 `choices[].index`、`delta`、"
            "`finish_reason`,包括结束块和用量块。"
        ),
    ),
    "chat.stream.strict": (
        (
            "Nothing has to change; let the adapter fill in the missing fields of each chunk to be complete by "
            "OpenAI's document."
        ),
        "无须修改;由适配器补全各数据块缺少的字段,即可完全符合 OpenAI 的文档。",
    ),
    "chat.stream.extra-fields": (
        (
            "Nothing has to change; strip the upstream's own fields from the chunks where customers need plain OpenAI "
            "streams."
        ),
        "无须修改;若客户需要纯粹的 OpenAI 格式,可从数据块中去掉上游自有的字段。",
    ),
}
_KNOWN_EXTRAS = {
    "permission": "openai-extra-keys",
    "root": "openai-extra-keys",
    "parent": "openai-extra-keys",
    "success": "openai-extra-keys",
    "supported_endpoint_types": "openai-extra-keys",
    "claude_cache_creation_5_m_tokens": "openai-extra-keys",
    "claude_cache_creation_1_h_tokens": "openai-extra-keys",
    "prompt_filter_results": "azure-backed",
    "content_filter_results": "azure-backed",
}


def _shape_rule(subject: str, contract: str) -> None:
    """Enter the rule that holds one kind of answer to one schema."""
    operation, name, zh, doc, lines = _SUBJECTS[subject]
    words, zh_words = _WORDS[contract]
    mend, mend_zh = _MENDS[f"{subject}.{contract}"]

    def check(exchange: Exchange) -> Iterator[Finding]:
        yield from shape_findings(exchange, contract)

    check.__doc__ = f"{name} {words}."
    rule(
        f"{subject}.{contract}",
        doc=doc,
        lines=lines,
        zh=zh + zh_words,
        operations=(operation,),
        applies=keeps_compat if contract == "strict" else is_readable,
        breaks=_BREAKS[contract][0],
        breaks_zh=_BREAKS[contract][1],
        mend=mend,
        mend_zh=mend_zh,
    )(check)


def keeps_compat(exchange: Exchange) -> bool:
    """Whether there is anything to ask of `strict`: what breaks `compat` has been said already, and louder."""
    return is_readable(exchange) and not shape_errors(exchange, "compat")


def shape_findings(exchange: Exchange, contract: str) -> Iterator[Finding]:
    """A finding for each place where an answer breaks one of its schemas."""
    for error in shape_errors(exchange, contract):
        label = _label(exchange.case.operation, error.at, error.actual)
        yield Finding(error.at, error.expected, error.actual, error.message, deviation=label)


def _label(subject: str, at: str, actual: Any) -> str:
    """The known deviation that a shape error is a sign of."""
    if subject == "models.list" and at == "/object":
        return "models-list-object-missing"
    if at.endswith("/delta") and actual == "absent":
        return "message-for-delta"
    if at.endswith("_tokens") and isinstance(actual, str):
        return "usage-as-strings"
    return ""


@cache
def _documented(operation: str) -> Mapping[str, Any]:
    """The properties that the schemas of an operation name, as a tree; lists stand under `*`."""
    home = f"{OPERATIONS[operation].schema}.json"
    tree: dict[str, Any] = {}
    for contract in CONTRACTS:
        _grow(tree, {"$ref": f"#/$defs/{contract}"}, home, ())
    return tree


def _grow(tree: dict[str, Any], schema: Any, home: str, seen: tuple[str, ...]) -> None:
    """Add what one schema names to the tree, following references (`seen`: those that led here)."""
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if reference and (target := _target(reference, home)) not in seen:
        path, _, pointer = target.partition("#")
        _grow(tree, load_schemas()[path]["$defs"][pointer.rpartition("/")[2]], path, (*seen, target))
    for part in [*(schema.get(word) for word in ("if", "then", "else")), *_alternatives(schema)]:
        _grow(tree, part, home, seen)
    for name, inner in schema.get("properties", {}).items():
        _grow(tree.setdefault(name, {}), inner, home, seen)
    if "items" in schema:
        _grow(tree.setdefault("*", {}), schema["items"], home, seen)


def _target(reference: str, home: str) -> str:
    """What a reference in the document `home` refers to, by path and pointer."""
    path, _, pointer = reference.partition("#")
    folder = home.rpartition("/")[0]
    return f"{(path if '/' in path else f'{folder}/{path}') if path else home}#{pointer}"


def _alternatives(schema: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas of which some or all hold besides."""
    for word in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(word, ())


@cache
def _closed(operation: str) -> Any:
    """A quick validator that lets documented keys through and nothing else."""
    return jsonschema_rs.validator_for(_closing(_documented(operation)))


def _closing(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The tree as a schema without types; what the tree does not describe stays open."""
    if not tree:
        return {}
    items = {"items": _closing(tree["*"])} if "*" in tree else {}
    return {"properties": {key: _closing(inner) for key, inner in tree.items()}, "additionalProperties": False, **items}


def _extras(value: Any, tree: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    """(pointer, key) of every key that the tree does not know; what it does not describe is not entered."""
    if isinstance(value, list) and "*" in tree:
        for index, inner in enumerate(value):
            yield from _extras(inner, tree["*"], f"{at}/{index}")
    elif isinstance(value, dict) and tree:
        for key, inner in value.items():
            below = f"{at}/{_step(key)}"
            if key not in tree:
                yield below, key
            else:
                yield from _extras(inner, tree[key], below)


def undocumented(exchange: Exchange) -> Iterator[Finding]:
    """A finding for each field that the schemas of the exchange's operation do not know, the first time it comes."""
    operation = exchange.case.operation
    tree = _documented(operation)
    if OPERATIONS[operation].streams:
        bodies = [(f"/events/{chunk.event}", chunk.value) for chunk in exchange.stream.chunks]
    else:
        bodies = [("", exchange.json)]
    seen: set[str] = set()
    for prefix, body in bodies:
        if _knows_all(operation, body):
            continue
        for at, key in _extras(body, tree):
            if key not in seen:
                seen.add(key)
                yield Finding(prefix + at, "no such field", key, deviation=_KNOWN_EXTRAS.get(key, ""))


def _knows_all(operation: str, body: Any) -> bool:
    """Whether every key of a body is documented; no for what the quick validator cannot hold."""
    try:
        return bool(_closed(operation).is_valid(body))
    except (ValueError, OverflowError):
        return False


def _step(key: str) -> str:
    """A key as one step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _extras_rule(subject: str) -> None:
    """Enter the rule that lists undocumented fields of one kind of answer."""
    operation, name, zh, doc, _ = _SUBJECTS[subject]
    mend, mend_zh = _MENDS[f"{subject}.extra-fields"]

    def check(exchange: Exchange) -> Iterator[Finding]:
        yield from undocumented(exchange)

    check.__doc__ = f"{name} MAY have fields that OpenAI does not document."
    rule(
        f"{subject}.extra-fields",
        doc=doc,
        lines=("MOD-09",) if operation.startswith("models") else ("USE-09", "STR-23"),
        zh=zh + "可以含有 OpenAI 文档之外的字段",
        operations=(operation,),
        applies=is_readable,
        breaks="nothing; it tells which software runs here",
        breaks_zh="没有影响;可据此看出所用软件",
        mend=mend,
        mend_zh=mend_zh,
    )(check)


for _subject in _SUBJECTS:
    for _contract in CONTRACTS:
        _shape_rule(_subject, _contract)
    if _subject != "models.retrieve":
        _extras_rule(_subject)
