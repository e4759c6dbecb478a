"""`report.html`: one run, requirement by requirement, with the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.model import Phase, Verdict
from conformance.refusals import GENERATED
from conformance.reporting.cards import OTHERS, by_operation, cards, cells, items
from conformance.reporting.causes import BREACHES
from conformance.reporting.client_rows import HEADINGS, client_rows
from conformance.reporting.client_rows import LOOKS as CLIENT_LOOKS
from conformance.reporting.evidence import anchors_by_case, evidence
from conformance.reporting.pages import page
from conformance.reporting.requests import claim_rows, coverage_lines, parameter_rows, smallest
from conformance.reporting.requirements import in_order, operation_title
from conformance.reporting.results import instant, tool
from conformance.reporting.scope import models_asked, not_run
from conformance.reporting.summary import columns, outlook, run_verdict, sentence, spent
from conformance.reporting.texts import AREAS, HINTS, RUN_VERDICTS, Text
from conformance.reporting.timeline import HEIGHT as LINE_HEIGHT
from conformance.reporting.timeline import WIDTH as LINE_WIDTH
from conformance.reporting.timing import WIDTH, timing
from conformance.reporting.visible import visible
from conformance.reporting.waiver_rows import LOOKS as WAIVER_LOOKS
from conformance.reporting.waiver_rows import STATES as WAIVER_STATES
from conformance.reporting.waiver_rows import waiver_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.clients.verdicts import ClientVerdict
    from conformance.model import Case, Judgement, Ledger
    from conformance.profiles import Profile
    from conformance.rules.base import Rule

MOST_OPEN = 60
"""Causes that are shown unfolded."""
_LOOKS = {
    "fine": "pass",
    "broken": "fail",
    "strayed": "warn",
    "asked": "warn",
    "unclear": "inconclusive",
    "unchecked": "not-applicable",
    "error": "error",
}
"""The verdict whose sign and colour an outlook has."""


def html_text(
    judgements: Sequence[Judgement],
    ledger: Ledger,
    rules: Mapping[str, Rule],
    *,
    strict: bool = False,
    profile: Profile | None = None,
    clients: Sequence[ClientVerdict] = (),
) -> str:
    """The page's text; with a profile, it lists what that provider's own page names, with clients how they fare."""
    return page(
        "report.html.j2",
        ("report.css", "report.js"),
        **_head(judgements, ledger, strict=strict),
        **_content(judgements, ledger, rules),
        coverage=coverage_lines(_answered(ledger), profile),
        claims=claim_rows(profile, judgements, ledger),
        page_title=profile.title if profile else "",
        clients=client_rows(clients),
        client_headings=HEADINGS,
        client_looks=CLIENT_LOOKS,
    )


def _head(judgements: Sequence[Judgement], ledger: Ledger, *, strict: bool) -> dict[str, Any]:
    """What stands on the first screen."""
    stop = ledger.stop
    verdict = run_verdict(judgements, ledger, strict=strict)
    name = visible(ledger.provider.title, 120)
    return {
        "name": Text(*(f"{name} · {said}" for said in RUN_VERDICTS[verdict])),
        "provider": ledger.provider,
        "started": instant(ledger.started),
        "tool": tool(),
        "recorder": ledger.tool,
        "strict": strict,
        "verdict": verdict,
        "sentence": sentence(judgements, ledger, strict=strict),
        "outlooks": [(name, *_outlook(judgements, name)) for name in AREAS],
        "spent": spent(ledger),
        "run_seconds": f"{ledger.seconds:,.1f}",
        "stop": stop,
        "stop_said": Text(stop.message or stop.zh, stop.zh or stop.message) if stop else Text("", ""),
        "hint": _hint(ledger),
        "complete": ledger.complete,
        "planned": len(ledger.plan),
        "missing": _missing(ledger),
        "models": models_asked(ledger),
        "only_rules": ledger.rules,
    }


def _outlook(judgements: Sequence[Judgement], name: str) -> tuple[str, Text]:
    state, said = outlook(judgements, name)
    return _LOOKS[state], said


def _hint(ledger: Ledger) -> Text:
    """What to do about a run that stopped, in both languages as far as we know it."""
    if ledger.stop is None:
        return Text("", "")
    known = HINTS.get(ledger.stop.code, Text("", ""))
    return Text(ledger.stop.hint or known.en, known.zh or ledger.stop.hint)


def _answered(ledger: Ledger) -> list[Case]:
    """The cases that got an answer."""
    return [exchange.case for exchange in ledger.exchanges if exchange.answered]


def _missing(ledger: Ledger) -> int:
    """How many planned cases have no exchange that was sent."""
    sent = {
        exchange.case.id
        for exchange in ledger.exchanges
        if exchange.failure is None or exchange.failure.kind != "unsent"
    }
    return sum(case.id not in sent for case in ledger.plan)


def _content(judgements: Sequence[Judgement], ledger: Ledger, rules: Mapping[str, Rule]) -> dict[str, Any]:
    """What stands below: matrix, cards, exchanges, timing."""
    exchanges = evidence(ledger, _cited(judgements))
    anchors = anchors_by_case(exchanges)
    found = cards(judgements, rules, anchors, smallest(ledger))
    return {
        "columns": columns(judgements),
        "rows": cells(judgements, found),
        "breaches": items(found, ledger.by_case, rules, BREACHES),
        "others": items(found, ledger.by_case, rules, OTHERS),
        "most_open": MOST_OPEN,
        "waivers": waiver_rows(found, rules),
        "passed": by_operation(found, Verdict.PASS),
        "not_applicable": by_operation(found, Verdict.NOT_APPLICABLE),
        "checks_not_run": by_operation(found, Verdict.NOT_RUN),
        "verdicts": sorted({judgement.verdict for judgement in judgements}, reverse=True),
        "operations": [(name, operation_title(name)) for name in in_order({each.operation for each in judgements})],
        "not_run": not_run(ledger),
        "exchanges": exchanges,
        "links": {item.case: item.anchor for item in exchanges if item.judged},
        "parameters": parameter_rows(ledger, anchors),
        "generated": sum(GENERATED in case.probes and case.phase is Phase.VALID for case in _answered(ledger)),
        "timing": timing(ledger),
        "width": WIDTH,
        "line_size": (LINE_WIDTH, LINE_HEIGHT),
        "waiver_states": WAIVER_STATES,
        "waiver_looks": WAIVER_LOOKS,
    }


def _cited(judgements: Sequence[Judgement]) -> dict[str, dict[str, bool]]:
    """Case id -> the places that findings point at, each with whether something is missing there."""
    found: dict[str, dict[str, bool]] = {}
    for judgement in judgements:
        if judgement.verdict in _POINTING:
            for finding in judgement.findings:
                found.setdefault(finding.exchange, {}).setdefault(finding.at, finding.actual in _MISSING)
    return found


_POINTING = BREACHES | {Verdict.NOTE}
_MISSING = (None, "absent")
