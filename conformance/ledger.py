"""Exchanges to JSON Lines and back. Redaction happens here, on write.

A ledger is append-only: a header, one line for each exchange, flushed as it happens, and a footer. Without a
footer the run was interrupted. After the footer, failing cases may have been made smaller: a line for each exchange,
and one for what came of it. The schema is `schemas/formats/ledger.json`.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any, Self

from conformance._version import __version__
from conformance.contract import is_valid, schema_errors
from conformance.errors import LedgerError, UsageError
from conformance.jsontext import parse_json
from conformance.model import (
    Attempt,
    Auth,
    Case,
    Exchange,
    Expectation,
    Failure,
    Ledger,
    Limits,
    Minimised,
    Phase,
    Price,
    Provider,
    Request,
    Response,
    Stop,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from conformance.redaction import Secrets

FORMAT = 1
_LONGEST_HEADER = 8192
_LONGEST_DETAIL = 200
_YEAR_9999 = 253_370_764_800
_AFTERWARDS = frozenset({"minimising", "minimised"})
_HEADER = b'{"kind":"header"'
_SEARCH = b'{"kind":"minimis'
"""How the lines of a search begin."""
_SCHEMA = "formats/ledger.json"
_DAMAGED = "it was edited or damaged; record the run again"
_ENUMS: dict[str, Any] = {"expect": Expectation, "price": Price, "phase": Phase, "auth": Auth, "probes": frozenset}


class LedgerWriter:
    """Appends to a ledger file; every line is on its way to the disk when the call returns."""

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self._secrets = secrets
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # An unbuffered file: one write call for each line, so a kill leaves at most one torn line.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror}", "choose another folder with --out"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def header(
        self, provider: Provider, limits: Limits, plan: Sequence[Case], rules: Sequence[str], started: float
    ) -> None:
        """Begin a ledger."""
        self._line(
            {
                "kind": "header",
                "format": FORMAT,
                "tool": f"relay-conformance {__version__}",
                "started": round(started, 3),
                "provider": asdict(provider),
                "limits": asdict(limits),
                "rules": list(rules),
                "plan": [case_out(case) for case in plan],
            }
        )

    def resolved(self, base_url: str, limit_field: str, models: Mapping[str, str] | None = None) -> None:
        """Say at which base URL the relay answers, how its model calls the output limit, and who is asked for what."""
        named = {role: self._secrets.mask_text(model) for role, model in (models or {}).items()}
        self._line({"kind": "resolved", "base_url": base_url, "limit_field": limit_field, "models": named})

    def exchange(self, exchange: Exchange, *, preflight: bool = False) -> Exchange:
        """Append one exchange, secrets masked; return it as it was written."""
        masked = self._masked(exchange)
        self._line({"kind": "preflight" if preflight else "exchange", **exchange_out(masked, whole=preflight)})
        return masked

    def minimising(self, exchange: Exchange, rule: str) -> Exchange:
        """Append one exchange of a search for a smaller case that breaks `rule`; return it as it was written."""
        masked = self._masked(exchange)
        self._line({"kind": "minimising", "rule": rule, **exchange_out(masked, whole=True)})
        return masked

    def minimised(self, found: Minimised) -> None:
        """Say what came of a search, after its exchanges."""
        self._line({"kind": "minimised", **vars(found), "exchanges": len(found.exchanges)})

    def footer(self, seconds: float, stop: Stop | None, lag: float = 0.0) -> None:
        """End a ledger; `lag`: seconds by which this machine was late."""
        self._line(
            {"kind": "footer", "seconds": round(seconds, 3), "stop": stop and asdict(stop), "lag": round(lag, 4)}
        )

    def _line(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")

    def _masked(self, exchange: Exchange) -> Exchange:
        request = replace(
            exchange.request,
            url=self._secrets.mask_text(exchange.request.url),
            headers=self._headers(exchange.request.headers),
            body=self._secrets.mask(exchange.request.body),
        )
        response = exchange.response and replace(
            exchange.response,
            headers=self._headers(exchange.response.headers),
            body=self._secrets.mask_body(exchange.response.body),
        )
        attempts = tuple(
            replace(attempt, headers=self._headers(attempt.headers), failure=self._failure(attempt.failure))
            for attempt in exchange.attempts
        )
        failure = self._failure(exchange.failure)
        return replace(exchange, request=request, response=response, failure=failure, attempts=attempts)

    def _headers(self, headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        mask = self._secrets.mask_text
        # Nearly always there is nothing to mask: one look at all of them is much cheaper than one at each.
        whole = "\n".join(f"{name}\n{value}" for name, value in headers)
        pairs = [(mask(name), mask(value)) for name, value in headers] if mask(whole) != whole else headers
        return tuple((name[:_LONGEST_HEADER], value[:_LONGEST_HEADER]) for name, value in pairs)

    def _failure(self, failure: Failure | None) -> Failure | None:
        return failure and replace(failure, detail=self._secrets.mask_text(failure.detail)[:_LONGEST_DETAIL])


def read_ledger(path: Path) -> Ledger:
    """Read a ledger; raises LedgerError with file and line when it is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}", "give the ledger.jsonl of a run") from error
    lines = raw.split(b"\n")
    torn = lines.pop()  # a whole line ends in a newline; what follows the last one was cut off by a crash
    entries = [_entry(path, number, line) for number, line in enumerate(lines, 1)]
    if not entries or entries[0]["kind"] != "header":
        raise LedgerError(f"{path}: not a ledger, line 1 is no header", "give the ledger.jsonl of a run")
    ledger = _assemble(path, entries)
    # A search for a smaller case that broke off leaves the run before it whole.
    unharmed = not torn or torn.startswith(_SEARCH) or entries[-1]["kind"] in _AFTERWARDS
    return replace(ledger, complete=ledger.complete and unharmed)


