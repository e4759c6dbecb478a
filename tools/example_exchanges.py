"""Makes `fixtures/exchanges/<rule>.json`: for every rule, exchanges that must pass it and that must fail it.

`python -m tools.example_exchanges` records the reference relay, honest for what must pass, with the fault that
trips the fewest rules for what must fail, and keeps the shortest group of exchanges that shows the verdict.
Addresses, ids and times are replaced by fixed ones, streams are cut to their ends, the key was masked by the
recorder: made again, a file stays the same unless rule, relay or recorder changed.
Prefixes of rules as arguments make only the files of these.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import tempfile
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance import relay
from conformance.judging import judge
from conformance.ledger import exchange_out
from conformance.model import Exchange, Expectation, Judgement, Ledger, Limits, Provider, Response, Verdict
from conformance.planning import PREFLIGHT, plan, select_rules
from conformance.profiles import load_profile
from conformance.redaction import Secrets
from conformance.refusals import GENERATED
from conformance.relay.app import MODELS
from conformance.send import record
from tools.kill_matrix import MANY, PROFILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from conformance.model import Case
    from conformance.profiles import Profile
    from conformance.rules.base import Rule

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "exchanges"
_KEY = "RELAY_API_KEY"
_BASE = "http://127.0.0.1:8000/v1"
_STARTED = 1_770_000_000
_DATE = "Mon, 02 Feb 2026 02:40:00 GMT"
_LONGEST = 3_000
"""Bytes of a body that are kept whole."""
_LONGEST_FORM = 300
"""Bytes that are kept of a request with files, or of one that is refused for its length."""
_HEAD, _TAIL = 5, 4
"""Events that are kept of a longer stream."""
_WIDE = 110
_MINUTE = 60
_ATTEMPTS = 20
_PATIENCE = 3.0
"""Seconds after which an exchange is given up."""
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
_TIME = re.compile(r"(?<![\d.])(1\d{9})(\d{3})?(?!\d)")

_QUIRKS = {"http.rate-limit.readable": "rate-limit-headers"}
"""Rules that the plain relay passes because it does nothing of the kind, and the quirk that makes it do so."""
_MODELS = {
    "images.revised-prompt.present": "dall-e-3",
    "images.n.one-for-dalle3": "dall-e-3",
    "images.prompt.length-bounded": "dall-e-2",
    "images.edits.two-images": "gpt-image-1",
}
"""Rules about models known by name, and such a name, for the relay to serve as well."""


@dataclass(frozen=True)
class Group:
    """Exchanges that show a verdict, and the pointer of its first finding."""

    exchanges: tuple[Exchange, ...]
    at: str


def examples(rule: Rule, background: relay.BackgroundRelay) -> dict[str, Any]:
    """The content of one file."""
    fault = min(
        (each for each in relay.catalogue().values() if rule.id in each.trips), key=lambda each: len(each.trips)
    )
    asked = fault.needs == GENERATED
    failing = _shown(rule, background.variant(f"fault/{fault.name}"), Verdict.of(rule.severity), generated=asked)
    bad = {"why": fault.sentence, "fault": fault.name, "at": failing.at, "exchanges": _written(failing.exchanges)}
    if rule.id in _EDITS:
        why, edit = _EDITS[rule.id]
        passing = Group(tuple(edit(exchange) for exchange in failing.exchanges), "")
    elif rule.id in _QUIRKS:
        why = f"The reference relay with the quirk {_QUIRKS[rule.id]}."
        with relay.BackgroundRelay(relay.create_app(quirks=relay.Quirks(0, only={_QUIRKS[rule.id]}))) as awkward:
            passing = _shown(rule, awkward.base_url, Verdict.PASS, generated=asked)
    elif rule.id in _MODELS:
        why = f"The reference relay with the model {_MODELS[rule.id]}."
        with relay.BackgroundRelay(relay.create_app(models=(*MODELS, _MODELS[rule.id]))) as larger:
            passing = _shown(rule, larger.base_url, Verdict.PASS, generated=asked)
    else:
        why = "The reference relay."
        passing = _shown(rule, background.base_url, Verdict.PASS, generated=asked)
    good = {"why": why, "exchanges": _written(passing.exchanges)}
    return {"rule": rule.id, "pass": [good], "fail": [bad]}


def _asked(rule: Rule, seed: int, *, generated: bool) -> list[Case]:
    """The cases that the rule looks at; generated ones where only they find the fault."""
    if not generated:
        return plan([rule.id], dear=True)
    cases = plan([rule.id], generated=MANY, seed=seed, dear=True)
    return [case for case in cases if case.id in PREFLIGHT or GENERATED in case.probes]


def _shown(rule: Rule, base_url: str, verdict: Verdict, *, generated: bool) -> Group:
    """A group of exchanges with a relay that shows this verdict; a fault may need a hang-up to be noticed in time."""
    for seed in range(_ATTEMPTS):
        cases = _asked(rule, seed, generated=generated)
        groups = list(_groups(rule, _record(base_url, cases), verdict))
        if groups:
            return min(groups, key=lambda group: len(json.dumps(_written(group.exchanges))))
    raise SystemExit(f"{rule.id}: no exchange is judged {verdict.label}")


def _record(base_url: str, cases: Sequence[Case]) -> Ledger:
    """A run of these cases, each answer small and without anything that changes."""
    together = any(case.during or case.follows for case in cases)
    at_once = 8 if together else 1  # one after another, so that the relay counts the same every time
    with tempfile.TemporaryDirectory() as folder:
        ledger = record(
            cases,
            Provider(base_url, relay.DEFAULT_MODEL, _KEY),
            Path(folder) / "ledger.jsonl",
            secrets=Secrets({_KEY: relay.DEFAULT_KEY}),
            limits=Limits(1_000, 100_000, at_once, timeout=_PATIENCE, backoff=0.02, longest_wait=0.02),
        )
    exchanges = (_settled(_trimmed(_without_files(exchange))) for exchange in ledger.exchanges)
    return replace(ledger, exchanges=tuple(exchanges))


def _groups(rule: Rule, ledger: Ledger, verdict: Verdict) -> Iterator[Group]:
    """The groups of exchanges with this verdict: single ones, or for a rule over a run as few as it needs."""
    for judgement in judge(ledger, [rule.id], page_of(rule)):
        recorded = [ledger.by_case[name] for name in judgement.exchanges]
        for some in [*combinations(recorded, rule.least), tuple(recorded)]:
            shown = _judged(rule, some)
            if shown is not None and shown.verdict is verdict:
                yield Group(some, shown.findings[0].at if shown.findings else "")


def _judged(rule: Rule, exchanges: Sequence[Exchange]) -> Judgement | None:
    """What the rule says of these exchanges alone; None when they are of several operations and it judges one."""
    cases = tuple(exchange.case for exchange in exchanges)
    ledger = Ledger(Provider(_BASE, relay.DEFAULT_MODEL), Limits(), cases, tuple(exchanges), _STARTED, 1.0, "")
    judgements = judge(ledger, [rule.id], page_of(rule))
    return judgements[0] if len(judgements) == 1 else None


def page_of(rule: Rule) -> Profile | None:
    """The page that a rule about a provider's page is shown with."""
    return load_profile(PROFILE) if rule.page else None


