from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.reporting import report

from .samples import RULES, exchange, hostile_run, judgement, ledger

NAMES = ["report.html", "results.json", "junit.xml", "summary.md"]


def test_four_files_are_written_into_a_new_folder(tmp_path: Path) -> None:
    files = report([judgement()], ledger(exchange()), tmp_path / "new" / "folder")

    assert list(files) == NAMES
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(NAMES)
    assert all(path.stat().st_size for path in files.values())


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = hostile_run()
    first = report(*run, tmp_path / "1", rules=RULES)
    second = report(*hostile_run(), tmp_path / "2", rules=RULES)

    assert [path.read_bytes() for path in first.values()] == [path.read_bytes() for path in second.values()]


def test_neither_hashing_nor_place_nor_time_zone_shows(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from conformance.reporting import report\n"
        "from report.samples import hostile_run; report(*hostile_run(), Path(sys.argv[1]))"
    )
    written = []
    for seed, zone in (("1", "Asia/Shanghai"), ("2", "America/New_York")):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        subprocess.run([sys.executable, "-c", code, str(tmp_path / seed)], env=environment, check=True)
        written.append([(tmp_path / seed / name).read_bytes() for name in NAMES])

    assert written[0] == written[1]


def test_an_older_report_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")

    report([judgement()], ledger(exchange()), tmp_path)

    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()

    with pytest.raises(OSError, match="report"):
        report([judgement()], ledger(exchange()), tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
