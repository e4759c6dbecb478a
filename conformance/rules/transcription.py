"""Transcription: every format can be read, and says the words of the sound that was sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from conformance.contract import data, schema_errors
from conformance.model import Exchange, Finding
from conformance.refusals import message_of
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.speech import sound_of
from conformance.rules.spoken import likeness
from conformance.rules.transcript_views import asks, body_of, has_text, is_verbose, sample_of, subtitles_of, text_of
from conformance.rules.views import is_json

if TYPE_CHECKING:
    from conformance.media import Cue

_ONE = ("audio.transcriptions",)
_BOTH = ("audio.transcriptions", "audio.translations")
_LIKE = 0.5
"""How alike two hearings of one sound are, at least."""
_HEARD = 0.25
"""How alike what was said and what even a weak recogniser hears are, at least."""
_SLACK = 0.5
"""Seconds by which a length may be off."""
_LATE = 1.0
"""Seconds after the end at which a segment may end."""
_FOREVER = 1e9
_SHOWN = 120
_MOST = 1_000
"""Segments and events that are looked at."""
_LANGUAGE = re.compile(r"[^\W\d_][^\d_]{1,40}")

SAID = {"hello.wav": "hello world, this is a test"}
"""The words of our samples (fixtures/assets/README.md)."""


def _begins(exchange: Exchange) -> str:
    return body_of(exchange)[:_SHOWN]


@rule(
    "transcription.json.text",
    doc="openai:audio/createTranscription",
    lines=("STT-01", "TRL-01"),
    zh="默认格式的回答必须是 JSON 对象,text 中有所听到的文字",
    operations=_BOTH,
    cases=asks("json"),
    breaks="programs that read `text` crash, or go on without a word",
    breaks_zh="读取 text 的程序会崩溃,或得不到文字",
    mend='Convert the upstream\'s answer to `{"text": …}`, and answer an error where it recognised nothing in a '
    "sound that holds speech for it.",
    mend_zh='把上游的回答转换为 `{"text": …}`;有语音的声音却没有识别出内容时返回错误。',
)
def json_has_text(exchange: Exchange) -> Iterator[Finding]:
    """An answer of the default format MUST be a JSON object whose `text` is not empty for speech.

    In what the relay itself has spoken there may be nothing to hear: the round trip looks at that.
    """
    if not is_json(exchange):
        yield Finding("", "a JSON object", _begins(exchange))
    elif isinstance(exchange.json.get("text"), str) and not exchange.json["text"].strip() and sample_of(exchange.case):
        yield Finding("/text", "what was said", exchange.json["text"])


@rule(
    "transcription.text.plain",
    doc="openai:audio/createTranscription#response_format",
    lines=("STT-02", "TRL-01"),
    zh="text 格式的回答必须是文字本身,不是 JSON",
    operations=_BOTH,
    cases=asks("text"),
    breaks="braces and quotes end up in the transcript",
    breaks_zh="花括号和引号会混入文字稿",
    mend="Read `response_format` and write the bare words as `text/plain`, without quotes or a JSON object around "
    "them.",
    mend_zh="读取 `response_format`,以 `text/plain` 写出文字本身,不加引号或 JSON 对象。",
)
def text_is_plain(exchange: Exchange) -> Iterator[Finding]:
    """An answer in the format `text` MUST be the words themselves, no JSON."""
    if isinstance(exchange.json, dict | list | str) or not body_of(exchange).strip():
        yield Finding("", "plain text", _begins(exchange), deviation="params-dropped" if is_json(exchange) else "")


def _cue_problems(kind: str, exchange: Exchange) -> Iterator[Finding]:
    """What is wrong with subtitles: they cannot be read, there are none, or their times run backwards."""
    found = subtitles_of(exchange, kind)
    if found.problem:
        label = "params-dropped" if is_json(exchange) else ""
        yield Finding("", f"{kind} subtitles", _begins(exchange), found.problem, deviation=label)
    elif not found.cues:
        yield Finding("", "at least one subtitle", _begins(exchange))
    else:
        yield from _times(found.cues)


def _times(cues: Sequence[Cue]) -> Iterator[Finding]:
    """The first time that is before the one that it should follow."""
    at = 0.0
    for place, cue in enumerate(cues[:_MOST], 1):
        if cue.start < at or cue.end < cue.start:
            yield Finding("", f"from {at:g} s on", f"subtitle {place}: {cue.start:g} s to {cue.end:g} s")
            return
        at = cue.start


@rule(
    "transcription.srt.blocks",
    doc="openai:audio/createTranscription#response_format",
    lines=("STT-03", "TRL-01"),
    zh="srt 格式必须是编号从 1 递增、时间不倒退的字幕块",
    operations=_BOTH,
    cases=asks("srt"),
    breaks="players show no subtitles, or the wrong ones",
    breaks_zh="播放器不显示字幕,或显示错误",
    mend="Make the blocks from the upstream's segments: a number from 1, `HH:MM:SS,mmm --> HH:MM:SS,mmm`, the text, "
    "an empty line; or answer 400 naming the format.",
    mend_zh="用上游的片段生成:从 1 开始的编号、`HH:MM:SS,mmm --> HH:MM:SS,mmm`、文本和空行;否则返回指明该格式的 400。",
)
def srt_blocks(exchange: Exchange) -> Iterator[Finding]:
    """An answer in the format `srt` MUST be blocks with numbers from 1 on and times that go forward."""
    yield from _cue_problems("srt", exchange)
    numbers = [cue.number for cue in subtitles_of(exchange, "srt").cues[:_MOST]]
    if numbers != list(range(1, len(numbers) + 1)):
        yield Finding("", "numbers from 1 on", numbers[:10])


@rule(
    "transcription.vtt.cues",
    doc="openai:audio/createTranscription#response_format",
    lines=("STT-04", "TRL-01"),
    zh="vtt 格式必须以 WEBVTT 开头,时间用点分隔毫秒",
    operations=_BOTH,
    cases=asks("vtt"),
    breaks="browsers show no subtitles",
    breaks_zh="浏览器不显示字幕",
    mend="Begin with `WEBVTT` and an empty line and write times with a point (`00:00:01.000`); converting from `srt` "
    "needs both changes.",
    mend_zh="以 `WEBVTT` 和空行开头,时间用小数点 (`00:00:01.000`);由 `srt` 转换时两处都要改。",
)
def vtt_cues(exchange: Exchange) -> Iterator[Finding]:
    """An answer in the format `vtt` MUST be WebVTT: its name first, then times with a point."""
    yield from _cue_problems("vtt", exchange)


@rule(
    "transcription.words.same",
    doc="openai:audio/createTranscription#response_format",
    lines=("STT-02",),
    basis="implied",
    zh="同一段音频以不同格式转录,文字应大致相同",
    operations=_ONE,
    probe="formats",
    over="run",
    least=2,
    applies=has_text,
    breaks="the transcript depends on how it is to be written",
    breaks_zh="文字内容会随格式而变",
    mend="Ask the same model with the same settings whatever `response_format` says, and do the writing in the "
    "adapter.",
    mend_zh="无论 `response_format` 是什么都用同一模型、同样的设置识别,格式由适配器转换。",
    noisy=True,
)
def same_words(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The same sound SHOULD be heard as about the same words in every format."""
    first = text_of(exchanges[0])
    for other in exchanges[1:]:
        if likeness(first, text_of(other)) < _LIKE:
            yield Finding("", first[:_SHOWN], text_of(other)[:_SHOWN], exchange=other.case.id)


