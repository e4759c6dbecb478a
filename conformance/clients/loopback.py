"""Keeps a process from reaching anything but this machine."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

_NAMES = frozenset({"localhost", "", None})


class NetworkRefusedError(ConnectionError):
    """A client wanted to speak to another machine."""


def keep_on_loopback() -> None:
    """Refuse, from now on and for good, every connection and look-up that leaves this machine."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise where an audited call is about another machine."""
    if event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        _refuse_other(arguments[1][0])
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        _refuse_other(arguments[0])


def _refuse_other(host: Any) -> None:
    name = host.decode("latin-1") if isinstance(host, bytes) else host
    if name in _NAMES:
        return
    try:
        inside = ipaddress.ip_address(name).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise NetworkRefusedError(f"{name}: only this machine may be spoken to")
