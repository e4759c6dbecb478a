"""What a terminal and `compare.md` say of a comparison: counts in words, and what makes it less than fair."""

from __future__ import annotations

import pytest

from conformance.clients.comparing import State
from conformance.comparison.markdown import markdown_text
from conformance.comparison.terminal import summary_lines
from conformance.model import Verdict

from .comparisons import comparison, measured, outcome, pair, read, side


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (pair(), "1 requirement differs, 7 are alike"),
        (pair(alike=1), "1 requirement differs, 1 is alike"),
        (comparison(side("Alpha"), side("Beta")), "0 requirements differ, 7 are alike"),
        (
            comparison(side("Alpha"), side("Beta", outcome(verdict=Verdict.UNSUPPORTED))),
            "1 requirement differs (1 only in being offered or not), 7 are alike",
        ),
    ],
    ids=["one", "one-each", "none", "not-offered"],
)
def test_differences_are_counted_in_words(found, said: str):
    assert said in list(summary_lines(found))
    assert f"{said}, " in markdown_text(found)


def test_the_verdict_of_a_run_has_its_sign():
    assert any(line.split() == ["all", "✓", "pass", "✕", "fail"] for line in summary_lines(pair()))
    assert "| all | ✓ pass | ✕ fail |" in markdown_text(pair())


def test_charges_say_to_whom():
    found = pair(control="Alpha")
    assert "breaches of Beta, charged to: relay 1" in list(summary_lines(found))


def test_other_models_are_named_as_a_reason_for_differences():
    found = comparison(side("Alpha"), side("Beta", model="another"))
    assert "Different models were asked" in markdown_text(found)


def test_compare_md_has_medians_with_their_intervals_and_says_where_there_are_too_few():
    seven = (0.3, 0.31, 0.32, 0.33, 0.34, 0.35, 0.36)
    found = comparison(side("Alpha", measures=measured(*seven)), side("Beta", measures=measured(0.5)), side("Gamma"))
    lines = markdown_text(found).splitlines()

    assert "| operation | what | `Alpha` | `Beta` | `Gamma` |" in lines
    told = "0.33 (0.30 – 0.36, n = 7) | 0.50 (n too small, n = 1) |  |"
    assert f"| `chat.stream` | seconds to the first content | {told}" in lines
    assert f"| `chat.stream` | output tokens a second | {told}" in lines
    assert not any("first byte" in line for line in lines)


def test_compare_md_has_clients_where_some_have_read():
    one = side("Alpha", clients=read())
    two = side("Beta", clients=read(State.BREAKS, "raises"))
    lines = markdown_text(comparison(one, two, side("Gamma"))).splitlines()

    assert "| client | `Alpha` | `Beta` | `Gamma` |" in lines
    (row,) = [line for line in lines if line.startswith("| OpenAI")]
    assert [cell.strip().partition(":")[0] for cell in row.split("|")[2:-1]] == ["works", "breaks", ""]


def test_compare_md_is_silent_of_what_nobody_measured_or_read():
    assert not {"## How fast", "## Known clients"} & set(markdown_text(pair()).splitlines())
