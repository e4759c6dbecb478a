"""The characters that texts are drawn from, and the texts.

Spelled out and drawn one by one, because Hypothesis's own strategies for text make a table of all of Unicode when they
are first used.
"""

from __future__ import annotations

from hypothesis import strategies as st


def _span(first: str, last: str) -> str:
    return "".join(map(chr, range(ord(first), ord(last) + 1)))


SCRIPTS = "".join(
    (
        _span("A", "Z"),
        _span("a", "z"),
        _span("0", "9"),
        _span("\u00c0", "\u00f6"),
        _span("\u0391", "\u03a1"),
        _span("\u0410", "\u044f"),
        _span("\u05d0", "\u05ea"),
        _span("\u0627", "\u063a"),
        _span("\u0905", "\u0939"),
        _span("\u0e01", "\u0e2e"),
        _span("\u2190", "\u21ff"),
        _span("\u3041", "\u3096"),
        _span("\u4e00", "\u5000"),
        _span("\uac00", "\uad00"),
        _span("\U0001f300", "\U0001f5ff"),
        _span("\U00020000", "\U00020100"),
    )
)
"""Letters, digits, ideographs and signs of many scripts, beyond the basic plane too."""

EVERY = f"{_span(chr(1), chr(0xFF))}{SCRIPTS}\u0301\u200d\u200f\u2028\ufe0f\ufeff\ufffd\U0010fffd"
"""Also controls and marks that join or turn; never U+0000, which databases behind relays refuse."""


def texts(alphabet: str, least: int = 0, most: int = 20) -> st.SearchStrategy[str]:
    """Texts of so many characters of an alphabet."""
    return st.lists(st.sampled_from(alphabet), min_size=least, max_size=most).map("".join)
