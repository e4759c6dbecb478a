"""Says what is missing when the suite is collected without a relay to test."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Refuse to run the suite on nothing."""
    if config.getoption("relay_url", None) is None and config.getoption("relay_ledger", None) is None:
        raise pytest.UsageError(
            "conformance.suite does not know which relay to test\n"
            "hint: give --relay-url URL --relay-model NAME to test a relay, "
            "or --relay-ledger FILE to judge a recorded run"
        )
