"""Every fault of the reference relay trips exactly the rules that it says it trips, and every rule is tripped."""

from __future__ import annotations

import asyncio

import pytest

from conformance import relay
from conformance.contract import data
from conformance.relay.faults.base import GENERATED
from conformance.rules.base import catalogue
from tools.kill_matrix import compute, page, tripped_rules

PAGE = data("fixtures").parent / "docs" / "faults.md"
FAULTS = relay.catalogue()
TRIPS = {name: fault.trips for name, fault in FAULTS.items()}


def wrong(names, seed=0):
    """Faults that do not trip just what they name; a busy machine blurs what is a matter of milliseconds."""
    matrix = {}
    for _ in range(3):
        matrix = compute(names, seed)
        names = [name for name in names if matrix[name] != TRIPS[name]]
    return {name: matrix[name] for name in names}


def test_every_fault_trips_exactly_the_rules_that_it_names():
    # Vetting every fault takes most of a minute, so this is done once, and the other tests go by what faults name.
    assert wrong([name for name, fault in FAULTS.items() if fault.needs != GENERATED]) == {}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_only_generated_requests_find_is_found_whatever_the_seed(seed):
    names = [name for name, fault in FAULTS.items() if fault.needs == GENERATED]
    assert len(names) >= 10
    assert wrong(names, seed) == {}


@pytest.mark.parametrize("name", ["stop-list-with-n-500", "bad-n-500", "top-p-with-temperature-refused"])
def test_what_only_generated_requests_find_is_not_found_without_them(name, tmp_path):
    with relay.BackgroundRelay(relay.create_app(faults=[name])) as background:
        assert asyncio.run(tripped_rules(background.base_url, tmp_path / "ledger.jsonl")) == frozenset()


def test_every_rule_is_tripped_by_a_fault():
    assert set(catalogue()) == frozenset().union(*TRIPS.values())


def test_the_page_of_faults_says_what_they_do():
    written = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    made = page(TRIPS).splitlines()
    assert [line for line in made if line not in written] == [], "run make faults"
    assert written == made, "run make faults"
