"""Breaches grouped by cause: one mistake of a relay that trips twelve rules is one cause with twelve judgements.

Judgements belong together when most of what they found bears the same known label, stands at the same place of the
same answer, comes from the same answer that is none (HTTP 500, a web page), or stands at the same place of several
operations with the same kinds of values. A place that says little (the whole body, the status) joins nothing but
judgements of one rule: two causes that are one is a smaller mistake than one cause that is two.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance.deviations import DEVIATIONS
from conformance.model import Expectation, Severity, Verdict
from conformance.reporting.requirements import in_order, requirement
from conformance.reporting.texts import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from conformance.model import Exchange, Finding, Judgement
    from conformance.rules.base import Rule

BREACHES = frozenset({Verdict.ERROR, Verdict.FAIL, Verdict.WARN})
_COMPARED = BREACHES | {Verdict.NOTE}
_INDEX = re.compile(r"/(?:\d+|\*)(?=/|$)")
_EVENT = re.compile(r"^/events/\*(?=/)")
_DIGITS = re.compile(r"\d+")
_VAGUE = frozenset({"", "status", "/events/*"})
_SEVERITIES = list(Severity)
_SAME = {"delta": "message"}
"""Names that mean the same thing in a stream and in a plain answer."""
_TAIL = 2
_SAID = 40
"""How many characters of an error's message tell it from others."""

Key = tuple[str, ...]


@dataclass(frozen=True)
class Cause:
    """Judgements that most likely have one reason, worst first."""

    judgements: tuple[Judgement, ...]
    kind: str
    """What they have in common: `label`, `answer`, or `rule` where it is no more than their places."""
    subject: str
    """The label, or what came instead of an answer: `html`, `error`, or a status; else empty."""

    @property
    def lead(self) -> Judgement:
        """The worst of them, whose words stand for all."""
        return self.judgements[0]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict."""
        return self.lead.verdict

    @property
    def operations(self) -> list[str]:
        """Each operation once, in the usual order."""
        return in_order({judgement.operation for judgement in self.judgements})


def causes(
    judgements: Iterable[Judgement],
    exchanges: Mapping[str, Exchange],
    verdicts: frozenset[Verdict] | set[Verdict] = BREACHES,
) -> list[Cause]:
    """The causes of all judgements that have one of these verdicts, worst first; `exchanges` by case id."""
    wanted = [judgement for judgement in judgements if judgement.verdict in verdicts]
    strange = {name: seen for name, exchange in exchanges.items() if (seen := _instead(exchange))}
    broad = {each.rule for each in wanted if any(finding.exchange not in strange for finding in each.findings)}
    keys = [_keys(judgement, {} if judgement.rule in broad else strange) for judgement in wanted]
    found = [_cause([wanted[place] for place in group], [keys[place] for place in group]) for group in _joined(keys)]
    return sorted(found, key=lambda cause: (-cause.verdict, -len(cause.judgements)))


def title(cause: Cause, rules: Mapping[str, Rule]) -> Text:
    """What to call a cause: what is known of it, or the requirement of its worst rule."""
    if len(cause.judgements) > 1 and cause.kind == "label" and cause.subject in DEVIATIONS:
        known = DEVIATIONS[cause.subject]
        return Text(known.text[:1].upper() + known.text[1:], known.zh)
    if len(cause.judgements) > 1 and cause.kind == "answer":
        return _ANSWERS.get(cause.subject) or Text(
            f"Requests are answered with HTTP {cause.subject}", f"请求得到 HTTP {cause.subject}"
        )
    return requirement(cause.lead.rule, rules).text


_ANSWERS = {
    "html": Text("A web page comes instead of an answer", "返回的是网页而不是回答"),
    "error": Text("A good request is answered with an error", "合法的请求得到错误"),
}


def _cause(members: Sequence[Judgement], keys: Sequence[frozenset[Key]]) -> Cause:
    """Put the worst first, of these the rule that speaks most often, and see what most of them share."""
    often = Counter(each.rule for each in members)
    ordered = sorted(members, key=lambda each: (-each.verdict, _SEVERITIES.index(each.severity), -often[each.rule]))
    shared = Counter(key for each in keys for key in each if key[0] in {"label", "instead"})
    (best, count), *_ = [*shared.most_common(1), (("rule", ""), len(members))]
    kind, subject = (best[0], best[1]) if 2 * count > len(members) else ("rule", "")
    return Cause(tuple(ordered), {"instead": "answer"}.get(kind, kind), subject)


def _keys(judgement: Judgement, strange: Mapping[str, Key]) -> frozenset[Key]:
    """What at least half of a judgement's findings have in common with each other, and may have with others.

    `strange`: what came instead of an answer, by case; empty for a rule that good answers break as well.
    """
    found = Counter(key for finding in judgement.findings for key in set(_signs(judgement, finding, strange)))
    return frozenset(key for key, count in found.items() if 2 * count >= len(judgement.findings))


def _signs(judgement: Judgement, finding: Finding, strange: Mapping[str, Key]) -> Iterator[Key]:
    """Everything by which one finding may belong to others."""
    if judgement.verdict not in _COMPARED:
        yield ("reason", judgement.verdict.label, finding.message or finding.zh or judgement.rule)
        return
    if finding.deviation:
        yield ("label", finding.deviation)
    place = _INDEX.sub("/*", finding.at)
    kinds = (_expected(finding.expected), _kind(finding.actual))
    yield ("rule", judgement.rule, _EVENT.sub("", place), *kinds)
    if place not in _VAGUE:
        yield ("place", finding.exchange, place)
        yield ("tail", _tail(place), *kinds)
    if finding.exchange in strange:
        yield ("exchange", finding.exchange)
        yield ("instead", *strange[finding.exchange])


def _tail(place: str) -> str:
    """The last names of a place: the same field of several operations, streamed or not."""
    names = [_SAME.get(name, name) for name in place.split("/") if name not in {"", "*", "events"}]
    return "/".join(names[-_TAIL:])


def _expected(value: Any) -> str:
    """What was wanted: words as they are, values by their kind."""
    return value if isinstance(value, str) else _kind(value)


def _kind(value: Any) -> str:
    """The kind of a value; a status by its class, and what is not there by that."""
    if value == "absent" or value is None:
        return "absent"
    if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
        return f"{value // 100}xx"
    return "number" if isinstance(value, float) else type(value).__name__


def _instead(exchange: Exchange) -> Key | None:
    """What came instead of an answer or a plain refusal, and what its error says; None where one came."""
    body = exchange.response.body[:20].lstrip().lower() if exchange.response else b""
    if exchange.media_type == "text/html" or body.startswith((b"<!doctype", b"<html")):
        return "html", ""
    said = _DIGITS.sub("0", str((exchange.error or {}).get("message", ""))[:_SAID])
    if exchange.status >= 500:
        return str(exchange.status), said
    if exchange.case.expect is Expectation.SUCCESS and (exchange.status >= 400 or exchange.error):
        return "error", f"{exchange.status} {said}"
    return None


def _joined(keys: Sequence[frozenset[Key]]) -> list[list[int]]:
    """Places that share a key, directly or through others; each group and all groups in the order given."""
    parents = list(range(len(keys)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    first: dict[Key, int] = {}
    for place, its in enumerate(keys):
        for key in its:
            one, other = sorted((root(first.setdefault(key, place)), root(place)))
            parents[other] = one
    groups: dict[int, list[int]] = {}
    for place in range(len(keys)):
        groups.setdefault(root(place), []).append(place)
    return list(groups.values())
