"""`junit.xml`: one suite for each operation, one test case for each judgement, for CI servers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from conformance.model import Verdict
from conformance.reporting.findings import values
from conformance.reporting.requirements import in_order, requirement
from conformance.reporting.summary import has_expired, is_waived, waiver_line
from conformance.reporting.visible import shorten, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.model import Finding, Judgement, Ledger
    from conformance.reporting.requirements import Requirement
    from conformance.rules.base import Rule

_SKIPPED = {Verdict.INCONCLUSIVE, Verdict.UNSUPPORTED, Verdict.NOT_APPLICABLE, Verdict.NOT_RUN}
_LONGEST = 1_000


def junit_text(
    judgements: Sequence[Judgement], ledger: Ledger, rules: Mapping[str, Rule], *, strict: bool = False
) -> str:
    """The file's text."""
    root = ET.Element("testsuites", name=_clean(ledger.provider.title))
    for operation in in_order({judgement.operation for judgement in judgements}):
        suite = ET.SubElement(root, "testsuite", name=_clean(operation))
        for judgement in judgements:
            if judgement.operation == operation:
                _case(suite, judgement, requirement(judgement.rule, rules), strict=strict)
        _total(suite)
    _total(root)
    ET.indent(root, " ")
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def _case(suite: ET.Element, judgement: Judgement, about: Requirement, *, strict: bool) -> None:
    """Add one judgement: a test case, with what is wrong inside."""
    names = {"name": _clean(judgement.rule), "classname": _clean(judgement.operation)}
    case = ET.SubElement(suite, "testcase", names)
    kind = _kind(judgement, strict=strict)
    if kind == "system-out" and not judgement.findings:
        return
    element = ET.SubElement(case, kind)
    if judgement.waiver and (has_expired(judgement) or is_waived(judgement)):
        element.set("message", _clean(waiver_line(judgement.waiver)))
    elif kind == "skipped":
        element.set("message", f"{judgement.verdict.label}: {_reason(judgement, about)}")
    elif kind != "system-out":
        element.set("message", _clean(about.text.en))
    if kind in {"failure", "error"}:
        element.set("type", f"{judgement.severity.value} {judgement.verdict.label}")
    element.text = _told(judgement, about)


def _kind(judgement: Judgement, *, strict: bool) -> str:
    """The element that says what became of a judgement; an ended waiver fails, one in force excuses."""
    verdict = judgement.verdict
    if verdict is Verdict.ERROR:
        return "error"
    if is_waived(judgement):
        return "skipped"
    if has_expired(judgement) or verdict is Verdict.FAIL or (strict and verdict is Verdict.WARN):
        return "failure"
    return "skipped" if verdict in _SKIPPED else "system-out"


def _reason(judgement: Judgement, about: Requirement) -> str:
    said = next((finding.message for finding in judgement.findings if finding.message), "")
    return _clean(said or about.text.en)


def _told(judgement: Judgement, about: Requirement) -> str:
    """Requirement, then each finding: expected, actual, where, document, known deviation."""
    lines = [f"{judgement.severity.value}: {_clean(about.text.en)}"]
    for finding in judgement.findings:
        lines += ["", *_lines(finding, judgement.verdict)]
    if about.document:
        lines += ["", f"document: {_clean(about.document)}"]
    return "\n".join(lines)


def _lines(finding: Finding, verdict: Verdict) -> list[str]:
    lines = [_clean(finding.message)] if finding.message else []
    lines += [f"{name}: {shorten(value)}" for name, value in values(finding, verdict).items()]
    where = " in ".join(_clean(part) for part in (finding.at, finding.exchange) if part)
    lines += [f"where: {where}"] if where else []
    return [*lines, f"known deviation: {_clean(finding.deviation)}"] if finding.deviation else lines


def _total(element: ET.Element) -> None:
    """Write the counts that CI servers read from suites."""
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for attribute, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(kind) is not None for case in cases)))


def _clean(text: str) -> str:
    """Text without what XML forbids."""
    return visible(text, _LONGEST)
