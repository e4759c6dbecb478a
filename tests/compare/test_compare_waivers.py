"""Waivers in a comparison: every form names them, and one that has ended is said where the side fails for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from compare.comparisons import ADDS_UP, comparison, outcome, side
from compare.providers_of_tests import providers_file, read, relay, run
from conformance import compare
from conformance.comparison.files import write_files
from conformance.comparison.markdown import markdown_text
from conformance.comparison.nouns import Comparison
from conformance.comparison.page import html_text
from conformance.comparison.page_waivers import MOST
from conformance.comparison.results import results
from conformance.contract import schema_errors
from conformance.model import Limits, Provider, Verdict, Waiver
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay
from conformance.send import Job, record_all

ENDED = Waiver(ADDS_UP.rule, "we wait for a | release", "Ann", "2026-01-31", expired=True)
DAY = 1_800_000_000
"""In seconds: on 2027-01-15."""
IN_FORCE = Waiver("chat.id.prefix", "ticket 4711", "Li", "2099-12-31", "chat")
TOML = 'format = 1\n[[waivers]]\nrule = "{}"\nreason = "we wait"\nowner = "Ann"\nuntil = {}\n'


def with_waivers(*waivers: Waiver) -> Comparison:
    """Beta keeps everything, and these are applied to it."""
    return comparison(side("Alpha", waivers=waivers[1:]), side("Beta", outcome(), waivers=waivers, verdict="fail"))


def test_every_form_names_rule_reason_owner_and_day():
    found = with_waivers(ENDED, IN_FORCE)

    html, markdown, document = html_text(found), markdown_text(found), results(found)

    section = html[html.index('<h2 id="waivers">') : html.index('<h2 id="suited">')]
    for text in ("we wait for a | release", "Ann", "2026-01-31", ADDS_UP.rule, "ticket 4711", "Li", "2099-12-31"):
        assert text in section
    assert section.index("2026-01-31") < section.index("2099-12-31")
    assert "every operation" in section
    assert "所有接口" in section
    line = next(each for each in markdown.splitlines() if "2026-01-31" in each)
    assert "**ended · 已过期**" in line
    assert "Beta" in line
    assert "Alpha" not in line
    assert "`Alpha`, `Beta`" in next(each for each in markdown.splitlines() if "2099-12-31" in each)
    assert schema_errors("formats/comparison.json", document) == []
    assert [each["expired"] for each in document["sides"][1]["waivers"]] == [True, False]
    assert document["sides"][0]["waivers"] == [{**vars(IN_FORCE)}]


def test_the_sentence_of_a_side_says_that_a_waiver_has_ended():
    html = html_text(with_waivers(ENDED))
    assert "Waivers that have ended, which fails this side: 1." in html
    assert "豁免已过期 1 项" in html
    assert "which fails this side" not in html_text(with_waivers(IN_FORCE))


def test_without_waivers_there_is_no_table():
    found = with_waivers()
    assert 'id="waivers"' not in html_text(found)
    assert "## Waivers" not in markdown_text(found)


def test_very_many_waivers_are_not_all_listed():
    found = with_waivers(*(replace(IN_FORCE, reason=f"ticket {number}") for number in range(MOST + 3)))
    assert "3 more are in compare.json." in html_text(found)
    assert "more in compare.json" in markdown_text(found)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An honest relay, and one that counts wrong; the folder may be written into."""
    folder = tmp_path_factory.mktemp("waived")
    with BackgroundRelay() as server:
        for name, url in (("honest", server.base_url), ("wrong", server.variant("fault/usage-sum-wrong"))):
            provider = Provider(url, DEFAULT_MODEL, name=name)
            secrets = Secrets({"RELAY_API_KEY": DEFAULT_KEY})
            only = ("chat.usage.adds-up",)
            job = Job(tuple(plan(only)), provider, folder / name / "ledger.jsonl", secrets, Limits(), only)
            assert record_all([job], in_flight=3) == [None]
    return folder


@pytest.mark.parametrize(
    ("until", "verdicts", "waived"),
    [("2999-01-01", ["pass", "pass"], True), ("2001-01-01", ["fail", "fail"], False)],
    ids=["in-force", "ended"],
)
def test_one_file_counts_for_all_recorded_sides(runs: Path, until: str, verdicts: list[str], waived: bool):
    (runs / "waivers.toml").write_text(TOML.format(ADDS_UP.rule, until))

    done = run(str(runs / "honest"), str(runs / "wrong"), "--waivers", str(runs / "waivers.toml"), "--out", str(runs))

    assert done.returncode == 0, done.stderr
    sides = read(runs / "compare.json")["sides"]
    assert [each["verdict"] for each in sides] == verdicts
    assert [[each["until"] for each in side["waivers"]] for side in sides] == [[until], [until]]
    assert any(each["waived"] for each in sides[1]["outcomes"]) is waived


def test_waivers_can_be_given_by_side(runs: Path, tmp_path: Path):
    found = compare([runs / "honest", runs / "wrong"], waivers={"wrong": (replace(ENDED, expired=False),)})
    assert [len(each.waivers) for each in found.sides] == [0, 1]
    assert found.sides[1].waivers[0].expired
    assert found.sides[1].outcomes[ADDS_UP].verdict is Verdict.FAIL
    assert "we wait for a" in write_files(found, tmp_path)["compare.md"].read_text("utf-8")


def test_a_waiver_that_ended_between_two_rounds_has_ended(runs: Path, tmp_path: Path):
    first = runs / "wrong" / "ledger.jsonl"
    begin, rest = first.read_text("utf-8").split("\n", 1)
    for folder, started in ((tmp_path, DAY), (tmp_path / "rounds" / "2", DAY + 86_400)):
        folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps({**json.loads(begin), "started": float(started)})
        (folder / "ledger.jsonl").write_text(f"{line}\n{rest}", "utf-8")
    waiver = replace(ENDED, until="2027-01-15", expired=False)
    found = compare([runs / "honest", tmp_path], names=["honest", "twice"], waivers=(waiver,))
    assert found.sides[1].repeats == 2
    assert found.sides[1].waivers == (replace(waiver, expired=True),)


def test_a_waiver_for_no_rule_is_refused(runs: Path):
    path = runs / "odd.toml"
    path.write_text(TOML.format("chat.usage.add-up", "2999-01-01"))
    done = run(str(runs / "honest"), str(runs / "wrong"), "--waivers", str(path))
    assert done.returncode == 2
    assert "chat.usage.adds-up" in done.stderr


def test_the_file_counts_for_providers_that_are_vetted_too(tmp_path: Path):
    (tmp_path / "waivers.toml").write_text(TOML.format(ADDS_UP.rule, "2001-01-01"))
    with relay() as server:
        path = providers_file(server, tmp_path, 2)
        only = ("--only", ADDS_UP.rule, "--waivers", str(tmp_path / "waivers.toml"), "--out", str(tmp_path / "out"))
        done = run(str(path), *only)
    assert done.returncode == 0, done.stderr
    document = read(tmp_path / "out" / "compare.json")
    assert [[each["owner"] for each in side["waivers"]] for side in document["sides"]] == [["Ann"], ["Ann"]]
    own = [read(Path(side["folder"]) / "results.json") for side in document["sides"]]
    assert [each["verdict"] for each in own] == ["fail", "fail"]
