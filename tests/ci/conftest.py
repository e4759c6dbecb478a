from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance import relay

KEY = "sk-secret-of-the-job-4711"


@pytest.fixture(scope="session")
def good() -> Iterator[str]:
    with relay.BackgroundRelay(relay.create_app(KEY)) as background:
        yield background.base_url


@pytest.fixture(scope="session")
def faulty() -> Iterator[str]:
    with relay.BackgroundRelay(relay.create_app(KEY, faults=("json-twice", "key-in-answer"))) as background:
        yield background.base_url
