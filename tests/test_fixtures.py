"""Fixture files: ours are good, and a bad one is refused with its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import DataError
from conformance.fixtures import load_case, load_cases
from conformance.model import Phase, Price
from conformance.operations import OPERATIONS

GOOD: dict[str, Any] = {
    "purpose": "p", "zh": "z", "source": "s:x",
    "body": {"model": "$model", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 3},
}  # fmt: skip


def test_ours_are_many_each_with_a_name_of_its_own() -> None:
    cases = load_cases()

    assert len({case.id for case in cases}) == len(cases) > 50
    assert all(
        case.output_tokens > 0
        for case in cases
        if case.method == "POST" and case.operation.startswith("chat") and case.body
    )


def test_what_waits_for_another_names_one_that_there_is() -> None:
    cases = {case.id: case for case in load_cases()}

    assert {case.follows for case in cases.values()} | {case.during for case in cases.values()} <= {"", *cases}


def load(folder: Path, content: str) -> Any:
    """A case out of a file."""
    path = folder / "mine.json"
    path.write_text(content)
    return load_case(path, OPERATIONS["chat"])


def test_a_fixture_becomes_a_case(tmp_path: Path) -> None:
    case = load(tmp_path, json.dumps(GOOD | {"phase": "invalid", "price": "dear", "output_tokens": 9}))

    assert (case.id, case.method, case.path) == ("chat/mine", "POST", "/chat/completions")
    assert (case.phase, case.price, case.output_tokens) == (Phase.INVALID, Price.DEAR, 9)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        json.dumps(GOOD | {"surprise": 1}),
        json.dumps({**GOOD, "purpose": 3}),
        json.dumps({**GOOD, "body": {"model": "m"}}),
    ],
)
def test_a_bad_fixture_is_refused_with_its_name(content: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mine\.json"):
        load(tmp_path, content)
