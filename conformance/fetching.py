"""Addresses that answers name: only public ones are asked, or the relay's own, and never with the key.

The name is looked up once and the address that was checked is the one that is asked, so that a name server cannot
answer the second time with an address inside the network of whoever runs this.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

PORTS = {"http": 80, "https": 443}


class NotPublicError(Exception):
    """The address is none that may be asked; the message says why."""


@dataclass(frozen=True)
class Route:
    """How to get to an address: the URL with a number in it, and the name that the server is asked for."""

    url: str
    host: str = ""
    """For the Host header; empty: what the URL says."""
    extensions: dict[str, Any] = field(default_factory=dict)


async def route_to(url: str, base_url: str) -> Route:
    """The way to a URL that an answer named; raises NotPublicError for one that may not be asked.

    A host that stands for several addresses has to be public in all of them.
    """
    parts = _parts(url)
    if _origin(parts) == _origin(urlsplit(base_url)):
        return Route(url)
    numbers = await _look_up(parts)
    for number in numbers:
        if not ipaddress.ip_address(number).is_global:
            raise NotPublicError(f"{parts.hostname} is {number}, which is not a public address")
    chosen = f"[{numbers[0]}]" if ":" in numbers[0] else numbers[0]
    port = f":{parts.port}" if parts.port else ""
    pinned = urlunsplit((parts.scheme, chosen + port, parts.path, parts.query, ""))
    more = {"sni_hostname": parts.hostname} if parts.scheme == "https" else {}
    return Route(pinned, f"{parts.hostname}{port}", more)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in PORTS and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError as error:
        raise NotPublicError(f"the address cannot be read: {error}") from error
    if not usable or not url.isprintable() or " " in url:
        raise NotPublicError("the address is no plain http or https URL")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)


async def _look_up(parts: SplitResult) -> list[str]:
    """The addresses of a host, the one to use first."""
    port = parts.port or PORTS[parts.scheme]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotPublicError(f"{parts.hostname} has no address: {error}") from error
    return [str(entry[4][0]).partition("%")[0] for entry in found]
