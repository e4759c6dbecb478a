"""The text of an Apifox page to a `Document`: its navigation, its endpoints, their headers, bodies and examples.

The grammar is that of the pages as crawlers save them: one line per cell, headings on lines of their own, nesting lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from conformance.derive.bodies import read_body
from conformance.derive.curl import Curl, read_curl
from conformance.derive.infer import infer
from conformance.derive.nav import METHODS, read_nav
from conformance.derive.nouns import Body, DeriveError, Document, Endpoint, Header, Source
from conformance.derive.plain import Line, lines_of, offset_of, unix
from conformance.derive.tables import read_fields
from conformance.derive.tolerant import first_value

LONGEST_PAGE = 4_000_000
"""Characters of a page; the longest seen has ten thousand."""
MOST_ENDPOINTS = 50

_MEDIA = r"[a-z]+/[\w.+\-*]+"
_HEADING = re.compile(rf"(?P<part>Header|Query|Path|Cookie|Body) 参数 ?(?P<media>{_MEDIA})?.{{0,40}}", re.IGNORECASE)
_CODE = re.compile(r"(?:请求)?示例代码|请求示例请求示例")
_ANSWERS = re.compile(r"返回响应")
_STATUS = re.compile(r"(?:HTTP ?状态码: ?|\W{0,4})(\d{3})(?!\d)[^\d/]{0,80}|[^\s\d]{1,40} ?\((\d{3})\)")
_MEDIA_LINE = re.compile(rf"(?:内容格式: ?)?({_MEDIA}|JSON|XML|HTML|Raw|Binary)", re.IGNORECASE)
_SHORT_MEDIA = {"json": "application/json", "xml": "application/xml", "html": "text/html", "raw": "text/plain"}
_TARGET = re.compile(r"(?:https?://|/|\{\{)\S*")
_CRUMB = re.compile(r"\d{1,3}\. ?(\S.*)")
_FOOTER = re.compile(r"上一页|下一页|Built with.*|修改于.*")
_LOOKS = re.compile(
    r"^[ \t]*(?:请求参数|返回响应|(?:Body|Header|Query|Path)[\s\u00a0]参数.{0,60})[ \t\r]*$", re.MULTILINE
)


def looks_like(text: str) -> bool:
    """Whether the text has the headings of an Apifox page."""
    return _LOOKS.search(text) is not None


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
    endpoints = tuple(_endpoint(page, lines, start, end) for start, end in zip(starts, ends, strict=True))
    title = next(line.text for line in lines if line.text)
    return Document(source, "apifox-text", title, read_nav(lines[: starts[0]]), endpoints)


def statuses(text: str) -> tuple[int, ...]:
    """Every status that the answers of a page are shown for."""
    lines = lines_of(unix(text))
    first = next((place for place, line in enumerate(lines) if _ANSWERS.fullmatch(line.text)), len(lines))
    return tuple(status for place in range(first, len(lines)) if (status := _status(lines, place)))


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
    curl = _curl(source, parts)
    headers = _headers(source, parts, curl)
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
        bearer=_bearer(parts, headers),
        headers=headers,
        request=request,
        response=response,
        status=status,
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
        name, media = _heading(lines[place].text)
        answered = answered or name == "answers"
        if name and not (answered and name in ("header", "body", "query", "path", "cookie")):
            cuts.append((place, name, media))
    ends = [*(place for place, _, _ in cuts[1:]), end]
    return [
        _Part(name, media, lines[place].number, lines[place + 1 : until])
        for (place, name, media), until in zip(cuts, ends, strict=True)
    ]


def _heading(text: str) -> tuple[str, str]:
    if len(text) > 80:
        return "", ""
    if found := _HEADING.fullmatch(text):
        return found["part"].lower(), (found["media"] or "").lower()
    simple = {"请求参数": "auth", "返回响应": "answers"}
    return ("code", "") if _CODE.fullmatch(text) else (simple.get(text, ""), "")


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


def _bearer(parts: Sequence[_Part], headers: Sequence[Header]) -> bool | None:
    """True where the authentication block, the header table or the curl line shows a bearer key."""
    block = any("bearer" in line.text.lower() for part in _of(parts, "auth") for line in part.lines)
    shown = any(each.name.lower() == "authorization" for each in headers)
    return True if block or shown else None


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
        elif line.text and line.text not in ("Body", "数据结构"):
            return read_body(source, media, number, lines[place:])
    return Body(media, None, None, number)


def _before_footer(lines: Sequence[Line]) -> Sequence[Line]:
    end = next((place for place, line in enumerate(lines) if _FOOTER.fullmatch(line.text[:100])), len(lines))
    return lines[:end]


def _status(lines: Sequence[Line], place: int) -> int:
    """The status of a line such as `🟢200OK` with a media type below it; 0 for any other line."""
    found = _STATUS.fullmatch(lines[place].text) if len(lines[place].text) < 120 else None
    below = next((line.text for line in lines[place + 1 : place + 4] if line.text), "")
    if not found or not (_MEDIA_LINE.fullmatch(below[:100]) or below in ("Body", "数据结构")):
        return 0
    return int(found[1] or found[2])
