"""Runs that are interrupted: what was recorded is kept, can be judged, and can be continued."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hostile.server import Call, Server, first_honest, honest

from conformance.errors import LedgerError, UsageError
from conformance.judging import judge
from conformance.ledger import read_ledger
from conformance.model import Exchange, Ledger, Limits, Provider
from conformance.planning import PREFLIGHT, plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay, create_app
from conformance.reporting.summary import run_verdict
from conformance.send import record

SECRETS = Secrets({"RELAY_API_KEY": DEFAULT_KEY})
FEW = ("chat.stream.at-once", "chat.id.fresh")


@pytest.fixture(scope="module")
def slow() -> Iterator[BackgroundRelay]:
    """A relay that takes its time."""
    with BackgroundRelay(create_app(latency=0.2)) as relay:
        yield relay


def vet(base_url: str, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    """The command, running."""
    command = [sys.executable, "-m", "conformance", "vet", base_url, "--model", DEFAULT_MODEL, "--out", str(folder)]
    environment = {**os.environ, "RELAY_API_KEY": DEFAULT_KEY}
    return subprocess.Popen([*command, *more], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def interrupted(base_url: str, folder: Path, number: int) -> tuple[int, str]:
    """Begin a run, send it a signal when some exchanges are recorded; exit code and stderr."""
    with vet(base_url, folder, "--concurrency", "2") as process:
        ledger = folder / "ledger.jsonl"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not (ledger.exists() and ledger.read_bytes().count(b"\n") > 6):
            time.sleep(0.02)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    return process.returncode, err.decode()


def finished(base_url: str, folder: Path, *more: str) -> tuple[int, str]:
    """A run to its end: exit code and stderr."""
    with vet(base_url, folder, *more) as process:
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, err.decode()


def test_ctrl_c_ends_with_a_report_and_the_way_to_go_on(slow: BackgroundRelay, tmp_path: Path) -> None:
    code, err = interrupted(slow.base_url, tmp_path, signal.SIGINT)

    ledger = read_ledger(tmp_path / "ledger.jsonl")
    assert code == 130
    assert "error: interrupted" in err
    assert f"--resume --out {tmp_path}" in err
    assert "Traceback" not in err
    assert not ledger.complete
    assert 0 < len(ledger.exchanges) < len(ledger.plan)
    assert (tmp_path / "report.html").exists()


def test_after_a_kill_the_run_is_continued_and_nothing_is_paid_twice(slow: BackgroundRelay, tmp_path: Path) -> None:
    interrupted(slow.base_url, tmp_path, signal.SIGKILL)
    before = read_ledger(tmp_path / "ledger.jsonl")
    lines = (tmp_path / "ledger.jsonl").read_bytes().count(b"\n")

    code, err = finished(slow.base_url, tmp_path, "--resume")

    after = read_ledger(tmp_path / "ledger.jsonl")
    assert not before.complete
    assert (code, "Traceback" in err) == (0, False)
    assert after.complete
    assert len(after.exchanges) == len(after.plan)
    assert (tmp_path / "ledger.jsonl").read_bytes().count(b"\n") - lines == len(after.plan) - len(before.exchanges) + 1


def test_a_partial_ledger_is_judged_as_inconclusive(slow: BackgroundRelay, tmp_path: Path) -> None:
    interrupted(slow.base_url, tmp_path, signal.SIGKILL)

    done = subprocess.run(
        [sys.executable, "-m", "conformance", "judge", str(tmp_path)], capture_output=True, check=False, timeout=60
    )

    assert done.returncode == 6
    assert b"interrupted" in done.stdout
    assert done.stderr == b""


def recorded(base_url: str, path: Path, *, only: tuple[str, ...] = FEW, resume: bool = False) -> Ledger:
    """A run by the library."""
    provider = Provider(base_url, DEFAULT_MODEL)
    limits = Limits(backoff=0.01, timeout=5.0)
    return record(plan(only), provider, path, secrets=SECRETS, limits=limits, rules=only, resume=resume)


def keep_lines(path: Path, count: int, rest: bytes = b"") -> None:
    """Cut a ledger after some lines, as a crash would."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:count]) + rest)


