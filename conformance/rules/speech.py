"""Speech: sound of the kind that was asked for, about as long as its text, and no sound for what cannot be said."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.model import Case, Exchange, Finding
from conformance.refusals import OTHER_FORM
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.spoken import words
from conformance.rules.views import request_body

if TYPE_CHECKING:
    from conformance.media import Sound

_ONE = ("audio.speech",)
_DEFAULT = "mp3"
_SMALLEST = 1000
"""Bytes that any encoder needs for a sentence."""
_SENTENCE = 3
"""Words that are one."""
_ABOUT_HALF = 0.75
_SHOWN = 80
_MOST_EVENTS = 10_000

_SPEEDLESS = re.compile(r"(?:.*/)?gpt-4o(?:-mini)?-tts\b", re.DOTALL)
"""OpenAI's models of which its own SDK says that `speed` does not work with them."""
_OCTETS = "application/octet-stream"
_MEDIA_TYPES = {
    "mp3": ("audio/mpeg", "audio/mp3", "audio/x-mpeg"),
    "opus": ("audio/opus", "audio/ogg", "application/ogg"),
    "aac": ("audio/aac", "audio/x-aac", "audio/aacp"),
    "flac": ("audio/flac", "audio/x-flac"),
    "wav": ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"),
    "pcm": ("audio/pcm", "audio/x-pcm", "audio/l16", _OCTETS),
}
_NOT_PCM = (b"RIFF", b"OggS", b"fLaC", b"ID3", b"\xff\xfb", b"\xff\xf3")
"""How files of the other kinds begin; the last two are mp3 without a tag, a loud click if they were samples."""


def sound_of(data: bytes) -> Sound | None:
    """What the bytes of a sound say about themselves."""
    from conformance.media import sound  # noqa: PLC0415 - pulls in an image library, and most runs hear nothing

    return sound(data)


def _sound(exchange: Exchange) -> Sound | None:
    """The sound that an answer is; None when it begins like none."""
    if "sound" not in exchange.memo:
        exchange.memo["sound"] = sound_of(_body(exchange))
    found: Sound | None = exchange.memo["sound"]
    return found


def _body(exchange: Exchange) -> bytes:
    return exchange.response.body if exchange.response else b""


def asked_format(case: Case) -> str:
    """The format that a request asks for, by name or by default."""
    return str((case.body or {}).get("response_format") or _DEFAULT)


def _is_plain(case: Case) -> bool:
    return OTHER_FORM not in case.probes


def _is_bytes(exchange: Exchange) -> bool:
    """The answer is no JSON, so its bytes can be looked at as a sound."""
    return bool(_body(exchange) and exchange.document.problem)


def _is_sound(exchange: Exchange) -> bool:
    return _is_bytes(exchange) and _sound(exchange) is not None


def _begins(data: bytes) -> str:
    return data[:_SHOWN].decode("ascii", "backslashreplace")


def _hurry(exchange: Exchange) -> float:
    """By how much the sound that was asked for is shorter than at the usual speed; 1 where it is not."""
    speed = request_body(exchange).get("speed")
    return max(1.0, speed) if isinstance(speed, int | float) else 1.0


@rule(
    "speech.body.sound",
    doc="openai:audio/createSpeech",
    lines=("TTS-01",),
    zh="回答必须是音频数据本身,不是 JSON,一句话超过 1 kB",
    operations=_ONE,
    cases=_is_plain,
    breaks="players are handed a file that is no sound",
    breaks_zh="播放器拿到的不是音频文件",
    mend="Pass the upstream's bytes on as they are; take them out of a JSON or base64 wrapper, and answer an error "
    "where there is no sound.",
    mend_zh="原样转发上游的字节;若包在 JSON 或 base64 中要先取出,没有声音时返回错误。",
)
def body_is_sound(exchange: Exchange) -> Iterator[Finding]:
    """Speech MUST be answered with the sound itself, no JSON, and more than 1 kB for a sentence."""
    body = _body(exchange)
    if not body or not exchange.document.problem:
        yield Finding("", "sound", _begins(body))
        return
    asked = words(str(request_body(exchange).get("input")))
    if len(body) * _hurry(exchange) <= _SMALLEST and len(asked) >= _SENTENCE:
        yield Finding("", f"more than {_SMALLEST} bytes", len(body))


