"""Undocumented fields, whatever they are called."""

from __future__ import annotations

import pytest

from conformance.model import Case, Response

from .runs import CASES, COMPLETION, answer, honest, stumbles, verdicts, whole_run

FEW = [case for case in CASES.values() if case.operation == "chat"][:3]


@pytest.mark.parametrize("name", ["\ud800", "\x1b[2J", "", "a/b~c", "x" * 10_000])
def test_a_field_of_any_name_is_listed(name: str) -> None:
    def respond(case: Case) -> Response:
        return answer({**COMPLETION, name: 1}) if case.operation == "chat" else honest(case)

    run = whole_run(respond, FEW)

    assert stumbles(run) == []
    assert verdicts(run)["chat.response.extra-fields", "chat"].verdict.label == "note"
