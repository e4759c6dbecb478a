"""Models of the reference relay that are unlike the others: they see, think, draw, or refuse some fields."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from conformance.materialise import asset
from conformance.relay.variant_models import DRAWER, HIDDEN_REASONER, REASONER

if TYPE_CHECKING:
    import httpx

    from .conftest import Ask, Events

DATA = "data:image/png;base64,"


def url(name: str) -> str:
    return f"data:image/{name.rpartition('.')[2]};base64,{base64.b64encode(asset(name)).decode()}"


def shown(*pictures: Any, text: str = "What is this?") -> list[dict[str, Any]]:
    parts = [{"type": "image_url", "image_url": picture} for picture in pictures]
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]


def told(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    return str(response.json()["choices"][0]["message"]["content"])


@pytest.mark.parametrize("name", ["red.png", "red.jpeg", "red.webp", "red.gif"])
def test_a_picture_of_any_kind_is_seen(ask: Ask, name: str) -> None:
    assert told(ask(messages=shown({"url": url(name)}))) == "red"


def test_several_pictures_are_seen_in_order(ask: Ask) -> None:
    messages = shown({"url": url("blue.png")}, {"url": url("red-42.png")})

    assert told(ask(messages=messages)) == 'blue and red with the text "RED 42"'


def test_a_picture_elsewhere_is_not_fetched(ask: Ask) -> None:
    assert told(ask(messages=shown({"url": "https://pictures.invalid/a.png"}, text="Say OK"))) == "OK"


def test_parts_of_other_kinds_are_passed_over(ask: Ask) -> None:
    messages = [{"role": "user", "content": ["Say OK", {"type": "text", "text": "Say OK"}]}]

    assert told(ask(messages=messages)) == "OK"


def test_pictures_count_by_their_detail(ask: Ask) -> None:
    def counted(*pictures: Any) -> int:
        return int(ask(messages=shown(*pictures)).json()["usage"]["prompt_tokens"])

    plain, picture = counted(), {"url": url("red.png")}
    assert counted(picture) == counted(picture | {"detail": "high"}) == plain + 255
    assert counted(picture | {"detail": "low"}, picture) == plain + 85 + 255


@pytest.mark.parametrize(
    ("picture", "param"),
    [
        ("https://pictures.invalid/a.png", "image_url"),
        (None, "image_url"),
        ({"url": ""}, "image_url.url"),
        ({}, "image_url.url"),
        ({"url": 7}, "image_url.url"),
        ({"url": "data:text/plain;base64,aGk="}, "image_url.url"),
        ({"url": DATA + "aGk="}, "image_url.url"),
        ({"url": DATA + "#"}, "image_url.url"),
        ({"url": "https://pictures.invalid", "detail": "huge"}, "image_url.detail"),
        ({"url": "https://pictures.invalid", "detail": []}, "image_url.detail"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(ask: Ask, picture: Any, param: str) -> None:
    answer = ask(messages=shown(picture))

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == f"messages[0].content[1].{param}"


def test_a_reasoner_thinks_aloud_before_it_answers(ask: Ask, events: Events) -> None:
    body = ask(model=REASONER).json()
    chunks = events(ask(model=REASONER, stream=True))[:-1]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]

    thought = body["choices"][0]["message"]["reasoning_content"]
    kinds = [name for delta in deltas for name in ("reasoning_content", "content") if delta.get(name)]
    assert kinds == sorted(kinds, reverse=True)
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == thought != ""
    details = body["usage"]["completion_tokens_details"]
    assert 0 < details["reasoning_tokens"] < body["usage"]["completion_tokens"]


@pytest.mark.parametrize("model", [REASONER, HIDDEN_REASONER])
def test_thinking_takes_its_part_of_the_limit(ask: Ask, model: str) -> None:
    body = ask(model=model, max_completion_tokens=4).json()

    assert body["choices"][0]["message"]["content"] == ""
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 4
    assert body["usage"]["completion_tokens_details"]["reasoning_tokens"] == 4


def test_the_reasoner_takes_no_reasoning_back(ask: Ask) -> None:
    messages = [
        {"role": "assistant", "content": "9.9", "reasoning_content": "Nine"},
        {"role": "user", "content": "Say OK"},
    ]

    assert ask(model=REASONER, messages=messages).json()["error"]["param"] == "messages[0].reasoning_content"
    assert told(ask(messages=messages)) == "OK"


def test_the_o_series_hides_what_it_thinks(ask: Ask) -> None:
    message = ask(model=HIDDEN_REASONER).json()["choices"][0]["message"]

    assert message["content"] == "OK"
    assert "reasoning_content" not in message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": 9}, "max_tokens"),
        ({"temperature": 0.5}, "temperature"),
        ({"n": 2}, "n"),
        ({"messages": [{"role": "system", "content": "Hi"}, {"role": "user", "content": "Hi"}]}, "messages[0].role"),
    ],
)
def test_the_o_series_refuses_some_fields_by_name(ask: Ask, fields: dict[str, Any], param: str) -> None:
    answer = ask(model=HIDDEN_REASONER, **fields)

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert ask(model=HIDDEN_REASONER, temperature=1, n=1).status_code == 200


def test_a_drawing_is_linked_and_can_be_fetched(client: httpx.Client, ask: Ask) -> None:
    text = told(ask("Draw a red square.", model=DRAWER))
    fetched = client.get(text.partition("](")[2].rstrip(")"), headers={"Authorization": ""})

    assert fetched.status_code == 200
    assert fetched.headers["content-type"] == "image/webp"
    assert told(ask("Say OK", model=DRAWER)) == "OK"
