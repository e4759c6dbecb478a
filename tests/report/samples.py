"""Small runs made by hand: what a recorder and a judge would have left."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from conformance.model import (
    Case,
    Exchange,
    Expectation,
    Finding,
    Judgement,
    Ledger,
    Limits,
    Phase,
    Price,
    Provider,
    Request,
    Response,
    Severity,
    Verdict,
)
from conformance.rules.base import Rule, catalogue

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    "\x1b[31mred\x1b]8;;http://evil.example\x07 "
    "\u202egnp.exe\u2066\u200b\ufeff\ud800 '\"`$(touch pwned)`; "
    "[bold]loud[/bold] {{ 7*7 }} ]]> \u2028\x00\ufffe\x9b"
)
"""What a relay might send to hurt whoever reads the report."""

PROVIDER = Provider("https://api.relay.example/v1", "gpt-4o-mini", name="Relay Example")


def case(name: str = "chat/minimal", **changes: Any) -> Case:
    """A case; its operation stands in its id."""
    values: dict[str, Any] = {
        "id": name,
        "operation": name.partition("/")[0],
        "purpose": "Ask for one word",
        "zh": "要求回答一个词",
        "source": "openai:chat/create",
        "method": "POST",
        "path": "/chat/completions",
        "expect": Expectation.SUCCESS,
        "price": Price.CHEAP,
        "phase": Phase.VALID,
        "output_tokens": 16,
    }
    return Case(**{**values, **changes})


def request(body: bytes = b'{"model": "gpt-4o-mini"}', **changes: Any) -> Request:
    """A request with a masked key."""
    values: dict[str, Any] = {
        "method": "POST",
        "url": "https://api.relay.example/v1/chat/completions",
        "headers": (("Authorization", "Bearer <KEY*****>"), ("Content-Type", "application/json")),
        "body": body,
    }
    return Request(**{**values, **changes})


def answer(value: Any = None, status: int = 200, **changes: Any) -> Response:
    """A JSON answer; a chat completion with usage unless a value is given."""
    completion = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}}
    values: dict[str, Any] = {
        "status": status,
        "headers": (("content-type", "application/json"),),
        "body": json.dumps(completion if value is None else value).encode(),
        "first_byte": 0.25,
    }
    return Response(**{**values, **changes})


def stream(*events: Any, done: bool = True) -> Response:
    """A stream of JSON events, a tenth of a second apart."""
    pieces = [f"data: {json.dumps(event)}\n\n".encode() for event in events] + [b"data: [DONE]\n\n"] * done
    ends = [sum(map(len, pieces[: place + 1])) for place in range(len(pieces))]
    return Response(
        200,
        (("content-type", "text/event-stream"),),
        b"".join(pieces),
        0.1,
        tuple(((place + 1) / 10, end) for place, end in enumerate(ends)),
    )


def says(content: str) -> dict[str, Any]:
    """A chunk with content."""
    return {"choices": [{"index": 0, "delta": {"content": content}}]}


ANSWER = answer()


def exchange(name: str = "chat/minimal", response: Response | None = ANSWER, **changes: Any) -> Exchange:
    """An exchange that was answered."""
    values: dict[str, Any] = {
        "case": case(name),
        "model": "gpt-4o-mini",
        "request": request(),
        "response": response,
        "failure": None,
        "started": 1_790_000_000.0,
        "seconds": 0.5,
    }
    return Exchange(**{**values, **changes})


def judgement(rule: str = "chat.usage.adds-up", verdict: Verdict = Verdict.PASS, **changes: Any) -> Judgement:
    """A judgement on one exchange."""
    values: dict[str, Any] = {
        "operation": "chat",
        "severity": Severity.MUST,
        "exchanges": ("chat/minimal",),
        "findings": (),
    }
    return Judgement(rule=rule, verdict=verdict, **{**values, **changes})


def ledger(*exchanges: Exchange, **changes: Any) -> Ledger:
    """A complete run of these exchanges."""
    values: dict[str, Any] = {
        "provider": PROVIDER,
        "limits": Limits(),
        "plan": tuple(exchange.case for exchange in exchanges),
        "exchanges": exchanges,
        "started": 1_790_000_000.25,
        "seconds": 12.5,
        "tool": "relay-conformance 0.1.0",
    }
    return Ledger(**{**values, **changes})


def rule(name: str = "chat.usage.adds-up", **changes: Any) -> Rule:
    """A rule with texts of its own, whatever the catalogue says today."""
    values: dict[str, Any] = {
        "id": name,
        "requirement": "`usage.total_tokens` MUST equal prompt plus completion tokens.",
        "zh": "`usage.total_tokens` 必须等于 prompt_tokens 与 completion_tokens 之和",
        "severity": Severity.MUST,
        "doc": "openai:chat/object#usage",
        "lines": ("USE-01",),
        "breaks": "billing: clients that trust the total miscount",
        "breaks_zh": "计费:依赖总数的客户端会算错",
    }
    return replace(next(iter(catalogue().values())), **{**values, **changes})


def finding(**changes: Any) -> Finding:
    """A total that is not the sum."""
    values: dict[str, Any] = {
        "at": "/usage/total_tokens",
        "expected": 12,
        "actual": 13,
        "exchange": "chat/minimal",
        "deviation": "total-off-by-one",
    }
    return Finding(**{**values, **changes})


RULES = {"chat.usage.adds-up": rule()}


def hostile_run() -> tuple[list[Judgement], Ledger]:
    """A run in which everything that a relay or a file can choose is hostile."""
    bad = exchange(
        f"chat/{HOSTILE}",
        answer({"error": {"message": HOSTILE}}, headers=((HOSTILE, HOSTILE),)),
        request=request(HOSTILE.encode(errors="surrogatepass"), url=f"https://x.example/{HOSTILE}"),
    )
    streamed = exchange("chat.stream/hostile", stream(says(HOSTILE), HOSTILE))
    judgements = [
        judgement(
            "chat.usage.adds-up",
            Verdict.FAIL,
            findings=(
                finding(
                    at=HOSTILE,
                    expected=HOSTILE,
                    actual={HOSTILE: [HOSTILE]},
                    deviation=HOSTILE,
                    message=HOSTILE,
                ),
            ),
            exchanges=(bad.case.id,),
        ),
        judgement(
            HOSTILE,
            Verdict.WARN,
            severity=Severity.SHOULD,
            operation=HOSTILE,
            findings=(finding(exchange=bad.case.id),),
        ),
        judgement("chat.id.prefix", Verdict.INCONCLUSIVE, findings=(finding(message=HOSTILE, zh=HOSTILE),)),
    ]
    provider = Provider("https://x.example/" + HOSTILE, HOSTILE, name=HOSTILE, headers={"X-Extra": "EXTRA"})
    return judgements, ledger(bad, streamed, provider=provider, tool=HOSTILE, rules=(HOSTILE,))
