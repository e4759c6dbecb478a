"""How much of an operation's request schema its generated requests have, what is never sent left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.others import request_schema
from conformance.generate.parts import Coverage, coverage
from conformance.generate.surfaces import SURFACES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.generate.surface import Surface
    from conformance.model import Case


def operation_coverage(operation: str, cases: Iterable[Case]) -> Coverage:
    """What good requests of an operation beside chat have of its fields, values, bounds and alternatives."""
    surface = SURFACES[operation]
    found = coverage([_body(case) for case in cases], request_schema(operation))
    parts = tuple(part for part in found.parts if part.kind != "pair" and not _is_left(part.id, surface))
    return Coverage(parts, found.covered)


def _body(case: Case) -> dict[str, Any]:
    """The body, or the fields of a form as its schema writes them."""
    form = {name.removesuffix("[]"): value for name, value in (case.form or {}).items()}
    return dict(case.body or {}) or {
        name: value.get("asset") if isinstance(value, dict) else value for name, value in form.items()
    }


def _is_left(part: str, surface: Surface) -> bool:
    """Whether a part lies in a field that is never sent, or always."""
    path = part.split(" ")[1][1:].replace("(", "/")
    return any(f"{path}/".startswith(f"{name}/") for name in surface.left.difference(surface.inside))
