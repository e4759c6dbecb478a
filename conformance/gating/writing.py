"""The gate as files: `diff.json` for programs, `diff.md` for a pull request or a job's summary."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from conformance.gating.files import key_text
from conformance.gating.nouns import Change, Evidence, Gate, Pace, Record
from conformance.gating.rounds import plan_digest
from conformance.gating.words import (
    ENDED,
    HINTS,
    MOST_ALIKE,
    TITLES,
    by_reason,
    ended,
    headline,
    link,
    moved,
    parted,
    sections,
    spoken,
)
from conformance.model import Finding, Verdict, Waiver
from conformance.reporting.findings import values
from conformance.reporting.markdown import code, prose
from conformance.reporting.requirements import requirement
from conformance.reporting.results import tool, waiver_value
from conformance.reporting.summary import waiver_line
from conformance.reporting.visible import bounded, shorten
from conformance.rules.base import catalogue
from conformance.whole_files import write_whole

FORMAT = 1
MOST = 25
"""Changes of one kind that `diff.md` lists."""
LONGEST = 2_000
"""Characters of a value that `diff.json` keeps."""
_WORDS = {0: "same", 1: "worse", 2: "stale", 6: "inconclusive", 7: "error"}


def write_gate(gate: Gate, folder: Path) -> dict[str, Path]:
    """Write both files, return their paths by name; raises OSError where they cannot be written."""
    texts = {
        "diff.json": json.dumps(document(gate), indent=1, allow_nan=False) + "\n",
        "diff.md": "\n".join(_markdown(gate)) + "\n",
    }
    return {name: write_whole(folder / name, text) for name, text in texts.items()}


def document(gate: Gate) -> dict[str, Any]:
    """`diff.json` as a JSON value; its format is `schemas/formats/diff.json`."""
    return {
        "format": FORMAT,
        "tool": tool(),
        "verdict": _WORDS[gate.exit_code],
        "exit_code": gate.exit_code,
        "baseline": _side(gate.baseline),
        "run": _side(gate.run),
        "notes": list(gate.notes),
        "waivers": [waiver_value(waiver) for waiver in gate.run.waivers],
        "common": gate.common,
        "same": gate.same,
        "skipped": gate.skipped,
        "changes": [_change(change) for change in gate.changes],
        "timings": [_pace(pace) for pace in gate.paces],
    }


def _side(record: Record) -> dict[str, Any]:
    return {
        "name": record.name,
        "base_url": record.base_url,
        "model": record.model,
        "recorded": list(record.recorded),
        "plan": plan_digest(dict(record.cases)),
        "planned": len(record.cases),
        "rules": list(record.rules),
    }


def _change(change: Change) -> dict[str, Any]:
    evidence = change.evidence
    return {
        "kind": change.kind.value,
        "rule": change.key.rule,
        "operation": change.key.operation,
        "was": change.was.label if change.was is not None else None,
        "now": change.now.label if change.now is not None else None,
        "why": change.why,
        "new_signs": list(change.signs),
        "round": evidence.round if evidence else None,
        "case": evidence.case if evidence else None,
        "finding": _finding(evidence.finding) if evidence and evidence.finding else None,
        "report": link(change) if evidence else None,
        "waiver": waiver_value(change.waiver) if change.waiver else None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "at": finding.at,
        "expected": bounded(finding.expected, LONGEST),
        "actual": bounded(finding.actual, LONGEST),
        "message": finding.message,
        "deviation": finding.deviation or None,
    }


def _pace(pace: Pace) -> dict[str, Any]:
    return {
        "operation": pace.operation,
        "what": pace.what,
        "verdict": pace.tempo.value,
        "why": pace.why,
        "was": asdict(pace.was),
        "now": asdict(pace.now),
    }


def _markdown(gate: Gate) -> Iterator[str]:
    """Sentence, sides, sections: everything that is not ours stands in code spans."""
    said = headline(gate)
    yield from [f"## {said.en}", "", said.zh, ""]
    for word, side in (("then · 当时", gate.baseline), ("now · 现在", gate.run)):
        when = f"{side.recorded[0]}, {side.rounds} × "
        yield f"- {word}: {code(side.model)} · {code(side.base_url)} ({when}{len(side.cases):,} requests)"
    yield from (f"- {code(note, 600)}" for note in gate.notes)
    yield from _ended(gate.run.ended)
    for kind, changes in sections(gate):
        yield from ["", f"### {TITLES[kind].en} · {TITLES[kind].zh} ({len(changes):,})", ""]
        single, alike = parted(changes)
        for change in single[:MOST]:
            yield from _listed(change)
        yield from [f"- … and {len(single) - MOST:,} more in `diff.json`"] if len(single) > MOST else []
        yield from _alike(alike)
        yield from ["", f"{HINTS[kind]}"] if kind in HINTS else []
    told = [pace for pace in gate.paces if pace.tempo.value in {"slower", "faster"}]
    yield from ["", f"### Time · 耗时 ({len(told):,})", ""] if told else []
    yield from (f"- {code(spoken(pace))}" for pace in told[:MOST])
    yield from ["", f"{gate.same:,} unchanged · 没有变化"]


def _ended(waivers: Sequence[Waiver]) -> Iterator[str]:
    """The waivers that fail the gate, each with who answers for it."""
    if waivers:
        yield from ["", f"### {ENDED.en} · {ENDED.zh} ({len(waivers):,})", ""]
    yield from (f"- {code(ended(waiver), 600)}" for waiver in waivers[:MOST])
    yield from [f"- … and {len(waivers) - MOST:,} more in `diff.json`"] if len(waivers) > MOST else []


def _alike(changes: Sequence[Change]) -> Iterator[str]:
    """By their reason, which is mostly one for very many."""
    groups = by_reason(changes)
    for reason, found in list(groups.items())[:MOST]:
        names = ", ".join(f"{code(key_text(each.key), 170)} {moved(each)}" for each in found[:MOST_ALIKE])
        more = f" and {len(found) - MOST_ALIKE:,} more in `diff.json`" if len(found) > MOST_ALIKE else ""
        yield f"- {len(found):,} × {code(reason, 300)}: {names}{more}"
    yield from [f"- … and {len(groups) - MOST:,} other reasons in `diff.json`"] if len(groups) > MOST else []


def _listed(change: Change) -> Iterator[str]:
    """One change with its requirement, in both languages, and what shows it."""
    yield f"- {code(change.key.rule, 80)} · {code(change.key.operation, 80)}: {moved(change)}"
    rules = catalogue()
    if change.key.rule in rules:
        yield from (f"  <br>{prose(text)}" for text in requirement(change.key.rule, rules).text)
    if change.why:
        yield f"  - {code(change.why)}"
    if change.waiver:
        yield f"  - {code(waiver_line(change.waiver), 600)}"
    if change.signs:
        yield f"  - new: {code(', '.join(change.signs))}"
    if change.evidence and change.now is not None:
        yield from _shown(change.evidence, change.now)


def _shown(evidence: Evidence, verdict: Verdict) -> Iterator[str]:
    """What was expected, what was there, and where."""
    finding = evidence.finding or Finding()
    yield from [f"  - {code(finding.message)}"] if finding.message else []
    for word, value in values(finding, verdict).items():
        yield f"  - {word}: {code(shorten(value, 300))}"
    yield f"  - where: {' in '.join(code(part, 120) for part in (finding.at, evidence.case) if part)}"
