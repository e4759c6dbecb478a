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

import httpx

PORTS = {"http": 80, "https": 443}
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Where a network without IPv4 puts IPv4 addresses (RFC 6052)."""


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
    """The way to a URL that an answer named.

    A host that stands for several addresses has to be public in all of them. Raises NotPublicError for a URL that
    may not be asked, and httpx.ConnectError for a name that no name server knows.
    """
    parts = _parts(url)
    if _origin(parts) == _origin(urlsplit(base_url)):
        return Route(urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, "")))
    name = _name(parts)
    numbers = await _look_up(name, parts.port or PORTS[parts.scheme])
    for number in numbers:
        if not is_public(number):
            raise NotPublicError(f"{name} is {number}, which is not a public address")
    port = f":{parts.port}" if parts.port else ""
    pinned = urlunsplit((parts.scheme, _bracketed(numbers[0]) + port, parts.path, parts.query, ""))
    more = {"sni_hostname": name} if parts.scheme == "https" else {}
    return Route(pinned, _bracketed(name) + port, more)


def is_public(number: str) -> bool:
    """Whether an IP address is one of the open internet: not of a machine, a network, or a group of them.

    An IPv4 address that an IPv6 address stands for is looked at itself; other translations are not followed.
    """
    address = ipaddress.ip_address(number)
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is None:
            return address.is_global and address in _GLOBAL_UNICAST and address.sixtofour is None
        address = inner
    return address.is_global and not address.is_multicast


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


def _name(parts: SplitResult) -> str:
    """The host as name servers and other servers know it: in ASCII, without the zone of an IPv6 address."""
    host = (parts.hostname or "").partition("%")[0]
    try:
        return host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise NotPublicError(f"the host of the address is no name: {error}") from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _look_up(name: str, port: int) -> list[str]:
    """The addresses of a host, the one to use first."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError(f"{name} has no address: {error}") from error
    return [str(entry[4][0]).partition("%")[0] for entry in found]
