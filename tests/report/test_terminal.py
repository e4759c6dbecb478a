from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from conformance.model import Finding, Stop, Verdict
from conformance.reporting.terminal import print_summary
from conformance.reporting.visible import is_harmless

from .samples import exchange, finding, hostile_run, judgement, ledger

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.model import Judgement, Ledger


def printed(
    judgements: list[Judgement],
    run: Ledger | None = None,
    *,
    files: dict[str, Path] | None = None,
    width: int = 80,
    **console: Any,
) -> str:
    paper = io.StringIO()
    screen = Console(file=paper, width=width, **console)
    print_summary(judgements, run or ledger(exchange()), files or {}, strict=False, console=screen)
    return paper.getvalue()


def test_the_summary_begins_with_the_verdict_in_both_languages() -> None:
    lines = printed([judgement()]).splitlines()

    assert lines[:5] == [
        "Relay Example · gpt-4o-mini · https://api.relay.example/v1",
        "✓ Conforms · 符合要求",
        "  This relay keeps all 1 requirements that clients rely on.",
        "  本中转站遵守了客户端所依赖的全部 1 项要求。",
        "  used 1 requests, 9 input tokens, 3 output tokens, 12.5 s",
    ]


def test_a_finding_is_told_in_the_order_that_people_read() -> None:
    shown = printed([judgement(verdict=Verdict.FAIL, findings=(finding(message="off by one"), finding()))])

    labels = ["reason", "expected", "actual", "where", "document", "known as", "exchange", "and"]
    places = [shown.index(f"\n  {label} ") for label in labels]
    assert places == sorted(places)
    assert "✕ FAIL  MUST  chat.usage.adds-up · chat" in shown
    assert "1 more of the same kind" in shown


def test_the_table_has_a_row_for_each_operation(tmp_path: Path) -> None:
    shown = printed(
        [
            judgement("models.list.compat", operation="models.list"),
            judgement("chat.response.compat", Verdict.FAIL),
            judgement("chat.id.fresh", Verdict.NOT_APPLICABLE, operation="gateway"),
        ],
        files={"report.html": tmp_path / "report.html"},
    )

    rows = [line.split() for line in shown.splitlines()]
    assert ["models.list", "✓", "pass", "-", "1", "pass"] in rows
    assert ["chat", "✕", "fail", "-", "1", "fail"] in rows
    assert ["gateway", "-", "-", "none", "applied"] in rows
    assert "report.html" in shown


def test_only_the_worst_findings_are_shown() -> None:
    shown = printed([judgement(f"made.up{number}", Verdict.WARN) for number in range(20)])

    assert shown.count("! WARN") == 12
    assert "and 8 more in report.html" in shown


def test_what_could_not_be_judged_is_said_once_for_each_reason() -> None:
    blocked = Finding(message="the answer has the wrong shape here")
    held = [judgement(f"chat.rule.{n}", Verdict.INCONCLUSIVE, findings=(blocked,)) for n in range(6)]
    busy = judgement("chat.other", Verdict.INCONCLUSIVE, findings=(Finding(message="no answer in time"),))

    shown = printed([*held, busy])

    assert shown.count("the answer has the wrong shape here") == 1
    assert "? INCONCLUSIVE  6 checks" in shown
    assert ", and 2 more" in shown
    assert "no answer in time" in shown


def test_a_judgement_without_findings_names_its_exchanges() -> None:
    assert "chat/minimal" in printed([judgement(verdict=Verdict.ERROR)])


def test_a_judgement_without_anything_to_say_is_one_line_and_its_requirement() -> None:
    shown = printed([judgement("made.up", Verdict.FAIL, exchanges=())])

    assert shown.rstrip().endswith("✕ FAIL  MUST  made.up · chat\n  made.up")


def test_why_a_run_ended_early_is_said_once() -> None:
    unsent = judgement(verdict=Verdict.INCONCLUSIVE, findings=(Finding(message="not sent"),))
    run = ledger(stop=Stop("no-credit", "the account is empty", "余额不足"), complete=False, rules=("chat.usage",))

    shown = printed([unsent], run)

    assert "ended early: the account is empty" in shown
    assert "hint: top up the account" in shown
    assert "interrupted: the record has no end" in shown
    assert "only these rules: chat.usage" in shown
    assert "not sent" not in shown


def test_a_stop_without_a_known_hint_has_none() -> None:
    assert "hint:" not in printed([], ledger(stop=Stop("odd", "stopped", "停止")))


def test_hostile_text_does_nothing_to_a_terminal() -> None:
    judgements, run = hostile_run()

    shown = printed(judgements, run)

    assert "\x1b" not in shown
    assert is_harmless(shown, lines=True)
    assert "[bold]loud[/bold]" in shown
    assert max(cell_len(line) for line in shown.splitlines()) <= 80


@pytest.mark.parametrize("width", [40, 80, 300])
def test_lines_fit_the_terminal(width: int) -> None:
    found = judgement(verdict=Verdict.FAIL, findings=(finding(actual="word " * 100),))

    shown = printed([found], width=width)

    assert max(cell_len(line) for line in shown.splitlines()) <= min(width, 100)


def test_colour_is_left_out_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b[3" not in printed([judgement(verdict=Verdict.FAIL)], force_terminal=True)


def test_colour_is_used_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    assert "\x1b[1;31m" in printed([judgement(verdict=Verdict.FAIL)], force_terminal=True, color_system="standard")


def test_a_terminal_that_knows_ascii_only_gets_escapes() -> None:
    paper = io.BytesIO()
    screen = Console(file=io.TextIOWrapper(paper, encoding="ascii", write_through=True), width=80)

    print_summary([judgement()], ledger(), {}, strict=False, console=screen)

    assert b"\\u2713 Conforms" in paper.getvalue()


def test_standard_output_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary([judgement()], ledger(), {}, strict=False)

    assert "Conforms" in capsys.readouterr().out


def test_rich_is_loaded_only_when_something_is_shown() -> None:
    code = "import sys, conformance.reporting, conformance.reporting.terminal; sys.exit('rich' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
