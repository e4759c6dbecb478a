"""The nouns of a run: frozen, typed, without I/O.

Shapes follow the flow: a `Case` is planned, sent to a `Provider` and becomes an `Exchange`;
a rule looks at exchanges and yields `Finding`s; the judge folds them into `Judgement`s.
Times are seconds; sizes are bytes; tokens are tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from conformance.jsontext import Document, parse_json
from conformance.stream import NO_STREAM, Stream

if TYPE_CHECKING:
    from collections.abc import Mapping


JSONValue = Any
"""A JSON value. `Any` stops here: rules look into it behind schemas and guards."""


class Severity(StrEnum):
    """How binding a requirement is, in the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Verdict(IntEnum):
    """What an outcome means; a worse verdict is never undone (fold with `max`)."""

    NOT_RUN = -1
    """Not asked for: no model of the kind, or nothing to go on with. It says nothing about the relay."""
    NOT_APPLICABLE = 0
    PASS = 1
    NOTE = 2
    UNSUPPORTED = 3
    INCONCLUSIVE = 4
    WARN = 5
    FAIL = 6
    ERROR = 7

    @property
    def label(self) -> str:
        """The word that files and people see, such as `not-applicable`."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def of(cls, severity: Severity) -> Verdict:
        """The verdict that a finding of this severity leads to."""
        return {Severity.MUST: cls.FAIL, Severity.SHOULD: cls.WARN, Severity.MAY: cls.NOTE}[severity]


class Expectation(StrEnum):
    """What a relay that follows the contract does with a case."""

    SUCCESS = "success"
    REFUSAL = "refusal"
    EITHER = "either"


class Price(StrEnum):
    """What a request costs: nothing, a few tokens, or money that one notices."""

    FREE = "free"
    CHEAP = "cheap"
    DEAR = "dear"


class Phase(StrEnum):
    """When a case is sent; members are in sending order."""

    PREFLIGHT = "preflight"
    VALID = "valid"
    INVALID = "invalid"


class Auth(StrEnum):
    """How a case presents the key."""

    KEY = "key"
    NONE = "none"
    WRONG = "wrong"
    BARE = "bare"
    NATIVE = "native"
    """Only in the header of the operation's own protocol; else a Bearer token goes beside it."""


@dataclass(frozen=True)
class Case:
    """One request worth sending, known before any base URL is.

    `body` may hold the text `$model`, which becomes the model under test when the case is sent; `raw` is
    sent byte for byte instead. `probes` name what the case makes observable: a rule selects cases by them.
    `feature` is the optional request field that the case needs: refusing it plainly is *unsupported*.
    `mutation` says in which one way a generated request is wrong, as in `wrong-type /temperature`.
    `follows` waits until that case has ended, `during` until that case's first event has arrived.
    `role` is the kind of model that it asks (see `roles`), where that is not its operation's. `form` are the fields
    of a multipart body. A case of a `scenario` is one step of it: what it sends may depend on earlier answers.
    """

    id: str
    operation: str
    purpose: str
    zh: str
    source: str
    method: str
    path: str
    expect: Expectation
    price: Price
    phase: Phase
    body: Mapping[str, JSONValue] | None = None
    raw: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: Auth = Auth.KEY
    probes: frozenset[str] = frozenset()
    feature: str = ""
    mutation: str = ""
    output_tokens: int = 0
    follows: str = ""
    during: str = ""
    stop_after_events: int = 0
    role: str = ""
    form: Mapping[str, JSONValue] | None = None
    scenario: str = ""
    step: int = 0


@dataclass(frozen=True)
class Provider:
    """Where to send, as which model, and what the run may cost. Never the key itself.

    `key_env` and the values of `headers` are names of environment variables. `key_env` empty: send no key.
    """

    base_url: str
    model: str
    key_env: str = "RELAY_API_KEY"
    name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    profile: str = ""
    """The name of the profile of the provider's own page, with which the run was planned."""
    page: str = ""
    """The digest of that profile: which edition it was."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Role -> model, for roles other than chat, as the user gave them."""
    page_models: tuple[str, ...] = ()
    """Models that the provider's own page names: where the relay lists them, they are picked before others."""

    @property
    def title(self) -> str:
        """The name that reports show: the given one, else the host."""
        return self.name or urlsplit(self.base_url).netloc


