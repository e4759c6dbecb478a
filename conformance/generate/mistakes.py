"""Mistakes that a request schema suggests for any operation: each one alone, in a field or at a place inside one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.generate.forms import is_refused
from conformance.generate.merging import kinds
from conformance.generate.mutations import WRONG, Mutant, is_invalid, malformed, not_an_object, spread
from conformance.generate.placing import plains_at, put, without
from conformance.generate.values import properties, required

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

    from conformance.generate.documents import Document
    from conformance.generate.surface import Surface

    Plain = dict[str, Any]

_UNKNOWN = "no-such-value"
_MOST_ITEMS = 16
"""Items of a list that is made too long."""


def mistaken(surface: Surface, document: Document, body: Mapping[str, Any], random: Random) -> list[Mutant]:
    """Every mistake that can be made in a plain good body and that the schema forbids, in random order."""
    made = list(_made(surface, document, body))
    if surface.files:
        return spread([each for each in made if is_refused(each.body or {}, each.pointer[1:], document)], random)
    made += [*not_an_object(body), *malformed(body, surface.text)]
    return spread([each for each in made if is_invalid(each.text, [document])], random)


def _made(surface: Surface, document: Document, body: Mapping[str, Any]) -> Iterator[Mutant]:
    """The mistakes in fields and at places."""
    for path in _paths(surface, document):
        context = _context(surface, body, path)
        for name, detail, value in _values(plains_at(document, path), is_required=path in required(document)):
            yield Mutant(name, f"/{path}", detail, put(context, path, value))
        if _is_required(document, path):
            yield Mutant("missing-required", f"/{path}", body=without(context, path))


def _paths(surface: Surface, document: Document) -> list[str]:
    """Where mistakes are made."""
    inner = [f"{name}/{field}" for name in surface.inside for plain in plains_at(document, name) for field in plain.get("properties", ())]
    fields = [name for name in [*properties(document), *inner] if name not in surface.left | surface.tolerated]
    return list(dict.fromkeys([*fields, *required(document), *surface.places]))
