"""What the tests of one session share: where the exchanges come from, and what was judged on them."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance import vetting
from conformance.errors import ConformanceError, UsageError
from conformance.judging import judge
from conformance.ledger import read_ledger
from conformance.model import Finding, Judgement, Ledger, Limits, Severity, Verdict
from conformance.planning import PREFLIGHT, plan
from conformance.suite import wording

if TYPE_CHECKING:
    from conformance.model import Case, Provider

Key = tuple[str, str]
"""A rule and an operation."""

_SKIPPED = frozenset({Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE})
_USAGE, _OURS = 4, 7


@dataclass(frozen=True, eq=False)
class Check:
    """One rule on one operation, as a test takes it."""

    door: Door
    rule: str
    operation: str
    severity: Severity

    @property
    def id(self) -> str:
        """What stands in brackets in the name of the test."""
        return f"{self.rule}-{self.operation}"

    def settle(self, record_property: Callable[[str, object], None]) -> None:
        """Pass, fail or skip the running test, and note the verdict among its properties."""
        __tracebackhide__ = True
        judgement = self.door.judgement((self.rule, self.operation))
        for name, value in wording.properties(judgement):
            record_property(name, value)
        if judgement.verdict in _SKIPPED:
            pytest.skip(wording.reason(judgement))
        if judgement.verdict >= (Verdict.WARN if self.door.strict else Verdict.FAIL):
            pytest.fail(wording.told(judgement, self.door.ledger), pytrace=False)


class Door:
    """A recorded run, or a live one that is recorded when its first verdict is asked for."""

    def __init__(self, ledger: Ledger, path: Path, *, strict: bool, run: vetting.Run | None = None) -> None:
        self.ledger = ledger
        """What is judged; before a live run has sent anything it holds no exchanges."""
        self.path = path
        self.strict = strict
        self.run = run
        self.selected: tuple[Key, ...] = ()
        # Judging what has not been sent yet says which rules look at which cases, and costs nothing.
        self._planned = {(judgement.rule, judgement.operation): judgement for judgement in judge(ledger)}
        self._judged = {} if run else self._verdicts(self._planned.values())

    @property
    def checks(self) -> list[Check]:
        """Every rule on every operation that the plan has cases for."""
        return [
            Check(self, rule, operation, judgement.severity)
            for (rule, operation), judgement in self._planned.items()
        ]

    @property
    def recorded(self) -> bool:
        """Whether there is anything to judge yet."""
        return bool(self._judged)

    def cases(self) -> tuple[Case, ...]:
        """What the selected checks need to be sent, in sending order; nothing when none is selected."""
        if not self.run or not self.selected:
            return ()
        wanted = {case for key in self.selected for case in self._planned[key].exchanges}
        cases = plan(self._rules(), keyless=not self.run.provider.key_env)
        return tuple(_with_companions(cases, wanted | set(PREFLIGHT)))

    def judgement(self, key: Key) -> Judgement:
        """The verdict of one check; the first one asked for starts the sending."""
        if not self._judged:
            self._record()
        return self._judged[key]

    def judgements(self, keys: Iterable[Key]) -> list[Judgement]:
        """The verdicts that are known of these checks, in report order."""
        wanted = set(keys)
        return [judgement for key, judgement in self._judged.items() if key in wanted]

    def _rules(self) -> tuple[str, ...]:
        """The selected rules; empty for all of them, which is how a ledger says it."""
        chosen = dict.fromkeys(rule for rule, _ in self.selected)
        return tuple(chosen) if len(chosen) < len({rule for rule, _ in self._planned}) else ()

    def _record(self) -> None:
        """Send what the selected checks need; whatever goes wrong ends the session, it is never sent twice."""
        from conformance.send import record  # noqa: PLC0415 - loads the HTTP client, which offline runs never need

        run = self.run
        try:
            with _unlogged():
                self.ledger = record(
                    self.cases(), run.provider, run.ledger, secrets=run.secrets, limits=run.limits, rules=self._rules()
                )
        except ConformanceError as error:
            pytest.exit(f"relay-conformance: {error.message}", _USAGE)
        except Exception as error:  # noqa: BLE001 - each further test would send, and pay for, everything again
            pytest.exit(f"relay-conformance cannot record the run: {_first(error)}", _OURS)
        self._judged = self._verdicts(judge(self.ledger))

    def _verdicts(self, judgements: Iterable[Judgement]) -> dict[Key, Judgement]:
        """Judgements by check; a run that its preflight stopped says nothing but why."""
        found = {(judgement.rule, judgement.operation): judgement for judgement in judgements}
        stop = self.ledger.stop
        if stop is None:
            return found
        why = (Finding(message=wording.ended_early(stop)),)
        return {key: replace(each, verdict=Verdict.INCONCLUSIVE, findings=why) for key, each in found.items()}


def open_ledger(path: Path, *, strict: bool) -> Door:
    """The door to a recorded run; a folder stands for the ledger in it."""
    file = path / vetting.LEDGER if path.is_dir() else path
    return Door(read_ledger(file), file, strict=strict)


def open_relay(provider: Provider, limits: Limits, folder: Path | None, *, strict: bool, sends: bool) -> Door:
    """The door to a relay; what could stop the sending is found out here, while `sends` is True.

    `folder` None: a temporary one, made when something may be sent.
    """
    cases = tuple(plan(keyless=not provider.key_env))
    secrets = vetting.gather_secrets(provider, os.environ if sends else _AnyVariable())
    vetting.check_secrets(provider, secrets, cases)
    if folder is not None and (folder / vetting.LEDGER).exists():
        raise UsageError(f"{folder} holds a run already", "choose another --out, or judge that run with --relay-ledger")
    blank = Ledger(provider, limits, cases, (), 0.0, 0.0, "")
    place = folder or Path(tempfile.mkdtemp(prefix="relay-conformance-") if sends else tempfile.gettempdir())
    run = vetting.Run(provider, secrets, cases, limits, (), place)
    return Door(blank, run.ledger, strict=strict, run=run)
