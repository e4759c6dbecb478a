"""What a binary answer is: pictures, sounds and subtitles, read without trusting a byte of them."""

from conformance.media.pictures import Picture, changed, main_colour, picture
from conformance.media.sounds import Sound, pcm_seconds, sound
from conformance.media.subtitles import Cue, Subtitles, subtitles

__all__ = [
    "Cue",
    "Picture",
    "Sound",
    "Subtitles",
    "changed",
    "main_colour",
    "pcm_seconds",
    "picture",
    "sound",
    "subtitles",
]
