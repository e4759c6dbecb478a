"""Ledger, readings and judgements -> how each client fares: a pure function."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.clients.comparing import KINDS, Problem, State, problems, wrong_status
from conformance.clients.expected import expected
from conformance.clients.table import CLIENTS
from conformance.model import Verdict

if TYPE_CHECKING:
    from conformance.clients.readings import ClientRun, Reading
    from conformance.clients.table import Client
    from conformance.model import Exchange, Judgement, Ledger

Broken = Mapping[str, Sequence[tuple[str, Verdict]]]
"""Case -> (rule, verdict) of everything that its answer breaks."""

_GOOD = range(200, 300)
_BREACHES = (Verdict.FAIL, Verdict.WARN)
_USAGE_DUE = frozenset({"chat", "completions", "messages", "messages.stream", "responses", "responses.stream"})
_FINISH_DUE = frozenset({"chat", "chat.stream", "completions", "completions.stream", "messages", "messages.stream"})
_AREAS = {"usage": "usage", "finishes": "finish", "tools": "tool", "tool": "tool"}
"""What the rules are called that are about a kind of problem."""


@dataclass(frozen=True)
class Trouble:
    """One kind of problem that a client has, wherever it has it."""

    kind: str
    detail: str
    """That of the first."""
    operations: tuple[str, ...]
    cases: tuple[str, ...]
    rules: tuple[str, ...]
    """The requirements that these answers break, the worst first."""

    @property
    def state(self) -> State:
        """What it means for the client."""
        return KINDS[self.kind]


@dataclass(frozen=True)
class ClientVerdict:
    """How one client fares."""

    client: Client
    version: str
    state: State
    read: int
    """Good answers that were read."""
    operations: tuple[str, ...]
    """Those of which an answer was read."""
    troubles: tuple[Trouble, ...]
    """The worst first."""
    reason: str = ""
    """Why it was not run, or not to the end."""


def client_verdicts(ledger: Ledger, runs: Sequence[ClientRun], judgements: Sequence[Judgement]) -> list[ClientVerdict]:
    """How every client fares, in the order of the table; same input, same verdicts."""
    broken = broken_rules(judgements)
    known = {run.client: run for run in runs}
    return [_verdict(client, known.get(name), ledger, broken) for name, client in CLIENTS.items()]


def broken_rules(judgements: Sequence[Judgement]) -> Broken:
    """Case -> the rules that its answer breaks, MUST before SHOULD before MAY, each with its verdict."""
    found: dict[str, dict[str, Verdict]] = defaultdict(dict)
    for judgement in judgements:
        if judgement.verdict in _BREACHES or judgement.verdict is Verdict.NOTE:
            for finding in judgement.findings:
                found[finding.exchange][judgement.rule] = judgement.verdict
    return {case: sorted(rules.items(), key=lambda pair: -pair[1]) for case, rules in found.items()}


def _verdict(client: Client, run: ClientRun | None, ledger: Ledger, broken: Broken) -> ClientVerdict:
    if run is None or not run.version:
        return ClientVerdict(client, "", State.NOT_RUN, 0, (), (), run.trouble if run else "")
    pairs = [(reading, ledger.by_case[reading.case]) for reading in run.readings if reading.case in ledger.by_case]
    troubles = _troubles(
        [(exchange, problem) for reading, exchange in pairs for problem in _of(reading, exchange)], broken
    )
    # That a refusal becomes an error shows nothing of what a client makes of answers.
    good = [exchange.case.operation for _, exchange in pairs if exchange.status in _GOOD]
    state = max((trouble.state for trouble in troubles), default=State.WORKS if good else State.NOTHING_TO_READ)
    return ClientVerdict(client, run.version, state, len(good), tuple(dict.fromkeys(good)), troubles, run.trouble)


def _of(reading: Reading, exchange: Exchange) -> list[Problem]:
    """The problems with one answer."""
    operation, options = exchange.case.operation, (exchange.case.body or {}).get("stream_options")
    counted = operation == "chat.stream" and isinstance(options, dict) and options.get("include_usage") is True
    found = problems(
        reading,
        expected(exchange),
        usage_due=operation in _USAGE_DUE or counted,
        finish_due=operation in _FINISH_DUE,
    )
    wrong = wrong_status(reading, exchange.status) if exchange.status >= 400 else None
    return [*found, wrong] if wrong else found


def _troubles(found: Sequence[tuple[Exchange, Problem]], broken: Broken) -> tuple[Trouble, ...]:
    """Problems of a kind together, the worst first."""
    kinds: dict[str, list[tuple[Exchange, Problem]]] = defaultdict(list)
    for exchange, problem in found:
        kinds[problem.kind].append((exchange, problem))
    troubles = [
        Trouble(
            kind,
            members[0][1].detail,
            tuple(dict.fromkeys(exchange.case.operation for exchange, _ in members)),
            tuple(dict.fromkeys(exchange.case.id for exchange, _ in members)),
            _relevant(kind, [rule for exchange, _ in members for rule in broken.get(exchange.case.id, ())]),
        )
        for kind, members in kinds.items()
    ]
    return tuple(sorted(troubles, key=lambda trouble: -trouble.state))


def _relevant(kind: str, rules: Sequence[tuple[str, Verdict]]) -> tuple[str, ...]:
    """Those of the broken rules that are about such a problem; all breaches where none is."""
    area = _AREAS.get(kind.partition("-")[0], "")
    about = [rule for rule, _ in rules if area and area in rule]
    return tuple(dict.fromkeys(about or [rule for rule, verdict in rules if verdict in _BREACHES]))
