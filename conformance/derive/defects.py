"""Mistakes of a page that no schema can mend: navigation, headers, authentication, addresses, what is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from conformance.derive.apifox import navigation_lines, statuses
from conformance.derive.nav import flat_line
from conformance.derive.nouns import Body, Defect, Document, Endpoint
from conformance.derive.plain import offset_of, unix
from conformance.derive.reference import CHAT_IN_IMAGES, LEGACY_PROSE, NAV_METHODS, RETIRED

_ERRORS = re.compile(r"""^[ \t{,]*["']?[45](?:\d\d|XX)["']?[ \t]*:""", re.MULTILINE)
_FILE = re.compile(r"audio/|image/|video/|application/octet-stream|text/", re.IGNORECASE)
"""Media types of answers that no table describes."""
_MOST_NAMED = 5
NO_ANSWER = "no answer with a status of success"


@dataclass(frozen=True)
class _Found:
    """A defect without its file; `words` are what is documented, the evidence against it, and the repair."""

    row: str
    line: int
    where: str
    words: tuple[str, str, str]
    repaired: bool = True


def page_defects(document: Document) -> list[Defect]:
    """The mistakes about the page and not about a body, in the order of the page."""
    found = [*_navigation(document), *_retired(document)]
    for endpoint in document.endpoints:
        for check in (_optional_key, _headers, _path, _description):
            found += check(endpoint)
        found += [*_relaxed_json(document, endpoint), *_errors(document, endpoint), *_cut(document, endpoint)]
    found += [*_authentication(document), *_lost_nesting(document)]
    found = list(dict.fromkeys(found))
    found.sort(key=lambda each: (each.line, each.row))
    at = document.source.at
    return [Defect(each.row, at(each.line), each.where, *each.words, each.repaired) for each in found]


def _navigation(document: Document) -> Iterator[_Found]:
    """D20: a method that the protocol does not have there. D29: a chat model in a folder of another endpoint."""
    title, folder = CHAT_IN_IMAGES
    for item in document.nav:
        expected = next((method for titles, method in NAV_METHODS if titles.search(item.title)), "")
        if item.method and expected and item.method != expected:
            words = (f"method {item.method}", f"the protocol has {expected}", f"{expected}: mend the method")
            yield _Found("D20", item.line, f"navigation {item.title}", words, repaired=False)
        if title.search(item.title) and folder.search(" ".join(item.folder[-1:])):
            words = (
                f"filed under {item.folder[-1]}",
                "it is a chat model",
                "the path of its page counts, not the folder",
            )
            yield _Found("D29", item.line, f"navigation {item.title}", words)


def _retired(document: Document) -> Iterator[_Found]:
    """D26: models that are gone; a model is a parameter of every run and never part of a schema."""
    named: dict[str, tuple[int, str]] = {}
    for item in document.nav:
        if hit := RETIRED.search(item.title):
            named.setdefault(hit[0].lower(), (item.line, f"navigation {item.title}"))
    for endpoint in document.endpoints:
        example = endpoint.request.example if endpoint.request else None
        model = example.get("model") if isinstance(example, dict) else None
        hit = RETIRED.search(f"{endpoint.title[:200]} {model if isinstance(model, str) else ''}"[:400])
        if hit:
            named.setdefault(hit[0].lower(), (endpoint.line, "model"))
    if named:
        line, where = min(named.values())
        documented = "the model" + "s" * (len(named) > 1) + " " + ", ".join(list(named)[:_MOST_NAMED])
        words = (documented, "the maker no longer serves it", "every run names its model: show one that exists")
        yield _Found("D26", line, where, words)


def _authentication(document: Document) -> Iterator[_Found]:
    """D17: no key is mentioned; one row a page, at the first endpoint that needs one."""
    silent = [each for each in document.endpoints if each.bearer is None and not each.key_header]
    if silent:
        of = f" (of {len(silent)} operations)" if len(silent) > 1 else ""
        words = (f"no authentication{of}", "every relay asks for a key", "header Authorization: Bearer KEY, required")
        yield _Found("D17", silent[0].line, "authentication", words)


def _lost_nesting(document: Document) -> Iterator[_Found]:
    """The tree of the navigation was saved without its blanks."""
    line = flat_line(navigation_lines(document.source.text)) if document.kind == "apifox-text" else 0
    if line:
        words = ("no entry is indented", "which entries are folders, and of what, is lost", "save the page with blanks")
        yield _Found("", line, "navigation", words, repaired=False)


def _cut(document: Document, endpoint: Endpoint) -> Iterator[_Found]:
    """The page ends before its answer, or shows none that is a success."""
    body = endpoint.response
    empty = body is None or (body.schema is None and body.example is None and not _FILE.match(body.media_type))
    if empty and document.kind in ("apifox-text", "example"):
        words = (
            NO_ANSWER,
            "every call has one",
            "give the whole page, to its footer; until then answers are not checked",
        )
        yield _Found("", body.line if body else endpoint.line, "response", words, repaired=False)


def _optional_key(endpoint: Endpoint) -> Iterator[_Found]:
    """D16: the key is called optional."""
    listed = next((each for each in endpoint.headers if each.name.lower() == "authorization"), None)
    if listed and listed.required is False:
        words = ("optional", "page and protocol demand a bearer key", "required")
        yield _Found("D16", listed.line, "header Authorization", words)


def _headers(endpoint: Endpoint) -> Iterator[_Found]:
    """D18: Accept is called required. D24: the table is empty and only curl shows headers."""
    for each in endpoint.headers:
        if each.name.lower() == "accept" and each.required:
            yield _Found(
                "D18", each.line, "header Accept", ("required", "requests work with and without it", "optional")
            )
    shown = [each for each in endpoint.headers if each.evidence == "curl"]
    if shown and len(shown) == len(endpoint.headers):
        names = ", ".join(each.name for each in shown[:_MOST_NAMED])
        words = ("no table of headers", f"the curl line sends {names}", "headers taken from curl: publish the table")
        yield _Found("D24", shown[0].line, "headers", words)


def _path(endpoint: Endpoint) -> Iterator[_Found]:
    """D19: the path leaves out the version that every client sends."""
    path = re.sub(r"^(?:https?://[^/]*|\{\{[^}]*\}\})", "", endpoint.url)
    if re.match(r"/(?:chat|completions|embeddings|models|audio|images|moderations)\b", path):
        words = (
            f"path {path}",
            "other pages and every client have /v1 before it",
            "the base URL carries /v1; try both",
        )
        yield _Found("D19", endpoint.line, "path", words)


def _description(endpoint: Endpoint) -> Iterator[_Found]:
    """D28: the description belongs to another endpoint."""
    if "/chat/" in endpoint.url and LEGACY_PROSE.search(endpoint.description[:4000]):
        words = ("the description of the old completions endpoint", "the path is a chat", "the description is ignored")
        yield _Found("D28", endpoint.line, "description", words)


def _relaxed_json(document: Document, endpoint: Endpoint) -> Iterator[_Found]:
    """D32: an example with comments, trailing commas or left-out parts, which no client can read."""
    if document.kind not in ("apifox-text", "example"):
        return
    text = unix(document.source.text)
    for side, body in (("request", endpoint.request), ("response", endpoint.response)):
        if body and body.example is not None and not _is_strict(text, body):
            words = (
                "JSON with comments, trailing commas or gaps",
                "strict JSON has none",
                "read without them: mend it",
            )
            yield _Found("D32", body.example_line, f"{side} example", words)


def _is_strict(text: str, body: Body) -> bool:
    """Whether plain JSON stands where the example begins."""
    line_start = offset_of(text, body.example_line)
    opens = re.compile(r"[\[{\"]").search(text, line_start)
    try:
        json.JSONDecoder().raw_decode(text, opens.start() if opens else len(text))
    except (ValueError, RecursionError):
        return False
    return True


@lru_cache(maxsize=4)
def _shows_errors(text: str, kind: str) -> bool:
    """Whether a document has an answer with an error status; asked for every endpoint of it."""
    if kind == "apifox-text":
        return any(status >= 400 for status in statuses(text))
    return _ERRORS.search(text) is not None


def _errors(document: Document, endpoint: Endpoint) -> Iterator[_Found]:
    """D25: what an error looks like is nowhere said."""
    if endpoint.response is None or _shows_errors(document.source.text, document.kind):
        return
    words = (f"only status {endpoint.status}", "every relay answers errors too", "errors are judged by the protocol")
    yield _Found("D25", endpoint.response.line, "response", words, repaired=False)
