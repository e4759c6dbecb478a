"""Every fault of the reference relay trips exactly the rules that it says it trips, and every rule is tripped."""

from __future__ import annotations

from conformance import relay
from conformance.contract import data
from conformance.rules.base import catalogue
from tools.kill_matrix import compute, page

PAGE = data("fixtures").parent / "docs" / "faults.md"
FAULTS = relay.catalogue()
TRIPS = {name: fault.trips for name, fault in FAULTS.items()}


def test_every_fault_trips_exactly_the_rules_that_it_names():
    # Vetting every fault takes most of a minute, so this is done once, and the other tests go by what faults name.
    matrix = compute(FAULTS)
    for _ in range(2):
        # Some faults are a matter of milliseconds, which a busy machine blurs. What it never does is invent a finding.
        missed = [name for name, trips in TRIPS.items() if matrix[name] < trips]
        matrix |= compute(missed)
    assert {name: tripped for name, tripped in matrix.items() if tripped != TRIPS[name]} == {}


def test_every_rule_is_tripped_by_a_fault():
    assert set(catalogue()) == frozenset().union(*TRIPS.values())


def test_the_page_of_faults_says_what_they_do():
    written = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    made = page(TRIPS).splitlines()
    assert [line for line in made if line not in written] == [], "run make faults"
    assert written == made, "run make faults"
