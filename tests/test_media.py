"""Pictures, sounds and subtitles as they come from a relay: true ones, cut ones, and ones made to hurt."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from conformance.contract import data as folder
from conformance.media import Cue, Sound, changed, main_colour, pcm_seconds, picture, sound, subtitles
from conformance.media.pictures import MOST_PIXELS
from conformance.relay.sounds import RATE, speak, wav

ASSETS = folder("fixtures") / "assets"
SENTENCE = "hello world, this is a test of the relay"
SPOKEN = {kind: speak(SENTENCE, kind) for kind in ("mp3", "opus", "aac", "flac", "wav")}
SECONDS = 0.06 * len(SENTENCE)
PICTURES = {name: (ASSETS / name).read_bytes() for name in ("red.png", "red.jpeg", "red.webp", "red.gif", "square.png")}
SQUARE, MASK = PICTURES["square.png"], (ASSETS / "mask.png").read_bytes()
RED = (220, 30, 30)


def png(width, height, *chunks, lines=b""):
    """A PNG with whatever it says about itself."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    middle = b"".join(chunk(name, content) for name, content in chunks)
    return b"\x89PNG\r\n\x1a\n" + header + middle + chunk(b"IDAT", zlib.compress(lines, 1)) + chunk(b"IEND", b"")


def saved(image, kind, **options):
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
def test_a_picture_says_what_it_is(kind):
    found = picture(PICTURES[f"red.{kind}"])
    assert (found.kind, found.width, found.height, found.whole) == (kind, 32, 32, True)


def test_a_jpeg_of_several_pictures_is_a_jpeg():
    several = saved(Image.new("RGB", (20, 10)), "MPO", save_all=True, append_images=[Image.new("RGB", (20, 10))])
    assert picture(several).kind == "jpeg"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_a_picture_that_is_cut_off_is_not_whole(kind):
    data = saved(Image.effect_noise((90, 60), 80), kind)
    found = picture(data[: len(data) * 2 // 3])
    assert (found.width, found.height, found.whole) == (90, 60, False)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="json"),
        pytest.param(SQUARE[:20], id="half-a-header"),
        pytest.param(PICTURES["red.webp"][:-5], id="webp-cut-off"),
        pytest.param(saved(Image.new("RGB", (5, 5)), "BMP"), id="another-kind"),
        pytest.param(png(100_000, 100_000), id="ten-thousand-megapixels"),
        pytest.param(png(8, 8, (b"zTXt", b"a\0\0" + zlib.compress(bytes(80_000_000), 1))), id="text-that-explodes"),
    ],
)
def test_what_cannot_be_read_is_no_picture(data):
    assert picture(data) is None
    assert main_colour(data) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(png(10_000, MOST_PIXELS // 10_000 + 1), id="too-many-pixels"),
        pytest.param(png(10_000, 10_000, lines=bytes(10_001 * 10_000)), id="pixels-that-explode"),
        pytest.param(saved(Image.new("L", (2000, 2000)), "JPEG") + b"\xff\xda" * 101, id="too-many-scans"),
    ],
)
def test_what_is_too_much_to_decode_is_left_alone(data):
    assert picture(data).whole is None
    assert main_colour(data) is None


def test_the_main_colour_is_that_of_most_of_the_picture():
    red = main_colour((ASSETS / "red-42.png").read_bytes())
    assert all(abs(is_ - should) < 10 for is_, should in zip(red, RED, strict=True))


def edited(box):
    image = Image.open(io.BytesIO(SQUARE)).convert("RGB").resize((512, 512))
    image.paste((255, 0, 255), box)
    return saved(image, "WEBP")


def test_an_edit_inside_the_mask_changes_more_there():
    inside, outside = changed(SQUARE, edited((128, 128, 382, 382)), MASK)
    assert inside > 60
    assert outside < 6


def test_an_edit_outside_the_mask_changes_more_there():
    inside, outside = changed(SQUARE, edited((0, 0, 512, 120)), MASK)
    assert outside > 20
    assert inside < 6


def test_what_was_not_edited_has_not_changed():
    assert changed(SQUARE, SQUARE, MASK) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("before", "after", "mask"),
    [
        (b"?", SQUARE, MASK),
        (SQUARE, b"?", MASK),
        (SQUARE, SQUARE, b"?"),
        (SQUARE, SQUARE, SQUARE),
        (SQUARE, SQUARE, saved(Image.new("RGBA", (8, 8)), "PNG")),
    ],
    ids=["before", "after", "mask", "all-opaque", "all-transparent"],
)
def test_what_cannot_be_compared_has_no_difference(before, after, mask):
    assert changed(before, after, mask) is None


@pytest.mark.parametrize("kind", SPOKEN)
def test_a_sound_says_what_it_is_and_how_long(kind):
    found = sound(SPOKEN[kind])
    assert (found.kind, found.rate, found.channels) == (kind, 48_000 if kind == "opus" else RATE, 1)
    assert found.seconds == pytest.approx(SECONDS, abs=0.05)


