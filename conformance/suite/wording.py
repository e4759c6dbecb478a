"""What a test says of its verdict: why it failed, why it was skipped, what the evidence is.

All of it is safe to show: relay text went through `visible`, keys were masked when the run was recorded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.model import Verdict
from conformance.reasons import finding
from conformance.reporting.curl import shown_curl
from conformance.reporting.evidence import seconds
from conformance.reporting.requirements import requirement
from conformance.reporting.summary import run_verdict, sentence, spent, waiver_line
from conformance.reporting.texts import HINTS, MEANINGS, RUN_VERDICTS, Text
from conformance.reporting.visible import shorten, visible, visible_bytes
from conformance.rules.base import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from conformance.model import Exchange, Finding, Judgement, Ledger, Provider, Stop

_MOST_OTHERS = 3
_MOST_SEEN = 6
_EXCERPT = 1_200
"""Bytes of an answer that are shown with a verdict; the ledger has the rest."""
_OPTION = re.compile(
    r"--(?=(?:concurrency|dear|generated|header|key-env|max-output-tokens|max-requests|model|no-key|out|profile|timeout|waivers)\b)"
)

_OF_OPTIONS = frozenset(finding(code).message for code in ("unsent", "no-model"))
"""Reasons of ours that speak of options."""


def in_our_options(text: str) -> str:
    """The text with the options of the command line as pytest has them."""
    return _OPTION.sub("--relay-", text)


def target(provider: Provider) -> str:
    """Which model, and where."""
    return visible(f"{provider.model} at {provider.base_url}")


def properties(judgement: Judgement) -> list[tuple[str, str]]:
    """What is written into `junit.xml` beside the outcome."""
    found = [
        ("rule", judgement.rule),
        ("operation", judgement.operation),
        ("severity", judgement.severity.value),
        ("verdict", judgement.verdict.label),
    ]
    return [*found, ("finding", brief(judgement))] if judgement.verdict in {Verdict.NOTE, Verdict.WARN} else found


def told(judgement: Judgement, ledger: Ledger) -> str:
    """Requirement, expected, actual, where, document, known deviation, curl: in this order, always."""
    about = requirement(judgement.rule, catalogue())
    first, *others = _violations(judgement)
    lines = [visible(about.text.en), "", *_compared(first, judgement.verdict)]
    lines += [f"where: {_place(first)}"]
    lines += [f"document: {visible(about.document)}"] if about.document else []
    lines += [f"known deviation: {visible(first.deviation)}"] if first.deviation else []
    lines += [f"also: {_said(finding)}, at {_place(finding)}" for finding in others[:_MOST_OTHERS]]
    lines += [f"and {len(others) - _MOST_OTHERS:,} more of the kind"] if len(others) > _MOST_OTHERS else []
    exchange = shown_exchange(judgement, ledger)
    return "\n".join([*lines, *(_again(exchange, ledger.provider) if exchange else ())])


def waived(judgement: Judgement) -> str:
    """Why a breach does not fail the test."""
    said = waiver_line(judgement.waiver) if judgement.waiver else ""
    return visible(f"{judgement.verdict.label}, {said} ({brief(judgement)})", 900)


def waiver_ended(judgement: Judgement, ledger: Ledger) -> str:
    """Why a test fails whose waiver has ended: it says so first, and then what is wrong, if anything is."""
    said = visible(waiver_line(judgement.waiver), 600) if judgement.waiver else ""
    broken = judgement.verdict in {Verdict.NOTE, Verdict.WARN, Verdict.FAIL, Verdict.ERROR}
    more = told(judgement, ledger) if broken else f"it would be {judgement.verdict.label} now: remove the waiver"
    return f"{said}\n\n{more}"


def skipped(judgement: Judgement) -> str:
    """Why a verdict is neither good nor bad."""
    if judgement.verdict is Verdict.NOT_APPLICABLE or not judgement.findings:
        why = MEANINGS[judgement.verdict].en.rstrip(".")
    else:
        found = _reasons(judgement)[0]
        why = _said(found)
        # Only our own reasons speak of options; what a relay says stays as it is.
        why = in_our_options(why) if found.message in _OF_OPTIONS else why
    return f"{judgement.verdict.label}: {why}"


def row(judgement: Judgement, ledger: Ledger) -> str:
    """All that a row of an HTML table says: the requirement, what was found, and an excerpt of the answer."""
    about = requirement(judgement.rule, catalogue())
    if judgement.verdict in {Verdict.NOTE, Verdict.WARN, Verdict.FAIL, Verdict.ERROR}:
        said = told(judgement, ledger)
    else:
        passed = judgement.verdict is Verdict.PASS
        why = f"seen in: {', '.join(judgement.exchanges[:_MOST_SEEN])}" if passed else skipped(judgement)
        said = "\n".join([visible(about.text.en), "", visible(why, 900), f"document: {visible(about.document)}"])
    exchange = shown_exchange(judgement, ledger)
    return f"{said}\n\nanswer to {answer(exchange)}" if exchange else said


def brief(judgement: Judgement) -> str:
    """The first finding in one line."""
    first = _violations(judgement)[0]
    return f"{_said(first)} ({_place(first)})"


def ended_early(stop: Stop) -> str:
    """Why a run ended before its plan did, and what to do about it."""
    hint = stop.hint or HINTS.get(stop.code, Text("", "")).en
    return visible(f"{stop.message}; {hint}" if hint else stop.message, 600)


def verdict_words(judgements: Sequence[Judgement], ledger: Ledger, *, strict: bool) -> Text:
    """The verdict of these judgements together, in one sentence."""
    word = RUN_VERDICTS[run_verdict(judgements, ledger, strict=strict)]
    said = sentence(judgements, ledger, strict=strict)
    return Text(f"{word.en}. {said.en}", f"{word.zh}: {said.zh}")


def facts(ledger: Ledger, path: Path) -> dict[str, str]:
    """What a reader must know about the run before trusting the verdict."""
    used = spent(ledger)
    found = {
        "relay": target(ledger.provider),
        "used": f"{used.requests:,} requests, {used.input_tokens:,} input tokens, "
        f"{used.output_tokens:,} output tokens, {ledger.seconds:.1f} s",
        "ledger": visible(str(path)),
    }
    if ledger.stop is not None:
        found["ended early"] = ended_early(ledger.stop)
    elif not ledger.complete:
        found["interrupted"] = "the record has no end"
    return found


def shown_exchange(judgement: Judgement, ledger: Ledger) -> Exchange | None:
    """The exchange that shows best what the verdict is about."""
    cited = [finding.exchange for finding in _violations(judgement)] if judgement.findings else []
    found = (ledger.by_case.get(case) for case in [*cited, *judgement.exchanges])
    return next((exchange for exchange in found if exchange is not None), None)


def answer(exchange: Exchange) -> str:
    """What came back, in an excerpt."""
    request, response, failure = exchange.request, exchange.response, exchange.failure
    lines = [f"{visible(exchange.case.id)}: {visible(f'{request.method} {request.url}')}"]
    if failure:
        lines.append(f"{visible(failure.kind)}: {visible(failure.detail)}")
    if response:
        lines.append(f"HTTP {response.status} {visible(exchange.media_type)}, {seconds(exchange.seconds)} s")
        text, more = visible_bytes(response.body, _EXCERPT)
        lines.append(f"{text}\n… ({more:,} more bytes in the ledger)" if more else text)
    return "\n".join(lines)


def _violations(judgement: Judgement) -> list[Finding]:
    """The findings, those first that point at something: reasons why an exchange shows nothing do not."""
    return sorted(judgement.findings, key=_is_reason)


def _reasons(judgement: Judgement) -> list[Finding]:
    """The findings, reasons first."""
    return sorted(judgement.findings, key=lambda finding: not _is_reason(finding))


def _is_reason(finding: Finding) -> bool:
    return not finding.at and finding.expected is None


def _said(finding: Finding) -> str:
    """A finding in one line."""
    values = []
    if finding.expected is not None:
        values.append(f"expected {shorten(finding.expected)}")
    if finding.actual is not None or values:
        values.append(f"actual {shorten(finding.actual)}" if values else _plain(finding.actual))
    return ": ".join(part for part in (visible(finding.message, 600), ", ".join(values)) if part)


def _compared(finding: Finding, verdict: Verdict) -> Iterator[str]:
    """What was expected and what was there."""
    if finding.message:
        yield visible(finding.message, 600)
    if verdict is Verdict.ERROR:
        yield f"error: {_plain(finding.actual)}"
    elif finding.expected is not None or finding.actual is not None:
        yield f"expected: {shorten(finding.expected)}"
        yield f"actual: {shorten(finding.actual)}"


def _plain(value: object) -> str:
    """A text as it is, any other value as JSON."""
    return visible(value) if isinstance(value, str) else shorten(value)


def _place(finding: Finding) -> str:
    return visible(" in ".join(part for part in (finding.at, finding.exchange) if part))


def _again(exchange: Exchange, provider: Provider) -> Iterator[str]:
    """How to send the request again."""
    line = shown_curl(exchange, provider)
    yield ""
    if line:
        yield f"curl (the key comes from the environment):\n{line}"
    else:
        yield "curl: the request is too long to print here; it is in the ledger"
