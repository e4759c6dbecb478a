"""The gate from the command line: baseline, diff, vet --baseline, --repeat, --only-failed and --waivers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance import cli
from conformance.contract import schema_errors
from conformance.ledger import read_ledger
from conformance.model import Auth
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay

Run = Callable[..., tuple[int, str, str]]
FAULT = "n-ignored"
TRIPS = {"chat.choices.count", "chat.stream.choices-separable"}
ONLY = ("--only", "chat.choices", "--only", "chat.stream.choices-separable", "--only", "chat.usage")


@pytest.fixture(scope="module")
def relay() -> Iterator[BackgroundRelay]:
    with BackgroundRelay() as server:
        yield server


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command in this process, in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELAY_API_KEY", DEFAULT_KEY)

    def called(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["relay-conformance", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return called


@pytest.fixture(scope="module")
def recorded(relay: BackgroundRelay, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of some rules: `good` of three rounds, `bad` with a fault, `baseline.json` of the good one."""
    folder = tmp_path_factory.mktemp("gate")
    patch = pytest.MonkeyPatch()
    patch.setenv("RELAY_API_KEY", DEFAULT_KEY)
    for name, url, more in (
        ("good", relay.base_url, ("--repeat", "3")),
        ("bad", relay.variant(f"fault/{FAULT}"), ()),
    ):
        vet = ("vet", url, "--model", DEFAULT_MODEL, *ONLY, "--out", str(folder / name), *more)
        patch.setattr(sys, "argv", ["relay-conformance", *vet])
        with pytest.raises(SystemExit):
            cli.main()
    patch.setattr(
        sys, "argv", ["relay-conformance", "baseline", str(folder / "good"), "-o", str(folder / "baseline.json")]
    )
    with pytest.raises(SystemExit):
        cli.main()
    patch.undo()
    return folder


@pytest.fixture
def runs(recorded: Path, tmp_path: Path) -> Path:
    """The same, in a folder that may be changed."""
    shutil.copytree(recorded, tmp_path, dirs_exist_ok=True)
    return tmp_path


def changes(folder: Path, kind: str) -> set[str]:
    document = json.loads((folder / "diff.json").read_text())
    assert schema_errors("formats/diff.json", document) == []
    return {each["rule"] for each in document["changes"] if each["kind"] == kind}


def test_rounds_have_folders_and_reports_of_their_own(runs: Path) -> None:
    for folder in (runs / "good", runs / "good" / "rounds" / "2", runs / "good" / "rounds" / "3"):
        assert {"ledger.jsonl", "report.html", "results.json"} <= {path.name for path in folder.iterdir()}
    rounds = [read_ledger(path) for path in sorted((runs / "good").rglob("ledger.jsonl"))]
    assert rounds[0].plan == rounds[1].plan == rounds[2].plan
    assert len(json.loads((runs / "baseline.json").read_text())["recorded"]) == 3


@pytest.mark.parametrize("before", ["baseline.json", "good", "good/ledger.jsonl"])
def test_a_fault_is_worse_and_the_run_itself_is_not(run: Run, runs: Path, before: str) -> None:
    code, out, _ = run("diff", before, "bad")

    assert code == 1
    assert changes(runs / "bad", "worse") == TRIPS
    assert "pass -> fail" in out
    assert "report.html#chat.choices.count--chat" in out
    assert "expected: [0, 1]   actual: [0]" in out
    assert run("diff", before, "good", "--out", "told")[0] == 0
    assert (runs / "told" / "diff.md").read_text().startswith("## Nothing got worse.")


def test_what_is_mended_is_better(run: Run, runs: Path) -> None:
    assert run("diff", "bad", "good")[0] == 0
    assert changes(runs / "good", "better") == TRIPS


def test_a_baseline_is_replaced_only_on_demand_and_says_what_changes(run: Run, runs: Path) -> None:
    before = (runs / "baseline.json").read_bytes()

    code, _, err = run("baseline", "bad", "-o", "baseline.json")
    assert code == 2
    assert "--update" in err
    assert (runs / "baseline.json").read_bytes() == before
    code, out, _ = run("baseline", "bad", "-o", "baseline.json", "--update")
    assert code == 0
    assert "2 checks got worse" in out
    assert run("diff", "baseline.json", "bad")[0] == 0
    assert run("baseline", "good", "-o", "new.json", "--update")[0] == 0
    assert (runs / "new.json").read_bytes() == before


