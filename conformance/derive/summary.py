"""What a derivation found, in a few lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.derive.defects import NO_ANSWER
from conformance.derive.emit import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.derive.deriving import Derived

MOST_NAMED = 8


def summary(derived: Derived) -> Iterator[str]:
    """The lines of the summary, the first one the title; nothing in them is markup or a control character."""
    rows = derived.profile["operations"]
    endpoints = [row for row in rows if "operation" in row]
    named = sorted({row["operation"] for row in endpoints})
    schemas = sorted(file.removesuffix(".json") for file in derived.files if file.endswith(".json"))
    yield str(derived.profile["title"])
    yield (
        f"  {counted(len(derived.profile['sources']), 'page')} read; {counted(len(rows), 'entry', 'entries')} in the "
        f"navigation, {len(endpoints)} of them endpoints of {counted(len(named), 'operation')}"
    )
    yield f"  {counted(len(schemas), 'operation')} with a schema: {_some(schemas)}"
    repaired = sum(defect.repaired for defect in derived.defects)
    yield (
        f"  {counted(len(derived.defects), 'defect')} of the pages, {repaired} repaired; "
        f"{counted(derived.profile['weak'], 'weak fact')}"
    )
    cut = sorted({defect.source for defect in derived.defects if defect.documented == NO_ANSWER})
    if cut:
        yield f"  {counted(len(cut), 'endpoint')} without an answer, so the page may be cut short: {_some(cut)}"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} …" if len(names) > MOST_NAMED else shown or "none"
