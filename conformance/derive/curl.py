"""A curl line as pages print it: method, URL, headers and the JSON that is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 400_000
"""Characters of a page, from `curl` on, in which the command is looked for."""

_START = re.compile(r"^[ \t>$]*curl[ \t]", re.MULTILINE)
_HEADER = re.compile(r"""(?:--header|-H)[ \t]+(['"])([\w\-]{1,80}):[ \t]*([^'"\n]{0,2000})\1""")
_METHOD = re.compile(r"""(?:--request|-X)[ \t]+['"]?([A-Za-z]{1,10})\b""")
_URL = re.compile(r"""['"]?((?:https?://|\{\{|/v?\d?)[^\s'"\\]{0,2000})""")
_DATA = re.compile(r"""(?:--data-raw|--data-binary|--data|-d)[ \t]+\$?(['"])""")


@dataclass(frozen=True)
class Curl:
    """One command; what it does not show is empty. Places are offsets in the text it was read from."""

    start: int
    method: str
    url: str
    headers: tuple[tuple[str, str, int], ...]
    """Name, value, offset."""
    data_at: int
    """Where the data begins, behind its quote; -1 when none is sent."""


def read_curl(text: str, start: int = 0, end: int | None = None) -> Curl | None:
    """The first curl command between two offsets."""
    found = _START.search(text, start, len(text) if end is None else end)
    if not found:
        return None
    limit = min(found.end() + LONGEST, len(text) if end is None else end)
    data = _DATA.search(text, found.end(), limit)
    head = data.start() if data else limit
    url = _URL.search(text, found.end(), head)
    method = _METHOD.search(text, found.end(), head)
    headers = tuple((hit[2], hit[3].strip(), hit.start()) for hit in _HEADER.finditer(text, found.end(), head))
    return Curl(
        found.start(),
        method[1].upper() if method else "",
        url[1] if url else "",
        headers,
        data.end() if data else -1,
    )
