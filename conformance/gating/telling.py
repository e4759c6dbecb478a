"""The gate for a terminal: lines of plain text, relay text made visible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.gating.files import key_text
from conformance.gating.nouns import Change, Gate, Kind, Record, Tempo
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
from conformance.model import Finding, Waiver
from conformance.reporting.findings import values
from conformance.reporting.summary import waiver_line
from conformance.reporting.visible import shorten, visible

MOST = 20
"""Changes of one kind that are shown; the others are in diff.json."""
_DETAILED = {Kind.WORSE, Kind.WAIVED, Kind.UNDECIDED, Kind.CHANGED}


def lines(gate: Gate) -> Iterator[str]:
    """The sentence, what to know before, every kind of change, and time."""
    said, was, now = headline(gate), gate.baseline, gate.run
    yield from (said.en, said.zh)
    yield visible(f"  then {_who(was)}", 600)
    yield visible(f"  now  {_who(now)}", 600)
    yield from (f"  {visible(note, 600)}" for note in gate.notes)
    yield from _ended(now.ended)
    for kind, changes in sections(gate):
        yield ""
        yield f"{TITLES[kind].en} · {TITLES[kind].zh} ({len(changes):,})"
        single, alike = parted(changes)
        yield from _each(single)
        yield from _alike(alike)
        if kind in HINTS:
            yield f"  hint: {HINTS[kind]}"
    yield from ["", f"{gate.same:,} unchanged" + (f", {gate.skipped:,} not looked at" if gate.skipped else "")]
    yield from _time(gate)


def _ended(waivers: Sequence[Waiver]) -> Iterator[str]:
    """The waivers that fail the gate, each with who answers for it."""
    if waivers:
        yield from ["", f"{ENDED.en} · {ENDED.zh} ({len(waivers):,})"]
    yield from (f"  {visible(ended(waiver), 600)}" for waiver in waivers[:MOST])
    if len(waivers) > MOST:
        yield f"  and {len(waivers) - MOST:,} more in diff.json"


def _each(changes: Sequence[Change]) -> Iterator[str]:
    """One after the other."""
    for change in changes[:MOST]:
        yield from _change(change)
    if len(changes) > MOST:
        yield f"  and {len(changes) - MOST:,} more in diff.json"


def _alike(changes: Sequence[Change]) -> Iterator[str]:
    """By their reason, which is mostly one for very many."""
    groups = by_reason(changes)
    for reason, found in list(groups.items())[:MOST]:
        yield f"  {len(found):,} × {reason}"
        yield from (f"    {visible(key_text(each.key))}  {moved(each)}" for each in found[:MOST_ALIKE])
        if len(found) > MOST_ALIKE:
            yield f"    and {len(found) - MOST_ALIKE:,} more in diff.json"
    if len(groups) > MOST:
        yield f"  and {len(groups) - MOST:,} other reasons in diff.json"


def _who(record: Record) -> str:
    """Whose run it is, where, how often and when; a name that is only the host is not said twice."""
    named = "" if not record.name or record.name in record.base_url else f"{record.name}: "
    return f"{named}{record.model} at {record.base_url}, {_rounds(record.rounds)}, {record.recorded[0]}"


def _rounds(count: int) -> str:
    return "1 round" if count == 1 else f"{count} rounds"


def _change(change: Change) -> Iterator[str]:
    """One change; where something is wrong, with its first finding."""
    yield f"  {visible(key_text(change.key))}  {moved(change)}"
    if change.why:
        yield f"    {visible(change.why)}"
    if change.waiver:
        yield f"    {visible(waiver_line(change.waiver), 600)}"
    if change.signs:
        yield f"    new: {visible(', '.join(change.signs), 600)}"
    if change.evidence and change.kind in _DETAILED:
        yield from _finding(change, change.evidence.finding)
        yield f"    case: {visible(change.evidence.case)}   {link(change)}"


def _finding(change: Change, finding: Finding | None) -> Iterator[str]:
    if finding is None or change.now is None:
        return
    if finding.message:
        yield f"    {visible(finding.message)}"
    compared = "   ".join(f"{name}: {shorten(value, 200)}" for name, value in values(finding, change.now).items())
    if compared:
        yield f"    {compared}"
    if finding.at:
        yield f"    where: {visible(finding.at)}"


def _time(gate: Gate) -> Iterator[str]:
    """What became slower or faster; one line where nothing can be said."""
    told = [pace for pace in gate.paces if pace.tempo in {Tempo.SLOWER, Tempo.FASTER}]
    reasons = dict.fromkeys(pace.why for pace in gate.paces if pace.why)
    if told:
        yield ""
        yield f"Time · 耗时 ({len(told):,})"
        yield from (f"  {visible(spoken(pace))}" for pace in told[:MOST])
    elif gate.paces and not any(pace.tempo is Tempo.SAME for pace in gate.paces):
        yield f"time is not judged: {'; '.join(reasons)}"
    elif gate.paces:
        judged = sum(pace.tempo is not Tempo.UNKNOWN for pace in gate.paces)
        yield f"time: {judged:,} of {len(gate.paces):,} quantities judged, none slower"
