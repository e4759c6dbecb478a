"""`compare.md`: a short comparison for people, in Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.comparison.matrix import operations, worst
from conformance.comparison.nouns import Charge
from conformance.comparison.purposes import Fit, suited
from conformance.reporting.results import instant, tool
from conformance.reporting.texts import SYMBOLS
from conformance.reporting.visible import visible
from conformance.rules.base import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conformance.comparison.nouns import Comparison, Difference, Side
    from conformance.comparison.purposes import Answer
    from conformance.model import Verdict

MOST = 60
"""Differences that are listed; the others are in the other files."""
_MOST_RULES = 3
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_FITS = {Fit.YES: "yes", Fit.LIMITS: "with limits", Fit.NO: "**no**", Fit.UNKNOWN: "unknown"}


def markdown_text(comparison: Comparison) -> str:
    """The file's text: who was compared, the matrix, what is good for what, the differences, the costs."""
    blocks = [
        ["# Providers side by side"],
        _scope(comparison),
        ["## Verdicts", "", *_verdicts(comparison)],
        ["## Which one for what", "", *_purposes(comparison)],
        ["## Differences", "", *_differences(comparison)],
        *([["## Charged to whom", "", *_charged(comparison)]] if comparison.charged else []),
        ["## What each run cost", "", *_costs(comparison)],
        [f"Made by {tool()}."],
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def plain(text: str, limit: int = 80) -> str:
    """Text of others as Markdown shows it unchanged."""
    return _SPECIAL.sub(r"\\\1", visible(text, limit))


def _scope(comparison: Comparison) -> list[str]:
    """On what the comparison rests."""
    lines = [f"{len(comparison.sides)} sides, compared on {comparison.cases:,} requests that all of them planned."]
    left = {name: count for name, count in comparison.left_out.items() if count}
    if left:
        told = ", ".join(f"{plain(name)} {count:,}" for name, count in left.items())
        lines.append(f"The plans differ: only their common part is compared. Left out: {told}.")
    if comparison.narrowed:
        lines.append("Some runs were planned for some rules only: only the rules that all have are compared.")
    unfinished = [plain(side.name) for side in comparison.sides if side.stop or not side.complete]
    if unfinished:
        lines.append(f"Stopped or interrupted: {', '.join(unfinished)}. What these were not asked is not judged.")
    if comparison.control:
        lines.append(f"The yardstick is {plain(comparison.control)}.")
    return lines


def _verdicts(comparison: Comparison) -> list[str]:
    """The worst verdict of each side at each operation."""
    rows = [["all", *(side.verdict for side in comparison.sides)]]
    rows += [
        [plain(operation), *(_verdict(worst(side, operation)) for side in comparison.sides)]
        for operation in operations(comparison)
    ]
    return _table(["operation", *comparison.names], rows)


def _verdict(verdict: Verdict | None) -> str:
    return f"{SYMBOLS[verdict.label]} {verdict.label}" if verdict is not None else ""


def _purposes(comparison: Comparison) -> list[str]:
    rows = [
        [row.purpose.title.en, *(_answer(row.answers[name]) for name in comparison.names)] for row in suited(comparison)
    ]
    note = "This follows from the verdicts alone: no where a MUST is broken or nothing is offered, with limits where a"
    more = "SHOULD is broken or a part is refused, unknown where a MUST could not be judged, else yes."
    return [*_table(["purpose", *comparison.names], rows), "", f"{note} {more}"]


def _answer(answer: Answer) -> str:
    """The answer, and the first of what decides it."""
    rules = list(dict.fromkeys(key.rule for key in answer.because))
    more = f" and {len(rules) - _MOST_RULES} more" if len(rules) > _MOST_RULES else ""
    told = f": {', '.join(f'`{rule}`' for rule in rules[:_MOST_RULES])}{more}" if rules else f" ({answer.held} hold)"
    return _FITS[answer.fit] + (told if answer.fit is not Fit.UNKNOWN or rules else "")


def _differences(comparison: Comparison) -> list[str]:
    """Where sides differ, the worst first."""
    told = f"{len(comparison.differences):,} requirements differ, {comparison.alike:,} are alike"
    lines = [f"{told}, {comparison.unsettled:,} could be judged on fewer than two sides."]
    shown = comparison.differences[:MOST]
    if shown:
        rows = [[*_about(each), *_verdicts_of(each, comparison.sides)] for each in shown]
        lines += ["", *_table(["requirement", "operation", *comparison.names], rows)]
    if len(shown) < len(comparison.differences):
        lines += ["", f"And {len(comparison.differences) - len(shown):,} more in compare.json and compare.csv."]
    return lines


def _about(difference: Difference) -> list[str]:
    rule = catalogue()[difference.key.rule]
    return [f"`{rule.id}`: {_first(rule.requirement)}", plain(difference.key.operation)]


def _first(text: str) -> str:
    """A requirement in one line of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def _verdicts_of(difference: Difference, sides: Sequence[Side]) -> Iterator[str]:
    for side in sides:
        outcome = difference.outcomes[side.name]
        charge = difference.charges.get(side.name)
        yield _verdict(outcome.verdict if outcome else None) + (f" ({charge.value})" if charge else "")


def _charged(comparison: Comparison) -> list[str]:
    rows = [[plain(name), *(f"{counts[each]:,}" for each in Charge)] for name, counts in comparison.charged.items()]
    return _table(["side", *(each.value for each in Charge)], rows)


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
    return _table(heads, rows, named=False)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, named: bool = True) -> list[str]:
    """A table of cells that are Markdown already; heads are text."""
    shown = [plain(head) for head in heads] if named else list(heads)
    return [_line(shown), _line(["---"] * len(shown)), *(_line(row) for row in rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
