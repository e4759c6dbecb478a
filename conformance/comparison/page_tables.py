"""The plain tables of a comparison's page: results, purposes, parameters, clients, and what makes it unfair."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.comparison.purposes import Fit, suited
from conformance.comparison.words import CHARGES, word
from conformance.model import Severity, Verdict
from conformance.outcomes import BROKEN
from conformance.reporting.client_rows import LOOKS as CLIENT_LOOKS
from conformance.reporting.client_rows import STATES, TROUBLES
from conformance.reporting.requests import LOOKS
from conformance.reporting.requirements import in_order, operation_title, requirement
from conformance.reporting.results import instant
from conformance.reporting.texts import SUPPORT, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.clients.verdicts import ClientVerdict
    from conformance.comparison.nouns import Comparison, Side
    from conformance.comparison.purposes import Answer, Row
    from conformance.outcomes import Key
    from conformance.rules.base import Rule
    from conformance.support import Row as Parameter

NOTHING = Text("", "")
_JUDGED = (Verdict.PASS, Verdict.NOTE, Verdict.WARN, Verdict.FAIL)
FIT_LOOKS = {
    Fit.YES: "pass",
    Fit.LIMITS: "warn",
    Fit.BROKEN: "fail",
    Fit.ABSENT: "unsupported",
    Fit.UNASKED: "not-run",
    Fit.UNKNOWN: "inconclusive",
}
_FIT_WORDS = {
    Fit.YES: "yes",
    Fit.LIMITS: "limits",
    Fit.BROKEN: "broken-for",
    Fit.ABSENT: "absent-for",
    Fit.UNASKED: "unasked-for",
    Fit.UNKNOWN: "unknown",
}
_APART = 3_600
"""Seconds between recordings that are worth a word."""
_LAST_SECOND = 253_402_300_799.0
"""The end of the year 9999: a ledger may come from a stranger."""
MOST_NAMED = 4
"""Operations that one sentence names."""
MOST_BECAUSE = 8
MOST_ROWS = 400
"""Parameters that are listed."""


@dataclass(frozen=True)
class Result:
    """One side on the first screen."""

    place: int
    side: Side
    sentences: tuple[Text, ...]
    broken_at: tuple[Text, ...]
    more_broken: int
    not_offered: tuple[Text, ...]
    more_not_offered: int
    only_here: int
    charged: tuple[tuple[str, Text, int], ...]
    control: bool


@dataclass(frozen=True)
class Field:
    """One field of a table: a sign, a word, and what more there is to say."""

    look: str
    said: Text
    more: Text = NOTHING


@dataclass(frozen=True)
class Line:
    """One row of a table of all sides."""

    name: str
    fields: tuple[Field | None, ...]
    differ: bool


@dataclass(frozen=True)
class Reason:
    """What decides the answer of some sides."""

    names: tuple[str, ...]
    field: Field
    because: tuple[tuple[Text, Text, str], ...]
    """Requirement, operation, and the name of its difference where there is one."""
    more: int


@dataclass(frozen=True)
class PurposeLine:
    """One purpose: an answer for each side, and why."""

    title: Text
    fields: tuple[Field, ...]
    reasons: tuple[Reason, ...]


def instant_of(seconds: float) -> str:
    """A time in UTC that can be shown, whatever a ledger says."""
    return instant(min(_LAST_SECOND, max(0.0, seconds)))


def results(comparison: Comparison) -> list[Result]:
    """What each side comes to, in one sentence and a few facts."""
    only = _only_here(comparison)
    return [_result(comparison, place, side, only.get(side.name, 0)) for place, side in enumerate(comparison.sides)]


def _result(comparison: Comparison, place: int, side: Side, only: int) -> Result:
    failed = in_order({each.operation for each in side.outcomes.values() if each.verdict is Verdict.FAIL})
    absent = _absent(side)
    charged = comparison.charged.get(side.name, {})
    return Result(
        place=place,
        side=side,
        sentences=_sentences(side),
        broken_at=tuple(operation_title(name) for name in failed[:MOST_NAMED]),
        more_broken=max(0, len(failed) - MOST_NAMED),
        not_offered=tuple(operation_title(name) for name in absent[:MOST_NAMED]),
        more_not_offered=max(0, len(absent) - MOST_NAMED),
        only_here=only,
        charged=tuple((each.value, CHARGES[each], count) for each, count in charged.items() if count),
        control=side.name == comparison.control,
    )


def _absent(side: Side) -> list[str]:
    """Operations that a side plainly does not offer."""
    found: dict[str, set[Verdict]] = defaultdict(set)
    for outcome in side.outcomes.values():
        found[outcome.operation].add(outcome.verdict)
    told = {Verdict.PASS, *BROKEN}
    return in_order({name for name, seen in found.items() if Verdict.UNSUPPORTED in seen and not seen & told})


def _sentences(side: Side) -> tuple[Text, ...]:
    """What the verdicts of a side come to; what a waiver excuses is counted apart, as in the side's verdict."""
    ended = sum(each.expired for each in side.waivers)
    waived = sum(each.waived and each.broken for each in side.outcomes.values())
    found = Counter((each.severity, each.verdict) for each in side.outcomes.values() if not each.waived)
    total = sum(found[Severity.MUST, verdict] for verdict in (*_JUDGED, Verdict.INCONCLUSIVE))
    advised = sum(found[Severity.SHOULD, verdict] for verdict in _JUDGED)
    broken, strayed = found[Severity.MUST, Verdict.FAIL], found[Severity.SHOULD, Verdict.WARN]
    unclear = found[Severity.MUST, Verdict.INCONCLUSIVE]
    says = {
        "errors": any(verdict is Verdict.ERROR for _, verdict in found),
        "no-verdict": side.stop is not None or not side.complete,
        "broken": broken,
        "no-must": not total,
        "unclear": unclear and not broken,
        "all-kept": total and not broken and not unclear,
        "strayed": strayed,
        "excused": waived,
        "ended": ended,
    }
    numbers = {"total": total, "broken": broken, "unclear": unclear, "advised": advised, "strayed": strayed}
    numbers |= {"excused": waived, "ended": ended}
    return tuple(word(key, **numbers) for key, told in says.items() if told)


