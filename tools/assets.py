"""Makes `fixtures/assets/`: the pictures and sounds that are sent, and the table of what they are.

`python -m tools.assets` writes them; the speech needs `pip install --group assets` (espeak-ng to speak, ffmpeg to make
it 8 kHz). `--check` makes everything but the speech again and compares: sounds by their bytes, pictures
by what they show, because every version of Pillow writes other bytes; of the speech it reads the words and the size.
"""

from __future__ import annotations

import ctypes
import io
import math
import struct
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageStat
from PIL.PngImagePlugin import PngInfo

from conformance.relay.pictures import CAPTION, COLOURS, draw
from conformance.relay.sounds import heard, wav

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "assets"
README = "README.md"

SPEECH = {
    "hello.wav": ("en-us", "hello world, this is a test"),
    "gruss.wav": ("de", "Guten Morgen, wie geht es dir?"),
}
"""File -> espeak's voice and what it says."""
_RATE = 8_000
_LARGEST_SPEECH = 40_000
_ESPEAK_RATE = 22_050
_RETRIEVE, _CHARACTERS, _UTF8 = 1, 1, 1
"""espeak-ng's AUDIO_OUTPUT_RETRIEVAL, POS_CHARACTER and espeakCHARS_UTF8 (speak_lib.h)."""

_SIDE = 256
_HOLE = (64, 64, 191, 191)
_MOST_DIFFERENT = 2.0
"""Mean difference (0 to 255) that another encoder may make to a lossy picture."""


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def _gif() -> bytes:
    return _saved(Image.new("RGB", (32, 32), COLOURS["red"]), "gif")


def _red_42() -> bytes:
    """A red picture in which RED 42 is written, and its caption says so."""
    image = Image.new("RGB", (256, 96), COLOURS["red"])
    font = ImageFont.load_default(size=52)
    ImageDraw.Draw(image).text((128, 48), "RED 42", fill="white", font=font, anchor="mm")
    about = PngInfo()
    about.add_text(CAPTION, "RED 42")
    return _saved(image, "png", pnginfo=about, optimize=True)


def _square() -> bytes:
    """Sky, meadow, a house and a sun."""
    image = Image.new("RGBA", (_SIDE, _SIDE), (150, 200, 240, 255))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 180, 255, 255), fill=(90, 160, 70, 255))
    pen.rectangle((88, 120, 168, 200), fill=(190, 80, 60, 255))
    pen.polygon(((76, 120), (128, 76), (180, 120)), fill=(90, 50, 40, 255))
    pen.ellipse((196, 16, 236, 56), fill=(250, 220, 60, 255))
    return _saved(image, "png", optimize=True)


def _mask() -> bytes:
    """Opaque but for a square in the middle."""
    image = Image.new("RGBA", (_SIDE, _SIDE), (0, 0, 0, 255))
    ImageDraw.Draw(image).rectangle(_HOLE, fill=(0, 0, 0, 0))
    return _saved(image, "png", optimize=True)


def _tone() -> bytes:
    samples = (round(8000 * math.sin(2 * math.pi * 400 * at / _RATE)) for at in range(6_000))
    return wav(struct.pack("<6000h", *samples), _RATE)


MADE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "red.png": ("32x32, red", lambda: draw("red", 32, 32, "png")),
    "red.jpeg": ("32x32, red", lambda: draw("red", 32, 32, "jpeg")),
    "red.webp": ("32x32, red", lambda: draw("red", 32, 32, "webp")),
    "red.gif": ("32x32, red", _gif),
    "blue.png": ("32x32, blue", lambda: draw("blue", 32, 32, "png")),
    "red-42.png": ("256x96, red, in it is written RED 42; a text chunk `caption` says the same", _red_42),
    "square.png": ("256x256 RGBA, a house on a meadow, to be edited", _square),
    "mask.png": ("256x256 RGBA, opaque but for a transparent square of 128x128 in the middle", _mask),
    "tone.wav": ("0.75 s of a tone, 8 kHz, 16 bits, one channel", _tone),
}
"""File -> what it is, and how it is made again."""


