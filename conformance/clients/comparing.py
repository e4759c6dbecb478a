"""What a client's reading of one answer lacks of what the answer says."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.clients.expected import Expected
    from conformance.clients.readings import Content, Reading

_LONGEST = 120


class State(IntEnum):
    """How a client fares; the worst counts."""

    NOT_RUN = 0
    NOTHING_TO_READ = 1
    WORKS = 2
    LIMITS = 3
    BREAKS = 4


class Problem(NamedTuple):
    """One thing that goes wrong."""

    kind: str
    """A key of `KINDS`."""
    detail: str = ""
    """What was there, for people."""


KINDS = {
    "raises": State.BREAKS,
    "hangs": State.BREAKS,
    "error-not-seen": State.BREAKS,
    "error-as-something-else": State.BREAKS,
    "wrong-kind-of-error": State.LIMITS,
    "nonsense-accepted": State.BREAKS,
    "texts-lost": State.BREAKS,
    "texts-changed": State.BREAKS,
    "tools-lost": State.BREAKS,
    "tools-changed": State.BREAKS,
    "tool-id-missing": State.LIMITS,
    "tool-id-invented": State.LIMITS,
    "usage-lost": State.BREAKS,
    "usage-changed": State.BREAKS,
    "usage-invented": State.BREAKS,
    "usage-missing": State.LIMITS,
    "finishes-lost": State.LIMITS,
    "finishes-changed": State.LIMITS,
    "finishes-invented": State.LIMITS,
    "finishes-missing": State.LIMITS,
    "items-lost": State.BREAKS,
    "items-changed": State.BREAKS,
}
"""What can go wrong, and what it means for the client."""


def problems(reading: Reading, wire: Expected, *, usage_due: bool, finish_due: bool) -> list[Problem]:
    """Compare a reading with what the answer says.

    `usage_due`, `finish_due`: whether such an answer has to report usage and say why it ended.
    """
    return list(_problems(reading, wire, usage_due=usage_due, finish_due=finish_due))


def _problems(reading: Reading, wire: Expected, *, usage_due: bool, finish_due: bool) -> Iterator[Problem]:
    said = f"{reading.error}: {reading.message}"[:_LONGEST]
    if reading.outcome == "hung":
        yield Problem("hangs", reading.message)
    elif wire.error:
        if reading.outcome == "read":
            yield Problem("error-not-seen")
        elif reading.outcome == "raised":
            yield Problem("error-as-something-else", said)
    elif reading.content is None:
        yield Problem("raises", said)
    elif wire.content is None:
        yield Problem("nonsense-accepted")
    else:
        yield from _differences(reading.content, wire.content)
        yield from _missing(reading.content, wire.content, usage_due=usage_due, finish_due=finish_due)


def wrong_status(reading: Reading, status: int) -> Problem | None:
    """Whether an error answer became an error of another family than its status has."""
    if reading.outcome == "refused" and reading.status and reading.status // 100 != status // 100:
        return Problem("wrong-kind-of-error", f"{reading.error} ({reading.status}) for HTTP {status}")
    return None


def _differences(got: Content, wire: Content) -> Iterator[Problem]:
    """What was told, and did not arrive as it was told."""
    for name in ("texts", "finishes", "items"):
        mended = name == "finishes" and _is_mended(got, wire)
        if name not in got.unsaid and not mended:
            yield from _differing(name, getattr(got, name), getattr(wire, name))
    if "tools" not in got.unsaid:
        yield from _differing("tools", [call[:2] for call in got.tools], [call[:2] for call in wire.tools])
        yield from _ids(got, wire)
    if "usage" not in got.unsaid and got.usage != wire.usage:
        kind = "usage-lost" if got.usage is None else "usage-invented" if wire.usage is None else "usage-changed"
        yield Problem(kind, f"{_counts(got.usage)} for {_counts(wire.usage)}")


def _is_mended(got: Content, wire: Content) -> bool:
    """Whether a client says `tool_calls` for the `stop` that ends a forced call: agents look for that."""
    return bool(wire.tools) and set(wire.finishes) <= {"stop", "tool_calls"} and set(got.finishes) == {"tool_calls"}


def _differing(name: str, got: Any, wire: Any) -> Iterator[Problem]:
    """Lost where nothing is left of it, invented where there was nothing, changed where something else is there."""
    if list(got) == list(wire):
        return
    how = "changed"
    if any(wire) and not any(got):
        how = "lost"
    elif name == "finishes" and not any(wire):
        how = "invented"
    yield Problem(f"{name}-{how}", "" if how == "lost" else f"{_shown(got)} for {_shown(wire)}")


def _ids(got: Content, wire: Content) -> Iterator[Problem]:
    """Tool calls without an id cannot be answered."""
    for ours, theirs in zip(got.tools, wire.tools, strict=False):
        if not theirs.id:
            yield Problem("tool-id-invented" if ours.id else "tool-id-missing")
            return


def _missing(got: Content, wire: Content, *, usage_due: bool, finish_due: bool) -> Iterator[Problem]:
    """What no answer of the kind may leave out, and this one does; the client can only pass that on."""
    if usage_due and wire.usage is None and got.usage is None and "usage" not in got.unsaid:
        yield Problem("usage-missing")
    if finish_due and not all(wire.finishes) and not all(got.finishes):
        yield Problem("finishes-missing")


def _counts(usage: tuple[int, int] | None) -> str:
    return f"{usage[0]} + {usage[1]}" if usage else "none"


def _shown(values: Any) -> str:
    text = ", ".join(str(value) for value in values) if any(values) else "nothing"
    return text if len(text) <= _LONGEST // 2 else text[: _LONGEST // 2] + "…"
