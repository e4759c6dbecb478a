"""`history.sqlite`: what came of each run, remembered beside the runs.

The index holds nothing that the ledgers do not: one that is damaged, foreign or of another version is put aside and
made again. A run is known by its path, the sizes and times of its ledgers, and the version that judged it. Every write
is a transaction of its own and SQLite locks the file, so two processes may work on it at once.
"""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing, contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from conformance._version import __version__
from conformance.errors import DataError
from conformance.history.nouns import SHOWN, Files, Identity, Read, Run, Speed
from conformance.model import Severity, Verdict
from conformance.outcomes import Key, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

NAME = "history.sqlite"
FORMAT = 1
_OURS = 0x72636831
"""SQLite's application id of our files: `rch1`."""
_PATIENCE = 60.0
"""Seconds to wait for another process."""
_NOT_OURS = frozenset(
    {
        *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL),
        *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM),
    }
)
"""Errors that say nothing about what is in the file."""
_YEAR_9999 = 253_370_764_800
_RUN_VERDICTS = frozenset({"pass", "fail", "inconclusive", "error"})
_TABLES = f"""
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL, judged_by TEXT NOT NULL,
    name TEXT NOT NULL, base_url TEXT NOT NULL, model TEXT NOT NULL, started REAL NOT NULL, seconds REAL NOT NULL,
    verdict TEXT NOT NULL, rounds INTEGER NOT NULL, narrowed INTEGER NOT NULL, problem TEXT NOT NULL
) STRICT;
CREATE TABLE outcomes (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, rule TEXT NOT NULL, operation TEXT NOT NULL,
    severity TEXT NOT NULL, verdict INTEGER NOT NULL, signs TEXT NOT NULL,
    PRIMARY KEY (run, rule, operation)
) STRICT, WITHOUT ROWID;
CREATE TABLE measures (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, operation TEXT NOT NULL, what TEXT NOT NULL,
    middle REAL NOT NULL, low REAL, high REAL, count INTEGER NOT NULL,
    PRIMARY KEY (run, operation, what)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = {_OURS};
PRAGMA user_version = {FORMAT};
"""
_NEW_RUN = "INSERT INTO runs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_RUNS = """
SELECT number, path, name, base_url, model, started, seconds, verdict, rounds, narrowed, problem FROM runs
WHERE verdict != '' ORDER BY name, base_url, model, started, path
"""


class DamagedIndexError(DataError):
    """An index holds what we never write: it is of no use, and can be made again."""


class Index:
    """An open index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def knows(self, files: Files) -> bool:
        """Whether this version has judged just these files."""
        row = self._db.execute("SELECT stamp, judged_by FROM runs WHERE path = ?", (files.path,)).fetchone()
        return bool(row == (files.stamp, __version__))

    def keep(self, files: Files, read: Read) -> None:
        """Remember what a run came to, in place of what was remembered of it."""
        about = (*vars(read.identity).values(), read.started, read.seconds, read.verdict, read.rounds, read.narrowed)
        row = (files.path, files.stamp, __version__, *about, read.problem)
        with self._db:
            # A lock from the start: another process may be keeping the same run.
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM runs WHERE path = ?", (files.path,))
            number = self._db.execute(_NEW_RUN, _plain(row)).lastrowid
            self._db.executemany(
                "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?)",
                (_plain((number, *_outcome_out(outcome))) for outcome in read.outcomes),
            )
            self._db.executemany(
                "INSERT INTO measures VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_plain((number, *vars(speed).values())) for speed in read.speeds),
            )

    def forget_all_but(self, paths: Iterable[str]) -> None:
        """Drop runs that are no longer there."""
        known = {path for (path,) in self._db.execute("SELECT path FROM runs")}
        self._db.executemany("DELETE FROM runs WHERE path = ?", [(path,) for path in known - set(paths)])

    def runs(self) -> list[Run]:
        """Every run that could be read: by provider, the oldest first."""
        return [_run_in(row) for row in self._db.execute(_RUNS)]

    def unreadable(self) -> list[tuple[str, str]]:
        """Path and problem of runs that changed nothing: damaged, or interrupted."""
        return list(self._db.execute("SELECT path, problem FROM runs WHERE problem != '' ORDER BY path"))

    def outcomes(self, identity: Identity) -> Iterator[tuple[Key, dict[int, Outcome]]]:
        """Rule by rule, what each run of a provider says of it, by the number of the run; never all at once."""
        rows = self._db.execute(
            "SELECT rule, operation, run, severity, outcomes.verdict, signs FROM outcomes "
            "JOIN runs ON runs.number = run WHERE name = ? AND base_url = ? AND model = ? ORDER BY rule, operation",
            _plain(vars(identity).values()),
        )
        for (rule, operation), found in groupby(rows, lambda row: (row[0], row[1])):
            yield Key(rule, operation), {row[2]: _outcome_in(row) for row in found}

    def speeds(self, identity: Identity) -> list[tuple[int, Speed]]:
        """Number of the run and speed, for all runs of a provider."""
        rows = self._db.execute(
            "SELECT run, operation, what, middle, low, high, count FROM measures "
            "JOIN runs ON runs.number = run WHERE name = ? AND base_url = ? AND model = ? ORDER BY operation, what",
            _plain(vars(identity).values()),
        )
        return [(number, _speed_in(values)) for number, *values in rows]


