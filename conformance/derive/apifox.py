"""The text of an Apifox page to a `Document`: its navigation, its endpoints, their headers, bodies and examples.

The grammar is that of the pages as crawlers save them: one line per cell, headings on lines of their own, nesting lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, is_dataclass, replace
from itertools import pairwise
from typing import Any

from conformance.derive.bodies import after_example, read_body
from conformance.derive.curl import Curl, read_curl
from conformance.derive.headings import MEDIA, heading
from conformance.derive.infer import infer
from conformance.derive.keys import shown_key
from conformance.derive.nav import METHODS, read_nav
from conformance.derive.nouns import Body, DeriveError, Document, Endpoint, Header, NavItem, Source
from conformance.derive.plain import Line, lines_of, offset_of, unix
from conformance.derive.tables import read_fields, read_kind
from conformance.derive.tolerant import first_value

LONGEST_PAGE = 4_000_000
"""Characters of a page; the longest seen has ten thousand."""
MOST_ENDPOINTS = 50

_STATUS = re.compile(
    r"(?:HTTP ?(?:状态码|(?:status )?code): ?|\W{0,4})(\d{3})(?!\d)[^\d/]{0,80}|[^\s\d]{1,40} ?\((\d{3})\)",
    re.IGNORECASE,
)
_MEDIA_LINE = re.compile(rf"(?:(?:内容格式|content[ -]type): ?)?({MEDIA}|JSON|XML|HTML|Raw|Binary)", re.IGNORECASE)
_SCHEMA = re.compile(r"body|数据结构|(?:data )?schema", re.IGNORECASE)
_SHORT_MEDIA = {"json": "application/json", "xml": "application/xml", "html": "text/html", "raw": "text/plain"}
_TARGET = re.compile(r"(?:https?://|/|\{\{)\S*")
_CRUMB = re.compile(r"\d{1,3}\. ?(\S.*)")
_FOOTER = re.compile(r"上一页|下一页|previous|next|Built with.*|修改于.*|modified at ?\d{4}.*", re.IGNORECASE)
_LOOKS = re.compile(
    r"^[ \t]*(?:请求参数|返回响应|(?:Body|Header|Query|Path)[\s\u00a0]参数.{0,60})[ \t\r]*$", re.MULTILINE
)
_LOOKS_ENGLISH = re.compile(
    r"^[ \t]*(?:Request|Responses?|(?:Body|Header|Query|Path)[ \u00a0]Param(?:eter)?s?.{0,60})[ \t\u00a0\r]*$",
    re.MULTILINE | re.IGNORECASE,
)
_CALLED = re.compile(
    rf"^[ \t]*(?:{'|'.join(METHODS)})[ \t\u00a0\r]*\n(?:[ \t\u00a0\r]*\n){{0,2}}[ \t]*(?:https?://|/|\{{\{{)",
    re.MULTILINE,
)


def looks_like(text: str) -> bool:
    """Whether the text has the headings of an Apifox page."""
    return _LOOKS.search(text) is not None or bool(_LOOKS_ENGLISH.search(text) and _CALLED.search(text))


def read_page(source: Source) -> Document:
    """Read a whole page. Raises DeriveError, with file and line, when no body can be derived from it."""
    if len(source.text) > LONGEST_PAGE:
        raise DeriveError(f"{source.at(1)}: the page is longer than {LONGEST_PAGE:,} characters", "Split the page.")
    page = replace(source, text=unix(source.text))
    lines = lines_of(page.text)
    starts = [place for place in range(len(lines)) if _is_endpoint(lines, place)][:MOST_ENDPOINTS]
    if not starts:
        raise DeriveError(
            f"{source.at(1)}: no endpoint: nowhere does a line with a method stand above a line with a URL or path",
            "Save the text of the whole page of one endpoint, from its title to its footer.",
        )
    ends = [*starts[1:], len(lines)]
    endpoints = _once(_endpoint(page, lines, start, end) for start, end in zip(starts, ends, strict=True))
    title = next(line.text for line in lines if line.text)
    return Document(page, "apifox-text", title, _navigation(lines, starts), endpoints)


def statuses(text: str) -> tuple[int, ...]:
    """Every status that the answers of a page are shown for."""
    lines = lines_of(unix(text))
    first = next((place for place in range(len(lines)) if heading(lines, place)[0] == "answers"), len(lines))
    return tuple(status for place in range(first, len(lines)) if (status := _status(lines, place)))


def navigation_lines(text: str) -> list[Line]:
    """The lines above the first endpoint of a page."""
    lines = lines_of(unix(text))
    first = next((place for place in range(len(lines)) if _is_endpoint(lines, place)), len(lines))
    return lines[:first]


def _navigation(lines: Sequence[Line], starts: Sequence[int]) -> tuple[NavItem, ...]:
    """The leaves above the first endpoint, and what the trees of further pages in the same file add to them."""
    found = list(read_nav(lines[: starts[0]]))
    named = {(item.title, item.folder) for item in found}
    for before, start in pairwise(starts):
        footer = before + len(_before_footer(lines[before:start]))
        found += [item for item in read_nav(lines[footer:start]) if (item.title, item.folder) not in named]
        named |= {(item.title, item.folder) for item in found}
    return tuple(found)


def _once(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Every endpoint once, also when its page stands in the file twice."""
    found: dict[str, Endpoint] = {}
    for endpoint in endpoints:
        found.setdefault(repr(_without_lines(endpoint)), endpoint)
    return tuple(found.values())


