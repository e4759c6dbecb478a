"""Recorded runs side by side: what they have in common, whose fault a breach is, and how much memory that takes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import compare
from conformance.comparison.charging import charge
from conformance.comparison.comparing import unique
from conformance.comparison.files import write_files
from conformance.comparison.nouns import Charge
from conformance.comparison.purposes import Fit, suited
from conformance.errors import ConformanceError
from conformance.model import Limits, Provider, Severity, Verdict
from conformance.outcomes import Outcome
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay
from conformance.send import Job, record_all

SECRETS = Secrets({"RELAY_API_KEY": DEFAULT_KEY})
FEW = ("chat.usage", "chat.id", "auth")


def job(folder: Path, url: str, only: tuple[str, ...] = FEW, key: str = DEFAULT_KEY) -> Job:
    secrets = Secrets({"RELAY_API_KEY": key})
    provider = Provider(url, DEFAULT_MODEL, name=folder.name)
    return Job(tuple(plan(only)), provider, folder / "ledger.jsonl", secrets, Limits(), only)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An honest relay, one with a fault, one with that and another, and a narrower run."""
    folder = tmp_path_factory.mktemp("runs")
    with BackgroundRelay() as server:
        jobs = [
            job(folder / "honest", server.base_url),
            job(folder / "one", server.variant("fault/usage-sum-wrong")),
            job(folder / "two", server.variant("fault/usage-sum-wrong+id-foreign")),
            job(folder / "narrow", server.variant("fault/id-foreign"), ("chat.id",)),
            job(folder / "few", server.variant("fault/usage-sum-wrong+id-foreign"), ("chat.id.prefix", "models")),
            job(folder / "refused", server.base_url, key="sk-not-the-key-of-this-relay"),
        ]
        assert record_all(jobs, in_flight=3) == [None] * len(jobs)
    return folder


def test_a_difference_is_what_sides_were_judged_on(runs: Path):
    found = compare([runs / "honest", runs / "one", runs / "two"])
    assert found.names == ("honest", "one", "two")
    rules = {each.key.rule for each in found.differences}
    assert "chat.usage.adds-up" in rules
    assert "chat.id.prefix" in rules
    assert not found.partial
    assert found.alike > 0


def test_the_yardstick_takes_what_it_shows_too(runs: Path):
    found = compare([runs / "one", runs / "two"], control="one")
    assert found.charged["two"][Charge.UPSTREAM] > 0
    assert found.charged["two"][Charge.RELAY] > 0
    charges = {each.key.rule: each.charges for each in found.differences}
    assert charges["chat.id.prefix"] == {"two": Charge.RELAY}


def test_narrower_runs_are_compared_on_the_common_part(runs: Path):
    found = compare([runs / "honest", runs / "narrow" / "ledger.jsonl"])
    assert found.partial
    assert found.narrowed
    assert found.left_out["honest"] > 0 == found.left_out["narrow"]
    assert {each.key.rule.rpartition(".")[0] for each in found.differences} == {"chat.id"}
    assert {key.rule.rpartition(".")[0] for side in found.sides for key in side.outcomes} == {"chat.id"}


def test_a_run_that_stopped_differs_in_nothing(runs: Path):
    found = compare([runs / "honest", runs / "refused"], control="refused")
    assert found.sides[1].stop is not None
    assert found.differences == ()
    assert found.charged == {"honest": dict.fromkeys(Charge, 0)}
    assert all(row.answers["refused"].fit is Fit.UNKNOWN for row in suited(found))


def test_what_is_good_for_what_follows_from_verdicts(runs: Path):
    rows = {row.purpose.name: row.answers for row in suited(compare([runs / "honest", runs / "one"]))}
    assert rows["billing"]["honest"].fit is Fit.YES
    assert rows["billing"]["one"].fit is Fit.BROKEN
    assert "chat.usage.adds-up" in {key.rule for key in rows["billing"]["one"].because}
    assert rows["keys"]["one"].fit is Fit.YES


