"""What a picture is, and what an edit changed in it.

Nothing is decoded before the header has said how much that is: at most `MOST_PIXELS`, and no more than
`_MOST_WORK` pixels over all scans of a JPEG, which may go over the whole picture as often as it likes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageStat

MOST_PIXELS = 40_000_000

_MOST_WORK = 400_000_000
_KINDS = {"PNG": "png", "JPEG": "jpeg", "MPO": "jpeg", "WEBP": "webp", "GIF": "gif"}
_READABLE = ("PNG", "JPEG", "WEBP", "GIF")
_SCAN = b"\xff\xda"
_COMPARED = (256, 256)
_TRANSPARENT, _OPAQUE = 8, 128
"""Alpha up to the first is the area to edit, from the second on it is the area to keep; between lies the border."""
_COLOURS = 8


@dataclass(frozen=True)
class Picture:
    """What a file that is a picture says about itself, and whether it is true."""

    kind: str
    """png, jpeg, webp or gif"""
    width: int
    height: int
    whole: bool | None
    """Whether it could be decoded to its last pixel; None if it is too large to be tried."""


class _TooLargeError(Exception):
    """More pixels than we decode."""


def picture(data: bytes) -> Picture | None:
    """The picture in `data`, decoded once; None if it is none of the four kinds, or its header cannot be read.

    A file that is cut off behind its header is a picture with `whole=False`. (A WebP file has no header in this
    sense: cut off, it cannot be read at all.)
    """
    whole: bool | None = True
    with _quiet():
        try:
            opened = _open(data)
        except Exception:  # noqa: BLE001 - whatever Pillow raises, it is not a picture
            return None
        try:
            _load(opened, data)
        except _TooLargeError:
            whole = None
        except Exception:  # noqa: BLE001 - the same
            whole = False
    return Picture(_KINDS[opened.format or ""], opened.width, opened.height, whole)


def changed(before: bytes, after: bytes, mask: bytes) -> tuple[float, float] | None:
    """How much an edit changed where the mask is transparent, and elsewhere: mean difference, 0 to 255.

    All three are scaled to the same size. None if one cannot be decoded, or if the mask is all transparent or
    has nothing transparent.
    """
    decoded = [_decoded(data) for data in (before, after, mask)]
    first, second, alpha = (image and image.resize(_COMPARED, Image.Resampling.BOX) for image in decoded)
    if first is None or second is None or alpha is None:
        return None
    difference = ImageChops.difference(first.convert("RGB"), second.convert("RGB"))
    areas = [
        alpha.getchannel("A").point(lambda value: 255 * (value <= _TRANSPARENT)),
        alpha.getchannel("A").point(lambda value: 255 * (value >= _OPAQUE)),
    ]
    if not all(area.getbbox() for area in areas):
        return None
    inside, outside = (sum(ImageStat.Stat(difference, area).mean) / 3 for area in areas)
    return inside, outside


def main_colour(data: bytes) -> tuple[int, int, int] | None:
    """The colour that covers most of a picture, alike ones taken together; None if it cannot be decoded."""
    image = _decoded(data)
    if image is None:
        return None
    few = image.convert("RGB").resize((64, 64), Image.Resampling.BOX).quantize(_COLOURS)
    counts = few.histogram()
    index = counts.index(max(counts))
    red, green, blue = (few.getpalette() or [])[3 * index : 3 * index + 3]
    return red, green, blue


@contextmanager
def _quiet() -> Iterator[None]:
    """What Pillow warns about is said by the result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=_READABLE)


def _load(image: Image.Image, data: bytes) -> None:
    """Decode the pixels, unless that is too much work."""
    pixels = image.width * image.height
    if pixels > MOST_PIXELS or pixels * data.count(_SCAN) > _MOST_WORK:
        raise _TooLargeError
    image.load()


def _decoded(data: bytes) -> Image.Image | None:
    with _quiet():
        try:
            image = _open(data)
            _load(image, data)
            return image.convert("RGBA")
        except Exception:  # noqa: BLE001 - whatever Pillow raises, there is nothing to compare
            return None
