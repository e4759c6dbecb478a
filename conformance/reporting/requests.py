"""What the reports say of requests rather than of answers: parameters, the page's endpoints, smallest failures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.amounts import GENERATED_OPERATIONS
from conformance.model import Phase, Verdict
from conformance.planning import request_schemas
from conformance.refusals import GENERATED
from conformance.reporting.curl import key_variable, shown_curl
from conformance.reporting.summary import worst_first
from conformance.reporting.texts import PARTS, SUPPORT, VERDICTS, Text
from conformance.reporting.visible import visible
from conformance.roles import role_of_variant
from conformance.support import Support, parameter_support

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from conformance.model import Case, Exchange, Judgement, Ledger, Minimised, Provider
    from conformance.profiles import Claim, Profile
    from conformance.reporting.evidence import Evidence

_MOST_MISSING = 12
CHATS = frozenset({"chat", "chat.stream"})
_OK = range(200, 300)
_UNJUDGED = frozenset({Verdict.NOT_RUN, Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE})
LOOKS = {
    Support.HONOURED: "pass",
    Support.ACCEPTED: "pass",
    Support.IGNORED: "warn",
    Support.REFUSED: "unsupported",
    Support.BREAKS: "fail",
}
"""The verdict whose sign and colour a kind of support has."""


@dataclass(frozen=True)
class ParameterRow:
    """One line of the matrix of parameter support."""

    parameter: str
    look: str
    said: Text
    sent: int
    shown: Evidence | str
    """The exchange that shows it; the bare id of a case that has none here."""
    refused: int
    """How often it was refused where it was not always."""
    beside: str


@dataclass(frozen=True)
class Smallest:
    """The smallest request that still fails, as JSON and as a curl line."""

    requests: int
    complete: bool
    body: str
    curl: str
    key: str


@dataclass(frozen=True)
class CoverageLine:
    """One kind of part of the request schemas: how many there are, how many are covered, and what is not."""

    kind: Text
    covered: int
    total: int
    missing: tuple[str, ...]
    more: int


@dataclass(frozen=True)
class ClaimRow:
    """One entry of the page's navigation, and what is known of it."""

    title: str
    operation: str
    method: str
    state: str
    """checked, variant, missing or unchecked"""
    look: str
    said: Text


def parameter_rows(ledger: Ledger, shown: Mapping[str, Evidence]) -> list[ParameterRow]:
    """The matrix of parameter support."""
    return [
        ParameterRow(
            parameter=row.parameter,
            look=LOOKS[row.support],
            said=SUPPORT[row.support.value],
            sent=row.sent,
            shown=shown.get(row.exchange, row.exchange),
            refused=row.refused if row.support is not Support.REFUSED else 0,
            beside=", ".join(row.beside),
        )
        for row in parameter_support(ledger)
    ]


def smallest(ledger: Ledger) -> dict[tuple[str, str], Smallest]:
    """The smallest failing request by rule and operation; the shortest one where there are several."""
    found = [each for each in ledger.minimised if each.reproduced]
    found.sort(key=lambda each: -len(each.exchange.request.body))
    return {(each.rule, each.result.operation): smallest_of(each, ledger.provider) for each in found}


def smallest_of(found: Minimised, provider: Provider) -> Smallest:
    """What is left of one failing case."""
    line = shown_curl(found.exchange, provider)
    return Smallest(
        requests=found.requests,
        complete=found.complete,
        body=visible(_indented(found.exchange), 4_000, lines=True),
        curl=line,
        key=key_variable(line, provider),
    )


def _indented(exchange: Exchange) -> str:
    """The body as it was sent, one field a line."""
    try:
        return json.dumps(json.loads(exchange.request.body), ensure_ascii=False, indent=2)
    except ValueError:
        return exchange.request.body.decode(errors="replace")


def coverage_lines(cases: Iterable[Case], profile: Profile | None) -> list[CoverageLine]:
    """How much of the request schemas in force the valid generated cases cover; empty where none was generated."""
    good = [case for case in cases if GENERATED in case.probes and case.phase is Phase.VALID]
    bodies = [case.body for case in good if case.operation in CHATS and case.body]
    return [*(_chat_lines(bodies, profile) if bodies else ()), *_other_lines(good)]


def _chat_lines(bodies: Sequence[Mapping[str, Any]], profile: Profile | None) -> list[CoverageLine]:
    """One line for each kind of part of what a chat request may have."""
    from conformance.generate.parts import coverage  # noqa: PLC0415 - reads schemas; most reports need none of it

    parts: dict[str, tuple[str, str]] = {}
    covered: set[str] = set()
    for schema in request_schemas(profile):
        found = coverage(bodies, schema)
        parts |= {part.id: (part.kind, part.words) for part in found.parts}
        covered |= found.covered
    return [_coverage_line(kind, parts, covered) for kind in dict.fromkeys(kind for kind, _ in parts.values())]


