"""Routes, keys, headers and the list of models."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from conformance.relay import DEFAULT_KEY, MODELS, create_app

from .driver import call

if TYPE_CHECKING:
    import httpx

    from conformance.relay import BackgroundRelay

CHAT = "/v1/chat/completions"
ENVELOPE = {"message", "type", "param", "code"}


def test_models_are_listed(client: httpx.Client) -> None:
    body = client.get("/v1/models").json()
    assert body["object"] == "list"
    assert [model["id"] for model in body["data"]] == list(MODELS)
    assert MODELS[0] == "mock-chat"
    assert len({model["created"] for model in body["data"]}) == len(body["data"])


def test_a_model_is_retrieved_as_it_is_listed(client: httpx.Client) -> None:
    listed = client.get("/v1/models").json()["data"][0]
    assert client.get("/v1/models/mock-chat").json() == listed


def test_an_unknown_model_cannot_be_retrieved(client: httpx.Client) -> None:
    answer = client.get("/v1/models/no-such-model")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"
    assert answer.json()["error"]["param"] == "model"


@pytest.mark.parametrize("path", ["/", "/models", "/chat/completions", "/fault/n-ignored", "/index.html"])
def test_outside_the_api_there_is_a_web_page(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("prefix", ["", "/openai", "/a/b"])
def test_the_api_may_stand_below_any_prefix(client: httpx.Client, prefix: str) -> None:
    assert client.get(f"{prefix}/v1/models").json()["object"] == "list"


def test_an_unknown_path_is_named_in_the_refusal(client: httpx.Client) -> None:
    answer = client.get("/v1/nothing/here")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Invalid URL (GET /v1/nothing/here)"
    assert set(answer.json()["error"]) == ENVELOPE


@pytest.mark.parametrize(("method", "path", "allowed"), [("GET", CHAT, "POST"), ("DELETE", "/v1/models/x", "GET")])
def test_a_wrong_method_is_refused(client: httpx.Client, method: str, path: str, allowed: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert set(answer.json()["error"]) == ENVELOPE


def test_a_web_page_may_call(client: httpx.Client) -> None:
    answer = client.options(CHAT, headers={"Origin": "https://example.com"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "authorization" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("path", ["/", "/v1/models", "/v1/nothing", "/v1/models/x", "/fault/no-such-fault/v1/models"])
def test_every_answer_has_an_id_of_its_own(client: httpx.Client, path: str) -> None:
    first, second = (client.get(path).headers["x-request-id"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer sk-wrong", DEFAULT_KEY, f"bearer {DEFAULT_KEY}", "Bearer é"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/models"), ("POST", CHAT)])
def test_nothing_but_the_key_opens(relay: BackgroundRelay, method: str, path: str, value: str) -> None:
    headers = [(b"authorization", value.encode("latin-1"))] if value else []
    answer = asyncio.run(call(create_app(), method, path, b"not even JSON", headers=headers))
    assert answer.status == 401
    assert b'"code":"invalid_api_key"' in answer.body
    assert relay.base_url.endswith("/v1")


def test_each_of_several_keys_opens() -> None:
    app = create_app({"sk-one": "Ann", "sk-two": "Bob"})
    for key, status in (("sk-one", 200), ("sk-two", 200), (DEFAULT_KEY, 401)):
        headers = [(b"authorization", f"Bearer {key}".encode())]
        assert asyncio.run(call(app, "GET", "/v1/models", headers=headers)).status == status


def test_the_models_can_be_chosen() -> None:
    answer = asyncio.run(call(create_app(models=["left", "right/of-way"]), "GET", "/v1/models/right/of-way"))
    assert b'"id":"right/of-way"' in answer.body


def test_a_huge_request_is_not_read_to_its_end() -> None:
    answer = asyncio.run(call(create_app(), "POST", CHAT, [b" " * 1_000_000] * 20))
    assert answer.status == 413


def test_a_client_that_goes_before_it_has_asked_gets_no_answer() -> None:
    answer = asyncio.run(call(create_app(), "POST", CHAT, [], leave=True))
    assert answer.status == 0


def test_other_protocols_are_not_spoken() -> None:
    async def connect() -> None:
        async def never() -> dict[str, object]:
            raise AssertionError

        await create_app()({"type": "websocket"}, never, lambda _: never())  # type: ignore[arg-type, return-value]

    with pytest.raises(ValueError, match="HTTP only, not websocket"):
        asyncio.run(connect())


def test_a_request_in_pieces_is_put_together() -> None:
    body = [b'{"model":"mock-chat","messages":[{"role":"us', b'er","content":"Say OK"}]}']
    answer = asyncio.run(call(create_app(), "POST", CHAT, body))
    assert b'"content":"OK"' in answer.body


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("application/json", b"{}", "invalid_content_type"),
        ("multipart/form-data", b"no parts", "invalid_form"),
    ],
)
def test_what_is_no_form_is_refused(client: httpx.Client, kind: str, body: bytes, code: str) -> None:
    answer = client.post("/v1/audio/transcriptions", content=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
