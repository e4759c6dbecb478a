"""A page of a thousand rules and three thousand exchanges can still be mailed."""

from dataclasses import replace

from report import samples

from conformance.model import Severity, Verdict
from conformance.reporting.html import html_text

RULES = 1_000
MOST = 10_000_000


def test_a_thousand_rules_of_three_exchanges_stay_under_ten_megabytes():
    exchanges = [samples.exchange(f"chat/case-{number}") for number in range(3 * RULES)]
    rules = {f"chat.rule-{number}": samples.rule(f"chat.rule-{number}") for number in range(RULES)}
    judgements = [
        samples.judgement(
            rule,
            Verdict.FAIL,
            severity=Severity.MUST,
            exchanges=tuple(each.case.id for each in exchanges[3 * number : 3 * number + 3]),
            findings=tuple(
                replace(samples.finding(), exchange=each.case.id) for each in exchanges[3 * number : 3 * number + 3]
            ),
        )
        for number, rule in enumerate(rules)
    ]

    assert len(html_text(judgements, samples.ledger(*exchanges), rules).encode()) < MOST
