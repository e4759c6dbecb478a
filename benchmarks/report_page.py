"""How large `report.html` of a large run is, and how soon a browser shows it.

`python -m benchmarks.report_page`, or with FILES to see how soon these open. The run is made up: every rule is broken
in three answers of its own, which is the worst that can be. The time to open it needs Playwright and Debian's chromium;
without them it is left out.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.model import (
    Case,
    Exchange,
    Expectation,
    Finding,
    Judgement,
    Ledger,
    Limits,
    Phase,
    Price,
    Provider,
    Request,
    Response,
    Severity,
    Verdict,
)
from conformance.operations import OPERATIONS
from conformance.reporting.html import html_text
from conformance.rules.base import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES, EACH = 1_000, 3
RUNS = 5
_HEADERS = tuple((f"x-header-{number}", "value " * 4) for number in range(12))


def _case(number: int, operation: str) -> Case:
    return Case(
        id=f"{operation}/made-up-{number}",
        operation=operation,
        purpose=f"Ask for the answer number {number}",
        zh=f"要求第 {number} 个回答",
        source="openai:chat/create",
        method="POST",
        path="/chat/completions",
        expect=Expectation.SUCCESS,
        price=Price.CHEAP,
        phase=Phase.VALID,
    )


def _exchange(number: int, operation: str) -> Exchange:
    """An answer, or a stream, of about two thousand bytes."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "word " * 250}, "finish_reason": "stop"}
    body = json.dumps({"id": f"chatcmpl-{number}", "choices": [choice], "usage": {"total_tokens": number}}).encode()
    kind = "application/json"
    arrivals: tuple[tuple[float, int], ...] = ((0.2, len(body)),)
    if OPERATIONS[operation].streams:
        piece = b'data: {"choices": [{"index": 0, "delta": {"content": "word "}}]}\n\n'
        body, kind = piece * 30 + b"data: [DONE]\n\n", "text/event-stream"
        arrivals = tuple((0.1 + step / 50, (step + 1) * len(piece)) for step in range(31))
    sent = json.dumps({"model": "m", "messages": [{"role": "user", "content": f"number {number}"}]}).encode()
    return Exchange(
        case=_case(number, operation),
        model="m",
        request=Request("POST", "https://relay.example/v1/chat/completions", _HEADERS[:4], sent),
        response=Response(200, (("content-type", kind), *_HEADERS), body, 0.1, arrivals),
        failure=None,
        started=1_790_000_000.0,
        seconds=0.9,
    )


def large_run(rules: int = RULES, each: int = EACH) -> tuple[list[Judgement], Ledger, dict[str, Any]]:
    """Judgements, ledger and rules of a run in which everything is broken, in as many ways as there are rules."""
    names, pattern = list(OPERATIONS), next(iter(catalogue().values()))
    exchanges = [_exchange(number, names[number // each % len(names)]) for number in range(rules * each)]
    judgements, known = [], {}
    for number in range(rules):
        own = exchanges[number * each : (number + 1) * each]
        rule = f"made.up.rule-{number}"
        known[rule] = replace(pattern, id=rule, breaks="clients stumble", breaks_zh="客户端会出错")
        found = tuple(
            Finding(f"/field-{number}", f"value {number}", place, exchange=one.case.id) for place, one in enumerate(own)
        )
        cases = tuple(one.case.id for one in own)
        operation = own[0].case.operation
        judgements.append(Judgement(rule, operation, Severity.MUST, Verdict.FAIL, cases, found))
    ledger = Ledger(
        provider=Provider("https://relay.example/v1", "m"),
        limits=Limits(),
        plan=tuple(one.case for one in exchanges),
        exchanges=tuple(exchanges),
        started=1_790_000_000.0,
        seconds=60.0,
        tool="benchmark",
    )
    return judgements, ledger, known


def opening(path: Path) -> tuple[float, float | None] | None:
    """Milliseconds until a page is loaded and drawn, and until its filter has been applied; None without a browser."""
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not everybody has it
    except ImportError:
        return None
    if chromium is None:
        return None
    drawn = "new Promise((go) => requestAnimationFrame(() => setTimeout(() => go(performance.now()))))"
    filtered = (
        "async () => { const box = document.querySelector('#filter [name=q]'); const start = performance.now();"
        " box.value = 'rule-77'; box.form.dispatchEvent(new Event('input', {bubbles: true}));"
        " await new Promise((go) => setTimeout(go, 70)); await new Promise((go) => requestAnimationFrame(() =>"
        " setTimeout(go))); return performance.now() - start - 60; }"
    )
    opened, sifted = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(RUNS):
            page = browser.new_page()
            page.goto(path.as_uri())
            opened.append(float(page.evaluate(drawn)))
            if page.query_selector("#filter [name=q]"):
                sifted.append(float(page.evaluate(filtered)))
            page.close()
        browser.close()
    return statistics.median(opened), statistics.median(sifted) if sifted else None


def of_files(names: Sequence[str]) -> None:
    """Print how large these pages are and how soon they open."""
    print("| page | size | opened and drawn | a filter applied |\n| --- | --- | --- | --- |")
    for name in names:
        path = Path(name).resolve()
        found = opening(path)
        times = " | ".join("" if took is None else f"{took:.0f} ms" for took in found or (None, None))
        print(f"| {name} | {path.stat().st_size / 1e6:.2f} MB | {times} |")


def main() -> None:
    """Measure and print; exit with 1 where the page is larger than promised."""
    if sys.argv[1:]:
        of_files(sys.argv[1:])
        return
    judgements, ledger, rules = large_run()
    started = time.perf_counter()
    text = html_text(judgements, ledger, rules)
    took = time.perf_counter() - started
    size = len(text.encode())
    print("| what | measured | promised |\n| --- | --- | --- |")
    print(f"| {RULES:,} rules x {EACH} exchanges: size of report.html | {size / 1e6:.2f} MB | at most 10 MB |")
    print(f"| the same: seconds to write it | {took:.2f} s | |")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        path.write_text(text, encoding="utf-8")
        drawn, sifted = opening(path) or (None, None)
        if drawn is not None and sifted is not None:
            print(f"| the same: opened and drawn by chromium | {drawn:.0f} ms | at most 1 s |")
            print(f"| the same: a filter applied | {sifted:.0f} ms | |")
    sys.exit(size > 10_000_000)


if __name__ == "__main__":
    main()
