"""Words that were heard, against words that were said: spelling, case and marks do not matter."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_MOST = 100
"""Words that are compared; our own samples have fewer than ten."""
_LONGEST = 10_000
"""Characters in which words are looked for."""


def words(text: str) -> list[str]:
    """The words of a text in small letters, without marks."""
    return _WORD.findall(text[:_LONGEST].casefold())


def likeness(one: str, other: str) -> float:
    """How alike two texts are, word by word: 1 for the same words in the same order, 0 for none in common."""
    if letters(one) == letters(other):
        return 1.0
    return SequenceMatcher(None, words(one)[:_MOST], words(other)[:_MOST], autojunk=False).ratio()


def letters(text: str) -> str:
    """The letters of a text without blanks and marks, for scripts that do not part their words."""
    return "".join(words(text))
