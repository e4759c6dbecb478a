"""The quota of the reference relay: what chats use shows in all three answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.relay.billing import POINTS

if TYPE_CHECKING:
    import httpx

    from .conftest import Ask

USAGE, LIMIT, TOKEN = "/v1/dashboard/billing/usage", "/v1/dashboard/billing/subscription", "/api/usage/token"


def test_a_chat_is_booked_by_its_tokens(client: httpx.Client, ask: Ask) -> None:
    before = client.get(USAGE).json()["total_usage"]
    tokens = ask().json()["usage"]["total_tokens"]

    assert client.get(USAGE).json()["total_usage"] - before == pytest.approx(100 * tokens / POINTS)


def test_the_limit_is_what_is_used_and_what_is_left(client: httpx.Client) -> None:
    used, limit = client.get(USAGE).json()["total_usage"], client.get(LIMIT).json()
    told = client.get(TOKEN).json()["data"]

    assert limit["object"] == "billing_subscription"
    assert limit["soft_limit_usd"] == limit["hard_limit_usd"] == limit["system_hard_limit_usd"]
    assert told["total_used"] + told["total_available"] == told["total_granted"] == limit["hard_limit_usd"] * POINTS
    assert told["total_used"] * 100 / POINTS == used


@pytest.mark.parametrize("path", [USAGE, LIMIT])
def test_the_address_beside_v1_says_the_same(client: httpx.Client, path: str) -> None:
    assert client.get(path.removeprefix("/v1")).json() == client.get(path).json()


@pytest.mark.parametrize("path", [USAGE, LIMIT, TOKEN])
def test_strangers_are_told_nothing(client: httpx.Client, path: str) -> None:
    assert client.get(path, headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize("path", [USAGE, LIMIT, TOKEN])
def test_the_quota_is_asked_with_get(client: httpx.Client, path: str) -> None:
    assert client.post(path).status_code == 405
