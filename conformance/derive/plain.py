"""The lines of a page, and their text without the differences that renderers and crawlers make."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

LONGEST_LINE = 20_000
"""Characters of one line that are looked at; the longest description seen has 200."""

_BLANKS = re.compile(r"\s+")
_UNSEEN = re.compile(
    '(?<=[A-Za-z0-9_"])[\u200b-\u200d\u2060\ufeff\u00ad]++|[\u200b-\u200d\u2060\ufeff\u00ad]++(?=[A-Za-z0-9_"])'
)
"""Characters without width beside a letter: copying leaves them in names."""


@dataclass(frozen=True)
class Line:
    """One line of a page: its number, its text as written, and its text for comparing."""

    number: int
    raw: str
    text: str
    """Full-width letters, digits and punctuation made plain, blanks made one, none at the ends."""

    @property
    def marked(self) -> bool:
        """Whether a no-break space ends the line, as it does after every type of a table."""
        return self.raw.endswith(("\u00a0", "\u202f"))


def plain(text: str) -> str:
    """A line for comparing: `：` and `:` are one character, so are all blanks."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text[:LONGEST_LINE]).replace("\u2212", "-")).strip()


def lines_of(text: str) -> list[Line]:
    """Every line of a text, blank ones too; number N stands at place N-1."""
    return [Line(number, raw.rstrip(" \t\r"), plain(raw)) for number, raw in enumerate(text.split("\n"), 1)]


def unix(text: str) -> str:
    """The text without byte order mark, every line ended by one line feed, nothing without width in a name."""
    return _UNSEEN.sub("", text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))


def offset_of(text: str, line: int) -> int:
    """Where a line begins, counted from 1; the end of the text for a line after the last."""
    starts = _line_starts(text)
    return starts[line - 1] if line <= len(starts) else len(text)


@lru_cache(maxsize=4)
def _line_starts(text: str) -> list[int]:
    """Where each line begins; a project with many operations asks for every one of them."""
    return [0, *(found.end() for found in re.finditer("\n", text))]
