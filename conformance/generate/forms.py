"""Requests that are forms: the same fields as text, the files among them as files."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.generate.documents import Document
    from conformance.generate.surface import Surface


def to_form(body: Mapping[str, Any], surface: Surface) -> dict[str, Any]:
    """A body as the fields of a form: files by their asset, a list under a name that ends in `[]`.

    What stands in the place of a file and is no asset stays text.
    """
    form: dict[str, Any] = {}
    for name, value in body.items():
        if name in surface.files and value == surface.files[name]:
            form[name] = {"asset": value}
        else:
            form[f"{name}[]" if isinstance(value, list) else name] = value
    return form


def is_refused(body: Mapping[str, Any], name: str, surface: Surface, document: Document) -> bool:
    """Whether a form with a mistake in this field can be sent, and is wrong however its text is read."""
    if name not in body:
        return not document.accepts(body)
    value = body[name]
    if not isinstance(value, str | int | float):
        return False
    readings: list[Any] = [value if isinstance(value, str) else json.dumps(value)]
    with suppress(ValueError):
        readings.append(json.loads(readings[0]))
    return name in surface.files or not any(document.accepts({**body, name: reading}) for reading in readings)
