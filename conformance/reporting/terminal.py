"""The summary that a terminal shows: the verdict, what it cost, a table, and the worst findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.model import Finding, Verdict
from conformance.reporting.client_rows import LOOKS, client_rows
from conformance.reporting.findings import values
from conformance.reporting.requests import smallest, smallest_of
from conformance.reporting.requirements import requirement
from conformance.reporting.scope import models_asked, not_run
from conformance.reporting.summary import (
    column,
    has_expired,
    idle_waivers,
    is_waived,
    matrix,
    run_verdict,
    sentence,
    spent,
    waiver_line,
    worst_first,
)
from conformance.reporting.texts import COLUMNS, HINTS, RUN_VERDICTS, SYMBOLS, UI, VERDICTS, Text
from conformance.reporting.visible import shorten, visible
from conformance.rules.base import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from conformance.clients.verdicts import ClientVerdict
    from conformance.model import Judgement, Ledger, Minimised, Waiver
    from conformance.reporting.requests import Smallest
    from conformance.rules.base import Rule

MOST = 12
"""Judgements that are shown; the others are in the HTML report."""
_MOST_HELD = 4
_WIDEST = 100
_BREACHES = {Verdict.ERROR, Verdict.FAIL, Verdict.WARN}
_LONGEST_LIST = 5_000
"""Characters of a list of names that is shown whole: a model for every role."""
_NOT_RUN = {
    "no-model": "no model is known for (--model ROLE=NAME)",
    "no-basis": "an earlier answer gave nothing to go on with",
    "dear": "costs more (--dear)",
    "not-planned": "not in this plan",
}
_STYLES = {
    "fail": "bold red",
    "error": "bold magenta",
    "warn": "yellow",
    "pass": "green",
    "inconclusive": "cyan",
}


def print_summary(
    judgements: Sequence[Judgement],
    ledger: Ledger,
    files: Mapping[str, Path],
    *,
    strict: bool,
    console: Console | None = None,
    clients: Sequence[ClientVerdict] = (),
) -> None:
    """Print what a person wants to know first; details are in the files."""
    from rich.console import Console as RichConsole  # noqa: PLC0415 - slow to import, and shown only here

    screen = _Screen(console or RichConsole())
    # On a closed pipe rich would end the program with 1, which says "violated": the caller knows better.
    screen.console.on_broken_pipe = _raise_again  # type: ignore[method-assign]
    rules = catalogue()
    _head(screen, judgements, ledger, strict=strict)
    _table(screen, judgements)
    _clients(screen, clients)
    found = [
        judgement
        for judgement in worst_first(judgements)
        if judgement.verdict in _BREACHES and not is_waived(judgement)
    ]
    left = smallest(ledger)
    for judgement in found[:MOST]:
        screen.line()
        _judgement(screen, judgement, rules, left.get((judgement.rule, judgement.operation)))
    if len(found) > MOST:
        screen.line()
        screen.line(f"and {len(found) - MOST:,} more in report.html")
    _waivers(screen, judgements)
    # When the run stopped, every check has the same reason, and it has been said.
    if not ledger.stop:
        _unclear(screen, [each for each in judgements if each.verdict is Verdict.INCONCLUSIVE])
    screen.line()
    screen.pairs({name: visible(str(path)) for name, path in files.items()})


def _waivers(screen: _Screen, judgements: Sequence[Judgement]) -> None:
    """What is waived, what no longer is, and which waivers can go; each with who answers for it."""
    ended = [each for each in judgements if has_expired(each)]
    groups = [
        ("fail", "WAIVER ENDED", [_waived(each) for each in ended]),
        ("pass", "WAIVED", [_waived(each) for each in worst_first(judgements) if is_waived(each)]),
        ("pass", "WAIVER WITHOUT USE", [_idle(waiver) for waiver in idle_waivers(judgements)]),
    ]
    for label, title, lines in groups:
        if lines:
            screen.line()
            screen.line(f"{SYMBOLS[label]} {title}  {len(lines):,}", _STYLES[label])
            for line in lines[:MOST]:
                screen.line(visible(line, 600), indent=2)
        if len(lines) > MOST:
            screen.line(f"and {len(lines) - MOST:,} more in results.json", indent=2)


def _waived(judgement: Judgement) -> str:
    said = waiver_line(judgement.waiver) if judgement.waiver else ""
    return f"{judgement.rule} · {judgement.operation}, {judgement.verdict.label}: {said}"


def _idle(waiver: Waiver) -> str:
    where = f" · {waiver.operation}" if waiver.operation else ""
    return f"{waiver.rule}{where} passes: remove its waiver ({waiver.owner}, until {waiver.until})"


def _unclear(screen: _Screen, judgements: Sequence[Judgement]) -> None:
    """What could not be judged, by the reason: one answer of the wrong shape holds up every rule about it."""
    reasons: dict[str, list[str]] = {}
    for judgement in judgements:
        said = judgement.findings[0].message if judgement.findings else VERDICTS[judgement.verdict].en
        reasons.setdefault(said, []).append(f"{judgement.rule} on {judgement.operation}")
    for said, held in reasons.items():
        label = Verdict.INCONCLUSIVE.label
        screen.line()
        screen.line(f"{SYMBOLS[label]} {label.upper()}  {_checks(len(held))}", _STYLES[label])
        screen.line(visible(said), indent=2)
        more = f", and {len(held) - _MOST_HELD:,} more" if len(held) > _MOST_HELD else ""
        screen.line(visible(", ".join(held[:_MOST_HELD])) + more, indent=2)


def _checks(count: int) -> str:
    return "1 check" if count == 1 else f"{count:,} checks"


def print_smallest(ledger: Ledger, case: str, rule: str, console: Console | None = None) -> bool:
    """Print the smallest request that still fails, as JSON and as a curl line; whether there was an answer to judge."""
    from rich.console import Console as RichConsole  # noqa: PLC0415 - as above

    screen = _Screen(console or RichConsole())
    found = next((each for each in ledger.minimised if (each.case, each.rule) == (case, rule)), None)
    if found is None:
        screen.line(f"{case} got no answer that could be judged when it was sent again; try again later")
        return False
    if not found.reproduced:
        screen.line(f"{case} did not break {rule} again ({_requests(found)})")
        return True
    left = smallest_of(found, ledger.provider)
    ended = "" if found.complete else "; the budget ended the search, a smaller one may exist"
    screen.line(f"the smallest request that still breaks {rule} ({_requests(found)}{ended}):")
    # Not wrapped: what is copied from here has to work.
    screen.console.out(screen.encodable(left.body), highlight=False)
    screen.line()
    screen.console.out(screen.encodable(left.curl or UI["curl-long"].en), highlight=False)
    return True


def _requests(found: Minimised) -> str:
    return f"{found.requests:,} request{'s' * (found.requests != 1)}"


def _raise_again() -> None:
    raise BrokenPipeError


class _Screen:
    """Writes text that nobody has marked up: relay text stays text, in any encoding."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = min(console.width, _WIDEST)

    def encodable(self, text: str) -> str:
        """The text with escapes for what the terminal's encoding cannot show."""
        encoding = self.console.encoding or "utf-8"
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def line(self, text: str = "", style: str = "", *, indent: int = 0) -> None:
        """One paragraph."""
        from rich.padding import Padding  # noqa: PLC0415 - as above
        from rich.text import Text as RichText  # noqa: PLC0415 - as above

        paragraph = RichText(self.encodable(text), style=style, overflow="fold")
        shown = Padding(paragraph, (0, 0, 0, indent), expand=False) if text else ""
        self.console.print(shown, width=self.width)

    def pairs(self, values: Mapping[str, str]) -> None:
        """Labels and values, the values wrapped in their own column."""
        if values:
            self.table([[f"  {label}", value] for label, value in values.items()], widths=(14, self.width - 16))

    def table(self, rows: Sequence[Sequence[str]], *, header: Sequence[str] = (), widths: Sequence[int] = ()) -> None:
        """Columns of plain text."""
        from rich.table import Table  # noqa: PLC0415 - as above
        from rich.text import Text as RichText  # noqa: PLC0415 - as above

        table = Table(box=None, show_header=bool(header), pad_edge=False, padding=(0, 2, 0, 0))
        for place in range(len(rows[0])):
            title = header[place] if header else ""
            table.add_column(title, overflow="fold", width=widths[place] if widths else None)
        for row in rows:
            table.add_row(*(RichText(self.encodable(cell), overflow="fold") for cell in row))
        self.console.print(table, width=self.width)


