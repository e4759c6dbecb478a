"""A client may speak to this machine and to no other."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.clients import loopback
from conformance.clients.loopback import NetworkRefusedError

INSIDE: list[tuple[str, tuple[Any, ...]]] = [
    ("socket.connect", (None, ("127.0.0.1", 80))),
    ("socket.connect", (None, ("::1", 80, 0, 0))),
    ("socket.connect", (None, "/run/a.sock")),
    ("socket.getaddrinfo", ("localhost", 80)),
    ("socket.getaddrinfo", (None, 80)),
    ("socket.getaddrinfo", (b"127.0.0.2", 80)),
    ("open", ("/etc/hosts", "r", 0)),
]
OUTSIDE: list[tuple[str, tuple[Any, ...]]] = [
    ("socket.connect", (None, ("192.0.2.1", 80))),
    ("socket.sendto", (None, ("192.0.2.1", 53))),
    ("socket.getaddrinfo", ("api.example.com", 443)),
    ("socket.gethostbyname", ("api.example.com",)),
]


@pytest.mark.parametrize(("event", "arguments"), INSIDE)
def test_this_machine_may_be_spoken_to(event: str, arguments: tuple[Any, ...]) -> None:
    loopback._check(event, arguments)


@pytest.mark.parametrize(("event", "arguments"), OUTSIDE)
def test_no_other_machine_may_be_spoken_to(event: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(NetworkRefusedError, match="only this machine"):
        loopback._check(event, arguments)
