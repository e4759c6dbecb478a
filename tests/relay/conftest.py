"""One relay for all tests of this folder, and short ways to talk to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from conformance.relay import DEFAULT_KEY, BackgroundRelay, Quirks, create_app

Ask = Callable[..., httpx.Response]
"""Sends a chat request: `ask("Say OK", prefix="fault/n-ignored", n=2)`."""

Events = Callable[[httpx.Response], list[Any]]
"""Reads the data of a stream; `[DONE]` stays a string."""


@pytest.fixture(scope="session")
def relay() -> Iterator[BackgroundRelay]:
    """A relay whose quirks do not wait long."""
    with BackgroundRelay(create_app(quirks=Quirks(0, only=(), bench=0.05))) as running:
        yield running


@pytest.fixture(scope="session")
def client(relay: BackgroundRelay) -> Iterator[httpx.Client]:
    """A client with the right key."""
    with httpx.Client(base_url=relay.url, headers={"Authorization": f"Bearer {DEFAULT_KEY}"}) as opened:
        yield opened


@pytest.fixture(scope="session")
def ask(client: httpx.Client) -> Ask:
    """Send a chat request."""

    def send(question: str = "Say OK", *, prefix: str = "", **fields: Any) -> httpx.Response:
        body = {"model": "mock-chat", "messages": [{"role": "user", "content": question}], **fields}
        path = f"/{prefix}/v1/chat/completions" if prefix else "/v1/chat/completions"
        return client.post(path, content=json.dumps(body).encode())

    return send


@pytest.fixture(scope="session")
def events() -> Events:
    """Read the data of a stream."""

    def read(response: httpx.Response) -> list[Any]:
        lines = [line for line in response.text.splitlines() if line.startswith("data:")]
        data = [line.removeprefix("data:").strip() for line in lines]
        return [entry if entry == "[DONE]" else json.loads(entry) for entry in data]

    return read
