"""Measures what the project promises to be quick, and prints a table: figure, limit, promise.

`python -m benchmarks`. Times are medians of several runs on this machine, ratios come from one and the same run.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Self

import httpx

from benchmarks import comparing
from conformance import relay
from conformance.derive.deriving import derive
from conformance.judging import judge
from conformance.ledger import read_ledger
from conformance.model import Case, Exchange, Ledger, Limits, Phase, Provider, Request, Response
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.reporting import report
from conformance.send import record

KEY = "RELAY_API_KEY"
RUNS = 5


def copies(count: int) -> list[Case]:
    """The default plan, filled up with copies of its plain cases to so many exchanges."""
    cases = [case for case in plan() if not case.scenario]
    simple = [case for case in cases if case.phase is Phase.VALID and not case.follows and not case.during]
    extra = [
        replace(simple[each % len(simple)], id=f"{simple[each % len(simple)].operation}/copy-{each}")
        for each in range(count)
    ]
    return [*cases, *extra][:count] if count <= len(cases) else [*cases, *extra[: count - len(cases)]]


def vet(base_url: str, cases: list[Case], folder: Path, *, reports: bool = True, **limits: float) -> Ledger:
    """Record, judge, report: everything that `vet` does after start-up."""
    secrets = Secrets({KEY: relay.DEFAULT_KEY})
    allowed = Limits(requests=5_000, output_tokens=500_000, **limits)  # type: ignore[arg-type]
    ledger = record(
        cases, Provider(base_url, relay.DEFAULT_MODEL, KEY), folder / "ledger.jsonl", secrets=secrets, limits=allowed
    )
    judgements = judge(ledger)
    if reports:
        report(judgements, ledger, folder)
    return ledger


class OutsideRelay:
    """The reference relay in a process of its own, so that its CPU is not counted as ours."""

    def __init__(self, latency_ms: int) -> None:
        command = [sys.executable, "-m", "conformance", "serve", "--latency-ms", str(latency_ms)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
        line = self._process.stdout.readline() if self._process.stdout else ""
        self.base_url = line.split()[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()


def wall_of_a_hundred() -> tuple[float, float]:
    """(seconds, ideal) for 100 exchanges of 200 ms at a concurrency of 8."""
    times = []
    with OutsideRelay(200) as outside:
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                vet(outside.base_url, copies(100), Path(folder))
                times.append(time.perf_counter() - started)
    return statistics.median(times), 100 * 0.2 / 8


def wall_of_the_plan() -> tuple[float, float]:
    """(seconds, limit) for the whole default plan with 200 ms a request, at a concurrency of 8."""
    times = []
    cases = plan()
    with OutsideRelay(200) as outside:
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                vet(outside.base_url, cases, Path(folder))
                times.append(time.perf_counter() - started)
    return statistics.median(times), 1.2 * len(cases) * 0.2 / 8 + 1.5


def cpu_ratio() -> tuple[float, float, float]:
    """(ours, bare, ratio): CPU milliseconds an exchange, everything included, against a bare httpx client."""
    ours, bare = [], []
    with OutsideRelay(0) as outside:
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as folder:
                before = time.process_time()
                ledger = vet(outside.base_url, copies(400), Path(folder), reports=False)
                ours.append((time.process_time() - before) * 1000 / len(ledger.exchanges))
            before = time.process_time()
            asyncio.run(_bare(outside.base_url, ledger.exchanges))
            bare.append((time.process_time() - before) * 1000 / len(ledger.exchanges))
    return statistics.median(ours), statistics.median(bare), statistics.median(map(lambda a, b: a / b, ours, bare))


async def _bare(base_url: str, exchanges: tuple[Exchange, ...]) -> None:
    """The same requests, sent by a bare client and thrown away."""
    gate = asyncio.Semaphore(8)
    key = {"Authorization": f"Bearer {relay.DEFAULT_KEY}"}
    async with httpx.AsyncClient(base_url=base_url, limits=httpx.Limits(max_connections=8)) as client:

        async def one(exchange: Exchange) -> None:
            async with gate:
                headers = {name: value for name, value in exchange.request.headers if name != "Authorization"}
                await client.request(
                    exchange.request.method, exchange.request.url, content=exchange.request.body, headers=headers | key
                )

        await asyncio.gather(*map(one, exchanges))


def long_stream() -> float:
    """Milliseconds to parse and judge a stream of 10,000 chunks."""
    case = next(case for case in plan() if case.id == "chat.stream/long")
    value = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}],
    }
    last = {**value, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    first = {**value, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
    frames = [b"data: " + json.dumps(each).encode() + b"\n\n" for each in [first, *[value] * 9_998, last]]
    body = b"".join(frames) + b"data: [DONE]\n\n"
    arrivals, size = [], 0
    for number, frame in enumerate(frames):
        size += len(frame)
        arrivals.append((0.2 + number * 0.001, size))
    response = Response(200, (("content-type", "text/event-stream"),), body, 0.2, tuple(arrivals))
    request = Request("POST", "http://127.0.0.1/v1/chat/completions", (), json.dumps(case.body).encode())

    def fresh() -> Ledger:
        exchange = Exchange(case, "m", request, response, None, 1_790_000_000.0, 11.0)
        return Ledger(
            Provider("http://127.0.0.1/v1", "m"), Limits(), (case,), (exchange,), 1_790_000_000.0, 11.0, "benchmark"
        )

    return _median(lambda: judge(fresh())) * 1000


def thousand_exchanges() -> float:
    """Seconds to judge a ledger of 1,000 exchanges with all rules, reading it included."""
    with tempfile.TemporaryDirectory() as folder, relay.BackgroundRelay() as background:
        vet(background.base_url, copies(1_000), Path(folder))
        return _median(lambda: judge(read_ledger(Path(folder) / "ledger.jsonl")))


def generation() -> tuple[float, float]:
    """CPU milliseconds a case for 200 generated cases: the first time in a process, and when schemas are known."""
    code = (
        "import time; from conformance.generate import generate_cases; before = time.process_time();"
        "generate_cases(200, 1); between = time.process_time(); generate_cases(200, 2);"
        "print((between - before) * 5, (time.process_time() - between) * 5)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()  # noqa: S603
        for _ in range(RUNS)
    ]
    return statistics.median(float(first) for first, _ in runs), statistics.median(float(next_) for _, next_ in runs)


def derivation() -> float:
    """Seconds to derive schemas, profile and mistakes from one page, written files not counted."""
    page = Path(__file__).resolve().parent.parent / "docs" / "howto" / "example-page.txt"
    return _median(lambda: derive([page], "sky"))


def help_cpu() -> float:
    """CPU seconds of `relay-conformance --help`."""
    times = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "conformance", "--help"], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times)


def _median(action: Callable[[], object]) -> float:
    action()
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    rows = []
    wall, ideal = wall_of_a_hundred()
    rows.append(("100 exchanges of 200 ms, 8 at once: wall", f"{wall:.2f} s (ideal {ideal:.1f} s)", "at most 3.0 s"))
    wall, limit = wall_of_the_plan()
    seen = f"{wall:.2f} s"
    rows.append((f"the default plan, {len(plan())} requests of 200 ms: wall", seen, f"at most {limit:.2f} s"))
    ours, bare, ratio = cpu_ratio()
    seen = f"{ratio:.2f} x ({ours:.2f} ms against {bare:.2f} ms)"
    rows.append(("CPU of an exchange, against a bare httpx request", seen, "at most 2 x"))
    rows.append(("10,000 stream chunks parsed and judged", f"{long_stream():.0f} ms", "at most 150 ms"))
    rows.append(("1,000 exchanges read and judged by all rules", f"{thousand_exchanges():.2f} s", "at most 1 s"))
    first, later = generation()
    rows.append(("a generated case: CPU, of 200", f"{first:.1f} ms (then {later:.1f} ms)", "at most 5 ms"))
    rows.append(("schemas, profile and mistakes of one page", f"{derivation() * 1000:.0f} ms", "at most 1 s"))
    rows.append(("relay-conformance --help: CPU", f"{help_cpu():.2f} s", "at most 0.25 s"))
    with OutsideRelay(200) as outside:
        for what, measure in (("recording", comparing.recording), ("vet and compare", comparing.command)):
            one, ten = measure(outside.base_url)
            seen = f"{ten / one:.2f} x ({ten:.1f} s against {one:.1f} s)"
            rows.append((f"ten providers of 200 ms at once, against one: {what}", seen, "at most 1.3 x"))
    print("| what | measured | promised |\n| --- | --- | --- |")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
