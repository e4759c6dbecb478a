"""The pages under test: each is made of recorded runs of the reference relay, and of hostile copies of them."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from once import once

from browser import dressing
from browser.hostile import OURS, PAYLOADS, SHAPED, poison
from conformance import read_ledger
from conformance.cli import cli
from conformance.comparison.page import html_text as compare_text
from conformance.history import write_history
from conformance.history.index import open_index
from conformance.history.pages import history_text
from conformance.history.trends import histories
from conformance.ledger import LedgerWriter
from conformance.model import Exchange, Ledger, Provider
from conformance.redaction import Secrets
from conformance.reporting.html import html_text

FAULTS = (
    ("finish-lost", "error-as-detail", "json-without-type", "usage-sum-wrong"),
    ("message-for-delta", "models-made-up-facts"),
)
"""What the recorded runs get wrong: the first is the run of pages about one."""
ON_DISK = frozenset({"operation", "limit_field"})
"""The least that a ledger has to keep to be read at all."""
MOST_OF_AN_OPERATION = 1
HISTORY = 6
KINDS = ("hostile", "shaped")
"""Of hostile pages: with payloads everywhere, and with ids kept, so that pages know what they speak of."""


def run(*arguments: str | Path) -> None:
    """Runs a command of ours; exit codes for findings are fine."""
    done = subprocess.run(
        [sys.executable, "-m", "conformance", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode in {0, 1, 6}, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"


def shortened(ledger: Ledger) -> Ledger:
    """The same run with a few exchanges of each operation."""
    seen: Counter[str] = Counter()
    kept = tuple(each for each in ledger.exchanges if _one_more(seen, each))
    return replace(ledger, exchanges=kept, plan=tuple(each.case for each in kept))


def _one_more(seen: Counter[str], exchange: Exchange) -> bool:
    seen[exchange.case.operation] += 1
    return seen[exchange.case.operation] <= MOST_OF_AN_OPERATION


def _poisoned(ledger: Ledger, kept: frozenset[str]) -> Ledger:
    """A hostile ledger that can be read: a case has one operation, and a role is one of ours."""
    return replace(poison(ledger, kept), models={role: poison(model) for role, model in ledger.models.items()})


def write(ledger: Ledger, folder: Path) -> Path:
    """A run folder that holds this ledger."""
    folder.mkdir(parents=True)
    with LedgerWriter(folder / "ledger.jsonl", Secrets({})) as writer:
        writer.header(ledger.provider, ledger.limits, ledger.plan, ledger.rules, ledger.started)
        writer.resolved(ledger.provider.base_url, ledger.limit_field, ledger.models)
        for exchange in ledger.preflight:
            writer.exchange(exchange, preflight=True)
        for exchange in ledger.exchanges:
            writer.exchange(exchange)
        writer.footer(ledger.seconds, ledger.stop)
    return folder


class Workshop:
    """Records runs and builds pages in a folder that all workers of a session share, each once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def runs(self) -> tuple[Path, ...]:
        """Run folders of the reference relay with faults, reports beside."""
        folder = once(self.folder / "runs", _record)
        return tuple(folder / f"run{number}" for number in range(len(FAULTS)))

    @cached_property
    def small(self) -> tuple[Ledger, ...]:
        """The same runs with few exchanges of each operation."""
        return tuple(shortened(read_ledger(folder / "ledger.jsonl")) for folder in self.runs)

    def folders(self, kind: str) -> tuple[Path, ...]:
        """Run folders: `small` as recorded; `hostile` with payloads wherever a readable ledger may have them."""

        def made(folder: Path) -> None:
            for number, ledger in enumerate(self.small):
                write(_poisoned(ledger, ON_DISK) if kind == "hostile" else ledger, folder / f"run{number}")

        folder = once(self.folder / f"folders-{kind}", made)
        return tuple(folder / f"run{number}" for number in range(len(FAULTS)))

    def page(self, name: str, kind: str) -> Path:
        """The file of a page; `kind` is real (as the command writes it), small, or one of `KINDS`."""
        folder = once(
            self.folder / f"{name}-{kind}", lambda folder: (folder.mkdir(), PAGES[name].build(self, kind, folder))
        )
        return folder / f"{name}.html"


def _record(folder: Path) -> None:
    """All runs at once."""

    def demo(number: int) -> None:
        words = [word for fault in FAULTS[number] for word in ("--fault", fault)]
        run("demo", *words, "--out", folder / f"run{number}")

    with ThreadPoolExecutor() as pool:
        list(pool.map(demo, range(len(FAULTS))))


@dataclass(frozen=True)
class Page:
    """One page under test: how it is made, and which of the general abilities it has."""

    build: Callable[[Workshop, str, Path], None]
    command: str
    filters: tuple[str, ...] = ()
    """The labels of its choices."""


def _report(shop: Workshop, kind: str, folder: Path) -> None:
    if kind == "real":
        shutil.copy(shop.runs[0] / "report.html", folder)
        return
    shown = dressing.scene(shop.small[0])
    if kind in KINDS:
        shown = shown.hostile(SHAPED if kind == "shaped" else frozenset())
    text = html_text(
        shown.judgements, shown.ledger, shown.rules, profile=shown.profile, clients=shown.clients, strict=True
    )
    (folder / "report.html").write_text(text, encoding="utf-8")


def _compare(shop: Workshop, kind: str, folder: Path) -> None:
    if kind == "real":
        run("compare", *shop.runs, "--out", folder)
    elif kind == "hostile":
        run("compare", *shop.folders(kind), "--out", folder)
    else:
        found = dressing.comparison(shop.folders("small"), shop.small)
        found = dressing.hostile_comparison(found) if kind == "shaped" else found
        (folder / "compare.html").write_text(compare_text(found), encoding="utf-8")


def _history(shop: Workshop, kind: str, folder: Path) -> None:
    """The page of six runs of one provider, in which rules break and heal."""
    runs = shop.folders(kind)[:2] if kind == "hostile" else shop.folders("small")
    for number in range(HISTORY):
        ledger = read_ledger(runs[number // 2 % 2] / "ledger.jsonl")
        day = ledger.started + number * 86_400
        write(replace(ledger, provider=_provider(runs), started=day, complete=True, stop=None), folder / f"run{number}")
    page = folder / "history.html"
    write_history(folder, page, say=lambda _: None)
    if kind == "shaped":
        with open_index(folder, lambda _: None) as index:
            found = poison(histories(index), SHAPED | OURS)
        problems = (("run9", PAYLOADS[0]), (PAYLOADS[1], "".join(PAYLOADS)))
        page.write_text(history_text(found, problems, folder, page), encoding="utf-8")


def _provider(runs: tuple[Path, ...]) -> Provider:
    """The provider of the first run: runs of the same one follow each other."""
    return read_ledger(runs[0] / "ledger.jsonl").provider


PAGES = {
    name: page
    for name, page in {
        "report": Page(_report, "vet", ("Verdict", "Operation", "Contract")),
        "compare": Page(_compare, "compare", ("Verdict", "Operation", "Contract", "Trouble at")),
        "history": Page(_history, "history"),
    }.items()
    if page.command in cli.commands
}
"""Every page that a command of ours writes."""
