"""Runs made by hand: every planned case, answered as a test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from plans import core_plan

from conformance.judging import judge
from conformance.materialise import Target, materialise
from conformance.model import (
    Case,
    Exchange,
    Expectation,
    Failure,
    Judgement,
    Ledger,
    Limits,
    Minimised,
    Phase,
    Price,
    Provider,
    Request,
    Response,
)
from conformance.profiles import Claim, Profile
from conformance.reasons import finding
from conformance.redaction import Secrets

STARTED = 1_770_000_000.0
PROVIDER = Provider("http://127.0.0.1:8000/v1", "mock-chat")
_TARGET = Target(PROVIDER.base_url, PROVIDER, Secrets({"RELAY_API_KEY": "sk-reference-relay"}))
CASES = {case.id: case for case in core_plan()}
_REQUESTS = {case.id: materialise(case, _TARGET) for case in CASES.values()}

USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 3,
    "total_tokens": 8,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_770_000_000,
    "model": "mock-chat",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "OK"}, "logprobs": None, "finish_reason": "stop"}
    ],
    "usage": USAGE,
    "system_fingerprint": "fp",
}
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_770_000_000, "model": "mock-chat"}
CHUNKS = [
    HEAD | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]},
    HEAD | {"choices": [{"index": 0, "delta": {"content": "OK"}, "finish_reason": None}]},
    HEAD | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    HEAD | {"choices": [], "usage": USAGE},
]
MODEL = {"id": "mock-chat", "object": "model", "created": 1_700_000_000, "owned_by": "reference"}
MODELS = {"object": "list", "data": [MODEL, MODEL | {"id": "mock-chat-mini"}]}
ERROR = {"error": {"message": "stop is not supported", "type": "invalid", "param": "stop", "code": None}}
HONEST: dict[str, Any] = {
    "models.list": MODELS,
    "models.retrieve": MODEL,
    "chat": COMPLETION,
    "chat.stream": CHUNKS,
    "gateway": ERROR,
}


def sse(chunks: Sequence[Any]) -> bytes:
    """A stream of these payloads, with its end mark."""
    events = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    return events + b"data: [DONE]\n\n"


def answer(value: Any, status: int = 200, **headers: str) -> Response:
    """A response with this body: bytes as they are, anything else as JSON."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    kind = "text/event-stream" if body.startswith(b"data:") else "application/json"
    named = {"content-type": kind} | {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(status, tuple(named.items()), body, 0.1, ((0.2, len(body)),))


def honest(case: Case) -> Response:
    """A good answer of the right kind."""
    value = HONEST[case.operation]
    return answer(sse(value)) if case.operation == "chat.stream" else answer(value)


def exchange(case: Case, response: Response | None, kind: str = "", detail: str = "") -> Exchange:
    """An exchange of a case; `kind` and `detail` say why it failed."""
    failure = Failure(kind, detail) if kind else None
    request = _REQUESTS.get(case.id) or _request(case)
    return Exchange(case, PROVIDER.model, request, response, failure, STARTED, 0.3)


def _request(case: Case) -> Request:
    """The request of a case that is in no plan."""
    return materialise(case, _TARGET) if case.body or case.raw else Request(case.method, PROVIDER.base_url, (), b"{}")


def generated(name: str = "chat/generated-1", **changes: Any) -> Case:
    """A good generated case; what is no field of a case stands in its body, beside a model and a message."""
    fields = {key: changes.pop(key) for key in list(changes) if key in Case.__dataclass_fields__}
    values: dict[str, Any] = {
        "id": name,
        "operation": name.partition("/")[0],
        "purpose": "p",
        "zh": "z",
        "source": "generated",
        "method": "POST",
        "path": "/chat/completions",
        "expect": Expectation.SUCCESS,
        "price": Price.CHEAP,
        "phase": Phase.VALID,
        "probes": frozenset({"generated"}),
        "output_tokens": 16,
        "body": {"model": "$model", "messages": [{"role": "user", "content": "Hi"}], **changes},
    }
    return Case(**{**values, **fields})


def wrong(name: str = "chat/generated-9", mutation: str = "wrong-type /n", **changes: Any) -> Case:
    """A bad generated case."""
    probes = frozenset({"generated", "generated-invalid"})
    fields = {"expect": Expectation.REFUSAL, "phase": Phase.INVALID, "probes": probes, "mutation": mutation}
    return generated(name, **{**fields, "n": "x", **changes})


def minimised(case: Case, result: Case, response: Response, rule: str, **changes: Any) -> Minimised:
    """The case, sent again, and the smallest one that still fails."""
    values: dict[str, Any] = {
        "case": case.id,
        "rule": rule,
        "requests": 7,
        "reproduced": True,
        "complete": True,
        "smallest": 1,
        "exchanges": (exchange(case, response), exchange(result, response)),
    }
    return Minimised(**{**values, **changes})


def claim(title: str, operation: str = "", **changes: Any) -> Claim:
    """An entry of a page's navigation."""
    values: dict[str, Any] = {"folder": (), "kind": "endpoint", "variant": "", "method": "", "path": "", "line": 7}
    return Claim(**{"title": title, "operation": operation, **values, **changes})


def page(*claims: Claim, response: Any = None, request: Any = None, **changes: Any) -> Profile:
    """What a provider's own page says: of chats, and which endpoints it names."""
    said = {name: value for name, value in (("request", request), ("response", response)) if value is not None}
    values: dict[str, Any] = {
        "name": "page",
        "title": "Their page",
        "base_path": "/v1",
        "hosts": (),
        "models": (),
        "claims": claims,
        "schemas": {"page/chat.json": {"$defs": said}},
        "defects": 0,
        "weak": 0,
        "digest": "d" * 64,
        "folder": Path("page"),
    }
    return Profile(**{**values, **changes})


def ledger(exchanges: Sequence[Exchange], plan: Sequence[Case] = (), **changes: Any) -> Ledger:
    """A complete run of these exchanges."""
    values: dict[str, Any] = {
        "provider": PROVIDER,
        "limits": Limits(),
        "plan": tuple(plan) or tuple(each.case for each in exchanges),
        "exchanges": tuple(exchanges),
        "started": STARTED,
        "seconds": 1.0,
        "tool": "relay-conformance test",
    }
    return Ledger(**{**values, **changes})


def whole_run(respond: Callable[[Case], Response], cases: Sequence[Case] = tuple(CASES.values())) -> Ledger:
    """A run of the whole plan, each case answered by `respond`."""
    return ledger([exchange(case, respond(case)) for case in cases])


def verdicts(
    run: Ledger, only: Sequence[str] = (), profile: Profile | None = None
) -> Mapping[tuple[str, str], Judgement]:
    """Judgements by rule and operation."""
    return {(judgement.rule, judgement.operation): judgement for judgement in judge(run, only, profile)}


def stumbles(run: Ledger) -> list[str]:
    """Every rule that raised, be it over a body of the wrong shape: a rule states where it looks instead."""
    caught = finding("blocked", "/")
    return [
        f"{judgement.rule}: {found.actual}"
        for judgement in judge(run)
        for found in judgement.findings
        if judgement.verdict.label == "error" or (found.message, found.actual) == (caught.message, caught.actual)
    ]
