"""What the tests of one session share: where the exchanges come from, and what was judged on them."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance import announcing, vetting
from conformance.errors import ConformanceError, UsageError
from conformance.judging import judge
from conformance.ledger import read_ledger
from conformance.model import Finding, Judgement, Ledger, Limits, Severity, Verdict
from conformance.planning import PREFLIGHT, plan, with_companions
from conformance.redaction import Secrets
from conformance.reporting.summary import has_expired, is_waived
from conformance.suite import wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.model import Case, Provider, Waiver
    from conformance.profiles import Profile

Key = tuple[str, str]
"""A rule and an operation."""

_SKIPPED = frozenset({Verdict.NOT_RUN, Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE})
_USAGE, _OURS = 4, 7


@dataclass(frozen=True)
class Asked:
    """What a live session is to send, and to whom."""

    provider: Provider
    limits: Limits
    generated: Mapping[str, int]
    """Operation -> how many (see `amounts`)."""
    seed: int
    profile: Profile | None
    dear: bool = False
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, eq=False)
class Check:
    """One rule on one operation, as a test takes it."""

    door: Door
    rule: str
    operation: str
    severity: Severity

    @property
    def key(self) -> Key:
        """What identifies it."""
        return self.rule, self.operation

    def settle(self, item: pytest.Item) -> None:
        """Pass, fail or skip the running test, and note the verdict among its properties."""
        __tracebackhide__ = True
        judgement = self.door.judgement(self.key)
        item.user_properties += wording.properties(judgement)
        if has_expired(judgement):
            pytest.fail(wording.waiver_ended(judgement, self.door.ledger), pytrace=False)
        if is_waived(judgement):
            pytest.skip(wording.waived(judgement))
        if judgement.verdict in _SKIPPED:
            pytest.skip(wording.skipped(judgement))
        if judgement.verdict >= (Verdict.WARN if self.door.strict else Verdict.FAIL):
            pytest.fail(wording.told(judgement, self.door.ledger), pytrace=False)


class Door:
    """A recorded run: nothing is sent, everything is judged already."""

    def __init__(
        self,
        ledger: Ledger,
        path: Path,
        *,
        strict: bool,
        profile: Profile | None = None,
        waivers: Sequence[Waiver] = (),
    ) -> None:
        self.ledger = ledger
        self._profile = profile
        self._waivers = waivers
        self.path = path
        """Where the ledger is, or will be."""
        self.strict = strict
        self.selected: tuple[Key, ...] = ()
        """What is going to run, once that is known."""
        self._planned = self._verdicts()

    @property
    def checks(self) -> list[Check]:
        """Every rule on every operation that the plan has cases for."""
        return [Check(self, *key, judgement.severity) for key, judgement in self._planned.items()]

    def judgement(self, key: Key) -> Judgement:
        """The verdict of one check."""
        return self._planned[key]

    def judgements(self, keys: Iterable[Key]) -> list[Judgement]:
        """The verdicts of these checks, in report order."""
        wanted = set(keys)
        return [self.judgement(key) for key in self._planned if key in wanted]

    def key_of(self, report: pytest.TestReport) -> Key | None:
        """The check that a report is about; None for a test of somebody else's."""
        # Reports come from other processes under pytest-xdist: what they carry is all that is known of the test.
        noted = dict(report.user_properties)
        key = (str(noted.get("rule")), str(noted.get("operation")))
        return key if key in self._planned else None

    def header(self) -> list[str]:
        """What the session is about, in lines for a terminal."""
        return [f"judging {self.path}, nothing is sent", wording.target(self.ledger.provider)]

    def announcement(self) -> list[str]:
        """What running the selected checks will cost, in lines for a terminal."""
        return []

    def close(self) -> None:
        """Leave nothing behind that nobody needs."""

    def _verdicts(self) -> dict[Key, Judgement]:
        """Judgements by check; a run that its preflight stopped says nothing but why."""
        found = {
            (judgement.rule, judgement.operation): judgement
            for judgement in judge(self.ledger, (), self._profile, self._waivers)
        }
        stop = self.ledger.stop
        if stop is None:
            return found
        why = (Finding(message=wording.ended_early(stop)),)
        return {key: replace(each, verdict=Verdict.INCONCLUSIVE, findings=why) for key, each in found.items()}


