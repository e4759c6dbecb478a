"""Plans for tests that bring a server of their own: it answers for chat and models, and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.planning import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.model import Case

FAMILIES = {"models", "chat", "gateway"}


def core_plan(only: Sequence[str] = (), **options: Any) -> list[Case]:
    """The cases of these families, without those that need another model or an earlier answer."""
    cases = plan(only, **options)
    return [
        case for case in cases if case.operation.partition(".")[0] in FAMILIES and not case.role and not case.scenario
    ]
