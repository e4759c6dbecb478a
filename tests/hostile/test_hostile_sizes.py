"""Answers without end, and answers that are far too large: bounded in memory, and a violation."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.model import Verdict

from . import behaviours
from .behaviours import MEGABYTE
from .runs import FEW, Run, vet
from .server import Answer, Call, Server, completion, first_honest

TOO_LARGE: dict[str, Answer] = {
    "endless-stream": behaviours.endless_stream,
    "endless-comments": behaviours.endless_comments,
    "large-body": behaviours.large_body,
    "large-line": behaviours.large_line,
    "gzip-bomb": behaviours.gzip_bomb,
    "gzip-tail": behaviours.gzip_tail,
}


@pytest.fixture
def memory() -> Iterator[None]:
    """Fails when more than 64 megabytes are held at any time."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 64 * MEGABYTE


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_first_answer_that_does_not_end_stops_the_run(name: str, tmp_path: Path) -> None:
    with Server(TOO_LARGE[name]) as server:
        run = vet(server.base_url, tmp_path, FEW, ("http",), timeout=20.0, idle=10.0)

    assert run.stopped == "unreachable"
    assert run.failures == {"too-large"}
    assert run.verdict("http.body.bounded", "chat") is Verdict.INCONCLUSIVE


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("name", TOO_LARGE)
def test_answers_that_do_not_end_later_fail(name: str, tmp_path: Path) -> None:
    with Server(first_honest(TOO_LARGE[name])) as server:
        run = vet(server.base_url, tmp_path, FEW, ("http",), timeout=20.0, idle=10.0, concurrency=8)

    assert run.failures == {"too-large"}
    assert run.violated == {"http.body.bounded"}
    assert run.verdict("http.body.bounded", "chat.stream") is Verdict.FAIL


def test_what_is_kept_of_an_answer_that_is_too_large_is_its_beginning(tmp_path: Path) -> None:
    with Server(behaviours.large_body) as server:
        run = vet(server.base_url, tmp_path, FEW, ("http",), timeout=20.0, idle=10.0)

    kept = run.ledger.by_case["chat/minimal"].response
    assert kept is not None
    assert len(kept.body) == 65_536
    assert kept.arrivals[-1][1] == 65_536


def pieces_of_one_byte(size: int) -> Answer:
    """Chunks of one byte each: as much overhead as HTTP allows."""

    async def answer(call: Call) -> None:
        await call.head(Transfer_Encoding="chunked")
        for _ in range(size // 1000):
            await call.send(b"1\r\n \r\n" * 1000)
        await call.send(b"0\r\n\r\n")

    return answer


def answered(run: Run) -> int:
    """How many arrivals were noted of the answer to the minimal request."""
    kept = run.ledger.by_case["chat/minimal"].response
    assert kept is not None
    return len(kept.arrivals)


def test_an_answer_in_pieces_of_one_byte_costs_no_more_than_its_time(tmp_path: Path) -> None:
    size = 20_000
    with Server(pieces_of_one_byte(size)) as server:
        run = vet(server.base_url, tmp_path, ("chat.id.fresh",), timeout=20.0, idle=10.0)

    kept = run.ledger.by_case["chat/minimal"]
    assert kept.response is not None
    assert len(kept.response.body) == size
    assert answered(run) <= kept.seconds * 10_000 + 1


def headed(**headers: str) -> Answer:
    """An honest answer under further headers."""

    async def answer(call: Call) -> None:
        await call.value(completion(), 200, **headers)

    return answer


def test_hundreds_of_headers_are_kept_up_to_a_bound(tmp_path: Path) -> None:
    many = {f"X_Noise_{number}": "x" * 20 for number in range(1500)}
    with Server(headed(**many)) as server:
        run = vet(server.base_url, tmp_path, ("chat.id.fresh",))

    kept = run.ledger.by_case["chat/minimal"].response
    assert kept is not None
    assert len(kept.headers) == 200


def test_thousands_of_headers_are_no_http(tmp_path: Path) -> None:
    many = {f"X_Noise_{number}": "x" * 50 for number in range(5000)}
    with Server(headed(**many)) as server:
        run = vet(server.base_url, tmp_path, ("chat.id.fresh",))

    assert run.stopped == "unreachable"


def test_a_header_of_many_kilobytes_is_cut(tmp_path: Path) -> None:
    with Server(headed(X_Long="x" * 60_000)) as server:
        run = vet(server.base_url, tmp_path, ("chat.id.fresh",))

    kept = run.ledger.by_case["chat/minimal"].response
    assert kept is not None
    assert len(kept.header("x-long")) == 8192


def test_a_frame_that_is_too_large_is_given_up_before_the_body_is(tmp_path: Path) -> None:
    with Server(first_honest(behaviours.large_line)) as server:
        run = vet(server.base_url, tmp_path, ("chat.stream.usage-chunk",), ("http",), event_bytes=10_000, idle=5.0)

    failure = run.ledger.by_case["chat.stream/usage"].failure
    assert failure is not None
    assert failure.detail == "an event of more than 10000 bytes"
