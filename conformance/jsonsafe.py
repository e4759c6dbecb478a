"""JSON values that are small enough to show, whatever a relay sent."""

from __future__ import annotations

from typing import Any

LONGEST = 400
"""Characters of a string that a finding keeps."""
WIDEST = 20
DEEPEST = 6


def bounded(value: Any, depth: int = 0) -> Any:
    """The value with long strings, wide containers and deep nesting cut, and what was cut said."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}… ({len(value) - LONGEST} more characters)"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**30:
        return f"a number of {len(str(abs(value)))} digits"
    if isinstance(value, (dict, list, tuple)) and depth >= DEEPEST:
        return "…"
    if isinstance(value, dict):
        kept = {bounded(str(key)): bounded(inner, depth + 1) for key, inner in list(value.items())[:WIDEST]}
        return kept if len(value) <= WIDEST else {**kept, "…": f"{len(value) - WIDEST} more"}
    if isinstance(value, (list, tuple)):
        items = [bounded(inner, depth + 1) for inner in value[:WIDEST]]
        return items if len(value) <= WIDEST else [*items, f"… {len(value) - WIDEST} more"]
    return value
