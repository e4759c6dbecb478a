"""Apifox's Markdown twin of a page: a heading, then the operation as OpenAPI in a fenced block."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.derive import openapi
from conformance.derive.nouns import DeriveError, Document, Endpoint, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADING = re.compile(r"^#{1,3} +(.+)$", re.MULTILINE)
_OPENING = re.compile(r" {0,3}(`{3,}|~{3,})[^`]*")
MOST_BLOCKS = 500


def looks_like(text: str) -> bool:
    """Whether the text has a fenced block of OpenAPI."""
    return any(openapi.looks_like(block) for _, block in _blocks(text))


def read_markdown(source: Source) -> Document:
    """Read every fenced block of OpenAPI; the title is that of the first heading."""
    blocks = [(line, block) for line, block in _blocks(source.text) if openapi.looks_like(block)]
    if len(blocks) > MOST_BLOCKS:
        raise DeriveError(f"{source.at(blocks[MOST_BLOCKS][0])}: more than {MOST_BLOCKS} blocks of OpenAPI")
    found: list[Endpoint] = []
    for line, block in blocks:
        found.extend(openapi.read_openapi(source, block, line).endpoints)
    heading = _HEADING.search(source.text)
    title = heading[1].strip() if heading else ""
    if title and len(found) == 1 and found[0].title.startswith("/"):
        found = [replace(found[0], title=title)]
    return Document(source, "markdown", title, (), tuple(found))


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """(line of its first line, text) of every fenced block; one that is never closed goes to the end."""
    fence, kept, first = "", [""], 0
    for number, line in enumerate(text.split("\n"), 1):
        opening = _OPENING.fullmatch(line)
        if fence and opening and line.strip().startswith(fence) and not line.strip(" `~"):
            yield first, "\n".join(kept)
            fence = ""
        elif fence:
            kept.append(line)
        elif opening:
            fence, kept, first = opening[1], [], number + 1
    if fence:
        yield first, "\n".join(kept)
