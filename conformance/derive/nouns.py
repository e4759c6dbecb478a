"""The nouns of deriving: what a page says, before and after it has been repaired.

Lines count from 1. A schema "as documented" is JSON Schema (2020-12) in which every object that states a fact has
`x-source` (`"vman.txt:131"`: file and line) and `x-evidence` (a list of `EVIDENCE` words, best first); a guess has
`x-weak: true` as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance.errors import ConformanceError

EVIDENCE = ("table", "example", "prose", "curl", "openapi", "reference")
"""Where a fact comes from; a repaired fact also has `repair Dnn`."""


class DeriveError(ConformanceError):
    """An input cannot be read as a page; the message names file and line."""


@dataclass(frozen=True)
class Source:
    """One input file: its name without folders, its text, and the SHA-256 of its bytes in hexadecimal."""

    name: str
    text: str
    sha256: str

    def at(self, line: int) -> str:
        """`file:line`, as `x-source` and errors give it."""
        return f"{self.name}:{line}"


@dataclass(frozen=True)
class NavItem:
    """One leaf of the navigation tree: the only statement that a sibling endpoint exists."""

    title: str
    folder: tuple[str, ...]
    method: str
    """Upper case; empty where the tree does not show it (a closed folder), which says nothing."""
    line: int


@dataclass(frozen=True)
class Header:
    """A header that a table, a curl line or an OpenAPI parameter names."""

    name: str
    required: bool | None
    example: str
    line: int
    evidence: str


@dataclass(frozen=True)
class Body:
    """The body of a request or a response, as documented."""

    media_type: str
    schema: dict[str, Any] | None
    """None where the page shows nothing to derive it from."""
    example: Any
    """The example as a JSON value; None where there is none or it is no JSON."""
    line: int
    example_line: int = 0
    has_table: bool = False
    """Whether fields were documented, and not only an example."""


@dataclass(frozen=True)
class Endpoint:
    """One endpoint that is documented with more than its name."""

    title: str
    folder: tuple[str, ...]
    method: str
    url: str
    """Absolute, or a path, as written."""
    line: int
    description: str
    bearer: bool | None
    """Whether the authentication block, a header or curl shows a bearer key; None: nothing is said."""
    headers: tuple[Header, ...]
    request: Body | None
    response: Body | None
    status: int = 200
    key_line: int = 0
    """Where the key is documented; 0 where nothing says so."""
    key_header: str = ""
    """The header of the key where that is not Authorization."""


@dataclass(frozen=True)
class Document:
    """One input as read: title, navigation tree, and the endpoints it documents."""

    source: Source
    kind: str
    """apifox-text, markdown, openapi, example"""
    title: str
    nav: tuple[NavItem, ...]
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class Defect:
    """One mistake of a page, in words from which its author can mend it."""

    row: str
    """The row of the defect table, such as `D1`; empty for one that the table does not know."""
    source: str
    """`file:line`"""
    where: str
    """The field or part, such as `request temperature`."""
    documented: str
    evidence: str
    repair: str
    repaired: bool
    """False: reported only."""