@dataclass(frozen=True)
class Limits:
    """The hard ceilings of a run and of each exchange."""

    requests: int = 400
    output_tokens: int = 16_000
    concurrency: int = 8
    rate: float = 0.0
    """Requests a second at most; 0 means no limit of our own."""
    timeout: float = 60.0
    """Seconds that one exchange may take from first to last byte."""
    idle: float = 30.0
    """Seconds without a byte before an exchange is given up."""
    run_seconds: float = 900.0
    body_bytes: int = 4 * 1024 * 1024
    media_bytes: int = 24 * 1024 * 1024
    """The same for pictures and sounds."""
    event_bytes: int = 1024 * 1024
    header_count: int = 200
    retries: int = 4
    """Further attempts after a refused connection, 429 or 503."""
    backoff: float = 0.5
    """Seconds before the second attempt; doubles each time, `Retry-After` wins when it is given."""
    longest_wait: float = 20.0
    """Seconds that one wait between attempts may last, whatever `Retry-After` says."""


@dataclass(frozen=True)
class Request:
    """A request as it was sent, secrets masked."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


HELD_BACK = frozenset({"unsent", "no-model", "no-basis", "private"})
"""Kinds of failure of requests that were never sent."""


@dataclass(frozen=True)
class Failure:
    """Why there is no complete answer."""

    kind: str
    """refused, dns, tls, reset, timeout, idle, too-large, protocol, encoding, cancelled; unsent or, never sent,
    no-model, no-basis, private"""
    detail: str


@dataclass(frozen=True)
class Response:
    """What came back: decoded body bytes, and when they came.

    `arrivals` are pairs (seconds since the request was sent, bytes received so far).
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    first_byte: float
    arrivals: tuple[tuple[float, int], ...] = ()

    def header(self, name: str) -> str:
        """The first value of a header, or an empty string."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")


@dataclass(frozen=True)
class Attempt:
    """An earlier try at the same case: answered 429 or 503, or not answered at all."""

    status: int
    headers: tuple[tuple[str, str], ...]
    failure: Failure | None
    waited: float
    """Seconds that we waited afterwards."""


_NO_TEXT = ("audio/", "image/", "video/")


@dataclass(frozen=True)
class Exchange:
    """One case as it happened."""

    case: Case
    model: str
    request: Request
    response: Response | None
    failure: Failure | None
    started: float
    """Unix time."""
    seconds: float
    attempts: tuple[Attempt, ...] = ()

    @property
    def status(self) -> int:
        """The HTTP status, 0 without a response."""
        return self.response.status if self.response else 0

    @property
    def was_sent(self) -> bool:
        """Whether anything went out; what was held back here cost nothing."""
        return self.failure is None or self.failure.kind not in HELD_BACK

    @property
    def answered(self) -> bool:
        """Whether a complete response arrived (one that we broke off on purpose counts)."""
        return self.response is not None and self.failure is None

    @cached_property
    def media_type(self) -> str:
        """`application/json`, `text/event-stream`, … in lower case, without parameters."""
        return self.response.header("content-type").split(";")[0].strip().lower() if self.response else ""

    @cached_property
    def document(self) -> Document:
        """The body read as one JSON text."""
        return parse_json(self.response.body if self.response else b"")

    @property
    def json(self) -> JSONValue:
        """The body as a JSON value; None when it is not JSON (see `document.problem`)."""
        return self.document.value

    @cached_property
    def stream(self) -> Stream:
        """The body read as server-sent events; a body that is one JSON text, a picture or a sound has none."""
        if self.response is None or not self.document.problem or self.media_type.startswith(_NO_TEXT):
            return NO_STREAM
        return Stream.read(self.response.body, self.response.arrivals)

    @cached_property
    def error(self) -> Mapping[str, JSONValue] | None:
        """The `error` object of the body, if there is one."""
        found = self.json.get("error") if isinstance(self.json, dict) else None
        return found if isinstance(found, dict) else None

    @cached_property
    def memo(self) -> dict[str, Any]:
        """Room for what is worth computing once for each exchange (schema errors)."""
        return {}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as required: where, what was expected, what was there.

    `at` is a JSON pointer into the body (for a stream: `/events/3/…`), or `header:NAME`, or `status`.
    `deviation` labels a known relay behaviour; it never changes the verdict.
    """

    at: str = ""
    expected: JSONValue = None
    actual: JSONValue = None
    message: str = ""
    zh: str = ""
    deviation: str = ""
    exchange: str = ""