@rule(
    "transcription.words.heard",
    doc="openai:audio/createTranscription",
    lines=("STT-07",),
    basis="implied",
    zh="转录文字应至少包含所说内容的一部分",
    operations=_ONE,
    cases=lambda case: sample_of(case) in SAID,
    applies=has_text,
    breaks="the transcript is of something else, or canned",
    breaks_zh="文字稿不是这段音频的内容,或是预先写好的",
    mend="Check that the file reaches the upstream whole and with its name and type, and that the answer is neither "
    "cached nor canned.",
    mend_zh="确认文件 (连同文件名和类型)完整送达上游,并且回答不是缓存或固定内容。",
    noisy=True,
)
def words_heard(exchange: Exchange) -> Iterator[Finding]:
    """A transcript SHOULD have some of the words that were said."""
    said = SAID[sample_of(exchange.case)]
    if likeness(said, text_of(exchange)) < _HEARD:
        yield Finding("/text", said, text_of(exchange)[:_SHOWN])


@cache
def _sample_seconds(name: str) -> float:
    """How long a sample of ours lasts."""
    found = sound_of((data("fixtures") / "assets" / name).read_bytes())
    return found.seconds if found else 0.0


def _home(exchange: Exchange) -> str:
    return f"openai/{exchange.case.operation}.json#/$defs/verbose"


