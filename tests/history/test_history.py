"""The history page: what broke and when, over runs that are really recorded and then dated."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from report.samples import HOSTILE

from conformance.errors import UsageError
from conformance.history import finding, pages, reading, write_history
from conformance.history.finding import runs_below
from conformance.history.index import open_index
from conformance.history.nouns import Change, Identity, State
from conformance.history.trends import histories
from conformance.model import Verdict
from conformance.outcomes import Key

from .conftest import Write

ID = Key("http.request-id.present", "chat")
JSON = Key("http.body.json", "chat")


@pytest.fixture
def told() -> list[str]:
    return []


def shown(folder: Path, told: list[str]) -> str:
    """The words of the page, without its style and scripts."""
    text = write_history(folder, say=told.append).read_text("utf-8")
    return re.sub(r"<style>.*?</style>|<script>.*?</script>", "", text, flags=re.DOTALL)


def known(folder: Path, told: list[str]):
    write_history(folder, say=told.append)
    with open_index(folder, told.append) as index:
        return histories(index)


def test_a_rule_breaks_and_heals_on_the_days_it_did(write: Write, tmp_path: Path, told: list[str]) -> None:
    for day, kind in enumerate(["good", "good", "good", "twice", "twice", "good"]):
        write(tmp_path / f"run-{day}", kind, day)
    (history,) = known(tmp_path, told)
    turns = [(turn.change, turn.run.path, turn.before, turn.after_runs) for turn in history.turns if turn.key == JSON]

    assert turns == [
        (Change.HEALED, "run-5", State.BROKEN, 2),
        (Change.BROKE, "run-3", State.HOLDS, 3),
    ]
    assert [run.verdict for run in history.runs] == ["pass"] * 3 + ["fail"] * 2 + ["pass"]
    text = shown(tmp_path, told)
    assert "after holding in 3 runs" in text
    assert "此前连续 3 次检测符合要求" in text
    assert re.search(r"http\.body\.json.*?<b>.*?broke.*?2026-09-24", text)


def test_narrowed_runs_leave_gaps_and_heal_nothing(write: Write, tmp_path: Path, told: list[str]) -> None:
    write(tmp_path / "1", "good", 1)
    write(tmp_path / "2", "twice", 2)
    write(tmp_path / "3", "good", 3, rules=("models.list",))
    (history,) = known(tmp_path, told)
    trend = next(trend for trend in history.trends if trend.key == JSON)

    assert trend.states == (State.HOLDS, State.BROKEN, None)
    assert trend.broken
    assert trend.verdict is Verdict.FAIL
    assert [run.narrowed for run in history.runs] == [True, True, True]


def test_interrupted_and_damaged_runs_are_listed_and_change_nothing(
    write: Write, tmp_path: Path, told: list[str]
) -> None:
    write(tmp_path / "1", "good", 1)
    torn = write(tmp_path / "2", "twice", 2)
    torn.write_text(torn.read_text("utf-8").rpartition('{"kind":"footer"')[0], "utf-8")
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "ledger.jsonl").write_text("no ledger\n")
    (history,) = known(tmp_path, told)
    text = shown(tmp_path, told)

    assert (history.turns, history.trends) == ((), ())
    assert [run.verdict for run in history.runs] == ["pass", "fail"]
    assert "interrupted: the record has no end" in text
    assert "line 1 is not JSON" in text or "line 1" in text


def test_a_rule_that_changes_again_and_again_is_flapping(write: Write, tmp_path: Path, told: list[str]) -> None:
    for day in range(6):
        write(tmp_path / f"{day}", "id" if day % 2 else "good", day)
    (history,) = known(tmp_path, told)
    trends = {trend.key: trend for trend in history.trends}

    assert trends[ID].flapping
    assert trends[ID].signs
    assert len(trends[ID].turns) == 5
    assert "after being broken in 1 run" in shown(tmp_path, told)


def answered(path: Path, status: int, error: dict[str, str]) -> None:
    """Every answer of a run was this one."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for line in lines:
        if line["kind"] == "exchange":
            line["response"] = {
                "status": status,
                "headers": [["content-type", "application/json"]],
                "first_byte": 0.1,
                "arrivals": [],
                "body": json.dumps({"error": error}),
            }
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def test_an_overloaded_relay_neither_breaks_nor_heals_anything(write: Write, tmp_path: Path, told: list[str]) -> None:
    for day, kind in enumerate(["down", "good", "down", "twice", "down", "down"]):
        path = write(tmp_path / f"{day}", "good" if kind == "down" else kind, day, name="a")
        if kind == "down":
            answered(path, 503, {"message": "overloaded", "type": "server_error"})
    answered(write(tmp_path / "only", name="b"), 503, {"message": "overloaded", "type": "server_error"})
    by_name = {history.identity.name: history for history in known(tmp_path, told)}
    trend = next(trend for trend in by_name["a"].trends if trend.key == JSON)

    assert trend.states == (None, State.HOLDS, None, State.BROKEN, None, None)
    assert [(turn.change, turn.run.path, turn.after_runs) for turn in trend.turns] == [(Change.BROKE, "3", 1)]
    assert trend.broken
    assert JSON not in {trend.key for trend in by_name["b"].trends}