@pytest.mark.parametrize("lines", range(1, 11))
def test_a_run_cut_anywhere_is_continued_with_what_is_missing(lines: int, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Server(honest) as server:
        recorded(server.base_url, path)
        keep_lines(path, lines, b'{"kind": "exch')
        have = {exchange.case.id for exchange in read_ledger(path).exchanges}
        server.calls.clear()

        after = recorded(server.base_url, path, resume=True)

    again = 2 if lines == 1 else 0  # before the base URL was known, the preflight is repeated
    missing = {case.id for case in after.plan} - have
    assert len(server.calls) == max(len(missing), again)
    assert after.complete
    assert len(after.exchanges) == len(after.plan)


def test_a_companion_that_alone_is_missing_does_not_wait_for_what_is_done(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Server(honest) as server:
        whole = recorded(server.base_url, path)
        kept = [line for line in path.read_bytes().splitlines(keepends=True) if b'-second","model"' not in line]
        path.write_bytes(b"".join(kept[:-1]))
        server.calls.clear()

        after = recorded(server.base_url, path, resume=True)

    assert len(server.calls) == 2
    assert len(after.exchanges) == len(whole.plan)


def test_a_complete_run_is_resumed_without_a_request(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Server(honest) as server:
        before = recorded(server.base_url, path)
        server.calls.clear()
        after = recorded(server.base_url, path, resume=True)

    assert server.calls == []
    assert after.exchanges == before.exchanges
    assert after.complete


def test_resuming_where_nothing_is_begins_a_run(tmp_path: Path) -> None:
    with Server(honest) as server:
        ledger = recorded(server.base_url, tmp_path / "new" / "ledger.jsonl", resume=True)

    assert ledger.complete


def test_a_run_that_stopped_starts_over_once_the_relay_is_better(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"

    async def ill(call: Call) -> None:
        await (call.value({"error": {"message": "no"}}, 500) if call.number < 2 else honest(call))

    with Server(ill) as server:
        stopped = recorded(server.base_url, path)
        after = recorded(server.base_url, path, resume=True)

    assert stopped.stop is not None
    assert stopped.stop.code == "unavailable"
    assert after.stop is None
    assert all(exchange.status == 200 for exchange in after.exchanges if exchange.case.operation == "chat")


def test_a_resumed_run_that_breaks_again_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"

    async def ill(call: Call) -> None:
        await call.value({"error": {"message": "no"}}, 500)

    with Server(ill) as server:
        recorded(server.base_url, path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[1]]))

    assert not read_ledger(path).complete


def test_what_was_not_sent_for_want_of_budget_is_sent_on_resume(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Server(honest) as server:
        provider = Provider(server.base_url, DEFAULT_MODEL)
        record(plan(FEW), provider, path, secrets=SECRETS, limits=Limits(requests=3))
        after = recorded(server.base_url, path, resume=True)

    assert len(server.calls) == len(after.plan)
    assert not any(exchange.failure for exchange in after.exchanges)


@pytest.mark.parametrize("change", [{"model": "another"}, {"base_url": "http://127.0.0.1:1/v1"}])
def test_another_relay_or_model_cannot_continue_a_run(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Server(honest) as server:
        recorded(server.base_url, path)
        provider = replace(Provider(server.base_url, DEFAULT_MODEL), **change)
        with pytest.raises(UsageError, match="records mock-chat at"):
            record(plan(FEW), provider, path, secrets=SECRETS, resume=True)


def test_a_file_that_is_no_ledger_is_left_as_it_is_by_a_resume(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"notes\nof mine")

    with pytest.raises(LedgerError):
        recorded("http://127.0.0.1:1/v1", path, resume=True)

    assert path.read_bytes() == b"notes\nof mine"


def test_a_ledger_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_bytes(b"")

    with pytest.raises(UsageError, match="exists already"):
        recorded("http://127.0.0.1:1/v1", tmp_path / "ledger.jsonl")


@pytest.mark.parametrize("left", [b"", b'{"ki', b'{"kind":"header","format":1,"tool":"relay'])
def test_a_kill_before_the_first_line_was_whole_is_resumed_from_the_beginning(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(left)
    with Server(honest) as server:
        assert recorded(server.base_url, path, resume=True).complete


def test_vet_resumes_what_was_killed_in_its_first_moment(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_bytes(b"")
    with Server(honest) as server:
        done = subprocess.run(
            [sys.executable, "-m", "conformance", "vet", server.base_url, "--model", DEFAULT_MODEL, "--only", "models",
             "--resume", "--out", str(tmp_path)],
            env={**os.environ, **SECRETS.values}, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    assert "8 requests planned" in done.stderr, done.stderr
    assert read_ledger(tmp_path / "ledger.jsonl").complete


def test_a_file_of_somebody_else_is_not_taken_for_half_a_header(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"notes of mine")

    with pytest.raises(LedgerError):
        recorded("http://127.0.0.1:1/v1", path, resume=True)

    assert path.read_bytes() == b"notes of mine"


def test_a_torn_last_line_makes_a_complete_ledger_partial(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Server(honest) as server:
        recorded(server.base_url, path)
    path.write_bytes(path.read_bytes() + b'{"kind": "exchange", "ca')

    torn = read_ledger(path)

    assert not torn.complete
    assert run_verdict(judge(torn), torn, strict=False) in {"inconclusive", "fail"}


def test_vet_and_judge_write_the_same_results_again_and_again(tmp_path: Path) -> None:
    with BackgroundRelay() as relay:
        code, _ = finished(relay.base_url, tmp_path)
    results = [(tmp_path / "results.json").read_bytes()]
    for name in ("once", "twice"):
        out = tmp_path / name
        command = [sys.executable, "-m", "conformance", "judge", str(tmp_path), "--out", str(out)]
        subprocess.run(command, check=True, capture_output=True)
        results.append((out / "results.json").read_bytes())

    assert code == 0
    assert results[0] == results[1] == results[2]
    assert json.loads(results[0])["verdict"] == "pass"


def test_progress_counts_what_an_earlier_run_has_recorded(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    steps: list[tuple[int, int]] = []

    def step(done: int, total: int, _: Exchange) -> None:
        steps.append((done, total))

    with Server(first_honest(honest)) as server:
        recorded(server.base_url, path)
        keep_lines(path, 6)
        kept = len(read_ledger(path).exchanges)
        provider = Provider(server.base_url, DEFAULT_MODEL)
        total = len(record(plan(FEW), provider, path, secrets=SECRETS, resume=True, progress=step).plan)

    assert steps == [(number, total) for number in range(kept + 1, total + 1)]


def test_a_step_that_lacked_an_unsent_one_is_sent_on_resume(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    cases = [case for case in plan() if case.id in PREFLIGHT or case.scenario == "tool-round"]
    with BackgroundRelay() as relay:
        provider = Provider(relay.base_url, DEFAULT_MODEL)
        short = record(cases, provider, path, secrets=SECRETS, limits=Limits(requests=2))
        whole = record(cases, provider, path, secrets=SECRETS, resume=True)

    steps = [case.id for case in cases if case.scenario]
    assert [short.by_case[step].was_sent for step in steps] == [False] * len(steps)
    assert [whole.by_case[step].status for step in steps] == [200] * len(steps)


@pytest.mark.parametrize(
    ("models", "accepted"),
    [
        ({}, True),
        ({"embeddings": "mock-chat"}, True),
        ({"rerank": "mock-rerank"}, True),
        ({"embeddings": "text-embedding-3-mock"}, False),
        ({"rerank": "mock-chat"}, False),
        ({"speech": "mock-tts"}, False),
    ],
)
def test_a_run_is_continued_with_its_own_models(models: dict[str, str], accepted: bool, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    cases = [case for case in plan() if case.id in PREFLIGHT or case.operation in {"embeddings", "rerank"}]
    with BackgroundRelay() as relay:
        provider = Provider(relay.base_url, DEFAULT_MODEL, models={"embeddings": "mock-chat"})
        record(cases, provider, path, secrets=SECRETS)
        keep_lines(path, 5)
        again = replace(provider, models=models)
        if accepted:
            assert record(cases, again, path, secrets=SECRETS, resume=True).models["embeddings"] == "mock-chat"
        else:
            with pytest.raises(UsageError, match=r"asks .* for"):
                record(cases, again, path, secrets=SECRETS, resume=True)