@dataclass(frozen=True)
class Waiver:
    """A rule whose breach somebody has accepted until a day: it is shown, and does not fail a run."""

    rule: str
    reason: str
    owner: str
    until: str
    """The last day on which it is in force, `2027-01-31`, in UTC."""
    operation: str = ""
    """Empty: every operation of the rule."""
    expired: bool = False
    """Whether it had ended when the run was recorded: a run with an expired waiver fails."""


@dataclass(frozen=True)
class Judgement:
    """What one rule says of one operation."""

    rule: str
    operation: str
    severity: Severity
    verdict: Verdict
    exchanges: tuple[str, ...]
    findings: tuple[Finding, ...]
    waiver: Waiver | None = None
    """Never changes the verdict, only what follows from it."""


@dataclass(frozen=True)
class Spent:
    """What a run cost: attempts included, tokens as reported (our ceiling where nothing was reported)."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class Stop:
    """Why a run ended before its plan did: a code, a sentence in two languages, a hint."""

    code: str
    message: str
    zh: str
    hint: str = ""


@dataclass(frozen=True)
class Minimised:
    """What came of making a failing case smaller, for one rule that it breaks."""

    case: str
    """The id of the case."""
    rule: str
    requests: int
    """What was sent, attempts included."""
    reproduced: bool
    """False: sent again, the case broke the rule no more, and nothing else was tried."""
    complete: bool
    """False: the budget ended the search, so there may be a smaller case."""
    smallest: int
    """The place in `exchanges` of the smallest request that fails."""
    exchanges: tuple[Exchange, ...]
    """Everything that was sent, in order; each carries the case that it was made of. The first is the original."""

    @property
    def exchange(self) -> Exchange:
        """The smallest request that fails, and its answer."""
        return self.exchanges[self.smallest]

    @property
    def result(self) -> Case:
        """The smallest case that fails; the original one where it was not reproduced."""
        return self.exchange.case


@dataclass(frozen=True)
class Ledger:
    """A recorded run: what was planned, what happened, and whether it came to its end."""

    provider: Provider
    limits: Limits
    plan: tuple[Case, ...]
    exchanges: tuple[Exchange, ...]
    started: float
    seconds: float
    tool: str
    rules: tuple[str, ...] = ()
    """The rule prefixes that the plan was made for; empty means all."""
    preflight: tuple[Exchange, ...] = ()
    """Requests that looked for the base URL; nothing is judged on them."""
    limit_field: str = ""
    """How the model calls the output limit, once the preflight has found out."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Role -> the model that was asked: given by the user, or picked from the relay's list."""
    stop: Stop | None = None
    complete: bool = True
    """False: there is no footer, the run was interrupted."""
    lag: float = 0.0
    """Seconds by which this machine itself was late while it recorded (see `lag`); times cannot be told apart below."""
    minimised: tuple[Minimised, ...] = ()
    """Failing cases made smaller after the run; a later search for the same case and rule replaces the earlier."""
    resent: tuple[Exchange, ...] = ()
    """Every exchange of such searches, interrupted and replaced ones included: they were paid for."""

    @cached_property
    def by_case(self) -> Mapping[str, Exchange]:
        """Exchanges by case id."""
        return {exchange.case.id: exchange for exchange in self.exchanges}