def _shaped(exchange: Exchange) -> bool:
    """The answer has the fields that rules about them look at."""
    return is_json(exchange) and not schema_errors(_home(exchange), exchange.json)


@rule(
    "transcription.verbose.shape",
    doc="openai:audio/verbose-json-object",
    lines=("STT-05", "TRL-01"),
    zh="verbose_json 必须含有 language、duration、text,各段结构完整",
    operations=_BOTH,
    cases=is_verbose,
    breaks="typed clients raise, or hand on None",
    breaks_zh="强类型客户端会报错或得到 None",
    mend="Write `task`, `language`, `duration`, `text` and `segments` with numbers as numbers, or answer 400 naming "
    "the format where the upstream has no times.",
    mend_zh="写出 `task`、`language`、`duration`、`text`、`segments`,数值用数字;上游没有时间信息时返回指明该格式的 "
    "400。",
)
def verbose_shape(exchange: Exchange) -> Iterator[Finding]:
    """An answer in the format `verbose_json` MUST have the shape that the vendor's own SDK needs."""
    if not is_json(exchange):
        yield Finding("", "a JSON object", _begins(exchange))
        return
    for error in schema_errors(_home(exchange), exchange.json):
        yield Finding(error.at, error.expected, error.actual, error.message)


@rule(
    "transcription.verbose.duration",
    doc="openai:audio/verbose-json-object#duration",
    lines=("STT-05", "TRL-01"),
    zh="duration 必须与音频的实际时长相差不超过 0.5 秒",
    operations=_BOTH,
    cases=lambda case: is_verbose(case) and bool(sample_of(case)),
    applies=_shaped,
    breaks="billing by the second cannot be checked",
    breaks_zh="无法核对按秒计费",
    mend="Take `duration` from the sound itself, in seconds, not from the upload's size, the time that it took, or "
    "milliseconds.",
    mend_zh="`duration` 取自声音本身,单位为秒,不要用上传大小、处理耗时或毫秒代替。",
)
def verbose_duration(exchange: Exchange) -> Iterator[Finding]:
    """`duration` MUST be the length of the sound, give or take half a second."""
    length = _sample_seconds(sample_of(exchange.case))
    found = _clock(exchange.json["duration"])
    if found <= 0 or abs(found - length) > _SLACK:
        yield Finding("/duration", f"about {length:.1f}", found)


def _clock(seconds: float) -> float:
    """The number as a time that can be reckoned with, however large it is."""
    return float(max(-_FOREVER, min(seconds, _FOREVER)))


@rule(
    "transcription.verbose.language",
    doc="openai:audio/verbose-json-object#language",
    lines=("STT-05", "TRL-01"),
    zh="language 必须是语言名称或代码",
    operations=_BOTH,
    cases=is_verbose,
    applies=_shaped,
    breaks="programs that choose by language choose none",
    breaks_zh="按语言选择的程序无从选择",
    mend="Pass on the language that the upstream recognised, or the one that was asked for, as a name or code.",
    mend_zh="写出上游识别的语言或请求指定的语言,用名称或代码。",
)
def verbose_language(exchange: Exchange) -> Iterator[Finding]:
    """`language` MUST be the name of a language, or its code."""
    if not _LANGUAGE.fullmatch(exchange.json["language"]):
        yield Finding("/language", "a name or a code", exchange.json["language"])


