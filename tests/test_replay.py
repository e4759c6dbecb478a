"""A recorded run as a server: which exchange answers, and that it answers as it was recorded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from clients.recorded import BASE, CHUNKS, completion, exchange, ledger, sse, write

from conformance.model import Ledger
from conformance.relay import BackgroundRelay
from conformance.replay_app import CASE_HEADER, MATCH_HEADER, Replay
from conformance.replaying import Recording, pinned_path

HI = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
HOT = HI | {"temperature": "hot"}
REFUSAL = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
CHAT = "/v1/chat/completions"
STREAM = sse(CHUNKS)


@contextmanager
def replayed(recorded: Ledger, *, timing: bool = False) -> Iterator[httpx.Client]:
    """A client of the replayed run."""
    with (
        BackgroundRelay(Replay(Recording(recorded), timing=timing)) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        yield client


RUN = ledger(
    exchange("chat/no-key", REFUSAL, 401),
    exchange("chat/plain", completion("plain")),
    exchange("chat/hot", REFUSAL, 400, asked=HOT),
    exchange("chat/long", completion("long"), asked=HI | {"max_tokens": 9, "seed": 1}),
    exchange("chat.stream/minimal", STREAM),
    exchange("models.list/first", {"object": "list", "data": []}, method="GET"),
    exchange("models.list/page", {"object": "list", "data": [1]}, method="GET", query="?after=1"),
    exchange("chat/lost", None, failure="timeout"),
)
MATCHES: dict[str, tuple[str, str, Any, str, str]] = {
    "the-same-body": ("POST", CHAT, HI, "chat/plain", "exact"),
    "another-model": ("POST", CHAT, HI | {"model": "other"}, "chat/plain", "exact"),
    "another-order": ("POST", CHAT, dict(reversed(HI.items())), "chat/plain", "exact"),
    "the-same-bad-body": ("POST", CHAT, HOT, "chat/hot", "exact"),
    "another-question": ("POST", CHAT, HI | {"messages": []}, "chat/plain", "best"),
    "most-equal-fields": ("POST", CHAT, HI | {"max_tokens": 9, "seed": 2}, "chat/long", "best"),
    "a-stream": ("POST", CHAT, {"stream": True}, "chat.stream/minimal", "best"),
    "no-object": ("POST", CHAT, [1], "chat/plain", "best"),
    "no-json": ("POST", CHAT, b"{", "chat/plain", "best"),
    "without-v1": ("POST", "/chat/completions", HI, "chat/plain", "exact"),
    "a-get": ("GET", "/v1/models", b"", "models.list/first", "exact"),
    "a-query": ("GET", "/v1/models?after=1", b"", "models.list/page", "exact"),
    "another-query": ("GET", "/v1/models?after=2", b"", "models.list/first", "best"),
    "pinned": ("POST", f"{pinned_path('chat/hot')}/chat/completions", HI, "chat/hot", "pinned"),
    "pinned-other-path": ("GET", f"{pinned_path('chat.stream/minimal')}/models", b"", "chat.stream/minimal", "pinned"),
}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with replayed(RUN) as each:
        yield each


@pytest.mark.parametrize("name", MATCHES)
def test_the_exchange_that_fits_best_answers(client: httpx.Client, name: str) -> None:
    method, path, body, case, how = MATCHES[name]

    answer = client.request(method, path, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    recorded = RUN.by_case[case].response
    assert recorded is not None
    assert (answer.headers[CASE_HEADER], answer.headers[MATCH_HEADER]) == (case, how)
    assert (answer.status_code, answer.content) == (recorded.status, recorded.body)


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "/__cases/chat/lost/v1/x", "/__cases/", "/__cases/no/such/case"])
def test_what_was_not_recorded_is_404_and_says_what_was(client: httpx.Client, path: str) -> None:
    answer = client.post(path, json=HI)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_recorded"
    assert "POST /v1/chat/completions (5)" in answer.json()["error"]["message"]


def test_a_method_that_was_not_recorded_is_404(client: httpx.Client) -> None:
    assert client.get(CHAT).status_code == 404


def test_of_many_paths_some_are_listed() -> None:
    with replayed(ledger(*(exchange(f"x{number}/a", {}) for number in range(40)))) as client:
        message = client.get("/v1/nothing").json()["error"]["message"]

    assert message.endswith(" and 10 more")


def test_an_empty_run_says_so() -> None:
    with replayed(ledger()) as client:
        assert client.get("/v1/models").json()["error"]["message"].endswith("recorded: nothing")


def test_a_relay_whose_api_is_not_below_v1() -> None:
    root = "https://relay.example"
    with replayed(ledger(exchange("chat/plain", completion()), base=root)) as client:
        assert client.post("/api/v1/chat/completions", json=HI).status_code == 200
        assert client.post("/v1/api/v1/chat/completions", json=HI).status_code == 200


def test_headers_are_those_recorded_but_for_what_is_of_the_connection() -> None:
    headers = (
        ("X-Request-Id", "r1"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Content-Length", "99999"),
        ("Content-Encoding", "gzip"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
        ("X bad name", "x"),
        ("X-Bad-Value", "a\r\nb"),
        ("X-Not-Latin", "\u4f60"),
        (CASE_HEADER, "forged"),
    )
    with replayed(ledger(exchange("chat/plain", completion(), headers=headers))) as client:
        answer = client.post(CHAT, json=HI)

    assert answer.json() == completion()
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["x-request-id"] == "r1"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers[CASE_HEADER] == "chat/plain"
    assert int(answer.headers["content-length"]) == len(answer.content)
    gone = {"content-encoding", "transfer-encoding", "x bad name", "x-bad-value", "x-not-latin"}
    assert not gone & set(answer.headers)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_can_have_no_body_has_none(status: int) -> None:
    with replayed(ledger(exchange("chat/plain", b"surplus", status))) as client:
        answer = client.post(CHAT, json=HI)

    assert (answer.status_code, answer.content) == (status, b"")


def test_a_status_that_no_server_sends_is_502() -> None:
    with replayed(ledger(exchange("chat/plain", b"", 999))) as client:
        assert client.post(CHAT, json=HI).status_code == 502


def test_a_request_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.replay_app._LARGEST_BODY", 10)
    with replayed(ledger(exchange("chat/plain", {}))) as client:
        assert client.post(CHAT, json=HI).status_code == 413


@pytest.mark.parametrize("arrivals", [(), ((0.1, 5),), ((0.1, 40), (0.1, 20), (0.2, 10**6)), ((0.0, -7), (0.0, 0))])
def test_every_byte_of_a_stream_comes_whatever_was_noted_of_its_arrival(arrivals: Any) -> None:
    with replayed(ledger(exchange("chat.stream/minimal", STREAM, arrivals=arrivals))) as client:
        answer = client.post(CHAT, json=HI)

    assert answer.content == STREAM
    assert "content-length" not in answer.headers


def test_with_timing_a_stream_takes_as_long_as_it_took() -> None:
    half = len(STREAM) // 2
    recorded = ledger(exchange("chat.stream/minimal", STREAM, arrivals=((0.05, half), (0.4, len(STREAM)))))
    with replayed(recorded, timing=True) as client:
        began = time.monotonic()
        with client.stream("POST", CHAT, json=HI) as answer:
            pieces = [(piece, time.monotonic() - began) for piece in answer.iter_raw()]

    assert [piece for piece, _ in pieces] == [STREAM[:half], STREAM[half:]]
    assert pieces[1][1] >= 0.39
    assert pieces[1][1] - pieces[0][1] >= 0.2


def test_an_answer_that_was_cut_off_is_cut_off_again() -> None:
    recorded = ledger(exchange("chat.stream/minimal", STREAM[:40], failure="reset"))
    with replayed(recorded) as client, pytest.raises(httpx.RemoteProtocolError):
        client.post(CHAT, json=HI)


def test_the_command_serves_a_ledger_until_ctrl_c(tmp_path: Path) -> None:
    path = write(tmp_path, RUN)
    command = [sys.executable, "-m", "conformance", "replay", str(path.parent), "--timing"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(6)]
        base_url = said[0].split()[-1]
        answer = httpx.post(f"{base_url}/chat/completions", json=HI, trust_env=False)
        pinned = httpx.get(said[4].split()[2], trust_env=False)
        process.send_signal(signal.SIGINT)
        process.wait(10)

    assert answer.json() == completion("plain")
    assert said[3].startswith("answers   7 recorded ones")
    assert pinned.headers[CASE_HEADER] == "chat/no-key"
    assert process.returncode == 130


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_is_said_at_the_start(host: str, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    from conformance import cli  # noqa: PLC0415 - the command line, called in this process

    path = write(tmp_path, ledger())
    monkeypatch.setattr("conformance.relay.serve", lambda _host, _port, _app, ready: ready(4711))
    monkeypatch.setattr(sys, "argv", ["relay-conformance", "replay", str(path), "--host", host])
    with pytest.raises(SystemExit) as end:
        cli.main()

    said = capsys.readouterr().out.splitlines()
    assert end.value.code == 0
    assert said[0] == f"base URL  http://{'[::1]' if ':' in host else host}:4711/v1"
    assert said[3].startswith("answers   0")
    assert len(said) == 5


@pytest.mark.parametrize("name", ["chat/a\r\nX-Forged: 1", "chat/\ud800", "chat/?#"])
def test_a_case_of_an_odd_name_is_answered_and_named_safely(name: str) -> None:
    with replayed(ledger(exchange(name, completion()))) as client:
        answer = client.post(CHAT, json=HI)

    assert answer.json() == completion()
    assert "x-forged" not in answer.headers
    assert answer.headers[CASE_HEADER].startswith("chat/")


@pytest.mark.parametrize("url", ["", "x", "http://[::1", "://", "http://h"])
def test_an_exchange_whose_address_is_none_can_still_be_pinned(url: str) -> None:
    each = exchange("chat/a", completion())
    recorded = ledger(replace(each, request=replace(each.request, url=url)), base=url)

    assert Recording(recorded).find("POST", f"{pinned_path('chat/a')}/x") is not None


def test_paths_keep_what_a_case_is_called() -> None:
    name = "chat/ä b"
    match = Recording(ledger(exchange(name, {}))).find("GET", "/__cases/chat/ä b/v1/models")

    assert pinned_path(name) == "/__cases/chat/%C3%A4%20b/v1"
    assert match is not None
    assert match.exchange.case.id == name
    assert BASE.endswith("/v1")
