"""Which recorded exchange answers a request of anybody's client. Sends nothing, listens to nothing.

A request gets the exchange of the same method, path and JSON body (the name of the model aside), else the one of the
same method and path that resembles it most. Below `/__cases/CASE/` every request gets the exchange of that case.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

from conformance.jsontext import parse_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.model import Exchange, Ledger, Response

PINNED = "/__cases"
"""Below it, and a case's id, every request is answered with the exchange of that case."""
API = "/v1"
"""What a client's base URL ends in, whatever the relay's did."""

_OK = range(200, 300)


class Match(NamedTuple):
    """The exchange that answers a request, and why: `pinned`, `exact` or `best`."""

    exchange: Exchange
    response: Response
    how: str


@dataclass(frozen=True)
class _Recorded:
    """An exchange, and what requests are compared with."""

    exchange: Exchange
    response: Response
    query: str
    body: Any
    """The body as JSON without the model; None where it is no JSON object."""


class Recording:
    """The exchanges of a ledger, by what was asked."""

    def __init__(self, ledger: Ledger) -> None:
        self._cases: dict[str, _Recorded] = {}
        self._asked: dict[tuple[str, str], list[_Recorded]] = defaultdict(list)
        base = _path(ledger.provider.base_url).rstrip("/")
        for exchange in ledger.exchanges:
            if exchange.response is not None:
                path, query = _address(exchange.request.url, base)
                entry = _Recorded(exchange, exchange.response, query, _comparable(exchange.request.body))
                self._cases[exchange.case.id] = entry
                self._asked[exchange.request.method, path].append(entry)

    @property
    def cases(self) -> tuple[str, ...]:
        """The cases that have an answer, in the order of the plan."""
        return tuple(self._cases)

    def __len__(self) -> int:
        return len(self._cases)

    def find(self, method: str, path: str, query: str = "", body: bytes = b"") -> Match | None:
        """The exchange that answers a request; None where nothing was recorded for its path."""
        if path.startswith(f"{PINNED}/"):
            pinned = self._pinned(path.removeprefix(f"{PINNED}/").split("/"))
            return Match(pinned.exchange, pinned.response, "pinned") if pinned else None
        recorded = self._asked.get((method, path)) or self._asked.get((method, _other(path)))
        return _best(recorded, query, _comparable(body)) if recorded else None

    def recorded(self) -> list[tuple[str, str, int]]:
        """(method, path, number of exchanges) of everything that was asked."""
        return [(method, path, len(entries)) for (method, path), entries in sorted(self._asked.items())]

    def _pinned(self, steps: Sequence[str]) -> _Recorded | None:
        """The case whose id is the longest beginning of a path."""
        names = ("/".join(steps[:end]) for end in range(min(len(steps), 8), 0, -1))
        return next((self._cases[name] for name in names if name in self._cases), None)


def pinned_path(case: str) -> str:
    """The path of the base URL at which the exchange of a case answers everything."""
    return f"{PINNED}/{quote(case, safe='/', errors='replace')}{API}"


def _address(url: str, base: str) -> tuple[str, str]:
    """(path, query) of a recorded URL, below `/v1` where it was below the relay's base URL."""
    whole, _, query = url.partition("#")[0].partition("?")
    path = unquote(_path(whole))
    inside = base and path.startswith(f"{base}/")
    return (API + path.removeprefix(base) if inside else path), query


def _path(url: str) -> str:
    """The path of a URL without query; that of a ledger need not be a URL at all."""
    return "/" + url.partition("://")[2].partition("/")[2]


def _other(path: str) -> str:
    """The same path below `/v1`, or beside it: not every relay has its API below `/v1`."""
    return path.removeprefix(API) if path.startswith(f"{API}/") else API + path


def _comparable(body: bytes) -> Any:
    """A body as JSON without the model; None where it is no JSON object."""
    value = parse_json(body).value if body else None
    return {name: inner for name, inner in value.items() if name != "model"} if isinstance(value, dict) else None


def _best(recorded: Sequence[_Recorded], query: str, body: Any) -> Match:
    """The entry that resembles a request most; the first of several."""
    exact = [each for each in recorded if each.body == body and each.query == query]
    found = max(exact, key=_good) if exact else max(recorded, key=lambda each: _likeness(each, query, body))
    return Match(found.exchange, found.response, "exact" if exact else "best")


def _good(each: _Recorded) -> bool:
    """Whether the relay gave what was asked for: the same request may also have been sent with a wrong key."""
    return each.exchange.status in _OK


def _likeness(each: _Recorded, query: str, body: Any) -> tuple[bool, bool, bool, int]:
    """How much an entry resembles a request: the kind of answer first, a good one before a refusal, then the fields."""
    theirs, ours = each.body or {}, body or {}
    same_kind = bool(theirs.get("stream")) == bool(ours.get("stream"))
    shared = sum(theirs[name] == ours[name] for name in theirs.keys() & ours.keys())
    return same_kind, each.query == query, _good(each), 2 * shared - len(theirs.keys() ^ ours.keys())