def test_rounds_of_a_run_count_together(runs: Path, tmp_path: Path):
    shutil.copytree(runs / "honest", tmp_path / "honest")
    for number in ("2", "10"):
        shutil.copytree(runs / "one", tmp_path / "honest" / "rounds" / number)
    alone, repeated = compare([runs / "honest", tmp_path / "honest"]).sides
    assert (alone.repeats, repeated.repeats) == (1, 3)
    assert repeated.name == "honest (2)"
    assert repeated.spent.requests > alone.spent.requests
    assert repeated.reliability.asked == 3 * alone.reliability.asked
    assert repeated.verdict == "fail"


@pytest.mark.parametrize(
    ("verdict", "signs", "expected"),
    [
        (None, "", Charge.UNKNOWN),
        (Verdict.INCONCLUSIVE, "", Charge.UNKNOWN),
        (Verdict.PASS, "", Charge.RELAY),
        (Verdict.FAIL, "ab", Charge.UPSTREAM),
        (Verdict.FAIL, "a", Charge.BOTH),
        (Verdict.WARN, "c", Charge.RELAY),
    ],
)
def test_whom_a_breach_is_charged_to(verdict: Verdict | None, signs: str, expected: Charge):
    broken = Outcome("r", "chat", Severity.MUST, Verdict.FAIL, waived=False, signs=frozenset("ab"), exchanges=())
    control = replace(broken, verdict=verdict, signs=frozenset(signs)) if verdict is not None else None
    assert charge(broken, control) is expected


@pytest.mark.parametrize(
    ("verdict", "expected"), [(Verdict.PASS, Charge.UNKNOWN), (Verdict.WARN, Charge.UPSTREAM)], ids=["luck", "both"]
)
def test_what_a_model_happens_to_say_is_not_charged_to_the_relay(verdict: Verdict, expected: Charge):
    broken = Outcome(
        "chat.tool-calls.arguments-json",
        "chat",
        Severity.MUST,
        Verdict.FAIL,
        waived=False,
        signs=frozenset("a"),
        exchanges=(),
    )
    assert charge(broken, replace(broken, verdict=verdict)) is expected


def test_files_are_the_same_each_time(runs: Path, tmp_path: Path):
    paths = [runs / "honest", runs / "two"]
    first = {name: path.read_bytes() for name, path in write_files(compare(paths), tmp_path / "a").items()}
    again = {name: path.read_bytes() for name, path in write_files(compare(paths), tmp_path / "b").items()}
    assert first == again
    assert set(first) == {"compare.html", "compare.json", "compare.md", "compare.csv"}
    assert "chat.id.prefix" in first["compare.md"].decode()
    assert len(first["compare.csv"].decode().splitlines()) == 1 + 2 * len(
        json.loads(first["compare.json"])["sides"][0]["outcomes"]
    )


def test_what_cannot_be_compared_is_said(runs: Path, tmp_path: Path):
    (tmp_path / "ledger.jsonl").write_text("{}\n")
    for paths, control in (
        ([runs / "honest"], ""),
        ([runs / "honest", tmp_path / "none"], ""),
        ([runs / "honest", tmp_path], ""),
        ([runs / "honest", runs / "one"], "onee"),
    ):
        with pytest.raises(ConformanceError) as raised:
            compare(paths, control=control)
        assert raised.value.hint


def test_names_are_made_unique():
    assert unique(["a", "b", "a", "a (2)", "a"]) == ["a", "b", "a (2)", "a (2) (2)", "a (3)"]


def test_memory_stays_bounded(runs: Path):
    code = (
        "import sys, resource; from pathlib import Path; from conformance import compare;"
        "compare([Path(sys.argv[1]), Path(sys.argv[2])] * (int(sys.argv[3]) // 2));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    few, many = (
        int(
            subprocess.run(
                [sys.executable, "-c", code, runs / "narrow", runs / "few", count], capture_output=True, check=True
            ).stdout
        )
        for count in ("10", "100")
    )
    assert many < 1.5 * few
