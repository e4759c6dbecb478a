"""When a relay counts as slower: never by one sample, never by chance, always when it is."""

from __future__ import annotations

from math import exp
from random import Random

import pytest

from conformance.gating.comparing import compare
from conformance.gating.nouns import Tempo, Timing
from conformance.gating.telling import lines
from conformance.gating.timing import paces
from conformance.gating.words import spoken
from conformance.gating.writing import write_gate

from .records import later, record, timing


def sample(seed: int, low: float = 0.1, high: float = 0.2, count: int = 12) -> list[float]:
    random = Random(seed)
    return [random.uniform(low, high) for _ in range(count)]


def three(first: int, low: float = 0.1, high: float = 0.2, count: int = 12) -> list[list[float]]:
    return [sample(first + number, low, high, count) for number in range(3)]


@pytest.mark.parametrize(
    ("was", "now", "what", "tempo"),
    [
        (three(0), three(10), "first-byte", Tempo.SAME),
        (three(0), three(10, 0.4, 0.5), "first-byte", Tempo.SLOWER),
        (three(0, 0.4, 0.5), three(10), "first-content", Tempo.FASTER),
        (three(0), three(10, 0.4, 0.5), "tokens-per-second", Tempo.FASTER),
        (three(0, 0.4, 0.5), three(10), "tokens-per-second", Tempo.SLOWER),
        (three(0), three(10, 0.12, 0.22), "first-byte", Tempo.SAME),
        (three(0), [*three(10, 0.4, 0.5)[:2], sample(9)], "first-byte", Tempo.SAME),
        (three(0, 0.0, 1.0), three(10, 0.2, 1.2), "first-byte", Tempo.SAME),
        (three(0, count=1), three(10, 0.4, 0.5, count=1), "first-byte", Tempo.UNKNOWN),
        (three(0, count=2), three(10, 0.4, 0.5, count=2), "first-byte", Tempo.SLOWER),
    ],
)
def test_slower_is_what_every_round_and_the_intervals_show(
    was: list[list[float]], now: list[list[float]], what: str, tempo: Tempo
) -> None:
    (found,) = paces(
        record(rounds=3, timings=(timing(*was, what=what),)), later(rounds=3, timings=(timing(*now, what=what),))
    )

    assert found.tempo is tempo
    assert spoken(found)


def test_fewer_than_three_rounds_are_information_only() -> None:
    before = record(rounds=3, timings=(timing(*three(0)),))
    run = later(rounds=2, timings=(timing(*three(10, 5, 6)[:2]),))

    gate = compare(before, run)

    assert gate.exit_code == 0
    assert [pace.tempo for pace in gate.paces] == [Tempo.UNKNOWN]
    assert any("3 rounds needed" in line for line in lines(gate))


def test_another_plan_is_no_measure() -> None:
    before = record(rounds=3, timings=(timing(*three(0)),))
    run = later(rounds=3, timings=(timing(*three(10, 5, 6)),), cases={"chat/minimal": "0" * 12})

    (found,) = paces(before, run)

    assert (found.tempo, found.why) == (Tempo.UNKNOWN, "the run did not plan all requests of the baseline")


def test_what_is_slower_fails_and_is_shown(tmp_path) -> None:
    before = record(rounds=3, timings=(timing(*three(0)), timing(*three(0), what="first-content")))
    run = later(rounds=3, timings=(timing(*three(10, 5, 6)), timing(*three(20), what="first-content")))

    gate = compare(before, run)

    assert gate.exit_code == 1
    assert [pace.what for pace in gate.slower] == ["first-byte"]
    assert any("n=36] s (slower)" in line for line in lines(gate))
    assert "slower" in write_gate(gate, tmp_path)["diff.md"].read_text()
    calm = compare(before, later(rounds=3, timings=(timing(*three(20)),)))
    assert "time: 1 of 1 quantities judged, none slower" in list(lines(calm))


def test_chance_finds_nothing_in_many_comparisons() -> None:
    slower = 0
    for seed in range(0, 6_000, 60):
        before = record(rounds=3, timings=(timing(*three(seed, 0.0, 0.3, 4)),))
        run = later(rounds=3, timings=(timing(*three(seed + 30, 0.0, 0.3, 4)),))
        slower += paces(before, run)[0].tempo is Tempo.SLOWER

    assert slower == 0


