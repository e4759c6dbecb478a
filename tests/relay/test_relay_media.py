"""What the reference relay says, hears, draws and sees."""

import io
import wave

import pytest
from PIL import Image

from conformance.contract import data as folder
from conformance.media import changed, main_colour, pcm_seconds, picture, sound
from conformance.relay.pictures import COLOURS, draw, repaint, seen
from conformance.relay.sounds import KINDS, heard, speak
from tools import assets

ASSETS = folder("fixtures") / "assets"
SENTENCE = "The quick brown fox jumps over the lazy dog. 你好!"


def seconds(data, kind):
    return pcm_seconds(len(data)) if kind == "pcm" else sound(data).seconds


@pytest.mark.parametrize("kind", KINDS)
def test_speech_is_of_the_kind_that_was_asked_for(kind):
    data = speak(SENTENCE, kind)
    assert len(data) > 1000
    assert kind == "pcm" or sound(data).kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_speech_grows_with_its_text_and_shrinks_with_its_speed(kind):
    once, twice, quick = (
        seconds(speak(*how), kind) for how in ((SENTENCE, kind), (SENTENCE * 2, kind), (SENTENCE, kind, 2))
    )
    assert once == pytest.approx(0.06 * len(SENTENCE), abs=0.05)
    assert twice == pytest.approx(2 * once, abs=0.05)
    assert quick == pytest.approx(once / 2, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_voices_differ_and_stay_the_same(kind):
    assert speak(SENTENCE, kind, 1.0, "alloy") != speak(SENTENCE, kind, 1.0, "nova")
    assert speak(SENTENCE, kind, 1.0, "alloy") == speak(SENTENCE, kind, 1.0, "alloy")


@pytest.mark.parametrize("kind", ["mp3", "opus", "flac", "wav"])
@pytest.mark.parametrize("text", ["Hi", SENTENCE, "x" * 4096, "你" * 4096])
def test_what_was_spoken_is_heard_again(kind, text):
    words, long = heard(speak(text, kind))
    assert words == text
    assert long == pytest.approx(max(0.06 * len(text), 0.5), abs=0.05)


@pytest.mark.parametrize("kind", ["mp3", "opus", "flac", "wav"])
def test_half_a_character_is_spoken_as_a_question_mark(kind):
    assert heard(speak("a\ud800b", kind, 1.0, "\ud800"))[0] == "a?b"


def test_what_is_no_sound_is_not_heard():
    assert heard(b"") == ("", 0.0)
    assert heard((ASSETS / "tone.wav").read_bytes()) == ("", 0.75)


def test_a_wav_of_ours_opens_with_the_standard_library():
    with wave.open(io.BytesIO(speak(SENTENCE, "wav"))) as opened:
        assert opened.getparams()[:4] == (1, 2, 24_000, round(0.06 * len(SENTENCE) * 24_000))


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("size", [(256, 256), (1024, 1792)])
def test_a_drawing_has_the_colour_size_and_kind_that_were_asked_for(kind, size):
    data = draw("A blue cube on a red table", *size, kind)
    found = picture(data)
    assert (found.kind, found.width, found.height, found.whole) == (kind, *size, True)
    assert seen(data) == "blue"
    assert len(data) < 60_000


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_is_seen_as_what_it_is(colour):
    assert seen(draw(f"a {colour} ball", 64, 64, "jpeg")) == colour


def test_a_prompt_without_colour_always_gives_the_same_one():
    assert draw("a cube \ud800", 64, 64) == draw("a cube \ud800", 64, 64)
    assert len({main_colour(draw(f"cube {number}", 16, 16)) for number in range(20)}) > 3


def test_only_what_the_mask_leaves_free_is_painted_over():
    before, mask = (ASSETS / "square.png").read_bytes(), (ASSETS / "mask.png").read_bytes()
    after = repaint(before, mask, "a blue door")
    inside, outside = changed(before, after, mask)
    assert inside > 30
    assert outside == 0
    assert picture(after).width == 256


def test_without_mask_the_middle_is_painted_over():
    before = draw("white", 100, 60)
    image = Image.open(io.BytesIO(repaint(before, None, "black")))
    assert image.getpixel((50, 30)) == COLOURS["black"]
    assert image.getpixel((5, 30)) == COLOURS["white"]


@pytest.mark.parametrize("data", [b"", b"{}", (ASSETS / "square.png").read_bytes()[:500]], ids=["empty", "json", "cut"])
def test_what_is_no_picture_is_neither_seen_nor_painted(data):
    with pytest.raises(ValueError, match="not a picture"):
        seen(data)
    with pytest.raises(ValueError, match="not a picture"):
        repaint(data, None, "red")


def test_a_picture_of_too_many_pixels_is_not_decoded():
    written = io.BytesIO()
    Image.new("1", (8000, 5001)).save(written, "png")
    with pytest.raises(ValueError, match="too many pixels"):
        seen(written.getvalue())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("red.png", "red"),
        ("red.jpeg", "red"),
        ("red.webp", "red"),
        ("red.gif", "red"),
        ("blue.png", "blue"),
        ("red-42.png", 'red with the text "RED 42"'),
    ],
)
def test_the_pictures_that_are_sent_are_seen(name, expected):
    assert seen((ASSETS / name).read_bytes()) == expected


@pytest.mark.parametrize("name", assets.SPEECH)
def test_the_speech_that_is_sent_is_heard(name):
    words, long = heard((ASSETS / name).read_bytes())
    assert words == assets.SPEECH[name][1]
    assert 1 < long < 2.5


def test_the_files_that_are_sent_are_those_that_the_tool_makes():
    assert list(assets.problems()) == []
