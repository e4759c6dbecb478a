"""What a sound file is and how long it lasts, from its headers; no sample is decoded."""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass

from tinytag import TinyTag, TinyTagException

PCM_RATE = 24_000
"""Samples a second of raw `pcm`: one channel, 16 bits (new-api relay/channel/openai/audio.go)."""

_MPEG4_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_ADTS_HEADER = 7
_ADTS_SAMPLES = 1024
_OPUS_RATE = 48_000
_MOST_PAGES = 100
"""Pages of Ogg that are looked at from the end, for one that says where it is."""

_FLAC_TAIL = 65_536
"""Bytes in which the last frame of a FLAC file begins."""
_FLAC_HEADER = 16
_FLAC_SYNC = re.compile(rb"(?=\xff[\xf8\xf9])")

_MOST_CHUNKS = 1_000
_STREAMED = (0, 0xFFFFFFFF)
"""Sizes that a WAV header states when it was sent before the end was known, as OpenAI does."""

_MOST_READS = 100_000
"""Frames and other pieces that are looked at: more than an hour of sound."""


@dataclass(frozen=True)
class Sound:
    """What a file that begins like a sound says about itself; what it does not say is 0."""

    kind: str
    """mp3, opus, aac, flac or wav"""
    rate: int
    """Samples a second."""
    channels: int
    seconds: float
    """How long it lasts; 0 if it has no sound, or says nothing that makes sense."""


class _Patience(io.BytesIO):
    """A file that may be read so many times: tinytag looks at every byte of what is garbage."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > _MOST_READS:
            raise OSError("too much garbage")
        return super().read(size)


def sound(data: bytes) -> Sound | None:
    """The sound in `data`; None if it begins like none of the five kinds.

    The kind is told by the first bytes (table in section 13 of our notes on the contract), and the rest may still be
    nonsense: then the sound lasts 0 seconds. Raw PCM has no first bytes: see `pcm_seconds`.
    """
    kind = _kind(data)
    if kind == "aac":
        return _aac(data)
    if kind == "wav":
        return _wav(data)
    return _tagged(kind, data) if kind else None


def pcm_seconds(size: int) -> float:
    """How long raw PCM of so many bytes lasts."""
    return size / 2 / PCM_RATE


def _kind(data: bytes) -> str:
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        return "wav"
    if data.startswith(b"OggS") and b"OpusHead" in data[:512]:
        return "opus"
    if data.startswith(b"fLaC"):
        return "flac"
    if _sync(data) & 0xFFF6 == 0xFFF0:  # an MPEG header with the layer that MPEG audio does not have
        return "aac"
    return "mp3" if data.startswith(b"ID3") or _sync(data) & 0xFFE0 == 0xFFE0 else ""


def _sync(data: bytes) -> int:
    return int.from_bytes(data[:2], "big") if len(data) > 3 else 0


def _tagged(kind: str, data: bytes) -> Sound:
    """What tinytag knows, and what it does not say of streams that were written without an end in sight."""
    try:
        tag = TinyTag.get(file_obj=_Patience(data), tags=False)
    except TinyTagException:
        return Sound(kind, 0, 0, 0.0)
    rate, seconds = tag.samplerate or 0, tag.duration or 0.0
    if kind == "opus":
        seconds = _opus_seconds(data)
    elif kind == "flac" and rate and not seconds:
        seconds = _flac_samples(data) / rate
    return Sound(kind, rate, tag.channels or 0, seconds)


def _opus_seconds(data: bytes) -> float:
    """The position of the last page that has one, less what is skipped at the start (RFC 7845)."""
    skip = data.find(b"OpusHead") + 10
    skipped = int.from_bytes(data[skip : skip + 2], "little")
    end = len(data)
    for _ in range(_MOST_PAGES):
        end = data.rfind(b"OggS\0", 0, end)
        position = int.from_bytes(data[end + 6 : end + 14], "little", signed=True)
        if end < 0 or (position >= 0 and end + 14 <= len(data)):
            return max(position - skipped, 0) / _OPUS_RATE if end >= 0 else 0.0
    return 0.0


def _flac_samples(data: bytes) -> int:
    """Samples up to the end of the last frame (RFC 9639, 9.1): a stream may leave the total out."""
    nominal = int.from_bytes(data[10:12], "big")
    tail = data[-_FLAC_TAIL:]
    for start in reversed([found.start() for found in _FLAC_SYNC.finditer(tail)]):
        samples = _flac_frame_end(tail[start : start + _FLAC_HEADER], nominal)
        if samples:
            return samples
    return 0


def _flac_frame_end(header: bytes, nominal: int) -> int:
    """The sample at which a frame ends; 0 if no frame begins here."""
    if len(header) < _FLAC_HEADER:
        return 0
    wide = max(8 - (header[4] ^ 0xFF).bit_length(), 1)  # leading ones, as in UTF-8
    number = header[4] & (0x7F >> wide if wide > 1 else 0x7F)
    for byte in header[5 : 4 + wide]:
        number = number << 6 | byte & 0x3F
    size, rate = header[2] >> 4, header[2] & 0xF
    extra = {6: 1, 7: 2}.get(size, 0)
    length = 4 + wide + extra + {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if length >= _FLAC_HEADER or _crc8(header[:length]) != header[length]:
        return 0
    stated = int.from_bytes(header[4 + wide : 4 + wide + extra], "big") + 1
    samples = stated if extra else _flac_block(size)
    return (number if header[1] & 1 else number * nominal) + samples


def _flac_block(code: int) -> int:
    if code >= 8:
        return 256 << code - 8
    return 576 << code - 2 if code > 1 else 192


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value << 1 ^ (0x107 if value & 0x80 else 0)
    return value


def _aac(data: bytes) -> Sound:
    """ADTS frames from the start to the first place where none begins (ISO 13818-7, 6.2)."""
    at = samples = rate = channels = 0
    while at + _ADTS_HEADER <= len(data) and samples < _MOST_READS * _ADTS_SAMPLES:
        header = int.from_bytes(data[at : at + _ADTS_HEADER], "big")
        frequency, size = header >> 34 & 0xF, header >> 13 & 0x1FFF
        if header >> 40 & 0xFFF6 != 0xFFF0 or frequency >= len(_MPEG4_RATES) or size < _ADTS_HEADER:
            break
        rate, channels = _MPEG4_RATES[frequency], header >> 30 & 0x7
        samples += _ADTS_SAMPLES * (1 + (header & 3))
        at += size
    return Sound("aac", rate, channels, samples / rate if rate else 0.0)


def _wav(data: bytes) -> Sound:
    """The chunks up to the samples; how many these are is what the file holds, whatever its header says."""
    at, channels, rate, a_second = 12, 0, 0, 0
    for _ in range(_MOST_CHUNKS):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"fmt " and at + 12 <= len(data):
            channels, rate, a_second = struct.unpack_from("<HII", data, at + 2)
        if name == b"data":
            there = max(len(data) - at, 0)
            length = there if size in _STREAMED else min(size, there)
            return Sound("wav", rate, channels, length / a_second if a_second else 0.0)
        at += size + size % 2
    return Sound("wav", rate, channels, 0.0)
