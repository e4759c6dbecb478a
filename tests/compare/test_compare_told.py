"""What a terminal and `compare.md` say of a comparison: counts in words, and what makes it less than fair."""

from __future__ import annotations

import pytest

from conformance.comparison.markdown import markdown_text
from conformance.comparison.terminal import summary_lines
from conformance.model import Verdict

from .comparisons import comparison, outcome, pair, side


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