def _head(screen: _Screen, judgements: Sequence[Judgement], ledger: Ledger, *, strict: bool) -> None:
    """The verdict in one sentence and two languages, what was spent, and why the run ended early."""
    verdict = run_verdict(judgements, ledger, strict=strict)
    said = sentence(judgements, ledger, strict=strict)
    provider = ledger.provider
    screen.line(visible(f"{provider.title} · {provider.model} · {provider.base_url}"))
    screen.line(f"{SYMBOLS[verdict]} {RUN_VERDICTS[verdict].en} · {RUN_VERDICTS[verdict].zh}", _STYLES[verdict])
    screen.line(said.en, indent=2)
    screen.line(said.zh, indent=2)
    cost = spent(ledger)
    screen.line(
        f"used {cost.requests:,} requests, {cost.input_tokens:,} input tokens, "
        f"{cost.output_tokens:,} output tokens, {ledger.seconds:.1f} s",
        indent=2,
    )
    for text in _notices(ledger, judgements):
        screen.line(text, indent=2)


def _notices(ledger: Ledger, judgements: Sequence[Judgement]) -> Iterator[str]:
    """What the reader must know before trusting the numbers."""
    if ledger.stop is not None:
        yield f"ended early: {visible(ledger.stop.message)}"
        hint = ledger.stop.hint or HINTS.get(ledger.stop.code, Text("", "")).en
        if hint:
            yield f"hint: {visible(hint)}"
    if not ledger.complete:
        yield "interrupted: the record has no end"
    if ledger.provider.profile and not any(column(judgement.rule) == "documented" for judgement in judgements):
        yield f"nothing that the page {visible(ledger.provider.profile)} says was checked in this run"
    asked = [f"{each.role} {each.model}" + (" (picked)" if each.picked else "") for each in models_asked(ledger)]
    if asked:
        yield f"other models: {visible(', '.join(asked), _LONGEST_LIST)}"
    for code, words in _NOT_RUN.items():
        names = dict.fromkeys(each.role or each.name for each in not_run(ledger) if each.code == code)
        if names:
            yield f"not run, {words}: {visible(', '.join(names), _LONGEST_LIST)}"
    if ledger.rules:
        yield f"only these rules: {visible(', '.join(ledger.rules))}"


