"""Running the relay: in the background, and for good."""

from __future__ import annotations

import os
import signal
import socket
import time
from threading import Thread
from typing import TYPE_CHECKING

import httpx
import pytest

from conformance.errors import UsageError
from conformance.relay import DEFAULT_KEY, BackgroundRelay, create_app, serve

if TYPE_CHECKING:
    from collections.abc import Callable

HEADERS = {"Authorization": f"Bearer {DEFAULT_KEY}"}
STREAM = {
    "model": "mock-chat",
    "stream": True,
    "messages": [{"role": "user", "content": "Write the numbers from one to sixty in English words."}],
}


def test_a_relay_in_the_background_answers_and_goes() -> None:
    with BackgroundRelay() as relay:
        assert relay.base_url == f"{relay.url}/v1"
        assert relay.variant("/quirks/3/") == f"{relay.url}/quirks/3/v1"
        assert httpx.get(f"{relay.base_url}/models", headers=HEADERS).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(relay.url)


def test_closing_does_not_wait_for_a_stream() -> None:
    relay = BackgroundRelay(create_app(latency=0.5)).start()
    with httpx.stream("POST", f"{relay.base_url}/chat/completions", json=STREAM, headers=HEADERS) as running:
        received = running.iter_bytes()
        next(received)
        started = time.monotonic()
        relay.close()
        assert time.monotonic() - started < 3
    relay.close()


def test_many_clients_may_hang_up() -> None:
    with BackgroundRelay(create_app(latency=0.05)) as relay, httpx.Client(headers=HEADERS) as client:
        for _ in range(5):
            with client.stream("POST", f"{relay.base_url}/chat/completions", json=STREAM) as running:
                next(running.iter_bytes())
        assert client.get(f"{relay.base_url}/models").status_code == 200


def test_serving_goes_on_until_interrupted(capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[int] = []

    def interrupt_after_a_request(port: int) -> None:
        seen.append(port)
        Thread(target=_ask_and_interrupt, args=(port, seen.append)).start()

    with pytest.raises(KeyboardInterrupt):
        serve("127.0.0.1", 0, create_app(), interrupt_after_a_request)
    assert seen[0] > 0
    assert seen[1] == 200
    assert capfd.readouterr() == ("", "")


def _ask_and_interrupt(port: int, tell: Callable[[int], None]) -> None:
    tell(httpx.get(f"http://127.0.0.1:{port}/v1/models", headers=HEADERS).status_code)
    os.kill(os.getpid(), signal.SIGINT)


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="cannot listen"):
            serve("127.0.0.1", taken.getsockname()[1], create_app(), lambda _: None)


@pytest.mark.parametrize(("host", "port"), [("x" * 70, 0), ("127.0.0.1", 70_000), ("127.0.0.1", -1)])
def test_an_address_that_is_none_is_refused(host: str, port: int) -> None:
    with pytest.raises(UsageError, match=r"cannot listen|no port"):
        serve(host, port, create_app(), lambda _: None)