TOML = 'format = 1\n[[waivers]]\nrule = "{}"\nreason = "known"\nowner = "me"\nuntil = {}\n'


@pytest.mark.parametrize(("until", "code", "kind"), [("2999-01-01", 0, "waived"), ("2001-01-01", 1, "worse")])
def test_waivers_hold_until_they_end(run: Run, runs: Path, until: str, code: int, kind: str) -> None:
    text = "".join(TOML.format(rule, until).removeprefix("format = 1\n") for rule in sorted(TRIPS))
    (runs / "waivers.toml").write_text("format = 1\n" + text)

    found, told, _ = run("diff", "baseline.json", "bad", "--waivers", "waivers.toml")
    assert found == code
    assert changes(runs / "bad", kind) == TRIPS
    document = json.loads((runs / "bad" / "diff.json").read_text())
    assert {each["rule"] for each in document["waivers"]} == TRIPS
    assert {each["waiver"]["until"] for each in document["changes"] if each["kind"] == "waived"} <= {until}
    line = f"waived until {until} by me: known" if code == 0 else f": the waiver ended on {until} (me: known)"
    for text in (told, (runs / "bad" / "diff.md").read_text()):
        assert text.count(line) == len(TRIPS)
    code_of_judge, out, _ = run("judge", "bad", "--waivers", "waivers.toml")
    assert code_of_judge == code
    assert ("WAIVED" if code == 0 else "WAIVER ENDED") in out
    assert json.loads((runs / "bad" / "results.json").read_text())["waived"] == (0 if code else 2)


def test_a_wrong_waiver_is_said_before_anything_is_sent(run: Run, relay: BackgroundRelay, runs: Path) -> None:
    (runs / "w.toml").write_text(TOML.format("chat.choice.count", "2999-01-01"))

    code, _, err = run("vet", relay.base_url, "--model", DEFAULT_MODEL, "--waivers", "w.toml", "--out", "none")

    assert code == 2
    assert "did you mean 'chat.choices.count'" in err
    assert not (runs / "none").exists()


def test_vet_is_held_to_a_baseline(run: Run, relay: BackgroundRelay, runs: Path) -> None:
    for name, url, code in (("a", relay.base_url, 0), ("b", relay.variant(f"fault/{FAULT}"), 1)):
        found, out, _ = run(
            "vet", url, "--model", DEFAULT_MODEL, *ONLY, "--baseline", "baseline.json", "--out", name, "--repeat", "2"
        )
        assert found == code
        assert changes(runs / name, "worse") == (TRIPS if code else set())
        assert "rounds/2: " + ("fail" if code else "pass") in out
    found, _, err = run("vet", relay.base_url, "--model", DEFAULT_MODEL, "--baseline", "none.json", "--out", "c")
    assert found == 2
    assert "none.json" in err


def test_one_ceiling_holds_for_all_rounds(run: Run, relay: BackgroundRelay, runs: Path) -> None:
    planned = len(read_ledger(runs / "good" / "ledger.jsonl").plan)
    vet = ("vet", relay.base_url, "--model", DEFAULT_MODEL, *ONLY, "--repeat", "4", "--out", "cap")

    code, _, err = run(*vet, "--max-requests", str(2 * planned))

    assert f"{planned} requests in each of 4 rounds" in err
    assert "the limits are reached: 2 of 4 rounds were sent" in err
    assert code == 0
    assert sum(len(read_ledger(path).exchanges) for path in (runs / "cap").rglob("ledger.jsonl")) == 2 * planned
    # Resumed with more room, only what is missing is sent.
    code, _, err = run(*vet, "--resume")
    assert f"{2 * planned} of {4 * planned} requests are recorded" in err
    assert "round 4 of 4" in err
    assert "round 2 of 4" not in err
    assert len(list((runs / "cap").rglob("ledger.jsonl"))) == 4
    assert run(*vet[:-4], "--resume", "--out", "cap")[0] == 0


