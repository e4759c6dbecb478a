"""Faults of pictures in chat messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault
from conformance.relay.vision import picture_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.relay.call import Call

_ALL_LOST = {
    "vision.picture.recognised",
    "vision.picture.counted",
    "vision.pictures.all-used",
    "vision.empty-url.refused",
    "vision.bare-url.seen",
}


def _contents(call: Call) -> Iterator[list[dict[str, Any]]]:
    """The contents of messages that are lists of parts."""
    messages = call.request.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list) and all(isinstance(part, dict) for part in content):
            yield content


def _is_picture(part: dict[str, Any]) -> bool:
    return part.get("type") == "image_url"


@fault("pictures-dropped", Stage.REQUEST, trips=_ALL_LOST, zh="图片被悄悄丢弃")
def _(call: Call) -> None:
    """Pictures are dropped from messages without a word."""
    for content in _contents(call):
        content[:] = [part for part in content if not _is_picture(part)]


@fault("picture-bare-dropped", Stage.REQUEST, trips={"vision.bare-url.seen"}, zh="字符串形式的图片被丢弃")
def _(call: Call) -> None:
    """A picture given as a bare string is dropped without a word, as in one-api."""
    for content in _contents(call):
        content[:] = [part for part in content if not (_is_picture(part) and isinstance(part.get("image_url"), str))]


@fault("picture-empty-answered", Stage.REQUEST, trips={"vision.empty-url.refused"}, zh="空地址的图片也得到描述")
def _(call: Call) -> None:
    """A picture without an address is answered as if it were not there."""
    for content in _contents(call):
        content[:] = [part for part in content if part.get("image_url") != {"url": ""}]


@fault("pictures-first-only", Stage.REQUEST, trips={"vision.pictures.all-used"}, zh="多张图片只用第一张")
def _(call: Call) -> None:
    """Of several pictures only the first is looked at."""
    for content in _contents(call):
        later = [part for part in content if _is_picture(part)][1:]
        content[:] = [part for part in content if not any(part is each for each in later)]


@fault("pictures-uncounted", Stage.USAGE, trips={"vision.picture.counted"}, zh="图片不计入 prompt_tokens")
def _(call: Call) -> None:
    """A picture counts as no tokens at all."""
    _add(call, -picture_tokens(call.messages))


@fault("picture-detail-reversed", Stage.USAGE, trips={"vision.detail.counted"}, zh="low 比 high 更贵")
def _(call: Call) -> None:
    """A picture in low detail counts more tokens than one in high detail."""
    for content in _contents(call):
        if any(_is_picture(part) and part["image_url"].get("detail") == "low" for part in content):
            _add(call, 500)


def _add(call: Call, count: int) -> None:
    """Change what the prompt is billed; the sum stays right."""
    call.usage["prompt_tokens"] += count
    call.usage["total_tokens"] += count


@fault("picture-kinds-png-only", Stage.REQUEST, trips={"vision.kinds.accepted"}, zh="只接受 PNG 图片")
def _(call: Call) -> None:
    """Pictures other than PNG are refused."""
    for content in _contents(call):
        for part in content:
            named = part.get("image_url")
            url = named.get("url") if isinstance(named, dict) else None
            if isinstance(url, str) and url.startswith("data:image/") and not url.startswith("data:image/png"):
                message = "Invalid value for 'image_url': only PNG pictures are taken."
                raise Refusal(400, message, param="messages", code="invalid_image_format")
