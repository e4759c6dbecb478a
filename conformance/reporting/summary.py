"""What a run comes to: one verdict, one sentence, counts and costs; pure functions for every report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.model import Severity, Spent, Verdict
from conformance.reporting.requirements import in_order
from conformance.reporting.texts import (
    EXPIRED_SENTENCES,
    NOT_RUN_SENTENCES,
    OUTLOOKS,
    SENTENCES,
    WAIVED_SENTENCES,
    Text,
)
from conformance.usage import tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.model import Exchange, Judgement, Ledger, Waiver

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 6, "error": 7}

_JUDGED = {Verdict.PASS, Verdict.NOTE, Verdict.WARN, Verdict.FAIL}
_KEYS = ("error.", "auth.", "gateway.", "http.key.")
_BREACHES = {Verdict.WARN, Verdict.FAIL}


def is_waived(judgement: Judgement) -> bool:
    """Whether it is a breach that a waiver in force excuses."""
    return judgement.verdict in _BREACHES and judgement.waiver is not None and not judgement.waiver.expired


def has_expired(judgement: Judgement) -> bool:
    """Whether it has a waiver, and that had ended when the run began."""
    return judgement.waiver is not None and judgement.waiver.expired


def waiver_line(waiver: Waiver) -> str:
    """A waiver in one line; what stands in it comes from a file, so it is still to be made visible."""
    ended = "waiver ended on" if waiver.expired else "waived until"
    return f"{ended} {waiver.until} by {waiver.owner}: {waiver.reason}"


def idle_waivers(judgements: Iterable[Judgement]) -> list[Waiver]:
    """Waivers in force that excuse nothing any more: whatever they are about, and was judged, passes."""
    found: dict[Waiver, set[Verdict]] = {}
    for each in judgements:
        if each.waiver is not None and not each.waiver.expired:
            found.setdefault(each.waiver, set()).add(each.verdict)
    silent = {Verdict.NOT_APPLICABLE, Verdict.NOT_RUN}
    return [waiver for waiver, verdicts in found.items() if verdicts - silent == {Verdict.PASS}]


@dataclass(frozen=True)
class Tally:
    """How a set of judgements is spread, in the numbers that the sentences need."""

    total: int
    """MUST requirements that were judged or should have been."""
    broken: int
    unclear: int
    advised: int
    """SHOULD requirements that were judged."""
    strayed: int
    judged: int
    errors: int
    waived: int = 0
    """Breaches that a waiver in force excuses: counted neither as broken nor as strayed."""
    expired: int = 0
    """Judgements whose waiver had ended."""

    @classmethod
    def of(cls, judgements: Iterable[Judgement]) -> Tally:
        """Count."""
        given = list(judgements)
        waived = sum(map(is_waived, given))
        found = [(judgement.severity, judgement.verdict) for judgement in given if not is_waived(judgement)]
        must = [verdict for severity, verdict in found if severity is Severity.MUST]
        should = [verdict for severity, verdict in found if severity is Severity.SHOULD]
        return cls(
            total=sum(verdict in _JUDGED or verdict is Verdict.INCONCLUSIVE for verdict in must),
            broken=sum(verdict is Verdict.FAIL for _, verdict in found),
            unclear=must.count(Verdict.INCONCLUSIVE),
            advised=sum(verdict in _JUDGED for verdict in should),
            strayed=sum(verdict is Verdict.WARN for _, verdict in found),
            judged=waived + sum(verdict in _JUDGED for _, verdict in found),
            errors=sum(verdict is Verdict.ERROR for _, verdict in found),
            waived=waived,
            expired=sum(map(has_expired, given)),
        )

    @property
    def numbers(self) -> dict[str, int]:
        """The counts by the names that the texts use."""
        return {**vars(self)}


SUSPICIOUS = frozenset({"chat.model.same-family", "chat.usage.hidden-prompt", "vision.picture.recognised"})
"""Rules whose notes belong on the first screen: perhaps another model answers, perhaps more is billed than was sent."""


def run_verdict(judgements: Sequence[Judgement], ledger: Ledger, *, strict: bool) -> str:
    """One of pass, fail, inconclusive, error; `strict` counts a warning as a failure.

    A breach with a waiver in force counts as none; a waiver that has ended fails the run, whatever it excused.
    """
    tally = Tally.of(judgements)
    if tally.errors:
        return "error"
    if tally.expired:
        return "fail"
    if ledger.stop is not None:
        return "inconclusive"
    if tally.broken or (strict and tally.strayed):
        return "fail"
    if tally.unclear or not tally.judged or not ledger.complete:
        return "inconclusive"
    return "pass"


def exit_code(verdict: str) -> int:
    """The exit code that a verdict of `run_verdict` leads to."""
    return EXIT_CODES[verdict]


def counts(judgements: Iterable[Judgement]) -> dict[str, int]:
    """How many judgements have each verdict; every word is there."""
    found = {verdict.label: 0 for verdict in Verdict}
    for judgement in judgements:
        found[judgement.verdict.label] += 1
    return found


def sentence(judgements: Sequence[Judgement], ledger: Ledger, *, strict: bool) -> Text:
    """The verdict in one plain sentence; after a good one, how much it is not about."""
    tally = Tally.of(judgements)
    verdict = run_verdict(judgements, ledger, strict=strict)
    said = SENTENCES[_sentence_key(tally, ledger, verdict)].fill(**tally.numbers)
    silent = _not_run(judgements) if verdict == "pass" else 0
    further = {
        NOT_RUN_SENTENCES[silent > 1]: silent,
        WAIVED_SENTENCES[tally.waived > 1]: tally.waived,
        EXPIRED_SENTENCES[tally.expired > 1]: tally.expired if tally.broken else 0,
    }
    more = [text.fill(count=count) for text, count in further.items() if count]
    return Text(" ".join([said.en, *(text.en for text in more)]), said.zh + "".join(text.zh for text in more))


def _not_run(judgements: Sequence[Judgement]) -> int:
    """How many operations were to be asked and were not asked for anything."""
    asked = {judgement.operation for judgement in judgements if judgement.verdict is not Verdict.NOT_RUN}
    return len({judgement.operation for judgement in judgements} - asked - {"media"})


def _sentence_key(tally: Tally, ledger: Ledger, verdict: str) -> str:
    if verdict == "fail":
        return "fail" if tally.broken else "fail-expired" if tally.expired else "fail-strict"
    if verdict == "pass":
        return "pass-minor" if not tally.total else "pass-strayed" if tally.strayed else "pass"
    if verdict == "error":
        return "error"
    if ledger.stop is not None:
        return "stopped"
    if not ledger.complete:
        return "partial"
    return "unclear" if tally.unclear else "nothing"


def area(rule: str) -> str:
    """What a rule matters for: `content`, `money` or `keys`."""
    if any(part.startswith("usage") for part in rule.split(".")):
        return "money"
    return "keys" if rule.startswith(_KEYS) else "content"


def outlook(judgements: Sequence[Judgement], wanted: str) -> tuple[str, Text]:
    """What the verdicts of one area mean for a buyer: a state and a sentence."""
    tally = Tally.of(judgement for judgement in judgements if area(judgement.rule) == wanted)
    state = _state(tally)
    if state in {"fine", "strayed"} and any(_worth_asking(judgement, wanted) for judgement in judgements):
        state = "asked"
    chosen = OUTLOOKS.get((wanted, state)) or OUTLOOKS["", state]
    return state, chosen.fill(**tally.numbers)


def _worth_asking(judgement: Judgement, wanted: str) -> bool:
    """A note that no document forbids, and that a buyer would want to know before anything else."""
    return judgement.verdict is Verdict.NOTE and judgement.rule in SUSPICIOUS and area(judgement.rule) == wanted


def _state(tally: Tally) -> str:
    if tally.errors:
        return "error"
    if tally.broken:
        return "broken"
    if tally.unclear:
        return "unclear"
    if tally.strayed:
        return "strayed"
    return "fine" if tally.judged else "unchecked"


def column(rule: str) -> str:
    """The contract whose column a rule belongs to; most rules are about behaviour."""
    last = rule.rpartition(".")[2]
    return last if last in {"documented", "compat", "strict"} else "behaviour"


def columns(judgements: Iterable[Judgement]) -> list[str]:
    """The columns of the matrix; `documented` only where a rule judges it."""
    documented = any(column(judgement.rule) == "documented" for judgement in judgements)
    return ["behaviour", *(["documented"] * documented), "compat", "strict"]


def matrix(judgements: Sequence[Judgement]) -> dict[str, dict[str, list[Judgement]]]:
    """Judgements by operation and column, worst first in each cell."""
    names = columns(judgements)
    operations = in_order({judgement.operation for judgement in judgements})
    table: dict[str, dict[str, list[Judgement]]] = {name: {key: [] for key in names} for name in operations}
    for judgement in worst_first(judgements):
        table[judgement.operation][column(judgement.rule)].append(judgement)
    return table


def worst_first(judgements: Iterable[Judgement]) -> list[Judgement]:
    """By verdict, the worst first; otherwise as given."""
    return sorted(judgements, key=lambda judgement: -judgement.verdict)


def spent(ledger: Ledger) -> Spent:
    """What the run cost: every attempt, tokens as reported, our ceiling where an answer reported none."""
    exchanges = [*ledger.preflight, *ledger.exchanges, *ledger.resent]
    tokens = [tokens_of(exchange) for exchange in exchanges]
    return Spent(
        requests=sum(_requests(exchange) for exchange in exchanges),
        input_tokens=sum(read for read, _ in tokens),
        output_tokens=sum(written for _, written in tokens),
    )


def _requests(exchange: Exchange) -> int:
    """How often the case was sent; what was held back cost nothing."""
    return len(exchange.attempts) + (1 if exchange.was_sent else 0)
