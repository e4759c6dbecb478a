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


def read_nav(lines: Sequence[Line]) -> tuple[NavItem, ...]:
    """The leaves of the tree, in its order; an item with deeper items below it is a folder."""
    bullets = [(place, found) for place, line in enumerate(lines) if (found := _BULLET.match(line.raw))][:MOST_ITEMS]
    depths = [len(found[1]) // 2 for _, found in bullets]
    items: list[NavItem] = []
    folders: list[tuple[int, str]] = []
    for number, (place, found) in enumerate(bullets):
        depth, title = depths[number], plain(found[2])
        folders = [folder for folder in folders if folder[0] < depth]
        if number + 1 < len(bullets) and depths[number + 1] > depth:
            folders.append((depth, title))
            continue
        below = lines[place + 1].text.upper() if place + 1 < len(lines) else ""
        path = tuple(name for _, name in folders)
        items.append(NavItem(title, path, METHODS.get(below, ""), lines[place].number))
    return tuple(items)
