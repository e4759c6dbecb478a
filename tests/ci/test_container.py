"""The Dockerfile, as far as it can be checked without an engine: by its text.

That the wheel builds and works alone is tested with the package.
"""

from __future__ import annotations

import fnmatch
import re
import tomllib

from .steps import ROOT


def instructions() -> list[tuple[str, str]]:
    """Instruction and arguments, continued lines joined, comments left out."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word.upper(), " ".join(rest.split()))
        for word, _, rest in (s.partition(" ") for s in joined.splitlines())
        if word
    ]


def copied() -> list[str]:
    """What is copied from the checkout."""
    plain = [rest.split()[:-1] for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    return [source.removeprefix("./") for sources in plain for source in sources]


def test_it_has_two_stages_and_only_the_wheel_goes_from_one_to_the_other() -> None:
    assert [rest for word, rest in instructions() if word == "FROM"] == [
        "python:3.13-slim AS build",
        "python:3.13-slim",
    ]
    assert [rest for word, rest in instructions() if "--from" in rest] == ["--from=build /wheels /wheels"]


def test_everything_that_is_copied_is_there_is_in_the_source_package_and_is_not_ignored() -> None:
    packaged = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
    patterns = [*packaged["sdist"]["include"], "pyproject.toml"]
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]

    assert copied()
    assert [name for name in copied() if not (ROOT / name).exists()] == []
    assert [name for name in copied() if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)] == []
    assert sorted(copied()) == sorted(let_in)


def test_the_wheel_needs_nothing_that_is_not_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        *wheel["packages"],
        *wheel["force-include"],
        project["project"]["readme"],
        *project["project"]["license-files"],
    }

    assert needed <= set(copied())


def test_it_runs_as_nobody_special_in_the_mounted_folder() -> None:
    final = instructions()[[word for word, _ in instructions()].index("FROM", 1) :]
    said = dict(final)

    assert said["USER"] == "tester"
    assert said["WORKDIR"] == "/work"
    assert said["ENTRYPOINT"] == '["relay-conformance"]'
    assert "relay-conformance" in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert [word for word, _ in final].index("RUN") < [word for word, _ in final].index("USER")


def test_no_layer_holds_a_key() -> None:
    assert {word for word, _ in instructions()} <= {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD"}
    assert not re.search(r"API_KEY|--mount|sk-", " ".join(rest for _, rest in instructions()))
    assert (ROOT / ".dockerignore").read_text("utf-8").splitlines()[1] == "*"
