"""All recorded runs below a folder as one page: when did a rule break, and when did it heal.

`finding` looks for runs, `reading` judges one, `index` remembers what came of it beside the runs, `trends` says what
changed, `pages` shows it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from conformance.errors import UsageError
from conformance.history.finding import runs_below
from conformance.history.index import NAME, DamagedIndexError, Index, open_index, put_aside
from conformance.history.pages import history_text
from conformance.history.reading import read_run
from conformance.history.trends import histories
from conformance.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.history.nouns import Files, History

PAGE = "history.html"


def write_history(folder: Path, out: Path | None = None, *, say: Callable[[str], None]) -> Path:
    """Bring the index of a folder up to date and write its page; returns where that is.

    `say` is told what a user wants to know on the way. Raises UsageError for what is no folder, OSError where the page
    cannot be written.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "give the folder below which runs were recorded, such as reports")
    page = out or folder / PAGE
    found = runs_below(folder, say)
    try:
        shown, problems = _remembered(folder, found, say)
    except DamagedIndexError as error:
        put_aside(folder / NAME)
        say(f"{error.message}: it was put aside and is made again")
        shown, problems = _remembered(folder, found, say)
    return write_whole(page, history_text(shown, problems, folder, page))


def _remembered(
    folder: Path, found: Sequence[Files], say: Callable[[str], None]
) -> tuple[list[History], list[tuple[str, str]]]:
    """What the index holds once it is up to date: every provider, and the runs that cannot be read."""
    with open_index(folder, say) as index:
        _update(index, found, say)
        return histories(index), index.unreadable()


def _update(index: Index, found: Sequence[Files], say: Callable[[str], None]) -> None:
    """Judge what is new or has changed, forget what has vanished."""
    index.forget_all_but([files.path for files in found])
    fresh = [files for files in found if not index.knows(files)]
    if fresh:
        say(f"{len(found):,} runs, of which {len(fresh):,} are new or changed: judging them")
    for files in fresh:
        index.keep(files, read_run(files))
