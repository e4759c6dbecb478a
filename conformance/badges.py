"""A badge for a README: the verdict of a run as SVG, and as the JSON that shields.io draws one from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from conformance.reporting.summary import Tally, run_verdict
from conformance.reporting.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.model import Judgement, Ledger

LABEL = "relay"
LONGEST_LABEL = 60
"""Characters of a label that are shown."""
_SHADES = {"green": "#1d7a46", "red": "#b3261e", "orange": "#9a5b00", "grey": "#5d646e", "purple": "#8a2375"}
"""White text on each has a contrast of at least 4.5."""
_WIDE = 11.0
"""Of a character beyond the table: a Chinese one takes the whole size."""
_WIDTHS = {
    **dict.fromkeys("ijl'|", 3.1),
    **dict.fromkeys(" ,.:;f!I()[]rt/\\-`·", 4.6),
    **dict.fromkeys('csz"^kvxyJ_{}', 6.1),
    **dict.fromkeys("abdeghnopqu?L*", 6.7),
    **dict.fromkeys("0123456789$FETSPBXYAKZVR#=+<>~", 7.4),
    **dict.fromkeys("CDGHNOUQw&", 8.6),
    **dict.fromkeys("mMW@%", 11.0),
}
"""Pixels of a character in Verdana of 11 pixels, rounded up."""


@dataclass(frozen=True)
class Badge:
    """What a badge says, and the name of its colour."""

    label: str
    message: str
    color: str


def badge(judgements: Sequence[Judgement], ledger: Ledger, *, strict: bool = False, label: str = LABEL) -> Badge:
    """The badge of a run; a breach whose waiver is in force is not counted as broken, but it is said."""
    tally = Tally.of(judgements)
    message, color = _message(tally, run_verdict(judgements, ledger, strict=strict))
    said = f"{message}, {tally.waived:,} waived" if tally.waived else message
    return Badge(visible(label, LONGEST_LABEL), said, color)


def _message(tally: Tally, verdict: str) -> tuple[str, str]:
    """The words, and the colour."""
    if verdict == "fail":
        found = {"MUST broken": tally.broken, "SHOULD broken": tally.strayed, "waivers expired": tally.expired}
        # A run without a broken MUST fails by a waiver that has ended, or under --strict.
        word = "MUST broken" if tally.broken else "waivers expired" if tally.expired else "SHOULD broken"
        return f"{found[word]:,} {word}", "red" if tally.broken else "orange"
    return {"pass": ("conforms", "green"), "error": ("tool error", "purple")}.get(verdict, ("inconclusive", "grey"))


def endpoint_text(drawn: Badge) -> str:
    """The file that shields.io's endpoint badge reads; its format is `schemas/formats/badge.json`."""
    value = {
        "schemaVersion": 1,
        "label": drawn.label,
        "message": drawn.message,
        "color": _SHADES[drawn.color],
        "isError": drawn.color == "purple",
    }
    return json.dumps(value, indent=1) + "\n"


def svg_text(drawn: Badge) -> str:
    """The picture: one file that loads nothing, with a title for screen readers."""
    left, right = (round(text_width(text)) + 12 for text in (drawn.label, drawn.message))
    label, message = (escape(text, {'"': "&quot;"}) for text in (drawn.label, drawn.message))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{label}: {message}">
<title>{label}: {message}</title>
<clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)">
<rect width="{left}" height="20" fill="#40464f"/>
<rect x="{left}" width="{right}" height="20" fill="{_SHADES[drawn.color]}"/>
</g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">
<text x="{left / 2:g}" y="14">{label}</text>
<text x="{left + right / 2:g}" y="14">{message}</text>
</g>
</svg>
"""


def text_width(text: str) -> float:
    """Pixels that a text takes in Verdana of 11 pixels, rather too many than too few."""
    return sum(_WIDTHS.get(character, _WIDE) for character in text)