def _without_lines(value: Any) -> Any:
    """What a page says, without where it says so."""
    if is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        return {key: _without_lines(each) for key, each in value.items() if key != "x-source" and "line" not in key}
    return [_without_lines(each) for each in value] if isinstance(value, list | tuple) else value


def _is_endpoint(lines: Sequence[Line], place: int) -> bool:
    """A method on its own line, and on the next one that is not blank a URL or path."""
    if lines[place].text not in METHODS:
        return False
    below = next((line.text for line in lines[place + 1 : place + 4] if line.text), "")
    return _TARGET.match(below) is not None


@dataclass(frozen=True)
class _Part:
    """The lines below one heading."""

    name: str
    """header, query, path, cookie, body, code, answers, auth"""
    media: str
    line: int
    lines: Sequence[Line]


def _endpoint(source: Source, lines: Sequence[Line], start: int, end: int) -> Endpoint:
    target = next(place for place in range(start + 1, end) if lines[place].text)
    parts = _parts(lines, target + 1, end)
    _check_headings(source, parts)
    curl = _curl(source, parts)
    headers = _headers(source, parts, curl)
    key_line, key_header = _key(parts, headers)
    request = _request(source, parts, curl)
    response, status = _response(source, parts)
    if request is None and (response is None or response.schema is None):
        raise DeriveError(
            f"{source.at(lines[start].number)}: no body table and no example, for request or answer",
            "Open the body on the page before saving its text, or add an example.",
        )
    return Endpoint(
        title=_title(lines, start),
        folder=_folder(lines, start),
        method=METHODS[lines[start].text],
        url=lines[target].text,
        line=lines[start].number,
        description="\n".join(line.text for line in parts[0].lines if line.text),
        bearer=True if key_line and not key_header else None,
        headers=headers,
        request=request,
        response=response,
        status=status,
        key_line=key_line,
        key_header=key_header,
    )


def _title(lines: Sequence[Line], start: int) -> str:
    return next((line.text for line in reversed(lines[:start]) if line.text), "")


def _folder(lines: Sequence[Line], start: int) -> tuple[str, ...]:
    """The breadcrumbs above the title, outermost first."""
    above = [line.text for line in reversed(lines[max(0, start - 40) : start]) if line.text][1:]
    found: list[str] = []
    for text in above:
        crumb = _CRUMB.fullmatch(text)
        if crumb is None:
            break
        found.append(crumb[1])
    return tuple(reversed(found))


def _parts(lines: Sequence[Line], start: int, end: int) -> list[_Part]:
    """Everything below the URL, cut at the headings; the first part is the description."""
    cuts: list[tuple[int, str, str]] = [(start - 1, "description", "")]
    answered = False
    for place in range(start, end):
        name, media = heading(lines, place)
        answered = answered or name == "answers"
        if name and not (answered and name in ("header", "body", "query", "path", "cookie")):
            cuts.append((place, name, media))
    ends = [*(place for place, _, _ in cuts[1:]), end]
    return [
        _Part(name, media, lines[place].number, lines[place + 1 : until])
        for (place, name, media), until in zip(cuts, ends, strict=True)
    ]


def _check_headings(source: Source, parts: Sequence[_Part]) -> None:
    """Refuse a page with a table where none can stand: a heading above it was not recognised."""
    for part in parts:
        lines = _beyond(part)
        field = next((each for each in read_fields(lines) if each.required is not None), None)
        if field:
            raise DeriveError(
                f"{source.at(field.line)}: {field.name!r} looks like a field of a table, but no heading of such a "
                "table is above it",
                "Put one above it: Header 参数, Body 参数 or 返回响应; Header Params, Body Params or Responses.",
            )


def _beyond(part: _Part) -> Sequence[Line]:
    """The lines of a part in which no field can stand; a table of headers has no example and no objects."""
    if part.name in ("description", "auth", "code"):
        return part.lines
    if part.name in ("body", "answers"):
        return after_example(part.lines) if part.name == "body" else ()
    within = any(line.text in ("{", "[") or line.text.startswith('{"') for line in part.lines)
    objects = next(
        (each.line for each in read_fields(part.lines) if "object" in (each.kind.items or each.kind.types)), 0
    )
    return [line for line in part.lines if line.number >= objects] if within and objects else ()