def test_an_interrupted_round_is_the_one_that_is_continued(run: Run, relay: BackgroundRelay, runs: Path) -> None:
    torn = runs / "good" / "rounds" / "2" / "ledger.jsonl"
    lines = torn.read_bytes().splitlines(keepends=True)
    torn.write_bytes(b"".join(lines[:-4]))

    code, out, _ = run("diff", "baseline.json", "good")
    assert code == 6
    assert "not whole: interrupted" in out
    assert run("baseline", "good", "-o", "b.json")[0] == 2
    code, _, err = run("vet", relay.base_url, "--model", DEFAULT_MODEL, "--resume", "--out", "good")
    assert code == 0
    assert "round 2 of 3" in err
    assert "round 3 of 3" not in err
    assert run("diff", "baseline.json", "good")[0] == 0


def test_a_run_that_its_preflight_stopped_is_no_baseline_and_no_regression(run: Run, runs: Path) -> None:
    dead = ("vet", "http://127.0.0.1:9/v1", "--model", DEFAULT_MODEL, *ONLY, "--repeat", "3", "--out", "dead")

    code, out, err = run(*dead, "--baseline", "baseline.json")

    assert code == 6
    assert "not whole: ended early" in out
    assert changes(runs / "dead", "worse") == set()
    assert "round 2" not in err
    for wrong in (("baseline", "dead", "-o", "d.json"), ("diff", "dead", "good")):
        code, _, err = run(*wrong)
        assert code == 2
        assert "ended early" in err


def test_only_what_failed_is_sent_again(run: Run, relay: BackgroundRelay, runs: Path) -> None:
    again = ("vet", relay.base_url, "--model", DEFAULT_MODEL, "--only-failed", "bad", "--out", "again")

    code, _, err = run(*again)

    ledger = read_ledger(runs / "again" / "ledger.jsonl")
    assert code == 0
    assert set(ledger.rules) == TRIPS
    sent = {case.id for case in ledger.plan}
    assert sent == {"models.list/list", "chat/minimal", "chat/two-choices", "chat.stream/two-choices"}
    assert "2 checks failed or could not be judged; they rest on 4 of " in err
    code, out, _ = run(*again[:-3], "again", "--out", "third")
    assert (code, out.strip()) == (0, "nothing failed in again: nothing is sent")
    assert not (runs / "third").exists()


@pytest.fixture
def leaky(run: Run, relay: BackgroundRelay, runs: Path) -> Path:
    """A run in which the relay takes any key, and `n` is ignored."""
    url = relay.variant(f"fault/{FAULT}+wrong-key-answered")
    keys = ("--only", "auth", "--only", "chat.choices")
    assert run("vet", url, "--model", DEFAULT_MODEL, *keys, "--out", "leaky")[0] == 1
    return runs / "leaky"


