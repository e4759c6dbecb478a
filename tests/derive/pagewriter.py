"""Writes pages in the grammar of Apifox page text; every word of them is ours."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.derive.nouns import Source

NBSP = "\u00a0"
LANGUAGES = ("Shell", "JavaScript", "Java", "Swift")
ENGLISH = (
    ("必需", "required"),
    ("可选", "optional"),
    ("请求参数", "Request"),
    ("在 Header 添加参数", "Add parameter in header"),
    ("Body 参数", "Body Params "),
    ("Header 参数", "Header Params"),
    ("请求示例请求示例", "Request Example"),
    ("示例代码", "Request Code Samples"),
    ("返回响应", "Responses"),
    ("示例值:", "Example:"),
    ("默认值:", "Default:"),
    ("枚举值:", "Allowed values:"),
    ("示例", "Example"),
    ("修改于", "Modified at"),
    ("上一页", "Previous"),
    ("下一页", "Next"),
)
"""What the words of a page are on an English one, longest first."""
MESSAGES = [{"role": "user", "content": "Which bird is this?"}]
ANSWER = {
    "id": "chatcmpl-own",
    "object": "chat.completion",
    "created": 1750000000,
    "model": "small-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "A wren."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}


@dataclass(frozen=True)
class Row:
    """One field of a table as it is printed."""

    name: str
    kind: str
    required: bool | None = False
    title: str = ""
    description: str = ""
    extra: tuple[str, ...] = ()

    def lines(self, nbsp: str) -> list[str]:
        said = [] if self.required is None else ["必需" if self.required else "可选"]
        kind = self.kind.replace(" [", f"{nbsp}[") + nbsp
        return [self.name, kind, *filter(None, [self.title]), *said, *self.extra, *filter(None, [self.description])]


REQUEST = (
    Row("model", "string", True, "模型"),
    Row("messages", "array [object {2}]", True),
    Row("role", "string", True),
    Row("content", "string", True),
    Row("stream", "boolean", False, extra=("默认值:", "false")),
)
RESPONSE = (
    Row("id", "string", True),
    Row("object", "string", True),
    Row("created", "integer", True),
    Row("model", "string", True),
    Row("choices", "array [object {3}]", True),
    Row("index", "integer", True),
    Row("message", "object", True),
    Row("finish_reason", "string", True),
    Row("usage", "object", False),
    Row("prompt_tokens", "integer", True),
    Row("completion_tokens", "integer", True),
    Row("total_tokens", "integer", True),
)


@dataclass(frozen=True)
class Page:
    """A page of one chat endpoint without mistakes, apart from those that a test asks for."""

    title: str = "山雀 API"
    nav: str = "  • 聊天\n    • 问答\n      POST\n  • 模型\n    • 列出模型\n      GET"
    folder: str = "聊天"
    name: str = "问答"
    method: str = "POST"
    url: str = "https://relay.example/v1/chat/completions"
    description: str = ""
    auth: bool = True
    headers: tuple[Row, ...] | None = (Row("Content-Type", "string", True, extra=("示例值:", "application/json")),)
    media: str = "application/json"
    request: tuple[Row, ...] = REQUEST
    asked: Any = field(default_factory=lambda: {"model": "small-1", "messages": MESSAGES})
    curl: tuple[str, ...] | None = ("Content-Type: application/json",)
    status: str = "🟢200OK"
    response_media: str = "application/json"
    response: tuple[Row, ...] = RESPONSE
    answered: Any = field(default_factory=lambda: ANSWER)
    promo: str = ""
    nbsp: str = NBSP

    def but(self, **changes: Any) -> "Page":
        return replace(self, **changes)

    def with_request(self, *rows: Row) -> "Page":
        """The page with these fields behind those that it has, or in the place of one with the same name."""
        names = {row.name for row in rows}
        return replace(self, request=(*(row for row in self.request if row.name not in names), *rows))

    def text(self) -> str:
        lines = [self.title, f"  1. {self.folder}", self.title, *self.nav.split("\n"), f"  1. {self.folder}"]
        lines += ["", self.name, "", self.method, self.url, *filter(None, [self.description]), "", "请求参数", ""]
        if self.auth:
            lines += ["Authorization", "在 Header 添加参数", "Authorization", "Bearer Token", "示例:"]
            lines += ["Authorization: Bearer ****"]
        if self.headers is not None:
            lines += ["Header 参数", *self._table(self.headers)]
        if self.media:
            lines += [f"Body 参数{self.media}", *self._table(self.request), *_example(self.asked), ""]
        lines += ["示例代码", "", *LANGUAGES, "请求示例请求示例", *LANGUAGES, *self._curl(), "", "返回响应", ""]
        lines += [*filter(None, [self.status]), self.response_media, "Body", *self._table(self.response)]
        lines += [*_example(self.answered), *filter(None, [self.promo])]
        lines += [f"修改于{NBSP}2025-01-02 03:04:05", "上一页", "前", "下一页", "后", "Built with"]
        return "\n".join(lines)

    def source(self, name: str = "page.txt") -> Source:
        return Source(name, self.text(), "0" * 64)

    def _table(self, rows: tuple[Row, ...]) -> list[str]:
        return [line for row in rows for line in row.lines(self.nbsp)]

    def _curl(self) -> list[str]:
        if self.curl is None:
            return []
        start = [f"curl --location --request {self.method} '{self.url}' \\"]
        return [*start, *(f"--header '{header}' \\" for header in self.curl), f"--data-raw '{_text(self.asked)}'"]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _example(value: Any) -> list[str]:
    return [] if value is None else ["示例", *_text(value).split("\n")]


def rows_of(schema: dict[str, Any]) -> tuple[Row, ...]:
    """A schema as the fields of a table: two levels, the second one closed."""
    rows: list[Row] = []
    for name, node in schema["properties"].items():
        inner = _inside(node)
        stated = [key for key, child in inner.items() if child.get("x-evidence") == ["table"]]
        rows.append(_row(name, node, schema, len(stated)))
        holder = node["items"] if node["type"] == "array" else node
        rows += [_row(key, inner[key], holder, 0) for key in stated]
    return tuple(rows)


def _inside(node: dict[str, Any]) -> dict[str, Any]:
    return node.get("items", node).get("properties", {})


def _row(name: str, node: dict[str, Any], holder: dict[str, Any], count: int) -> Row:
    kind = node["type"]
    if kind == "array":
        kind = f"array [{node['items']['type']}{f' {{{count}}}' if count else ''}]"
    required = name in holder.get("required", ())
    return Row(name, kind, required, node.get("title", ""), node.get("description", ""))


def sample(schema: dict[str, Any]) -> Any:
    """One value that proves the types of a schema."""
    if schema["type"] == "object":
        return {name: sample(node) for name, node in schema.get("properties", {}).items()}
    if schema["type"] == "array":
        return [sample(schema["items"])]
    return {"string": "text", "integer": 3, "number": 0.5, "boolean": True}[schema["type"]]


def without_places(node: Any) -> Any:
    """A schema without the lines it was read from."""
    if isinstance(node, dict):
        return {key: without_places(inner) for key, inner in node.items() if key != "x-source"}
    return [without_places(inner) for inner in node] if isinstance(node, list) else node
