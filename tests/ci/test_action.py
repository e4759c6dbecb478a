"""The GitHub Action: its steps are really run, against a good and a faulty relay, with what users may give."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance import relay

from .conftest import KEY
from .steps import PROGRAM, ROOT, Action, Job, plain_environment, read

PWN = "$(touch pwned)`touch pwned`\"; touch pwned; ' || touch pwned; ${{ github.token }} %0A::error::pwned"
MODEL = relay.DEFAULT_MODEL


@pytest.fixture
def action(tmp_path: Path) -> Action:
    return Action(tmp_path)


@pytest.fixture(scope="module")
def passed(good: str, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A job whose relay is as it should be."""
    return Action(tmp_path_factory.mktemp("passed")).run(
        base_url=good, model=MODEL, key=KEY, name="nightly", only="models"
    )


@pytest.fixture(scope="module")
def failed(faulty: str, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A job whose relay breaks a MUST, and repeats the key."""
    return Action(tmp_path_factory.mktemp("failed")).run(base_url=faulty, model=MODEL, key=KEY, only="models")


def test_a_good_relay_passes_with_summary_badge_and_outputs(passed: Job) -> None:
    job = passed

    assert job.code == 0, job.output
    assert job.outputs["vet"]["verdict"] == "pass"
    assert job.outputs["vet"]["exit-code"] == "0"
    assert Path(job.outputs["vet"]["report"]).is_file()
    assert job.summary.startswith("## ✓ Conforms")
    assert "`nightly`" in job.summary
    assert job.printed["Annotate"].startswith("::notice title=relay-conformance::nightly: ")
    assert "::error" not in job.printed["Annotate"]
    assert json.loads(Path(job.outputs["badge"]["badge"]).read_text("utf-8"))["message"] == "conforms"
    assert (job.folder / "badge.svg").is_file()


def test_a_faulty_relay_fails_after_everything_was_written(failed: Job) -> None:
    job = failed

    assert job.code == 1
    assert job.outputs["vet"] == job.outputs["vet"] | {"verdict": "fail", "exit-code": "1"}
    assert "`models.list.compat`" in job.summary
    assert "::error title=MUST models.list.compat on models.list::" in job.printed["Annotate"]
    assert "MUST broken" in Path(job.outputs["badge"]["badge"]).read_text("utf-8")


def test_the_key_is_nowhere_but_in_the_line_that_masks_it(failed: Job) -> None:
    job = failed

    assert job.printed["Vet the relay"].count(KEY) == 1
    assert job.printed["Vet the relay"].startswith(f"::add-mask::{KEY}\n")
    assert KEY not in "".join(text for name, text in job.printed.items() if name != "Vet the relay")
    secrets = [KEY.encode(), base64.b64encode(KEY.encode())]
    assert [path for path in job.files if any(secret in path.read_bytes() for secret in secrets)] == []


def test_what_the_relay_says_is_printed_while_the_runner_takes_no_orders(passed: Job) -> None:
    printed = passed.printed["Vet the relay"]

    token = re.search(r"^::stop-commands::([0-9a-f]{32})$", printed, re.MULTILINE)
    assert token
    after = printed[token.end() :]
    assert f"\n::{token[1]}::\n" in after
    assert not re.search(r"^\s*::(?!" + token[1] + ")", after, re.MULTILINE)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"model": PWN}, 6),
        ({"key": PWN}, 2),
        ({"base_url": PWN}, 2),
        ({"base_url": "--help"}, 2),
        ({"base_url": ""}, 2),
        ({"profile": PWN}, 2),
        ({"waivers": PWN}, 2),
        ({"baseline": PWN}, 2),
        ({"repeat": PWN}, 2),
        ({"generated": PWN}, 2),
        ({"args": PWN}, 2),
        ({"only": f"models\n{PWN}"}, 2),
        (dict.fromkeys(("name", "badge", "dear", "strict", "upload", "artifact_name", "package"), PWN), 0),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else str(value),
)
def test_what_a_user_gives_is_never_a_command(action: Action, good: str, given: dict[str, str], code: int) -> None:
    job = action.run(**{"base_url": good, "model": MODEL, "key": KEY, "only": "models", **given})

    assert job.code == code, job.output
    assert job.outputs["vet"]["exit-code"] == str(code)
    assert [path for path in job.files if path.name == "pwned"] == []
    assert "\n::error::pwned" not in job.output


def test_nothing_is_written_into_the_summary_where_nothing_was_recorded(action: Action) -> None:
    job = action.run(base_url="no address", model=MODEL, key=KEY)

    assert (job.code, job.summary) == (2, "")
    assert job.outputs["vet"]["verdict"] == "none"
    assert "Annotate" not in job.printed


def test_a_key_is_masked_in_the_escapes_of_the_runner(action: Action, good: str) -> None:
    job = action.run(base_url=good, model=MODEL, key="sk-50%0Aoff", only="models")

    assert job.output.startswith("::add-mask::sk-50%250Aoff\n")


def test_a_key_of_several_lines_ends_it_before_it_is_shown(action: Action, good: str) -> None:
    job = action.run(base_url=good, model=MODEL, key=f"{KEY}\n::stop")

    assert job.code == 2
    assert KEY not in job.output


def test_options_reach_the_run(action: Action, good: str, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.toml"
    waivers.write_text("format = 1\nwaivers = []\n")
    job = action.run(
        base_url=good, model=f"{MODEL}\r\n  embeddings=mock-embedding\r\n", only="  models\r\n\nembeddings.data\t\n",
        dear="true", strict="true", waivers=str(waivers), generated="embeddings=2", repeat="2", key=KEY,
        args=f"--seed\n7\n--out\n{tmp_path / 'elsewhere'}",
    )  # fmt: skip

    assert job.code == 0, job.output
    header = json.loads((job.folder / "ledger.jsonl").read_text("utf-8").partition("\n")[0])
    assert header["provider"]["models"] == {"embeddings": "mock-embedding"}
    assert header["rules"] == ["models", "embeddings.data"]
    assert not (tmp_path / "elsewhere").exists()
    assert any("generated" in case["id"] for case in header["plan"])
    assert (job.folder / "rounds" / "2" / "ledger.jsonl").is_file()


@pytest.fixture
def baseline(tmp_path: Path) -> Callable[[Path], str]:
    """Makes a baseline of a run."""

    def made(run: Path) -> str:
        path = tmp_path / "baseline.json"
        command = [PROGRAM, "baseline", run, "-o", path]
        subprocess.run(command, env=plain_environment(), check=True, capture_output=True)
        return str(path)

    return made


def test_what_got_worse_than_the_baseline_is_an_error_and_comes_first(
    action: Action, run_folder: Path, faulty: str, baseline: Callable[[Path], str]
) -> None:
    job = action.run(base_url=faulty, model=MODEL, key=KEY, only="models", baseline=baseline(run_folder), name="later")

    assert job.code == 1, job.output
    assert job.summary.startswith((job.folder / "diff.md").read_text("utf-8"))
    assert (job.folder / "summary.md").read_text("utf-8") in job.summary
    assert "::error title=MUST models.list.compat on models.list::" in job.printed["Annotate"]


def test_what_was_broken_before_is_but_a_notice(
    action: Action, failed: Job, faulty: str, baseline: Callable[[Path], str]
) -> None:
    job = action.run(base_url=faulty, model=MODEL, key=KEY, only="models", baseline=baseline(failed.folder))

    assert job.code == 0, job.output
    assert job.outputs["vet"]["verdict"] == "fail"
    assert "::error" not in job.printed["Annotate"]
    assert "::warning" not in job.printed["Annotate"]
    assert "::notice title=MUST models.list.compat on models.list::" in job.printed["Annotate"]


def test_a_relay_without_keys_is_asked_without_one(action: Action) -> None:
    with relay.BackgroundRelay(relay.create_app(KEY, faults=("missing-key-answered",))) as background:
        job = action.run(base_url=background.base_url, model=MODEL, only="models")

    assert job.outputs["vet"]["verdict"] in {"pass", "fail"}
    assert "add-mask" not in job.output


def test_no_input_stands_in_the_text_of_a_step() -> None:
    steps = read("action.yml")["runs"]["steps"]

    assert [step["name"] for step in steps if "${{" in step.get("run", "")] == []
    assert all(step["shell"] == "bash" for step in steps if "run" in step)
    assert [name for step in steps for name in step.get("env", {}) if name == "RELAY_API_KEY"] == ["RELAY_API_KEY"]


def test_every_step_is_good_shell_and_every_expression_names_something() -> None:
    definition = read("action.yml")
    ids = {step.get("id") for step in definition["runs"]["steps"]}
    for step in definition["runs"]["steps"]:
        subprocess.run(["bash", "-n"], input=step.get("run", "").encode(), check=True)
    used = re.findall(r"\b(inputs|steps)\.([\w-]+)", (ROOT / "action.yml").read_text("utf-8"))

    assert {name for kind, name in used if kind == "inputs"} == set(definition["inputs"])
    assert {name for kind, name in used if kind == "steps"} <= ids


def test_the_workflow_of_the_docs_gives_inputs_that_there_are() -> None:
    workflow = read("docs/examples/github-workflow.yml")
    inputs = read("action.yml")["inputs"]
    uses = [step for job in workflow["jobs"].values() for step in job["steps"] if "relay-conformance" in step["uses"]]

    assert len(uses) == 2
    for step in uses:
        assert set(step["with"]) <= set(inputs)
        assert {name for name, each in inputs.items() if each.get("required")} <= set(step["with"])
        assert step["with"]["key"] == "${{ secrets.RELAY_API_KEY }}"
