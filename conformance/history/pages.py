"""`history.html`: histories to one bounded page."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, unquote_to_bytes

from conformance.history.drawing import HEIGHT, Curve, curve, strip
from conformance.history.nouns import Change, Course, History, Run, Trend, Turn
from conformance.history.trends import FLAPS, LATELY
from conformance.history.wording import (
    BEFORE,
    BEFORE_ONE,
    CHANGES,
    QUANTITIES,
    SIGNS,
    SILENT,
    STATES,
    TONES,
    WORDS,
)
from conformance.reporting.pages import page
from conformance.reporting.results import instant, tool
from conformance.reporting.texts import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from conformance.outcomes import Key

_T = TypeVar("_T")

MOST_PROVIDERS, MOST_RUNS, MOST_TURNS, MOST_TRENDS, MOST_PROBLEMS, MOST_COURSES = 40, 200, 60, 50, 60, 24
"""What is drawn of each; all but the problems and providers are of one provider."""
_ALL_RUNS, _ALL_TURNS, _ALL_TRENDS, _ALL_COURSES = 4_000, 1_200, 1_000, 240
"""What is drawn of all providers together: with all of it the page stays below 10 MB."""
MOST_NAMED = 4
"""Operations that a change names."""
REPORT = "report.html"


@dataclass(frozen=True)
class _Most:
    """What is drawn of one provider, where so many share the page."""

    runs: int
    turns: int
    trends: int
    courses: int

    @classmethod
    def of(cls, providers: int) -> _Most:
        """The share of each."""
        share = max(1, providers)
        return cls(
            min(MOST_RUNS, _ALL_RUNS // share),
            min(MOST_TURNS, _ALL_TURNS // share),
            min(MOST_TRENDS, _ALL_TRENDS // share),
            min(MOST_COURSES, _ALL_COURSES // share),
        )


@dataclass(frozen=True)
class _RunView:
    """One run in the strip of its provider."""

    run: Run
    when: str
    day: str
    href: str
    """The address of its report from the page; empty where there is none."""
    folder: str


@dataclass(frozen=True)
class _TurnView:
    """One change of a rule, at all operations that went the same way, or of all rules of one operation at once."""

    turn: Turn
    rules: int
    operations: list[str]
    more_operations: int
    run: _RunView
    what: Text
    sign: str
    tone: str
    before: Text
    flapping: bool


@dataclass(frozen=True)
class _TrendView:
    """One rule, and how many others of its operation went the very same way."""

    trend: Trend
    others: int
    bars: dict[str, str]
    counted: Text


@dataclass(frozen=True)
class _CourseView:
    course: Course
    quantity: Text
    curve: Curve
    latest: str
    certain: Text
    lowest: str
    highest: str


@dataclass(frozen=True)
class _Section:
    """One provider on the page."""

    anchor: str
    history: History
    runs: list[_RunView]
    turns: list[_TurnView]
    more_turns: int
    trends: list[_TrendView]
    more_trends: int
    courses: list[_CourseView]
    broken: int

    @property
    def last(self) -> _RunView:
        """The newest run."""
        return self.runs[-1]


def history_text(
    histories: Sequence[History], problems: Sequence[tuple[str, str]], folder: Path, page_path: Path
) -> str:
    """The page. `folder`: where the runs are; `page_path`: where the page will be, for links from one to the other."""
    links = _Links(folder, page_path.parent)
    shown = histories[:MOST_PROVIDERS]
    most = _Most.of(len(shown))
    return page(
        "history.html.j2",
        ("history.css",),
        sections=[_section(place, history, links, most) for place, history in enumerate(shown, 1)],
        others=len(histories) - len(shown),
        total=sum(len(history.runs) for history in histories),
        providers=len(histories),
        problems=[(_folder_name(path), problem) for path, problem in problems[:MOST_PROBLEMS]],
        more_problems=max(0, len(problems) - MOST_PROBLEMS),
        words=WORDS,
        flapping=WORDS["flapping-means"].fill(flaps=FLAPS, lately=LATELY),
        height=HEIGHT,
        tool=tool(),
    )


class _Links:
    """Addresses of reports, relative to the page."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder, self._home = folder, home

    def view(self, run: Run) -> _RunView:
        """A run with its link, where its report is there."""
        when = instant(run.started)
        report = self._folder / os.fsdecode(unquote_to_bytes(run.path)) / REPORT
        href = quote(os.fsencode(os.path.relpath(report, self._home))) if report.is_file() else ""
        return _RunView(run, when, when[:10], href, _folder_name(run.path))


