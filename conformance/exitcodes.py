"""Every exit code, what it means and what to do: the page of the reference is made from this.

README and `--help` show `in_short()`; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExitCode:
    """One number that a command ends with."""

    code: int
    brief: str
    """In a word or two."""
    meaning: str
    remedy: str
    """What to do about it."""


VERDICT = (
    ExitCode(0, "conforms", "every MUST holds, or is about something that the relay plainly does not offer", "nothing"),
    ExitCode(
        1,
        "a MUST is violated",
        "a MUST is violated (with `--strict`: or a SHOULD), or a waiver had ended",
        "read the findings",
    ),
    ExitCode(2, "usage", "an option, a file or a variable is wrong", "the hint says what to change"),
    ExitCode(
        6,
        "inconclusive",
        "it cannot be said: key rejected, model unknown, no answer, interrupted, or nothing could be judged",
        "mend the cause and run again",
    ),
    ExitCode(
        7,
        "our error",
        "a rule failed, or the machine did (full disk)",
        "report it, with the output of the same command under `RELAY_CONFORMANCE_DEBUG=1`",
    ),
    ExitCode(130, "interrupted", "interrupted with Ctrl-C", "continue with `--resume --out FOLDER`"),
)
"""Of a run that is judged for what it is."""
BASELINE = (
    ExitCode(0, "nothing got worse", "nothing got worse, whatever was broken before", "nothing"),
    ExitCode(
        1,
        "worse",
        "something got worse or slower, or a waiver had ended",
        "read `diff.md` and the report; `baseline --update` or a waiver accepts it",
    ),
    ExitCode(
        2,
        "stale, or usage",
        "the baseline has entries that nothing can be compared with, or an option or file is wrong",
        "the hint says what to change; `baseline --update` writes it anew",
    ),
    ExitCode(
        6,
        "cannot say",
        "it cannot be said: the run is not whole, something cannot be judged now, or chance needs more rounds",
        "run again, or with `--repeat 3`",
    ),
    ExitCode(
        7,
        "our error",
        "a rule stumbled, so this is no verdict, or the machine did (full disk)",
        "report it, with the output of the same command under `RELAY_CONFORMANCE_DEBUG=1`",
    ),
)
"""Of a run that is held to a baseline: `vet --baseline` and `diff`. 1 goes before 2, 2 before 7, and 7 before 6."""
OTHERS = {
    "`badge`, `summary`, `history`, `baseline`, `plan`, `rules`, `profiles`": "0, whatever the verdict of a run is",
    "`compare`": "0 where all sides were judged, whatever their verdicts, and 6 where one stopped or is not complete",
    "`derive --check`": "1 where a file is not what the pages give",
    "`minimize`": "0 where there was an answer to judge, whatever it was, and 6 where there was none",
    "`clients`": "1 where a client breaks, and 6 where none read anything",
    "pytest with `conformance.suite`": (
        "pytest's own codes (0 passed, 1 failed, 4 usage, 5 nothing collected), and 6 where nothing failed but the "
        "verdict is inconclusive"
    ),
}
"""What other commands mean by theirs; 2, 7 and 130 are the same everywhere."""


def in_short() -> str:
    """All codes that say something of a relay, in one sentence."""
    return ", ".join(f"{each.code} {each.brief}" for each in VERDICT if each.code < 100) + "."