def test_without_a_key_nothing_that_failed_about_keys_is_sent_again(
    run: Run, relay: BackgroundRelay, leaky: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = {
        each["rule"]
        for each in json.loads((leaky / "results.json").read_text())["judgements"]
        if each["verdict"] == "fail"
    }
    assert {"chat.choices.count", "auth.wrong-key.401"} <= failed
    again = ("vet", relay.base_url, "--model", DEFAULT_MODEL, "--only-failed", "leaky", "--out")

    run(*again, "with-key")
    monkeypatch.delenv("RELAY_API_KEY")
    run(*again, "without", "--no-key")

    planned = {
        name: {case.auth for case in read_ledger(Path(name) / "ledger.jsonl").plan} for name in ("with-key", "without")
    }
    assert len(planned["with-key"]) > 1
    assert planned["without"] == {Auth.KEY}


def test_where_only_keys_failed_and_none_is_used_nothing_is_sent(run: Run, relay: BackgroundRelay, runs: Path) -> None:
    vet = (
        "vet",
        relay.variant("fault/wrong-key-answered"),
        "--model",
        DEFAULT_MODEL,
        "--only",
        "auth",
        "--out",
        "keys",
    )
    assert run(*vet)[0] == 1

    code, _, err = run(*vet[:4], "--only-failed", "keys", "--no-key", "--out", "none")

    assert code == 2
    assert "needs a key" in err
    assert not (runs / "none").exists()


@pytest.mark.parametrize("option", [("--resume",), ("--only", "chat"), ("--generated", "3")])
@pytest.mark.usefixtures("runs")
def test_what_else_says_what_to_send_excludes_it(run: Run, option: tuple[str, ...]) -> None:
    vet = ("vet", "http://127.0.0.1:9/v1", "--model", "m", "--only-failed", "bad", "--out", "bad", *option)

    code, _, err = run(*vet)

    assert code == 2
    assert "exclude each other" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("baseline", "good", "good", "-o", "x.json"), "given twice"),
        (("baseline", "good", "bad", "-o", "x.json"), "not rounds of the same"),
        (("baseline", "none", "-o", "x.json"), "No such file"),
        (("baseline", ".", "-o", "x.json"), "No such file"),
        (("baseline", "good", "-o", "good"), "is a directory"),
        (("baseline", "good", "-o", ""), "is a folder"),
        (("diff", "baseline.json", "none"), "No such file"),
        (("diff", "none.json", "good"), "cannot be read"),
        (("diff", "bad/results.json", "good"), "no baseline"),
        (("diff", "baseline.json", "good", "--waivers", "none.toml"), "cannot be read"),
        (("diff", "baseline.json", "copy/a", "copy/b"), "is a copy of the first run"),
        (("diff", "baseline.json", "good", "other"), "was planned for"),
        (("diff", "baseline.json", *(f"r{number}" for number in range(101))), "101 rounds are too many"),
    ],
)
def test_what_makes_no_sense_is_said(run: Run, runs: Path, arguments: tuple[str, ...], said: str) -> None:
    for name in ("a", "b"):
        (runs / "copy" / name).mkdir(parents=True)
        shutil.copy(runs / "bad" / "ledger.jsonl", runs / "copy" / name)
    text = (runs / "good" / "ledger.jsonl").read_text()
    (runs / "other").mkdir()
    (runs / "other" / "ledger.jsonl").write_text(text.replace('"chat.usage"]', '"chat.id"]', 1))

    code, out, err = run(*arguments)

    assert code == 2
    assert out == ""
    assert said in err
    assert "hint: " in err


def test_a_narrower_run_and_a_changed_request_are_compared_on_what_is_common(
    run: Run, relay: BackgroundRelay, runs: Path
) -> None:
    narrow = ("vet", relay.base_url, "--model", DEFAULT_MODEL, "--only", "chat.choices", "--out", "narrow")
    for before in ("baseline.json", "good"):
        shutil.rmtree(runs / "narrow", ignore_errors=True)
        code, out, _ = run(*narrow, "--baseline", before)
        assert code == 0
        assert "compared only on the" in out
        assert "this run looked at these rules only: chat.choices" in out
        assert " not looked at" in out
    ledger = runs / "good" / "ledger.jsonl"
    shutil.rmtree(runs / "good" / "rounds")
    header, *rest = ledger.read_text().splitlines(keepends=True)
    plan = json.loads(header)
    for case in plan["plan"]:
        if "two-choices" in case["id"]:
            case["body"]["messages"][0]["content"] += " again"
    ledger.write_text(json.dumps(plan) + "\n" + "".join(rest))
    for before in ("baseline.json", "bad"):
        assert run("diff", before, "good")[0] == 2
        assert "chat.stream.choices-separable" in changes(runs / "good", "stale")


@pytest.mark.usefixtures("runs")
def test_a_closed_pipe_changes_no_verdict(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise BrokenPipeError

    hushed: list[bool] = []
    monkeypatch.setattr("conformance.commands.gate.echo", broken)
    monkeypatch.setattr("conformance.commands.gate.hush", lambda: hushed.append(True))

    assert run("diff", "baseline.json", "bad")[0] == 1
    assert hushed == [True]


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(("arguments", "code"), [(("diff", "baseline.json", "bad"), 1), (("diff", "bad", "good"), 0)])
def test_where_nothing_can_be_printed_the_verdict_stays(arguments: tuple[str, ...], code: int, tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m conformance {' '.join(arguments)} >&-"

    ended = subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False, stderr=subprocess.PIPE)

    assert (ended.returncode, ended.stderr) == (code, b"")
