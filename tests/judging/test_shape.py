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


@pytest.mark.parametrize(
    ("changes", "compat", "strict"),
    [({}, "pass", "note"), ({"id": None}, "fail", "not applicable"), ({"choices": None}, "fail", "not applicable")],
    ids=["whole", "no-id", "no-choices"],
)
def test_what_breaks_the_looser_form_is_not_said_to_keep_the_stricter(
    changes: dict[str, None], compat: str, strict: str
) -> None:
    found = verdicts(
        whole_run(lambda case: answer({**COMPLETION, **changes}) if case.operation == "chat" else honest(case), FEW)
    )

    assert found["chat.response.compat", "chat"].verdict.label == compat
    assert found["chat.response.strict", "chat"].verdict.label.replace("-", " ") == strict
