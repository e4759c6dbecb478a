"""Waivers: read strictly, shown in every report, and what follows from them in every door."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from report.samples import HOSTILE, exchange, finding, judgement, ledger
from rich.console import Console

from conformance.contract import schema_errors
from conformance.errors import DataError
from conformance.judging import judge
from conformance.model import Judgement, Severity, Verdict, Waiver
from conformance.reporting.junit import junit_text
from conformance.reporting.results import results
from conformance.reporting.summary import Tally, idle_waivers, run_verdict, sentence
from conformance.reporting.terminal import print_summary
from conformance.waivers import check_known, dated, read_waivers, together, waiver_for, waivers_in

RULE = "chat.usage.adds-up"
ROW = {"rule": RULE, "reason": "the provider mends it in March", "owner": "ops@example.com", "until": "2027-01-31"}
DAY = 1_801_353_600.0
"""2027-01-31, 00:00 in UTC."""


def toml(*rows: dict[str, str], head: str = "format = 1\n") -> str:
    lines = ["[[waivers]]\n" + "".join(f"{name} = {value}\n" for name, value in row.items()) for row in rows]
    return head + "".join(lines)


def quoted(**changes: str) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in {**ROW, **changes}.items()}


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "waivers.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_file_is_read_in_its_order(tmp_path: Path) -> None:
    path = written(tmp_path, toml(quoted() | {"until": "2027-01-31"}, quoted(operation="chat.stream")))

    found = read_waivers(path)

    assert found == (
        Waiver(RULE, ROW["reason"], ROW["owner"], "2027-01-31"),
        Waiver(RULE, ROW["reason"], ROW["owner"], "2027-01-31", "chat.stream"),
    )
    assert waivers_in(tmp_path) == found
    assert waivers_in(tmp_path / "elsewhere") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'format'"),
        ("format = 2\nwaivers = []", "1 was expected"),
        (toml(quoted(), head=""), "'format'"),
        (toml(quoted(rule=" ")), "does not match"),
        (toml(quoted(reason="")), "/waivers/0/reason"),
        (toml(quoted(owner="")), "/waivers/0/owner"),
        *((toml({key: value for key, value in quoted().items() if key != name}), f"{name!r}") for name in ROW),
        (toml(quoted(extra="x")), "extra"),
        (toml(quoted(until="soon")), "/waivers/0/until"),
        (toml(quoted(until="2027-02-30")), "no day"),
        ("format = 1\nx." + ".".join("a" * 4_000) + " = 1", "waivers.toml"),
        (toml(quoted() | {"until": "2027-01-31T00:00:00"}), "/waivers/0/until"),
        (toml(quoted(operation="chad")), "did you mean 'chat'"),
        (toml(quoted(operation="§")), "known: "),
        (toml(quoted(), quoted()), "two waivers for chat.usage.adds-up"),
        (toml(quoted(operation="chat"), quoted(operation="chat")), "two waivers for chat.usage.adds-up on chat"),
        ("format = ", "not TOML"),
        ("format = " + "[" * 5_000, "not TOML"),
        (b"format = 1\n\xff", "line 2 is not UTF-8"),
        ("format = 1" + "0" * 5_000, "waivers.toml"),
        ("#" * (2**20 + 1), "more than 1 MiB"),
    ],
)
def test_what_is_no_waivers_file_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(DataError) as error:
        read_waivers(written(tmp_path, text))

    assert said in f"{error.value.message} {error.value.hint}"
    assert "waivers.toml" in error.value.message
    assert error.value.hint


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_bytes(b"\xef\xbb\xbf" + toml(quoted()).encode())

    assert [each.rule for each in read_waivers(path)] == [RULE]


@pytest.mark.parametrize("until", ["2027-02-30", "soon", "2027-01-31T00:00:00Z"])
def test_what_is_no_day_is_refused_with_an_example(tmp_path: Path, until: str) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(toml(quoted(until=until)))

    with pytest.raises(DataError) as error:
        read_waivers(path)

    assert error.value.hint == "write a day, as in 2027-01-31"


@pytest.mark.parametrize("name", ["nothing.toml", "a\0b", "."])
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_waivers(tmp_path / name)


def test_a_rule_that_there_is_not_is_refused_with_its_neighbour() -> None:
    with pytest.raises(DataError) as error:
        judge(ledger(exchange()), waivers=[waiver(rule="chat.usage.add-up")])
    assert error.value.hint == "did you mean 'chat.usage.adds-up'?"
    with pytest.raises(DataError) as error:
        check_known([waiver(rule="§§")], {RULE})
    assert error.value.hint == "relay-conformance rules lists them"


def waiver(**changes: Any) -> Waiver:
    return Waiver(**{**ROW, **changes})


@pytest.mark.parametrize(
    ("started", "expired"), [(DAY, False), (DAY + 86_399, False), (DAY + 86_400, True), (0, False)]
)
def test_the_last_day_is_in_force(started: float, expired: bool) -> None:
    assert [each.expired for each in dated([waiver()], started)] == [expired]


def test_one_that_names_the_operation_goes_first() -> None:
    both = [waiver(operation="chat", owner="a"), waiver(owner="b")]

    assert getattr(waiver_for(RULE, "chat", both), "owner", "") == "a"
    assert getattr(waiver_for(RULE, "chat.stream", both), "owner", "") == "b"
    assert waiver_for("other", "chat", both) is None
    assert [each.owner for each in together(both, [waiver(owner="c")])] == ["a", "c"]


def test_judging_carries_them_and_no_verdict_changes() -> None:
    run = ledger(exchange())

    plain, excused = judge(run), judge(run, waivers=[waiver()])

    assert [replace(each, waiver=None) for each in excused] == plain
    carried = {each.rule for each in excused if each.waiver is not None}
    assert carried == {RULE}


def judged(verdict: Verdict = Verdict.FAIL, **changes: Any) -> Judgement:
    found = () if verdict is Verdict.PASS else (finding(),)
    severity = Severity.SHOULD if verdict is Verdict.WARN else Severity.MUST
    return judgement(RULE, verdict, findings=found, severity=severity, waiver=waiver(**changes))


PASSED = judgement("chat.id.fresh")


@pytest.mark.parametrize(
    ("judgements", "strict", "verdict", "said"),
    [
        ([judged(), PASSED], False, "pass", "1 further breach is waived."),
        ([judged(), judged(), PASSED], False, "pass", "2 further breaches are waived."),
        ([judged(Verdict.WARN), PASSED], True, "pass", "keeps all 1 "),
        ([judged(expired=True), PASSED], False, "fail", "1 waiver has ended."),
        ([judged(Verdict.PASS, expired=True)], False, "fail", "Waivers have ended (1 requirements)"),
        ([judged(Verdict.PASS), PASSED], False, "pass", "keeps all 2 "),
        ([judged(), judgement("chat.id.fresh", Verdict.FAIL)], False, "fail", "breaks 1 of 1 "),
    ],
)
def test_a_breach_in_force_is_no_breach_and_an_ended_waiver_fails(
    judgements: list[Judgement], strict: bool, verdict: str, said: str
) -> None:
    assert run_verdict(judgements, ledger(), strict=strict) == verdict
    text = sentence(judgements, ledger(), strict=strict)
    assert said in text.en
    assert ("豁免" in text.zh) is ("waive" in text.en.lower())


def test_waived_breaches_are_counted() -> None:
    tally = Tally.of([judged(), judged(Verdict.WARN), judged(Verdict.PASS), judged(expired=True)])

    assert (tally.waived, tally.expired, tally.broken, tally.strayed, tally.judged) == (2, 1, 1, 0, 4)


@pytest.mark.parametrize(
    ("verdicts", "idle"),
    [
        ([Verdict.PASS], True),
        ([Verdict.PASS, Verdict.NOT_APPLICABLE], True),
        ([Verdict.PASS, Verdict.FAIL], False),
        ([Verdict.INCONCLUSIVE], False),
        ([Verdict.NOT_RUN], False),
    ],
)
def test_a_waiver_without_use_is_named(verdicts: list[Verdict], idle: bool) -> None:
    assert idle_waivers([judged(verdict) for verdict in verdicts]) == ([waiver()] if idle else [])
    assert idle_waivers([judged(Verdict.PASS, expired=True)]) == []


def test_results_hold_them() -> None:
    document = results([judged(), judged(Verdict.PASS, operation="chat"), PASSED], ledger())

    assert schema_errors("formats/results.json", document) == []
    assert document["waived"] == 1
    assert document["judgements"][0]["waiver"] == {**ROW, "operation": None, "expired": False}
    assert document["judgements"][2]["waiver"] is None
    assert [each["operation"] for each in document["idle_waivers"]] == ["chat"]


@pytest.mark.parametrize(
    ("one", "kind", "said"),
    [
        (judged(), "skipped", "waived until 2027-01-31 by ops@example.com"),
        (judged(Verdict.WARN), "skipped", "waived until"),
        (judged(expired=True), "failure", "waiver ended on 2027-01-31"),
        (judged(Verdict.PASS, expired=True), "failure", "waiver ended on"),
        (judged(Verdict.ERROR), "error", ""),
        (judged(Verdict.INCONCLUSIVE), "skipped", "inconclusive"),
    ],
)
def test_junit_skips_what_is_waived_and_fails_what_has_ended(one: Judgement, kind: str, said: str) -> None:
    root = ET.fromstring(junit_text([one], ledger(), {}))

    (element,) = root.findall(f".//testcase/{kind}")
    assert said in element.get("message", "")


def printed(judgements: list[Judgement]) -> str:
    console = Console(width=100, record=True, force_terminal=False)
    print_summary(judgements, ledger(), {}, strict=False, console=console)
    return " ".join(console.export_text().split())


def test_a_terminal_lists_them() -> None:
    many = [judged(operation=f"x{number}") for number in range(15)]

    text = printed([*many, judged(expired=True), judgement(verdict=Verdict.PASS, waiver=waiver(operation="chat"))])

    assert "WAIVED 15" in text
    assert "and 3 more in results.json" in text
    assert "WAIVER ENDED 1" in text
    assert "waiver ended on 2027-01-31 by ops@example.com: the provider mends it in March" in text
    assert "· chat passes: remove its waiver" in text
    assert "FAIL MUST" in text
    assert "WAIV" not in printed([PASSED])


def test_hostile_words_of_a_waiver_stay_text() -> None:
    hostile = {"reason": HOSTILE, "owner": HOSTILE}

    for text in (
        printed([judged(**hostile), judged(Verdict.PASS, operation="chat", **hostile)]),
        junit_text([judged(**hostile)], ledger(), {}),
    ):
        assert not set(text) & set("\x1b\x07\x00\x9b\u202e\u2066")
