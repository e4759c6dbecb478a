"""How often a validator may have to look at the parts of a schema: two references at each level double it each time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.errors import DataError

HEAVIEST = 100_000
"""Parts that the way to one place of a value may have to satisfy; OpenAI's own request has a few dozen."""

_LEVELS = 12
"""Levels of a value that are looked at: no request that is made goes deeper."""
_SAME_VALUE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
_EVERY_INSIDE = frozenset(
    {"items", "additionalProperties", "contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties"}
)
_ONE_INSIDE = frozenset({"properties", "patternProperties", "prefixItems"})


def refuse_heavy(root: Any, resolve: Callable[[str], Any]) -> None:
    """Raise DataError for a schema whose references multiply without end, or nearly so."""
    try:
        weight = _Scale(resolve).weight(root, _LEVELS)
    except RecursionError:
        weight = HEAVIEST + 1
    if weight > HEAVIEST:
        raise DataError("the references of the schema multiply: no request could be checked in time")


class _Scale:
    """Weighs the parts of one document, each of them once for each level."""

    def __init__(self, resolve: Callable[[str], Any]) -> None:
        self._resolve = resolve
        self._known: dict[tuple[int, int], int] = {}

    def weight(self, schema: Any, levels: int) -> int:
        """How many parts the way to any one place of a value has to satisfy."""
        if not isinstance(schema, dict):
            return 1
        key = id(schema), levels
        if key not in self._known:
            self._known[key] = 1 + sum(self._of_keyword(name, schema[name], levels) for name in schema)
        return self._known[key]

    def _of_keyword(self, name: str, value: Any, levels: int) -> int:
        if name == "$ref":
            return self.weight(self._resolve(value), levels)
        if name in _SAME_VALUE:
            return sum(self.weight(part, levels) for part in _same_value(name, value))
        if name in _EVERY_INSIDE and levels:
            return self.weight(value, levels - 1)
        if name in _ONE_INSIDE and levels:
            parts = value.values() if isinstance(value, dict) else value
            return max((self.weight(part, levels - 1) for part in parts), default=0)
        return 0


def _same_value(name: str, value: Any) -> list[Any]:
    """The schemas of a keyword that apply to the same value."""
    if name == "dependentSchemas":
        return list(value.values())
    return value if isinstance(value, list) else [value]