def test_what_is_no_longer_offered_is_one_change_of_its_operation(
    write: Write, tmp_path: Path, told: list[str]
) -> None:
    write(tmp_path / "1", "good", 1, rules=("completions",))
    path = write(tmp_path / "2", "good", 2, rules=("completions",))
    answered(path, 404, {"message": "Invalid URL (POST)", "type": "invalid_request_error"})
    write(tmp_path / "3", "good", 3, rules=("completions",))
    (history,) = known(tmp_path, told)
    changes = {turn.change for turn in history.turns if turn.key.operation == "completions"}
    text = shown(tmp_path, told)

    assert {Change.DROPPED, Change.OFFERED} <= changes
    assert text.count("is no longer offered") < len([t for t in history.turns if t.change is Change.DROPPED])
    assert re.search(r"\d+ rules</span>", text)
    assert "further rules that went the same way: " in text


def test_rounds_belong_to_the_run_above_and_are_folded(write: Write, tmp_path: Path, told: list[str]) -> None:
    write(tmp_path / "1", "good", 1)
    for number, kind in (("", "twice"), ("rounds/2", "good"), ("rounds/3", "good"), ("rounds/10", "good")):
        write(tmp_path / "2" / number, kind, 2)
    write(tmp_path / "2" / "rounds" / "other", "twice", 2)
    (history,) = known(tmp_path, told)

    assert [(run.path, run.rounds, run.verdict) for run in history.runs] == [("1", 1, "pass"), ("2", 4, "fail")]
    assert {turn.change for turn in history.turns} == {Change.BROKE}, "one breach of a rule without chance is one"
    assert "×4" in shown(tmp_path, told)


def test_a_later_round_that_was_interrupted_is_left_out(write: Write, tmp_path: Path, told: list[str]) -> None:
    write(tmp_path, "good", 1)
    torn = write(tmp_path / "rounds" / "2", "twice", 1)
    torn.write_text(torn.read_text("utf-8").rpartition('{"kind":"footer"')[0], "utf-8")
    (history,) = known(tmp_path, told)

    assert [(run.path, run.rounds, run.verdict) for run in history.runs] == [("", 1, "pass")]


def test_providers_are_told_apart_by_name_address_and_model(write: Write, tmp_path: Path, told: list[str]) -> None:
    write(tmp_path / "1", day=1)
    write(tmp_path / "2", day=2, base_url="http://relay.example")
    write(tmp_path / "3", day=3, name="other")
    write(tmp_path / "4", day=4, model="other")
    identities = [history.identity for history in known(tmp_path, told)]

    assert identities == [
        Identity("relay", "http://relay.example", "other"),
        Identity("other", "http://relay.example", "mock-chat"),
        Identity("relay", "http://relay.example", "mock-chat"),
    ]


def test_links_lead_to_reports_from_wherever_the_page_is(write: Write, tmp_path: Path, told: list[str]) -> None:
    folder = tmp_path / "runs" / 'a "b" #1 javascript:x'
    write(folder)
    (folder / "report.html").write_text("there")
    write(tmp_path / "runs" / "without", day=1)
    text = write_history(tmp_path / "runs", tmp_path / "site" / "h.html", say=told.append).read_text("utf-8")
    links = set(re.findall(r'href="([^"#][^"]*)"', text)) - {"data:,"}

    assert links == {"../runs/a%20%22b%22%20%231%20javascript%3Ax/report.html"}


def test_hostile_text_stays_text(write: Write, tmp_path: Path, told: list[str]) -> None:
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    write(folder, "good", 1, name=HOSTILE, model=HOSTILE)
    write(tmp_path / "2", "twice", 2, name=HOSTILE, model=HOSTILE)
    text = write_history(tmp_path, say=told.append).read_text("utf-8")

    assert "<img" not in text
    assert "<script>alert" not in text
    assert not {"\u202e", "\x1b", "\u2066", "\x00"} & set(text)
    assert "&lt;img src=x" in text


