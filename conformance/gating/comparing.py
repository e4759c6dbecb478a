"""A run against its baseline: what got worse, what cannot be said, what is better, by rule and operation."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from conformance.gating.nouns import Change, Gate, Kind, Record, Standing
from conformance.gating.recording import JUDGED, SETTLED
from conformance.gating.rounds import common_cases
from conformance.gating.timing import paces
from conformance.intervals import Decision, sequential
from conformance.model import Verdict
from conformance.outcomes import Key
from conformance.rules.base import catalogue

_RANK = {Verdict.PASS: 0, Verdict.NOTE: 1, Verdict.WARN: 2, Verdict.FAIL: 3}
_ORDER = {kind: place for place, kind in enumerate(Kind)}
MOST_NAMED = 8
"""Operations that a note names."""
MOST_GUESSES = 50
"""Unknown rules whose new name is guessed: each guess looks at the whole catalogue."""
NO_RULE = "this version has no such rule"
NOT_PLANNED = "this run sent no request that the baseline sent too and that shows it"


def compare(baseline: Record, run: Record) -> Gate:
    """What a run shows that its baseline does not; both judged on the cases that both planned, as far as is known."""
    changes = _unknown(baseline)
    known = [key for key in baseline.standings if key.rule in catalogue()]
    changes += [change for key in known if (change := _change(key, baseline, run)) is not None]
    changes += [_new(standing) for key, standing in run.standings.items() if key not in baseline.standings]
    skipped = sum(_is_skipped(key, run) for key in baseline.standings)
    return Gate(
        baseline=baseline,
        run=run,
        changes=tuple(sorted(changes, key=_place)),
        paces=paces(baseline, run),
        common=len(common_cases([dict(baseline.cases), dict(run.cases)])),
        same=len(baseline.standings) - skipped - sum(change.kind is not Kind.NEW for change in changes),
        skipped=skipped,
        notes=tuple(_notes(baseline, run)),
    )


def _place(change: Change) -> tuple[int, int, Key]:
    return _ORDER[change.kind], -(change.now or Verdict.NOT_APPLICABLE), change.key


def _new(now: Standing) -> Change:
    return Change(Kind.NEW, now.key, None, now.verdict, evidence=now.evidence)


def _is_skipped(key: Key, run: Record) -> bool:
    """Whether a run of some rules was not to look at this one."""
    prefixes = [prefix.rstrip(".") for prefix in run.rules]
    chosen = any(key.rule == prefix or key.rule.startswith(f"{prefix}.") for prefix in prefixes)
    return bool(run.rules) and not chosen and key.rule in catalogue()


def _unknown(baseline: Record) -> list[Change]:
    """Entries for rules that there are not, with a guess at the new name for the first of them."""
    keys = sorted(key for key in baseline.standings if key.rule not in catalogue())
    names = list(dict.fromkeys(key.rule for key in keys))[:MOST_GUESSES]
    near = {name: difflib.get_close_matches(name, catalogue(), 1, 0.8) for name in names}
    said = {name: f"{NO_RULE}; is it {found[0]} now?" for name, found in near.items() if found}
    return [
        Change(Kind.STALE, key, baseline.standings[key].verdict, None, why=said.get(key.rule, NO_RULE)) for key in keys
    ]


def _change(key: Key, baseline: Record, run: Record) -> Change | None:
    """What became of one entry of the baseline; None where nothing did."""
    was, now = baseline.standings[key], run.standings.get(key)
    if now is None:
        stale = was.verdict in SETTLED and not _is_skipped(key, run)
        return Change(Kind.STALE, key, was.verdict, None, why=NOT_PLANNED) if stale else None
    found = _noisy(was, now) if now.noisy else _plain(was.verdict, now)
    if found is None:
        new = sorted(now.signs - was.signs)
        differs = new and was.verdict is now.verdict and now.verdict in _RANK
        return _changed(was, now, new) if differs else None
    excused = found.kind in {Kind.WORSE, Kind.UNDECIDED} and now.waived and now.verdict in _RANK
    return replace(found, kind=Kind.WAIVED, waiver=now.waiver) if excused else _with_fewer(found, was, now)


def _changed(was: Standing, now: Standing, new: list[str]) -> Change:
    """One that fails in other ways than before, shown by the first of them."""
    said = _said(Kind.CHANGED, was.verdict, now)
    return replace(said, signs=tuple(new), evidence=now.shown.get(new[0], now.evidence))


def _with_fewer(change: Change, was: Standing, now: Standing) -> Change:
    """An improvement that was seen on fewer requests says so."""
    fewer = change.kind is Kind.BETTER and now.cases < was.cases
    return replace(change, why=f"judged on {now.cases} requests, {was.cases} before") if fewer else change


def _said(kind: Kind, was: Verdict, now: Standing, why: str = "") -> Change:
    return Change(kind, now.key, was, now.verdict, why=why, evidence=now.evidence)


def _is_worse(was: Verdict, now: Verdict) -> bool:
    """Whether it is a move towards worse; what could not be judged is never worse, and a dropped feature is."""
    if now is Verdict.UNSUPPORTED:
        return was in {Verdict.PASS, Verdict.NOTE, Verdict.WARN}
    return _RANK.get(now, 0) > _RANK.get(was, 0)


def _plain(was: Verdict, now: Standing) -> Change | None:
    """A rule in which chance has no part: one look is enough."""
    if _is_worse(was, now.verdict):
        return _said(Kind.WORSE, was, now)
    if was not in SETTLED or was is now.verdict:
        return None
    if now.verdict in {Verdict.INCONCLUSIVE, Verdict.ERROR}:
        return _said(Kind.UNCLEAR, was, now) if was in JUDGED else None
    return _said(Kind.BETTER if now.verdict in SETTLED else Kind.SILENT, was, now)


def _noisy(was: Standing, now: Standing) -> Change | None:
    """A rule in which chance has a part: a sequential test over the rounds says whether it fails mostly, or rarely."""
    level = _level(was)
    trials = [_is_worse(level, verdict) for verdict in now.verdicts if verdict in SETTLED]
    if not any(trials):
        return _plain(was.verdict, now)
    decision = sequential(trials)
    said = f"chance has a part in it; in {sum(trials)} of {len(trials)} rounds"
    if decision is Decision.WORSE:
        return _said(Kind.WORSE, level, now, said)
    return _said(Kind.UNDECIDED, level, now, f"{said}, more are needed") if decision is Decision.OPEN else None


def _level(was: Standing) -> Verdict:
    """What a noisy rule showed in the baseline: the worst, unless its rounds show that this was chance."""
    settled = [verdict for verdict in was.verdicts if verdict in SETTLED]
    if sequential(verdict is not Verdict.PASS for verdict in settled) is Decision.SAME:
        return Verdict.PASS
    return was.verdict


def _notes(baseline: Record, run: Record) -> Iterator[str]:
    """What the reader has to know before trusting the comparison."""
    for what, before, after in (
        ("model", baseline.model, run.model),
        ("relay", baseline.base_url, run.base_url),
        ("page", baseline.page or "none", run.page or "none"),
    ):
        if before != after:
            yield f"another {what}: {before} then, {after} now"
    if set(baseline.recorded) & set(run.recorded) and baseline.base_url == run.base_url:
        yield "the baseline was made of this very run"
    common = common_cases([dict(baseline.cases), dict(run.cases)])
    if not len(common) == len(baseline.cases) == len(run.cases):
        yield (
            f"compared only on the {len(common):,} requests that both planned in the same form: "
            f"{len(baseline.cases):,} then, {len(run.cases):,} now"
        )
    missing = Counter(case.partition("/")[0] for case in baseline.cases if case not in common)
    if missing and not run.rules:
        named = ", ".join(f"{name} {count}" for name, count in missing.most_common(MOST_NAMED))
        yield f"requests of the baseline that this run did not plan: {named}{', …' * (len(missing) > MOST_NAMED)}"
    if baseline.rules:
        yield f"the baseline knows these rules only: {', '.join(baseline.rules)}"
    if run.rules:
        yield f"this run looked at these rules only: {', '.join(run.rules)}"
    if run.ended:
        said, it = ("waiver has", "it") if len(run.ended) == 1 else ("waivers have", "them")
        yield f"{len(run.ended):,} {said} ended, which fails the gate: remove {it} or renew {it}"
    if run.trouble:
        yield f"the run is not whole: {run.trouble}"