def _only_here(comparison: Comparison) -> Mapping[str, int]:
    """How many requirements only this side breaks."""
    found: dict[str, int] = defaultdict(int)
    for each in comparison.differences:
        broken = [name for name, outcome in each.outcomes.items() if outcome and outcome.broken]
        if len(broken) == 1:
            found[broken[0]] += 1
    return found


def notices(comparison: Comparison) -> list[Text]:
    """What makes the comparison less than fair, in plain words; names of sides are shown as they are."""
    sides, found = comparison.sides, []
    if not comparison.cases:
        found.append(word("nothing-common"))
    starts = [min(_LAST_SECOND, max(0.0, side.started)) for side in sides]
    apart = max(starts, default=0.0) - min(starts, default=0.0)
    if apart >= _APART:
        found.append(_apart(apart))
    if len({(side.model, tuple(sorted(side.models.items()))) for side in sides}) > 1:
        found.append(word("models-differ"))
    if len({side.repeats for side in sides}) > 1:
        found.append(word("rounds-differ"))
    if comparison.narrowed:
        found.append(word("narrowed"))
    return found


def _apart(seconds: float) -> Text:
    hours = round(seconds / 3_600)
    days = round(hours / 24)
    if days > 1:
        return word("times-differ-days", count=days)
    return word("times-differ-hours", count=hours)


def purposes(comparison: Comparison, rules: Mapping[str, Rule], anchors: Mapping[Key, str]) -> list[PurposeLine]:
    """The table of which one is good for what, with what decides it."""
    return [_purpose(row, comparison, rules, anchors) for row in suited(comparison)]


def _purpose(row: Row, comparison: Comparison, rules: Mapping[str, Rule], anchors: Mapping[Key, str]) -> PurposeLine:
    answers = [(name, row.answers[name]) for name in comparison.names]
    groups: dict[tuple[Fit, tuple[Key, ...]], list[str]] = defaultdict(list)
    for name, answer in answers:
        if answer.because and answer.fit is not Fit.ABSENT:
            groups[answer.fit, answer.because].append(name)
    reasons = [
        Reason(tuple(names), _fit(fit), tuple(_because(key, rules, anchors) for key in because[:MOST_BECAUSE]), more)
        for (fit, because), names in groups.items()
        for more in [max(0, len(because) - MOST_BECAUSE)]
    ]
    return PurposeLine(row.purpose.title, tuple(_answer(answer) for _, answer in answers), tuple(reasons))


def _fit(fit: Fit) -> Field:
    return Field(FIT_LOOKS[fit], word(_FIT_WORDS[fit]))


def _answer(answer: Answer) -> Field:
    return _fit(answer.fit)


def _because(key: Key, rules: Mapping[str, Rule], anchors: Mapping[Key, str]) -> tuple[Text, Text, str]:
    return requirement(key.rule, rules).text, operation_title(key.operation), anchors.get(key, "")


def parameters(comparison: Comparison) -> list[Line]:
    """Parameter by side; those on which sides differ first."""
    tables = [{row.parameter: row for row in side.parameters} for side in comparison.sides]
    names = list(dict.fromkeys(name for table in tables for name in table))[:MOST_ROWS]
    lines = [_line(name, tuple(_parameter(table.get(name)) for table in tables)) for name in names]
    return sorted(lines, key=lambda line: not line.differ)


def _line(name: str, fields: tuple[Field | None, ...]) -> Line:
    return Line(name, fields, len({field.look if field else "" for field in fields}) > 1)


def _parameter(row: Parameter | None) -> Field | None:
    return Field(LOOKS[row.support], SUPPORT_SHORT[row.support.value]) if row else None


SUPPORT_SHORT = {**SUPPORT, "accepted": Text("accepted", "接受"), "honoured": Text("honoured", "生效")}
SUPPORT_SHORT |= {"ignored": Text("ignored", "被忽略"), "refused": Text("refused", "拒绝")}
"""Words that fit into a narrow field; what they mean stands in the glossary."""


def clients(comparison: Comparison) -> list[Line]:
    """Client by side; none where no client has read any of the runs."""
    titles = {each.client.name: each.client.title for side in comparison.sides for each in side.clients}
    return [_line(title, tuple(_client(side, name) for side in comparison.sides)) for name, title in titles.items()]


def _client(side: Side, name: str) -> Field | None:
    verdict = next((each for each in side.clients if each.client.name == name), None)
    return _read(verdict) if verdict else None


def _read(verdict: ClientVerdict) -> Field:
    """How a client fares: its state, and its worst trouble or how much it read."""
    if verdict.troubles:
        more = TROUBLES[verdict.troubles[0].kind]
    else:
        more = word("answers-read", count=verdict.read) if verdict.read else NOTHING
    return Field(CLIENT_LOOKS[verdict.state], STATES[verdict.state], more)


def unread(sides: Sequence[Side]) -> list[Side]:
    """The sides whose runs no client has read."""
    return [side for side in sides if not side.clients]
