"""What is kept of judgements when runs are put side by side."""

import pytest

from conformance.model import Finding, Verdict, Waiver
from conformance.outcomes import CONCLUSIVE, MOST_EXCHANGES, Key, outcomes, sign

from .samples import judgement

KEY = Key("chat.usage.adds-up", "chat")


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (Finding("/choices/0/message"), "/choices/*/message"),
        (Finding("/events/12/choices/3"), "/events/*/choices/*"),
        (Finding("/n2/x"), "/n2/x"),
        (Finding(), "/"),
        (Finding("/usage", deviation="usage-missing"), "usage-missing"),
    ],
)
def test_a_sign_has_no_positions(finding: Finding, expected: str) -> None:
    assert sign(finding) == expected


def test_a_breach_keeps_its_signs_and_cases() -> None:
    findings = tuple(Finding(f"/a/{number}", exchange=f"chat/{number}") for number in range(20))
    found = outcomes([judgement(verdict=Verdict.FAIL, findings=findings)])[KEY]

    assert found.broken
    assert found.signs == {"/a/*"}
    assert found.exchanges == tuple(f"chat/{number}" for number in range(MOST_EXCHANGES))


def test_what_could_not_be_judged_has_no_signs() -> None:
    found = outcomes([judgement(verdict=Verdict.INCONCLUSIVE, findings=(Finding("/a"),))])[KEY]

    assert not found.broken
    assert found.signs == frozenset()
    assert found.exchanges == ("chat/minimal",)


@pytest.mark.parametrize("expired", [False, True])
def test_only_a_waiver_in_force_excuses(expired: bool) -> None:
    waiver = Waiver("chat.usage.adds-up", "known", "ops", "2027-01-01", expired=expired)
    found = outcomes([judgement(verdict=Verdict.FAIL, waiver=waiver)])[KEY]

    assert found.waived is not expired


@pytest.mark.parametrize(
    ("verdict", "waived"),
    [(Verdict.FAIL, True), (Verdict.WARN, True), (Verdict.NOTE, False), (Verdict.PASS, False), (Verdict.ERROR, False)],
)
def test_only_a_breach_is_excused(verdict: Verdict, waived: bool) -> None:
    waiver = Waiver("chat.usage.adds-up", "known", "ops", "2027-01-01")

    assert outcomes([judgement(verdict=verdict, waiver=waiver)])[KEY].waived is waived


def test_an_error_of_ours_is_none_of_the_relay() -> None:
    found = outcomes([judgement(verdict=Verdict.ERROR, findings=(Finding("/a"),))])[KEY]

    assert not found.broken
    assert found.verdict not in CONCLUSIVE