def is_begun(path: Path) -> bool:
    """Whether there is anything to go on with; a kill in the first moment leaves an empty file, or half a header."""
    try:
        with path.open("rb") as file:
            first = file.readline()
    except OSError:
        return False
    return first.endswith(b"\n") or not _HEADER.startswith(first[: len(_HEADER)])


def cut_torn_line(path: Path) -> None:
    """Remove what a crash left after the last whole line, so that a resumed run can append."""
    raw = path.read_bytes()
    whole = raw.rfind(b"\n") + 1
    if whole != len(raw):
        with path.open("r+b") as file:
            file.truncate(whole)


def _entry(path: Path, number: int, line: bytes) -> dict[str, Any]:
    """One line, checked against the schema."""
    document = parse_json(line)
    if document.problem:
        raise LedgerError(f"{path}: line {number} is {document.problem.removeprefix('is ')}", _DAMAGED)
    entry = document.value
    written = entry.get("format", FORMAT) if isinstance(entry, dict) and entry.get("kind") == "header" else FORMAT
    if isinstance(written, int) and written != FORMAT:
        raise LedgerError(
            f"{path}: ledger format {written}, this version reads format {FORMAT}",
            "use the version of relay-conformance that wrote it",
        )
    if not is_valid(_SCHEMA, entry):
        problem = schema_errors(_SCHEMA, entry)[0]
        raise LedgerError(f"{path}: line {number} is no ledger line: {problem.message}", _DAMAGED)
    found: dict[str, Any] = entry
    return found


def _assemble(path: Path, entries: Sequence[dict[str, Any]]) -> Ledger:
    """Put checked lines together."""
    if not 0 <= entries[0]["started"] < _YEAR_9999:
        raise LedgerError(f"{path}: line 1 begins at no time that there is", _DAMAGED)
    reading = _Reading(entries[0])
    for number, entry in enumerate(entries[1:], 2):
        try:
            reading.take(entry)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise LedgerError(f"{path}: line {number} holds no exchange: {error}", _DAMAGED) from error
    return reading.ledger()


class _Reading:
    """A ledger as far as it has been read; a later exchange of the same case replaces the earlier one."""

    def __init__(self, header: dict[str, Any]) -> None:
        self._header = header
        self._cases = {case.id: case for case in map(case_in, header["plan"])}
        said = header["provider"]
        self._provider = Provider(**said | {"page_models": tuple(said.get("page_models", ()))})
        self._limit_field = ""
        self._models: Mapping[str, str] = {}
        self._exchanges: dict[str, Exchange] = {}
        self._preflight: list[Exchange] = []
        self._searches = _Searches()
        self._footer: dict[str, Any] | None = None

    def take(self, entry: dict[str, Any]) -> None:
        """One more line; raises what a value of the wrong kind leads to."""
        kind = entry["kind"]
        if kind in _AFTERWARDS:
            self._searches.take(entry)
            return
        self._footer = entry if kind == "footer" else None
        if kind == "resolved":
            self._provider = replace(self._provider, base_url=entry["base_url"])
            self._limit_field = entry["limit_field"]
            self._models = entry.get("models", {})
        elif kind == "exchange" and entry["case"] in self._cases:
            self._exchanges[entry["case"]] = exchange_in(entry, self._cases[entry["case"]])
        elif kind == "preflight":
            self._preflight.append(exchange_in(entry, case_in(entry["case"])))

    def ledger(self) -> Ledger:
        """Everything that was read, exchanges in the order of the plan."""
        header, footer = self._header, self._footer
        return Ledger(
            provider=self._provider,
            limits=Limits(**header["limits"]),
            plan=tuple(self._cases.values()),
            exchanges=tuple(self._exchanges[name] for name in self._cases if name in self._exchanges),
            started=header["started"],
            seconds=footer["seconds"] if footer else _last(header["started"], self._exchanges.values()),
            tool=header["tool"],
            rules=tuple(header["rules"]),
            preflight=tuple(self._preflight),
            limit_field=self._limit_field,
            models=self._models,
            stop=Stop(**footer["stop"]) if footer and footer["stop"] else None,
            complete=footer is not None,
            lag=footer.get("lag", 0.0) if footer else 0.0,
            minimised=tuple(self._searches.found.values()),
            resent=tuple(self._searches.exchanges),
        )


