"""Pictures: drawn from a prompt, edited, or varied; given as addresses, in base64, or as events."""

from __future__ import annotations

import base64
import binascii
import re
from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage, Upload
from conformance.relay.giving import give_bytes, give_events, give_json
from conformance.relay.reading import read_form, read_request
from conformance.relay.validate import check_fields, check_model, integer, of, one_of, refuse, require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.relay.call import Call

SIZES = ("256x256", "512x512", "1024x1024", "1792x1024", "1024x1792", "1536x1024", "1024x1536")
_SMALLEST = SIZES[0]
_MOST_KEPT = 64
_LARGEST_UPLOAD = 4 * 1024 * 1024
_MOST_UPLOADS = 16
_LONGEST_PROMPTS = {"dall-e-2": 1_000, "dall-e-3": 4_000}
_LONGEST_PROMPT = 32_000
_ONE_AT_A_TIME = "dall-e-3"
_DATA_URL = re.compile(r"data:image/[a-z]+;base64,(.+)", re.DOTALL)
_FIELDS = {
    "prompt": of(str, "a text"),
    "n": integer(1, 10),
    "size": one_of(*SIZES, "auto"),
    "quality": one_of("standard", "hd", "low", "medium", "high", "auto"),
    "style": one_of("vivid", "natural"),
    "response_format": one_of("url", "b64_json"),
    "output_format": one_of("png", "jpeg", "webp"),
    "output_compression": integer(0, 100),
    "background": one_of("transparent", "opaque", "auto"),
    "moderation": one_of("low", "auto"),
    "input_fidelity": one_of("high", "low"),
    "stream": of(bool, "a boolean"),
    "partial_images": integer(0, 3),
    "user": of(str, "a string"),
}


def generate(call: Call) -> None:
    """Draw what the prompt says."""
    from conformance.relay.pictures import draw  # noqa: PLC0415 - Pillow takes a while to import

    read_request(call)
    call.at(Stage.IMAGES_REQUEST)
    _check(call, "prompt")
    width, height = _size(call.request)
    # One colour takes 38 bytes as WebP, and sixteen thousand as PNG.
    kind = call.request.get("output_format") or "webp"
    _give(call, draw(call.request["prompt"], width, height, kind), "image_generation")


def edit(call: Call) -> None:
    """Paint over the part of a picture that the mask leaves open, or over its middle."""
    images, mask = _read_pictures(call)
    _check(call, "prompt")
    _give(call, _repainted(images, mask, call.request["prompt"]), "image_edit")


def vary(call: Call) -> None:
    """The picture with another middle."""
    images, _ = _read_pictures(call)
    _check(call)
    _give(call, _repainted(images, None, "a variation"), "")


def give_picture(call: Call) -> None:
    """A picture that an answer pointed to; whoever has its address needs no key."""
    found = _kept(call).get(call.named)
    if found is None:
        raise Refusal(404, f"There is no picture '{call.named[:100]}'.", code="not_found")
    call.body = found
    call.media_type = _media_type(found)
    give_bytes(call, Stage.MEDIA)


def _read_pictures(call: Call) -> tuple[list[bytes], bytes | None]:
    """The pictures of a form, or of a JSON body, and the mask."""
    as_json = call.headers.get(b"content-type", b"").lower().startswith(b"application/json")
    if as_json:
        read_request(call)
    else:
        read_form(call)
    call.at(Stage.IMAGES_REQUEST)
    if as_json:
        return _referred(call.request), None
    call.request = {name: _plain(name, values[0]) for name, values in call.form.items() if isinstance(values[0], str)}
    masks = _uploads(call.form, "mask")
    return [*_uploads(call.form, "image"), *_uploads(call.form, "image[]")], masks[0] if masks else None


def _plain(name: str, value: object) -> object:
    """The value of a field of a form, as it would be in JSON."""
    if name in {"n", "partial_images", "output_compression"} and str(value).isascii() and str(value).isdigit():
        return int(str(value)[:9])
    return {"true": True, "false": False}.get(str(value), value) if name == "stream" else value


def _uploads(form: Mapping[str, list[str | Upload]], name: str) -> list[bytes]:
    found: list[bytes] = []
    for value in form.get(name, []):
        if not isinstance(value, Upload):
            raise refuse(name, "invalid_type", f"Invalid type for '{name}': expected a file.")
        if len(value.data) > _LARGEST_UPLOAD:
            raise refuse(name, "image_too_large", f"Invalid '{name}': expected at most 4 MB.")
        found.append(value.data)
    return found