def _without_files(exchange: Exchange) -> Exchange:
    """The exchange with its files, or what is too long on purpose, cut off: no rule looks there in a request."""
    case, body = exchange.case, exchange.request.body
    too_long = case.expect is Expectation.REFUSAL and len(body) > _LONGEST
    if case.form is None and not too_long:
        return exchange
    form = None if case.form is None else {name: _cut_file(value) for name, value in case.form.items()}
    said = case.body and {name: value[:_LONGEST_FORM] for name, value in case.body.items() if isinstance(value, str)}
    request = replace(exchange.request, body=body[:_LONGEST_FORM])
    return replace(exchange, case=replace(case, form=form, body=said), request=request)


def _cut_file(value: Any) -> Any:
    """The value of a field, a file that was sent back cut to its first bytes."""
    whole = value.get("base64") if isinstance(value, dict) else None
    return {**value, "base64": whole[:64]} if isinstance(whole, str) else value


def _trimmed(exchange: Exchange) -> Exchange:
    """The exchange with a long stream cut to its ends, one that broke to its first event, and without padding."""
    response = exchange.response
    if response is None:
        return exchange
    body = response.body
    ends = [0, *(event.end for event in exchange.stream.events)]
    if exchange.failure is not None:
        body = body[: ends[1]] if exchange.media_type == "text/event-stream" else body[:_LONGEST].rstrip()
    elif len(body) > _LONGEST and len(ends) > _HEAD + _TAIL:
        body = body[: ends[_HEAD]] + body[ends[-_TAIL - 1] :]
    return replace(exchange, response=_with_body(response, body))


def _with_body(response: Response, body: bytes) -> Response:
    size = str(len(body))
    headers = tuple((name, size if name.lower() == "content-length" else value) for name, value in response.headers)
    return replace(response, headers=headers, body=body)


