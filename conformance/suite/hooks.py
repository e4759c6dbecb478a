"""What pytest calls during a session that tests a relay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance import vetting
from conformance.amounts import amounts, parse_amounts
from conformance.model import Limits, Severity, Verdict
from conformance.operations import OPERATIONS
from conformance.reporting.summary import run_verdict
from conformance.suite import wording
from conformance.suite.door import Asked, Check, Door, Key, open_ledger, open_relay
from conformance.suite.html import HtmlHooks

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet

    from conformance.model import Judgement

INCONCLUSIVE = 6
"""The exit code of a session in which no test failed, but nothing can be concluded either."""

_LEVELS = {
    Severity.MUST: "a requirement that clients rely on",
    Severity.SHOULD: "a recommendation",
    Severity.MAY: "optional, only recorded",
}


def register(config: pytest.Config) -> None:
    """Add the working part to a session; raises ConformanceError when the options make no sense."""
    door = _open(config)
    for operation in OPERATIONS.values():
        config.addinivalue_line("markers", f"{operation.id}: relay-conformance, operation: {operation.title}")
    for severity, meaning in _LEVELS.items():
        config.addinivalue_line("markers", f"{severity.lower()}: relay-conformance, severity: {meaning}")
    hooks = Hooks(config, door)
    config.pluginmanager.register(hooks, "relay-conformance-session")
    config.pluginmanager.register(HtmlHooks(config, door, hooks.seen), "relay-conformance-html")


def _open(config: pytest.Config) -> Door:
    """The door that the options ask for."""
    option: Any = config.option
    if option.relay_ledger is not None:
        ledger, waivers = Path(option.relay_ledger), option.relay_waivers
        return open_ledger(ledger, option.relay_profile, waivers, strict=option.relay_strict)
    key_env = "" if option.relay_no_key else option.relay_key_env
    profile = vetting.chosen_profile(option.relay_profile or "")
    models = option.relay_model or []
    provider = vetting.checked_provider(option.relay_url, models, key_env, "", option.relay_header, profile)
    generated = parse_amounts(option.relay_generated)
    limits = _limits(option, sum(amounts(generated, dear=option.relay_dear).values()))
    waivers = vetting.waivers_of(profile, option.relay_waivers)
    asked = Asked(provider, limits, generated, option.relay_seed, profile, dear=option.relay_dear, waivers=waivers)
    out = Path(option.relay_out) if option.relay_out is not None else None
    return open_relay(asked, out, strict=option.relay_strict, sends=not option.collectonly)


def _limits(option: Any, generated: int) -> Limits:
    """What a live session may cost that sends so many generated requests."""
    return replace(
        vetting.default_limits(generated, option.relay_max_requests, option.relay_max_output_tokens),
        concurrency=option.relay_concurrency,
        timeout=option.relay_timeout,
        idle=min(Limits.idle, option.relay_timeout),
    )


class Hooks:
    """Supplies the tests, gathers their verdicts, and says at the end what they come to."""

    def __init__(self, config: pytest.Config, door: Door) -> None:
        self._config = config
        self._door = door
        self._inconclusive = False
        self.seen: dict[Key, None] = {}
        """The checks that have run; under pytest-xdist they ran in other processes, whose reports come here."""

    def pytest_report_header(self) -> list[str]:
        """Say what is tested and where the evidence goes."""
        return [f"relay-conformance: {line}" for line in self._door.header()]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test of each check."""
        if "relay_check" in metafunc.fixturenames:
            metafunc.parametrize("relay_check", [_parameter(check) for check in self._door.checks])

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn what was selected: only that is sent for."""
        checks = [_check(item) for item in session.items]
        self._door.selected = tuple(check.key for check in checks if check is not None)

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say what will be sent."""
        return [f"relay-conformance: {line}" for line in self._door.announcement()]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a check that has run."""
        key = self._door.key_of(report)
        if key is not None:
            self.seen[key] = None

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End with an exit code of its own when no test failed but nothing can be concluded either."""
        ours = bool(self.seen or self._door.selected)
        somewhere_else = self._config.option.collectonly or hasattr(self._config, "workerinput")
        if ours and not somewhere_else and exitstatus == pytest.ExitCode.OK:
            verdict = run_verdict(self._judgements(), self._door.ledger, strict=self._door.strict)
            self._inconclusive = verdict == "inconclusive"
            if self._inconclusive:
                session.exitstatus = INCONCLUSIVE

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what the verdicts come to, and list the recommendations that are not kept."""
        if not self.seen:
            return
        judgements = self._judgements()
        terminalreporter.section("relay-conformance")
        terminalreporter.line(wording.verdict_words(judgements, self._door.ledger, strict=self._door.strict).en)
        for label, text in wording.facts(self._door.ledger, self._door.path).items():
            terminalreporter.line(f"{label}: {text}")
        if self._inconclusive:
            terminalreporter.line(f"exit code {INCONCLUSIVE}: no test failed, but there is no conclusion either")
        strayed = [judgement for judgement in judgements if judgement.verdict is Verdict.WARN]
        if strayed:
            terminalreporter.section("relay-conformance: SHOULD")
        for judgement in strayed:
            terminalreporter.line(f"{judgement.rule} · {judgement.operation}: {wording.brief(judgement)}")

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind that nobody needs."""
        self._door.close()

    def _judgements(self) -> list[Judgement]:
        """The verdicts of the checks that have run."""
        return self._door.judgements(self.seen)


def _parameter(check: Check) -> ParameterSet:
    """A check as a parameter: its id stands in the test's name, its markers are for `-m`."""
    marks = [getattr(pytest.mark, name) for name in (check.severity.lower(), check.operation)]
    return pytest.param(check, id=f"{check.rule}-{check.operation}", marks=marks)


def _check(item: pytest.Item) -> Check | None:
    """The check that a test is for; None for a test of somebody else's."""
    callspec = getattr(item, "callspec", None)
    found = callspec.params.get("relay_check") if callspec else None
    return found if isinstance(found, Check) else None
