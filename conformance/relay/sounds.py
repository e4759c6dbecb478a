"""Speech of the reference relay: valid sound files of the right length, without an encoder.

A voice is a pitch (wav, pcm) or bytes that decoders skip; nobody speaks. The words lie in the comment of the file
where the format has one (wav, mp3, flac, opus), and there `heard` finds them again, as a transcription would.

Sources: RIFF (Multimedia Programming Interface 1.0), ISO 13818-3 and ID3v2.4, RFC 9639 (FLAC), RFC 3533, 6716 and
7845 (Opus in Ogg), ISO 13818-7 (AAC).
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from functools import cache

from tinytag import TinyTag, TinyTagException

RATE = 24_000
"""Samples a second of everything that is spoken; one channel, 16 bits."""
SECONDS_A_CHARACTER = 0.06
SHORTEST = 0.5

_LONGEST_COMMENT = 10_000
"""Characters: what fits into one page of Ogg, whatever they are."""
_VENDOR = b"relay-conformance"

_MP3_HEADER = bytes([0xFF, 0xF3, 0x44, 0xC0])
"""MPEG 2 layer III, 32 kbit/s, 24 kHz, one channel, no checksum."""
_MP3_FRAME, _MP3_SAMPLES = 96, 576
_MP3_SIDE = 9

_AAC_SAMPLES = 1024
_AAC_FILL = 100

_FLAC_BLOCK = 4096
_FLAC_PADDING = 2048

_OPUS_SKIP, _OPUS_SAMPLES, _OPUS_RATE = 312, 960, 48_000
_OPUS_PACKETS = 50
_OPUS_PADDING = 60
_BEGIN, _END = 2, 4


def speak(text: str, kind: str, speed: float = 1.0, voice: str = "alloy") -> bytes:
    """A sound file of `kind` (a key of `KINDS`) that lasts as long as saying `text` would."""
    samples = round(max(len(text) * SECONDS_A_CHARACTER, SHORTEST) / speed * RATE)
    return KINDS[kind](text[:_LONGEST_COMMENT], samples, voice)


def heard(data: bytes) -> tuple[str, float]:
    """The words in the comment of a sound file, and its seconds; `("", 0.0)` of what cannot be read."""
    try:
        tag = TinyTag.get(file_obj=io.BytesIO(data))
    except TinyTagException:
        return "", 0.0
    return tag.comment or "", tag.duration or 0.0


def wav(samples: bytes, rate: int, words: str = "") -> bytes:
    """A WAV file of 16-bit mono samples, with `words` as its comment."""
    layout = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    comment = _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", _utf8(words) + b"\0")) if words else b""
    return _chunk(b"RIFF", b"WAVE" + _chunk(b"fmt ", layout) + comment + _chunk(b"data", samples))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _utf8(text: str) -> bytes:
    return text.encode(errors="replace")


def _character(voice: str, choices: int) -> int:
    """A number below `choices` that is the same for the same voice."""
    return zlib.crc32(_utf8(voice)) % choices


def _tone(samples: int, voice: str) -> bytes:
    """A quiet tone: one period of 75 to 201 samples, repeated."""
    period = 75 + _character(voice, 127)
    wave = struct.pack(f"<{period}h", *(round(3000 * math.sin(2 * math.pi * at / period)) for at in range(period)))
    return (wave * (samples // period + 1))[: 2 * samples]


def _pcm(_text: str, samples: int, voice: str) -> bytes:
    return _tone(samples, voice)


def _wav(text: str, samples: int, voice: str) -> bytes:
    return wav(_tone(samples, voice), RATE, text)


def _mp3(text: str, samples: int, voice: str) -> bytes:
    """An ID3 tag, and frames whose side information says that there is nothing but ancillary data."""
    comment = b"\x03eng\0" + _utf8(text)
    frame = b"COMM" + _seven_bits(len(comment)) + b"\0\0" + comment
    tag = b"ID3\x04\0\0" + _seven_bits(len(frame)) + frame
    silent = _MP3_HEADER + bytes(_MP3_SIDE)
    ancillary = bytes([1 + _character(voice, 120)]) * (_MP3_FRAME - len(silent))
    return tag + (silent + ancillary) * math.ceil(samples / _MP3_SAMPLES)


def _seven_bits(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _aac(_text: str, samples: int, voice: str) -> bytes:
    """ADTS frames with a channel element without any band, a fill element, and the end."""
    gain = 1 + _character(voice, 120)
    channel = f"{0:07b}{gain:08b}{0:014b}"
    fill = f"1101111{_AAC_FILL - 14:08b}" + "0" * 8 * _AAC_FILL
    bits = channel + fill + "111"
    content = int(bits.ljust(-len(bits) % 8 + len(bits), "0"), 2).to_bytes(math.ceil(len(bits) / 8), "big")
    size = 7 + len(content)
    # AAC-LC, 24 kHz, one channel, no checksum; a buffer of variable rate
    header = 0xFFF1 << 40 | 0b01_0110_0_001 << 30 | size << 13 | 0x7FF << 2
    return (header.to_bytes(7, "big") + content) * math.ceil(samples / _AAC_SAMPLES)


def _flac(text: str, samples: int, voice: str) -> bytes:
    """Frames that each hold one constant; the padding is what encoders leave for later tags."""
    about = _FLAC_BLOCK << 128 | _FLAC_BLOCK << 112 | RATE << 44 | 15 << 36 | samples
    level = 1 + _character(voice, 120)
    blocks = [min(_FLAC_BLOCK, samples - start) for start in range(0, samples, _FLAC_BLOCK)]
    return b"".join(
        [
            b"fLaC\x00\x00\x00\x22" + about.to_bytes(18, "big") + bytes(16),
            b"\x04" + len(_comments(text)).to_bytes(3, "big") + _comments(text),
            b"\x81" + _FLAC_PADDING.to_bytes(3, "big") + bytes(_FLAC_PADDING),
            *(_flac_frame(number, size, level) for number, size in enumerate(blocks)),
        ]
    )


def _flac_frame(number: int, samples: int, level: int) -> bytes:
    # fixed blocks; the size follows, 24 kHz; one channel, 16 bits; the number is written as UTF-8 would
    header = b"\xff\xf8\x77\x08" + chr(number).encode() + (samples - 1).to_bytes(2, "big")
    header += _crc(header, 8, 0x07)
    frame = header + b"\0" + level.to_bytes(2, "big")
    return frame + _crc(frame, 16, 0x8005)


def _comments(text: str) -> bytes:
    """A Vorbis comment block with one comment."""
    comment = b"COMMENT=" + _utf8(text)
    return struct.pack("<I", len(_VENDOR)) + _VENDOR + struct.pack("<II", 1, len(comment)) + comment


def _opus(text: str, samples: int, voice: str) -> bytes:
    """Ogg pages of one second; every packet is the silent frame of 20 ms, padded."""
    serial = _character(voice, 2**31)
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, _OPUS_SKIP, RATE, 0, 0)
    pages = [_page([head], 0, _BEGIN, serial, 0), _page([b"OpusTags" + _comments(text)], 0, 0, serial, 1)]
    packet = bytes([0xFB, 0x41, _OPUS_PADDING, 0xFF, 0xFE]) + bytes(_OPUS_PADDING)
    end = _OPUS_SKIP + samples * _OPUS_RATE // RATE
    left = math.ceil(end / _OPUS_SAMPLES)
    done = 0
    while left:
        count = min(left, _OPUS_PACKETS)
        left -= count
        done += count * _OPUS_SAMPLES
        pages.append(_page([packet] * count, min(done, end), 0 if left else _END, serial, len(pages)))
    return b"".join(pages)


def _page(packets: list[bytes], position: int, flags: int, serial: int, number: int) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    start = b"OggS" + struct.pack("<BBqII", 0, flags, position, serial, number)
    rest = bytes([len(lacing)]) + lacing + b"".join(packets)
    return start + _crc(start + bytes(4) + rest, 32, 0x04C11DB7)[::-1] + rest


def _crc(data: bytes, bits: int, polynomial: int) -> bytes:
    """The checksum of Ogg (32 bits) and FLAC (8 and 16): highest bit first, from 0, big end first."""
    table, value, mask = _crc_table(bits, polynomial), 0, (1 << bits) - 1
    for byte in data:
        value = (value << 8 & mask) ^ table[value >> bits - 8 ^ byte]
    return value.to_bytes(bits // 8, "big")


@cache
def _crc_table(bits: int, polynomial: int) -> tuple[int, ...]:
    def entry(value: int) -> int:
        value <<= bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
            value &= (1 << bits) - 1
        return value

    return tuple(entry(byte) for byte in range(256))


KINDS = {"mp3": _mp3, "opus": _opus, "aac": _aac, "flac": _flac, "wav": _wav, "pcm": _pcm}
"""What can be spoken, and how."""
