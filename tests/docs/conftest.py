"""The relay and the run that commands of the documents find."""

import os
import subprocess
import sys

import pytest

from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay, create_app

FAULTS = ("usage-sum-wrong", "finish-lost")


@pytest.fixture(scope="session")
def relay():
    """A relay of which there is something to say."""
    with BackgroundRelay(create_app(faults=FAULTS)) as background:
        yield background.url


@pytest.fixture(scope="session")
def recorded(relay, tmp_path_factory):
    """A recorded run of it."""
    folder = tmp_path_factory.mktemp("recorded") / "run"
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "vet", relay, "--model", DEFAULT_MODEL, "--out", str(folder)],
        env={**os.environ, "RELAY_API_KEY": DEFAULT_KEY, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return folder
