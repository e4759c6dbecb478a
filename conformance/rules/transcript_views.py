"""Transcripts as rules read them: the words of an answer, in whatever format was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from conformance.model import Case, Exchange
from conformance.rules.views import is_json

if TYPE_CHECKING:
    from conformance.media import Subtitles


def asked_format(case: Case) -> str:
    """The format that a request asks for, by name or by default."""
    return str((case.form or {}).get("response_format", "json"))


def asks(*names: str) -> Callable[[Case], bool]:
    """A choice of the cases that ask for one of these formats."""
    return lambda case: asked_format(case) in names and not (case.form or {}).get("stream")


def body_of(exchange: Exchange) -> str:
    """The body as a text."""
    return exchange.response.body.decode(errors="replace") if exchange.response else ""


def subtitles_of(exchange: Exchange, kind: str) -> Subtitles:
    """The answer read as subtitles of this kind."""
    from conformance.media import subtitles  # noqa: PLC0415 - pulls in an image library, and most runs hear nothing

    if kind not in exchange.memo:
        exchange.memo[kind] = subtitles(body_of(exchange), kind)
    found: Subtitles = exchange.memo[kind]
    return found


def text_of(exchange: Exchange) -> str:
    """The words of an answer in whatever format was asked for; empty when there are none to be read."""
    kind = asked_format(exchange.case)
    if kind in {"srt", "vtt"}:
        return " ".join(cue.text for cue in subtitles_of(exchange, kind).cues)
    if kind == "text":
        return "" if is_json(exchange) else body_of(exchange)
    found = exchange.json.get("text") if is_json(exchange) else None
    return found if isinstance(found, str) else ""


def has_text(exchange: Exchange) -> bool:
    """The answer says at least one word."""
    return bool(text_of(exchange).strip())


def sample_of(case: Case) -> str:
    """The name of our sample that a case sends; empty when it sends something else, or nothing."""
    file = (case.form or {}).get("file")
    return str(file.get("asset", "")) if isinstance(file, dict) else ""


def is_verbose(case: Case) -> bool:
    """The request asks for `verbose_json`."""
    return asked_format(case) == "verbose_json"
