"""JSON Schema to Hypothesis strategies: whatever is drawn satisfies the schema.

Built on Hypothesis's public interface alone. Recursive schemas are followed a few times and then no further, so that
every strategy is finite. None stands for "nothing can be drawn" while a strategy is being built.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from conformance.errors import DataError
from conformance.generate.documents import Document
from conformance.generate.formats import FORMATS
from conformance.generate.letters import EVERY, texts
from conformance.generate.merging import alternatives, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

    from conformance.generate.documents import Schema
    from conformance.generate.merging import Plain, Trail

_REFERENCES = 12
_MOST_BUILT = 5_000
"""Parts of one schema that are built; the rest of it is left out."""
_MOST_ITEMS = 200
_MORE_ITEMS = 3
_MOST_STEPS = 1_000
_LONGEST = 10_000
_MORE_CHARACTERS = 20
_SAFE = 2**53
"""Whole numbers below this are the same in every JSON reader (RFC 8259, section 6)."""
_LOOSE = frozenset({"not", "if", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems"})

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1000, 1000),
    st.integers(-99, 99).map(lambda number: number / 8),
    texts(EVERY),
)
_ANYTHING = st.one_of(_SCALARS, st.lists(_SCALARS, max_size=3), st.dictionaries(texts(EVERY), _SCALARS, max_size=3))


def strategy(schema: Schema, root: Schema) -> SearchStrategy[Any]:
    """A strategy for values of `schema`, whose references lead into `root`.

    Raises DataError for a schema that cannot be read. A schema that nothing satisfies gives an empty strategy.
    """
    document = Document(root)
    return strategy_in(document, document.part(schema))


def strategy_in(document: Document, schema: Schema) -> SearchStrategy[Any]:
    """A strategy for values of a part of a document."""
    try:
        built = _Builder(document).build(schema, _REFERENCES, ())
    except (InvalidArgument, ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"nothing can be drawn from this schema: {error}") from error
    return st.nothing() if built is None else built.filter(lambda value: document.is_valid(schema, value))


class _Builder:
    """Builds the strategies of one document; a part that is referred to often is built once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._built: dict[tuple[str, int], SearchStrategy[Any] | None] = {}

    def build(self, schema: Schema, left: int, trail: Trail) -> SearchStrategy[Any] | None:
        """A strategy whose values satisfy the schema nearly always."""
        key = json.dumps(schema, sort_keys=True), left
        if len(self._built) >= _MOST_BUILT:
            return self._built.get(key)
        if key not in self._built:
            self._built[key] = self._alternatives(schema, left, trail)
        return self._built[key]

    def _alternatives(self, schema: Schema, left: int, trail: Trail) -> SearchStrategy[Any] | None:
        found = [self._plain(*each) for each in alternatives(self._document, schema, left, trail)]
        usable = [each for each in found if each is not None]
        if not usable:
            return None
        drawn = st.one_of(usable)
        loose = isinstance(schema, dict) and not _LOOSE.isdisjoint(schema)
        return drawn.filter(lambda value: self._document.is_valid(schema, value)) if loose else drawn

    def _plain(self, plain: Plain, left: int, trail: Trail) -> SearchStrategy[Any] | None:
        """One alternative: a value of one of its types."""
        if "enum" in plain:
            values = [value for value in plain["enum"] if self._document.is_valid(plain, value)]
            return st.sampled_from(values) if values else None
        if not plain.keys() - {"title", "description", "default", "example", "examples"}:
            return _ANYTHING
        found = [self._of_kind(kind, plain, left, trail) for kind in kinds(plain.get("type"))]
        usable = [each for each in found if each is not None]
        return st.one_of(usable) if usable else None

    def _of_kind(self, kind: str, plain: Plain, left: int, trail: Trail) -> SearchStrategy[Any] | None:
        if kind == "array":
            return self._array(plain, left, trail)
        if kind == "object":
            return self._object(plain, left, trail)
        simple = {"null": _null, "boolean": _boolean, "integer": integers, "number": numbers, "string": strings}
        return simple[kind](plain) if kind in simple else None

    def _array(self, plain: Plain, left: int, trail: Trail) -> SearchStrategy[Any] | None:
        low, high = plain.get("minItems", 0), plain.get("maxItems", _MOST_ITEMS)
        firsts = [self.build(part, left, trail) for part in plain.get("prefixItems", ())][:high]
        if low > min(high, _MOST_ITEMS) or None in firsts:
            return st.just([]) if low == 0 else None
        rest = self.build(plain.get("items", True), left, trail)
        least = max(0, low - len(firsts))
        most = min(high - len(firsts), least + _MORE_ITEMS) if rest is not None else 0
        if most < least:
            return None
        unique = json.dumps if plain.get("uniqueItems") else None
        tail: SearchStrategy[Any] = st.lists(
            st.nothing() if rest is None else rest, min_size=least, max_size=most, unique_by=unique
        )
        if not firsts:
            return tail
        head = st.tuples(*(first for first in firsts if first is not None))
        return st.tuples(head, tail).map(lambda pair: [*pair[0], *pair[1]])

    def _object(self, plain: Plain, left: int, trail: Trail) -> SearchStrategy[Any] | None:
        parts = {name: self.build(part, left, trail) for name, part in plain.get("properties", {}).items()}
        required = _needed(plain)
        parts |= {name: self.build(_schema_of(name, plain), left, trail) for name in required if name not in parts}
        if any(parts[name] is None for name in required):
            return None
        usable = {name: part for name, part in parts.items() if part is not None}
        known = st.fixed_dictionaries(
            {name: usable[name] for name in required},
            optional={name: part for name, part in usable.items() if name not in required},
        )
        extra = self._extra(plain, left, trail)
        whole = st.tuples(known, extra).map(lambda pair: {**pair[1], **pair[0]}) if extra is not None else known
        return whole.map(lambda value: _settled(value, plain, required))

    def _extra(self, plain: Plain, left: int, trail: Trail) -> SearchStrategy[Any] | None:
        """Properties without a fixed name: those of a pattern, and those that are merely not forbidden."""
        known = plain.get("properties", {})
        least = min(max(0, plain.get("minProperties", 0) - len(known)), _MOST_ITEMS)
        found = []
        for pattern, part in plain.get("patternProperties", {}).items():
            built = self.build(part, left, trail)
            if built is not None:
                found.append(st.dictionaries(_matching(pattern), built, min_size=least, max_size=least + 1))
        others = plain.get("additionalProperties", True)
        built = self.build(others, left, trail) if least or (isinstance(others, dict) and not found) else None
        if built is not None:
            found.append(st.dictionaries(_names(plain), built, min_size=least, max_size=least + _MORE_ITEMS))
        return st.one_of(found) if found else None


