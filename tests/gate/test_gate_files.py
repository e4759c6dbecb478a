"""baseline.json: the same bytes, an entry a line, and nothing but a clear sentence for what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from report.samples import case, exchange, ledger, stream

from conformance.contract import schema_errors
from conformance.errors import DataError
from conformance.gating.files import baseline_text, is_baseline, read_baseline
from conformance.gating.nouns import Record
from conformance.gating.recording import MOST_SAMPLES, record_of
from conformance.gating.rounds import common_cases, digests, narrowed, plan_digest, round_path, round_paths
from conformance.model import Verdict
from conformance.whole_files import write_whole

from .records import RULE, record, standing, timing

WHOLE = record(
    standing(Verdict.PASS),
    standing(Verdict.FAIL, operation="chat.stream", signs=frozenset({"/b", "/a\ud800"})),
    standing(Verdict.PASS, Verdict.WARN, rule="chat.id.fresh", noisy=True),
    rounds=2,
    timings=(timing([0.1, 0.2], [0.3]), timing([0.1], [0.3], what="first-content")),
    rules=("chat",),
    page="vman",
)


def kept(path: Path, whole: Record = WHOLE) -> Path:
    write_whole(path, baseline_text(whole))
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    text = baseline_text(WHOLE)
    again = read_baseline(kept(tmp_path / "new" / "baseline.json"))

    assert schema_errors("formats/baseline.json", json.loads(text)) == []
    assert baseline_text(again) == text
    assert text.isascii()
    assert (again.model, again.rounds, again.rules, again.page) == (WHOLE.model, 2, ("chat",), "vman")
    assert again.cases == WHOLE.cases
    assert sum(RULE in line for line in text.splitlines()) == 2
    assert read_baseline(kept(tmp_path / "empty.json", record(cases={}))).standings == {}


def damaged(**changes: Any) -> dict[str, Any]:
    return {**json.loads(baseline_text(WHOLE)), **changes}


ENTRY = {"rule": "a", "operation": "b", "severity": "MUST", "verdict": "pass", "cases": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no baseline"),
        ("[]", "no baseline"),
        ("null", "no baseline"),
        ("{", "no baseline"),
        ("[" * 100_000, "no baseline"),
        ('{"format": 1}', "no baseline"),
        ('{"format": 2, "entries": []}', "format 2, this version reads format 1"),
        ('{"format": true}', "no baseline"),
        (damaged(cases={"chat/minimal": "0" * 12}), "edited or damaged"),
        (damaged(entries=[ENTRY, {**ENTRY, "verdict": "fail"}]), "two entries"),
        (damaged(entries=[{**ENTRY, "verdict": "great"}]), "/entries/0/verdict"),
        (damaged(entries=[{**ENTRY, "cases": 1e400}]), "no baseline"),
        (damaged(timings=[{"operation": "chat", "what": "first-byte", "rounds": [[1.0]]}]), "timings of 1 rounds"),
        (damaged(timings=[{"operation": "chat", "what": "first-byte", "rounds": [[-1], [1]]}]), "no baseline"),
        (damaged(recorded=[]), "/recorded"),
        ('{"format": 1,' + baseline_text(WHOLE)[1:], "'format' stands twice"),
        (baseline_text(WHOLE).replace('"cases": 3', '"cases": 3, "cases": 2', 1), "'cases' stands twice"),
        (damaged(extra=1), "extra"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, content: Any, said: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))

    with pytest.raises(DataError) as error:
        read_baseline(path)

    assert said in error.value.message
    assert "--update" in error.value.hint


def test_a_huge_file_and_none_at_all_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(33 * 2**20)
    with pytest.raises(DataError, match="more than 32 MiB"):
        read_baseline(tmp_path / "huge.json")
    with pytest.raises(DataError, match="No such file"):
        read_baseline(tmp_path / "none.json")
    with pytest.raises(DataError, match="null"):
        read_baseline(tmp_path / "a\0b.json")


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("b.json", '{\n "format": 1', True),
        ("b.json", '{"kind":"header"', False),
        ("b.jsonl", "", False),
        ("b.txt", "", True),
        ("b.json", None, True),
        ("b.jsonl", None, False),
    ],
)
def test_a_baseline_is_told_from_a_ledger(tmp_path: Path, name: str, content: str | None, expected: bool) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)

    assert is_baseline(tmp_path / name) is expected
    assert not is_baseline(tmp_path)


def test_rounds_are_found_in_their_order(tmp_path: Path) -> None:
    for name in ("2", "10", "3", "01", "x", "1", "99999", "²"):
        folder = tmp_path / "rounds" / name
        folder.mkdir(parents=True)
        (folder / "ledger.jsonl").touch()
    (tmp_path / "rounds" / "4").mkdir()

    found = round_paths(tmp_path)

    assert found == [round_path(tmp_path, number) for number in (1, 2, 3, 10)]
    assert round_paths(tmp_path / "ledger.jsonl") == [tmp_path / "ledger.jsonl"]


def test_only_what_all_planned_in_the_same_form_is_common() -> None:
    one = ledger(exchange(), exchange("chat/other"))
    two = ledger(exchange(case=case(output_tokens=99)), exchange("chat/other"), exchange("chat/third"))
    plans = [digests(one), digests(two)]

    common = common_cases(plans)

    assert list(common) == ["chat/other"]
    assert [case_.id for case_ in narrowed(two, common).plan] == ["chat/other"]
    assert [each.case.id for each in narrowed(two, common).exchanges] == ["chat/other"]
    assert narrowed(one, digests(one)) is one
    assert plan_digest(plans[0]) != plan_digest(plans[1])


def test_a_record_is_small_and_bounded() -> None:
    many = [exchange(f"chat/{number}") for number in range(500)]
    event = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
    whole = record_of([ledger(*many, exchange("chat.stream/a", stream(event, event)))])

    assert {(each.operation, each.what) for each in whole.timings} == {
        ("chat", "first-byte"),
        ("chat.stream", "first-byte"),
        ("chat.stream", "first-content"),
    }
    assert max(len(values) for each in whole.timings for values in each.rounds) == MOST_SAMPLES
    assert "sk-" not in baseline_text(whole)
    assert whole.trouble == ""
    assert record_of([ledger(exchange(), complete=False)]).trouble == "interrupted: the record has no end"