def _folder_name(path: str) -> str:
    return unquote_to_bytes(path).decode(errors="backslashreplace") or "."


def _section(place: int, history: History, links: _Links, most: _Most) -> _Section:
    flapping = {trend.key for trend in history.trends if trend.flapping}
    turns, trends = _grouped(history.turns, _together), _grouped(history.trends, _alike)
    return _Section(
        anchor=f"p{place}",
        history=history,
        runs=[links.view(run) for run in history.runs[-most.runs :]],
        turns=[_turn(group, links, flapping) for group in turns[: most.turns]],
        more_turns=max(0, len(turns) - most.turns),
        trends=[_trend(group, most) for group in trends[: most.trends]],
        more_trends=max(0, len(trends) - most.trends),
        courses=[_course(course, most) for course in history.courses[: most.courses]],
        broken=sum(trend.broken for trend in history.trends),
    )


def _grouped(items: Iterable[_T], key: Callable[[_T], object]) -> list[list[_T]]:
    """Items with the same key side by side, where the first of them stood."""
    groups: dict[object, list[_T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def _together(turn: Turn) -> object:
    """A relay that takes an operation away does so with all its rules, and breaks a rule everywhere at once."""
    whole = turn.change in {Change.DROPPED, Change.OFFERED}
    what = turn.key.operation if whole else (turn.key.rule, turn.before, turn.after_runs, turn.signs)
    return turn.change, turn.run.number, what


def _alike(trend: Trend) -> object:
    """Every rule that is broken has a line of its own."""
    return trend.key.operation, trend.states, trend.verdict, trend.key.rule if trend.broken else ""


def _turn(group: Sequence[Turn], links: _Links, flapping: Collection[Key]) -> _TurnView:
    turn = group[0]
    count = turn.after_runs
    before = BEFORE_ONE[turn.before] if count == 1 else BEFORE[turn.before].fill(count=f"{count:,}")
    what, sign, tone = CHANGES[turn.change], SIGNS[turn.change], TONES[turn.change]
    flaps = any(each.key in flapping for each in group)
    rules, operations = (len(dict.fromkeys(each.key[part] for each in group)) for part in (0, 1))
    shown = [each.key.operation for each in group[:MOST_NAMED]] if operations > 1 else [turn.key.operation]
    return _TurnView(turn, rules, shown, operations - len(shown), links.view(turn.run), what, sign, tone, before, flaps)


def _trend(group: Sequence[Trend], most: _Most) -> _TrendView:
    """A rule's strip, and the same in words for those who do not see it."""
    trend = group[0]
    found = Counter(trend.states)
    texts = [words.fill(count=found[state]) for state, words in STATES.items() if found[state]]
    texts += [SILENT.fill(count=found[None])] if found[None] else []
    counted = Text(", ".join(text.en for text in texts), "，".join(text.zh for text in texts))
    return _TrendView(trend, len(group) - 1, strip(trend.states[-most.runs :]), counted)


def _course(course: Course, most: _Most) -> _CourseView:
    recent = Course(course.operation, course.what, course.speeds[-most.runs :])
    known = [speed for speed in course.speeds if speed is not None]
    last, middles = known[-1], [speed.middle for speed in known]
    if last.low is None or last.high is None:
        certain = WORDS["few"].fill(count=last.count)
    else:
        certain = WORDS["interval"].fill(low=_number(last.low), high=_number(last.high), count=last.count)
    lowest, highest = _number(min(middles)), _number(max(middles))
    return _CourseView(course, QUANTITIES[course.what], curve(recent), _number(last.middle), certain, lowest, highest)


def _number(value: float) -> str:
    """Three digits are as many as a median is worth."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
