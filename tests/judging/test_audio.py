"""Sounds and transcripts: honest but unusual answers are no fault, hostile ones make no rule stumble."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.model import Case, Exchange, Response, Verdict
from conformance.planning import plan
from conformance.relay.sounds import speak
from conformance.rules.spoken import likeness
from conformance.scenarios import advance, begin

from .runs import answer, exchange, ledger, stumbles, verdicts
from .test_garbage import ODD, changed, pointers

CASES = {case.id.removeprefix("audio."): case for case in plan(dear=True) if case.operation.startswith("audio.")}
BAD = {Verdict.NOTE, Verdict.WARN, Verdict.FAIL, Verdict.ERROR}
HELLO = "hello world, this is a test"
SEGMENT = {
    "id": 0, "seek": 0, "start": 0.0, "end": 1.6, "text": " Hello world, this is a test.", "tokens": [1, 2],
    "temperature": 0.0, "avg_logprob": -0.3, "compression_ratio": 0.9, "no_speech_prob": 0.01,
}  # fmt: skip
WORD = {"word": "Hello", "start": 0.0, "end": 0.4}
VERBOSE = {
    "task": "transcribe", "language": "english", "duration": 1.65, "text": "Hello world, this is a test.",
    "segments": [SEGMENT],
}  # fmt: skip
DELTAS = [{"type": "transcript.text.delta", "delta": word} for word in ("Hello", " world")]
DONE = {"type": "transcript.text.done", "text": "Hello world"}
PIECE = {"type": "speech.audio.delta", "audio": base64.b64encode(speak("Hi.", "mp3")).decode()}
SPOKEN = {"type": "speech.audio.done", "usage": {"input_tokens": 2, "output_tokens": 9, "total_tokens": 11}}

MP3 = speak("How are you?", "mp3")
UNTAGGED = MP3[MP3.index(b"\xff\xf3") :]
STREAMED_WAV = speak("Hi.", "wav").replace(b"data\xc0\x5d\0\0", b"data\xff\xff\xff\xff")
MARKED_SRT = "\ufeff1\r\n00:00:00,000 --> 00:00:01,660\r\n Hello world, this is a test.\r\n\r\n\r\n"
GERMAN_SRT = "1\n00:00:00,000 --> 00:00:01,600\nGuten Morgen, wie geht es dir?\n"
BACKWARDS_SRT = GERMAN_SRT.replace("00,000", "09,000", 1)
SHORT_VTT = "WEBVTT\n\n00:00.000 --> 00:01.660\nHello world, this is a test.\n\n"
SHORT = {"language": "english", "duration": 1.6, "text": "Good morning."}


def refusal(message: str, status: int, kind: str = "invalid_request_error", code: str | None = None) -> Response:
    return answer({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


NO_FORMAT = refusal("response_format 'srt' is not compatible with this model", 400)
NO_ROUTE = refusal("Invalid URL", 404)


def sound(body: bytes, label: str = "audio/mpeg") -> Response:
    return answer(body, content_type=label)


def text(body: str, label: str = "text/plain; charset=utf-8") -> Response:
    return answer(body.encode(), content_type=label)


def events(*found: Any, end: str = "") -> Response:
    return text("".join(f"data: {json.dumps(each)}\n\n" for each in found) + end, "text/event-stream")


def segments(**changes: Any) -> Response:
    return answer({**VERBOSE, "segments": [{**SEGMENT, **changes}]})


def tripped(*answers: tuple[str, Response]) -> dict[str, str]:
    """The rules that these answers trip, each with the label of its first finding."""
    run = ledger([exchange(CASES[name], response) for name, response in answers])
    found = {rule: judgement for (rule, _), judgement in verdicts(run).items() if judgement.verdict in BAD}
    return {rule: judgement.findings[0].deviation for rule, judgement in found.items()}


HONEST = {
    "mp3-without-a-tag": ("speech/plain", sound(UNTAGGED)),
    "mp3-by-another-name": ("speech/plain", sound(MP3, "audio/mp3")),
    "opus-in-ogg": ("speech/format-opus", sound(speak("Hi.", "opus"), "audio/ogg; codecs=opus")),
    "wav-of-a-stream": ("speech/format-wav", sound(STREAMED_WAV, "audio/x-wav")),
    "pcm-as-octets": ("speech/format-pcm", sound(b"\xff\xff" + speak("Hi.", "pcm"), "application/octet-stream")),
    "sound-for-events": ("speech/streamed", sound(speak("Hi.", "mp3"))),
    "events-of-speech": ("speech/streamed", events(PIECE, PIECE, SPOKEN, end="data: [DONE]\n\n")),
    "short-opus": ("speech/format-opus", sound(speak("Hi.", "opus", 4), "audio/opus")),
    "plain-refusal-of-a-format": ("speech/format-opus", NO_FORMAT),
    "transcript-without-usage": ("transcriptions/plain", answer({"text": "Hello, World! This is a test."})),
    "weak-transcript": ("transcriptions/plain", answer({"text": "Yellow world. There's a taste."})),
    "quiet-text": ("transcriptions/text", text("Hello world this is a test")),
    "srt-with-mark-and-blanks": ("transcriptions/srt", text(MARKED_SRT)),
    "vtt-of-minutes": ("transcriptions/vtt", text(SHORT_VTT, "text/vtt")),
    "verbose": ("transcriptions/verbose", answer(VERBOSE)),
    "verbose-with-code": ("transcriptions/verbose", answer({**VERBOSE, "language": "en", "duration": 2, "words": []})),
    "verbose-without-segments": ("transcriptions/verbose", answer({**VERBOSE, "segments": None})),
    "verbose-in-chinese": ("transcriptions/verbose", answer({**VERBOSE, "language": "英语"})),
    "words": ("transcriptions/words", answer({**VERBOSE, "words": [WORD]})),
    "transcript-of-two-events": ("transcriptions/streamed", events(*DELTAS, DONE)),
    "transcript-of-one-event": ("transcriptions/streamed", events(DONE, end="data: [DONE]\n\n")),
    "no-transcript-in-events": ("transcriptions/streamed", answer({"text": HELLO})),
    "format-refused-by-name": ("transcriptions/srt", NO_FORMAT),
    "translation": ("translations/plain", answer({"text": "Good morning, how do you do?"})),
    "half-translation": ("translations/plain", answer({"text": "Good Morgen, how are you?"})),
    "verbose-translation": ("translations/verbose", answer({**SHORT, "task": "translate"})),
    "verbose-translation-without-task": ("translations/verbose", answer(SHORT)),
    "no-translations-here": ("translations/plain", NO_ROUTE),
}  # fmt: skip


@pytest.mark.parametrize(("name", "response"), HONEST.values(), ids=HONEST)
def test_what_is_honest_is_not_blamed(name: str, response: Response) -> None:
    assert tripped((name, response)) == {}


NO_LANGUAGE = answer({**VERBOSE, "language": "42"})
NO_WORDS = events(*DELTAS, {**DONE, "text": None})
WRONG = {
    "mp3-for-pcm": ("speech/format-pcm", sound(UNTAGGED, "audio/pcm"), "speech.format.as-asked"),
    "odd-pcm": ("speech/format-pcm", sound(speak("Hi.", "pcm")[1:], "audio/pcm"), "speech.format.as-asked"),
    "no-sound": ("speech/format-flac", sound(b"\x80no sound" * 200, "audio/flac"), "speech.format.as-asked"),
    "empty": ("speech/plain", sound(b""), "speech.body.sound"),
    "sound-without-a-label": ("speech/plain", replace(sound(MP3), headers=()), "speech.content-type.matches"),
    "no-piece-of-sound": ("speech/streamed", events(SPOKEN), "speech.stream.events"),
    "pieces-without-padding": ("speech/streamed", events({**PIECE, "audio": "abc"}, SPOKEN), "speech.stream.events"),
    "quoted-text": ("transcriptions/text", answer("Hello"), "transcription.text.plain"),
    "empty-text": ("transcriptions/text", text("\n"), "transcription.text.plain"),
    "half-verbose": ("transcriptions/verbose", text("Hello"), "transcription.verbose.shape"),
    "no-time": ("transcriptions/verbose", answer({**VERBOSE, "duration": 0}), "transcription.verbose.duration"),
    "segments-too-late": ("transcriptions/verbose", segments(end=9), "transcription.verbose.segments"),
    "segments-of-nothing": ("transcriptions/verbose", segments(text=""), "transcription.verbose.segments"),
    "language-of-digits": ("transcriptions/verbose", NO_LANGUAGE, "transcription.verbose.language"),
    "done-without-text": ("transcriptions/streamed", NO_WORDS, "transcription.stream.adds-up"),
    "two-ends": ("transcriptions/streamed", events(*DELTAS, DONE, DONE), "transcription.stream.adds-up"),
    "no-subtitles": ("transcriptions/vtt", text("WEBVTT\n\n"), "transcription.vtt.cues"),
    "backwards": ("transcriptions/srt", text(BACKWARDS_SRT), "transcription.srt.blocks"),
    "german": ("translations/srt", text(GERMAN_SRT), "translation.text.english"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "response", "rule"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_found(name: str, response: Response, rule: str) -> None:
    assert rule in tripped((name, response))


@pytest.mark.parametrize(
    ("name", "response", "rule", "label"),
    [
        (
            "transcriptions/missing-file",
            refusal("file is required", 500, "new_api_error", "convert_request_failed"),
            "transcription.file.required",
            "audio-convert-500",
        ),
        (
            "transcriptions/unknown-format",
            refusal("unexpected response format", 500, "one_api_error", "unexpected_response_format"),
            "transcription.format.unknown",
            "audio-format-500",
        ),
        (
            "transcriptions/unknown-format",
            refusal("type invalid_request_error, code , message no such format", 500, "one_api_error", "request_error"),
            "transcription.format.unknown",
            "audio-error-500",
        ),
        (
            "transcriptions/unknown-format",
            refusal("no such format", 500, "request_error", "400"),
            "transcription.format.unknown",
            "audio-error-500",
        ),
        ("transcriptions/unknown-format", answer({"text": HELLO}), "transcription.format.unknown", "params-unchecked"),
        ("speech/missing-voice", sound(speak("Hi.", "mp3")), "speech.fields.required", "speech-unvalidated"),
        (
            "speech/plain",
            sound(MP3, "application/octet-stream"),
            "speech.content-type.octets",
            "audio-octet-stream",
        ),
    ],
)
def test_what_is_known_of_relays_is_labelled(name: str, response: Response, rule: str, label: str) -> None:
    assert tripped((name, response))[rule] == label


@pytest.mark.parametrize(
    ("one", "other", "said", "rule"),
    [
        ("speech/short", "speech/plain", ("Hi.", 1), "speech.duration.grows"),
        ("speech/short", "speech/other-voice", ("Hi.", 1), "speech.voices.differ"),
        ("speech/plain", "speech/twice-the-speed", ("How are you?", 1), "speech.speed.honoured"),
    ],
)
def test_sounds_are_compared_with_each_other(one: str, other: str, said: tuple[str, float], rule: str) -> None:
    body, (line, speed) = CASES[other].body or {}, said
    canned = sound(speak(line, "mp3", speed))
    true = sound(speak(body["input"], "mp3", body.get("speed", 1), body["voice"]))

    assert tripped((one, canned), (other, true)) == {}
    assert list(tripped((one, canned), (other, canned))) == [rule]


@pytest.mark.parametrize(("model", "verdict"), [("gpt-4o-mini-tts", "not-applicable"), ("tts-1-hd", "warn")])
def test_a_model_that_has_no_speed_is_not_held_to_it(model: str, verdict: str) -> None:
    said = [exchange(CASES[name], sound(MP3)) for name in ("speech/plain", "speech/twice-the-speed")]
    run = ledger([replace(each, model=model) for each in said])

    assert [each.verdict.label for each in verdicts(run, ["speech.speed.honoured"]).values()] == [verdict]


@pytest.mark.parametrize("rule", ["speech.format.as-asked", "speech.header.readable", "speech.content-type"])
def test_no_format_is_the_default_format_also_where_it_is_null(rule: str) -> None:
    case = CASES["speech/plain"]
    asked = replace(case, body={**(case.body or {}), "response_format": None})

    assert {each.verdict.label for each in verdicts(ledger([exchange(asked, sound(MP3))]), [rule]).values()} == {"pass"}


def test_formats_are_compared_with_each_other() -> None:
    same = [("transcriptions/plain", answer({"text": HELLO})), ("transcriptions/text", text(HELLO.upper()))]

    assert tripped(*same) == {}
    assert "transcription.words.same" in tripped(same[0], ("transcriptions/text", text("Thanks for watching!")))


def test_a_refused_format_says_nothing_about_words() -> None:
    assert tripped(("transcriptions/plain", answer({"text": HELLO})), ("transcriptions/srt", NO_FORMAT)) == {}


def test_a_number_is_a_text() -> None:
    assert set(tripped(("transcriptions/text", text("42")))) == {"transcription.words.heard"}


@pytest.mark.parametrize("heard", ["how are you", "How are yew?", "你好,how are you"])
def test_a_round_trip_may_lose_a_word(heard: str) -> None:
    steps = [
        ("speech/plain", sound(MP3)),
        ("transcriptions/spoken-again", answer({"text": heard})),
    ]

    assert tripped(*steps) == {}
    assert list(tripped(steps[0], (steps[1][0], answer({"text": "Thanks for watching!"})))) == [
        "transcription.round-trip.same-words"
    ]


def test_where_nothing_was_said_the_ear_is_not_blamed_alone() -> None:
    steps = [("speech/plain", sound(MP3)), ("transcriptions/spoken-again", answer({"text": ""}))]

    assert list(tripped(*steps)) == ["transcription.round-trip.same-words"]


def spoken_again(response: Response | None) -> Case | None:
    """The second step of the round trip, when the first is answered so."""
    running = begin([CASES["speech/plain"], CASES["transcriptions/spoken-again"]])
    return advance(running, exchange(next(running), response, "" if response else "reset"))


def test_a_round_trip_sends_the_very_sound() -> None:
    case = spoken_again(sound(b"\xff\xfb sound"))

    assert case is not None
    assert (case.form or {})["file"]["base64"] == base64.b64encode(b"\xff\xfb sound").decode()
    assert (case.form or {})["model"] == "$model"


@pytest.mark.parametrize(
    "response",
    [None, answer({"url": "x"}), answer(b""), answer(b"\xff" * 3_000_000), answer(b"\xff\xfb", 500)],
    ids=["nothing", "json", "empty", "huge", "error"],
)
def test_a_round_trip_ends_where_there_is_no_sound(response: Response | None) -> None:
    assert spoken_again(response) is None


def test_a_first_step_can_be_planned_alone() -> None:
    running = begin([CASES["speech/plain"]])

    assert advance(running, exchange(next(running), sound(b"\xff\xfb sound"))) is None


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("Hello, World!", "hello world", 1, 1),
        ("hello", "goodbye", 0, 0),
        ("你好世界", "你好 世界。", 1, 1),
        ("", "", 1, 1),
        ("", "hello", 0, 0),
        ("it's a test", "It’s a test", 0.6, 0.7),
        ("one two three four", "one two four", 0.8, 0.9),
    ],
)
def test_words_are_compared_without_case_and_marks(one: str, other: str, least: float, most: float) -> None:
    assert least <= likeness(one, other) <= most


def test_a_book_is_compared_quickly() -> None:
    assert likeness("a b " * 100_000, "b a " * 100_000) < 1


def all_answered(response: Response) -> list[Exchange]:
    return [exchange(case, response) for case in CASES.values()]


@pytest.mark.parametrize("odd", [*ODD.values(), 10**400], ids=[*ODD, "endless"])
@pytest.mark.parametrize("template", [{**VERBOSE, "words": [WORD]}, {"text": HELLO}, [PIECE, SPOKEN], [*DELTAS, DONE]])
def test_nothing_odd_in_one_place_makes_a_rule_stumble(template: Any, odd: Any) -> None:
    for at in pointers(template):
        value = changed(template, at, odd)
        response = events(*value) if isinstance(value, list) else answer(value)
        assert stumbles(ledger(all_answered(response))) == [], at


STARTS = [
    b"",
    b"ID3",
    b"\xff\xfb\x90\x64",
    b"OggS\0OpusHead",
    b"fLaC",
    b"RIFF\0\0\0\0WAVE",
    b"\xff\xf1",
    b"WEBVTT\n\n",
    b"1\n00:",
]


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(st.sampled_from(STARTS), st.binary(max_size=200), st.sampled_from([200, 400, 500]))
def test_no_bytes_make_a_rule_stumble(start: bytes, raw: bytes, status: int) -> None:
    assert stumbles(ledger(all_answered(answer(start + raw, status, content_type="audio/mpeg")))) == []


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("speech/plain", b"\xff\xfb" * 300_000),
        ("transcriptions/srt", b"1\n" * 100_000),
        ("transcriptions/vtt", b"WEBVTT\n\n" + b"00:00.000 --> 00:00.001\na\n\n" * 5_000),
        ("transcriptions/text", b"a " * 300_000),
        ("transcriptions/verbose", json.dumps({**VERBOSE, "segments": [SEGMENT] * 5_000}).encode()),
    ],
)
def test_nothing_long_makes_a_rule_slow(name: str, raw: bytes) -> None:
    response = answer(raw, content_type="text/plain")

    assert stumbles(ledger([exchange(CASES[name], response)])) == []
