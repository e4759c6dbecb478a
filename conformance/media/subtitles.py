"""SRT and WebVTT texts as cues.

Lenient where players are: line ends, byte order mark, blank lines, cue settings, WebVTT without hours. Strict in what
tells the two apart: SRT writes a comma before the milliseconds, WebVTT a point and its name in the first line.
Source: W3C WebVTT, section 4; SRT has no other than what players read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ARROW = "-->"
_TIMES = {
    "srt": (re.compile(r"(\d{2,4}):([0-5]\d):([0-5]\d),(\d{3})(?!\S)"), "HH:MM:SS,mmm --> HH:MM:SS,mmm"),
    "vtt": (re.compile(r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})(?!\S)"), "HH:MM:SS.mmm --> HH:MM:SS.mmm"),
}
_WITHOUT_CUES = ("NOTE", "STYLE", "REGION")
_LINE_END = re.compile(r"\r\n|\r|\n")
_SHOWN = 60


@dataclass(frozen=True)
class Cue:
    """One subtitle."""

    number: int | None
    """None if the line before the times is missing, or no number."""
    start: float
    end: float
    """Seconds, as written: the end may be before the start."""
    text: str


@dataclass(frozen=True)
class Subtitles:
    """The cues of a text, up to the first thing that is none."""

    cues: tuple[Cue, ...]
    problem: str = ""
    """What is wrong first, with its line: `line 3: expected ..., not '...'`."""


class _NotSubtitlesError(Exception):
    """The first problem."""


def subtitles(text: str, kind: str) -> Subtitles:
    """Read `text` as `kind`, srt or vtt."""
    cues: list[Cue] = []
    try:
        for line, block in _blocks(text, kind):
            cues.append(_cue(line, block, kind))
    except _NotSubtitlesError as problem:
        return Subtitles(tuple(cues), str(problem))
    return Subtitles(tuple(cues))


def _blocks(text: str, kind: str) -> Iterator[tuple[int, list[str]]]:
    """The groups of lines between blank ones that should be cues, each with the number of its first line."""
    lines = [line.rstrip() for line in _LINE_END.split(text.removeprefix("\ufeff"))]
    if kind == "vtt":
        if not re.fullmatch(r"WEBVTT([ \t].*)?", lines[0]):
            raise _problem(1, "WEBVTT", lines[0])
        lines[0] = "NOTE"  # like a note, the header reaches to the next blank line
    block: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        if line:
            block.append(line)
        elif block:
            if kind == "srt" or not block[0].startswith(_WITHOUT_CUES):
                yield number - len(block), block
            block = []


def _cue(line: int, block: list[str], kind: str) -> Cue:
    pattern, form = _TIMES[kind]
    named = _ARROW not in block[0]
    times = block[named] if len(block) > named else ""
    before, arrow, after = times.partition(_ARROW)
    start, end = pattern.fullmatch(before.strip()), pattern.match(after.strip())
    if not (arrow and start and end):
        raise _problem(line + named, form, times)
    number = int(block[0]) if named and re.fullmatch(r"[0-9]{1,9}", block[0]) else None
    return Cue(number, _seconds(start), _seconds(end), "\n".join(block[named + 1 :]))


def _seconds(time: re.Match[str]) -> float:
    hours, minutes, seconds, thousandths = (int(group or 0) for group in time.groups())
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _problem(line: int, expected: str, line_text: str) -> _NotSubtitlesError:
    return _NotSubtitlesError(f"line {line}: expected {expected!r}, not {line_text[:_SHOWN]!r}")
