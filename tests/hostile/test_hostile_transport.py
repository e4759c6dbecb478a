"""Connections that break, stall or carry no HTTP: nothing is known of the contract then, and nothing is judged."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from conformance.model import Verdict

from . import behaviours
from .runs import EVERY, FEW, vet
from .server import Answer, Server, first_honest, honest

BROKEN: dict[str, tuple[Answer, str]] = {
    "reset-at-once": (behaviours.reset_at_once, "reset"),
    "reset-in-body": (behaviours.reset_in_body, "reset"),
    "reset-in-stream": (behaviours.reset_in_stream, "reset"),
    "short-body": (behaviours.short_body, "reset"),
    "silence": (behaviours.silence, "idle"),
    "silence-after-headers": (behaviours.silence_after_headers, "idle"),
    "byte-by-byte": (behaviours.byte_by_byte, "timeout"),
    "endless-information": (behaviours.endless_information, "timeout"),
    "no-http": (behaviours.no_http, "protocol"),
    "huge-header": (behaviours.huge_header, "protocol"),
    "wrong-encoding": (behaviours.wrong_encoding, "encoding"),
    "unasked-encoding": (behaviours.unasked_encoding, "encoding"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_relay_that_never_answers_whole_stops_the_run(name: str, tmp_path: Path) -> None:
    answer, kind = BROKEN[name]

    with Server(answer) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    assert run.stopped == "unreachable"
    assert {exchange.failure.kind for exchange in run.ledger.preflight if exchange.failure} == {kind}
    assert {judgement.verdict for judgement in run.judgements} == {Verdict.INCONCLUSIVE}


@pytest.mark.parametrize("name", BROKEN)
def test_answers_that_break_later_are_inconclusive_and_no_failure(name: str, tmp_path: Path) -> None:
    answer, kind = BROKEN[name]

    with Server(first_honest(answer)) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    assert run.stopped == ""
    assert run.failures == {kind}
    assert run.violated == set()
    assert run.verdict("chat.stream.usage-chunk") is Verdict.INCONCLUSIVE


def test_a_refused_connection_stops_the_run_after_a_second_try(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    run = vet(f"http://127.0.0.1:{port}", tmp_path, FEW, EVERY)

    assert run.stopped == "unreachable"
    assert {exchange.failure.kind for exchange in run.ledger.preflight if exchange.failure} == {"refused"}
    assert all(len(exchange.attempts) == 1 for exchange in run.ledger.preflight)
    assert run.ledger.stop is not None
    assert run.ledger.stop.hint == "is the port right, and is the relay running?"


def test_a_host_without_address_is_named_as_such(tmp_path: Path) -> None:
    run = vet("http://no-such-host.invalid/v1", tmp_path, FEW, EVERY)

    assert run.stopped == "unreachable"
    assert {exchange.failure.kind for exchange in run.ledger.preflight if exchange.failure} == {"dns"}


def test_a_host_name_that_cannot_be_encoded_is_no_crash(tmp_path: Path) -> None:
    run = vet("http://xn--a.invalid/v1", tmp_path, FEW, EVERY)

    assert {exchange.failure.kind for exchange in run.ledger.preflight if exchange.failure} == {"dns"}


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_tls_against_a_plain_port_is_a_tls_failure(scheme: str, tmp_path: Path) -> None:
    with Server(honest) as server:
        run = vet(server.base_url.replace("http", scheme), tmp_path, FEW, EVERY)

    assert run.stopped == "unreachable"
    assert {exchange.failure.kind for exchange in run.ledger.preflight if exchange.failure} == {"tls"}


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """A certificate that nobody has signed."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    files = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(files[0]), "-out", str(files[1])]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files[1], files[0])
    return context


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_the_key_is_not_sent_to_a_host_with_a_certificate_of_its_own(
    scheme: str, certificate: ssl.SSLContext, tmp_path: Path
) -> None:
    with Server(honest, certificate) as server:
        run = vet(server.base_url.replace("https", scheme), tmp_path / "run", FEW, EVERY)

    assert run.stopped == "unreachable"
    assert run.ledger.stop is not None
    assert run.ledger.stop.hint.startswith("the certificate")
    assert server.calls == []


def test_a_connection_that_is_never_made_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        run = vet(f"http://127.0.0.1:{full.getsockname()[1]}/v1", tmp_path, FEW, EVERY, idle=0.3)
        for each in waiting:
            each.close()

    assert run.stopped == "unreachable"
    assert {exchange.failure.kind for exchange in run.ledger.preflight if exchange.failure} <= {"timeout", "idle"}
