"""An honest relay never gets worse, however unsteady the network; a planted fault is reported for what it is."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from conformance import relay
from conformance.relay.faults.base import GENERATED
from tools import gate_repeats


def test_an_honest_relay_does_not_get_worse() -> None:
    found = asyncio.run(gate_repeats.repeat(3, 0.01, 0.02, ["chat.choices", "chat.usage", "auth", "chat.stream"]))

    assert not found.worse
    assert set(found.codes) <= {0, 6}
    assert found.codes.total() == 3
    assert found.together.total() == 1


PLAIN = sorted(name for name, fault in relay.catalogue().items() if fault.needs != GENERATED)
SAMPLE = PLAIN[:: len(PLAIN) // 12]


def test_planted_faults_are_reported_as_the_rules_they_break() -> None:
    found = gate_repeats.plant(SAMPLE)

    assert [each.name for each in found] == SAMPLE
    assert [each for each in found if each.missed or each.beside] == []


@pytest.mark.parametrize("name", ["n-ignored"])
def test_the_tool_says_how_many_were_as_declared(name: str) -> None:
    command = [sys.executable, "-m", "tools.gate_repeats", "faults", name]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert "1 exactly as declared" in done.stdout
