"""What counts as worse, for plain rules and for those in which chance has a part; and the exit code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report.samples import HOSTILE, finding, judgement

from conformance.contract import schema_errors
from conformance.gating.comparing import compare
from conformance.gating.nouns import Evidence, Kind
from conformance.gating.recording import folded, standings
from conformance.gating.telling import lines
from conformance.gating.words import headline
from conformance.gating.writing import document, write_gate
from conformance.model import Finding, Verdict, Waiver
from conformance.outcomes import Key

from .records import KEY, RULE, later, record, standing

PASS, NOTE, WARN, FAIL, ERROR = Verdict.PASS, Verdict.NOTE, Verdict.WARN, Verdict.FAIL, Verdict.ERROR
UNSUPPORTED, INCONCLUSIVE = Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE
ABSENT, NOT_RUN = Verdict.NOT_APPLICABLE, Verdict.NOT_RUN
ENDED = Waiver("chat.id.present", "we wait", "Ann", "2026-01-31", "chat", expired=True)
IN_FORCE = Waiver(RULE, "ticket 4711", "Li", "2099-12-31")
ODD = (Waiver(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, expired=True),)
MOVES: list[tuple[Verdict, Verdict, Kind | None, int]] = [
    (PASS, PASS, None, 0),
    *((PASS, now, Kind.WORSE, 1) for now in (NOTE, WARN, FAIL, UNSUPPORTED)),
    *((NOTE, now, Kind.WORSE, 1) for now in (WARN, FAIL, UNSUPPORTED)),
    (WARN, FAIL, Kind.WORSE, 1),
    (WARN, UNSUPPORTED, Kind.WORSE, 1),
    *((was, FAIL, Kind.WORSE, 1) for was in (UNSUPPORTED, INCONCLUSIVE, ABSENT, NOT_RUN)),
    (ABSENT, NOTE, Kind.WORSE, 1),
    (FAIL, FAIL, None, 0),
    *((FAIL, now, Kind.BETTER, 0) for now in (WARN, NOTE, PASS, UNSUPPORTED)),
    (UNSUPPORTED, PASS, Kind.BETTER, 0),
    *((was, INCONCLUSIVE, Kind.UNCLEAR, 6) for was in (PASS, NOTE, WARN, FAIL)),
    (UNSUPPORTED, INCONCLUSIVE, None, 0),
    (PASS, ERROR, Kind.UNCLEAR, 7),
    *((PASS, now, Kind.SILENT, 0) for now in (ABSENT, NOT_RUN)),
    *((was, PASS, None, 0) for was in (INCONCLUSIVE, ABSENT, NOT_RUN)),
    (INCONCLUSIVE, INCONCLUSIVE, None, 0),
]


@pytest.mark.parametrize(("was", "now", "kind", "code"), MOVES)
def test_a_move_is_worse_or_not(was: Verdict, now: Verdict, kind: Kind | None, code: int) -> None:
    gate = compare(record(standing(was)), later(standing(now)))

    assert [change.kind for change in gate.changes] == ([kind] if kind else [])
    assert gate.exit_code == code
    assert gate.same == (0 if kind else 1)


NOISY: list[tuple[tuple[Verdict, ...], tuple[Verdict, ...], Kind | None, int]] = [
    ((PASS,), (FAIL,), Kind.UNDECIDED, 6),
    ((PASS,), (FAIL, FAIL), Kind.UNDECIDED, 6),
    ((PASS,), (FAIL, FAIL, FAIL), Kind.WORSE, 1),
    ((PASS,), (PASS, PASS, FAIL), None, 0),
    ((PASS,), (PASS, FAIL, FAIL), Kind.UNDECIDED, 6),
    ((PASS,), (PASS,), None, 0),
    ((PASS,), (INCONCLUSIVE, INCONCLUSIVE), Kind.UNCLEAR, 6),
    ((PASS,), (INCONCLUSIVE, FAIL, FAIL, FAIL), Kind.WORSE, 1),
    ((FAIL, FAIL, FAIL), (FAIL, FAIL, FAIL), None, 0),
    ((FAIL, PASS), (FAIL, FAIL, FAIL), None, 0),
    ((FAIL, PASS, PASS, PASS, PASS), (FAIL, FAIL, FAIL), Kind.WORSE, 1),
    ((FAIL, FAIL, FAIL), (PASS, PASS, PASS), Kind.BETTER, 0),
    ((PASS,), (UNSUPPORTED, UNSUPPORTED, UNSUPPORTED), Kind.WORSE, 1),
]


@pytest.mark.parametrize(("was", "now", "kind", "code"), NOISY)
def test_chance_is_judged_over_rounds(
    was: tuple[Verdict, ...], now: tuple[Verdict, ...], kind: Kind | None, code: int
) -> None:
    before = standing(*was, verdict=folded(was), noisy=True)
    after = standing(*now, verdict=folded(now), noisy=True)

    gate = compare(record(before, rounds=len(was)), later(after, rounds=len(now)))

    assert [change.kind for change in gate.changes] == ([kind] if kind else [])
    assert gate.exit_code == code


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ((PASS, INCONCLUSIVE), PASS),
        ((PASS, FAIL, INCONCLUSIVE), FAIL),
        ((INCONCLUSIVE, INCONCLUSIVE), INCONCLUSIVE),
        ((INCONCLUSIVE, ABSENT), ABSENT),
        ((PASS, UNSUPPORTED), UNSUPPORTED),
        ((NOT_RUN, ABSENT), ABSENT),
    ],
)
def test_rounds_are_folded_to_the_worst_that_says_something(verdicts: tuple[Verdict, ...], verdict: Verdict) -> None:
    assert folded(verdicts) is verdict


def test_standings_keep_the_evidence_of_the_round_that_shows_it() -> None:
    good = judgement(RULE)
    bad = judgement(
        RULE, FAIL, findings=(Finding(message="a reason"), finding(at="/choices/3/x", deviation="", exchange="chat/b"))
    )
    other = judgement(RULE, operation="chat.stream")

    found = standings([[good], [bad, other]])

    assert found[KEY].verdicts == (PASS, FAIL)
    assert found[KEY].signs == {"/", "/choices/*/x"}
    evidence = found[KEY].evidence
    assert evidence is not None
    assert (evidence.round, evidence.case) == (2, "chat/b")
    assert evidence.finding is not None
    assert evidence.finding.at == "/choices/3/x"
    assert found[Key(RULE, "chat.stream")].verdicts == (PASS,)
    assert standings([[judgement(RULE, exchanges=())]])[KEY].evidence is None


def test_a_waiver_keeps_a_breach_from_being_worse_and_nothing_else() -> None:
    before = record(standing(PASS))

    assert compare(before, later(standing(FAIL, waived=True))).exit_code == 0
    assert [each.kind for each in compare(before, later(standing(FAIL, waived=True))).changes] == [Kind.WAIVED]
    assert compare(before, later(standing(UNSUPPORTED, waived=True))).exit_code == 1
    assert compare(before, later(standing(PASS), waivers=(ENDED,))).exit_code == 1
    assert compare(before, later(standing(PASS), waivers=(IN_FORCE,))).exit_code == 0
    assert "waivers have ended" in headline(compare(before, later(standing(PASS), waivers=(ENDED,)))).en


def test_who_answers_for_a_waiver_stands_behind_it(tmp_path: Path) -> None:
    waived = standing(FAIL, waived=True, waiver=IN_FORCE)
    gate = compare(record(standing(PASS)), later(waived, waivers=(ENDED, IN_FORCE)))

    text = write_gate(gate, tmp_path)["diff.md"].read_text()
    for written in ("\n".join(lines(gate)), text):
        assert "chat.id.present · chat: the waiver ended on 2026-01-31 (Ann: we wait)" in written
        assert "waived until 2099-12-31 by Li: ticket 4711" in written
    found = document(gate)
    assert schema_errors("formats/diff.json", found) == []
    assert [(each["rule"], each["expired"]) for each in found["waivers"]] == [("chat.id.present", True), (RULE, False)]
    assert found["waivers"][1] == found["changes"][0]["waiver"]
    assert "1 waiver has ended, which fails the gate: remove it or renew it" in gate.notes


def test_many_ended_waivers_are_not_all_listed() -> None:
    ended = tuple(replace(ENDED, reason=f"{number}") for number in range(40))
    gate = compare(record(standing(PASS)), later(standing(PASS), waivers=ended))
    assert "  and 20 more in diff.json" in list(lines(gate))


def test_another_way_of_failing_is_told_and_is_not_worse() -> None:
    gate = compare(
        record(standing(FAIL, signs=frozenset({"/a"}))), later(standing(FAIL, signs=frozenset({"/a", "/b"})))
    )

    assert [(change.kind, change.signs) for change in gate.changes] == [(Kind.CHANGED, ("/b",))]
    assert gate.exit_code == 0
    assert "    new: /b" in list(lines(gate))


def test_what_fails_in_a_new_way_is_shown_by_the_new_way() -> None:
    old, new = (Evidence(place, "chat/minimal", Finding(at=at)) for place, at in ((1, "/a"), (3, "/b")))
    now = standing(FAIL, signs=frozenset({"/a", "/b"}), evidence=old, shown={"/a": old, "/b": new})
    gate = compare(record(standing(FAIL, signs=frozenset({"/a"}))), later(now))
    told = list(lines(gate))

    assert gate.changes[0].evidence == new
    assert "    where: /b" in told
    assert any("rounds/3/report.html" in line for line in told)


def test_rounds_keep_where_each_way_of_failing_was_seen_first() -> None:
    judged = [judgement(RULE, FAIL, findings=(Finding(at=at),)) for at in ("/a", "/a", "/b")]
    found = standings([[each] for each in judged])[KEY]

    assert {sign: evidence.round for sign, evidence in found.shown.items()} == {"/a": 1, "/b": 3}


@pytest.mark.parametrize(("name", "said"), [("Relay Example", "Relay Example: gpt"), ("api.relay.example", "gpt")])
def test_the_name_of_the_provider_is_said_unless_it_is_the_host(name: str, said: str) -> None:
    told = list(lines(compare(record(), later(name=name))))

    assert any(line.startswith(f"  now  {said}") for line in told)


@pytest.mark.parametrize(
    ("rules", "said"),
    [((RULE,), "1 check got worse"), ((RULE, "chat.choices.count"), "2 checks got worse")],
    ids=["one", "several"],
)
def test_the_sentence_counts_in_words(rules: tuple[str, ...], said: str) -> None:
    then, now = ([standing(verdict, rule=rule) for rule in rules] for verdict in (PASS, FAIL))

    assert next(lines(compare(record(*then), later(*now)))).startswith(said)


GONE = "chat.no.such-rule"


@pytest.mark.parametrize(
    ("was", "run", "code"),
    [
        (standing(PASS, rule=GONE), {}, 2),
        (standing(ABSENT, rule=GONE), {"rules": ("chat.usage",)}, 2),
        (standing(PASS), {}, 2),
        (standing(UNSUPPORTED), {}, 2),
        (standing(ABSENT), {}, 0),
        (standing(PASS), {"rules": ("chat.usage",)}, 2),
        (standing(PASS), {"rules": ("chat.usage.",)}, 2),
        (standing(PASS), {"rules": ("chat.usage.adds",)}, 0),
        (standing(PASS), {"rules": ("models",)}, 0),
    ],
)
def test_entries_that_nothing_answers_to_are_stale(was: Any, run: dict[str, Any], code: int) -> None:
    gate = compare(record(was), later(**run))

    assert gate.exit_code == code
    assert bool(gate.of(Kind.STALE)) is (code == 2)
    assert any("--update" in line for line in lines(gate)) is (code == 2)


def test_what_got_worse_counts_before_what_is_stale_and_that_before_what_is_unclear() -> None:
    other = "chat.usage.present"
    before = record(standing(PASS), standing(PASS, rule=GONE), standing(PASS, rule=other))
    unclear = standing(INCONCLUSIVE, rule=other)

    assert compare(before, later(standing(FAIL), unclear)).exit_code == 1
    assert compare(before, later(standing(PASS), unclear)).exit_code == 2
    without = replace(before, standings={key: each for key, each in before.standings.items() if key.rule != GONE})
    assert compare(without, later(standing(PASS), unclear)).exit_code == 6
    assert compare(without, later(standing(PASS), standing(PASS, rule=other), trouble="it ended")).exit_code == 6


def test_what_is_new_never_fails() -> None:
    gate = compare(record(), later(standing(FAIL)))

    assert [(change.kind, change.was, change.now) for change in gate.changes] == [(Kind.NEW, None, FAIL)]
    assert gate.exit_code == 0


def test_the_reader_is_told_what_differs() -> None:
    before = record(standing(FAIL), cases={"a": "0" * 12, "b": "1" * 12}, rules=("chat",), page="")
    run = later(
        standing(PASS, cases=1), cases={"a": "0" * 12}, rules=("chat.usage",), model="other", page="vman", trouble="cut"
    )

    gate = compare(before, run)

    told = "\n".join(gate.notes)
    for said in ("another model", "another page", "only on the 1 requests", "rules only: chat", "not whole: cut"):
        assert said in told
    assert gate.changes[0].why == "judged on 1 requests, 3 before"
    assert "the baseline was made of this very run" in compare(before, before).notes


def test_every_form_is_safe_and_follows_its_format(tmp_path: Any) -> None:
    bad = standings([[judgement(RULE, FAIL, findings=(finding(at=HOSTILE, actual=HOSTILE, message=HOSTILE),))]])
    many = [standing(PASS, rule=f"chat.gone.r{number}") for number in range(40)]
    gate = compare(
        record(standing(PASS), *many), later(*bad.values(), model=HOSTILE, base_url=HOSTILE, trouble="", waivers=ODD)
    )

    files = write_gate(gate, tmp_path / "new")

    assert schema_errors("formats/diff.json", document(gate)) == []
    text = files["diff.md"].read_text()
    shown = "\n".join(lines(gate))
    for written in (text, shown):
        assert not set(written) & set("\x1b\x07\x00\x9b\u202e\u2066")
        assert "more in" in written
        assert "got worse" in written
    assert "[report" not in text
    assert files["diff.json"].read_bytes().isascii()


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        (compare(record(), later()), "Nothing got worse."),
        (compare(record(standing(PASS)), later(standing(ERROR))), "test tool"),
        (compare(record(standing(PASS)), later(standing(INCONCLUSIVE))), "of 1 check it cannot"),
        (compare(record(standing(PASS)), later(standing(INCONCLUSIVE), trouble="ended early")), "is not whole"),
        (compare(record(standing(PASS)), later()), "stale"),
    ],
)
def test_the_sentence_says_what_the_exit_code_says(gate: Any, said: str) -> None:
    assert said in headline(gate).en
    assert headline(gate).zh


def test_what_is_stale_or_unclear_for_one_reason_is_told_once(tmp_path) -> None:
    names = [f"operation {number}" for number in range(300)]
    down = Evidence(1, "chat/minimal", Finding(actual="HTTP 502", message="the upstream could not answer\x1b[31m"))
    before = record(*(standing(PASS, operation=name) for name in names))

    unclear = compare(before, later(*(standing(INCONCLUSIVE, operation=name, evidence=down) for name in names)))
    stale = compare(before, later(cases={"chat/minimal": "0" * 12}))
    dropped = compare(before, later(*(standing(UNSUPPORTED, operation=name, evidence=down) for name in names)))

    assert '  300 × the upstream could not answer\\u{1b}[31m ("HTTP 502")' in lines(unclear)
    told = list(lines(stale))
    assert "  300 × this run sent no request that the baseline sent too and that shows it" in told
    assert "  requests of the baseline that this run did not plan: chat 1" in told
    assert "  and 280 other reasons in diff.json" in lines(dropped)
    assert max(len(list(lines(gate))) for gate in (unclear, stale, dropped)) < 60
    texts = [write_gate(gate, tmp_path)["diff.md"].read_text() for gate in (unclear, stale, dropped)]
    assert '- 300 × `the upstream could not answer\\u{1b}[31m ("HTTP 502")`: ' in texts[0]
    assert "- … and 275 other reasons in `diff.json`" in texts[2]
    assert max(map(len, texts)) < 10_000


def test_reasons_that_nobody_gave_are_said_to_be_missing() -> None:
    gate = compare(record(standing(PASS)), later(standing(INCONCLUSIVE, evidence=None)))

    assert "  1 × nothing says why" in lines(gate)


def test_a_whole_catalogue_of_unknown_rules_is_no_long_wait() -> None:
    names = ["chat.usage.adds-upp", *(f"x.usage-adds-up-{number}" for number in range(3_000))]
    gate = compare(record(*(standing(PASS, rule=name) for name in names)), later())

    assert gate.exit_code == 2
    assert len(gate.of(Kind.STALE)) == len(names)
    assert gate.changes[0].why == "this version has no such rule; is it chat.usage.adds-up now?"


def test_three_hundred_that_got_worse_are_told_in_a_few_screens(tmp_path) -> None:
    names = [f"operation {number}" for number in range(300)]
    before = record(*(standing(PASS, operation=name) for name in names))

    gate = compare(before, later(*(standing(FAIL, operation=name) for name in names)))

    assert "300 checks got worse since the baseline." in lines(gate)
    assert "  and 280 more in diff.json" in lines(gate)
    assert len(list(lines(gate))) < 120
    assert len(write_gate(gate, tmp_path)["diff.md"].read_text()) < 20_000
