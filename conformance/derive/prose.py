"""What a description says in words, Chinese or English: ranges, largest counts, the values that are allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from conformance.derive.plain import plain

LONGEST = 1_000
"""Characters of one description that are read."""

_N = r"(?<![\d.])([-+]?\d{1,12}(?:\.\d{1,6})?)(?![\d.]*\d)"
_ALONE = r"(?<![A-Za-z_.\-])(?<![A-Za-z\d][ ])(?<![A-Za-z\d][ ][-+])"
"""No name stands in front: GPT-3.5 and GPT 3.5 are models and no lower bound."""
_RANGES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_ALONE}{_N} ?(?:和|到|至|与|~|—) ?{_N} ?之间",
        rf"从 ?{_N} ?(?:到|至|~) ?{_N}",
        rf"范围[^\d\[(+-]{{0,8}}[\[(]? ?{_N} ?(?:,|~|到|至|-|—) ?{_N}",
        rf"between {_N} (?:and|to) {_N}",
        rf"(?:from|range(?: of| is|:)?) {_N} (?:to|through|-) {_N}",
        rf"range(?: of| is|:)? ?\[ ?{_N} ?, ?{_N} ?\]",
        rf">= ?{_N} ?(?:且|and|,)? ?<= ?{_N}",
    )
)
_NOT = "(?:不|不能|不得|不可|不应)"
_LOWEST = re.compile(
    rf"(?:>=|≥|大于等于|{_NOT}(?:小于|低于|少于)|至少|最小值?[为是:]?|at least|(?:no|not) less than|"
    rf"minimum(?: of| is|:)?) ?{_N}",
    re.IGNORECASE,
)
_HIGHEST = re.compile(
    rf"(?:<=|≤|小于等于|{_NOT}(?:大于|超过|高于|多于)|最多|至多|最大值?[为是:]?|at most|up to|"
    rf"maximum(?: of| is|:)?|(?:no|not) more than|(?:no|not) greater than|not exceed) ?{_N}",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"(?:最多|至多|{_NOT}(?:超过|多于)|at most|up to|no more than) ?{_N} ?"
    r"(?:个(?!字)|项|条|种|(?:stop )?sequences?|items?|elements?|values?|entries|strings?)",
    re.IGNORECASE,
)
_LETTERS = re.compile(
    rf"(?:最多|至多|{_NOT}(?:超过|多于)|最大长度[为是:]?|at most|up to|no more than) ?{_N} ?(?:个?字|characters?)",
    re.IGNORECASE,
)
_FRACTION = re.compile(
    r"(?:如|像|例如|比如|所以|默认值?[为是:]?|such as|like|e\.g\.|so|default(?:s to| is|:)?) ?[-+]?\d{1,6}\.\d",
    re.IGNORECASE,
)
_VALUE = r"[\"'`]?[A-Za-z0-9_][\w.\-+]{0,60}[\"'`]?"
_BETWEEN = r" ?(?:, ?or\b|, ?and\b|,|、|\||/|;|或者?|和|\bor\b|\band\b) ?"
_CHOICE = re.compile(
    rf"(?:可选值|取值|可取值|允许值|枚举值?|值为|之一|one of|must be either|allowed values|possible values|can be)"
    rf"(?: ?有| ?为| ?是| ?包括| are)? ?:? ?({_VALUE}(?:{_BETWEEN}{_VALUE}){{1,40}})",
    re.IGNORECASE | re.ASCII,
)
_BARS = re.compile(rf"(?<![\w.|])({_VALUE}(?: ?\| ?{_VALUE}){{1,40}})(?![\w|])", re.ASCII)
_PARTS = re.compile(_BETWEEN, re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Said:
    """What words say of a value; None and () where they say nothing."""

    minimum: float | None = None
    maximum: float | None = None
    most_items: int | None = None
    most_letters: int | None = None
    enum: tuple[str, ...] = ()
    fraction: bool = False
    """A range or an example has a decimal point, so the value is no integer."""


def read_prose(text: str) -> Said:
    """Read the title and description of one field; the first range of several counts."""
    text = plain(text[:LONGEST])
    low, high, dotted = _range(text)
    counted, letters = _COUNTED.search(text), _LETTERS.search(text)
    return Said(
        minimum=low,
        maximum=high,
        most_items=_whole(counted[1]) if counted else None,
        most_letters=_whole(letters[1]) if letters else None,
        enum=_enum(text),
        fraction=dotted or _FRACTION.search(text) is not None,
    )


def _range(text: str) -> tuple[float | None, float | None, bool]:
    found = min((hit for pattern in _RANGES if (hit := pattern.search(text))), key=re.Match.start, default=None)
    if found:
        low, high = number(found[1]), number(found[2])
        return (low, high, "." in found[1] + found[2]) if low <= high else (None, None, False)
    lowest, highest = _LOWEST.search(text), _HIGHEST.search(text)
    dotted = any(hit and "." in hit[1] for hit in (lowest, highest))
    return number(lowest[1]) if lowest else None, number(highest[1]) if highest else None, dotted


def number(digits: str) -> float:
    """`2.0` and `2` are the integer 2, `0.5` stays a fraction."""
    value = float(digits)
    return int(value) if value.is_integer() else value


def _whole(digits: str) -> int | None:
    value = number(digits)
    return value if isinstance(value, int) and value >= 0 else None


def _enum(text: str) -> tuple[str, ...]:
    """Values in a list after words such as 可选值, or between bars; at least two."""
    found = _CHOICE.search(text) or _BARS.search(text)
    if not found:
        return ()
    values = (part.strip("\"'` .") for part in _PARTS.split(found[1]))
    return tuple(dict.fromkeys(value for value in values if value))
