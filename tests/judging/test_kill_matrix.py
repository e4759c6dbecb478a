"""Every fault of the reference relay trips exactly the rules that it says it trips, and every rule is tripped."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import relay
from conformance.rules.base import catalogue
from tools.kill_matrix import compute, page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"

# Vetting every fault takes most of a minute: one worker does it, once.
pytestmark = pytest.mark.xdist_group("kill-matrix")


@pytest.fixture(scope="module")
def matrix() -> dict[str, frozenset[str]]:
    return compute(relay.catalogue())


def test_every_fault_trips_exactly_the_rules_that_it_names(matrix: dict[str, frozenset[str]]):
    surprises = {
        name: {"also": sorted(matrix[name] - fault.trips), "not": sorted(fault.trips - matrix[name])}
        for name, fault in relay.catalogue().items()
        if matrix[name] != fault.trips
    }
    assert surprises == {}


def test_every_rule_is_tripped_by_a_fault(matrix: dict[str, frozenset[str]]):
    assert set(catalogue()) - frozenset().union(*matrix.values()) == set()


def test_no_fault_goes_unnoticed(matrix: dict[str, frozenset[str]]):
    assert [name for name, tripped in matrix.items() if not tripped] == []


def test_the_page_of_faults_says_what_they_do(matrix: dict[str, frozenset[str]]):
    written = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    made = page(matrix).splitlines()
    assert [line for line in made if line not in written] == [], "run make faults"
    assert written == made, "run make faults"
