"""Processes that judge and report while others send: as many as there are cores, none where one would do."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FEWEST = 4
"""Runs for which processes are worth their start."""


class Workers:
    """Applies functions in other processes; in this one where there are few runs, one core, or no more processes."""

    def __init__(self, runs: int) -> None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._many = min(cores, runs) if runs >= FEWEST and cores > 1 else 0
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self._many:
            # Not forked: a fork copies whatever locks the threads of this process hold.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._many, context, initializer=_begin)
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def parallel(self) -> bool:
        """Whether there are other processes."""
        return self._pool is not None

    def warm_up(self) -> None:
        """Start the processes and let them import what they need, while this one waits for answers."""
        for _ in range(self._many):
            self.submit(_prepare)

    def submit(self, function: Callable[..., Any], *values: Any) -> Future[Any]:
        """What the function makes of these values, sooner or later."""
        if self._pool:
            try:
                return self._pool.submit(function, *values)
            except BrokenProcessPool:
                self._pool = None
        return _done(function, values)

    def map(self, function: Callable[..., Any], *columns: Iterable[Any]) -> Iterator[Any]:
        """As the builtin, in order; a process that dies is made up for here."""
        rows = list(zip(*columns, strict=False))
        futures = [self.submit(function, *row) for row in rows] if self._pool else []
        for place, row in enumerate(rows):
            yield outcome(futures[place], function, *row) if futures else function(*row)


def outcome(future: Future[Any], function: Callable[..., Any], *values: Any) -> Any:
    """What came of a call; where its process died (a machine short of memory ends one), it is made again here."""
    try:
        return future.result()
    except BrokenProcessPool:
        return function(*values)


def _done(function: Callable[..., Any], values: Iterable[Any]) -> Future[Any]:
    """A call that is made at once."""
    future: Future[Any] = Future()
    try:
        future.set_result(function(*values))
    except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
        future.set_exception(error)
    return future


def _begin() -> None:
    """Leave Ctrl-C to the process that sends, and end with it whatever ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _prepare() -> None:
    """Load what the first report would have to wait for."""
    from PIL import Image

    from conformance.commands import several  # noqa: F401 - it imports the rest
    from conformance.contract import ours
    from conformance.reporting.pages import prepare
    from conformance.rules.base import catalogue

    Image.init()
    ours()
    catalogue()
    prepare("report.html.j2")
