"""Faults of speech, transcription and translation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Refusal, Stage
from conformance.relay.faults.base import fault
from conformance.relay.sounds import SECONDS_A_CHARACTER, SHORTEST, speak

if TYPE_CHECKING:
    from conformance.relay.call import Call

_SHAPE = {"transcription.verbose.shape"}


def _is_stream(call: Call) -> bool:
    return call.request.get("stream_format") == "sse"


def _kind(call: Call) -> str:
    return str(call.request.get("response_format") or "mp3")


@fault("speech-as-json", Stage.SPEECH, trips={"speech.body.sound"}, zh="语音放在 JSON 里返回")
def _(call: Call) -> None:
    """Speech comes as JSON with the address of a file, as the page of one relay describes it."""
    if not _is_stream(call):
        call.body, call.media_type = b'{"url": "https://example.com/speech.mp3"}', "application/json"


@fault(
    "speech-too-short",
    Stage.SPEECH,
    trips={"speech.body.sound", "speech.duration.grows", "speech.speed.honoured"},
    zh="语音不到 1 kB",
)
def _(call: Call) -> None:
    """A whole sentence is cut to the first half kilobyte of sound."""
    if len(call.request["input"]) > len("Hi.") and call.request.get("speed") is None:
        call.body = call.body[:500]


@fault("speech-format-ignored", Stage.SPEECH, trips={"speech.format.as-asked"}, zh="总是返回 mp3")
def _(call: Call) -> None:
    """Speech is mp3, whatever format is asked for."""
    if _kind(call) not in {"mp3", "pcm"}:
        call.body, call.media_type = speak(call.request["input"], "mp3"), "audio/mpeg"


@fault("speech-pcm-as-wav", Stage.SPEECH, trips={"speech.format.as-asked"}, zh="pcm 带有 wav 文件头")
def _(call: Call) -> None:
    """Samples that were asked for without a header come as a WAV file."""
    if _kind(call) == "pcm":
        call.body = speak(call.request["input"], "wav")


@fault("speech-empty-file", Stage.SPEECH, trips={"speech.header.readable"}, zh="aac 文件里没有声音")
def _(call: Call) -> None:
    """An AAC file begins like one, and says nothing that makes sense after that."""
    if _kind(call) == "aac":
        call.body = b"\xff\xf1" + bytes(1500)


@fault("speech-as-text", Stage.SPEECH, trips={"speech.content-type.matches"}, zh="音频标为 text/plain")
def _(call: Call) -> None:
    """Sounds are labelled as text."""
    if not _is_stream(call):
        call.media_type = "text/plain"


@fault("speech-octet-stream", Stage.SPEECH, trips={"speech.content-type.octets"}, zh="音频只标为二进制数据")
def _(call: Call) -> None:
    """Sounds are labelled as bytes, as by relays that store answers."""
    if not _is_stream(call):
        call.media_type = "application/octet-stream"


@fault(
    "speech-canned",
    Stage.SPEECH_REQUEST,
    trips={
        "speech.duration.grows",
        "speech.speed.honoured",
        "speech.voices.differ",
        "transcription.round-trip.same-words",
    },
    zh="语音总是同一段录音",
)
def _(call: Call) -> None:
    """Every text is answered with the same recording."""
    asked = call.request
    if len(str(asked.get("input", ""))) in range(1, 100) and asked.get("voice") in {"alloy", "nova"}:
        call.request = {**asked, "input": "No.", "voice": "alloy", "speed": 1}


def _say(call: Call, seconds: float) -> None:
    """Say the same words in the same voice, in so many seconds."""
    text = call.request["input"]
    speed = max(len(text) * SECONDS_A_CHARACTER, SHORTEST) / seconds
    call.body = speak(text, _kind(call), speed, call.request["voice"])


@fault(
    "speech-one-length", Stage.SPEECH, trips={"speech.duration.grows", "speech.speed.honoured"}, zh="语音时长与文字无关"
)
def _(call: Call) -> None:
    """Every text takes the same time."""
    if not _is_stream(call) and _kind(call) == "mp3":
        _say(call, 0.3)


@fault("speech-speed-ignored", Stage.SPEECH, trips={"speech.speed.honoured"}, zh="忽略 speed")
def _(call: Call) -> None:
    """A sentence is hurried through, at whatever speed."""
    if len(call.request["input"]) > len("Hi."):
        _say(call, 0.52)


@fault("speech-voice-ignored", Stage.SPEECH, trips={"speech.voices.differ"}, zh="忽略 voice")
def _(call: Call) -> None:
    """Every voice is the same."""
    if call.request.get("voice") == "nova":
        call.body = speak(call.request["input"], _kind(call))


@fault("speech-no-limit", Stage.SPEECH_REQUEST, trips={"speech.input.too-long"}, zh="过长的文字也被朗读")
def _(call: Call) -> None:
    """A text that is too long is spoken as far as it goes."""
    if len(call.request.get("input", "")) > 100:
        call.request["input"] = "Too"


@fault("speech-unvalidated", Stage.SPEECH_REQUEST, trips={"speech.fields.required"}, zh="不检查 input 和 voice")
def _(call: Call) -> None:
    """A missing text is no text, and a missing voice is any."""
    call.request = {"input": ".", "voice": "alloy", **call.request}


@fault("speech-voice-replaced", Stage.SPEECH_REQUEST, trips={"speech.voice.unknown"}, zh="未知音色被换成另一个")
def _(call: Call) -> None:
    """An unknown voice is replaced."""
    if str(call.request.get("voice")).startswith("no-such"):
        call.request["voice"] = "alloy"


@fault("speech-stream-no-end", Stage.SPEECH, trips={"speech.stream.events"}, zh="语音事件流没有结束事件")
def _(call: Call) -> None:
    """Streamed speech just stops."""
    del call.events[-1:]


@fault("speech-stream-no-usage", Stage.SPEECH, trips={"speech.stream.events"}, zh="语音事件流没有用量")
def _(call: Call) -> None:
    """The last event of streamed speech has no usage."""
    for _name, event in call.events:
        event.pop("usage", None)


@fault("speech-stream-not-base64", Stage.SPEECH, trips={"speech.stream.events"}, zh="语音事件里的数据不是 base64")
def _(call: Call) -> None:
    """The pieces of streamed speech are arrays of numbers."""
    for _name, event in call.events:
        if "audio" in event:
            event["audio"] = [0, 1, 2]


@fault("speech-stream-renamed", Stage.SPEECH, trips={"speech.stream.events"}, zh="语音事件的类型名不同")
def _(call: Call) -> None:
    """The pieces of streamed speech have another type."""
    for _name, event in call.events[:-1]:
        event["type"] = "audio.delta"


def _translates(call: Call) -> bool:
    return call.path.endswith("/translations")


def _format(call: Call) -> str:
    return str(call.form.get("response_format", ["json"])[0])


def _change_json(call: Call, **fields: Any) -> None:
    """Change fields of the answer in the format json."""
    if _format(call) == "json" and not call.events:
        call.body = json.dumps({**json.loads(call.body), **fields}).encode()


@fault("transcription-not-json", Stage.TRANSCRIPTION_TEXT, trips={"transcription.json.text"}, zh="默认格式返回纯文本")
def _(call: Call) -> None:
    """What should be JSON is plain text."""
    if _format(call) == "json" and not call.events and not _is_round_trip(call):
        call.body, call.media_type = call.answer["text"].encode(), "text/plain"


@fault("transcription-empty", Stage.TRANSCRIPTION_TEXT, trips={"transcription.json.text"}, zh="没有听到任何文字")
def _(call: Call) -> None:
    """Nothing is heard."""
    if not _is_round_trip(call):
        _change_json(call, text="")


@fault(
    "transcription-text-null",
    Stage.TRANSCRIPTION_TEXT,
    trips={"operation.response.compat"},
    zh="text 为 null",
)
def _(call: Call) -> None:
    """The text is null."""
    if not _is_round_trip(call):
        _change_json(call, text=None)


def _is_round_trip(call: Call) -> bool:
    """Whether the sound is what the relay itself has spoken."""
    return any(getattr(file, "name", "") == "speech.mp3" for file in call.form.get("file", []))


@fault(
    "transcription-always-json",
    Stage.TRANSCRIPTION_TEXT,
    trips={
        "transcription.text.plain",
        "transcription.srt.blocks",
        "transcription.vtt.cues",
        "transcription.verbose.shape",
    },
    zh="无论要求什么格式都返回 JSON",
)
def _(call: Call) -> None:
    """The answer is short JSON, whatever format is asked for."""
    if not call.events:
        call.body, call.media_type = json.dumps({"text": call.answer["text"]}).encode(), "application/json"


def _replace(call: Call, kind: str, old: bytes, new: bytes) -> None:
    if _format(call) == kind:
        call.body = call.body.replace(old, new)


@fault("transcription-srt-points", Stage.TRANSCRIPTION_TEXT, trips={"transcription.srt.blocks"}, zh="srt 用点分隔毫秒")
def _(call: Call) -> None:
    """Times of SRT are written as in WebVTT."""
    _replace(call, "srt", b",", b".")


@fault(
    "transcription-srt-from-zero", Stage.TRANSCRIPTION_TEXT, trips={"transcription.srt.blocks"}, zh="srt 编号从 0 开始"
)
def _(call: Call) -> None:
    """SRT is numbered from 0 on."""
    _replace(call, "srt", b"1\n00:", b"0\n00:")


@fault("transcription-srt-backwards", Stage.TRANSCRIPTION_TEXT, trips={"transcription.srt.blocks"}, zh="srt 时间倒退")
def _(call: Call) -> None:
    """The first subtitle of SRT begins after the last."""
    _replace(call, "srt", b"00:00:00,000", b"00:00:09,000")


@fault(
    "transcription-subtitles-none",
    Stage.TRANSCRIPTION_TEXT,
    trips={"transcription.srt.blocks", "transcription.vtt.cues"},
    zh="字幕里没有内容",
)
def _(call: Call) -> None:
    """Subtitles are empty."""
    if _format(call) in {"srt", "vtt"}:
        call.body = b"WEBVTT\n\n" if _format(call) == "vtt" else b"\n"


@fault("transcription-vtt-unnamed", Stage.TRANSCRIPTION_TEXT, trips={"transcription.vtt.cues"}, zh="vtt 缺少 WEBVTT")
def _(call: Call) -> None:
    """WebVTT lacks its first line."""
    _replace(call, "vtt", b"WEBVTT\n\n", b"")


@fault(
    "transcription-other-words",
    Stage.TRANSCRIPTION,
    trips={"transcription.words.same", "transcription.words.heard", "transcription.verbose.segments"},
    zh="verbose_json 的文字与音频无关",
)
def _(call: Call) -> None:
    """The whole answer has other words than its segments."""
    if _format(call) == "verbose_json" and not _translates(call):
        call.answer["text"] = "Thanks for watching!"


@fault("transcription-canned", Stage.TRANSCRIPTION, trips={"transcription.words.heard"}, zh="转录结果是固定的文字")
def _(call: Call) -> None:
    """Every recording says the same, with the segments to match; what the relay itself spoke is known."""
    if not _translates(call) and not _is_round_trip(call):
        call.answer["text"] = "Thanks for watching!"
        for segment in call.answer["segments"] or ():
            segment["text"] = "Thanks for watching!"


@fault("transcription-language-missing", Stage.TRANSCRIPTION, trips=_SHAPE, zh="verbose_json 缺少 language")
def _(call: Call) -> None:
    """The long answer lacks its language."""
    call.answer["language"] = None


@fault(
    "transcription-language-empty", Stage.TRANSCRIPTION, trips={"transcription.verbose.language"}, zh="language 为空"
)
def _(call: Call) -> None:
    """The long answer has an empty language."""
    call.answer["language"] = ""


@fault(
    "transcription-duration-wrong", Stage.TRANSCRIPTION, trips={"transcription.verbose.duration"}, zh="duration 不对"
)
def _(call: Call) -> None:
    """The length of a sound is rounded up to a minute."""
    call.answer["duration"] = 60.0


@fault(
    "transcription-segments-shuffled",
    Stage.TRANSCRIPTION,
    trips={"transcription.verbose.segments"},
    zh="segments 没有按时间排列",
)
def _(call: Call) -> None:
    """The segments of the long answer run backwards."""
    if _format(call) == "verbose_json" and call.answer["segments"]:
        call.answer["segments"] = call.answer["segments"][::-1]


@fault(
    "transcription-words-unasked", Stage.TRANSCRIPTION, trips={"transcription.words.as-asked"}, zh="未要求却返回 words"
)
def _(call: Call) -> None:
    """Times of words come without being asked for."""
    if call.answer["words"] is None:
        call.answer["words"] = [{"word": "hello", "start": 0.0, "end": 0.5}]


@fault(
    "transcription-words-missing", Stage.TRANSCRIPTION, trips={"transcription.words.as-asked"}, zh="要求 words 却没有"
)
def _(call: Call) -> None:
    """Times of words are asked for in vain."""
    call.answer["words"] = None


def _wrap(call: Call, *, missing: bool, code: str, kind: str) -> None:
    """Answer 500 to a form without a file, or to one with an unknown format."""
    if ("file" not in call.form) is missing and (missing or _format(call).startswith("no-such")):
        raise Refusal(500, "file is required" if missing else "unexpected response format", kind=kind, code=code)


@fault(
    "transcription-file-500",
    Stage.TRANSCRIPTION_REQUEST,
    trips={"transcription.file.required"},
    zh="缺少 file 返回 500",
)
def _(call: Call) -> None:
    """A form without a file is answered 500, as by new-api."""
    _wrap(call, missing=True, code="convert_request_failed", kind="new_api_error")


@fault(
    "transcription-format-500",
    Stage.TRANSCRIPTION_REQUEST,
    trips={"transcription.format.unknown"},
    zh="未知格式返回 500",
)
def _(call: Call) -> None:
    """An unknown format is answered 500, as by one-api."""
    _wrap(call, missing=False, code="unexpected_response_format", kind="one_api_error")


@fault(
    "transcription-format-ignored",
    Stage.TRANSCRIPTION_REQUEST,
    trips={"transcription.format.unknown"},
    zh="未知格式按 json 处理",
)
def _(call: Call) -> None:
    """An unknown format is taken for the default one."""
    if _format(call).startswith("no-such"):
        del call.form["response_format"]


@fault(
    "transcript-stream-no-end",
    Stage.TRANSCRIPTION_TEXT,
    trips={"transcription.stream.adds-up"},
    zh="流式转录没有结束事件",
)
def _(call: Call) -> None:
    """A streamed transcript just stops."""
    del call.events[-1:]


@fault(
    "transcript-stream-lossy", Stage.TRANSCRIPTION_TEXT, trips={"transcription.stream.adds-up"}, zh="流式转录丢失片段"
)
def _(call: Call) -> None:
    """A streamed transcript loses its first piece."""
    del call.events[:1]


@fault(
    "round-trip-other-words",
    Stage.TRANSCRIPTION,
    trips={"transcription.round-trip.same-words"},
    zh="听不懂自己合成的语音",
)
def _(call: Call) -> None:
    """The relay does not understand its own speech."""
    if _is_round_trip(call):
        call.answer["text"] = "Thanks for watching!"


@fault("translation-untranslated", Stage.TRANSCRIPTION, trips={"translation.text.english"}, zh="翻译返回原文")
def _(call: Call) -> None:
    """Translations are transcripts."""
    if _translates(call):
        call.answer["text"] = "Guten Morgen, wie geht es dir?"
        for segment in call.answer["segments"]:
            segment["text"] = "Guten Morgen, wie geht es dir?"


@fault(
    "translation-task-transcribe",
    Stage.TRANSCRIPTION,
    trips={"translation.verbose.task"},
    zh="翻译的 task 是 transcribe",
)
def _(call: Call) -> None:
    """Translations say that they are transcripts."""
    if _translates(call):
        call.answer["task"] = "transcribe"
