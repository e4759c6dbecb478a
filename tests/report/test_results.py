from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.contract import schema_errors
from conformance.model import Verdict
from conformance.reporting.findings import values
from conformance.reporting.results import results, results_text

from .samples import HOSTILE, exchange, finding, hostile_run, judgement, ledger

FORMAT = "formats/results.json"


def test_the_file_follows_its_own_format() -> None:
    judgements = [
        judgement(),
        judgement("chat.id.fresh", Verdict.FAIL, findings=(finding(), finding(deviation=""))),
    ]

    written = json.loads(results_text(judgements, ledger(exchange())))

    assert schema_errors(FORMAT, written) == []
    assert written["started"] == "2026-09-21T14:13:20Z"
    assert written["verdict"] == "fail"
    assert written["counts"]["fail"] == 1
    assert written["spent"] == {"requests": 1, "input_tokens": 9, "output_tokens": 3}
    assert written["judgements"][1]["findings"][0] == {
        "exchange": "chat/minimal",
        "at": "/usage/total_tokens",
        "expected": 12,
        "actual": 13,
        "message": "",
        "deviation": "total-off-by-one",
    }
    assert written["judgements"][1]["findings"][1]["deviation"] is None


def test_a_hostile_run_is_written_in_ascii() -> None:
    text = results_text(*hostile_run())

    assert text.isascii()
    assert json.loads(text)["judgements"][0]["findings"][0]["message"] == HOSTILE


def test_a_field_that_the_format_does_not_name_is_refused() -> None:
    document = results([judgement()], ledger())

    assert schema_errors(FORMAT, {**document, "extra": 1})
    assert schema_errors(FORMAT, {**document, "verdict": "perhaps"})


def test_huge_values_are_cut() -> None:
    huge = judgement(verdict=Verdict.FAIL, findings=(finding(actual="x" * 10**6, expected=float("inf")),))

    assert len(results_text([huge], ledger())) < 10_000


def test_strict_reaches_the_verdict() -> None:
    assert results([judgement(verdict=Verdict.WARN)], ledger(), strict=True)["verdict"] == "fail"


@pytest.mark.parametrize(
    ("changes", "verdict", "shown"),
    [
        ({"expected": None, "actual": "stop"}, Verdict.FAIL, {"expected": None, "actual": "stop"}),
        ({"expected": None, "actual": "HTTP 429"}, Verdict.INCONCLUSIVE, {"actual": "HTTP 429"}),
        ({"expected": None, "actual": None}, Verdict.FAIL, {}),
    ],
)
def test_null_is_shown_only_where_a_rule_compared(
    changes: dict[str, Any], verdict: Verdict, shown: dict[str, Any]
) -> None:
    assert values(finding(**changes), verdict) == shown