def _referred(request: Mapping[str, Any]) -> list[bytes]:
    """The pictures of a JSON body; only data URLs are read."""
    given = request.get("images") or []
    found: list[bytes] = []
    for each in given if isinstance(given, list) else [given]:
        url = each.get("image_url") if isinstance(each, dict) else None
        match = _DATA_URL.fullmatch(url) if isinstance(url, str) else None
        if match is None:
            raise refuse("images", "invalid_value", "Invalid value for 'images': expected objects with a data URL.")
        try:
            found.append(base64.b64decode(match[1], validate=True))
        except binascii.Error:
            raise refuse("images", "invalid_value", "Invalid value for 'images': not base64.") from None
    return found


def _check(call: Call, *required: str) -> None:
    """Refuse what the model may not draw."""
    request = call.request
    check_model(request.get("model"), call.state.models)
    require(request, *required)
    check_fields(request, _FIELDS)
    longest = _LONGEST_PROMPTS.get(request["model"], _LONGEST_PROMPT)
    if len(request.get("prompt") or "") > longest:
        raise refuse("prompt", "prompt_too_long", f"Invalid 'prompt': expected at most {longest} characters.")
    if request["model"] == _ONE_AT_A_TIME and _count(request) > 1:
        raise refuse("n", "n_not_within_range", "Invalid 'n': expected 1, since one picture is drawn at a time.")


def _count(request: Mapping[str, Any]) -> int:
    return int(request.get("n") or 1)


def _size(request: Mapping[str, Any]) -> tuple[int, int]:
    asked = request.get("size") or _SMALLEST
    width, _, height = (_SMALLEST if asked == "auto" else asked).partition("x")
    return int(width), int(height)


def _repainted(images: list[bytes], mask: bytes | None, prompt: str) -> bytes:
    """The first of the pictures, painted over."""
    from conformance.relay.pictures import repaint  # noqa: PLC0415 - Pillow takes a while to import

    if not images:
        raise refuse("image", "missing_required_parameter", "Missing required parameter: 'image'.")
    if len(images) > _MOST_UPLOADS:
        raise refuse("image", "too_many_images", f"Invalid 'image': expected at most {_MOST_UPLOADS} files.")
    try:
        return repaint(images[0], mask, prompt)
    except ValueError:
        raise refuse("image", "invalid_image_file", "Invalid 'image' or 'mask': expected a picture.") from None


def _give(call: Call, picture: bytes, event: str) -> None:
    """Answer with so many copies of a picture, in the form that was asked for."""
    if call.request.get("stream") and event:
        call.events = list(_events(call, picture, event))
        give_events(call, Stage.IMAGES)
        return
    call.answer = {"created": call.created, "data": [_entry(call, picture) for _ in range(_count(call.request))]}
    give_json(call, Stage.IMAGES)


def _entry(call: Call, picture: bytes) -> dict[str, Any]:
    if call.request.get("response_format") == "b64_json":
        entry = {"b64_json": base64.b64encode(picture).decode()}
    else:
        entry = {"url": address_of(call, picture)}
    if call.request["model"] == _ONE_AT_A_TIME:
        entry["revised_prompt"] = f"{call.request['prompt']}, drawn as one plain colour"
    return entry


def address_of(call: Call, picture: bytes) -> str:
    """Keep a picture and say where it is."""
    name = f"{sha256(picture).hexdigest()[:20]}.{_media_type(picture).rpartition('/')[2]}"
    kept = _kept(call)
    kept[name] = picture
    kept.move_to_end(name)
    if len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
    host = call.headers.get(b"host", b"127.0.0.1").decode("latin-1")
    return f"http://{host}{call.prefix}/v1/files/pictures/{name}"


def _kept(call: Call) -> OrderedDict[str, bytes]:
    """The last pictures that this variant of the relay made, by name."""
    found: OrderedDict[str, bytes] = call.state.memory.setdefault("pictures", OrderedDict())
    return found


def _media_type(picture: bytes) -> str:
    if picture.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if picture.startswith(b"RIFF") else "image/jpeg"


def _events(call: Call, picture: bytes, event: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The stream of one picture: as many steps of its making as were asked for, and the whole."""
    about = {
        "b64_json": base64.b64encode(picture).decode(),
        "created_at": call.created,
        "size": call.request.get("size") or _SMALLEST,
        "quality": "low",
        "background": "opaque",
        "output_format": _media_type(picture).rpartition("/")[2],
    }
    for place in range(call.request.get("partial_images") or 0):
        name = f"{event}.partial_image"
        yield name, {"type": name, "partial_image_index": place, **about}
    words = len((call.request.get("prompt") or "").split())
    usage = {
        "input_tokens": words,
        "output_tokens": 16,
        "total_tokens": words + 16,
        "input_tokens_details": {"text_tokens": words, "image_tokens": 0},
    }
    yield f"{event}.completed", {"type": f"{event}.completed", **about, "usage": usage}
