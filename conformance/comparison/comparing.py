"""Recorded runs to a comparison. Runs are read one after the other: what is kept of each is small.

First only headers are read: what do all runs have in common? Then each run is judged on that, and boiled down to
outcomes. Last, runs are read again for the evidence of where they differ.
"""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from itertools import repeat
from typing import TYPE_CHECKING, Any

from conformance.comparison.charging import charge, charged
from conformance.comparison.headers import common_cases, read_header
from conformance.comparison.nouns import Comparison, Difference
from conformance.comparison.sampling import MOST_DIFFERENCES, cases_of, room, samples_of, sides_shown
from conformance.comparison.siding import Wanted, shared_rules, side_of
from conformance.errors import UsageError
from conformance.model import Severity, Verdict
from conformance.operations import OPERATIONS
from conformance.outcomes import CONCLUSIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from conformance.comparison.headers import Header
    from conformance.comparison.nouns import Side
    from conformance.comparison.sampling import Ask
    from conformance.comparison.siding import Boiled
    from conformance.model import Waiver
    from conformance.outcomes import Key, Outcome
    from conformance.profiles import Profile

    Over = Callable[..., Iterable[Any]]

FEWEST = 2
MOST = 200
"""Runs that can be put side by side."""
_TELLING = CONCLUSIVE | {Verdict.UNSUPPORTED}
_SEVERITIES = list(Severity)


def compare(
    paths: Sequence[Path],
    *,
    control: str = "",
    names: Sequence[str] = (),
    profiles: Sequence[Profile] = (),
    waivers: Mapping[str, tuple[Waiver, ...]] | tuple[Waiver, ...] = (),
    over: Over = map,
    ready: Mapping[Path, Boiled] | None = None,
) -> Comparison:
    """Put recorded runs side by side, on the cases that all of them planned.

    `paths`: run folders or ledgers, two at least. `control`: the name of the side that is the yardstick. `names`: how
    the sides are called, one for each path; without them, by their providers. `profiles`: pages of providers that do
    not come with this package. `waivers`: breaches that are accepted, by side or the same for all, beside those of its
    profile. `over`: what applies a function to many arguments, such as the `map` of a pool of processes. `ready`: by
    run folder, runs that were judged whole just now. Raises UsageError for runs that have no request in common, and
    LedgerError for what is no run.
    """
    if not FEWEST <= len(paths) <= MOST:
        raise UsageError(
            f"runs that were given to compare: {len(paths)}", f"give from {FEWEST} to {MOST} recorded runs"
        )
    headers = [read_header(path) for path in paths]
    called = unique(names or [header.title for header in headers])
    check_control(control, called)
    excused = waivers if isinstance(waivers, Mapping) else dict.fromkeys(called, tuple(waivers))
    wanted = Wanted(common_cases(headers), shared_rules(headers), tuple(profiles), excused)
    if not wanted.cases:
        raise UsageError("these runs have no request in common", "were they planned by very different versions?")
    sides = _pooled(
        over(side_of, headers, called, repeat(wanted), [(ready or {}).get(header.folder) for header in headers])
    )
    found = _Found(sides, control)
    evidence = found.evidence(headers, wanted, over)
    return Comparison(
        sides=tuple(sides),
        control=control,
        cases=len(wanted.cases),
        left_out={side.name: side.planned - side.compared for side in sides},
        differences=tuple(replace(each, samples=tuple(evidence[each.key])) for each in found.differences),
        alike=found.alike,
        unsettled=found.unsettled,
        charged=charged(sides, found.control) if found.control else {},
        narrowed=len({header.rules for header in headers}) > 1,
    )


def unique(names: Iterable[str]) -> list[str]:
    """The same names, with a number behind those that are there already."""
    found: list[str] = []
    for name in names:
        again = (name if number == 1 else f"{name} ({number})" for number in range(1, MOST + 2))
        found.append(next(each for each in again if each not in found))
    return found


def check_control(control: str, names: Sequence[str]) -> None:
    """Refuse a yardstick that is none of the sides; an empty name asks for none."""
    if control and control not in names:
        near = difflib.get_close_matches(control, names, 1, 0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"the sides are {', '.join(names[:20])}"
        raise UsageError(f"--control {control!r} is none of the sides", hint)


def _pooled(sides: Iterable[Side]) -> list[Side]:
    """The sides, with what is the same in several kept once."""
    known: dict[Any, Any] = {}
    kept = []
    for side in sides:
        outcomes = {key: known.setdefault(outcome, outcome) for key, outcome in side.outcomes.items()}
        rows = tuple(known.setdefault(row, row) for row in side.parameters)
        kept.append(replace(side, outcomes=outcomes, parameters=rows))
    return kept


class _Found:
    """What sides have in common, and where they differ."""

    def __init__(self, sides: Sequence[Side], control: str) -> None:
        self._sides = sides
        self.control = next((side for side in sides if side.name == control), None)
        self.alike = self.unsettled = 0
        differences = []
        for key in dict.fromkeys(key for side in sides for key in side.outcomes):
            outcomes = {side.name: side.outcomes.get(key) for side in sides}
            ways = Counter((each.verdict, each.signs) for each in outcomes.values() if each and _tells(each))
            self.unsettled += ways.total() < FEWEST
            self.alike += ways.total() >= FEWEST and len(ways) == 1
            if len(ways) > 1:
                differences.append(Difference(key, outcomes, self._charges(outcomes), ()))
        self.differences = sorted(differences, key=_rank)

    def _charges(self, outcomes: Mapping[str, Outcome | None]) -> dict[str, Any]:
        """Whom the breaches of one requirement are charged to."""
        if self.control is None:
            return {}
        yardstick = outcomes[self.control.name]
        return {
            name: charge(outcome, yardstick)
            for name, outcome in outcomes.items()
            if outcome and outcome.broken and name != self.control.name
        }

    def evidence(self, headers: Sequence[Header], wanted: Wanted, over: Over) -> dict[Key, list[Any]]:
        """Samples by requirement, in the order of the sides."""
        asked: dict[str, list[Ask]] = {side.name: [] for side in self._sides}
        for each in self.differences[:MOST_DIFFERENCES]:
            cases = cases_of(each.outcomes.values())
            for name in sides_shown(each.outcomes):
                asked[name].append((each.key, cases))
        longest = room(sum(map(len, asked.values())))
        rows = over(samples_of, headers, asked, asked.values(), repeat(wanted), repeat(longest))
        found: dict[Key, list[Any]] = defaultdict(list)
        for samples in rows:
            for key, sample in samples.items():
                found[key].append(sample)
        return found


def _tells(outcome: Outcome) -> bool:
    """Whether a verdict says something of the relay; only such verdicts can differ."""
    return outcome.verdict in _TELLING


def _rank(difference: Difference) -> tuple[object, ...]:
    """The worst first: by the worst verdict of a side, how binding it is, operation and name."""
    told = [each for each in difference.outcomes.values() if each and _tells(each)]
    operations = list(OPERATIONS)
    operation = difference.key.operation
    place = operations.index(operation) if operation in operations else len(operations)
    worst = max(each.verdict for each in told)
    return -worst, _SEVERITIES.index(told[0].severity), place, difference.key.rule
