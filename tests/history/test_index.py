"""The index: runs are read once, and nothing that happens to its file costs more than reading them again."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from conformance.history import index as index_module
from conformance.history import write_history
from conformance.history.index import NAME, open_index

from .conftest import Write

READS = "1 runs, of which 1 are new or changed: judging them"


def tell(folder: Path) -> list[str]:
    told: list[str] = []
    write_history(folder, say=told.append)
    return told


def test_unchanged_runs_are_not_read_again(write: Write, tmp_path: Path) -> None:
    write(tmp_path / "1")
    first, page = tell(tmp_path), (tmp_path / "history.html").read_text("utf-8")

    assert first == [READS]
    assert tell(tmp_path) == []
    assert (tmp_path / "history.html").read_text("utf-8") == page


@pytest.mark.parametrize("change", ["content", "version", "round"])
def test_what_changed_is_read_again(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    write(tmp_path / "1")
    tell(tmp_path)
    if change == "content":
        write(tmp_path / "1", "twice", 1)
    elif change == "round":
        write(tmp_path / "1" / "rounds" / "2")
    else:
        monkeypatch.setattr(index_module, "__version__", "99")

    assert tell(tmp_path) == [READS]
    assert tell(tmp_path) == []


def test_runs_that_vanished_are_dropped_with_all_that_was_known_of_them(write: Write, tmp_path: Path) -> None:
    write(tmp_path / "1")
    write(tmp_path / "2", name="other")
    tell(tmp_path)
    shutil.rmtree(tmp_path / "2")
    tell(tmp_path)

    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        assert connection.execute("SELECT path FROM runs").fetchall() == [("1",)]
        assert connection.execute("SELECT count(DISTINCT run) FROM outcomes").fetchall() == [(1,)]


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (a)")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20_000])


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text("hello " * 1000), "is damaged"),
        (torn, "is damaged"),
        (foreign, "is another program's"),
        (newer, "has format 2, this version writes format 1"),
        (folder, "is no file"),
    ],
    ids=["text", "torn", "foreign", "newer", "folder"],
)
def test_an_index_that_is_none_of_ours_is_put_aside_and_made_again(write: Write, tmp_path: Path, damage, said) -> None:
    write(tmp_path / "1")
    tell(tmp_path)
    damage(tmp_path / NAME)
    told = tell(tmp_path)

    assert told == [f"{tmp_path / NAME} {said}: it was put aside and is made again", READS]
    assert (tmp_path / f"{NAME}.old").exists()
    assert tell(tmp_path) == []


def test_an_empty_file_becomes_the_index(write: Write, tmp_path: Path) -> None:
    write(tmp_path / "1")
    (tmp_path / NAME).touch()

    assert tell(tmp_path) == [READS]
    assert tell(tmp_path) == []


def test_where_nothing_can_be_written_the_page_is_made_without(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "1")

    def refused(_: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(index_module, "_strangeness", refused)
    told = tell(tmp_path)

    assert "cannot be written" in told[0]
    assert told[1:] == [READS]
    assert not (tmp_path / NAME).exists()


def test_an_index_that_is_locked_for_long_is_no_failure(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "1")
    tell(tmp_path)
    monkeypatch.setattr(index_module, "_PATIENCE", 0.01)
    with closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        told = tell(tmp_path)

    assert "database is locked" in told[0]
    assert tell(tmp_path) == []


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE outcomes SET severity = 'PERHAPS'",
        "UPDATE outcomes SET verdict = 77",
        "UPDATE outcomes SET signs = '5'",
        "UPDATE outcomes SET signs = '[[1]]'",
        "UPDATE outcomes SET signs = '{'",
        "UPDATE outcomes SET signs = '" + "[" * 99_999 + "'",
        "UPDATE runs SET verdict = '<b>'",
        "UPDATE runs SET started = 9e999",
        "UPDATE runs SET started = -1.0",
        "UPDATE runs SET seconds = 9e999",
        "UPDATE runs SET name = CAST(X'ff' AS TEXT)",
        "INSERT INTO measures VALUES (1, 'chat', 'bogus', 1.0, NULL, NULL, 1)",
        "INSERT INTO measures VALUES (1, 'chat', 'first-content', 9e999, NULL, NULL, 1)",
        "DROP TABLE measures",
        "ALTER TABLE runs DROP COLUMN problem",
        "CREATE TRIGGER t BEFORE DELETE ON runs BEGIN SELECT raise(abort, 'no'); END; UPDATE runs SET stamp = ''",
    ],
)
def test_an_index_whose_tables_were_edited_is_made_again(write: Write, tmp_path: Path, edit: str) -> None:
    write(tmp_path / "1")
    tell(tmp_path)
    page = (tmp_path / "history.html").read_text("utf-8")
    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        connection.executescript(edit)
    told = tell(tmp_path)

    assert "it was put aside and is made again" in " ".join(told)
    assert told[-1] == READS
    assert tell(tmp_path) == []
    assert (tmp_path / "history.html").read_text("utf-8") == page


@pytest.mark.parametrize("kind", ["pipe", "device", "loop", "folder"])
def test_what_is_no_plain_file_is_no_ledger(write: Write, tmp_path: Path, kind: str) -> None:
    write(tmp_path / "1")
    path = tmp_path / "2" / "ledger.jsonl"
    path.parent.mkdir()
    make = {
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "loop": lambda: path.symlink_to(path),
        "folder": path.mkdir,
    }
    make[kind]()

    assert tell(tmp_path) == [READS]


def test_two_processes_may_do_it_at_once(write: Write, tmp_path: Path) -> None:
    for number in range(4):
        write(tmp_path / f"{number}", day=number)
    command = [sys.executable, "-m", "conformance", "history", str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    ends = [(process.communicate(), process.returncode) for process in started]

    assert [code for _, code in ends] == [0, 0, 0], ends
    with open_index(tmp_path, print) as index:
        assert [run.path for run in index.runs()] == ["0", "1", "2", "3"]
    assert tell(tmp_path) == []


def test_names_that_are_no_text_are_kept(write: Write, tmp_path: Path) -> None:
    write(tmp_path / "1", name="half \ud800 name")
    write(tmp_path / "caf\udce9", "twice", 1, name="half \ud800 name")

    assert len(tell(tmp_path)) == 1
    assert tell(tmp_path) == []
    assert "caf\\xe9" in (tmp_path / "history.html").read_text("utf-8")
