"""One test for each requirement and operation; `conformance.pytest_plugin` supplies them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from conformance.suite.door import Check


def test_rule(relay_check: Check, request: pytest.FixtureRequest) -> None:
    """The relay keeps this requirement on this operation."""
    relay_check.settle(request.node)
