"""One test for each requirement and operation; `conformance.pytest_plugin` supplies them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.suite.door import Check


def test_rule(relay_check: Check, record_property: Callable[[str, object], None]) -> None:
    """The relay keeps this requirement on this operation."""
    relay_check.settle(record_property)
