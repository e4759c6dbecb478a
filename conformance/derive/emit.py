"""What was derived, as the bytes of its files: the same input gives the same bytes, everywhere."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import tomli_w

from conformance.derive.nouns import Defect
from conformance.reporting.visible import is_harmless, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BASE = "https://relay-conformance.invalid/"
PROFILE, DEFECTS = "profile.toml", "DEFECTS.md"
FORMAT = 1
MARK = "<!-- relay-conformance derive -->"
LONGEST = 300
"""Characters of a page's text that are kept in one place of a profile or list of defects."""

_FIRST = ("$schema", "$id", "title", "description", "type", "enum", "const", "properties", "required", "items")
_LAST = ("default", "examples", "x-source", "x-sources", "x-evidence", "x-weak", "$defs")
_SORTED = frozenset({"required"})
_VALUES = frozenset({"default", "const", "enum", "examples"})
_SHORT = re.compile(r'\[\n\s+("[^"\n]*"(?:,\n\s+"[^"\n]*")*)\n\s+\]')
"""A list of plain words; text in JSON holds no line ends, so this is never text."""
_WIDEST = 80
_MARKDOWN = re.compile(r"([\\`*_\[\]|~]|(?<=:)/(?=/)|(?<=www)\.)", re.IGNORECASE)
"""What would mark up a page's text, or turn it into a link."""


def schema_json(name: str, operation: str, title: str, sources: Sequence[str], parts: Mapping[str, Any]) -> bytes:
    """The schema file of one operation; `parts` are its `$defs`."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{BASE}{name}/{operation}.json",
        "title": title,
        "x-source": sources[0],
        "$defs": {key: _ordered(value) for key, value in sorted(parts.items())},
    }
    if len(sources) > 1:
        document["x-sources"] = list(sources)
    text = json.dumps(_keys(document), ensure_ascii=False, indent=2) + "\n"
    if not is_harmless(text, lines=True):
        text = json.dumps(_keys(document), indent=2) + "\n"
    return _SHORT.sub(_on_one_line, text).encode()


def profile_toml(profile: Mapping[str, Any]) -> bytes:
    """The profile: scalars first, as TOML wants them."""
    scalars = {key: value for key, value in profile.items() if not _is_table(value)}
    tables = {key: value for key, value in profile.items() if _is_table(value)}
    return tomli_w.dumps({"format": FORMAT, **scalars, **tables}, multiline_strings=False).encode()


def defects_md(name: str, title: str, defects: Sequence[Defect]) -> bytes:
    """The list of a page's mistakes, one heading a file, by line."""
    pages: dict[str, list[Defect]] = {}
    for defect in sorted(defects, key=_place):
        pages.setdefault(defect.source.rpartition(":")[0], []).append(defect)
    count = counted(len(defects), "defect")
    lines = [MARK, "", f"# {escaped(title or name)}: {count}", "", _ENGLISH, "", _CHINESE, ""]
    for page, found in pages.items():
        lines += [f"## {escaped(page)}", "", *_TABLE, *(_row(defect) for defect in found), ""]
    return ("\n".join(lines).rstrip() + "\n").encode()


def counted(number: int, word: str, several: str = "") -> str:
    """`1 defect`, `2 defects`; `several` where an s does not make the plural."""
    return f"{number:,} {word if number == 1 else several or word + 's'}"


def clean(text: str, limit: int = LONGEST) -> str:
    """A page's text on one line, hostile characters made visible."""
    return visible(" ".join(text.split()), limit)


def escaped(text: str) -> str:
    """A page's text as it may stand in a cell of a Markdown table: it marks nothing up."""
    return _MARKDOWN.sub(r"\\\1", html.escape(clean(text), quote=False)) or " "


_ENGLISH = """\
What the page of this provider says and what contradicts it: each row names the line, what is written there, why that
cannot be right, and what the schemas beside this file say instead. Rows are named as in the project's table of
mistakes that pages make; `other` is a mistake that the table has no row for. Derived by `relay-conformance derive`;
edit the page, not this file."""
_CHINESE = """\
本文件列出该服务商文档页中的问题:每行给出行号、文档原文、与之矛盾的依据,以及旁边的 schema 所采用的修正。`D` 编号
对应本项目的文档错误表,`other` 表示该表中没有的错误。由 `relay-conformance derive` 生成;请修改文档页,不要修改本文件。"""
_TABLE = ("| row | line | where | documented | evidence | repair |", "| --- | --- | --- | --- | --- | --- |")


def _row(defect: Defect) -> str:
    repair = defect.repair if defect.repaired else f"{defect.repair} (reported only)"
    line = defect.source.rpartition(":")[2]
    cells = (defect.row or "other", line, defect.where, defect.documented, defect.evidence, repair)
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"


def _place(defect: Defect) -> tuple[str, int, str, str]:
    page, _, line = defect.source.rpartition(":")
    return page, int(line) if line.isdigit() else 0, defect.where, defect.row


def _ordered(value: Any, inside: str = "") -> Any:
    """A schema with its keys in a fixed order; properties keep the order of the page."""
    if inside in _VALUES or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return sorted(value) if inside in _SORTED else [_ordered(each) for each in value]
    if inside == "properties":
        return {name: _ordered(each) for name, each in value.items()}
    return {key: _ordered(each, key) for key, each in _keys(value).items()}


def _on_one_line(found: re.Match[str]) -> str:
    words = re.sub(r",\n\s+", ", ", found[1])
    return f"[{words}]" if len(words) <= _WIDEST else found[0]


def _keys(value: Mapping[str, Any]) -> dict[str, Any]:
    first = [key for key in _FIRST if key in value]
    last = [key for key in _LAST if key in value]
    middle = sorted(set(value) - set(first) - set(last))
    return {key: value[key] for key in (*first, *middle, *last)}


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))
