from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from conformance.model import Finding, Judgement, Severity, Verdict
from conformance.reporting.junit import junit_text

from .samples import RULES, exchange, finding, hostile_run, judgement, ledger


def found(element: ET.Element, path: str) -> ET.Element:
    inside = element.find(path)
    assert inside is not None
    return inside


def text_of(element: ET.Element) -> str:
    return element.text or ""


def parsed(*judgements: Judgement, strict: bool = False) -> ET.Element:
    return ET.fromstring(junit_text(judgements, ledger(exchange()), RULES, strict=strict))


@pytest.mark.parametrize(
    ("verdict", "strict", "kind"),
    [
        (Verdict.FAIL, False, "failure"),
        (Verdict.WARN, True, "failure"),
        (Verdict.WARN, False, "system-out"),
        (Verdict.NOTE, True, "system-out"),
        (Verdict.ERROR, False, "error"),
        (Verdict.INCONCLUSIVE, False, "skipped"),
        (Verdict.UNSUPPORTED, False, "skipped"),
        (Verdict.NOT_APPLICABLE, False, "skipped"),
    ],
)
def test_each_verdict_becomes_the_element_that_servers_know(verdict: Verdict, strict: bool, kind: str) -> None:
    root = parsed(judgement(verdict=verdict, findings=(finding(),)), strict=strict)

    assert [element.tag for element in found(root, ".//testcase")] == [kind]


def test_a_pass_is_an_empty_case() -> None:
    suite = found(parsed(judgement()), "testsuite")

    assert suite.attrib == {"name": "chat", "tests": "1", "failures": "0", "errors": "0", "skipped": "0"}
    assert found(suite, "testcase").attrib == {"name": "chat.usage.adds-up", "classname": "chat"}
    assert len(found(suite, "testcase")) == 0


def test_a_failure_tells_requirement_values_place_and_document() -> None:
    root = parsed(judgement(verdict=Verdict.FAIL, findings=(finding(message="off by one"),)))
    failure = found(root, ".//failure")

    assert failure.attrib == {
        "message": "`usage.total_tokens` MUST equal prompt plus completion tokens.",
        "type": "MUST fail",
    }
    assert text_of(failure).splitlines() == [
        "MUST: `usage.total_tokens` MUST equal prompt plus completion tokens.",
        "",
        "off by one",
        "expected: 12",
        "actual: 13",
        "where: /usage/total_tokens in chat/minimal",
        "known deviation: total-off-by-one",
        "",
        "document: openai:chat/object#usage (USE-01)",
    ]


def test_a_skipped_case_says_why() -> None:
    reason = Finding(message="no answer in time")

    root = parsed(judgement("made.up", Verdict.INCONCLUSIVE, findings=(Finding(), reason)))
    skipped = found(root, ".//skipped")

    assert skipped.get("message") == "inconclusive: no answer in time"


def test_suites_follow_the_operations_and_are_added_up() -> None:
    root = parsed(
        judgement("a.b", Verdict.FAIL, operation="zebra"),
        judgement("c.d", Verdict.ERROR),
        judgement("e.f", Verdict.NOT_APPLICABLE, severity=Severity.MAY),
    )

    assert [suite.get("name") for suite in root] == ["chat", "zebra"]
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == (
        "3",
        "1",
        "1",
        "1",
    )


def test_hostile_text_leaves_the_file_well_formed() -> None:
    judgements, run = hostile_run()

    root = ET.fromstring(junit_text(judgements, run, RULES))

    assert len(list(root.iter("testcase"))) == 3
    assert "\\u{202e}" in text_of(found(root, ".//failure"))