def wobbling(random: Random, quantities: int, slower: float) -> tuple[Timing, ...]:
    """Three rounds of values that are close together within a round, and differ from round to round by a fifth."""
    found = []
    for number in range(quantities):
        steps = [random.gauss(0, 0.2) for _ in range(3)]
        rounds = [[slower * 0.2 * exp(step + random.gauss(0, 0.1)) for _ in range(20)] for step in steps]
        found.append(Timing(f"operation {number}", "first-byte", tuple(map(tuple, rounds))))
    return tuple(found)


def test_rounds_that_differ_among_themselves_are_no_trend() -> None:
    random, alarms, noticed = Random(4), 0, 0
    for _ in range(100):
        before = record(rounds=3, timings=wobbling(random, 30, 1))
        found = paces(before, later(rounds=3, timings=wobbling(random, 30, 1)))
        alarms += any(pace.tempo is not Tempo.SAME for pace in found)
        found = paces(before, later(rounds=3, timings=wobbling(random, 30, 3)))
        noticed += sum(pace.tempo is Tempo.SLOWER for pace in found)

    assert alarms <= 4
    assert noticed > 0.8 * 3000


def test_a_quantity_that_wobbles_more_than_others_is_held_to_its_own_rounds() -> None:
    calm = [Timing(f"operation {number}", "first-byte", ((0.2,) * 20,) * 3) for number in range(29)]
    before, after = (
        Timing("chat", "first-byte", tuple(tuple(value + 0.001 * place for place in range(20)) for value in values))
        for values in ((0.1, 0.2, 0.4), (0.6, 1.2, 2.4))
    )

    found = paces(record(rounds=3, timings=(*calm, before)), later(rounds=3, timings=(*calm, after)))

    assert {pace.tempo for pace in found} == {Tempo.SAME}


@pytest.mark.parametrize(
    ("lag", "tempo"), [(0.0, Tempo.SLOWER), (0.01, Tempo.SLOWER), (0.03, Tempo.SAME), (0.06, Tempo.UNKNOWN)]
)
def test_a_rate_may_be_the_machines_own_as_well(lag: float, tempo: Tempo) -> None:
    # Eight tokens, the fewest that make a rate, take 0.16 seconds then and 0.4 seconds now.
    before = record(rounds=3, timings=(timing(*three(0, 49, 51), what="tokens-per-second"),))
    run = later(rounds=3, timings=(timing(*three(10, 19, 21), what="tokens-per-second"),), lag=lag)

    assert paces(before, run)[0].tempo is tempo


def test_times_of_nothing_are_compared_without_a_stumble() -> None:
    for was, now in ((0.0, 1.0), (1.0, 0.0), (0.0, 0.0)):
        for what in ("first-byte", "tokens-per-second"):
            before = record(rounds=3, timings=(timing(*[[was] * 6] * 3, what=what),))
            (found,) = paces(before, later(rounds=3, timings=(timing(*[[now] * 6] * 3, what=what),), lag=0.001))
            assert found.tempo in {Tempo.SAME, Tempo.SLOWER, Tempo.FASTER}


@pytest.mark.parametrize(
    ("lag", "tempo"), [(0.0, Tempo.SLOWER), (0.02, Tempo.SLOWER), (0.035, Tempo.SAME), (0.06, Tempo.UNKNOWN)]
)
@pytest.mark.parametrize("side", ["baseline", "run"])
def test_what_the_machine_itself_may_have_added_is_not_charged(lag: float, tempo: Tempo, side: str) -> None:
    before = record(rounds=3, timings=(timing(*three(0)),), lag=lag if side == "baseline" else 0.0)
    run = later(rounds=3, timings=(timing(*three(10, 0.4, 0.5)),), lag=lag if side == "run" else 0.0)
    (found,) = paces(before, run)

    assert found.tempo is tempo
    assert ("busy" in spoken(found)) is (tempo is Tempo.UNKNOWN)
