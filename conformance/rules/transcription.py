"""Transcription and translation: every format can be read, and says the words of the sound that was sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from conformance.contract import data, schema_errors
from conformance.model import Case, Exchange, Finding
from conformance.refusals import message_of
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.speech import sound_of
from conformance.rules.spoken import likeness, words
from conformance.rules.views import is_json

if TYPE_CHECKING:
    from conformance.media import Cue, Subtitles

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
_SOURCE_WORDS = frozenset({"guten", "morgen", "wie", "geht", "dir"})
"""Of the sample that is to be translated; two of them left are no chance."""

SAID = {"hello.wav": "hello world, this is a test"}
"""The words of our samples (fixtures/assets/README.md)."""


def asked_format(case: Case) -> str:
    """The format that a request asks for, by name or by default."""
    return str((case.form or {}).get("response_format", "json"))


def _asks(*names: str) -> Callable[[Case], bool]:
    """A choice of the cases that ask for one of these formats."""
    return lambda case: asked_format(case) in names and not (case.form or {}).get("stream")


def _body(exchange: Exchange) -> str:
    return exchange.response.body.decode(errors="replace") if exchange.response else ""


def _begins(exchange: Exchange) -> str:
    return _body(exchange)[:_SHOWN]


def _subtitles(exchange: Exchange, kind: str) -> Subtitles:
    """The answer read as subtitles of this kind."""
    from conformance.media import subtitles  # noqa: PLC0415 - pulls in an image library, and most runs hear nothing

    if kind not in exchange.memo:
        exchange.memo[kind] = subtitles(_body(exchange), kind)
    found: Subtitles = exchange.memo[kind]
    return found


def text_of(exchange: Exchange) -> str:
    """The words of an answer in whatever format was asked for; empty when there are none to be read."""
    kind = asked_format(exchange.case)
    if kind in {"srt", "vtt"}:
        return " ".join(cue.text for cue in _subtitles(exchange, kind).cues)
    if kind == "text":
        return "" if is_json(exchange) else _body(exchange)
    found = exchange.json.get("text") if is_json(exchange) else None
    return found if isinstance(found, str) else ""


def _has_text(exchange: Exchange) -> bool:
    return bool(text_of(exchange).strip())


@rule(
    "transcription.json.text",
    doc="openai:audio/createTranscription",
    lines=("STT-01", "TRL-01"),
    zh="默认格式的回答必须是 JSON 对象,text 中有所听到的文字",
    operations=_BOTH,
    cases=_asks("json"),
    breaks="programs that read `text` crash, or go on without a word",
    breaks_zh="读取 text 的程序会崩溃,或得不到文字",
)
def json_has_text(exchange: Exchange) -> Iterator[Finding]:
    """An answer of the default format MUST be a JSON object whose `text` is not empty for speech.

    In what the relay itself has spoken there may be nothing to hear: the round trip looks at that.
    """
    if not is_json(exchange):
        yield Finding("", "a JSON object", _begins(exchange))
    elif isinstance(exchange.json.get("text"), str) and not exchange.json["text"].strip() and _sample(exchange.case):
        yield Finding("/text", "what was said", exchange.json["text"])


@rule(
    "transcription.text.plain",
    doc="openai:audio/createTranscription#response_format",
    lines=("STT-02", "TRL-01"),
    zh="text 格式的回答必须是文字本身,不是 JSON",
    operations=_BOTH,
    cases=_asks("text"),
    breaks="braces and quotes end up in the transcript",
    breaks_zh="花括号和引号会混入文字稿",
)
def text_is_plain(exchange: Exchange) -> Iterator[Finding]:
    """An answer in the format `text` MUST be the words themselves, no JSON."""
    if isinstance(exchange.json, dict | list | str) or not _body(exchange).strip():
        yield Finding("", "plain text", _begins(exchange), deviation="params-dropped" if is_json(exchange) else "")


def _cue_problems(kind: str, exchange: Exchange) -> Iterator[Finding]:
    """What is wrong with subtitles: they cannot be read, there are none, or their times run backwards."""
    found = _subtitles(exchange, kind)
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
    cases=_asks("srt"),
    breaks="players show no subtitles, or the wrong ones",
    breaks_zh="播放器不显示字幕,或显示错误",
)
def srt_blocks(exchange: Exchange) -> Iterator[Finding]:
    """An answer in the format `srt` MUST be blocks with numbers from 1 on and times that go forward."""
    yield from _cue_problems("srt", exchange)
    numbers = [cue.number for cue in _subtitles(exchange, "srt").cues[:_MOST]]
    if numbers != list(range(1, len(numbers) + 1)):
        yield Finding("", "numbers from 1 on", numbers[:10])


@rule(
    "transcription.vtt.cues",
    doc="openai:audio/createTranscription#response_format",
    lines=("STT-04", "TRL-01"),
    zh="vtt 格式必须以 WEBVTT 开头,时间用点分隔毫秒",
    operations=_BOTH,
    cases=_asks("vtt"),
    breaks="browsers show no subtitles",
    breaks_zh="浏览器不显示字幕",
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
    applies=_has_text,
    breaks="the transcript depends on how it is to be written",
    breaks_zh="文字内容会随格式而变",
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
    cases=lambda case: _sample(case) in SAID,
    applies=_has_text,
    breaks="the transcript is of something else, or canned",
    breaks_zh="文字稿不是这段音频的内容,或是预先写好的",
)
def words_heard(exchange: Exchange) -> Iterator[Finding]:
    """A transcript SHOULD have some of the words that were said."""
    said = SAID[_sample(exchange.case)]
    if likeness(said, text_of(exchange)) < _HEARD:
        yield Finding("/text", said, text_of(exchange)[:_SHOWN])


def _sample(case: Case) -> str:
    """The name of our sample that a case sends; empty when it sends something else, or nothing."""
    file = (case.form or {}).get("file")
    return str(file.get("asset", "")) if isinstance(file, dict) else ""


@cache
def _sample_seconds(name: str) -> float:
    """How long a sample of ours lasts."""
    found = sound_of((data("fixtures") / "assets" / name).read_bytes())
    return found.seconds if found else 0.0


def _is_verbose(case: Case) -> bool:
    return asked_format(case) == "verbose_json"


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
    cases=_is_verbose,
    breaks="typed clients raise, or hand on None",
    breaks_zh="强类型客户端会报错或得到 None",
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
    cases=lambda case: _is_verbose(case) and bool(_sample(case)),
    applies=_shaped,
    breaks="billing by the second cannot be checked",
    breaks_zh="无法核对按秒计费",
)
def verbose_duration(exchange: Exchange) -> Iterator[Finding]:
    """`duration` MUST be the length of the sound, give or take half a second."""
    length = _sample_seconds(_sample(exchange.case))
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
    cases=_is_verbose,
    applies=_shaped,
    breaks="programs that choose by language choose none",
    breaks_zh="按语言选择的程序无从选择",
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
    cases=_is_verbose,
    applies=lambda exchange: _shaped(exchange) and bool(exchange.json.get("segments")),
    breaks="subtitles made of segments jump, or miss words",
    breaks_zh="由分段生成的字幕会跳动或缺字",
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
    cases=_is_verbose,
    applies=_shaped,
    breaks="programs that mark words as they are spoken have no times",
    breaks_zh="逐词高亮的程序没有时间可用",
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
)
def unknown_format_refused(exchange: Exchange) -> Iterator[Finding]:
    """An unknown `response_format` MUST be refused with a 4xx status."""
    yield from _labelled(exchange, "audio-format-500")


@rule(
    "translation.text.english",
    doc="openai:audio/createTranslation",
    lines=("TRL-01",),
    basis="implied",
    zh="翻译结果应为英文,而不是原文",
    operations=("audio.translations",),
    cases=lambda case: _sample(case) == "gruss.wav",
    applies=_has_text,
    breaks="readers get the language that they do not understand",
    breaks_zh="读者得到的仍是看不懂的语言",
)
def translated(exchange: Exchange) -> Iterator[Finding]:
    """A translation SHOULD be English, not the words as they were said."""
    if len(_SOURCE_WORDS & set(words(text_of(exchange)))) > 1:
        yield Finding("/text", "English", text_of(exchange)[:_SHOWN])


@rule(
    "translation.verbose.task",
    doc="openai:audio/createTranslation",
    lines=("TRL-02",),
    basis="implied",
    zh="翻译的 verbose_json 里 task 应为 translate",
    operations=("audio.translations",),
    cases=_is_verbose,
    applies=lambda exchange: is_json(exchange) and "task" in exchange.json,
    breaks="programs take the translation for a transcript",
    breaks_zh="程序会把翻译当成转录",
)
def translation_task(exchange: Exchange) -> Iterator[Finding]:
    """The `task` of a translation in the format `verbose_json` SHOULD be `translate`."""
    if exchange.json["task"] != "translate":
        yield Finding("/task", "translate", exchange.json["task"])
