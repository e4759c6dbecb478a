"""Which runs there are below a folder: every folder with a ledger, its `rounds/N` counted to it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING
from urllib.parse import quote

from conformance.gating.rounds import LEDGER, ROUNDS, round_paths
from conformance.gating.rounds import MOST as MOST_ROUNDS
from conformance.history.nouns import Files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_RUNS, MOST_FOLDERS = 5_000, 100_000
_DEEPEST = 12


def runs_below(folder: Path, say: Callable[[str], None]) -> list[Files]:
    """All runs, in the order of their paths; `say` is told when there are more than are looked at."""
    found: list[Files] = []
    for place in _folders(folder, say):
        if len(found) == MOST_RUNS:
            say(f"there are more than {MOST_RUNS:,} runs: the others are left out")
            break
        files = _files(folder, place)
        found += [files] if files else []
    return found


def _folders(folder: Path, say: Callable[[str], None]) -> Iterator[Path]:
    """Every folder with a ledger but rounds of a run above; links are not followed, so this ends."""
    for number, (root, names, files) in enumerate(os.walk(folder)):
        if number == MOST_FOLDERS:
            say(f"there are more than {MOST_FOLDERS:,} folders: the others are left out")
            return
        deep = len(Path(root).relative_to(folder).parts) >= _DEEPEST
        is_run = LEDGER in files
        names[:] = (
            []
            if deep
            else sorted(name for name in names if not name.startswith(".") and not (is_run and name == ROUNDS))
        )
        if is_run:
            yield Path(root)


def _files(top: Path, folder: Path) -> Files | None:
    """The ledgers of a run; None for one that vanished while we looked."""
    ledgers = tuple(round_paths(folder)[:MOST_ROUNDS])
    try:
        stats = [path.stat() for path in ledgers]
    except OSError:
        return None
    if not all(S_ISREG(each.st_mode) for each in stats):
        return None  # a pipe or a device might never end
    names = [path.parent.name for path in ledgers[1:]]
    stamp = json.dumps([names, *([each.st_size, each.st_mtime_ns] for each in stats)])
    relative = folder.relative_to(top)
    # Names of files may be any bytes; quoted, they are text that the index and an address take alike.
    return Files(quote(os.fsencode(relative)) if relative.parts else "", ledgers, stamp)
