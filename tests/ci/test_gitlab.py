"""The GitLab example: its script is really run, as GitLab's runner would, in one shell."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from conformance import relay

from .conftest import KEY
from .steps import plain_environment, read


@pytest.mark.parametrize(("which", "code"), [("good", 0), ("faulty", 1)])
def test_the_job_writes_its_artifacts_and_ends_as_the_run_did(
    request: pytest.FixtureRequest, tmp_path: Path, which: str, code: int
) -> None:
    job = read("docs/examples/gitlab-ci.yml")["relay-conformance"]
    variables = {"RELAY_BASE_URL": request.getfixturevalue(which), "RELAY_MODEL": relay.DEFAULT_MODEL}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])],
        cwd=tmp_path,
        env=plain_environment() | variables | {"RELAY_API_KEY": KEY},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code, done.stderr
    reports = job["artifacts"]["reports"]
    issues = json.loads((tmp_path / reports["codequality"]).read_text("utf-8"))
    suites = ET.parse(tmp_path / reports["junit"]).getroot()
    assert bool(issues) is bool(int(suites.get("failures", "0"))) is bool(code)
    assert all((tmp_path / path).exists() for path in job["artifacts"]["paths"])
    assert KEY.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY not in done.stdout + done.stderr


def test_an_address_from_a_variable_is_never_a_command(tmp_path: Path) -> None:
    job = read("docs/examples/gitlab-ci.yml")["relay-conformance"]
    hostile = '--out=x"; touch pwned; $(touch pwned)'
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])],
        cwd=tmp_path,
        env=plain_environment() | {"RELAY_BASE_URL": hostile, "RELAY_MODEL": hostile, "RELAY_API_KEY": KEY},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 2
    assert list(tmp_path.rglob("pwned")) == []