@pytest.mark.parametrize("kind", SPOKEN)
def test_half_a_sound_is_shorter(kind):
    data = SPOKEN[kind]
    cut = data[: len(data) * 2 // 3]
    assert sound(cut).seconds < SECONDS * 0.9 or kind == "flac"  # it states its length in its header


def test_raw_samples_have_a_length():
    assert pcm_seconds(len(speak(SENTENCE, "pcm"))) == pytest.approx(SECONDS)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"\xff\xd8\xff\xe0", b"\xff\xe0", b"OggS" + bytes(600), b"RIFF\0\0\0\0WEBP"],
    ids=["empty", "json", "jpeg", "two-bytes", "other-ogg", "webp"],
)
def test_what_begins_like_no_sound_is_none(data):
    assert sound(data) is None


def test_a_sound_of_too_many_frames_is_not_read_to_its_end():
    frame = SPOKEN["aac"][:3] + b"\x40\x00\xff\xfc"
    assert sound(frame * 200_000).seconds == pytest.approx(100_000 * 1024 / RATE)


def streamed(size, rest=b""):
    """A WAV file that was begun before its length was known."""
    data = wav(b"", 8000, "words")
    return data[:-4] + struct.pack("<I", size) + bytes(8000) + rest


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 50_000], ids=["zero", "all-ones", "more-than-there-is"])
def test_the_length_of_a_streamed_wav_is_what_arrived(size):
    assert sound(streamed(size)) == Sound("wav", 8000, 1, 0.5)


def test_what_follows_the_samples_of_a_wav_does_not_sound():
    assert sound(streamed(8000, b"LIST\4\0\0\0INFO")).seconds == 0.5


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"RIFF\0\0\0\0WAVE", id="wav-without-anything"),
        pytest.param(b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1", id="wav-cut-in-its-format"),
        pytest.param(b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd", id="wav-without-format"),
        pytest.param(b"RIFF\0\0\0\0WAVE" + b"abcd\0\0\0\0" * 2000, id="wav-of-many-chunks"),
        pytest.param(b"ID3\4\0\0\0\0\0\0", id="mp3-without-frames"),
        pytest.param(b"\xff\xfb\x90\x00" + b"\xff" * 500_000, id="mp3-of-garbage"),
        pytest.param(b"fLaC", id="flac-without-header"),
        pytest.param(b"\xff\xf1" + bytes(20), id="aac-without-a-frame"),
        pytest.param(SPOKEN["opus"][:47], id="opus-without-pages"),
        pytest.param(SPOKEN["opus"][:30] + b"OpusHead", id="opus-cut-in-its-head"),
    ],
)
def test_what_only_begins_like_a_sound_lasts_no_time(data):
    assert sound(data).seconds == 0


def ogg(position):
    return b"OggS\0\0" + struct.pack("<qIIIB", position, 1, 1, 0, 0)


def test_pages_without_a_position_say_nothing_about_the_length():
    assert sound(SPOKEN["opus"] + 3 * ogg(-1) + b"OggS\0").seconds == pytest.approx(SECONDS, abs=0.01)
    assert sound(SPOKEN["opus"] + 200 * ogg(-1)).seconds == 0


def crc8(data):
    value = 0
    for bit in "".join(f"{byte:08b}" for byte in data):
        value = (value << 1 & 0xFF) ^ (7 if (value >> 7) ^ int(bit) else 0)
    return value


def flac(*frames, block=4096):
    """A FLAC file whose header leaves the length out, of frames without anything in them."""
    about = (block << 128 | block << 112 | RATE << 44 | 15 << 36).to_bytes(18, "big")
    ends = (frame + bytes([crc8(frame)]) + bytes(20) for frame in frames)
    return b"fLaC\x80\0\0\x22" + about + bytes(16) + b"".join(ends)


@pytest.mark.parametrize(
    ("header", "samples"),
    [
        (b"\xff\xf8\xc7\x08\x05", 5 * 4096 + 4096),
        (b"\xff\xf8\xc7\x08" + chr(300).encode(), 300 * 4096 + 4096),
        (b"\xff\xf8\x17\x08\x05", 5 * 4096 + 192),
        (b"\xff\xf8\x37\x08\x05", 5 * 4096 + 1152),
        (b"\xff\xf8\x67\x08\x05\x63", 5 * 4096 + 100),
        (b"\xff\xf8\x7c\x08\x05\x01\x00\x18", 5 * 4096 + 257),
        (b"\xff\xf9\xc7\x08" + chr(70_000).encode(), 70_000 + 4096),
    ],
    ids=["number", "long-number", "192", "1152", "one-byte-size", "two-byte-size-and-rate", "sample-number"],
)
def test_a_flac_stream_without_its_length_ends_with_its_last_frame(header, samples):
    no_frames = b"\xff\xf8\xc7\x08\x09\xff" + b"\xff\xf8\x7e\x08" + b"\xfe" * 20 + b"\xff\xf8"
    found = sound(flac(b"\xff\xf8\xc7\x08\x01", header) + no_frames)
    assert found.seconds == pytest.approx(samples / RATE)


