"""`compare.md`: a short comparison for people, in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.comparison.matrix import operations, worst
from conformance.comparison.nouns import Charge
from conformance.comparison.page_speed import panels
from conformance.comparison.page_tables import clients, notices
from conformance.comparison.page_waivers import waivers
from conformance.comparison.purposes import Fit, suited
from conformance.comparison.terminal import told_counts, whole
from conformance.comparison.words import word
from conformance.measures import FIRST_CONTENT, TOKEN_RATE
from conformance.reporting.markdown import code, prose
from conformance.reporting.results import instant, tool
from conformance.reporting.texts import SYMBOLS
from conformance.rules.base import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conformance.comparison.nouns import Comparison, Difference, Side
    from conformance.comparison.page_speed import Lane
    from conformance.comparison.page_tables import Field
    from conformance.comparison.purposes import Answer
    from conformance.model import Verdict

MOST = 60
"""Differences that are listed; the others are in the other files."""
_MOST_RULES = 3
_FITS = {
    Fit.YES: "yes",
    Fit.LIMITS: "with limits",
    Fit.BROKEN: "**breaks**",
    Fit.ABSENT: "not offered",
    Fit.UNASKED: "not asked",
    Fit.UNKNOWN: "unknown",
}


def markdown_text(comparison: Comparison) -> str:
    """The file's text: who was compared, the matrix, what is good for what, the differences, speed, the costs."""
    blocks = [
        ["# Providers side by side"],
        _scope(comparison),
        ["## Verdicts", "", *_verdicts(comparison)],
        ["## Which one for what", "", *_purposes(comparison)],
        ["## Differences", "", *_differences(comparison)],
        *([["## Charged to whom", "", *_charged(comparison)]] if comparison.charged else []),
        *([["## How fast", "", *speeds]] if (speeds := _speeds(comparison)) else []),
        *([["## Known clients", "", *read]] if (read := _clients(comparison)) else []),
        *([["## Waivers", "", *_waivers(comparison)]] if any(side.waivers for side in comparison.sides) else []),
        ["## What each run cost", "", *_costs(comparison)],
        [f"Made by {tool()}."],
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def plain(text: str, limit: int = 80) -> str:
    """Text of others as a code span: nothing in it is a link, a mention, a formula, or an order to a CI runner."""
    return code(text, limit)


def _scope(comparison: Comparison) -> list[str]:
    """On what the comparison rests."""
    lines = [f"{len(comparison.sides)} sides, compared on {comparison.cases:,} requests that all of them planned."]
    left = {name: count for name, count in comparison.left_out.items() if count}
    if left:
        told = ", ".join(f"{plain(name)} {count:,}" for name, count in left.items())
        lines.append(f"The plans differ: only their common part is compared. Left out: {told}.")
    lines += [notice.en for notice in notices(comparison)]
    unfinished = [plain(side.name) for side in comparison.sides if side.stop or not side.complete]
    if unfinished:
        lines.append(f"Stopped or interrupted: {', '.join(unfinished)}. What these were not asked is not judged.")
    if comparison.control:
        lines.append(f"The yardstick is {plain(comparison.control)}.")
    return lines


def _verdicts(comparison: Comparison) -> list[str]:
    """The worst verdict of each side at each operation."""
    rows = [["all", *(whole(side) for side in comparison.sides)]]
    rows += [
        [plain(operation), *(_verdict(worst(side, operation)) for side in comparison.sides)]
        for operation in operations(comparison)
    ]
    return _table(["operation", *map(plain, comparison.names)], rows)


def _verdict(verdict: Verdict | None) -> str:
    return f"{SYMBOLS[verdict.label]} {verdict.label}" if verdict is not None else ""


def _purposes(comparison: Comparison) -> list[str]:
    rows = [
        [row.purpose.title.en, *(_answer(row.answers[name]) for name in comparison.names)] for row in suited(comparison)
    ]
    note = "This follows from the verdicts alone: breaks where a MUST is broken (it may not concern you), with limits"
    more = "where a SHOULD is broken or a part is refused, unknown where a MUST could not be judged, else yes."
    return [*_table(["purpose", *map(plain, comparison.names)], rows), "", f"{note} {more}"]


def _answer(answer: Answer) -> str:
    """The answer, and the first of what decides it."""
    if answer.fit in {Fit.ABSENT, Fit.UNASKED}:
        return _FITS[answer.fit]
    rules = list(dict.fromkeys(key.rule for key in answer.because))
    more = f" and {len(rules) - _MOST_RULES} more" if len(rules) > _MOST_RULES else ""
    told = f": {', '.join(f'`{rule}`' for rule in rules[:_MOST_RULES])}{more}" if rules else f" ({answer.held} hold)"
    return _FITS[answer.fit] + (told if answer.fit is not Fit.UNKNOWN or rules else "")


def _differences(comparison: Comparison) -> list[str]:
    """Where sides differ, the worst first."""
    lines = [f"{told_counts(comparison)}, {comparison.unsettled:,} could be judged on fewer than two sides."]
    shown = comparison.differences[:MOST]
    if shown:
        rows = [[*_about(each), *_verdicts_of(each, comparison.sides)] for each in shown]
        lines += ["", *_table(["requirement", "operation", *map(plain, comparison.names)], rows)]
    if len(shown) < len(comparison.differences):
        lines += ["", f"And {len(comparison.differences) - len(shown):,} more in compare.json and compare.csv."]
    return lines


def _about(difference: Difference) -> list[str]:
    rule = catalogue()[difference.key.rule]
    return [f"`{rule.id}`: {prose(rule.requirement)}", plain(difference.key.operation)]


def _verdicts_of(difference: Difference, sides: Sequence[Side]) -> Iterator[str]:
    for side in sides:
        outcome = difference.outcomes[side.name]
        charge = difference.charges.get(side.name)
        yield _verdict(outcome.verdict if outcome else None) + (f" ({charge.value})" if charge else "")


def _charged(comparison: Comparison) -> list[str]:
    rows = [[plain(name), *(f"{counts[each]:,}" for each in Charge)] for name, counts in comparison.charged.items()]
    return _table(["side", *(each.value for each in Charge)], rows)


def _speeds(comparison: Comparison) -> list[str]:
    """First content and tokens a second of each side at each operation; none where nothing was measured."""
    rows = [
        [plain(panel.operation), word(drawing.what).en, *map(_speed, drawing.lanes)]
        for panel in panels(comparison)
        for drawing in panel.drawings
        if drawing.what in {FIRST_CONTENT, TOKEN_RATE}
    ]
    note = "Median (95 % interval, n) of good answers to first attempts. Overlapping intervals: no difference is shown."
    return [*_table(["operation", "what", *map(plain, comparison.names)], rows), "", note] if rows else []


def _speed(lane: Lane) -> str:
    if not lane.count:
        return ""
    return f"{lane.median} ({lane.interval or 'n too small'}, n = {lane.count:,})"


def _clients(comparison: Comparison) -> list[str]:
    """How real clients fare with each side; none where no client has read any run."""
    rows = [[line.name, *map(_client, line.fields)] for line in clients(comparison)]
    return _table(["client", *map(plain, comparison.names)], rows) if rows else []


def _client(found: Field | None) -> str:
    if found is None:
        return ""
    return f"{found.said.en}: {found.more.en}" if found.more.en else found.said.en


def _waivers(comparison: Comparison) -> list[str]:
    """What somebody has accepted, those that have ended first; one that has ended fails its side."""
    lines = waivers(comparison, catalogue())
    rows = [
        [
            "**ended · 已过期**" if line.waiver.expired else "in force · 有效",
            " · ".join(plain(text) for text in (line.waiver.rule, line.waiver.operation) if text),
            ", ".join(map(plain, line.names)),
            *(plain(text, 300) for text in (line.waiver.until, line.waiver.owner, line.waiver.reason)),
        ]
        for line in lines[:MOST]
    ]
    table = _table(["waiver", "requirement", "sides", "until", "owner", "reason"], rows)
    return [*table, "", f"And {len(lines) - MOST:,} more in compare.json."] if len(lines) > MOST else table


def _costs(comparison: Comparison) -> list[str]:
    rows = []
    for side in comparison.sides:
        share = side.first_attempts
        told = f"{share.middle:.0%} of {share.count:,}" if share else ""
        spent = side.spent
        rows.append(
            [
                *(plain(side.name), plain(side.model), instant(side.started), f"{side.seconds:.1f} s"),
                *(f"{count:,}" for count in (spent.requests, spent.input_tokens, spent.output_tokens)),
                told,
            ]
        )
    heads = ("side", "model", "recorded", "took", "requests", "input tokens", "output tokens", "at the first attempt")
    return _table(heads, rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of heads and cells that are Markdown already."""
    return [_line(heads), _line(["---"] * len(heads)), *(_line(row) for row in rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
