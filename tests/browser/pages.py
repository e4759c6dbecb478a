"""The pages under test: each is made of recorded runs of the reference relay, and of hostile copies of them."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp

from browser.hostile import SHAPED, poison
from conformance import judge, read_ledger
from conformance.cli import cli
from conformance.ledger import LedgerWriter
from conformance.model import Exchange, Judgement, Ledger
from conformance.redaction import Secrets
from conformance.reporting.html import html_text
from conformance.rules.base import catalogue

FAULTS = (
    ("finish-lost", "error-as-detail", "json-without-type", "usage-sum-wrong"),
    ("message-for-delta", "models-made-up-facts"),
)
"""What the recorded runs get wrong: the first is the run of pages about one."""
ON_DISK = frozenset({"operation", "limit_field"})
"""The least that a ledger has to keep to be read at all."""
MOST_OF_AN_OPERATION = 1
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
    """Records runs and builds pages in a folder, each once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._built: dict[tuple[str, str], Path] = {}

    @cached_property
    def runs(self) -> tuple[Path, ...]:
        """Run folders of the reference relay with faults, reports beside."""
        folders = tuple(Path(mkdtemp(dir=self.folder)) / f"run{number}" for number in range(len(FAULTS)))
        for folder, faults in zip(folders, FAULTS, strict=True):
            run("demo", *(word for fault in faults for word in ("--fault", fault)), "--out", folder)
        return folders

    @cached_property
    def small(self) -> tuple[Ledger, ...]:
        """The same runs with a few exchanges of each operation."""
        return tuple(shortened(read_ledger(folder / "ledger.jsonl")) for folder in self.runs)

    def ledgers(self, kind: str) -> tuple[Ledger, ...]:
        """The small runs, as they were or hostile; `kind` as for `page`."""
        kept = {"shaped": SHAPED, "hostile": ON_DISK}.get(kind)
        return self.small if kept is None else tuple(_poisoned(ledger, kept) for ledger in self.small)

    def folders(self, kind: str) -> tuple[Path, ...]:
        """Run folders: `real` as recorded, any other kind of what `ledgers` has."""
        if kind == "real":
            return self.runs
        found = tuple(self.folder / f"{kind}{number}" for number in range(len(FAULTS)))
        for folder, ledger in zip(found, self.ledgers(kind), strict=True):
            if not folder.exists():
                write(ledger, folder)
        return found

    def page(self, name: str, kind: str) -> Path:
        """The file of a page; `kind` is real (as the command writes it), small, or one of `KINDS`."""
        if (name, kind) not in self._built:
            self._built[name, kind] = PAGES[name].build(self, kind)
        return self._built[name, kind]


@dataclass(frozen=True)
class Page:
    """One page under test: how it is made, and which of the general abilities it has."""

    build: Callable[[Workshop, str], Path]
    command: str
    filters: bool = False
    copies: bool = False


def _report(shop: Workshop, kind: str) -> Path:
    if kind == "real":
        return shop.runs[0] / "report.html"
    ledger = shop.small[0]
    judgements: list[Judgement] = list(judge(ledger))
    rules = catalogue()
    if kind in KINDS:
        kept = SHAPED if kind == "shaped" else frozenset()
        judgements, ledger, rules = poison(judgements, kept), poison(ledger, kept), _rules(kept)
    file = shop.folder / f"report-{kind}.html"
    file.write_text(html_text(judgements, ledger, rules), encoding="utf-8")
    return file


def _rules(kept: frozenset[str]):
    """Rules whose own words are hostile, as those of somebody's plug-in might be."""
    return {poison(name) if not kept else name: poison(rule, kept) for name, rule in catalogue().items()}


def _compare(shop: Workshop, kind: str) -> Path:
    out = shop.folder / f"compared-{kind}"
    run("compare", *shop.folders(kind), "--out", out)
    return out / "compare.html"


def _history(shop: Workshop, kind: str) -> Path:
    out = shop.folder / f"history-{kind}"
    out.mkdir()
    for number, folder in enumerate(shop.folders(kind)):
        (out / f"run{number}").mkdir()
        (out / f"run{number}" / "ledger.jsonl").write_bytes((folder / "ledger.jsonl").read_bytes())
    run("history", out)
    return out / "history.html"


PAGES = {
    name: page
    for name, page in {
        "report": Page(_report, "vet", filters=True, copies=True),
        "compare": Page(_compare, "compare"),
        "history": Page(_history, "history"),
    }.items()
    if page.command in cli.commands
}
"""Every page that a command of ours writes."""