def _other_lines(good: Sequence[Case]) -> Iterator[CoverageLine]:
    """One line for each other operation."""
    for operation in GENERATED_OPERATIONS:
        streamed = f"{operation.partition('.')[0]}.stream"
        cases = [case for case in good if case.operation in {operation, streamed} - CHATS]
        if cases:
            from conformance.generate.covered import operation_coverage  # noqa: PLC0415 - as above

            found = operation_coverage(operation, cases)
            missing = [part.words for part in found.missing]
            kind = Text(f"parts of {operation} requests", f"{operation} 请求的组成部分")
            shown = tuple(missing[:_MOST_MISSING])
            total = len(found.parts)
            yield CoverageLine(kind, total - len(missing), total, shown, len(missing) - len(shown))


def _coverage_line(kind: str, parts: Mapping[str, tuple[str, str]], covered: set[str]) -> CoverageLine:
    wanted = [part for part, (its_kind, _) in parts.items() if its_kind == kind]
    missing = [parts[part][1] for part in wanted if part not in covered]
    shown = tuple(missing[:_MOST_MISSING])
    return CoverageLine(
        PARTS[kind], len(wanted) - len(missing), len(wanted), shown, max(0, len(missing) - _MOST_MISSING)
    )


def claim_rows(
    profile: Profile | None, judgements: Sequence[Judgement], ledger: Ledger | None = None
) -> list[ClaimRow]:
    """Every endpoint that the page names: judged, missing, or not yet checked.

    With the ledger, a variant of chat counts as checked where the model that stands for it gave an answer.
    """
    if profile is None:
        return []
    worst = {judgement.operation: judgement for judgement in reversed(worst_first(judgements))}
    judged = {judgement.operation for judgement in judgements if judgement.verdict not in _UNJUDGED}
    missing = {
        judgement.operation
        for judgement in judgements
        if judgement.rule == "documented.operation.offered" and judgement.verdict is Verdict.FAIL
    }
    variants = variant_verdicts(ledger, judgements) if ledger else {}
    rows = []
    for claim in profile.claims:
        if claim.kind == "endpoint":
            state = _state(claim, judged, missing)
            verdict = worst[claim.operation].verdict if state == "checked" else None
            role = role_of_variant(claim.variant) if state == "variant" and claim.operation in CHATS else ""
            if role in variants:
                state, verdict = "checked", variants[role]
            look = _CLAIM_LOOKS[state] if verdict is None else verdict.label
            said = SUPPORT[state] if verdict is None else _checked(verdict)
            rows.append(ClaimRow(claim.title, claim.operation, claim.method, state, look, said))
    return rows


def variant_verdicts(ledger: Ledger, judgements: Sequence[Judgement]) -> dict[str, Verdict]:
    """The worst verdict on what each model answered that stands for a variant of chat, by its role."""
    asked = {
        exchange.case.id: exchange.case
        for exchange in ledger.exchanges
        if exchange.case.role and exchange.case.operation in CHATS
    }
    found = {case.role: Verdict.PASS for name, case in asked.items() if _shows(ledger.by_case[name])}
    for judgement in judgements:
        if judgement.verdict not in _UNJUDGED:
            for finding in judgement.findings:
                role = asked[finding.exchange].role if finding.exchange in asked else ""
                if role in found:
                    found[role] = max(found[role], judgement.verdict)
    return found


def _shows(exchange: Exchange) -> bool:
    """Whether an exchange is a good answer to what makes a variant one: pictures need a picture."""
    return (
        exchange.answered and exchange.status in _OK and (exchange.case.role != "vision" or bool(exchange.case.feature))
    )


def _checked(verdict: Verdict) -> Text:
    """That an endpoint was checked, and what came of it."""
    words, said = VERDICTS[verdict], SUPPORT["checked"]
    return Text(said.en.format(verdict=words.en), said.zh.format(verdict=words.zh))


_CLAIM_LOOKS = {"missing": "fail", "variant": "not-applicable", "unchecked": "not-applicable"}


def _state(claim: Claim, judged: set[str], missing: set[str]) -> str:
    """What is known of an entry; of an operation's variants only the plain form is checked."""
    if claim.operation in missing:
        return "missing"
    if claim.operation not in judged:
        return "unchecked"
    return "variant" if claim.variant else "checked"