@rule(
    "speech.format.as-asked",
    doc="openai:audio/createSpeech#response_format",
    lines=("TTS-02",),
    zh="音频必须是所要求的格式,未指定时为 mp3",
    operations=_ONE,
    cases=_is_plain,
    applies=_is_bytes,
    breaks="players that trust the file name or the request cannot play it",
    breaks_zh="按文件名或请求格式播放的程序无法播放",
    mend="Pass `response_format` on (mp3 when absent), convert what the upstream gives, or answer 400 naming it.",
    mend_zh="转发 `response_format` (缺省为 mp3),必要时转换上游的格式,否则返回指明它的 400。",
)
def format_as_asked(exchange: Exchange) -> Iterator[Finding]:
    """The sound MUST be of the format that was asked for, mp3 by default."""
    body, wanted = _body(exchange), asked_format(exchange.case)
    if wanted == "pcm":
        if body.startswith(_NOT_PCM) or len(body) % 2:
            yield Finding("", "pcm: 16-bit samples without a header", _begins(body), deviation="params-dropped")
        return
    found = _sound(exchange)
    if found is None or found.kind != wanted:
        label = "params-dropped" if found is not None and found.kind == _DEFAULT else ""
        yield Finding("", wanted, found.kind if found else _begins(body), deviation=label)


@rule(
    "speech.header.readable",
    doc="openai:audio/createSpeech",
    lines=("TTS-02",),
    basis="implied",
    zh="音频文件头应给出采样率,时长应大于 0",
    operations=_ONE,
    cases=lambda case: _is_plain(case) and asked_format(case) != "pcm",
    applies=_is_sound,
    breaks="players show no length, or play nothing",
    breaks_zh="播放器显示不出时长,或没有声音",
    mend="Pass the whole file on, its header included; a sound that was put together from pieces needs one header "
    "with the right length.",
    mend_zh="连同文件头转发完整的文件;由片段拼成的声音需要一个长度正确的文件头。",
)
def header_is_readable(exchange: Exchange) -> Iterator[Finding]:
    """A sound SHOULD say its sample rate, and last longer than no time."""
    found = _sound(exchange)
    if found and not (found.rate > 0 and found.seconds > 0):
        yield Finding("", "a sample rate and a length", f"{found.rate} Hz, {found.seconds:g} s")


def _kind(exchange: Exchange) -> str:
    """What an answer is: told by its bytes, except for samples, which any bytes may be."""
    found = _sound(exchange) if asked_format(exchange.case) != "pcm" else None
    return found.kind if found else asked_format(exchange.case)


@rule(
    "speech.content-type.matches",
    doc="openai:audio/createSpeech",
    lines=("TTS-03",),
    zh="Content-Type 应与音频格式相符",
    operations=_ONE,
    cases=_is_plain,
    applies=_is_bytes,
    breaks="browsers download the file instead of playing it",
    breaks_zh="浏览器会下载文件而不是播放",
    mend="Set `Content-Type` by the format sent (`audio/mpeg`, `audio/wav`, `audio/ogg` and so on), not by what the "
    "upstream or the storage says.",
    mend_zh="按实际发送的格式设置 `Content-Type` (`audio/mpeg`、`audio/wav`、`audio/ogg` 等),"
    "不要照抄上游或存储的类型。",
)
def content_type_matches(exchange: Exchange) -> Iterator[Finding]:
    """A sound SHOULD be labelled with the media type of its format."""
    expected = _MEDIA_TYPES.get(_kind(exchange), ())
    if exchange.media_type not in {*expected, _OCTETS}:
        yield Finding("header:content-type", " or ".join(expected), exchange.media_type or "absent")


@rule(
    "speech.content-type.octets",
    doc="one-api:relay/controller/audio",
    lines=("TTS-03",),
    zh="音频可以只标为 application/octet-stream",
    operations=_ONE,
    cases=lambda case: _is_plain(case) and asked_format(case) != "pcm",
    applies=_is_bytes,
    breaks="only programs that choose a player by the label",
    breaks_zh="只影响按类型选择播放器的程序",
    mend="Nothing has to change; set the media type of the format, which a storage that keeps answers forgets.",
    mend_zh="无须修改;可写明格式对应的类型,保存回答的存储往往会丢失它。",
)
def content_type_octets(exchange: Exchange) -> Iterator[Finding]:
    """A sound MAY be labelled `application/octet-stream`, which does not say of what kind it is."""
    if exchange.media_type == _OCTETS:
        yield Finding("header:content-type", "audio/…", exchange.media_type, deviation="audio-octet-stream")


