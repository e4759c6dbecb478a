"""Which values of a finding there are to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.model import Verdict

if TYPE_CHECKING:
    from conformance.model import Finding

_COMPARED = {Verdict.NOTE, Verdict.WARN, Verdict.FAIL}


def values(finding: Finding, verdict: Verdict) -> dict[str, Any]:
    """`expected` and `actual`, each only where there is one.

    A rule that found something compared two values, and null is one; a reason why nothing could be judged has
    none, or just what was seen.
    """
    pair = {"expected": finding.expected, "actual": finding.actual}
    there = {name: value for name, value in pair.items() if value is not None}
    return pair if there and verdict in _COMPARED else there
