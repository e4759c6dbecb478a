"""The table of waivers, and findings that are waived."""

from __future__ import annotations

from conformance.model import Severity, Verdict, Waiver
from conformance.reporting.cards import cards
from conformance.reporting.html import html_text
from conformance.reporting.waiver_rows import LOOKS, STATES, waiver_rows

from .samples import HOSTILE, RULES, exchange, finding, judgement, ledger

FORCE = Waiver("chat.usage.adds-up", "ticket 4711", "Li", "2027-01-31")
ENDED = Waiver("chat.usage.adds-up", "we wait", "Ann", "2026-01-31", expired=True)
BROKEN = judgement(verdict=Verdict.FAIL, findings=(finding(),), waiver=FORCE)


def test_there_is_a_row_for_each_waiver_and_those_that_have_ended_come_first() -> None:
    passing = judgement("made.up", waiver=Waiver("made.up", "r", "o", "2027-01-31"))
    advice = judgement(
        "a.b", Verdict.WARN, severity=Severity.SHOULD, operation="chat.stream", findings=(finding(),), waiver=ENDED
    )
    also = judgement(operation="embeddings", waiver=FORCE)
    rows = waiver_rows(cards([passing, BROKEN, also, advice, judgement("no.waiver")], RULES, {}), RULES)

    assert [row.state for row in rows] == ["expired", "idle", "in-force"]
    assert [[card.judgement for card in row.cards] for row in rows] == [[advice], [], [BROKEN]]
    assert rows[2].requirement.en == RULES["chat.usage.adds-up"].requirement
    assert STATES.keys() == LOOKS.keys()


def test_what_is_waived_is_listed_and_its_finding_stays() -> None:
    text = html_text([BROKEN], ledger(exchange()), RULES)

    assert "waived until 2027-01-31" in text
    assert "Li: ticket 4711" in text
    assert 'class="card item waived" id="chat.usage.adds-up--chat"' in text
    assert 'id="waivers"' in text
    assert 'id="waivers"' not in html_text([judgement()], ledger(exchange()), RULES)


def test_a_waiver_that_has_ended_excuses_nothing() -> None:
    text = html_text([judgement(verdict=Verdict.FAIL, findings=(finding(),), waiver=ENDED)], ledger(exchange()), RULES)

    assert "waiver ended on 2026-01-31" in text
    assert "expired: fails the run" in text
    assert 'class="card item fail"' in text


def test_what_is_not_waived_leads_its_cause() -> None:
    other = judgement("made.up", Verdict.WARN, findings=(finding(),))
    text = html_text([BROKEN, other], ledger(exchange()), RULES)

    assert text.index('id="made.up--chat"') < text.index('id="chat.usage.adds-up--chat"')
    assert 'class="card item warn" id="cause--made.up--chat"' in text


def test_a_hostile_waiver_stays_text() -> None:
    hostile = Waiver(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    text = html_text([judgement(verdict=Verdict.FAIL, waiver=hostile)], ledger(exchange()), RULES)

    assert "<img" not in text
    assert "\u202e" not in text
