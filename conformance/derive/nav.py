"""The navigation tree of a page: bullets, two blanks a level, methods only where a folder stands open."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conformance.derive.nouns import NavItem
from conformance.derive.plain import Line, plain

METHODS = {
    **{name: name for name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")},
    "DEL": "DELETE",
}
MOST_ITEMS = 5_000

_BULLET = re.compile(r"^(\s*)[•·●]\s*(\S.*)$")
_FOLDER = re.compile(r"\((?:chat|models?|images?|audio|embeddings?|completions?|moderations?|files?)\)$", re.IGNORECASE)
"""Titles such as 聊天接口(Chat): a folder, also where no blanks say so."""


def flat_line(lines: Sequence[Line]) -> int:
    """The line where a tree begins that has lost its blanks, and with them its nesting; 0 where it has them."""
    bullets = [(line.number, found) for line in lines if (found := _BULLET.match(line.raw))][:MOST_ITEMS]
    return bullets[0][0] if _is_flat(bullets) else 0


def _is_flat(bullets: Sequence[tuple[int, re.Match[str]]]) -> bool:
    """Whether no entry of several is indented: pages indent even the first level."""
    return len(bullets) > 1 and not any(found[1] for _, found in bullets)


def read_nav(lines: Sequence[Line]) -> tuple[NavItem, ...]:
    """The leaves of the tree, in its order; an item with deeper items below it is a folder.

    A tab counts as one level. Where no entry is indented, only titles that name a folder are one, and stay out.
    """
    bullets = [(place, found) for place, line in enumerate(lines) if (found := _BULLET.match(line.raw))][:MOST_ITEMS]
    depths = [len(found[1].replace("\t", "  ")) // 2 for _, found in bullets]
    flat = _is_flat(bullets)
    items: list[NavItem] = []
    folders: list[tuple[int, str]] = []
    for number, (place, found) in enumerate(bullets):
        depth, title = depths[number], plain(found[2])
        folders = [folder for folder in folders if folder[0] < depth]
        if number + 1 < len(bullets) and depths[number + 1] > depth:
            folders.append((depth, title))
            continue
        below = lines[place + 1].text.upper() if place + 1 < len(lines) else ""
        if flat and number + 1 < len(bullets) and _FOLDER.search(title) and below not in METHODS:
            continue
        path = tuple(name for _, name in folders)
        items.append(NavItem(title, path, METHODS.get(below, ""), lines[place].number))
    return tuple(items)
