"""Pictures of the reference relay: drawn, edited, varied, pointed to; and what is refused."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from conformance.contract import data as folder
from conformance.media import changed, main_colour, picture
from conformance.relay import DEFAULT_KEY, BackgroundRelay, create_app
from conformance.relay.images import SIZES
from conformance.relay.pictures import COLOURS

from .driver import call

ASSETS = folder("fixtures") / "assets"
SQUARE, MASK = ((ASSETS / f"{name}.png").read_bytes() for name in ("square", "mask"))
MODEL = "mock-image"
DATA_URL = f"data:image/png;base64,{base64.b64encode(SQUARE).decode()}"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client of a relay that serves OpenAI's models of pictures too."""
    app = create_app(models=(MODEL, "dall-e-2", "dall-e-3"))
    headers = {"Authorization": f"Bearer {DEFAULT_KEY}"}
    with BackgroundRelay(app) as running, httpx.Client(base_url=running.url, headers=headers) as opened:
        yield opened


def generate(client: httpx.Client, **fields: Any) -> httpx.Response:
    body = {"model": MODEL, "prompt": "a red cube", **fields}
    return client.post("/v1/images/generations", json={name: value for name, value in body.items() if value != "-"})


def edit(client: httpx.Client, *, path: str = "edits", **fields: Any) -> httpx.Response:
    """An edit: bytes are files, a list sends one name several times."""
    given = {"model": MODEL, "prompt": "a red house", "image": SQUARE, **fields}
    parts = [(name, each) for name, value in given.items() for each in (value if isinstance(value, list) else [value])]
    files = [(name, ("a.png", each, "image/png") if isinstance(each, bytes) else (None, each)) for name, each in parts]
    return client.post(f"/v1/images/{path}", files=files)


def error(answer: httpx.Response) -> tuple[int, str]:
    found = answer.json()["error"]
    assert found["code"]
    return answer.status_code, found["param"]


def drawn(answer: httpx.Response) -> bytes:
    (entry,) = answer.json()["data"]
    return base64.b64decode(entry["b64_json"])


def test_a_picture_is_at_its_address_without_a_key(client: httpx.Client):
    answer = generate(client)
    (entry,) = answer.json()["data"]
    assert set(answer.json()) == {"created", "data"}
    assert set(entry) == {"url"}
    fetched = httpx.get(entry["url"])
    assert fetched.headers["content-type"] == "image/webp"
    assert main_colour(fetched.content) == (220, 30, 30)


@pytest.mark.parametrize("size", [*SIZES, "auto", None])
def test_a_picture_is_as_large_as_was_asked_for(client: httpx.Client, size: str | None):
    found = picture(drawn(generate(client, size=size, response_format="b64_json")))
    assert found
    assert f"{found.width}x{found.height}" == (size if size in SIZES else "256x256")
    assert found.whole


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_picture_is_of_the_kind_that_was_asked_for(client: httpx.Client, kind: str):
    answer = generate(client, output_format=kind)
    fetched = httpx.get(answer.json()["data"][0]["url"])
    assert fetched.headers["content-type"] == f"image/{kind}"
    found = picture(fetched.content)
    assert found
    assert found.kind == kind


def test_two_pictures_are_two(client: httpx.Client):
    assert len(generate(client, n=2).json()["data"]) == 2
    assert len(edit(client, n="2").json()["data"]) == 2


def test_dall_e_3_says_what_it_drew_and_draws_one_at_a_time(client: httpx.Client):
    answer = generate(client, model="dall-e-3", n=1)
    assert answer.json()["data"][0]["revised_prompt"].startswith("a red cube")
    assert error(generate(client, model="dall-e-3", n=2)) == (400, "n")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": "-"}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"model": "-"}, "model"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"n": "two"}, "n"),
        ({"size": "wide"}, "size"),
        ({"size": "1024×1024"}, "size"),
        ({"size": 1024}, "size"),
        ({"response_format": "png"}, "response_format"),
        ({"quality": "best"}, "quality"),
        ({"style": 1}, "style"),
        ({"output_compression": 101}, "output_compression"),
        ({"stream": "yes"}, "stream"),
        ({"partial_images": 4}, "partial_images"),
        ({"model": "dall-e-2", "prompt": "x" * 1_001}, "prompt"),
        ({"model": "dall-e-3", "prompt": "x" * 4_001}, "prompt"),
        ({"prompt": "x" * 32_001}, "prompt"),
    ],
)
def test_a_bad_field_is_refused_by_its_name(client: httpx.Client, fields: dict[str, Any], param: str):
    assert error(generate(client, **fields)) == (400, param)


