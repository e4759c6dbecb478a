"""What goes wrong at one provider neither ends the others nor hides itself."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from compare.comparisons import comparison, outcome, pair, side
from compare.providers_of_tests import KEYS, NAMES, VARIABLES, providers_file, read, relay, run
from conformance.commands.several import Asked, settled
from conformance.comparison.comparing import compare
from conformance.comparison.files import write_files
from conformance.comparison.headers import ledgers_of
from conformance.comparison.markdown import markdown_text
from conformance.comparison.table import table_text
from conformance.contract import schema_errors
from conformance.errors import ConformanceError
from conformance.ledger import read_ledger
from conformance.model import Limits, Provider, Verdict
from conformance.outcomes import Key
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_MODEL
from conformance.send import Job, record_all
from conformance.slots import Line

FEW = ("--only", "chat.id")


def folder(out: Path, place: int) -> Path:
    return out / NAMES[place].replace(" ", "-")


def test_others_go_on_and_are_compared_where_one_cannot_be_recorded(tmp_path: Path):
    out = tmp_path / "out"
    (folder(out, 0) / "report.html").mkdir(parents=True)  # its report cannot be written
    folder(out, 1).write_text("a file in its way")
    folder(out, 2).mkdir()
    (folder(out, 2) / "ledger.jsonl").write_bytes(b"")  # killed in the first moment
    with relay() as server:
        path = providers_file(server, tmp_path, 3)
        done = run(str(path), "--out", str(out), "--resume", "--control", NAMES[1], *FEW)

    assert done.returncode == 2
    assert f"error: {NAMES[1]}: " in done.stderr
    assert "nothing is charged" in done.stderr
    assert "report.html" in done.stderr
    document = read(out / "compare.json")
    assert [each["name"] for each in document["sides"]] == [NAMES[0], NAMES[2]]
    assert document["control"] is None
    assert schema_errors("formats/comparison.json", document) == []
    assert all(read_ledger(folder(out, place) / "ledger.jsonl").complete for place in (0, 2))
    assert (folder(out, 2) / "report.html").is_file()


def test_one_provider_alone_is_reported_and_said_to_be_alone(tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    folder(out, 1).write_text("a file in its way")
    with relay() as server:
        done = run(str(providers_file(server, tmp_path, 2)), "--out", str(out), *FEW)

    assert done.returncode == 6
    assert "fewer than two providers were recorded" in done.stderr
    assert (folder(out, 0) / "report.html").is_file()


@pytest.mark.parametrize("in_flight", [1, 2])
def test_one_request_at_a_time_is_a_plan_without_those_that_need_two(
    in_flight: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name, key in VARIABLES.items():
        monkeypatch.setenv(name, key)
    with relay() as server:
        path = providers_file(server, tmp_path, 2)
    runs, _ = settled(path, Asked(in_flight=in_flight), tmp_path / "out", resume=False)

    assert all(any(case.during for case in run.cases) is (in_flight > 1) for run in runs)


def test_a_place_that_is_no_longer_wanted_keeps_nobody_waiting():
    async def several() -> list[str]:
        line, order = Line(2), []

        async def hold(run: str, count: int, seconds: float) -> None:
            async with line.place(run, count):
                order.append(run)
                await asyncio.sleep(seconds)

        slow = [asyncio.create_task(hold("slow", 1, 0.05)) for _ in range(9)]
        await asyncio.sleep(0.01)
        unwanted = asyncio.create_task(hold("unwanted", 2, 0))
        await asyncio.sleep(0)
        quick = [asyncio.create_task(hold("quick", 1, 0)) for _ in range(3)]
        wide = asyncio.create_task(hold("wide", 7, 0))
        await asyncio.sleep(0)
        unwanted.cancel()
        await asyncio.wait_for(asyncio.gather(*slow, *quick, wide), 5)
        return order

    order = asyncio.run(several())
    assert order.count("quick") == 3
    assert order.count("wide") == 1
    assert "unwanted" not in order
    assert max(place for place, each in enumerate(order) if each == "quick") < 8


INJECTIONS = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\uff1d1+1",
    'a"b,c\nd',
    "https://evil.example www.evil.example",
    "@everyone #1 $x$ | ![x](https://evil.example)",
    "<img src=x onerror=alert(1)>",
    "`",
    "``a`",
    "##[error]\n::error::x",
    "\u202e\ud800\x1b[31m",
]


@pytest.mark.parametrize("name", INJECTIONS)
def test_names_are_only_text_in_tables_and_markdown(name: str, tmp_path: Path):
    key = Key("chat.id.prefix", name)
    sides = (side("Beta", outcome(key)), side(name, outcome(key, Verdict.FAIL, signs=frozenset({name})), model=name))
    found = comparison(*sides, control=name)
    markdown, table = markdown_text(found), table_text(found)

    rows = list(csv.reader(io.StringIO(table)))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d")) for row in rows for cell in row)
    outside = "".join(markdown.replace("``a`", "").split("`")[::2]) if "`" not in name else ""
    assert not any(word in outside for word in ("evil", "everyone", "<img", "$x$", "SUM"))
    assert not any(line.startswith(("::", "##[")) for line in markdown.splitlines())
    files = write_files(found, tmp_path)
    assert schema_errors("formats/comparison.json", read(files["compare.json"])) == []


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small run."""
    home = tmp_path_factory.mktemp("small")
    with relay() as server:
        provider = Provider(server.base_url, DEFAULT_MODEL, name="small")
        job = Job(
            tuple(plan(("chat.id",))), provider, home / "ledger.jsonl", Secrets({"RELAY_API_KEY": KEYS[0]}), Limits()
        )
        assert record_all([job]) == [None]
    return home


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ((r"(?s).*", ""), "line 1 is no header"),
        ((r"(?s)(?<=.{500}).*", ""), "line 1 is no header"),
        ((r"(?s).*", "[]\n"), "line 1 is no header"),
        ((r"^.", "\0"), "line 1 is no header"),
        (('"format":1', '"format":2'), "this version reads format 1"),
        (('"seconds":', '"seconds":1e999,"x":'), "line 3 is number out of range"),
        (('"plan":', '"plans":'), "no header that this version reads"),
        ((r'"rules":\[\]', '"rules":["new.rule"]'), "there is no rule 'new.rule'"),
        (('"operation":"', '"operation":"new.'), "no header that this version reads"),
    ],
)
def test_a_damaged_run_is_named(recorded: Path, tmp_path: Path, damage: tuple[str, str], said: str):
    path = tmp_path / "bad" / "ledger.jsonl"
    path.parent.mkdir()
    path.write_text(re.sub(*damage, (recorded / "ledger.jsonl").read_text("utf-8"), count=1), encoding="utf-8")
    with pytest.raises(ConformanceError, match=said) as raised:
        compare([recorded, path.parent])
    assert str(path.parent) in raised.value.message
    assert raised.value.hint