def _table(screen: _Screen, judgements: Sequence[Judgement]) -> None:
    """Operations by contract, and how many findings each has."""
    table = matrix(judgements)
    if not table:
        return
    contracts = [name for name in next(iter(table.values())) if name != "behaviour"]
    rows = []
    for operation, cells in table.items():
        words = [_worst(cells[name]) for name in contracts]
        whole = [judgement for cell in cells.values() for judgement in cell]
        rows.append([visible(operation), *words, _counted(whole)])
    screen.line()
    screen.table(rows, header=["operation", *(COLUMNS[name].en for name in contracts), "all checks"])


def _clients(screen: _Screen, clients: Sequence[ClientVerdict]) -> None:
    """How real clients fare, a line each; the report says why."""
    if clients:
        rows = client_rows(clients)
        screen.line()
        screen.table(
            [[row.title, f"{SYMBOLS[LOOKS[row.state]]} {row.word.en}", visible(row.read.en, 200)] for row in rows],
            header=["client", "result", ""],
        )


def _worst(cell: Sequence[Judgement]) -> str:
    if not cell:
        return "-"
    verdict = cell[0].verdict
    return f"{SYMBOLS[verdict.label]} {VERDICTS[verdict].en}"


def _counted(judgements: Sequence[Judgement]) -> str:
    """`2 fail, 1 warn, 20 pass`; what did not apply is not counted."""
    found = [judgement.verdict for judgement in judgements]
    shown = [
        verdict for verdict in sorted(Verdict, reverse=True) if verdict in found and verdict > Verdict.NOT_APPLICABLE
    ]
    return ", ".join(f"{found.count(verdict)} {VERDICTS[verdict].en}" for verdict in shown) or _nothing(found)


def _nothing(found: Sequence[Verdict]) -> str:
    """What to say of an operation of which nothing could be judged."""
    return "not run" if set(found) == {Verdict.NOT_RUN} else "none applied"


def _judgement(screen: _Screen, judgement: Judgement, rules: Mapping[str, Rule], left: Smallest | None = None) -> None:
    """Requirement, expected, actual, where, document, exchange: in this order, always; then what is left of it."""
    about = requirement(judgement.rule, rules)
    label = judgement.verdict.label
    name = visible(f"{judgement.rule} · {judgement.operation}")
    screen.line(f"{SYMBOLS[label]} {label.upper()}  {judgement.severity.value}  {name}", _STYLES[label])
    screen.line(visible(about.text.en), indent=2)
    finding = next(iter(judgement.findings), Finding())
    compared = {name: shorten(value, 200) for name, value in values(finding, judgement.verdict).items()}
    pairs = {
        "reason": visible(finding.message),
        **compared,
        "where": visible(finding.at),
        "document": visible(about.document),
        "known as": visible(finding.deviation),
        "exchange": visible(finding.exchange or ", ".join(judgement.exchanges[:3])),
        "and": f"{len(judgement.findings) - 1:,} more of the same kind" if len(judgement.findings) > 1 else "",
        "smallest": " ".join(left.body.split())[:400] if left else "",
    }
    screen.pairs({label: value for label, value in pairs.items() if value})
