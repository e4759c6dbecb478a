"""Whether a provider is good for a purpose: what each answer follows from, and what it does not claim."""

from __future__ import annotations

import pytest

from conformance.comparison.markdown import markdown_text
from conformance.comparison.purposes import PURPOSES, Fit, answer, suited
from conformance.model import Severity, Verdict
from conformance.outcomes import Key

from .comparisons import comparison, outcome, side

RERANK = next(purpose for purpose in PURPOSES if purpose.name == "rerank")
PASS, WARN, FAIL = Verdict.PASS, Verdict.WARN, Verdict.FAIL
UNSUPPORTED, INCONCLUSIVE, NOT_RUN = Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE, Verdict.NOT_RUN


def reranking(*verdicts: Verdict):
    """A provider with these verdicts on requirements of reranking."""
    rules = ("rerank.results.count", "rerank.input.required", "rerank.order.by-score")
    found = [
        outcome(Key(rule, "rerank"), verdict, severity=Severity.SHOULD if verdict is WARN else Severity.MUST)
        for rule, verdict in zip(rules, verdicts, strict=False)
    ]
    return side("Alpha", *found)


@pytest.mark.parametrize(
    ("verdicts", "fit"),
    [
        ((PASS, PASS), Fit.YES),
        ((PASS, WARN), Fit.LIMITS),
        ((PASS, UNSUPPORTED), Fit.LIMITS),
        ((PASS, FAIL), Fit.BROKEN),
        ((FAIL, UNSUPPORTED), Fit.BROKEN),
        ((UNSUPPORTED, UNSUPPORTED), Fit.ABSENT),
        ((PASS, INCONCLUSIVE), Fit.UNKNOWN),
        ((NOT_RUN, INCONCLUSIVE), Fit.UNKNOWN),
        ((NOT_RUN, NOT_RUN), Fit.UNASKED),
        ((Verdict.NOT_APPLICABLE,), Fit.UNKNOWN),
    ],
)
def test_the_answer_follows_from_verdicts(verdicts: tuple[Verdict, ...], fit: Fit):
    assert answer(RERANK, reranking(*verdicts)).fit is fit


@pytest.mark.parametrize(("verdict", "said"), [(UNSUPPORTED, "not offered"), (NOT_RUN, "not asked")])
def test_what_is_not_there_is_not_blamed_on_rules(verdict: Verdict, said: str):
    found = comparison(reranking(verdict, verdict), side("Beta"))
    line = next(each for each in markdown_text(found).splitlines() if each.startswith("| Reranking"))

    assert line.split("|")[2].strip() == said


def test_embeddings_say_nothing_of_reranking():
    embeds = outcome(Key("embeddings.usage.counts", "embeddings"))
    rows = {
        row.purpose.name: row.answers["Alpha"].fit for row in suited(comparison(side("Alpha", embeds), side("Beta")))
    }

    assert rows["embeddings"] is Fit.YES
    assert "rerank" not in rows


def test_what_holds_everywhere_is_no_reason_to_say_yes():
    general = (outcome(Key(rule, "rerank")) for rule in ("http.body.json", "error.success.no-error"))

    assert answer(RERANK, side("Alpha", *general)).fit is Fit.UNKNOWN