@rule(
    "transcription.verbose.segments",
    doc="openai:audio/verbose-json-object#segments",
    lines=("STT-05", "TRL-01"),
    zh="segments 必须按时间排列、不超出时长,文字合起来与 text 一致",
    operations=_BOTH,
    cases=is_verbose,
    applies=lambda exchange: _shaped(exchange) and bool(exchange.json.get("segments")),
    breaks="subtitles made of segments jump, or miss words",
    breaks_zh="由分段生成的字幕会跳动或缺字",
    mend="Convert the upstream's times to seconds from the start of the whole sound; pieces of a sound that was cut "
    "up need their offset added.",
    mend_zh="把时间换算为从整段声音开头起的秒数;切分处理的声音要为各段加上偏移。",
)
def verbose_segments(exchange: Exchange) -> Iterator[Finding]:
    """Segments MUST go forward in time, end with the sound, and together say the text."""
    segments = exchange.json["segments"][:_MOST]
    before, end = 0.0, _clock(exchange.json["duration"]) + _LATE
    for place, segment in enumerate(segments):
        start, stop = _clock(segment["start"]), _clock(segment["end"])
        if not before <= start <= stop <= end:
            expected = f"{before:g} <= start <= end <= {end:g}"
            yield Finding(f"/segments/{place}", expected, f"{start:g} to {stop:g}")
        before = start
    joined = " ".join(segment["text"] for segment in segments)
    if likeness(joined, exchange.json["text"]) < _LIKE:
        yield Finding("/segments", exchange.json["text"][:_SHOWN], joined[:_SHOWN])


@rule(
    "transcription.words.as-asked",
    doc="openai:audio/createTranscription#timestamp_granularities",
    lines=("STT-06",),
    zh="仅当 timestamp_granularities 含 word 时,才应有 words",
    operations=_ONE,
    cases=is_verbose,
    applies=_shaped,
    breaks="programs that mark words as they are spoken have no times",
    breaks_zh="逐词高亮的程序没有时间可用",
    mend="Read `timestamp_granularities[]` as a list field of the form, pass it on, and write `words` exactly when it "
    "holds `word`.",
    mend_zh="把 `timestamp_granularities[]` 作为表单的列表字段读取并转发,含有 `word` 时才写出 `words`。",
)
def words_as_asked(exchange: Exchange) -> Iterator[Finding]:
    """`words` SHOULD be there if, and only if, times of words were asked for."""
    asked = "word" in ((exchange.case.form or {}).get("timestamp_granularities[]") or ())
    if bool(exchange.json.get("words")) != asked:
        expected = "words with their times" if asked else "none"
        yield Finding("/words", expected, exchange.json.get("words", "absent"), deviation="params-dropped")


def _pieces(exchange: Exchange, kind: str, name: str) -> list[Any]:
    """What the events of one type carry in one field."""
    chunks = exchange.stream.chunks[:_MOST]
    return [chunk.value.get(name) for chunk in chunks if chunk.value.get("type") == kind]


@rule(
    "transcription.stream.adds-up",
    doc="openai:audio/transcript-text-done-event",
    lines=("STT-12",),
    zh="流式转录必须有且只有一个 transcript.text.done,其文字等于各 delta 之和",
    operations=_ONE,
    probe="transcript-stream",
    applies=lambda exchange: bool(exchange.stream.chunks),
    breaks="clients wait for the end, or show other words than they store",
    breaks_zh="客户端等不到结束,或显示与保存的文字不同",
    mend="Send one `transcript.text.done` at the end with the deltas as they were sent, put together; or answer "
    "plainly for models that do not stream.",
    mend_zh="结束时发送一个 `transcript.text.done`,文本为已发送 delta 的拼接;模型不支持流式时返回普通回答。",
)
def stream_adds_up(exchange: Exchange) -> Iterator[Finding]:
    """A streamed transcript MUST have one `transcript.text.done`, whose text is that of the deltas."""
    # A model that does not stream answers at once: then there is nothing to add up.
    done = _pieces(exchange, "transcript.text.done", "text")
    deltas = _pieces(exchange, "transcript.text.delta", "delta")
    joined = "".join(piece for piece in deltas if isinstance(piece, str))
    last = exchange.stream.chunks[-1]
    if len(done) != 1:
        expected = "one transcript.text.done"
        yield Finding(f"/events/{last.event}/type", expected, len(done) or last.value.get("type", "absent"))
    elif deltas and (not isinstance(done[0], str) or done[0].strip() != joined.strip()):
        yield Finding(f"/events/{last.event}/text", joined[:_SHOWN], done[0])


