"""Lets clients read a replayed run, each in a process of its own that cannot outlive its time."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

from conformance.clients.readings import ClientRun, Job, Reading, reading_in
from conformance.refusals import GENERATED
from conformance.replaying import pinned_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.clients.table import Client
    from conformance.model import Exchange, Ledger

MOST_JOBS = 400
"""Answers that one client reads; generated ones are left out first."""

START_SECONDS = 120.0
"""The longest that importing a client may take."""
READ_SECONDS = 40.0
"""The longest that reading one answer may take."""
END_SECONDS = 5.0
"""The longest that a process may take to end once there are no more jobs."""
MOST_STARTS = 4
"""A client that hangs is started again this often, less one."""
_FORMS = frozenset({"text", "srt", "vtt", "verbose_json"})
_KEPT = frozenset({"PATH", "SYSTEMROOT", "VIRTUAL_ENV", "LANG", "LC_ALL", "COVERAGE_PROCESS_CONFIG"})
"""Variables that a client sees: none of them is a key, a proxy or an address."""


def run_clients(ledger: Ledger, clients: Sequence[Client], root: str) -> list[ClientRun]:
    """Let every client read what it can of a run that is replayed at `root` (scheme, host and port)."""
    with ThreadPoolExecutor(max_workers=max(1, len(clients))) as pool:
        return list(pool.map(lambda client: run_client(client, jobs_for(ledger, client, root)), clients))


def jobs_for(ledger: Ledger, client: Client, root: str) -> list[Job]:
    """The answers that a client can read, in the order of the plan."""
    chosen = [exchange for exchange in ledger.exchanges if _is_readable(exchange, client)]
    chosen.sort(key=lambda exchange: GENERATED in exchange.case.probes)
    return [
        Job(
            exchange.case.id,
            exchange.case.operation,
            root + pinned_path(exchange.case.id),
            exchange.model or ledger.provider.model,
            _asked(exchange),
        )
        for exchange in chosen[:MOST_JOBS]
    ]


def _is_readable(exchange: Exchange, client: Client) -> bool:
    """Whether an exchange is a whole answer of a kind that the client reads."""
    if exchange.case.operation not in client.operations or not exchange.answered or exchange.case.stop_after_events:
        return False
    if exchange.status not in range(200, 300) and exchange.status not in range(400, 600):
        return False
    if exchange.case.operation.startswith(("audio.", "images.")) and "stream" in (_sent(exchange)):
        return False  # streams of sounds and pictures are read by hand: there is no answer to hand to a user
    return client.several or "n" not in _asked(exchange) or exchange.case.operation != "chat.stream"


def _sent(exchange: Exchange) -> Mapping[str, Any]:
    """The fields of a request, of whatever kind its body is."""
    return exchange.case.body or exchange.case.form or {}


def _body(exchange: Exchange) -> dict[str, Any]:
    body = exchange.case.body
    return dict(body) if body is not None else {}


def _asked(exchange: Exchange) -> dict[str, Any]:
    """What of a request matters to the reading of its answer."""
    body = _body(exchange)
    options = body.get("stream_options")
    asked: dict[str, Any] = {}
    if isinstance(options, dict) and options.get("include_usage") is True:
        asked["include_usage"] = True
    if body.get("n") not in (None, 1):
        asked["n"] = body["n"]
    if body.get("encoding_format") == "base64":
        asked["encoding_format"] = "base64"
    form = body.get("response_format")
    if isinstance(form, str) and form in _FORMS:
        asked["response_format"] = form
    return asked


def run_client(client: Client, jobs: Sequence[Job]) -> ClientRun:
    """All readings of one client; an answer on which it hangs is named, and the rest read by a new process."""
    left = deque(jobs)
    readings: list[Reading] = []
    version = trouble = ""
    for _ in range(MOST_STARTS):
        with _Worker(client.module) as worker:
            first = worker.start()
            if "version" not in first:
                return ClientRun(client.name, version, tuple(readings), first.get("missing", "it did not start"))
            version = first["version"]
            trouble = _read_on(worker, left, readings)
        if not left:
            return ClientRun(client.name, version, tuple(readings))
    return ClientRun(client.name, version, tuple(readings), trouble)


def _read_on(worker: _Worker, left: deque[Job], readings: list[Reading]) -> str:
    """Let a process read until nothing is left, or it hangs or dies; says what happened to it."""
    while left:
        job = left.popleft()
        answer = worker.ask(job)
        if answer is None:
            message = f"no reading within {READ_SECONDS:g} seconds, or the process ended"
            readings.append(Reading(job.case, "hung", message=message))
            return f"it hung on {job.case}"
        readings.append(reading_in(answer))
    return ""


class _Worker:
    """The process of one client."""

    def __init__(self, module: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="relay-conformance-", ignore_cleanup_errors=True)
        environment = {name: value for name, value in os.environ.items() if name in _KEPT}
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "conformance.clients.worker", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env={**environment, "HOME": self._folder.name, "NO_PROXY": "*", "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self._input: Any = self._process.stdin
        self._output: Any = self._process.stdout
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._input.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        self._output.close()
        self._folder.cleanup()

    def _listen(self) -> None:
        """Collect lines; an empty one says that no more come."""
        for line in self._output:
            self._lines.put(line)
        self._lines.put(b"")

    def start(self) -> dict[str, Any]:
        """What the process says first; empty when it says nothing."""
        return self._next(START_SECONDS) or {}

    def ask(self, job: Job) -> dict[str, Any] | None:
        """The reading of one answer; None when there is none in time."""
        try:
            self._input.write(json.dumps(vars(job)).encode() + b"\n")
            self._input.flush()
        except OSError:
            return None
        return self._next(READ_SECONDS)

    def _next(self, seconds: float) -> dict[str, Any] | None:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            return None
        # A process that died while it wrote leaves half a line.
        found: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return found
