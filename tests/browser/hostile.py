"""Puts what would hurt a reader into every text of any noun, by walking its fields: new ones are covered at once."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import PurePath
from typing import Any
from zlib import crc32

MARK = "PWN"
PAYLOADS = (
    "<script>window.pwned=1</script>" + MARK,
    '"><img src=x onerror=window.pwned=1>' + MARK,
    "'/onmouseover='window.pwned=1'/x='" + MARK,
    "javascript:window.pwned=1//" + MARK,
    "</script><svg onload=window.pwned=1>" + MARK,
    "</style></textarea></title></template><iframe srcdoc=x>" + MARK,
    "]]>--><base href=//evil.example>" + MARK,
    "{{7*7}}${7*7}{0}%s`x`" + MARK,
    "\u202egnp.exe\u2066\u200b\ufeff" + MARK,
    "\x1b[31m\x1b]8;;http://evil.example\x07\x00\x9b" + MARK,
    "&lt;b&gt;&#60;script&#62;" + MARK,
)
"""Each is short enough to be shown whole wherever texts are cut."""
SHAPED = frozenset(
    {"operation", "rule", "rules", "id", "case", "follows", "during", "exchange", "probes", "limit_field"}
)
"""Fields by which nouns find each other, and by which a page knows what it speaks of."""
OURS = frozenset({"kind", "state", "verdict", "key", "what", "operations"})
"""Fields of nouns that no file fills: words of ours by which pages look up what to show."""
NO_TEXT = frozenset({"until"})
"""Fields whose form is checked on reading: nothing else gets into them."""


def poison(value: Any, kept: frozenset[str] = frozenset()) -> Any:  # noqa: PLR0911 - a line for each kind of value
    """The same value with a payload before every text in it, equal texts alike; fields named in `kept` stay."""
    if isinstance(value, Enum) or value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes):
        return _body(value)
    if isinstance(value, PurePath):
        return type(value)(*value.parts[:-1], _text(value.name).replace("/", "|").replace("\0", ""))
    if is_dataclass(value):
        return _noun(value, kept | NO_TEXT)
    if isinstance(value, Mapping):
        return {poison(key, kept): poison(each, kept) for key, each in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        changed = {n: poison(getattr(value, n), kept) for n in value._fields if n not in kept}
        return value._replace(**changed)
    if isinstance(value, tuple | list | set | frozenset):
        return type(value)(poison(each, kept) for each in value)
    return value  # functions of rules


def _noun(value: Any, kept: frozenset[str]) -> Any:
    names = [field.name for field in fields(value) if field.init and field.name not in kept]
    return replace(value, **{name: poison(getattr(value, name), kept) for name in names})


def _text(value: str) -> str:
    return PAYLOADS[crc32(value.encode(errors="replace")) % len(PAYLOADS)] + value if value else value


def _body(value: bytes) -> bytes:
    """JSON stays JSON, a stream stays a stream of it; anything else begins with all payloads."""
    lines = value.split(b"\n")
    if any(line.startswith(b"data:") for line in lines):
        return b"\n".join(b"data: " + _body(line[5:]) if line.startswith(b"data:") else line for line in lines)
    try:
        return json.dumps(poison(json.loads(value)), ensure_ascii=False).encode(errors="replace")
    except ValueError:
        return "".join(PAYLOADS).encode() + value if value.strip() not in {b"", b"[DONE]"} else value