def _names(plain: Plain) -> SearchStrategy[str]:
    """Names of properties that the schema says nothing about."""
    known, patterns = plain.get("properties", {}), plain.get("patternProperties", {})
    letters = texts("abcdefghijklmnopqrstuvwxyz0123456789_", 1, 8)
    return letters.filter(lambda name: name not in known and not any(re.search(each, name) for each in patterns))


def _schema_of(name: str, plain: Plain) -> Schema:
    """What holds for a property that is not listed by name."""
    found = [part for pattern, part in plain.get("patternProperties", {}).items() if re.search(pattern, name)]
    return {"allOf": found} if found else plain.get("additionalProperties", True)


def _needed(plain: Plain) -> list[str]:
    """Required properties, and those that they depend on."""
    needed = list(dict.fromkeys(plain.get("required", ())))
    dependents = plain.get("dependentRequired", {})
    for name in needed:  # grows while it is walked
        needed += [other for other in dependents.get(name, ()) if other not in needed]
    return needed


def _settled(value: dict[str, Any], plain: Plain, required: Sequence[str]) -> dict[str, Any]:
    """The object without what lacks its companion, and without what is too many."""
    dependents = plain.get("dependentRequired", {})
    kept = dict(value)
    while lacking := [name for name in kept if any(other not in kept for other in dependents.get(name, ()))]:
        kept = {name: inner for name, inner in kept.items() if name not in lacking}
    most = plain.get("maxProperties", len(kept))
    spare = [name for name in kept if name not in required][: max(0, len(kept) - most)]
    return {name: inner for name, inner in kept.items() if name not in spare}


