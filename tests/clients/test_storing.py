"""What clients read is kept beside the ledger, and refused where it is damaged or of another run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from clients.recorded import completion, exchange, ledger
from conformance.clients.readings import LONGEST, ClientRun, Content, Reading, ToolCall
from conformance.clients.storing import read_readings, write_readings
from conformance.errors import LedgerError

RUN = ledger(exchange("chat/a", completion()))
RUNS = [
    ClientRun(
        "openai",
        "3.54.0",
        (
            Reading(
                "chat/a",
                "read",
                Content(("Hi \ud83d",), (ToolCall("f", "{}", "t"),), ("stop",), (8, 2), ("x",), ("y",)),
            ),
            Reading("chat/b", "read", Content()),
            Reading("chat/c", "refused", error="NotFoundError", status=404, message="no"),
        ),
    ),
    ClientRun("litellm", "", (), "No module named 'litellm'"),
]


def test_readings_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_readings(tmp_path / "clients.json", RUN, RUNS)

    assert read_readings(tmp_path / "clients.json", RUN) == RUNS


def test_long_texts_are_cut(tmp_path: Path) -> None:
    long = Reading("chat/a", "read", Content(texts=("x" * (LONGEST + 5),)), message="m" * 1000)
    write_readings(tmp_path / "clients.json", RUN, [ClientRun("openai", "1", (long,))])

    (found,) = read_readings(tmp_path / "clients.json", RUN)

    assert found.readings[0].content == Content(texts=("x" * LONGEST,))
    assert len(found.readings[0].message) == 300


def test_readings_of_another_run_are_refused(tmp_path: Path) -> None:
    write_readings(tmp_path / "clients.json", replace(RUN, started=1.0), RUNS)

    with pytest.raises(LedgerError, match="another run"):
        read_readings(tmp_path / "clients.json", RUN)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 2}', json.dumps({"format": 1, "clients": 5})])
def test_what_is_no_file_of_readings_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "clients.json").write_text(text, encoding="utf-8")

    with pytest.raises(LedgerError, match="holds no readings"):
        read_readings(tmp_path / "clients.json", RUN)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="No such file"):
        read_readings(tmp_path / "clients.json", RUN)