def _settled(exchange: Exchange) -> Exchange:
    """The exchange with fixed times: every event of a stream 0.02 seconds after the one before."""
    response = exchange.response
    ends = [event.end for event in exchange.stream.events] or [len(response.body) if response else 0]
    arrivals = tuple((round(0.2 + 0.02 * place, 2), end) for place, end in enumerate(ends))
    return replace(
        exchange,
        response=response and replace(response, first_byte=0.1, arrivals=arrivals),
        seconds=round(arrivals[-1][0] + 0.01, 2),
        attempts=tuple(replace(attempt, waited=0.5) for attempt in exchange.attempts),
    )


def _written(exchanges: Iterable[Exchange]) -> list[Any]:
    """The exchanges as JSON, with fixed addresses, ids and times; what was equal stays equal."""
    written = [exchange_out(exchange, whole=True) for exchange in exchanges]
    bodies = [each["response"] for each in written if "body_base64" in (each["response"] or {})]
    for response in bodies:
        response["body_base64"] = base64.b64decode(response["body_base64"]).decode("latin-1")
    settled = list(json.loads(_fixed(json.dumps(written, ensure_ascii=False), int(written[0]["started"]))))
    for each, kept in zip(written, settled, strict=True):
        if each["response"] in bodies:
            kept["response"]["body_base64"] = base64.b64encode(
                kept["response"]["body_base64"].encode("latin-1")
            ).decode()
    return settled


def _fixed(text: str, clock: int) -> str:
    """The text of exchanges with what differs from run to run replaced; `clock` is when the first one began."""
    text = re.sub(r"http://127\.0\.0\.1:\d+(/fault/[^/\"]+)?(?=/)", _BASE.removesuffix("/v1"), text)
    text = re.sub(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", _DATE, text)
    text = re.sub(r'"started": [\d.]+', f'"started": {_STARTED}', text)
    ids = {name: f"{number:024x}" for number, name in enumerate(dict.fromkeys(_ID.findall(text)), 1)}
    text = _ID.sub(lambda found: ids[found[0]], text)
    now = min((int(found[1]) for found in _TIME.finditer(text) if 0 <= int(found[1]) - clock < _MINUTE), default=clock)
    return _TIME.sub(lambda found: _fixed_time(found, now), text)


def _fixed_time(found: re.Match[str], now: int) -> str:
    """A time of about now, in seconds or milliseconds, moved to the fixed time; other numbers stay."""
    late = int(found[1]) - now
    return f"{_STARTED + late}{'000' if found[2] else ''}" if 0 <= late < _MINUTE else found[0]


def _text(value: Any, indent: int = 0) -> str:
    """JSON on one line where it is short, else one entry a line."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(line) + indent <= _WIDE:
        return line
    pad = "\n" + " " * (indent + 2)
    if isinstance(value, dict):
        entries = [f"{json.dumps(key)}: {_text(inner, indent + 2)}" for key, inner in value.items()]
        return "{" + pad + ("," + pad).join(entries) + pad[:-2] + "}"
    return "[" + pad + ("," + pad).join(_text(inner, indent + 2) for inner in value) + pad[:-2] + "]"


def _retry_after(exchange: Exchange) -> Exchange:
    attempts = tuple(replace(each, headers=(*each.headers, ("retry-after", "1"))) for each in exchange.attempts)
    return replace(exchange, attempts=attempts)


def _same_request_id(exchange: Exchange) -> Exchange:
    response = exchange.response
    if response is None:
        return exchange
    body = re.sub(rb"request id: [^)]+", b"request id: " + response.header("x-request-id").encode(), response.body)
    return replace(exchange, response=_with_body(response, body))


def _whole_error(exchange: Exchange) -> Exchange:
    response = exchange.response
    if response is None:
        return exchange
    broken = exchange.stream.errors[0]
    start = exchange.stream.events[broken.event - 1].end if broken.event else 0
    error = json.dumps({"error": {"message": "The upstream broke off.", "type": "upstream_error"}}).encode()
    end = exchange.stream.events[broken.event].end
    body = response.body[:start] + b"data: " + error + b"\n\n" + response.body[end:]
    return _settled(replace(exchange, response=_with_body(response, body)))


_EDITS: dict[str, tuple[str, Callable[[Exchange], Exchange]]] = {
    "http.retry-after.present": ("The failing exchange, with Retry-After in its first answer.", _retry_after),
    "error.request-id.matches": ("The failing exchange, with the header's id in the message.", _same_request_id),
    "error.stream.event-envelope": ("The failing exchange, with a message and a type in its error.", _whole_error),
}
"""Rules about situations that the honest relay never gets into: how the failing exchange is put right."""


def main(prefixes: Sequence[str]) -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with relay.BackgroundRelay() as background:
        for rule in select_rules(prefixes):
            (FOLDER / f"{rule.id}.json").write_text(_text(examples(rule, background)) + "\n", encoding="utf-8")
    print(FOLDER)


if __name__ == "__main__":
    main(sys.argv[1:])
