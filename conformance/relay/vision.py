"""Pictures in a prompt: checked, looked at, and counted."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from conformance.relay.validate import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_DETAILS = {"auto": 255, "low": 85, "high": 255}
"""The tokens of a small picture by the detail in which it is looked at."""
_SCHEMES = ("http://", "https://")
_DATA = "data:image/"

Picture = dict[str, Any]
"""An `image_url` part of a message."""


def look(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is to be seen in the pictures of the messages, in order; a picture that cannot be read is refused.

    What stands at another address is not fetched: nothing is seen in it.
    """
    return [_seen(part, at) for part, at in _pictures(messages)]


def picture_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """What the pictures of checked messages are billed."""
    return sum(_DETAILS[part["image_url"].get("detail") or "auto"] for part, _ in _pictures(messages))


def _pictures(messages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Picture, str]]:
    """The picture parts, each with its place."""
    for number, message in enumerate(messages):
        content = message.get("content")
        for place, part in enumerate(content if isinstance(content, list) else ()):
            if isinstance(part, dict) and part.get("type") == "image_url":
                yield part, f"messages[{number}].content[{place}].image_url"


def _seen(part: Picture, at: str) -> str:
    """The colour of a picture, and the text in it; empty for one that is elsewhere."""
    from conformance.relay.pictures import seen  # noqa: PLC0415 - Pillow takes a while to import

    named = part.get("image_url")
    if not isinstance(named, dict):
        raise refuse(at, "invalid_type", f"Invalid type for '{at}': expected an object.")
    url, detail = named.get("url"), named.get("detail")
    if detail is not None and (not isinstance(detail, str) or detail not in _DETAILS):
        raise refuse(f"{at}.detail", "invalid_value", f"Invalid value for '{at}.detail': expected auto, low or high.")
    if isinstance(url, str) and url.startswith(_SCHEMES):
        return ""
    if not isinstance(url, str) or not url.startswith(_DATA):
        raise refuse(f"{at}.url", "invalid_image_url", f"Invalid value for '{at}.url': expected the URL of a picture.")
    try:
        return seen(base64.b64decode(url.partition(";base64,")[2], validate=True))
    except (ValueError, binascii.Error):
        raise refuse(f"{at}.url", "invalid_image", f"Invalid value for '{at}.url': no picture can be read.") from None
