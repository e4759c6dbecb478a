"""What every page of ours is made of: one self-contained file that loads nothing, in two languages.

Relay text is hostile. Jinja escapes everything, `visible` shows what would hide, and the page's own policy
lets only its own style sheet and script run, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from conformance.reporting.bodies import content
from conformance.reporting.evidence import seconds
from conformance.reporting.requirements import operation_title
from conformance.reporting.texts import (
    AREAS,
    COLUMN_MEANINGS,
    COLUMNS,
    MEANINGS,
    RUN_VERDICTS,
    SEVERITIES,
    SYMBOLS,
    UI,
    VERDICTS,
    Text,
    text,
)
from conformance.reporting.visible import visible

_TEMPLATES = Path(__file__).resolve().parent / "templates"
_CODE = re.compile(r"`([^`]+)`")
_BOX, _BOX_END = Markup("<bdi>"), Markup("</bdi>")
_CODED, _CODED_END = Markup("<code>"), Markup("</code>")
_ENGLISH, _CHINESE, _END = Markup('<span lang="en">'), Markup('</span><span lang="zh-CN">'), Markup("</span>")


def page(template: str, parts: tuple[str, ...] = (), **values: Any) -> str:
    """The text of a page made of `template`, which extends `base.html.j2`.

    `parts`: names of further style sheets (`.css`) and scripts (`.js`), put behind those that all pages share.
    """
    style = _inline("page.css", *(name for name in parts if name.endswith(".css")))
    script = _inline("page.js", *(name for name in parts if name.endswith(".js")))
    return (
        _environment()
        .get_template(template)
        .render(style=style, script=script, style_hash=_hash(style), script_hash=_hash(script), **values)
    )


def prepare(template: str) -> None:
    """Compile a template before it is needed."""
    _environment().get_template(template)


def _inline(*names: str) -> Markup:
    """Files that go into the page as they are."""
    found = "".join((_TEMPLATES / name).read_text("utf-8") for name in names)
    return Markup(found)  # noqa: S704 - ours; escaping would change its hash


def _hash(inline: str) -> str:
    """What a Content-Security-Policy calls an inline file by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()


@cache
def _environment() -> jinja2.Environment:
    """Templates that escape everything and refuse a name that is not given."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(show=_show, both=_both, coded=_coded, content=content, plain=_plain, seconds=seconds)
    environment.globals.update(
        say=_say,
        title_of=operation_title,
        AREAS=AREAS,
        COLUMNS=COLUMNS,
        COLUMN_MEANINGS=COLUMN_MEANINGS,
        MEANINGS=MEANINGS,
        RUN_VERDICTS=RUN_VERDICTS,
        SEVERITIES=SEVERITIES,
        SYMBOLS=SYMBOLS,
        UI=UI,
        VERDICTS=VERDICTS,
    )
    return environment


def _show(value: str, limit: int = 300) -> Markup:
    """Relay text, visible, in a box of its own reading direction."""
    return _BOX + visible(value, limit) + _BOX_END


def _plain(value: str, limit: int = 300) -> str:
    """Relay text, visible, for an attribute or an option; escaped like everything."""
    return visible(value, limit)


def _both(value: Text) -> Markup:
    """A text in both languages; the page shows one of them."""
    return _pair(*(escape(visible(language, 1_000)) for language in value))


def _coded(value: Text) -> Markup:
    """The same for a rule's own words: what stands in backticks is code."""
    return _pair(*(_with_code(language) for language in value))


def _say(key: str, **values: Any) -> Markup:
    """One of the report's own texts."""
    return _both(text(key, **values))


def _pair(english: Markup, chinese: Markup) -> Markup:
    # Added up, not formatted: a page has thousands of these. Both are escaped already.
    if english == chinese:
        return _BOX + english + _BOX_END
    return _ENGLISH + english + _CHINESE + chinese + _END


def _with_code(value: str) -> Markup:
    pieces = _CODE.split(visible(value, 1_000))
    return Markup("").join(
        _CODED + piece + _CODED_END if place % 2 else escape(piece) for place, piece in enumerate(pieces)
    )