def _plain(values: Iterable[Any]) -> list[Any]:
    """Values that SQLite takes: halves of surrogate pairs, which a model may be named by, are written as escapes."""
    return [value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value for value in values]


def _outcome_out(outcome: Outcome) -> tuple[str, str, str, int, str]:
    signs = json.dumps(sorted(outcome.signs))
    return outcome.rule, outcome.operation, outcome.severity.value, int(outcome.verdict), signs


def _outcome_in(row: tuple[Any, ...]) -> Outcome:
    """Raises ValueError for what `_outcome_out` never makes, as the others do: the file may have been edited."""
    rule, operation, _, severity, verdict, written = row
    signs = json.loads(written)
    if not (isinstance(signs, list) and all(isinstance(each, str) for each in signs)):
        raise ValueError("signs are no list of texts")
    return Outcome(
        rule,
        operation,
        Severity(severity),
        Verdict(verdict),
        waived=False,
        signs=frozenset(signs),
        exchanges=(),
    )


def _run_in(row: tuple[Any, ...]) -> Run:
    number, path, name, base_url, model, started, seconds, verdict, rounds, narrowed, problem = row
    identity = Identity(name, base_url, model)
    if verdict not in _RUN_VERDICTS or not 0 <= started < _YEAR_9999 or not math.isfinite(seconds):
        raise ValueError(f"run {number} has no verdict or no time that there is")
    return Run(number, path, identity, started, seconds, verdict, rounds, bool(narrowed), problem)


def _speed_in(values: Sequence[Any]) -> Speed:
    speed = Speed(*values)
    numbers = [each for each in (speed.middle, speed.low, speed.high) if each is not None]
    if speed.what not in SHOWN or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{speed.what} is no speed that we measure")
    return speed


@contextmanager
def open_index(folder: Path, say: Callable[[str], None]) -> Iterator[Index]:
    """The index of a folder, made where there is none; in memory only where nothing can be written.

    Raises DataError when another process keeps it locked, and DamagedIndexError for what only reading it shows.
    """
    try:
        with closing(_opened(folder / NAME, say)) as connection:
            yield Index(connection)
    except (sqlite3.Error, ValueError, RecursionError) as error:
        # The low byte is the error, the rest its kind; Python's own errors about a value have none.
        kind = DataError if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_OURS else DamagedIndexError
        raise kind(
            f"{folder / NAME} cannot be used: {error}",
            "is another process using it? else delete it: it is made again from the ledgers",
        ) from error


def _opened(path: Path, say: Callable[[str], None]) -> sqlite3.Connection:
    """A connection to an index of ours."""
    try:
        why = _strangeness(path)
        if why:
            put_aside(path)
            say(f"{path} {why}: it was put aside and is made again")
        return _prepared(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None))
    except (OSError, sqlite3.OperationalError) as error:
        say(f"{path} cannot be written ({error}): every run is judged again next time")
        return _prepared(sqlite3.connect(":memory:", isolation_level=None))


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Make the tables where there are none, under a lock: another process may be doing the same."""
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("BEGIN IMMEDIATE")
    if _pragma(connection, "application_id") != _OURS:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
    connection.execute("COMMIT")
    return connection


def _strangeness(path: Path) -> str:
    """Why a file is no index that this version can use; empty for one that is, and for none."""
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        return ""
    if not path.is_file():
        return "is no file"
    try:
        with closing(sqlite3.connect(path, timeout=_PATIENCE)) as connection:
            return _difference(connection)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return "is damaged"


def _difference(connection: sqlite3.Connection) -> str:
    if _pragma(connection, "application_id") != _OURS:
        return "is another program's"
    if _pragma(connection, "user_version") != FORMAT:
        return f"has format {_pragma(connection, 'user_version')}, this version writes format {FORMAT}"
    return "" if connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",) else "is damaged"


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def put_aside(path: Path) -> None:
    """Rename rather than delete: it may be a file that somebody wants."""
    path.replace(path.with_name(f"{path.name}.old"))
    for ending in ("-journal", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
