"""What the report puts on the clipboard for a ticket: plain text in the language that is shown, harmless anywhere."""

import re
from itertools import pairwise

import pytest

from browser import dressing
from browser.hostile import MARK
from conformance.reporting.curl import curl
from conformance.reporting.requirements import operation_title
from conformance.reporting.results import instant
from conformance.reporting.visible import is_harmless

pytestmark = pytest.mark.xdist_group("browser-switches")
LABELS = {
    "en": ("Conformance finding: ", "What goes wrong: ", "Expected: ", "Actual: ", "Where: ", "Exchange: ", "fail"),
    "zh": ("一致性检测发现：", "后果：", "预期：", "实际：", "位置：", "请求与响应：", "不符合"),
}
RULE = "chat.usage.adds-up"
PRESS = """(button) => { button.click(); return new Promise((done) => setTimeout(done, 20)); }"""


def tickets(page):
    """The text of every ticket of the page."""
    found = []
    for button in page.locator("button.ticket").element_handles():
        button.evaluate(PRESS)
        found.append(page.evaluate("navigator.clipboard.readText()"))
    return found


@pytest.mark.parametrize("language", LABELS)
def test_a_ticket_says_what_the_report_says_in_its_language(visit, workshop, language):
    shown = dressing.scene(workshop.small[0])
    judgement = next(each for each in shown.judgements if each.rule == RULE)
    finding, rule = judgement.findings[0], shown.rules[RULE]
    text = next(each for each in tickets(visit("report", "small", query=f"lang={language}").page) if RULE in each)
    english = language == "en"
    head, breaks, expected, actual, where, exchange, verdict = LABELS[language]

    lines = text.splitlines()
    assert lines[0] == f"{head}{shown.ledger.provider.title}"
    assert any(instant(shown.ledger.started)[:10] in line for line in lines)
    assert [line for line in lines if line][5:11] == [  # five lines say who was asked, and when
        (rule.requirement if english else rule.zh).replace("`", ""),
        f"{verdict} · MUST · {RULE} · {operation_title('chat').en if english else operation_title('chat').zh}",
        f"{breaks}{rule.breaks if english else rule.breaks_zh}",
        f"{expected}{finding.expected}",
        f"{actual}{finding.actual}",
        f"{where}{finding.at}",
    ]
    assert f"{exchange}{finding.exchange}" in lines
    assert text.endswith(curl(shown.ledger.by_case[finding.exchange], shown.ledger.provider))


def test_what_many_operations_have_in_common_is_said_once(visit):
    text = next(each for each in tickets(visit("report", "small").page) if "content-type.json" in each)

    assert text.count("What goes wrong") == text.count("curl -sS") == 1
    assert text.count("Exchange: ") == len(re.findall(r"http\.content-type\.json", text)) > 10
    assert all(left or right for left, right in pairwise(text.splitlines()))


def test_why_a_finding_is_waived_is_not_told_to_the_provider(visit):
    page = visit("report", "small").page

    assert "ticket 4711" in page.locator("#waivers").locator("..").inner_text()
    assert "ticket 4711" not in "".join(tickets(page))


@pytest.mark.parametrize("kind", ["hostile", "shaped"])
def test_hostile_words_in_a_ticket_are_harmless_in_a_terminal(visit, kind):
    texts = tickets(visit("report", kind).page)

    assert texts
    for text in texts:
        assert MARK in text
        assert is_harmless(text, lines=True)