def test_an_unknown_model_draws_nothing(client: httpx.Client):
    assert generate(client, model="mock-painter").status_code == 404


@pytest.mark.parametrize("partial", [0, 2])
def test_a_stream_shows_the_making_and_ends_with_the_picture(client: httpx.Client, partial: int):
    answer = generate(client, stream=True, partial_images=partial)
    assert answer.headers["content-type"] == "text/event-stream"
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    names = [line[7:] for line in answer.text.splitlines() if line.startswith("event: ")]
    kinds = ["image_generation.partial_image"] * partial + ["image_generation.completed"]
    assert names == kinds == [event["type"] for event in events]
    assert picture(base64.b64decode(events[-1]["b64_json"]))
    assert events[-1]["usage"]["total_tokens"] == 19


def test_an_edit_paints_where_the_mask_is_transparent(client: httpx.Client):
    edited = drawn(edit(client, mask=MASK, response_format="b64_json"))
    inside, outside = changed(SQUARE, edited, MASK) or (0, 0)
    assert inside > 20
    assert outside == 0


@pytest.mark.parametrize("name", ["image", "image[]"])
def test_the_first_of_several_pictures_is_edited(client: httpx.Client, name: str):
    answer = edit(client, **{"image": [], name: [SQUARE, MASK], "mask": MASK, "response_format": "b64_json"})
    assert changed(SQUARE, drawn(answer), MASK)[1] == 0  # type: ignore[index]


def test_an_edit_may_be_asked_for_in_json_and_streamed(client: httpx.Client):
    body = {"model": MODEL, "prompt": "red", "images": [{"image_url": DATA_URL}], "response_format": "b64_json"}
    answer = client.post("/v1/images/edits", json=body)
    assert picture(drawn(answer))
    streamed = client.post("/v1/images/edits", json=body | {"stream": True})
    assert "event: image_edit.completed" in streamed.text
    assert "event: image_edit.completed" in edit(client, stream="true").text


def test_a_variation_is_another_picture(client: httpx.Client):
    varied = drawn(edit(client, path="variations", response_format="b64_json"))
    assert picture(varied)
    assert varied != SQUARE


def wide() -> bytes:
    written = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(written, "png")
    return written.getvalue()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"image": []}, "image"),
        ({"image": "text"}, "image"),
        ({"image": b"text"}, "image"),
        ({"image": SQUARE[:200]}, "image"),
        ({"image": b"x" * (4 * 1024 * 1024 + 1)}, "image"),
        ({"image": wide()}, "image"),
        ({"image": [], "image[]": [SQUARE] * 17}, "image"),
        ({"mask": b"text"}, "image"),
        ({"mask": "text"}, "mask"),
        ({"n": "two"}, "n"),
        ({"n": "²"}, "n"),
        ({"n": "9" * 5000}, "n"),
        ({"stream": "maybe"}, "stream"),
        ({"size": "wide"}, "size"),
        ({"prompt": []}, "prompt"),
    ],
)
def test_a_bad_form_is_refused_by_its_field(client: httpx.Client, fields: dict[str, Any], param: str):
    assert error(edit(client, **fields)) == (400, param)


@pytest.mark.parametrize(
    "images",
    [None, [], {}, "x", [1], [{}], [{"image_url": 1}], [{"image_url": "https://example.com/1.png"}],
     [{"image_url": "data:image/png;base64,!"}], [{"image_url": "data:image/png;base64,AAAA"}], [[]]],
)  # fmt: skip
def test_a_bad_reference_is_refused(client: httpx.Client, images: Any):
    answer = client.post("/v1/images/edits", json={"model": MODEL, "prompt": "red", "images": images})
    assert answer.status_code == 400
    assert error(answer)[1] in {"image", "images"}


def test_a_picture_that_there_is_not_is_not_found(client: httpx.Client):
    assert client.get("/v1/files/pictures/none.png").status_code == 404


def test_old_pictures_are_forgotten(client: httpx.Client):
    first = generate(client, prompt="red", size="1792x1024").json()["data"][0]["url"]
    for colour in list(COLOURS)[1:11]:
        for size in SIZES:
            generate(client, prompt=colour, size=size, output_format="jpeg")
    assert httpx.get(first).status_code == 404


def test_who_names_no_host_is_pointed_to_this_machine():
    body = json.dumps({"model": MODEL, "prompt": "a red cube"}).encode()
    answer = asyncio.run(call(create_app(), "POST", "/v1/images/generations", body))
    assert json.loads(answer.body)["data"][0]["url"].startswith("http://127.0.0.1/v1/files/pictures/")