def test_speed_is_drawn_with_its_interval(write: Write, tmp_path: Path, told: list[str]) -> None:
    for day in (1, 2, 4):
        write(tmp_path / f"{day}", day=day, rules=("chat",))
    write(tmp_path / "3", day=3, rules=("models.list",))
    (history,) = known(tmp_path, told)
    text = shown(tmp_path, told)

    course = next(course for course in history.courses if course.operation == "chat.stream")
    assert [speed is None for speed in course.speeds] == [False, False, True, False]
    assert "seconds to first content" in text
    assert '<path class="median" d="M0.5 ' in text
    assert '<path class="band"' in text
    assert re.search(r"[\d.]+ to [\d.]+, \d+ answers", text)


def test_few_answers_have_no_interval(write: Write, tmp_path: Path, told: list[str]) -> None:
    path = write(tmp_path, rules=("chat.stream.incremental",))
    lines = path.read_text("utf-8").splitlines(keepends=True)
    few = [
        line for line in lines if '"case":"chat.stream/' not in line[:60] or re.search(r"/(minimal|usage)", line[:60])
    ]
    path.write_text("".join(few), "utf-8")
    (history,) = known(tmp_path, told)

    assert {speed.low for course in history.courses for speed in course.speeds if speed} == {None}
    assert "too few answers for an interval" in shown(tmp_path, told)


def test_a_profile_that_comes_with_the_package_is_used_and_another_is_not(
    write: Write, tmp_path: Path, told: list[str]
) -> None:
    write(tmp_path / "1", day=1, rules=("chat",), profile="apifox-example", page="another edition")
    write(tmp_path / "2", day=2, rules=("chat",), profile=reading.bundled_profiles()[0], page="")

    assert len(known(tmp_path, told)[0].runs) == 2


def test_an_empty_folder_has_a_page_that_says_so(tmp_path: Path, told: list[str]) -> None:
    assert "No run was found here." in shown(tmp_path, told)


def test_what_is_drawn_is_bounded(
    write: Write, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MOST_PROVIDERS", "MOST_RUNS", "MOST_TURNS", "MOST_TRENDS", "MOST_PROBLEMS"):
        monkeypatch.setattr(pages, name, 1)
    for day in range(4):
        write(tmp_path / f"{day}", "id" if day % 2 else "good", day)
        (tmp_path / f"bad{day}").mkdir()
        (tmp_path / f"bad{day}" / "ledger.jsonl").write_text("{")
    write(tmp_path / "other", name="other")
    text = shown(tmp_path, told)

    assert "Further providers, which are not drawn: 1" in text
    assert "Older runs, counted below and not drawn here: 3." in text
    assert text.count("more.") == 3


def test_what_is_looked_at_is_bounded(
    write: Write, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        write(tmp_path / "deep" / f"{number}")
        write(tmp_path / "deep" / f".hidden{number}")
    monkeypatch.setattr(finding, "MOST_RUNS", 3)
    assert len(runs_below(tmp_path, told.append)) == 3
    monkeypatch.setattr(finding, "MOST_FOLDERS", 4)
    assert len(runs_below(tmp_path, told.append)) == 2
    monkeypatch.setattr(finding, "_DEEPEST", 1)
    assert runs_below(tmp_path, told.append) == []
    assert told == [
        "there are more than 3 runs: the others are left out",
        "there are more than 4 folders: the others are left out",
    ]


def test_a_ledger_that_is_too_large_is_not_read(
    write: Write, tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGEST", 10)
    write(tmp_path)

    assert "more than the 10 that are read" in shown(tmp_path, told)


def test_a_run_that_vanishes_while_it_is_looked_at_is_no_error(write: Write, tmp_path: Path, told: list[str]) -> None:
    write(tmp_path / "1")
    (found,) = runs_below(tmp_path, told.append)
    (tmp_path / "1" / "ledger.jsonl").unlink()
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "ledger.jsonl").symlink_to(tmp_path / "nothing")

    assert "No such file" in reading.read_run(found).problem
    assert runs_below(tmp_path, told.append) == []


@pytest.mark.parametrize(("which", "error"), [("folder", UsageError), ("out", OSError)])
def test_wrong_paths_are_said(tmp_path: Path, told: list[str], which: str, error: type[Exception]) -> None:
    (tmp_path / "file").write_text("x")
    folder, out = (tmp_path / "file", None) if which == "folder" else (tmp_path, tmp_path / "file" / "page.html")

    with pytest.raises(error, match="file"):
        write_history(folder, out, say=told.append)


@pytest.mark.parametrize("providers", [0, 1, 7, 40])
def test_many_providers_share_what_one_page_can_hold(providers: int) -> None:
    most = pages._Most.of(providers)

    assert 0 < most.runs <= pages.MOST_RUNS
    assert providers * most.runs <= 4_000
    assert providers * most.turns <= 1_200
    assert providers * most.trends <= 1_000
    assert 0 < providers * most.courses <= 240 or not providers