def _said_text(exchange: Exchange) -> str:
    """The text that a request wants to be spoken."""
    found = (exchange.case.body or {}).get("input")
    return found if isinstance(found, str) else ""


def _is_heard(exchange: Exchange) -> bool:
    """The answer is a transcript, be it an empty one."""
    return is_json(exchange) and isinstance(exchange.json.get("text"), str)


@rule(
    "transcription.round-trip.same-words",
    doc="openai:audio/createTranscription",
    lines=("STT-07", "TTS-11"),
    basis="implied",
    zh="把合成的语音再转录,应得到原来的文字",
    operations=(*_ONE, "audio.speech"),
    probe="round-trip",
    over="run",
    least=2,
    applies=lambda exchange: bool(_said_text(exchange)) or _is_heard(exchange),
    breaks="what is spoken, or what is heard, is something else",
    breaks_zh="说出的或听到的不是原来的内容",
    mend="Listen to the recorded sound: if it says the text, the transcription is at fault, else the speech; then "
    "check the model behind that channel.",
    mend_zh="听一遍录下的声音:若内容正确则问题在转录,否则在语音合成;再检查相应渠道背后的模型。",
    noisy=True,
)
def round_trip(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Speech that is transcribed again SHOULD give about the words that were to be spoken."""
    said = next(filter(None, map(_said_text, exchanges)), "")
    for exchange in exchanges:
        if exchange.case.operation in _ONE and said and likeness(said, text_of(exchange)) < _LIKE:
            yield Finding("/text", said, text_of(exchange)[:_SHOWN], exchange=exchange.case.id)


def _labelled(exchange: Exchange, label: str) -> Iterator[Finding]:
    """A finding where a bad request is not refused; the label is for one that is wrapped in a 500."""
    for finding in must_be_4xx(exchange):
        relayed = "request_error" in f"{(exchange.error or {}).get('type')} {message_of(exchange)}"
        wrapped = ("audio-error-500" if relayed else label) if exchange.status == 500 else finding.deviation
        yield replace(finding, deviation=wrapped)


@rule(
    "transcription.file.required",
    doc="openai:audio/createTranscription#file",
    lines=("STT-08", "STT-10"),
    zh="没有 file 的请求必须以 4xx 拒绝",
    operations=_ONE,
    probe="missing-file",
    answers=Answers.REFUSAL,
    breaks="SDKs retry a 5xx: the mistake is hidden",
    breaks_zh="SDK 会对 5xx 反复重试,掩盖真正的错误",
    mend="Read the form and check `file` before choosing a channel, and answer 400 naming it; map errors of reading a "
    "form to 400, not 500.",
    mend_zh="选择渠道之前读取表单并检查 `file`,缺少时返回指明它的 400;读取表单的错误应为 400 而不是 500。",
)
def file_required(exchange: Exchange) -> Iterator[Finding]:
    """A request without a file MUST be refused with a 4xx status."""
    yield from _labelled(exchange, "audio-convert-500")


@rule(
    "transcription.format.unknown",
    doc="openai:audio/createTranscription#response_format",
    lines=("STT-09", "STT-10"),
    zh="未知的 response_format 必须以 4xx 拒绝",
    operations=_ONE,
    probe="unknown-format",
    answers=Answers.REFUSAL,
    breaks="SDKs retry a 5xx; an answer in another format cannot be read",
    breaks_zh="SDK 会对 5xx 反复重试;格式不符的回答无法读取",
    mend="Check `response_format` against the list before choosing a channel and answer 400 naming it; the upstream's "
    "refusal must not become a 500.",
    mend_zh="选择渠道之前按列表检查 `response_format`,返回指明它的 400;上游的拒绝不得变成 500。",
)
def unknown_format_refused(exchange: Exchange) -> Iterator[Finding]:
    """An unknown `response_format` MUST be refused with a 4xx status."""
    yield from _labelled(exchange, "audio-format-500")
