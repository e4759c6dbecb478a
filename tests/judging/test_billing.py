"""Quota: what one-api and new-api honestly answer is let be, a balance that cannot be right is blamed."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.model import Response

from .families import Family
from .runs import COMPLETION

FAMILY = Family("billing")
USAGE, LIMIT, TOKEN = "billing.usage", "billing.subscription", "billing.token"
HTML = Response(200, (("content-type", "text/html"),), b"<!doctype html><title>relay</title>", 0.1)
UNLIMITED = 100_000_000


def used(total: Any, **more: Any) -> dict[str, Any]:
    return {"object": "list", "total_usage": total, **more}


def limit(amount: Any, **changes: Any) -> dict[str, Any]:
    return {
        "object": "billing_subscription",
        "has_payment_method": True,
        "soft_limit_usd": amount,
        "hard_limit_usd": amount,
        "system_hard_limit_usd": amount,
        "access_until": 0,
        **changes,
    }


def token(**changes: Any) -> dict[str, Any]:
    data = {
        "object": "token_usage",
        "name": "t",
        "total_granted": 1_000_000,
        "total_used": 12_345,
        "total_available": 987_655,
        "unlimited_quota": False,
        "model_limits": {},
        "model_limits_enabled": False,
        "expires_at": 0,
    }
    return {"code": True, "message": "ok", "data": data | changes}


GOOD: dict[str, Any] = {
    f"{USAGE}/total": used(695.9646),
    f"{USAGE}/beside": used(695.9646),
    f"{USAGE}/later": used(696.1),
    f"{LIMIT}/limits": limit(10.5),
    f"{LIMIT}/beside": limit(10.5),
    f"{LIMIT}/later": limit(10.5),
    f"{TOKEN}/status": token(),
}
AWKWARD: dict[str, dict[str, Any]] = {
    "as always": {},
    "a fresh key that reserves for what is under way": {
        f"{USAGE}/total": used(4.2),
        f"{USAGE}/beside": used(0),
        f"{USAGE}/later": used(0.1),
    },
    "reserved and given back": {f"{USAGE}/beside": used(900), f"{USAGE}/later": used(600)},
    "no limit": {
        f"{LIMIT}/limits": limit(UNLIMITED),
        f"{LIMIT}/beside": limit(UNLIMITED),
        f"{LIMIT}/later": limit(UNLIMITED),
        f"{USAGE}/total": used(3e10),
        f"{USAGE}/beside": used(3e10),
        f"{USAGE}/later": used(3e10),
    },
    "raw points": {
        **{f"{LIMIT}/{name}": limit(5_000_000) for name in ("limits", "beside", "later")},
        **{f"{USAGE}/{name}": used(12_345_600) for name in ("total", "beside", "later")},
    },
    "a key that was overdrawn a little": {
        **{f"{LIMIT}/{name}": limit(6.95) for name in ("limits", "beside", "later")},
        f"{TOKEN}/status": token(total_used=1_000_100, total_available=-100),
    },
    "a web page beside /v1": {f"{USAGE}/beside": HTML, f"{LIMIT}/beside": HTML},
    "something else beside /v1": {f"{USAGE}/beside": {"page": 1}, f"{LIMIT}/beside": ["page"]},
    "a key without limit": {f"{TOKEN}/status": token(total_available=-12_345, total_granted=0, unlimited_quota=True)},
    "a key that expires": {f"{TOKEN}/status": token(expires_at=1_893_456_000), f"{LIMIT}/limits": limit(10.5)},
    "limits of models as a list": {f"{TOKEN}/status": token(model_limits=None)},
}


def runs(changes: dict[str, Any]) -> list[Any]:
    return [FAMILY.run(name, each) for name, each in (GOOD | changes).items()]


@pytest.mark.parametrize("changes", AWKWARD.values(), ids=AWKWARD)
def test_an_honest_relay_is_not_blamed(changes: dict[str, Any]):
    assert FAMILY.blamed(*runs(changes)) == set()


LIMITS = [f"{LIMIT}/{name}" for name in ("limits", "beside", "later")]
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "limits differ": ({f"{LIMIT}/limits": limit(10.5, soft_limit_usd=5)}, "billing.subscription.limits-equal"),
    "milliseconds": ({f"{LIMIT}/limits": limit(10.5, access_until=10**12)}, "billing.subscription.access-until"),
    "more used than allowed": (
        {f"{LIMIT}/{name}": limit(5) for name in ("limits", "beside", "later")},
        "billing.limit.covers-usage",
    ),
    "forgotten": ({f"{USAGE}/later": used(1)}, "billing.usage.never-shrinks"),
    "a limit that moves": ({f"{LIMIT}/later": limit(9)}, "billing.limit.steady"),
    "units beside /v1": ({f"{USAGE}/beside": used(6.959646)}, "billing.usage.same-beside"),
    "a limit beside /v1": ({f"{LIMIT}/beside": limit(1050)}, "billing.subscription.same-beside"),
    "another object": ({f"{USAGE}/beside": used(695.9646, object="usage")}, "billing.usage.same-beside"),
    "a sum": ({f"{TOKEN}/status": token(total_available=1)}, "billing.token.adds-up"),
    "nothing left and more": (
        {f"{TOKEN}/status": token(total_used=2_000_000, total_available=-1_000_000)},
        "billing.token.not-negative",
    ),
    "expired before time": ({f"{TOKEN}/status": token(expires_at=-1)}, "billing.token.expires-at"),
    "milliseconds of a key": ({f"{TOKEN}/status": token(expires_at=10**12)}, "billing.token.expires-at"),
    "code": ({f"{TOKEN}/status": token() | {"code": False}}, "billing.token.code-true"),
}


@pytest.mark.parametrize(("changes", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_wrong_balance_is_blamed(changes: dict[str, Any], rule: str):
    assert FAMILY.blamed(*runs(changes)) == {rule}


def test_what_does_not_grow_is_noted_where_something_was_billed():
    still = {f"{USAGE}/later": used(695.9646)}
    chat = FAMILY.run("chat/billed", COMPLETION)

    assert FAMILY.judged(*runs(still), chat)["billing.usage.grows"].verdict.label == "note"
    assert FAMILY.judged(*runs({}), chat)["billing.usage.grows"].verdict.label == "pass"
    assert FAMILY.judged(*runs(still))["billing.usage.grows"].verdict.label == "not-applicable"


@pytest.mark.parametrize(("status", "blamed"), [(401, set()), (200, {"billing.key.required"})])
def test_a_question_without_a_key_is_refused(status: int, blamed: set[str]):
    error = {"error": {"message": "no key", "type": "invalid_request_error", "param": "", "code": ""}}
    asked = FAMILY.run(f"{USAGE}/no-key", error, status)

    assert FAMILY.blamed(*runs({}), asked) == blamed
    assert FAMILY.labels(*runs({}), asked) == ({"error-in-200"} if blamed else set())


def test_a_relay_without_these_addresses_is_not_blamed():
    found = FAMILY.judged(*[FAMILY.run(name, HTML) for name in GOOD])

    assert {judgement.verdict.label for judgement in found.values()} <= {"unsupported", "not-applicable"}


def test_numbers_of_any_size_are_compared():
    changes = {f"{USAGE}/total": used(10**400), f"{USAGE}/later": used(-(10**400)), f"{LIMIT}/limits": limit(10**399)}

    assert FAMILY.stumbles(*runs(changes)) == []


def test_no_rule_stumbles_over_an_answer_of_another_shape():
    assert list(FAMILY.stumbles_over(GOOD)) == []
