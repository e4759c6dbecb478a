"""`summary.md`: what a pull request or a CI job shows of a run; Markdown that relay text cannot break out of.

Relay text stands in code spans alone, whose fence is longer than any run of backticks inside: there are no links,
pictures, mentions, HTML or table borders in a code span.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.model import Verdict
from conformance.reporting.findings import values
from conformance.reporting.requirements import requirement
from conformance.reporting.summary import counts, is_waived, matrix, run_verdict, sentence, spent, worst_first
from conformance.reporting.texts import COLUMNS, RUN_VERDICTS, SYMBOLS, VERDICTS
from conformance.reporting.visible import shorten, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.model import Judgement, Ledger, Waiver
    from conformance.rules.base import Rule

MOST = 20
"""Findings that are shown; the others are in the HTML report."""
LONGEST = 60_000
"""Bytes; GitHub cuts a summary at 1 MiB and a comment at 65,536 characters."""
_FEWER = (MOST, MOST // 2, MOST // 4, 1)
_VALUE = 300
_MOST_ROWS = 40
_BREACHES = {Verdict.ERROR, Verdict.FAIL, Verdict.WARN}
_SPECIAL = re.compile(r"([\\*_\[\]<>#|~!&$])")
_BACKTICKS = re.compile(r"`+")
_CODE = re.compile(r"`([^`]+)`")


def summary_text(
    judgements: Sequence[Judgement], ledger: Ledger, rules: Mapping[str, Rule], *, strict: bool = False
) -> str:
    """The file's text, at most `LONGEST` bytes: with fewer findings where values are long."""
    texts = ("\n".join(_lines(judgements, ledger, rules, most, strict=strict)) + "\n" for most in _FEWER)
    return next((text for text in texts if _size(text) <= LONGEST), "")


def _size(text: str) -> int:
    return len(text.encode(errors="backslashreplace"))


def code(value: str, limit: int = _VALUE) -> str:
    """Text that is not ours as a code span, made visible; also safe in the cell of a table."""
    # `##[` anywhere in a line of output is an order to GitHub's runner; a pipe ends a cell even in a code span.
    shown = visible(value, limit).replace("##[", "##\\u{5b}").replace("|", "\\u{7c}") or " "
    fence = "`" * (max(map(len, _BACKTICKS.findall(shown)), default=0) + 1)
    room = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{room}{shown}{room}{fence}"


def prose(value: str) -> str:
    """A rule's own words: what stands in backticks is code, nothing else is markup."""
    pieces = _CODE.split(value)
    return "".join(code(piece) if place % 2 else _SPECIAL.sub(r"\\\1", piece) for place, piece in enumerate(pieces))


def _lines(
    judgements: Sequence[Judgement], ledger: Ledger, rules: Mapping[str, Rule], most: int, *, strict: bool
) -> Iterator[str]:
    """Everything, in the order in which a reader wants to know it."""
    yield from _head(judgements, ledger, strict=strict)
    yield from _counts(judgements)
    yield from _matrix(judgements)
    yield from _waivers(judgements, most)
    found = [judgement for judgement in worst_first(judgements) if judgement.verdict in _BREACHES]
    yield from ["", "### Findings · 检测发现", ""] if found else ["", "No requirement or recommendation is broken."]
    for judgement in found[:most]:
        yield from _finding(judgement, rules)
    if len(found) > most:
        yield from ["", f"… and {len(found) - most:,} more in `report.html`."]
    yield from ["", _cost(ledger)]


def _head(judgements: Sequence[Judgement], ledger: Ledger, *, strict: bool) -> Iterator[str]:
    """Who was tested, and the verdict in both languages."""
    verdict = run_verdict(judgements, ledger, strict=strict)
    said = sentence(judgements, ledger, strict=strict)
    provider = ledger.provider
    yield f"## {SYMBOLS[verdict]} {RUN_VERDICTS[verdict].en} · {RUN_VERDICTS[verdict].zh}"
    yield from ["", f"{code(provider.title)} · {code(provider.model)} · {code(provider.base_url)}"]
    yield from ["", said.en, "", said.zh]
    if ledger.stop is not None:
        hint = f" ({code(ledger.stop.hint)})" if ledger.stop.hint else ""
        yield from ["", f"Ended early · 提前结束: {code(ledger.stop.message)}{hint}"]
    if not ledger.complete:
        yield from ["", "Interrupted: the record has no end. · 检测被中断，记录没有结尾。"]
    if ledger.rules:
        yield from ["", f"Only these rules · 只检测了部分规则: {code(', '.join(ledger.rules))}"]


