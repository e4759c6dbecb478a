"""Intervals cover what they promise, and the sequential test decides only on enough trials."""

import random
from statistics import median

import pytest

from conformance.intervals import Decision, median_interval, sequential, share_interval


@pytest.mark.parametrize("count", [1, 2, 5])
def test_too_few_values_have_a_median_and_no_interval(count: int) -> None:
    found = median_interval([float(value) for value in range(count)])

    assert found is not None
    assert (found.middle, found.low, found.high, found.count) == ((count - 1) / 2, None, None, count)
    assert not found.enough


def test_nothing_has_no_interval() -> None:
    assert median_interval([]) is None
    assert share_interval(0, 0) is None


def test_six_values_are_the_fewest_with_an_interval() -> None:
    found = median_interval([5, 1, 4, 2, 6, 3])

    assert found is not None
    assert (found.low, found.middle, found.high) == (1, 3.5, 6)


@pytest.mark.parametrize("count", [6, 9, 20, 75])
def test_the_interval_holds_the_median_about_as_often_as_it_says(count: int) -> None:
    draw = random.Random(count)
    held = 0
    for _ in range(1_000):
        found = median_interval([draw.expovariate(1) for _ in range(count)])
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.6931 <= found.high  # the median of that distribution is ln 2

    assert 930 <= held <= 1_000


def test_more_values_make_it_narrower() -> None:
    draw = random.Random(1)
    values = [draw.random() for _ in range(400)]
    few, many = median_interval(values[:10]), median_interval(values)

    assert few is not None
    assert many is not None
    assert few.high - few.low > many.high - many.low
    assert many.middle == median(values)


def test_a_share_of_all_or_none_is_not_certain() -> None:
    none, every = share_interval(0, 20), share_interval(20, 20)

    assert none is not None
    assert every is not None
    assert none.low == pytest.approx(0)
    assert none.high == pytest.approx(0.161, abs=0.001)  # Wilson's interval for 0 of 20
    assert every.low == pytest.approx(1 - none.high)
    assert every.high == pytest.approx(1)


@pytest.mark.parametrize(
    ("trials", "decision"),
    [
        ([], Decision.OPEN),
        ([True], Decision.OPEN),
        ([True, True], Decision.OPEN),
        ([True, True, True], Decision.WORSE),
        ([False], Decision.OPEN),
        ([False, False], Decision.SAME),
        ([True, False, False, False, False], Decision.SAME),
        ([False, True, True, True, True], Decision.WORSE),
        ([True, False, True, False], Decision.OPEN),
    ],
)
def test_a_decision_takes_several_trials(trials: list[bool], decision: Decision) -> None:
    assert sequential(trials) is decision


def test_a_false_alarm_is_as_rare_as_it_says() -> None:
    draw = random.Random(3)
    alarms = sum(sequential(draw.random() < 0.1 for _ in range(20)) is Decision.WORSE for _ in range(5_000))

    assert alarms <= 75  # 1 in 100, and some room for chance
