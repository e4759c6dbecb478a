"""`compare.csv`: one row for each requirement, operation and side."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from conformance.reporting.visible import visible

if TYPE_CHECKING:
    from conformance.comparison.nouns import Comparison

COLUMNS = ("rule", "operation", "severity", "side", "verdict", "waived", "differs", "charge", "signs", "cases")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet would take for a formula at the beginning of a cell."""


def table_text(comparison: Comparison) -> str:
    """The file's text; a side that was not judged on a requirement has an empty verdict."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    differences = {each.key: each for each in comparison.differences}
    for key in dict.fromkeys(key for side in comparison.sides for key in side.outcomes):
        difference = differences.get(key)
        severity = next(side.outcomes[key].severity for side in comparison.sides if key in side.outcomes)
        for side in comparison.sides:
            found = side.outcomes.get(key)
            row = (
                *(key.rule, key.operation, severity.value, side.name),
                found.verdict.label if found else "",
                "yes" if found and found.waived else "",
                "yes" if difference else "",
                difference.charges[side.name].value if difference and side.name in difference.charges else "",
                " ".join(sorted(found.signs)) if found else "",
                " ".join(found.exchanges) if found else "",
            )
            writer.writerow([_harmless(cell) for cell in row])
    return file.getvalue()


def _harmless(cell: str) -> str:
    """Text that is only text, in a terminal and in a spreadsheet."""
    shown = visible(cell, 2_000)
    return f"'{shown}" if shown.startswith(_FORMULAS) else shown
