"""Pictures of the reference relay: one colour, taken from the prompt, and what can be seen in a picture."""

from __future__ import annotations

import io
import re
import warnings
import zlib

from PIL import Image

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 160, 50),
    "blue": (30, 60, 220),
    "yellow": (240, 220, 40),
    "orange": (245, 140, 20),
    "purple": (130, 40, 160),
    "pink": (250, 150, 190),
    "brown": (120, 75, 40),
    "black": (10, 10, 10),
    "white": (250, 250, 250),
    "gray": (128, 128, 128),
    "cyan": (40, 210, 220),
}
CAPTION = "caption"
"""The text chunk of a PNG in which our own pictures say what is written in them."""

_MOST_PIXELS = 40_000_000
_OPTIONS = {
    "png": {"compress_level": 1},
    "jpeg": {"quality": 60},
    "webp": {"lossless": True, "method": 0, "quality": 0},
}
_WORD = re.compile(r"[a-z]+")
_SMALL = (32, 32)


def draw(prompt: str, width: int, height: int, kind: str = "png") -> bytes:
    """A picture of one colour: the first that the prompt names, or one that depends on all of it.

    `kind` is png, jpeg or webp.
    """
    return _written(Image.new("RGB", (width, height), _colour(prompt)), kind)


def repaint(image: bytes, mask: bytes | None, prompt: str) -> bytes:
    """`image` as PNG, with the colour of the prompt where the mask is transparent; without mask, in its middle.

    The mask is scaled to the image. Raises ValueError for what is no picture.
    """
    canvas = _opened(image).convert("RGB")
    width, height = canvas.size
    if mask is None:
        area = Image.new("L", canvas.size, 0)
        area.paste(255, (width // 4, height // 4, width - width // 4, height - height // 4))
    else:
        alpha = _opened(mask).convert("RGBA").getchannel("A").resize(canvas.size, Image.Resampling.NEAREST)
        area = alpha.point(lambda value: 255 * (value == 0))
    canvas.paste(_colour(prompt), (0, 0), area)
    return _written(canvas, "png")


def seen(data: bytes) -> str:
    """The name of the colour of most of a picture, and the text in it if its caption says one.

    As `red`, or `red with the text "RED 42"`. Raises ValueError for what is no picture.
    """
    image = _opened(data)
    caption = image.info.get(CAPTION, "")
    small = image.convert("RGB").resize(_SMALL, Image.Resampling.NEAREST)
    named = small.quantize(palette=_palette(), dither=Image.Dither.NONE)
    counts = named.histogram()
    name = max(zip(counts, COLOURS, strict=False))[1]
    return f'{name} with the text "{caption}"' if isinstance(caption, str) and caption else name


def _palette() -> Image.Image:
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in COLOURS.values() for part in colour])
    return palette


def _colour(prompt: str) -> tuple[int, int, int]:
    for word in _WORD.findall(prompt.lower()):
        if word in COLOURS:
            return COLOURS[word]
    return list(COLOURS.values())[zlib.crc32(prompt.encode(errors="replace")) % len(COLOURS)]


def _written(image: Image.Image, kind: str) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **_OPTIONS[kind])
    return written.getvalue()


def _opened(data: bytes) -> Image.Image:
    """A decoded picture; whatever Pillow raises or warns about becomes a ValueError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP", "GIF"))
            small = image.width * image.height <= _MOST_PIXELS
            if small:
                image.load()
        except Exception as error:
            raise ValueError(f"not a picture: {error}") from error
    if not small:
        raise ValueError("the picture has too many pixels")
    return image
