"""What changed, in words: the sentence, the sections in their order, a change and a pace in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.gating.nouns import Change, Gate, Kind, Pace, Tempo
from conformance.intervals import Interval
from conformance.model import Verdict, Waiver
from conformance.reporting.evidence import anchor
from conformance.reporting.texts import VERDICTS, Text
from conformance.reporting.visible import shorten, visible

TITLES = {
    Kind.WORSE: Text("Worse", "变差"),
    Kind.STALE: Text("Stale entries of the baseline", "基线中已失效的条目"),
    Kind.UNDECIDED: Text("Undecided, more rounds are needed", "尚不能判定，需要更多轮次"),
    Kind.UNCLEAR: Text("Could not be judged this time", "这次无法判定"),
    Kind.WAIVED: Text("Worse, and waived", "变差，但已获豁免"),
    Kind.BETTER: Text("Better", "变好"),
    Kind.CHANGED: Text("Fails in other ways", "以其他方式不符合"),
    Kind.NEW: Text("Not in the baseline", "基线中没有"),
    Kind.SILENT: Text("Nothing left to judge", "没有可判定的内容"),
}
HINTS = {
    Kind.STALE: "plan as the baseline was (--dear, --generated, --seed, --profile); where a version renamed or dropped "
    "a rule, or less is wanted now, take this run as the new one: relay-conformance baseline RUN -o FILE --update",
    Kind.UNDECIDED: "repeat it: --repeat 3 or more",
    Kind.UNCLEAR: "mend what kept it from being judged, and run again; it is no sign that the relay got worse",
    Kind.NEW: "they gate once they are in the baseline: relay-conformance baseline RUN -o FILE --update",
}
MOST_ALIKE = 5
"""Changes for the same reason that are shown."""
_GROUPED = {Kind.STALE, Kind.UNCLEAR}
ENDED = Text("Waivers that have ended", "已过期的豁免")
UNITS = {"first-byte": "s", "first-content": "s", "tokens-per-second": "tokens/s"}


def headline(gate: Gate) -> Text:
    """What the gate comes to, in one sentence."""
    worse, code = len(gate.of(Kind.WORSE)) + len(gate.slower), gate.exit_code
    if worse:
        checks = "1 check" if worse == 1 else f"{worse:,} checks"
        return Text(f"{checks} got worse since the baseline.", f"与基线相比，有 {worse:,} 项变差。")
    if code == 1:
        return Text("Nothing got worse, but waivers have ended.", "没有变差，但有豁免已过期。")
    if code == 2:
        stale = len(gate.of(Kind.STALE))
        return Text(
            f"Nothing got worse, but {_stale(stale)} stale.",
            f"没有变差，但基线中有 {stale:,} 个条目已失效。",
        )
    if code == 7:
        return Text("The test tool itself went wrong, so this is no verdict.", "检测工具自身出错，不能作为结论。")
    if code == 6:
        return _open(gate)
    return Text("Nothing got worse.", "没有变差。")


def _open(gate: Gate) -> Text:
    """Why it cannot be said whether anything got worse."""
    if gate.run.trouble:
        return Text(
            "No conclusion: the run is not whole, so it cannot be said whether anything got worse.",
            "无法下结论：本次运行不完整，因此无法说明是否变差。",
        )
    unclear = len(gate.of(Kind.UNCLEAR)) + len(gate.of(Kind.UNDECIDED))
    checks = "1 check" if unclear == 1 else f"{unclear:,} checks"
    return Text(
        f"No conclusion: nothing got worse as far as can be said, but of {checks} it cannot.",
        f"无法下结论：就能判定的部分而言没有变差，但有 {unclear:,} 项无法判定。",
    )


def _stale(count: int) -> str:
    return "1 entry of the baseline is" if count == 1 else f"{count:,} entries of the baseline are"


def sections(gate: Gate) -> Iterator[tuple[Kind, list[Change]]]:
    """What there is to list, worst first; of a run that ended early not every rule that it did not come to."""
    for kind in Kind:
        found = gate.of(kind)
        if found and not (gate.run.trouble and kind is Kind.UNCLEAR):
            yield kind, found


def parted(changes: Sequence[Change]) -> tuple[list[Change], list[Change]]:
    """Those that are told one by one, and those that mostly have one reason for very many."""
    alike = [change for change in changes if change.kind in _GROUPED or change.now is Verdict.UNSUPPORTED]
    chosen = {change.key for change in alike}
    return [change for change in changes if change.key not in chosen], alike


def by_reason(changes: Sequence[Change]) -> dict[str, list[Change]]:
    """Why nothing can be said of them, in text that can be shown -> the changes."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(_reason(change), []).append(change)
    return groups


def _reason(change: Change) -> str:
    """Why nothing can be said of it."""
    finding = change.evidence.finding if change.evidence else None
    if change.why or finding is None:
        return visible(change.why or "nothing says why")
    where = f"{change.key.operation}: " if change.now is Verdict.UNSUPPORTED else ""
    actual = "" if finding.actual is None else f" ({shorten(finding.actual, 200)})"
    return f"{visible(where + (finding.message or 'it could not be judged'))}{actual}"


def moved(change: Change) -> str:
    """`pass -> fail`, or the one verdict that there is."""
    return " -> ".join(VERDICTS[verdict].en for verdict in (change.was, change.now) if verdict is not None)


def ended(waiver: Waiver) -> str:
    """A waiver that has ended in one line; it comes from a file, so it is still to be made visible."""
    where = f" · {waiver.operation}" if waiver.operation else ""
    return f"{waiver.rule}{where}: the waiver ended on {waiver.until} ({waiver.owner}: {waiver.reason})"


def link(change: Change) -> str:
    """Where the report has the evidence and the curl line."""
    number = change.evidence.round if change.evidence else 1
    folder = f"rounds/{number}/" if number > 1 else ""
    return f"{folder}report.html#{anchor(change.key.rule)}--{anchor(change.key.operation)}"


def spoken(pace: Pace) -> str:
    """A quantity then and now: medians with their intervals, and how many values they rest on."""
    unit = UNITS.get(pace.what, "")
    word = f" ({pace.why})" if pace.why else "" if pace.tempo is Tempo.SAME else f" ({pace.tempo.value})"
    return f"{pace.operation} {pace.what}: {_interval(pace.was)} -> {_interval(pace.now)} {unit}{word}"


def _interval(found: Interval) -> str:
    spread = "too few" if found.low is None or found.high is None else f"{found.low:.3g} to {found.high:.3g}"
    return f"{found.middle:.3g} [{spread}; n={found.count}]"