def _spoken(voice: str, words: str) -> bytes:
    """What espeak-ng says, as WAV of 8 kHz with the words as comment."""
    ffmpeg = import_module("imageio_ffmpeg").get_ffmpeg_exe()
    raw = ["-f", "s16le", "-ac", "1", "-ar"]
    command = [ffmpeg, *raw, str(_ESPEAK_RATE), "-i", "-", *raw, str(_RATE), "-"]
    slower = subprocess.run(command, input=_said(voice, words), capture_output=True, check=True)  # noqa: S603
    return wav(slower.stdout, _RATE, words)


def _said(voice: str, words: str) -> bytes:
    """The samples that espeak-ng makes."""
    loader = import_module("espeakng_loader")
    espeak = ctypes.CDLL(loader.get_library_path())
    espeak.espeak_Initialize(_RETRIEVE, 0, loader.get_data_path().encode(), 0)
    said = bytearray()

    def take(samples: int | None, count: int, _events: int) -> int:
        said.extend(ctypes.string_at(samples, 2 * count) if samples else b"")
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(take)
    espeak.espeak_SetSynthCallback(callback)
    espeak.espeak_SetVoiceByName(voice.encode())
    text = words.encode()
    espeak.espeak_Synth(text, len(text) + 1, 0, _CHARACTERS, 0, _UTF8, None, None)
    espeak.espeak_Synchronize()
    return bytes(said)


def _table() -> str:
    """The README of the folder, from the files in it."""
    rows = [(name, what, "`tools/assets.py`") for name, (what, _) in MADE.items()]
    rows += [
        (name, f"“{words}”, 8 kHz, 16 bits", f"espeak-ng, voice {voice}") for name, (voice, words) in SPEECH.items()
    ]
    lines = [f"| `{name}` | {(FOLDER / name).stat().st_size} | {what} | {how} |" for name, what, how in rows]
    return "\n".join(
        [
            "# Files that are sent",
            "",
            "Made by `python -m tools.assets`. The comment of spoken files says their words, so that the",
            "reference relay can hear them.",
            "",
            "| file | bytes | what it is | made by |",
            "| --- | --- | --- | --- |",
            *lines,
            "",
        ]
    )


def _write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (_, make) in MADE.items():
        (FOLDER / name).write_bytes(make())
    for name, (voice, words) in SPEECH.items():
        (FOLDER / name).write_bytes(_spoken(voice, words))
    (FOLDER / README).write_text(_table(), encoding="utf-8")


def _same(kept: bytes, made: bytes) -> bool:
    """Equal bytes, or two pictures that look alike and say the same."""
    if kept == made or made[8:12] == b"WAVE":
        return kept == made
    first, second = Image.open(io.BytesIO(kept)), Image.open(io.BytesIO(made))
    if (first.format, first.size, first.info.get(CAPTION)) != (second.format, second.size, second.info.get(CAPTION)):
        return False
    difference = ImageChops.difference(first.convert("RGBA"), second.convert("RGBA"))
    return max(ImageStat.Stat(difference).mean) < _MOST_DIFFERENT


def problems() -> Iterator[str]:
    """What is not as it would be made now."""
    known = {*MADE, *SPEECH, README}
    missing = known - {path.name for path in FOLDER.iterdir()}
    yield from (f"missing: {name}" for name in sorted(missing))
    yield from (f"strange: {path.name}" for path in sorted(FOLDER.iterdir()) if path.name not in known)
    if missing:
        return
    for name, (_, make) in MADE.items():
        if not _same((FOLDER / name).read_bytes(), make()):
            yield f"different: {name}"
    for name, (_, words) in SPEECH.items():
        data = (FOLDER / name).read_bytes()
        if len(data) > _LARGEST_SPEECH or heard(data)[0] != words:
            yield f"too large, or other words: {name}"
    if (FOLDER / README).read_text(encoding="utf-8") != _table():
        yield f"different: {README}"


def main() -> int:
    """Write the files, or check them."""
    if "--check" not in sys.argv[1:]:
        _write()
    found = list(problems())
    print("\n".join(found) if found else f"{FOLDER.name}: {len(MADE) + len(SPEECH)} files as they should be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