def _counts(judgements: Sequence[Judgement]) -> Iterator[str]:
    """How many judgements have each verdict that occurs, the worst first."""
    found = counts(judgements)
    shown = [
        f"{SYMBOLS[verdict.label]} {found[verdict.label]:,} {VERDICTS[verdict].en}"
        for verdict in sorted(Verdict, reverse=True)
        if found[verdict.label]
    ]
    if shown:
        yield from ["", " · ".join(shown)]


def _matrix(judgements: Sequence[Judgement]) -> Iterator[str]:
    """Operations by contract: a sign, and how many of a cell have that verdict."""
    table = matrix(judgements)
    if not table:
        return
    names = list(next(iter(table.values())))
    yield from [
        "",
        f"| operation · 接口 | {' | '.join(f'{COLUMNS[name].en} · {COLUMNS[name].zh}' for name in names)} |",
    ]
    yield f"| --- |{' :-: |' * len(names)}"
    for operation, cells in list(table.items())[:_MOST_ROWS]:
        yield f"| {code(operation, 80)} | {' | '.join(_cell(cells[name]) for name in names)} |"


def _cell(cell: Sequence[Judgement]) -> str:
    """The worst verdict of a cell, as `✕ 3/12`."""
    if not cell:
        return " "
    worst = cell[0].verdict
    share = f" {sum(each.verdict is worst for each in cell)}/{len(cell)}" if worst in _BREACHES else ""
    return f"{SYMBOLS[worst.label]}{share}"


def _waivers(judgements: Sequence[Judgement], most: int) -> Iterator[str]:
    """What has been accepted, until when and by whom."""
    waivers = list(dict.fromkeys(each.waiver for each in judgements if each.waiver is not None))
    if waivers:
        yield from ["", f"### Waived · 已豁免 ({len(waivers):,})", ""]
    yield from (f"- {_waiver(waiver)}" for waiver in waivers[:most])
    if len(waivers) > most:
        yield from ["", f"… and {len(waivers) - most:,} more in `report.html`."]


def _waiver(waiver: Waiver) -> str:
    ended = "**expired · 已过期** " if waiver.expired else ""
    where = f" · {code(waiver.operation, 80)}" if waiver.operation else ""
    return f"{ended}{code(waiver.rule, 80)}{where} until {code(waiver.until, 20)}, {code(waiver.owner, 80)}: " + code(
        waiver.reason
    )


def _finding(judgement: Judgement, rules: Mapping[str, Rule]) -> Iterator[str]:
    """One breach: requirement, expected, actual, where, in which exchange, and how to mend it."""
    about = requirement(judgement.rule, rules)
    label = judgement.verdict.label
    waived = " (waived · 已豁免)" if is_waived(judgement) else ""
    name = f"{code(judgement.rule, 80)} · {code(judgement.operation, 80)}"
    yield f"- **{SYMBOLS[label]} {VERDICTS[judgement.verdict].en.upper()}** {judgement.severity.value} {name}{waived}"
    known = judgement.rule in rules
    yield from (f"  <br>{prose(text)}" for text in about.text if known)
    for finding in judgement.findings[:1]:
        if finding.message:
            yield f"  - reason: {code(finding.message)}"
        for word, value in values(finding, judgement.verdict).items():
            yield f"  - {word}: {code(shorten(value, _VALUE))}"
        where = " in ".join(code(part, 120) for part in (finding.at, finding.exchange) if part)
        yield from [f"  - where: {where}"] if where else []
    if len(judgement.findings) > 1:
        yield f"  - and {len(judgement.findings) - 1:,} more of the same kind"
    if about.mend.en:
        yield f"  - to mend it: {prose(about.mend.en)}"


def _cost(ledger: Ledger) -> str:
    cost = spent(ledger)
    return (
        f"Used · 消耗: {cost.requests:,} requests, {cost.input_tokens:,} input tokens, "
        f"{cost.output_tokens:,} output tokens, {ledger.seconds:.1f} s."
    )
