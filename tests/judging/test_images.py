"""Pictures: honest answers that look odd are let be, broken ones are blamed where they break, nothing stumbles."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from conformance.contract import data as folder
from conformance.model import Exchange, Failure, Request, Response, Verdict
from conformance.relay.pictures import draw, repaint
from conformance.scenarios import advance, begin

from .families import CASES, Family
from .runs import STARTED, answer, sse

FLUX, DALLE_2, DALLE_3 = Family("images", "flux-schnell"), Family("images", "dall-e-2"), Family("images", "dall-e-3")
GPT, GEMINI = Family("images", "openai/gpt-image-1-mini"), Family("images", "gemini-2.5-flash-image")
ASSETS = folder("fixtures") / "assets"
SMALL = draw("red", 64, 64)
LARGE = draw("red", 1024, 1024, "webp")
JPEG = draw("red", 1024, 1024, "jpeg")
EDITED = repaint((ASSETS / "square.png").read_bytes(), (ASSETS / "mask.png").read_bytes(), "red")
INVALID = {"error": {"message": "Bad", "type": "invalid_request_error", "param": None, "code": None}}


def coded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def of(*entries: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {"created": int(STARTED), "data": list(entries), **changes}


def file(body: bytes, kind: str = "image/png", status: int = 200) -> Response:
    return replace(answer(body, status), headers=(("content-type", kind),) if kind else ())


def gif() -> bytes:
    written = io.BytesIO()
    Image.new("P", (64, 64)).save(written, "gif")
    return written.getvalue()


URL, BASE64 = {"url": "https://pictures.example/1.png"}, {"b64_json": coded(SMALL)}
USAGE = {"input_tokens": 3, "output_tokens": 16, "total_tokens": 19, "input_tokens_details": {"text_tokens": 3}}
DONE = {"type": "image_generation.completed", "b64_json": coded(SMALL), "usage": USAGE}
PARTIAL = {"type": "image_generation.partial_image", "b64_json": coded(SMALL), "partial_image_index": 0}
GOOD: dict[str, Any] = {
    "images.generations/minimal": of(URL),
    "images.generations/url": of(URL),
    "images.generations/base64": of(BASE64),
    "images.generations/size": of(URL),
    "images.generations/two": of(URL, URL),
    "images.generations/stream": of(URL),
    "images.generations/bad-size": answer(INVALID, 400),
    "images.generations/missing-prompt": answer(INVALID, 400),
    "images.generations/long-prompt": answer(INVALID, 400),
    "images.edits/plain": of(BASE64),
    "images.edits/masked": of({"b64_json": coded(EDITED)}),
    "images.edits/two-images": of(BASE64),
    "images.edits/json": of(BASE64),
    "images.edits/missing-image": answer(INVALID, 422),
    "images.variations/minimal": of(URL),
    "images.variations/missing-image": answer(INVALID, 400),
    "media/by-address": file(SMALL),
    "media/of-size": file(LARGE, "image/webp"),
    "media/masked": file(EDITED),
}
AWKWARD: dict[str, dict[str, Any]] = {
    "as always": {},
    "a jpeg": {"media/of-size": file(JPEG, "image/jpeg; charset=binary")},
    "null for the other form": {"images.generations/minimal": of(URL | {"b64_json": None})},
    "empty for the other form": {"images.generations/minimal": of(URL | {"b64_json": "", "revised_prompt": ""})},
    "lines in base64": {"images.generations/base64": of({"b64_json": base64.encodebytes(SMALL).decode()})},
    "size in the answer": {"images.generations/size": of({"b64_json": coded(LARGE)})},
    "more keys": {"images.generations/minimal": of(URL, model="flux", usage=USAGE, id="img-1")},
    "all prompts taken": {"images.generations/long-prompt": of(URL)},
    "a redirect": {"media/by-address": file(b"", "", 302)},
    "busy": {"media/by-address": file(b"", "text/plain", 429)},
    "broken down": {"media/by-address": file(b"", "text/plain", 500)},
    "n refused": {"images.generations/two": answer(INVALID, 400)},
    "two pictures refused": {"images.edits/two-images": answer(INVALID, 400)},
    "no JSON": {"images.edits/json": answer(INVALID, 415)},
    "JSON and busy": {"images.edits/json": answer(INVALID, 503)},
    "no edits": {
        name: answer(INVALID | {"error": {**INVALID["error"], "code": "api_not_implemented"}}, 501)
        for name in GOOD if name.startswith(("images.edits", "images.variations"))
    },
    "no pictures at all": {name: answer(INVALID, 404) for name in GOOD if name.startswith("images")},
    "http": {"images.generations/url": of({"url": "HTTP://pictures.example/1.png"})},
}  # fmt: skip


def run(family: Family, told: Mapping[str, Any]) -> list[Exchange]:
    return [family.run(name, each) for name, each in told.items()]


@pytest.mark.parametrize("changes", AWKWARD.values(), ids=AWKWARD)
def test_an_honest_relay_is_not_blamed(changes: dict[str, Any]):
    assert FLUX.blamed(*run(FLUX, GOOD | changes)) == set()


@pytest.mark.parametrize("family", [GPT, GEMINI], ids=["gpt-image", "gemini"])
def test_models_that_always_give_base64_are_not_blamed_for_it(family: Family):
    always = {name: of(BASE64) for name in ("images.generations/minimal", "images.generations/url")}
    streamed = {"images.generations/stream": sse([PARTIAL, DONE])}
    assert family.blamed(*run(family, GOOD | always | streamed)) == set()


def test_dall_e_3_draws_one_picture_and_says_of_what():
    revised = of(URL | {"revised_prompt": "A red cube"})
    asked = ("minimal", "url", "size", "two", "stream")
    told = {f"images.generations/{name}": revised for name in asked}
    told["images.generations/base64"] = of(BASE64 | {"revised_prompt": "A red cube"})
    assert DALLE_3.blamed(*run(DALLE_3, GOOD | told | {"images.generations/two": answer(INVALID, 400)})) == set()
    assert DALLE_3.blamed(*run(DALLE_3, told)) == {"images.n.one-for-dalle3"}
    assert DALLE_3.blamed(*run(DALLE_3, {"images.generations/minimal": of(URL)})) == {"images.revised-prompt.present"}


BROKEN: dict[str, tuple[str, Any, str]] = {
    "milliseconds": ("images.generations/minimal", of(URL, created=int(STARTED) * 1000), "created.seconds"),
    "no time": ("images.edits/plain", of(BASE64, created=0), "created.seconds"),
    "empty": ("images.variations/minimal", of(), "data.present"),
    "null": ("images.generations/minimal", of(data=None), "data.present"),
    "none": ("images.edits/plain", {"created": int(STARTED)}, "data.present"),
    "one of two": ("images.generations/two", of(URL), "data.count"),
    "two of one": ("images.generations/minimal", of(URL, URL), "data.count"),
    "both forms": ("images.generations/minimal", of(URL | BASE64), "entry.one-form"),
    "no form": ("images.generations/minimal", of({}), "entry.one-form"),
    "base64 for an address": ("images.generations/url", of(BASE64), "format.honoured"),
    "an address for base64": ("images.generations/base64", of(URL), "format.honoured"),
    "a data URL": ("images.generations/url", of({"url": f"data:image/png;base64,{coded(SMALL)}"}), "format.honoured"),
    "a path": ("images.generations/url", of({"url": "/files/1.png"}), "format.honoured"),
    "a prefix": ("images.generations/base64", of({"b64_json": f"data:image/png;base64,{coded(SMALL)}"}),
                 "picture.decodes"),
    "no picture": ("images.generations/base64", of({"b64_json": "AAAA"}), "picture.decodes"),
    "no ASCII": ("images.generations/base64", of({"b64_json": "图片"}), "picture.decodes"),
    "cut": ("images.generations/base64", of({"b64_json": coded(SMALL[:-60])}), "picture.decodes"),
    "gif": ("media/by-address", file(gif(), "image/gif"), "picture.decodes"),
    "a page": ("media/by-address", file(b"<html>", "image/png"), "picture.decodes"),
    "smaller": ("media/of-size", file(SMALL), "size.honoured"),
    "smaller in the answer": ("images.generations/size", of(BASE64), "size.honoured"),
    "any size": ("images.generations/bad-size", of(URL), "size.bad-refused"),
    "500 for a size": ("images.generations/bad-size", answer(INVALID, 500), "size.bad-refused"),
    "no prompt": ("images.generations/missing-prompt", of(URL), "prompt.required"),
    "no image": ("images.edits/missing-image", of(URL), "image.required"),
    "no image to vary": ("images.variations/missing-image", answer(INVALID, 500), "image.required"),
    "gone": ("media/by-address", file(b"", "text/plain", 404), "address.answers"),
    "locked": ("media/by-address", file(b"", "text/plain", 401), "address.answers"),
    "octets": ("media/by-address", file(SMALL, "application/octet-stream"), "address.typed"),
    "untyped": ("media/by-address", file(SMALL, ""), "address.typed"),
    "all painted": ("media/masked", file(draw("red", 256, 256)), "mask.honoured"),
    "nothing painted": ("images.edits/masked", of({"b64_json": coded((ASSETS / "square.png").read_bytes())}),
                        "mask.honoured"),
    "JSON and 500": ("images.edits/json", answer(INVALID, 500), "edits.json-body"),
    "no end": ("images.generations/stream", sse([PARTIAL]), "stream.completed"),
    "no usage": ("images.generations/stream", sse([PARTIAL, DONE | {"usage": None}]), "stream.completed"),
    "no picture in the end": ("images.generations/stream", sse([DONE | {"b64_json": ""}]), "stream.completed"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "told", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_blamed_once(name: str, told: Any, rule: str):
    assert FLUX.blamed(*run(FLUX, GOOD | {name: told})) == {f"images.{rule}"}


@pytest.mark.parametrize(
    ("family", "name", "told", "rule"),
    [
        (DALLE_2, "images.generations/long-prompt", of(URL), "prompt.length-bounded"),
        (GPT, "images.generations/long-prompt", answer(INVALID, 500), "prompt.length-bounded"),
        (GPT, "images.edits/two-images", answer(INVALID, 400), "edits.two-images"),
        (GPT, "images.generations/stream", of(BASE64), "stream.completed"),
    ],
)
def test_openai_s_models_are_held_to_more(family: Family, name: str, told: Any, rule: str):
    assert family.blamed(family.run(name, told)) == {f"images.{rule}"}


@pytest.mark.parametrize(
    ("name", "told", "label"),
    [
        (*BROKEN["one of two"][:2], "image-count-one"),
        (*BROKEN["base64 for an address"][:2], "image-base64-for-url"),
        (*BROKEN["an address for base64"][:2], "params-dropped"),
        (*BROKEN["a data URL"][:2], "image-data-url"),
        (*BROKEN["a prefix"][:2], "image-data-url"),
        (*BROKEN["any size"][:2], "params-unchecked"),
        (*BROKEN["no prompt"][:2], "params-unchecked"),
        ("images.generations/minimal", of(URL | {"b64_json": ""}), "image-both-keys"),
    ],
)
def test_a_known_deviation_is_named(name: str, told: Any, label: str):
    assert label in FLUX.labels(FLUX.run(name, told))


def pointed(url: str, kind: str, home: str = "https://relay.example/v1") -> tuple[Exchange, Exchange]:
    """An answer of the relay, and what came of fetching the picture that it points to."""
    made, fetched = FLUX.run("images.generations/url", of({"url": url})), FLUX.run("media/by-address", file(b""))
    asked = Request("GET", url, (), b"")
    return (
        replace(made, request=replace(made.request, url=f"{home}/images/generations")),
        replace(fetched, request=asked, response=None, failure=Failure(kind, "said")),
    )


@pytest.mark.parametrize(
    ("url", "kind", "home", "verdict"),
    [
        ("http://10.0.0.1/1.png", "private", "https://relay.example/v1", Verdict.FAIL),
        ("http://10.0.0.1/1.png", "private", "http://8.8.8.8/v1", Verdict.FAIL),
        ("http://minio:9000/1.png", "private", "https://relay.example/v1", Verdict.FAIL),
        ("http://10.0.0.1/1.png", "private", "http://10.0.0.2:3000/v1", Verdict.PASS),
        ("http://minio:9000/1.png", "private", "http://localhost:3000/v1", Verdict.PASS),
        ("http://minio:9000/1.png", "private", "http://relay.internal/v1", Verdict.PASS),
        ("http://169.254.169.254/1.png", "private", "http://[::1]:3000/v1", Verdict.FAIL),
        ("http://[broken/1.png", "private", "https://relay.example/v1", Verdict.FAIL),
        ("https://pictures.example/1.png", "dns", "https://relay.example/v1", Verdict.NOT_APPLICABLE),
        ("https://pictures.example/1.png", "timeout", "https://relay.example/v1", Verdict.NOT_APPLICABLE),
    ],
)
def test_an_address_that_only_the_relay_can_reach_is_none(url: str, kind: str, home: str, verdict: Verdict):
    judged = FLUX.judged(*pointed(url, kind, home))
    assert judged["images.address.public"].verdict is verdict
    assert judged["images.address.answers"].verdict is Verdict.NOT_APPLICABLE
    assert judged["images.address.typed"].verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("status", [302, 403])
def test_an_address_without_a_picture_has_none_to_judge(status: int):
    judged = FLUX.judged(FLUX.run("media/by-address", file(b"", "", status)))
    ours = [judged[f"images.{name}"].verdict for name in ("picture.decodes", "address.typed")]
    assert set(ours) == {Verdict.NOT_APPLICABLE}


def test_a_picture_that_came_with_the_answer_has_no_address_to_judge():
    made, fetched = pointed("", "no-basis")
    judged = FLUX.judged(made, fetched)
    ours = [judged[f"images.address.{name}"].verdict for name in ("public", "answers", "typed")]
    assert set(ours) == {Verdict.NOT_RUN}


def test_a_picture_too_large_to_decode_is_taken_at_its_word():
    large = io.BytesIO()
    Image.new("1", (8000, 8000)).save(large, "png")
    told = {"images.generations/base64": of({"b64_json": coded(large.getvalue())})}
    assert FLUX.blamed(*run(FLUX, told)) == set()


def test_of_many_pictures_a_few_are_decoded():
    many = of(*[BASE64] * 3, *[{"b64_json": "AAAA"}] * 40)
    (judgement,) = [
        each for rule, each in FLUX.judged(FLUX.run("images.generations/base64", many)).items() if "decodes" in rule
    ]
    assert len(judgement.findings) == 1


def test_no_answer_makes_a_rule_stumble():
    written = {name: told for name, told in GOOD.items() if isinstance(told, dict)}
    few = {
        name: written[name] for name in ("images.generations/base64", "images.generations/url", "images.edits/masked")
    }
    assert list(FLUX.stumbles_over(few)) == []


@pytest.mark.parametrize("odd", [None, 1, "x", [], {}, [[]], {"b64_json": 1}, "💥" * 5], ids=repr)
def test_no_stream_makes_a_rule_stumble(odd: Any):
    events = sse([odd, {"type": odd}, DONE | {"b64_json": odd, "usage": odd}])
    assert FLUX.stumbles(FLUX.run("images.generations/stream", events)) == []


@pytest.mark.parametrize("body", [b"", b"\x00" * 50, b"null", b"[1]", b"{", b"\xff\xd8\xff", SMALL[:20]], ids=repr)
@pytest.mark.parametrize("status", [200, 204, 400, 500])
def test_no_file_makes_a_rule_stumble(body: bytes, status: int):
    told = [FLUX.run(name, file(body, "", status)) for name in GOOD]
    assert FLUX.stumbles(*told) == []


def steps(name: str, *told: Any, planned: int = 9) -> list[Any]:
    """The cases of a scenario that are sent when these are the answers."""
    running = begin([case for case in CASES.values() if case.scenario == name and case.step <= planned])
    sent = [next(running)]
    for each in told:
        exchange = replace(FLUX.run(sent[-1].id, each), case=sent[-1])
        following = advance(running, exchange)
        if following is None:
            break
        sent.append(following)
    return sent


@pytest.mark.parametrize("name", ["picture-by-address", "picture-of-size", "picture-masked", "picture-varied"])
def test_a_picture_is_fetched_where_the_answer_points_to(name: str):
    asked, fetched = steps(name, of(URL), file(SMALL))
    assert fetched.path == URL["url"]
    assert asked.scenario == fetched.scenario == name
    assert len(steps(name, of(URL), planned=1)) == 1


@pytest.mark.parametrize(
    "told",
    [
        of(BASE64),
        of(),
        of(data=None),
        of({"url": None}),
        of({"url": 1}),
        of({"url": "/files/1.png"}),
        of({"url": "https://pictures.example/" + "x" * 9000}),
        of(*["x"]),  # type: ignore[arg-type]
        answer(INVALID, 400),
        [],
        b"",
        None,
    ],
    ids=repr,
)
def test_what_points_nowhere_is_not_fetched(told: Any):
    assert len(steps("picture-by-address", told)) == 1


@pytest.mark.parametrize(("data", "kind"), [(SMALL, "png"), (LARGE, "webp"), (JPEG, "jpeg")])
def test_the_picture_that_was_made_is_edited(data: bytes, kind: str):
    for told in ([of(URL), file(data)], [of({"b64_json": coded(data)})]):
        *_, edit = steps("generate-then-edit", *told)
        image = {"base64": coded(data), "name": f"picture.{kind}", "type": f"image/{kind}"}
        assert edit.form == {"model": "$model", "prompt": "a blue cube", "image": image}


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ([of(URL), file(b"", "", 404)], 2),
        ([of(URL), file(b"")], 2),
        ([of(URL), file(b"x" * 5_000_000)], 2),
        ([of(BASE64 | {"b64_json": "!"})], 1),
        ([of({"b64_json": 7})], 1),
        ([of({})], 1),
        ([answer(INVALID, 400)], 1),
    ],
)
def test_without_a_picture_nothing_is_edited(told: list[Any], sent: int):
    assert len(steps("generate-then-edit", *told)) == sent


def test_only_what_is_planned_is_sent():
    assert len(steps("generate-then-edit", of(BASE64), planned=1)) == 1
    assert len(steps("generate-then-edit", of(URL), file(SMALL), planned=2)) == 2


def test_what_the_size_is_compared_with_is_what_is_asked_for():
    assert CASES["images.generations/size"].body["size"] == "1024x1024"  # type: ignore[index]