class LiveDoor(Door):
    """A relay: what the selected checks need is sent, once, when the first verdict is asked for."""

    def __init__(self, run: vetting.Run, *, strict: bool, sends: bool, temporary: bool) -> None:
        self._run = run
        self._sends = sends
        self._temporary = temporary
        self._judged: dict[Key, Judgement] = {}
        # Judging a plan of which nothing was sent costs nothing, and says which rules look at which cases.
        blank = Ledger(run.provider, run.limits, run.cases, (), started=0.0, seconds=0.0, tool="")
        super().__init__(blank, run.ledger, strict=strict, profile=run.profile, waivers=run.waivers)

    def judgement(self, key: Key) -> Judgement:
        """The verdict of one check; the first one asked for starts the sending."""
        if not self._judged:
            self._record()
            self._judged = self._verdicts()
        return self._judged[key]

    def header(self) -> list[str]:
        """What the session is about, in lines for a terminal."""
        where = f"ledger {self.path}" if self._sends else "nothing is sent while tests are only collected"
        return [wording.target(self._run.provider), where]

    def announcement(self) -> list[str]:
        """What running the selected checks will cost, in lines for a terminal."""
        return announcing.announce(self.cases(), self._run.limits) if self.selected else []

    def cases(self) -> list[Case]:
        """What the selected checks need to be sent, in sending order."""
        needed = {case for key in self.selected for case in self._planned[key].exchanges}
        return with_companions(needed | set(PREFLIGHT), self._run.cases)

    def close(self) -> None:
        """Remove the temporary folder when nothing came to be in it."""
        if self._temporary:
            with suppress(OSError):
                self._run.folder.rmdir()

    def _rules(self) -> tuple[str, ...]:
        """The selected rules; none stands for all of them, as it does in a ledger."""
        chosen = tuple(dict.fromkeys(rule for rule, _ in self.selected))
        return chosen if len(chosen) < len({rule for rule, _ in self._planned}) else ()

    def _record(self) -> None:
        """Send; whatever goes wrong ends the session, because the next test would pay for everything again."""
        from conformance.send import record  # noqa: PLC0415 - loads the HTTP client, which only sending needs

        run = self._run
        try:
            with _no_wire_logs():
                self.ledger = record(
                    self.cases(), run.provider, run.ledger, secrets=run.secrets, limits=run.limits, rules=self._rules()
                )
        except ConformanceError as error:
            pytest.exit(f"relay-conformance: {error.message}", _USAGE)
        except Exception as error:  # noqa: BLE001 - see above; a disk that is full, or our own mistake
            pytest.exit(f"relay-conformance cannot record the run: {_innermost(error)!r}", _OURS)


def open_ledger(path: Path, profile: str | None, waivers: str | None = None, *, strict: bool) -> Door:
    """The door to a recorded run; a folder stands for the ledger in it, and its own profile for None.

    `waivers`: the name of a file of them, beside those of the profile.
    """
    file = vetting.ledger_in(path)
    ledger = read_ledger(file)
    chosen = vetting.profile_of(ledger, profile)
    excused = vetting.waivers_of(chosen, waivers)
    return Door(ledger, file, strict=strict, profile=chosen, waivers=excused)


def open_relay(asked: Asked, out: Path | None, *, strict: bool, sends: bool) -> Door:
    """The door to a relay; what would stop the sending is found out here, unless there will be none.

    `out`: the folder for the ledger; None takes a temporary one.
    """
    provider = asked.provider
    cases = tuple(
        plan(
            keyless=not provider.key_env,
            generated=asked.generated,
            seed=asked.seed,
            profile=asked.profile,
            dear=asked.dear,
        )
    )
    secrets = vetting.gather_secrets(provider) if sends else Secrets()
    vetting.check_secrets(provider, secrets, cases)
    if out is not None and (out / vetting.LEDGER).exists():
        raise UsageError(f"{out} holds a run already", "choose another --out, or judge that run with --relay-ledger")
    if out is not None and out.exists() and not out.is_dir():
        raise UsageError(f"{out} is no folder", "choose another --out")
    temporary = out is None and sends
    folder = Path(tempfile.mkdtemp(prefix="relay-conformance-")) if temporary else out or Path()
    run = vetting.Run(provider, secrets, cases, asked.limits, (), folder, asked.profile, waivers=asked.waivers)
    return LiveDoor(run, strict=strict, sends=sends, temporary=temporary)


@contextmanager
def _no_wire_logs() -> Iterator[None]:
    """Keep the HTTP client from logging: it would put relay text and echoed keys, unmasked, into reports."""
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _innermost(error: Exception) -> Exception:
    """What went wrong, out of the groups that concurrent tasks wrap it in."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