def _null(_: Mapping[str, Any]) -> SearchStrategy[Any]:
    return st.none()


def _boolean(_: Mapping[str, Any]) -> SearchStrategy[Any]:
    return st.booleans()


def _bounds(plain: Mapping[str, Any]) -> tuple[Fraction | None, Fraction | None]:
    """The lower and the upper bound, whether or not they belong to the range themselves."""
    lows = [Fraction(str(plain[name])) for name in ("minimum", "exclusiveMinimum") if name in plain]
    highs = [Fraction(str(plain[name])) for name in ("maximum", "exclusiveMaximum") if name in plain]
    return max(lows, default=None), min(highs, default=None)


def integers(plain: Mapping[str, Any]) -> SearchStrategy[Any] | None:
    """Whole numbers within bounds, multiples where that is asked for."""
    low, high = _bounds(plain)
    step = Fraction(str(plain.get("multipleOf", 1))).numerator
    least = ceil(low) if low is not None else None
    most = floor(high) if high is not None else None
    if least is not None and plain.get("exclusiveMinimum") == least:
        least += 1
    if most is not None and plain.get("exclusiveMaximum") == most:
        most -= 1
    least = min(-_SAFE, most - _SAFE if most is not None else 0) if least is None else least
    most = max(_SAFE, least + _SAFE) if most is None else most
    first, last = -(-least // step), most // step
    return st.integers(first, last).map(lambda count: count * step) if first <= last else None


def numbers(plain: Mapping[str, Any]) -> SearchStrategy[Any] | None:
    """Numbers within bounds, whole and broken ones."""
    whole = integers(plain)
    if "multipleOf" in plain:
        return _multiples(plain)
    low, high = _bounds(plain)
    if low is not None and high is not None and low > high:
        return None
    least = float(low) if low is not None else None
    most = float(high) if high is not None else None
    broken = st.floats(
        least,
        most,
        allow_nan=False,
        allow_infinity=False,
        exclude_min=least is not None and plain.get("exclusiveMinimum") == least and least != most,
        exclude_max=most is not None and plain.get("exclusiveMaximum") == most and least != most,
    )
    return broken if whole is None else st.one_of(whole, broken)


def _multiples(plain: Mapping[str, Any]) -> SearchStrategy[Any] | None:
    """Multiples of a number, of which every validator agrees that they are."""
    low, high = _bounds(plain)
    step = Fraction(str(plain["multipleOf"]))
    least = ceil(low / step) if low is not None else None
    most = floor(high / step) if high is not None else None
    if least is not None and most is not None and least > most:
        return None
    whole = step.denominator == 1
    first = least if least is not None else (most or 0) - _MOST_STEPS
    last = most if most is not None else first + 2 * _MOST_STEPS
    counts = st.integers(first, last)
    found = counts.map(lambda count: int(count * step) if whole else float(count * step))
    divides = float(step)
    return found.filter(lambda value: (value / divides).is_integer())


def strings(plain: Mapping[str, Any]) -> SearchStrategy[Any] | None:
    """Texts of a pattern, of a format, or of a length."""
    low, high = plain.get("minLength", 0), plain.get("maxLength", _LONGEST)
    if low > min(high, _LONGEST):
        return None
    form = FORMATS.get(str(plain.get("format")))
    if "pattern" in plain:
        drawn = _matching(plain["pattern"])
    elif form is not None:
        drawn = form
    else:
        return texts(EVERY, low, min(high, low + _MORE_CHARACTERS))
    return drawn.filter(lambda text: low <= len(text) <= high)


def _matching(pattern: str) -> SearchStrategy[str]:
    """Texts that a pattern matches, in Python and in ECMAScript: ASCII classes, `$` only at the very end."""
    anchored = re.sub(r"(?<!\\)\$(?=$|\))", r"\\Z", pattern)
    compiled = re.compile(anchored, re.ASCII)
    return st.from_regex(compiled, alphabet=EVERY + pattern).filter(lambda text: re.search(pattern, text) is not None)
