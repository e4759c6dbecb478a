"""`allOf` of objects as the one object that they describe together, so that repairs find its fields."""

from __future__ import annotations

from typing import Any

_JOINED = frozenset({"type", "properties", "required", "title", "description", "examples"})


def joined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without its `allOf` where that only adds properties; any other schema as it is."""
    parts = [{key: value for key, value in schema.items() if key != "allOf"}, *schema.get("allOf", ())]
    if len(parts) < 2 or not all(_is_plain(part) for part in parts):
        return schema
    names = [name for part in parts for name in part.get("properties", {})]
    if not names or len(names) > len(set(names)):
        return schema
    required = dict.fromkeys(name for part in parts for name in part.get("required", ()))
    found = {**parts[0], "type": "object"}
    found["properties"] = {name: node for part in parts for name, node in part.get("properties", {}).items()}
    return {**found, "required": [name for name in names if name in required]} if required else found


def _is_plain(part: dict[str, Any]) -> bool:
    """Whether a part says nothing but which properties an object has; one that was left out says more."""
    stamps = {"x-source", "x-evidence"}
    return part.get("type", "object") == "object" and not part.keys() - _JOINED - stamps