class _Searches:
    """Puts the lines of searches for smaller cases together."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Minimised] = {}
        self.exchanges: list[Exchange] = []
        self._begun: dict[tuple[str, str], list[Exchange]] = defaultdict(list)

    def take(self, entry: dict[str, Any]) -> None:
        """One more line; raises LookupError where it does not fit those before it."""
        if entry["kind"] == "minimising":
            case = case_in(entry["case"])
            exchange = exchange_in(entry, case)
            self.exchanges.append(exchange)
            self._begun[case.id, entry["rule"]].append(exchange)
            return
        key = entry["case"], entry["rule"]
        exchanges = self._begun.pop(key, [])[-entry["exchanges"] :]  # an interrupted search may stand before
        said = {name: value for name, value in entry.items() if name not in {"kind", "exchanges"}}
        if not entry["smallest"] < len(exchanges) == entry["exchanges"]:
            raise LookupError(f"{entry['exchanges']} exchanges are announced, {len(exchanges)} are there")
        self.found[key] = Minimised(**said | {"smallest": int(entry["smallest"])}, exchanges=tuple(exchanges))


def _last(started: float, exchanges: Iterable[Exchange]) -> float:
    """Seconds from the start to the end of the last exchange."""
    return round(max((exchange.started + exchange.seconds for exchange in exchanges), default=started) - started, 3)


def case_out(case: Case) -> dict[str, Any]:
    """A case as JSON, without the fields that have their default."""
    defaults = {field.name: field.default for field in fields(Case)} | {"headers": {}}
    out = {name: value for name, value in vars(case).items() if value != defaults[name]}
    return {**out, "probes": sorted(case.probes)}


def case_in(raw: dict[str, Any]) -> Case:
    """A case from the JSON that `case_out` makes, checked against the schema before."""
    return Case(**{name: _ENUMS[name](value) if name in _ENUMS else value for name, value in raw.items()})


def exchange_out(exchange: Exchange, *, whole: bool) -> dict[str, Any]:
    """An exchange as JSON; with its `whole` case, or just the id of one that is planned."""
    response = exchange.response
    return {
        "case": case_out(exchange.case) if whole else exchange.case.id,
        "model": exchange.model,
        "started": round(exchange.started, 3),
        "seconds": round(exchange.seconds, 4),
        "request": {
            "method": exchange.request.method,
            "url": exchange.request.url,
            "headers": exchange.request.headers,
            **_bytes_out(exchange.request.body),
        },
        "response": response
        and {
            "status": response.status,
            "headers": response.headers,
            "first_byte": round(response.first_byte, 4),
            "arrivals": [(round(at, 4), size) for at, size in response.arrivals],
            **_bytes_out(response.body),
        },
        "failure": exchange.failure and asdict(exchange.failure),
        "attempts": [asdict(attempt) for attempt in exchange.attempts],
    }


def exchange_in(raw: dict[str, Any], case: Case) -> Exchange:
    """An exchange from the JSON that `exchange_out` makes, and its case."""
    request, response, failure = raw["request"], raw["response"], raw["failure"]
    return Exchange(
        case=case,
        model=raw["model"],
        request=Request(request["method"], request["url"], _pairs(request["headers"]), _bytes_in(request)),
        response=response
        and Response(
            response["status"],
            _pairs(response["headers"]),
            _bytes_in(response),
            response["first_byte"],
            tuple((at, size) for at, size in response["arrivals"]),
        ),
        failure=failure and Failure(**failure),
        started=raw["started"],
        seconds=raw["seconds"],
        attempts=tuple(_attempt_in(attempt) for attempt in raw["attempts"]),
    )


def _attempt_in(raw: dict[str, Any]) -> Attempt:
    failure = raw["failure"] and Failure(**raw["failure"])
    return Attempt(raw["status"], _pairs(raw["headers"]), failure, raw["waited"])


def _pairs(raw: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in raw)


def _bytes_out(body: bytes) -> dict[str, str]:
    """Text where it is UTF-8, so that a ledger can be read by people; base64 where it is not."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def _bytes_in(raw: dict[str, str]) -> bytes:
    return raw["body"].encode() if "body" in raw else base64.b64decode(raw["body_base64"])