def test_a_flac_stream_without_frames_lasts_no_time():
    assert sound(flac()) == Sound("flac", RATE, 1, 0.0)


SRT = "1\n00:00:00,000 --> 00:00:01,500\nHello\n\n2\n00:00:01,500 --> 01:00:02,250\nworld\nand all\n"
VTT = "WEBVTT\n\n00:00.000 --> 00:01.500\nHello\n\n00:00:01.500 --> 01:00:02.250\nworld\nand all\n"


def cues(*numbers):
    return (Cue(numbers[0], 0.0, 1.5, "Hello"), Cue(numbers[1], 1.5, 3602.25, "world\nand all"))


@pytest.mark.parametrize(
    ("text", "kind", "numbers"),
    [
        (SRT, "srt", (1, 2)),
        ("\ufeff" + SRT.replace("\n", "\r\n") + "\r\n\r\n", "srt", (1, 2)),
        (SRT.replace("2\n0", "two\n0").replace("500\n", "500  \n"), "srt", (1, None)),
        (VTT, "vtt", (None, None)),
        ("\ufeff" + VTT.replace("\n", "\r"), "vtt", (None, None)),
        (
            VTT.replace("WEBVTT\n", "WEBVTT - made by us\nKind: captions\n\nNOTE a --> b\nc\n\nSTYLE\nx\n"),
            "vtt",
            (None, None),
        ),
        (
            VTT.replace("1.500\nH", "1.500 align:start line:0\nH").replace("\n00:00:01", "\n7\n00:00:01"),
            "vtt",
            (None, 7),
        ),
    ],
    ids=["srt", "srt-crlf-mark-blanks", "srt-named", "vtt", "vtt-cr-mark", "vtt-notes", "vtt-settings-number"],
)
def test_subtitles_are_read(text, kind, numbers):
    found = subtitles(text, kind)
    assert found.problem == ""
    assert found.cues == cues(*numbers)


@pytest.mark.parametrize(
    ("text", "kind", "count", "problem"),
    [
        ("Hello\n", "srt", 0, "line 2: expected 'HH:MM:SS,mmm --> HH:MM:SS,mmm', not ''"),
        (SRT.replace(",250", ".250"), "srt", 1, "line 6: expected"),
        (SRT.replace("00:00:00,", "00:99:00,"), "srt", 0, "line 2: expected"),
        (SRT.replace("01:00:02,250", "01:00:02,2500"), "srt", 1, "line 6: expected"),
        (SRT, "vtt", 0, "line 1: expected 'WEBVTT', not '1'"),
        ("WEBVTTX\n", "vtt", 0, "line 1: expected 'WEBVTT', not 'WEBVTTX'"),
        ("", "vtt", 0, "line 1: expected 'WEBVTT', not ''"),
        (VTT.replace("00.000 -->", "00,000 -->"), "vtt", 0, "line 3: expected 'HH:MM:SS.mmm --> HH:MM:SS.mmm'"),
        ('{"text": "Hello"}' + "x" * 9999, "vtt", 0, "line 1: expected 'WEBVTT', not '{\"text\": "),
    ],
)
def test_the_first_thing_that_is_no_subtitle_is_named(text, kind, count, problem):
    found = subtitles(text, kind)
    assert len(found.cues) == count
    assert found.problem.startswith(problem)
    assert len(found.problem) < 200


def test_no_subtitles_are_no_problem():
    assert subtitles("", "srt").cues == ()
    assert subtitles("", "srt").problem == ""


def test_times_that_go_backwards_are_kept_as_written():
    assert subtitles("00:00:02,000 --> 00:00:01,000\nx", "srt").cues == (Cue(None, 2.0, 1.0, "x"),)


@st.composite
def damaged(draw):
    """A good file in which some bytes are others, or which is cut."""
    data = bytearray(draw(st.sampled_from([*PICTURES.values(), *(kind[:3000] for kind in SPOKEN.values())])))
    for _ in range(draw(st.integers(1, 6))):
        data[draw(st.integers(0, min(len(data), 200) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))])


@settings(derandomize=True, deadline=None, max_examples=300)
@given(damaged() | st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(data):
    found, heard = picture(data), sound(data)
    assert found is None or found.width > 0
    assert heard is None or heard.seconds >= 0
    assert (main_colour(data) is None) == (not (found and found.whole))
    assert changed(SQUARE, data, MASK) is None or found


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.text(alphabet="0123:.,->\n\r WEBVTTNOTE", max_size=80), st.sampled_from(["srt", "vtt"]), st.booleans())
def test_whatever_text_comes_is_subtitles_or_a_problem(text, kind, headed):
    found = subtitles(("WEBVTT\n\n" if headed else "") + text, kind)
    assert found.problem == "" or found.problem.startswith("line ")
