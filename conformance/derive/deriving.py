"""A provider's pages to the files of its profile: read, named, repaired, merged, written out as bytes."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from conformance.derive import apifox, emit, example, markdown, openapi, repairs
from conformance.derive.merging import merge
from conformance.derive.naming import Name, base_path, name, path_of, slug
from conformance.derive.nouns import Defect, DeriveError, Document, Endpoint, NavItem, Source
from conformance.derive.source import read_sources
from conformance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SWAGGER = re.compile(r"""(?:^|[{,])\s{0,40}["']?swagger["']?[ \t]{0,9}:[ \t]{0,9}["']?2\.""", re.MULTILINE)
_RESERVED = frozenset({"openai", "formats"})
_MOST_MODELS = 200

_READERS: tuple[tuple[str, Callable[[str], bool], Callable[[Source], Document]], ...] = (
    ("Markdown with a fenced block of OpenAPI", markdown.looks_like, markdown.read_markdown),
    ("OpenAPI 3.0 or 3.1 in YAML or JSON (`openapi: 3…`)", openapi.looks_like, openapi.read_openapi),
    ("the text of an Apifox page (请求参数, 返回响应)", apifox.looks_like, apifox.read_page),
    ("a request and a response as JSON examples", example.looks_like, example.read_pair),
)


@dataclass(frozen=True)
class Derived:
    """The files of one provider by name, and what a summary says of them."""

    files: dict[str, bytes]
    defects: tuple[Defect, ...]
    profile: dict[str, Any]
    """What `profile.toml` holds."""


@dataclass
class _Claim:
    """One leaf of the navigation, with the endpoint that documents it, where one does."""

    item: NavItem
    file: str
    """The input that has the leaf; the endpoint may stand in another."""
    document: Document | None = None
    endpoint: Endpoint | None = None

    @cached_property
    def name(self) -> Name:
        """What it is; asked for when the endpoint is known."""
        if self.document is None or self.endpoint is None:
            return name(self.item.title, self.item.folder, self.item.method)
        path = path_of(self.endpoint.url)
        named = name(self.item.title, self.item.folder, self.endpoint.method, path)
        if not path:
            named = _by_bodies(self.endpoint) or named
        return named if named.operation else Name("endpoint", slug(self.document.source.name))


@dataclass
class _Operation:
    """One operation and everything that documents it."""

    endpoints: list[tuple[Document, Endpoint]] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)


def derive(paths: Iterable[Path], provider: str) -> Derived:
    """Derive everything from the pages of one provider; writes nothing.

    Raises `DeriveError` for an input that cannot be read, `UsageError` for a name that cannot be one.
    """
    check_name(provider)
    sources = read_sources(paths)
    if not sources:
        raise UsageError("no page is given", "relay-conformance derive page.txt --name vman --out schemas/vman")
    documents = [read(source) for source in sources]
    claims = _claims(documents)
    operations, defects = _repaired(claims)
    defects = [*(each for document in documents for each in repairs.page_defects(document)), *defects]
    defects = list(dict.fromkeys(defects))
    schemas = {f"{each}.json": _schema(provider, each, found) for each, found in operations.items() if found.parts}
    counts = {"defects": len(defects), "weak": sum(_weak(parts) for _, parts in schemas.values())}
    profile = {**_profile(provider, documents, claims, schemas), **counts}
    files = {
        **{file: content for file, (content, _) in schemas.items()},
        emit.PROFILE: emit.profile_toml(profile),
        emit.DEFECTS: emit.defects_md(provider, profile["title"], defects),
    }
    return Derived(dict(sorted(files.items())), tuple(defects), profile)


def check_name(provider: str) -> None:
    """Refuse a name that cannot be a folder of `schemas/`."""
    if not _NAME.fullmatch(provider) or provider in _RESERVED:
        raise UsageError(
            f"--name {provider!r} cannot be used", "lower-case letters, digits and hyphens; not openai, not formats"
        )


def read(source: Source) -> Document:
    """Read one input with the first reader that recognises it."""
    for _, looks_like, reader in _READERS:
        if reader is example.read_pair:
            _refuse_swagger(source)
        if looks_like(source.text):
            return reader(source)
    looked_for = "; ".join(what for what, _, _ in _READERS)
    raise DeriveError(f"{source.name}: not recognised as a page", f"looked for: {looked_for}")


def _refuse_swagger(source: Source) -> None:
    found = _SWAGGER.search(source.text)
    if found:
        line = source.text.count("\n", 0, found.end()) + 1
        raise DeriveError(
            f"{source.at(line)}: Swagger 2.0 is not supported, export OpenAPI 3", "Most tools convert it."
        )


def _claims(documents: Sequence[Document]) -> list[_Claim]:
    """Every leaf and every endpoint once, in the order of the pages; an endpoint that has a leaf takes its place."""
    claims = _leaves(documents)
    by_title: dict[str, list[_Claim]] = defaultdict(list)
    for claim in claims:
        by_title[claim.item.title].append(claim)
    for document in documents:
        for endpoint in document.endpoints:
            free = (each for each in by_title[endpoint.title] if not each.endpoint and _is_below(endpoint, each.item))
            home = next(free, None)
            if home:
                home.document, home.endpoint = document, endpoint
            else:
                item = NavItem(endpoint.title, endpoint.folder, endpoint.method, endpoint.line)
                claims.append(_Claim(item, document.source.name, document, endpoint))
    return claims


def _leaves(documents: Sequence[Document]) -> list[_Claim]:
    """The leaves of all navigations; several pages of one provider share one."""
    found: dict[tuple[Any, ...], _Claim] = {}
    for document in documents:
        seen: dict[tuple[Any, ...], int] = defaultdict(int)
        for item in document.nav:
            place = item.title, item.folder
            seen[place] += 1
            claim = found.setdefault((*place, seen[place]), _Claim(item, document.source.name))
            claim.item = replace(claim.item, method=claim.item.method or item.method)
    return list(found.values())


def _is_below(endpoint: Endpoint, item: NavItem) -> bool:
    """Whether the breadcrumb of an endpoint, which may name its last folder only, is that of the leaf."""
    size = len(endpoint.folder)
    return not size or item.folder[-size:] == endpoint.folder


_OBJECTS = {
    "chat.completion": "chat",
    "chat.completion.chunk": "chat",
    "text_completion": "completions",
    "response": "responses",
    "message": "messages",
}
_FIELDS = (("messages", "chat"), ("prompt", "completions"), ("voice", "audio.speech"), ("input", "embeddings"))


def _by_bodies(endpoint: Endpoint) -> Name | None:
    """The operation of an example pair, which has no path: its bodies are all there is."""
    answer = endpoint.response.example if endpoint.response else None
    request = endpoint.request.example if endpoint.request else None
    if isinstance(answer, dict):
        kind = answer.get("object", answer.get("type"))
        if isinstance(kind, str) and kind in _OBJECTS:
            return Name("endpoint", _OBJECTS[kind])
    if isinstance(request, dict):
        return next((Name("endpoint", operation) for key, operation in _FIELDS if key in request), None)
    return None


def _repaired(claims: Sequence[_Claim]) -> tuple[dict[str, _Operation], list[Defect]]:
    operations: dict[str, _Operation] = defaultdict(_Operation)
    defects: list[Defect] = []
    for claim in claims:
        if claim.document is None or claim.endpoint is None:
            continue
        operation = operations[claim.name.operation]
        parts, found = repairs.repair(claim.document, claim.endpoint, claim.name.operation)
        operation.endpoints.append((claim.document, claim.endpoint))
        shown = {key: part for key, part in parts.get("$defs", {}).items() if part is not None}
        if shown:
            operation.parts.append(shown)
        defects += [*found, *_unresolved(shown)]
    return dict(sorted(operations.items())), defects


def _schema(provider: str, operation: str, found: _Operation) -> tuple[bytes, dict[str, Any]]:
    """The file of one operation, and its `$defs`."""
    names = sorted({key for parts in found.parts for key in parts})
    parts = {key: merge([each[key] for each in found.parts if key in each]) for key in names}
    endpoint = found.endpoints[0][1]
    title = emit.clean(f"{endpoint.method} {path_of(endpoint.url)}".strip() or operation)
    sources = [document.source.at(each.line) for document, each in found.endpoints]
    return emit.schema_json(provider, operation, title, sources, parts), parts


def _profile(
    provider: str, documents: Sequence[Document], claims: Sequence[_Claim], schemas: dict[str, Any]
) -> dict[str, Any]:
    endpoints = [each for document in documents for each in document.endpoints]
    bases = [base for each in endpoints if (base := base_path(path_of(each.url))) is not None]
    return {
        "name": provider,
        "title": emit.clean(next((document.title for document in documents if document.title), provider)),
        "base_path": emit.clean(max(bases, key=bases.count, default="")),
        "hosts": sorted({emit.clean(host) for each in endpoints if (host := _host(each.url))}),
        "models": _models(endpoints),
        "authentication": _authentication(documents),
        "sources": [_source(document) for document in documents],
        "operations": [_entry(claim, schemas) for claim in claims],
    }


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2] if "://" in url else ""
    except ValueError:  # what a page calls a URL need not be one
        return ""


def _models(endpoints: Sequence[Endpoint]) -> list[str]:
    """The models that examples ask for: they may be retired, and are never a promise."""
    bodies = [each.request.example for each in endpoints if each.request]
    names = {body.get("model") for body in bodies if isinstance(body, dict)}
    return sorted(emit.clean(each, 100) for each in names if isinstance(each, str) and each)[:_MOST_MODELS]


def _authentication(documents: Sequence[Document]) -> dict[str, Any]:
    """Bearer is what relays want, unless pages name another header only; `documented` says whether a page says so."""
    places = [(document.source, each) for document in documents for each in document.endpoints]
    bearer = [place for place in places if place[1].bearer]
    shown = next(iter(bearer or [place for place in places if place[1].key_header]), None)
    if shown is None:
        return {"scheme": "bearer", "header": "Authorization", "documented": False}
    source, key = shown
    named = {"scheme": "bearer", "header": "Authorization"}
    if not key.bearer:
        named = {"scheme": "header", "header": emit.clean(key.key_header)}
    return {**named, "documented": True, "source": source.at(key.key_line or key.line)}


def _source(document: Document) -> dict[str, Any]:
    return {
        "file": document.source.name,
        "sha256": document.source.sha256,
        "kind": document.kind,
        "title": emit.clean(document.title),
    }


def _entry(claim: _Claim, schemas: dict[str, Any]) -> dict[str, Any]:
    """One row of `[[operations]]`; what the page does not say is left out."""
    endpoint, file = claim.endpoint, f"{claim.name.operation}.json"
    method = endpoint.method if endpoint else claim.item.method
    optional = {
        "operation": claim.name.operation,
        "variant": emit.clean(claim.name.variant),
        "method": emit.clean(method, 20),
        "path": emit.clean(path_of(endpoint.url)) if endpoint else "",
        "schema": file if endpoint and file in schemas else "",
    }
    return {
        "title": emit.clean(claim.item.title),
        "folder": [emit.clean(part) for part in claim.item.folder],
        "kind": claim.name.kind,
        **{key: value for key, value in optional.items() if value},
        "file": claim.file,
        "line": claim.item.line,
    }


def _unresolved(value: Any) -> list[Defect]:
    """References of a page that lead nowhere, or to another host."""
    if isinstance(value, list):
        return [defect for each in value for defect in _unresolved(each)]
    if not isinstance(value, dict):
        return []
    found = [defect for each in value.values() for defect in _unresolved(each)]
    if isinstance(value.get("x-unresolved"), str):
        evidence = "it points to nothing in this document; other documents are never fetched"
        reference = f"$ref {value['x-unresolved']}"
        found.append(Defect("", value["x-source"], "reference", reference, evidence, "anything is allowed", True))
    return found


def _weak(value: Any) -> int:
    """How many facts are guesses."""
    if isinstance(value, list):
        return sum(map(_weak, value))
    if not isinstance(value, dict):
        return 0
    return (value.get("x-weak") is True) + sum(map(_weak, value.values()))
