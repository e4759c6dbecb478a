"""Findings where a CI service shows them: GitHub's workflow commands, and GitLab's Code Quality report.

A runner takes orders from lines of output, so a relay's text must never begin one: see `_data` and `_property`.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from conformance.model import Severity, Verdict
from conformance.reporting.findings import values
from conformance.reporting.requirements import requirement
from conformance.reporting.summary import is_waived, sentence, worst_first
from conformance.reporting.visible import shorten, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.model import Judgement, Ledger
    from conformance.rules.base import Rule

MOST = 10
"""Annotations of a level that GitHub shows for one step; the last one says how many more there are."""
_LONGEST = 1_000
_MOST_ISSUES = 1_000
_BREACHES = {Verdict.ERROR, Verdict.FAIL, Verdict.WARN}


def github_lines(
    judgements: Sequence[Judgement],
    ledger: Ledger,
    rules: Mapping[str, Rule],
    *,
    strict: bool = False,
    worse: Sequence[Judgement] | None = None,
) -> list[str]:
    """Workflow commands: the verdict as a notice, then the findings, the worst first, at most `MOST` of each level.

    `worse`: what is worse than before, of a run that was held to a baseline; then everything else is but a notice.
    """
    said = sentence(judgements, ledger, strict=strict).en
    lines = [_command("notice", "relay-conformance", f"{visible(ledger.provider.title, 80)}: {said}")]
    levels: dict[str, list[Judgement]] = {"error": [], "warning": [], "notice": []}
    for judgement in worst_first(worse or ()):
        levels[_level(judgement, strict=strict)].append(judgement)
    told = {(each.rule, each.operation) for each in worse or ()}
    for judgement in _broken(judgements):
        if (judgement.rule, judgement.operation) not in told:
            levels[_level(judgement, strict=strict) if worse is None else "notice"].append(judgement)
    for level, found in levels.items():
        # One notice is taken already.
        most = MOST - (level == "notice")
        shown = found if len(found) <= most else found[: most - 1]
        lines += [_command(level, _title(each), _message(each, rules)) for each in shown]
        if len(found) > len(shown):
            more = f"{len(found) - len(shown):,} more findings of this level are in summary.md and report.html"
            lines.append(_command(level, "relay-conformance", more))
    return lines


def gitlab_text(judgements: Sequence[Judgement], rules: Mapping[str, Rule], *, strict: bool = False) -> str:
    """A Code Quality report: one issue for each broken rule and operation, whose fingerprint never changes."""
    issues = [_issue(judgement, rules, strict=strict) for judgement in _broken(judgements)[:_MOST_ISSUES]]
    return json.dumps(issues, indent=1) + "\n"


def _broken(judgements: Sequence[Judgement]) -> list[Judgement]:
    return [judgement for judgement in worst_first(judgements) if judgement.verdict in _BREACHES]


def _level(judgement: Judgement, *, strict: bool) -> str:
    if is_waived(judgement):
        return "notice"
    mild = judgement.verdict is Verdict.NOTE or (judgement.verdict is Verdict.WARN and not strict)
    return "warning" if mild else "error"


def _title(judgement: Judgement) -> str:
    waived = " (waived)" if is_waived(judgement) else ""
    return f"{judgement.severity.value} {judgement.rule} on {judgement.operation}{waived}"


def _message(judgement: Judgement, rules: Mapping[str, Rule]) -> str:
    """Requirement, then what was found: one line each."""
    return "\n".join([visible(requirement(judgement.rule, rules).text.en, _LONGEST), *_found(judgement)])


def _found(judgement: Judgement) -> Iterator[str]:
    for finding in judgement.findings[:1]:
        if finding.message:
            yield visible(finding.message)
        yield from (f"{name}: {shorten(value)}" for name, value in values(finding, judgement.verdict).items())
        where = " in ".join(visible(part, 120) for part in (finding.at, finding.exchange) if part)
        yield from [f"where: {where}"] if where else []


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_property(visible(title, 200))}::{_data(message)}"


def _data(text: str) -> str:
    """The message of a command, in the escapes that GitHub's own toolkit writes."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property of a command: a colon would end it, a comma begin another."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _issue(judgement: Judgement, rules: Mapping[str, Rule], *, strict: bool) -> dict[str, Any]:
    fingerprint = hashlib.sha256(f"{judgement.rule}\n{judgement.operation}".encode(errors="backslashreplace"))
    return {
        "description": f"{visible(_title(judgement), 200)}: {' · '.join(_message(judgement, rules).splitlines())}",
        "check_name": visible(judgement.rule, 200),
        "fingerprint": fingerprint.hexdigest(),
        "severity": _weight(judgement, strict=strict),
        # The format wants a file; what is wrong is in no file of the project, so the operation stands for one.
        "location": {"path": visible(judgement.operation, 80), "lines": {"begin": 1}},
    }


def _weight(judgement: Judgement, *, strict: bool) -> str:
    """One of GitLab's words; what is waived is only worth knowing."""
    if is_waived(judgement):
        return "info"
    if judgement.verdict is Verdict.WARN:
        return "major" if strict else "minor"
    return "critical" if judgement.severity is Severity.MUST else "major"