def _said(exchange: Exchange) -> str:
    return str(request_body(exchange).get("input"))


def _seconds(exchange: Exchange) -> float:
    found = _sound(exchange)
    return found.seconds if found else 0.0


def _lasts(exchange: Exchange) -> bool:
    """The answer is a sound of which one can say how long it is."""
    return _is_bytes(exchange) and _seconds(exchange) > 0


@rule(
    "speech.duration.grows",
    doc="openai:audio/createSpeech#input",
    lines=("TTS-04",),
    basis="implied",
    zh="文字更长,语音应更长",
    operations=_ONE,
    probe="length",
    over="run",
    least=2,
    applies=_lasts,
    breaks="speech is cut off, or canned",
    breaks_zh="语音被截断,或是预先录好的",
    mend="Pass the whole `input` on; look for a limit that cuts it, or a cache whose key leaves the text out.",
    mend_zh="完整转发 `input`;检查是否有截断它的上限,或缓存的键里没有包含文本。",
    noisy=True,
)
def duration_grows(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A longer text SHOULD take longer to say."""
    shorter, longer = sorted(exchanges, key=lambda exchange: len(_said(exchange)))[:2]
    if _seconds(longer) <= _seconds(shorter):
        yield Finding("", f"more than {_seconds(shorter):.2f} s", f"{_seconds(longer):.2f} s", exchange=longer.case.id)


def _speed(exchange: Exchange) -> float:
    found = request_body(exchange).get("speed", 1)
    return float(found) if isinstance(found, int | float) else 1.0


@rule(
    "speech.speed.honoured",
    doc="openai:audio/createSpeech#speed",
    lines=("TTS-04",),
    zh="speed 为 2 时,时长应约为一半",
    operations=_ONE,
    probe="speed",
    over="run",
    least=2,
    about=lambda model: not _SPEEDLESS.match(model.lower()),
    applies=_lasts,
    breaks="the chosen speed does nothing",
    breaks_zh="所选语速不起作用",
    mend="The converter drops `speed`: pass it on under the upstream's name, or answer 400 naming it.",
    mend_zh="转换程序丢掉了 `speed`:应以上游的名称转发,否则返回指明它的 400。",
    noisy=True,
)
def speed_honoured(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Said at twice the speed, a text SHOULD take about half the time."""
    plain, quick = sorted(exchanges, key=_speed)[:2]
    most = _ABOUT_HALF * _seconds(plain)
    if _seconds(quick) > most:
        expected = f"about {_seconds(plain) / 2:.2f} s"
        actual = f"{_seconds(quick):.2f} s"
        yield Finding("", expected, actual, deviation="params-dropped", exchange=quick.case.id)


@rule(
    "speech.voices.differ",
    doc="openai:audio/createSpeech#voice",
    lines=("TTS-09",),
    basis="implied",
    zh="不同的 voice 应得到不同的音频",
    operations=_ONE,
    probe="voices",
    over="run",
    least=2,
    applies=_is_bytes,
    breaks="the chosen voice does nothing",
    breaks_zh="所选音色不起作用",
    mend="Pass `voice` on, map each of OpenAI's names to another voice of the upstream, and put the voice into the "
    "cache's key.",
    mend_zh="转发 `voice`,把 OpenAI 的各个名称映射到上游不同的声音,缓存的键也要包含声音。",
)
def voices_differ(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Two voices SHOULD NOT give the same bytes for the same text."""
    first, second = exchanges[:2]
    if _body(first) == _body(second):
        yield Finding("", "other bytes", "the same bytes", deviation="params-dropped", exchange=second.case.id)


@rule(
    "speech.input.too-long",
    doc="openai:audio/createSpeech#input",
    lines=("TTS-05",),
    zh="超过 4096 个字符的 input 必须以 4xx 拒绝",
    operations=_ONE,
    probe="long-input",
    answers=Answers.REFUSAL,
    breaks="billing: what the vendor would refuse is spoken in part, and charged",
    breaks_zh="计费:官方会拒绝的文字被部分朗读并收费",
    mend="Count the characters of `input` (not its bytes) before choosing a channel, and answer 400 naming it above "
    "4096.",
    mend_zh="选择渠道之前统计 `input` 的字符数 (不是字节数),超过 4096 返回指明它的 400。",
)
def too_long_refused(exchange: Exchange) -> Iterator[Finding]:
    """A text of more than 4096 characters MUST be refused with a 4xx status."""
    yield from must_be_4xx(exchange)


@rule(
    "speech.fields.required",
    doc="openai:audio/createSpeech",
    lines=("TTS-06",),
    zh="缺少 input 或 voice 的请求必须以 4xx 拒绝",
    operations=_ONE,
    probe="missing-part",
    answers=Answers.REFUSAL,
    breaks="SDKs retry a 5xx; a voice that nobody chose is charged",
    breaks_zh="SDK 会对 5xx 反复重试;未选择的音色也会收费",
    mend="Check `input` and `voice` before choosing a channel and answer 400 naming what is missing, instead of "
    "checking `model` alone.",
    mend_zh="选择渠道之前检查 `input` 和 `voice`,返回指明缺少哪一项的 400,不要只检查 `model`。",
)
def fields_required(exchange: Exchange) -> Iterator[Finding]:
    """A request without `input` or `voice` MUST be refused with a 4xx status."""
    for finding in must_be_4xx(exchange):
        yield replace(finding, deviation="speech-unvalidated")


@rule(
    "speech.voice.unknown",
    doc="openai:audio/createSpeech#voice",
    lines=("TTS-07",),
    basis="implied",
    zh="未知的 voice 应以 4xx 拒绝",
    operations=_ONE,
    probe="unknown-voice",
    answers=Answers.REFUSAL,
    breaks="a mistyped voice is quietly replaced by another",
    breaks_zh="写错的音色会被悄悄换成另一个",
    mend="Keep a list of voices for each model and answer 400 naming `voice` for another, or pass the upstream's 400 "
    "on; no silent default.",
    mend_zh="为每个模型维护声音列表,未知的返回指明 `voice` 的 400,或转发上游的 400;不要悄悄改用默认值。",
)
def unknown_voice_refused(exchange: Exchange) -> Iterator[Finding]:
    """An unknown voice SHOULD be refused with a 4xx status."""
    yield from must_be_4xx(exchange)


def _decoded(piece: Any) -> bytes | None:
    try:
        return base64.b64decode(piece, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return None


def _deltas(exchange: Exchange) -> Iterator[tuple[int, bytes | None]]:
    """The event and the bytes of every piece of sound; None where they are no base64."""
    for chunk in exchange.stream.chunks[:_MOST_EVENTS]:
        if chunk.value.get("type") == "speech.audio.delta":
            yield chunk.event, _decoded(chunk.value.get("audio"))


@rule(
    "speech.stream.events",
    doc="openai:audio/speech-audio-delta-event",
    lines=("TTS-10",),
    zh="stream_format 为 sse 时,应先发 speech.audio.delta,最后发带 usage 的 speech.audio.done",
    operations=_ONE,
    probe="speech-stream",
    applies=lambda exchange: bool(exchange.stream.chunks),
    breaks="clients that play while it is spoken hear nothing, or never see the end",
    breaks_zh="边收边播的客户端没有声音,或等不到结束",
    mend="Read `stream_format`: send `speech.audio.delta` events with base64 and one `speech.audio.done` with usage, "
    "or answer 400 naming the field.",
    mend_zh="读取 `stream_format`:发送带 base64 的 `speech.audio.delta` 事件和一个带用量的 `speech.audio.done`,"
    "否则返回指明它的 400。",
)
def stream_events(exchange: Exchange) -> Iterator[Finding]:
    """Streamed speech SHOULD be `speech.audio.delta` events and one `speech.audio.done` with usage."""
    pieces = list(_deltas(exchange))
    for event, piece in pieces:
        if piece is None:
            yield Finding(f"/events/{event}/audio", "base64", "something else")
    if not any(piece for _, piece in pieces):
        yield Finding("", "speech.audio.delta events", "no sound")
    last = exchange.stream.chunks[-1]
    if last.value.get("type") != "speech.audio.done":
        yield Finding(f"/events/{last.event}/type", "speech.audio.done", last.value.get("type", "absent"))
    elif not isinstance(last.value.get("usage"), dict):
        yield Finding(f"/events/{last.event}/usage", "an object", last.value.get("usage", "absent"))