def test_a_last_line_that_was_cut_off_makes_a_run_incomplete(recorded: Path, tmp_path: Path):
    shutil.copytree(recorded, tmp_path / "torn")
    path = tmp_path / "torn" / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    found = compare([recorded, tmp_path / "torn"])

    assert [each.complete for each in found.sides] == [True, False]
    assert found.sides[1].verdict == "inconclusive"


def test_only_rounds_that_vet_writes_are_counted(recorded: Path, tmp_path: Path):
    home = tmp_path / "run"
    shutil.copytree(recorded, home)
    for name in ("0", "1", "02", "2", "\u0663", "x", "9" * 200):
        shutil.copytree(recorded, home / "rounds" / name)

    assert [path.parent.name for path in ledgers_of(home / "ledger.jsonl")] == ["run", "2"]
    with pytest.raises(ConformanceError, match="no recorded run"):
        ledgers_of(Path("x" * 5_000))


@pytest.mark.parametrize(
    ("rule", "verdicts", "expected"),
    [
        ("chat.turns.reach-model", "FPP", Verdict.PASS),
        ("chat.turns.reach-model", "FFP", Verdict.FAIL),
        ("chat.turns.reach-model", "FP", Verdict.FAIL),
        ("chat.turns.reach-model", "?", Verdict.INCONCLUSIVE),
        ("chat.id.prefix", "PPF", Verdict.FAIL),
        ("chat.id.prefix", "?PP", Verdict.PASS),
    ],
)
def test_chance_in_one_round_of_three_is_no_breach(rule: str, verdicts: str, expected: Verdict):
    from conformance.comparison.siding import _folded  # noqa: PLC0415 - a relay of chance would be slow

    known = {"F": Verdict.FAIL, "P": Verdict.PASS, "?": Verdict.INCONCLUSIVE}
    key = Key(rule, "chat")
    rounds = [{key: outcome(key, known[each])} for each in verdicts]
    folded = _folded(rounds)[key]

    assert folded.verdict is expected
    assert bool(folded.signs) is (expected is Verdict.FAIL)
    assert not folded.waived
    waived = [{key: replace(each[key], waived=each[key].broken)} for each in rounds]
    assert _folded(waived)[key].waived is (expected is Verdict.FAIL)


def test_a_summary_in_markdown_still_reads_well():
    text = markdown_text(pair())

    assert "| requirement | operation | `Alpha` | `Beta` |" in text
    assert "| `chat.usage.adds-up`: " in text
