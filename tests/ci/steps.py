"""Runs what a CI service would run: the `run` steps of a composite action, and the `script` of a GitLab job."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(sys.executable).with_name("relay-conformance")
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def read(path: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


@dataclass
class Job:
    """What a job has left: output by step, files of the runner, the code that it ended with."""

    home: Path
    code: int = 0
    printed: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        return (self.home / "summary").read_text("utf-8")

    @property
    def output(self) -> str:
        return "".join(self.printed.values())

    @property
    def folder(self) -> Path:
        return Path(self.outputs["vet"]["folder"])

    @property
    def files(self) -> list[Path]:
        return [path for path in self.home.rglob("*") if path.is_file()]


class Action:
    """The composite action of this project, its first two steps replaced by what is installed here."""

    def __init__(self, home: Path) -> None:
        self.definition = read("action.yml")
        self.home = home
        self.defaults = {name: str(each.get("default", "")) for name, each in self.definition["inputs"].items()}

    def run(self, **given: str) -> Job:
        inputs = self.defaults | {name.replace("_", "-"): value for name, value in given.items()}
        for name in ("temp", "workspace"):
            (self.home / name).mkdir()
        (self.home / "summary").write_text("")
        job = Job(self.home)
        job.outputs["install"] = {"python": sys.executable, "program": str(PROGRAM)}
        for step in self.definition["runs"]["steps"]:
            if "run" in step and step.get("id") != "install" and job.code == 0 and self._wanted(step, inputs, job):
                self._step(step, inputs, job)
        return job

    def _wanted(self, step: dict[str, Any], inputs: dict[str, str], job: Job) -> bool:
        condition = _EXPRESSION.sub(lambda found: found[1], step.get("if", "true"))
        parts = [re.fullmatch(r"(\S+) (==|!=) '(.*)'", part) for part in condition.split(" && ") if part != "true"]
        return all((lookup(part[1], inputs, job) == part[3]) is (part[2] == "==") for part in parts)

    def _step(self, step: dict[str, Any], inputs: dict[str, str], job: Job) -> None:
        output = self.home / "output"
        output.write_text("")
        given = {
            name: _EXPRESSION.sub(lambda found: lookup(found[1], inputs, job), str(value))
            for name, value in step.get("env", {}).items()
        }
        runner = {
            "RUNNER_TEMP": str(self.home / "temp"),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.home / "summary"),
        }
        # As the runner does it: the text of the step is a file, and nothing is put into it.
        script = self.home / "script.sh"
        script.write_text(step["run"], "utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.home / "workspace",
            env=plain_environment() | runner | given,
            capture_output=True,
            text=True,
            check=False,
        )
        job.printed[step["name"]] = done.stdout + done.stderr
        job.code = done.returncode
        pairs = (line.partition("=") for line in output.read_text("utf-8").splitlines())
        job.outputs[step.get("id", step["name"])] = {name: value for name, _, value in pairs}


def lookup(expression: str, inputs: dict[str, str], job: Job) -> str:
    """The value of `inputs.NAME` or `steps.ID.outputs.NAME`; anything else is no expression of ours."""
    kind, _, name = expression.partition(".")
    if kind == "inputs":
        return inputs[name]
    step, _, value = name.partition(".outputs.")
    assert kind == "steps", expression
    return job.outputs.get(step, {}).get(value, "")


def plain_environment() -> dict[str, str]:
    """Nothing of whoever runs the tests but where programs are."""
    path = os.pathsep.join([str(PROGRAM.parent), os.environ["PATH"]])
    bash = Path(shutil.which("bash") or "/bin/bash").parent
    return {"PATH": f"{path}{os.pathsep}{bash}", "HOME": "/nonexistent", "LANG": "C.UTF-8"}
