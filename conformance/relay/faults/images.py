"""Faults of pictures, and of the addresses that answers give for them."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage, Upload
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.relay.call import Call

_PICTURES = "/v1/files/pictures/"
_BASE64 = "UklGRh4AAABXRUJQVlA4TBEAAAAvP8APAAdQj3LXo/+BiOh/AAA="
"""A red picture, as WebP."""


def _entries(call: Call) -> Iterator[dict[str, Any]]:
    """The entries of a plain answer."""
    yield from call.answer.get("data", ())


def _asked_as(call: Call) -> str:
    return str(call.request.get("response_format"))


def _list_also(call: Call, name: str) -> None:
    """Serve a model of this name too."""
    if name not in call.state.models:
        call.state.models[name] = {**call.answer["data"][0], "id": name}
        call.answer["data"].append(dict(call.state.models[name]))


def _point_to(call: Call, place: str) -> None:
    """Let the addresses of an answer lead elsewhere: `place` stands before the name of the picture."""
    for entry in _entries(call):
        if "url" in entry:
            host, _, name = entry["url"].partition(_PICTURES)
            entry["url"] = place + name if "://" in place else host + place + name


@fault("images-milliseconds", Stage.IMAGES, trips={"images.created.seconds"}, zh="created 是毫秒")
def _(call: Call) -> None:
    """The time of a picture is given in milliseconds."""
    if call.answer:
        call.answer["created"] *= 1000


@fault("images-none", Stage.IMAGES, trips={"images.data.present"}, zh="成功的回答里没有图片")
def _(call: Call) -> None:
    """An answer lists no picture, as when a filter of the upstream took it away."""
    if call.answer:
        call.answer["data"] = []


@fault(
    "images-data-null",
    Stage.IMAGES,
    trips={"images.data.present", "operation.response.strict"},
    zh="data 为 null",
)
def _(call: Call) -> None:
    """The list of pictures is null."""
    if call.answer:
        call.answer["data"] = None


@fault("images-one-only", Stage.IMAGES, trips={"images.data.count"}, zh="要求两张图片只返回一张")
def _(call: Call) -> None:
    """One picture comes where two were asked for."""
    if call.answer:
        del call.answer["data"][1:]


@fault("images-both-forms", Stage.IMAGES, trips={"images.entry.one-form"}, zh="同时给出 url 和 b64_json")
def _(call: Call) -> None:
    """A picture is given in both forms."""
    for entry in _entries(call):
        entry.setdefault("url", "https://example.com/picture.webp")


@fault("images-no-form", Stage.IMAGES, trips={"images.entry.one-form"}, zh="url 和 b64_json 都为空")
def _(call: Call) -> None:
    """An entry of the list has no picture in it."""
    for entry in _entries(call):
        entry.clear()


@fault("images-empty-key", Stage.IMAGES, trips={"images.entry.empty-key"}, zh="未使用的形式以空字符串出现")
def _(call: Call) -> None:
    """The form that is not used is there as an empty text, as in new-api 2025-04."""
    for entry in _entries(call):
        entry.setdefault("url", "")
        entry.setdefault("b64_json", "")


@fault("images-always-base64", Stage.IMAGES_REQUEST, trips={"images.format.honoured"}, zh="要求地址却返回 base64")
def _(call: Call) -> None:
    """Pictures come in base64 where their address was asked for."""
    if _asked_as(call) == "url":
        call.request["response_format"] = "b64_json"


@fault("images-always-url", Stage.IMAGES_REQUEST, trips={"images.format.honoured"}, zh="要求 base64 却返回地址")
def _(call: Call) -> None:
    """The address of a picture comes where base64 was asked for."""
    call.request.pop("response_format", None)


@fault("images-data-url", Stage.IMAGES, trips={"images.format.honoured"}, zh="以 data URL 代替地址")
def _(call: Call) -> None:
    """A data URL stands where the address of a picture was asked for."""
    for entry in _entries(call):
        if _asked_as(call) == "url":
            entry["url"] = f"data:image/webp;base64,{_BASE64}"


@fault("images-prefixed", Stage.IMAGES, trips={"images.picture.decodes"}, zh="b64_json 带 data: 前缀")
def _(call: Call) -> None:
    """What should be plain base64 begins like a data URL."""
    for entry in _entries(call):
        if "b64_json" in entry:
            entry["b64_json"] = f"data:image/webp;base64,{entry['b64_json']}"


@fault("images-cut", Stage.IMAGES, trips={"images.picture.decodes"}, zh="base64 图片被截断")
def _(call: Call) -> None:
    """A picture in base64 breaks off in the middle."""
    for entry in _entries(call):
        if "b64_json" in entry:
            whole = base64.b64decode(entry["b64_json"])
            entry["b64_json"] = base64.b64encode(whole[: len(whole) // 2]).decode()


@fault("pictures-cut", Stage.MEDIA, trips={"images.picture.decodes"}, zh="下载的图片被截断")
def _(call: Call) -> None:
    """The picture at an address breaks off in the middle."""
    call.body = call.body[: len(call.body) // 2]


@fault("pictures-untyped", Stage.MEDIA, trips={"images.address.typed"}, zh="图片以错误的类型返回")
def _(call: Call) -> None:
    """A picture is sent as text."""
    call.media_type = "text/plain"


@fault("pictures-gone", Stage.IMAGES, trips={"images.address.answers"}, zh="图片地址返回 404")
def _(call: Call) -> None:
    """There is nothing at the address of a picture."""
    _point_to(call, f"{_PICTURES}gone-")


@fault("pictures-locked", Stage.IMAGES, trips={"images.address.answers"}, zh="图片地址需要密钥")
def _(call: Call) -> None:
    """Whoever fetches a picture has to show a key."""
    _point_to(call, "/v1/models/")


@fault("pictures-private", Stage.IMAGES, trips={"images.address.public"}, zh="图片地址在内网")
def _(call: Call) -> None:
    """The address of a picture is one that no client can reach."""
    _point_to(call, "http://169.254.7.7/pictures/")


@fault("images-smaller", Stage.IMAGES_REQUEST, trips={"images.size.honoured"}, zh="图片比要求的小")
def _(call: Call) -> None:
    """A picture is smaller than the one that was asked for."""
    if call.request.get("size") == "1024x1024":
        call.request["size"] = "512x512"


@fault("images-any-size", Stage.IMAGES_REQUEST, trips={"images.size.bad-refused"}, zh="不检查 size")
def _(call: Call) -> None:
    """A size that is none is passed over."""
    if not re.fullmatch(r"\d+x\d+", str(call.request.get("size"))):
        call.request.pop("size", None)


@fault("images-no-prompt", Stage.IMAGES_REQUEST, trips={"images.prompt.required"}, zh="没有 prompt 也生成图片")
def _(call: Call) -> None:
    """A picture is made without a prompt, as in newer new-api."""
    call.request.setdefault("prompt", "a picture")


@fault(
    "dalle2-prompt-cut",
    Stage.IMAGES_REQUEST,
    trips={"images.prompt.length-bounded"},
    zh="dall-e-2 悄悄截断过长的 prompt",
)
def dalle2_prompt_cut(call: Call) -> None:
    """A prompt that is too long for dall-e-2 is cut without a word."""
    if "prompt" in call.request:
        call.request["prompt"] = call.request["prompt"][:1000]


@dalle2_prompt_cut.also(Stage.MODELS)
def _(call: Call) -> None:
    _list_also(call, "dall-e-2")


@fault(
    "dalle3-two-at-once",
    Stage.IMAGES_REQUEST,
    trips={"images.n.one-for-dalle3"},
    zh="dall-e-3 接受 n=2",
)
def dalle3_two_at_once(call: Call) -> None:
    """Two pictures are made by dall-e-3, which makes one at a time."""
    call.count = call.request.pop("n", None) or 1


@dalle3_two_at_once.also(Stage.IMAGES)
def _(call: Call) -> None:
    if call.answer:
        call.answer["data"] *= call.count


@dalle3_two_at_once.also(Stage.MODELS)
def _(call: Call) -> None:
    _list_also(call, "dall-e-3")


@fault(
    "dalle3-prompt-hidden",
    Stage.IMAGES,
    trips={"images.revised-prompt.present"},
    zh="dall-e-3 没有 revised_prompt",
)
def dalle3_prompt_hidden(call: Call) -> None:
    """What dall-e-3 really drew is not said."""
    for entry in _entries(call):
        entry.pop("revised_prompt", None)


@dalle3_prompt_hidden.also(Stage.MODELS)
def _(call: Call) -> None:
    _list_also(call, "dall-e-3")


@fault("images-stream-cut", Stage.IMAGES, trips={"images.stream.completed"}, zh="图片流没有 completed 事件")
def _(call: Call) -> None:
    """A stream ends before the picture is whole."""
    call.events = [(name.replace("completed", "partial_image"), value) for name, value in call.events]
    for name, value in call.events:
        value |= {"type": name, "partial_image_index": 0}


@fault("images-stream-unbilled", Stage.IMAGES, trips={"images.stream.completed"}, zh="图片流没有用量")
def _(call: Call) -> None:
    """A streamed picture comes without usage."""
    for _name, value in call.events:
        value.pop("usage", None)


@fault("images-from-nothing", Stage.IMAGES_REQUEST, trips={"images.image.required"}, zh="没有原图也返回图片")
def _(call: Call) -> None:
    """An edit is made of no picture."""
    from conformance.relay.pictures import draw  # noqa: PLC0415 - Pillow takes a while to import

    if call.form and not {"image", "image[]"} & call.form.keys():
        call.form["image"] = [Upload("blank.png", "image/png", draw("white", 64, 64))]


@fault("edits-one-picture", Stage.IMAGES_REQUEST, trips={"images.edits.two-images"}, zh="拒绝多张图片")
def edits_one_picture(call: Call) -> None:
    """Two pictures are refused without a word about them."""
    if "image[]" in call.form:
        raise Refusal(400, "Your request cannot be answered.")


@edits_one_picture.also(Stage.MODELS)
def _(call: Call) -> None:
    _list_also(call, "gpt-image-1")


@fault("edits-mask-inverted", Stage.IMAGES_REQUEST, trips={"images.mask.honoured"}, zh="遮罩内外颠倒")
def _(call: Call) -> None:
    """What the mask keeps is painted over, and what it leaves open is kept."""
    import io  # noqa: PLC0415 - with Pillow

    from PIL import Image, ImageChops  # noqa: PLC0415 - Pillow takes a while to import

    for mask in call.form.get("mask", []):
        if isinstance(mask, Upload):
            inverted = Image.open(io.BytesIO(mask.data)).convert("RGBA")
            inverted.putalpha(ImageChops.invert(inverted.getchannel("A")))
            written = io.BytesIO()
            inverted.save(written, "png")
            call.form["mask"] = [Upload(mask.name, mask.kind, written.getvalue())]


@fault("edits-json-breaks", Stage.IMAGES_REQUEST, trips={"images.edits.json-body"}, zh="JSON 编辑请求返回 500")
def _(call: Call) -> None:
    """An edit that is asked for in JSON is answered 500."""
    if call.request.get("images"):
        raise Refusal(500, "The request could not be read.", kind="api_error", code="read_request_body_failed")
