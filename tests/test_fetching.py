"""Addresses that answers name: which may be asked, and how the one that was checked is the one that is asked."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hostile.server import KEY, MODEL, Call, Server, honest

from conformance.exchanging import Exchanger
from conformance.fetching import NotPublicError, Route, is_public, route_to
from conformance.fixtures import load_cases
from conformance.materialise import Target
from conformance.model import Case, Exchange, Limits, Provider
from conformance.redaction import Secrets

RELAY = "https://relay.example/v1"
(FETCH,) = [case for case in load_cases() if case.id == "media/by-address"]


def route(url: str, base_url: str = RELAY) -> Route:
    return asyncio.run(route_to(url, base_url))


@pytest.mark.parametrize(
    "number",
    [
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:8.8.8.8",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::8.8.8.8",
        "2001:0:4136::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "5f00::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_what_belongs_to_a_machine_or_a_network_is_not_public(number: str):
    assert not is_public(number)


@pytest.mark.parametrize(
    "number", ["8.8.8.8", "172.32.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_the_open_internet_is_public(number: str):
    assert is_public(number)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost", "LOCALHOST", "①②⑦.0.0.1",
     "127。0。0。1", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1%eth0]", "[fe80::1%25eth0]", "169.254.1.1", "10.0.0.1"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["http://{}/x", "https://{}:8443/x?y=z"])
def test_a_private_address_is_not_asked_however_it_is_written(host: str, form: str):
    with pytest.raises(NotPublicError, match="not a public address"):
        route(form.format(host))


@pytest.mark.parametrize(
    "url",
    ["", "/files/1.png", "ftp://8.8.8.8/", "file:///etc/passwd", "javascript:1", "http://", "http:///x", "//8.8.8.8/x",
     "http://user@8.8.8.8/", "http://relay.example@10.0.0.1/", "http://8.8.8.8\\@10.0.0.1/", "http://8.8.8.8:0/",
     "http://8.8.8.8:99999/", "http://8.8.8.8:x/", "http://[::1/", "http://[x]/", "http://8.8.8.8/a b",
     "http://8.8.8.8/\r\nHost: x", "http://8.8.8.8/\x00", "http://8.8.8.8/\ud800", "http://a..b/",
     "http://" + "a" * 70 + ".com/", "http://relay.example／@10.0.0.1/"],
)  # fmt: skip
def test_what_is_no_plain_address_is_not_asked(url: str):
    with pytest.raises(NotPublicError):
        route(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://8.8.8.8/x", Route("http://8.8.8.8/x", "8.8.8.8")),
        ("http://8.8.8.8:8080?x#y", Route("http://8.8.8.8:8080?x", "8.8.8.8:8080")),
        ("http://8.8.8.8#@127.0.0.1/", Route("http://8.8.8.8", "8.8.8.8")),
        ("http://134744072/x", Route("http://8.8.8.8/x", "134744072")),
        ("http://[2606:4700::1111]:81/x", Route("http://[2606:4700::1111]:81/x", "[2606:4700::1111]:81")),
        ("https://1.1.1.1/x?y=%20", Route("https://1.1.1.1/x?y=%20", "1.1.1.1", {"sni_hostname": "1.1.1.1"})),
    ],
)
def test_a_public_address_is_asked_by_its_number(url: str, expected: Route):
    assert route(url) == expected


@pytest.mark.parametrize(
    ("url", "base_url", "asked"),
    [
        ("http://127.0.0.1:3000/x?y#z", "http://127.0.0.1:3000/v1", "http://127.0.0.1:3000/x?y"),
        ("http://LOCALHOST/x", "http://localhost:80/v1", "http://LOCALHOST/x"),
        ("https://relay.example:443/x", RELAY, "https://relay.example:443/x"),
    ],
)
def test_the_relay_s_own_origin_is_asked_as_it_is(url: str, base_url: str, asked: str):
    assert route(url, base_url) == Route(asked)


@pytest.mark.parametrize("url", ["http://127.0.0.1:3001/x", "https://127.0.0.1:3000/x", "http://127.0.0.2:3000/x"])
def test_another_port_scheme_or_host_is_another_origin(url: str):
    with pytest.raises(NotPublicError):
        route(url, "http://127.0.0.1:3000/v1")


def looked_up(url: str, *answers: list[str]) -> tuple[Route | Exception, list[str]]:
    """The route with a name server that gives these answers, one after the other, and what it was asked."""
    asked: list[str] = []

    async def found() -> Route:
        async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            asked.append(host)
            numbers = answers[len(asked) - 1]
            if not numbers:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in numbers]

        asyncio.get_running_loop().getaddrinfo = getaddrinfo  # type: ignore[assignment,method-assign]
        return await route_to(url, RELAY)

    try:
        return asyncio.run(found()), asked
    except (NotPublicError, httpx.ConnectError) as error:
        return error, asked


def test_a_name_is_looked_up_once_and_the_number_that_was_checked_is_asked():
    found, asked = looked_up("https://Pictures.example:8443/1.png?a=b", ["8.8.8.8", "8.8.4.4"], ["127.0.0.1"])
    name = "pictures.example"
    assert found == Route("https://8.8.8.8:8443/1.png?a=b", f"{name}:8443", {"sni_hostname": name})
    assert asked == [name]


def test_a_name_with_one_private_address_is_not_asked():
    found, _ = looked_up("https://pictures.example/1.png", ["8.8.8.8", "10.0.0.1"])
    assert isinstance(found, NotPublicError)
    assert "10.0.0.1" in str(found)


def test_a_name_in_another_script_is_asked_in_ascii():
    found, asked = looked_up("https://图片.example/1.png", ["8.8.8.8"])
    name = "xn--wcsw84d.example"
    assert found == Route("https://8.8.8.8/1.png", name, {"sni_hostname": name})
    assert asked == [name]


def test_a_name_that_nobody_knows_is_no_private_address():
    found, _ = looked_up("https://pictures.example/1.png", [])
    assert isinstance(found, httpx.ConnectError)


def fetched(path: str, base_url: str) -> Exchange:
    """What comes of fetching this address for a relay at this base URL."""
    provider = Provider(base_url, MODEL)
    secrets = Secrets({"RELAY_API_KEY": KEY, "MINE": KEY})
    target = Target(base_url, replace(provider, headers={"X-Mine": "MINE"}), secrets)
    case: Case = replace(FETCH, path=path)

    async def run() -> Exchange:
        async with Exchanger(base_url, Limits(timeout=5.0)) as exchanger:
            return await exchanger.exchange(case, target)

    return asyncio.run(run())


def test_a_file_is_fetched_from_the_relay_without_the_key():
    seen: list[Call] = []

    async def serve(call: Call) -> None:
        seen.append(call)
        await call.reply(b"picture", content_type="image/png")

    with Server(serve) as server:
        got = fetched(f"{server.url}/files/1.png", f"{server.url}/v1")
    assert (got.status, got.response and got.response.body) == (200, b"picture")
    assert not any(KEY in str(value) for value in vars(seen[0]).values())


def test_a_redirect_is_not_followed():
    seen: list[str] = []

    async def serve(call: Call) -> None:
        seen.append(call.path)
        await call.reply(b"", 302, Location="/files/2.png")

    with Server(serve) as server:
        got = fetched(f"{server.url}/files/1.png", f"{server.url}/v1")
    assert got.status == 302
    assert seen == ["/files/1.png"]


def test_a_private_address_is_recorded_as_such_and_never_asked():
    with Server(honest) as server:
        got = fetched(f"{server.url}/files/1.png", RELAY)
    assert got.response is None
    assert got.failure is not None
    assert got.failure.kind == "private"
    assert not got.was_sent


def test_a_name_without_address_is_recorded_as_such():
    got = fetched("https://pictures.invalid/1.png", RELAY)
    assert got.failure is not None
    assert got.failure.kind == "dns"
