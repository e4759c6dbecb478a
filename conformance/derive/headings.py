"""The headings of a page, Chinese and English, that cut it into parts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conformance.derive.plain import Line
from conformance.derive.tables import read_kind

LONGEST = 80
MEDIA = r"[a-z]+/[\w.+\-*]+"
"""Pattern of a media type."""

_PART = re.compile(
    rf"(?P<part>Header|Query|Path|Cookie|Body) ?"
    rf"(?:参数 ?(?P<media>{MEDIA})?.{{0,40}}|(?:params?|parameters?)? ?\(?(?P<kind>{MEDIA})\)?|params?|parameters?)",
    re.IGNORECASE,
)
_SENT = re.compile(rf"Request body ?\(?(?P<media>{MEDIA})?\)?", re.IGNORECASE)
_OTHERS = (
    ("auth", re.compile(r"请求参数|request(?: param(?:eter)?s)?", re.IGNORECASE)),
    ("answers", re.compile(r"返回响应|responses?", re.IGNORECASE)),
    (
        "code",
        re.compile(
            r"(?:请求)?示例代码|请求示例请求示例|"
            r"(?:request|code|request code) (?:samples?|examples?)|samples?(?: code)?",
            re.IGNORECASE,
        ),
    ),
)
_NAME = re.compile(r"[\w.$\-]+")


def heading(lines: Sequence[Line], place: int) -> tuple[str, str]:
    """The part that a line begins (header, query, path, cookie, body, auth, answers, code) and its media type.

    Both are empty for any other line; a name above a type is a field, whatever its word.
    """
    text = lines[place].text
    below = lines[place + 1].text if place + 1 < len(lines) else ""
    if not text or len(text) > LONGEST or (_NAME.fullmatch(text) and read_kind(below)):
        return "", ""
    if found := _PART.fullmatch(text):
        return found["part"].lower(), (found["media"] or found["kind"] or "").lower()
    if found := _SENT.fullmatch(text):
        return "body", (found["media"] or "").lower()
    return next((name for name, pattern in _OTHERS if pattern.fullmatch(text)), ""), ""
