"""Conformance tests for OpenAI-style relay endpoints.

Five functions, one way: `plan` → `record` → `read_ledger` → `judge` → `report`; and `compare` for several runs.
They are loaded on first use, so that importing the package (pytest does, through the plugin) costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from conformance._version import __version__

if TYPE_CHECKING:
    from conformance.comparison.comparing import compare
    from conformance.judging import judge
    from conformance.ledger import read_ledger
    from conformance.planning import plan
    from conformance.reporting import report
    from conformance.send import record

__all__ = ["__version__", "compare", "judge", "plan", "read_ledger", "record", "report"]

_HOMES = {
    "compare": "conformance.comparison.comparing",
    "judge": "conformance.judging",
    "plan": "conformance.planning",
    "read_ledger": "conformance.ledger",
    "record": "conformance.send",
    "report": "conformance.reporting",
}


def __getattr__(name: str) -> Any:
    """Load one of the public functions when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'conformance' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
