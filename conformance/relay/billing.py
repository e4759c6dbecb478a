"""The quota of a key: what it was granted, what its chats have used, and the three ways to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay.call import Stage
from conformance.relay.giving import give_json

if TYPE_CHECKING:
    from conformance.relay.call import Call, State

POINTS = 500_000
"""Points of quota in one unit of money, as in one-api."""
_GRANTED = 100 * POINTS
_USED_BEFORE = 5 * POINTS // 2
_POINTS_OF_TOKEN = 1
_USED = "points used"


def charge(call: Call) -> None:
    """Book what a chat costs."""
    call.state.memory[_USED] = used(call.state) + _POINTS_OF_TOKEN * call.usage["total_tokens"]


def used(state: State) -> int:
    """The points that are used so far."""
    points: int = state.memory.get(_USED, _USED_BEFORE)
    return points


def granted(state: State) -> int:
    """The points that were granted; what is used beyond them is granted as well."""
    return max(_GRANTED, used(state))


def give_usage(call: Call) -> None:
    """Say what is used, in hundredths of a unit."""
    call.answer = {"object": "list", "total_usage": 100 * used(call.state) / POINTS}
    give_json(call, Stage.BILLING)


def give_subscription(call: Call) -> None:
    """Say what the limit is, in units."""
    limit = granted(call.state) / POINTS
    call.answer = {
        "object": "billing_subscription",
        "has_payment_method": True,
        "soft_limit_usd": limit,
        "hard_limit_usd": limit,
        "system_hard_limit_usd": limit,
        "access_until": 0,
    }
    give_json(call, Stage.BILLING)


def give_token(call: Call) -> None:
    """Say what was granted, used and is left, in points."""
    call.answer = {
        "code": True,
        "message": "ok",
        "data": {
            "object": "token_usage",
            "name": "reference",
            "total_granted": granted(call.state),
            "total_used": used(call.state),
            "total_available": granted(call.state) - used(call.state),
            "unlimited_quota": False,
            "model_limits": {},
            "model_limits_enabled": False,
            "expires_at": 0,
        },
    }
    give_json(call, Stage.BILLING)
