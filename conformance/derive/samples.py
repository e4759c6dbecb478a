"""Mistakes in the values of examples: places left empty, text glued to addresses, answers copied from another page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from conformance.derive.paths import values
from conformance.derive.reference import CANNED

Words = tuple[str, str, str, str]
"""Row, documented, evidence, repair."""

MOST_FOUND = 20
"""Findings of one kind in one example: more say nothing new."""

_GLUED = re.compile(r"https?://[!-~]{1,2000}(?=[\u3400-\u9fff\uf900-\ufaff])")


def empty_values(side: str, example: Any) -> Iterator[tuple[str, Words]]:
    """D15: an empty text in a request cannot succeed."""
    paths = dict.fromkeys(path for path, value in values(example) if value == "") if side == "request" else {}
    for path in list(paths)[:MOST_FOUND]:
        yield path, ("D15", 'the value ""', "a request with it cannot succeed", "an example value that works")


def glued_urls(side: str, example: Any) -> Iterator[tuple[str, Words]]:
    """D22: an address and a question are one text, and no blank stands between them."""
    found = 0
    for path, value in values(example) if side == "request" else ():
        hit = _GLUED.search(value) if isinstance(value, str) else None
        if hit and found < MOST_FOUND:
            found += 1
            evidence = f"the address ends after {hit[0][-24:]!r}"
            yield path, ("D22", "an address with a question right behind it", evidence, "put a blank between them")


def canned_answer(side: str, example: Any) -> Iterator[tuple[str, Words]]:
    """D14: an answer that many pages copy from each other; only its shape means anything."""
    if side == "request" or not isinstance(example, dict):
        return
    for name, value in CANNED.items():
        if example.get(name) == value:
            evidence = "many pages have the same answer, whatever was asked"
            yield name, ("D14", f"the example answer with {name} {value}", evidence, "only its shape is used")
            return