def _of(parts: Sequence[_Part], name: str) -> list[_Part]:
    return [part for part in parts if part.name == name]


def _curl(source: Source, parts: Sequence[_Part]) -> Curl | None:
    """The curl command among the code examples."""
    code = _of(parts, "code")
    if not code:
        return None
    last = code[-1].line + len(code[-1].lines)
    return read_curl(source.text, offset_of(source.text, code[0].line), offset_of(source.text, last + 1))


def _headers(source: Source, parts: Sequence[_Part], curl: Curl | None) -> tuple[Header, ...]:
    """The headers of the table, then those that only the curl line shows."""
    fields = [each for part in _of(parts, "header") for each in read_fields(part.lines)]
    found = [Header(each.name, each.required, each.example, each.line, "table") for each in fields]
    named = {header.name.lower() for header in found}
    for name, value, at in curl.headers if curl else ():
        if name.lower() not in named:
            named.add(name.lower())
            found.append(Header(name, None, value, source.text.count("\n", 0, at) + 1, "curl"))
    return tuple(found)


def _key(parts: Sequence[_Part], headers: Sequence[Header]) -> tuple[int, str]:
    """The line that documents the key, and the header of the key where it is another than Authorization.

    The authentication block comes first, then the header table and the curl line; 0 where nothing shows a key.
    """
    for part in _of(parts, "auth"):
        if any("bearer" in line.text.lower() for line in part.lines):
            return next(line.number for line in part.lines if line.text), ""
    return shown_key(headers)


def _request(source: Source, parts: Sequence[_Part], curl: Curl | None) -> Body | None:
    for part in _of(parts, "body"):
        body = read_body(source, part.media or "application/json", part.line, part.lines)
        if body.schema is None:
            body = _sent(source, curl) or body
        if body.schema is None:
            raise DeriveError(
                f"{source.at(part.line)}: the request has no body table and no example",
                "Open the body on the page before saving its text, or add an example.",
            )
        return body
    return _sent(source, curl)


def _sent(source: Source, curl: Curl | None) -> Body | None:
    """The body of the curl command, for a page that shows it nowhere else."""
    if curl is None or curl.data_at < 0 or not source.text[curl.data_at : curl.data_at + 20].lstrip().startswith("{"):
        return None
    line = source.text.count("\n", 0, curl.data_at) + 1
    value = first_value(source.text, source.at(line), curl.data_at).value
    return Body("application/json", infer(value, source, line, "curl"), value, line, line)


def _response(source: Source, parts: Sequence[_Part]) -> tuple[Body | None, int]:
    """The first answer with a status of success, and that status."""
    for part in _of(parts, "answers"):
        lines = _before_footer(part.lines)
        places = [(place, status) for place in range(len(lines)) if (status := _status(lines, place))]
        ends = [*(place for place, _ in places[1:]), len(lines)]
        for (place, status), end in zip(places, ends, strict=False):
            if 200 <= status < 300:
                return _answer(source, lines[place + 1 : end], lines[place].number), status
        if not places and lines:
            return _answer(source, lines, part.line), 200
    return None, 200


def _answer(source: Source, lines: Sequence[Line], number: int) -> Body:
    """The lines below a status: media type, the word Body, table, example."""
    media = "application/json"
    for place, line in enumerate(lines):
        if found := _MEDIA_LINE.fullmatch(line.text[:100]):
            media = _SHORT_MEDIA.get(found[1].lower(), found[1].lower())
        elif line.text and not _SCHEMA.fullmatch(line.text[:40]):
            return read_body(source, media, number, lines[place:])
    return Body(media, None, None, number)


def _before_footer(lines: Sequence[Line]) -> Sequence[Line]:
    end = next((place for place in range(len(lines)) if _is_footer(lines, place)), len(lines))
    return lines[:end]


def _is_footer(lines: Sequence[Line], place: int) -> bool:
    """Whether a line ends the page, and is no field called `next`."""
    below = lines[place + 1].text if place + 1 < len(lines) else ""
    return _FOOTER.fullmatch(lines[place].text[:100]) is not None and read_kind(below) is None


def _status(lines: Sequence[Line], place: int) -> int:
    """The status of a line such as `🟢200OK` with a media type below it; 0 for any other line."""
    found = _STATUS.fullmatch(lines[place].text) if len(lines[place].text) < 120 else None
    below = next((line.text for line in lines[place + 1 : place + 4] if line.text), "")
    if not found or not (_MEDIA_LINE.fullmatch(below[:100]) or _SCHEMA.fullmatch(below[:40])):
        return 0
    return int(found[1] or found[2])
