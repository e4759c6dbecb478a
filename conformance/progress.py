"""The progress bar: on a terminal only, and never in the way of what is printed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from conformance.model import Exchange


class Bar:
    """Shows how many exchanges of a run, or of several, are recorded."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._runs: dict[int, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415 - slow to import, and needed on a terminal only
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

            columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self._progress.start()
            self._task = self._progress.add_task("sending", total=None)
        return self

    def step(self, done: int, total: int, _: Exchange) -> None:
        """One more exchange is recorded."""
        self._show(done, total)

    def step_of(self, run: int, done: int, total: int, _: Exchange) -> None:
        """One more exchange of one of several runs is recorded, of which the bar shows the sum."""
        self._runs[run] = done, total
        self._show(*map(sum, zip(*self._runs.values(), strict=True)))

    def _show(self, done: int, total: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()
