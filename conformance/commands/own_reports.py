"""The reports of runs that are recorded together, each made as soon as its run has been recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.commands.pooling import outcome
from conformance.commands.several import report_run
from conformance.errors import ConformanceError
from conformance.ledger import is_begun

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from conformance.commands.pooling import Workers
    from conformance.comparison.siding import Boiled
    from conformance.vetting import Run


class OwnReports:
    """Makes them in other processes, where there are some."""

    def __init__(self, runs: Sequence[Run], workers: Workers) -> None:
        self._runs = runs
        self._workers = workers
        self._begun: dict[int, Future[Any]] = {}

    def ended(self, place: int) -> None:
        """One run has been recorded, or cannot be."""
        # Without other processes, reports wait: judging here would keep the others from being sent anything.
        if self._workers.parallel and is_begun(self._runs[place].ledger):
            self._begun[place] = self._workers.submit(report_run, *self._job(place))

    def finish(self) -> tuple[dict[Path, Boiled], Exception | None]:
        """Make those that are missing; returns each run boiled down, by its folder, and the first problem.

        A problem keeps no other report from being written.
        """
        found: dict[Path, Boiled] = {}
        problems: list[Exception] = []
        for place, run in enumerate(self._runs):
            try:
                if place in self._begun:
                    found[run.folder] = outcome(self._begun[place], report_run, *self._job(place))
                elif is_begun(run.ledger):
                    found[run.folder] = report_run(*self._job(place))
            except (ConformanceError, OSError) as error:
                problems.append(error)
        return found, problems[0] if problems else None

    def _job(self, place: int) -> tuple[Any, ...]:
        run = self._runs[place]
        return run.ledger, run.profile, run.waivers
