"""What the relay speaks, writes down and translates, and what it refuses to."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from conformance.contract import data, schema_errors
from conformance.media import sound, subtitles
from conformance.relay.sounds import heard, speak
from conformance.relay.speech import MEDIA_TYPES

if TYPE_CHECKING:
    import httpx

ASSETS = data("fixtures") / "assets"
HELLO = (ASSETS / "hello.wav").read_bytes()
WORDS = "hello world, this is a test"
SPEECH = {"model": "mock-tts", "input": "How are you?", "voice": "alloy"}
WORD_TIMES = {"timestamp_granularities[]": "word"}


def spoken(client: httpx.Client, **fields: Any) -> httpx.Response:
    """Ask for speech; a field that is None is left out."""
    body = {name: value for name, value in (SPEECH | fields).items() if value is not None}
    return client.post("/v1/audio/speech", json=body)


def written(client: httpx.Client, file: bytes | None = HELLO, task: str = "transcriptions", **fields: str) -> Any:
    """Ask for a transcript, or a translation."""
    files = {"file": ("sound.wav", file, "audio/wav")} if file is not None else {"none": ("none", b"", "text/plain")}
    form = {"model": "mock-whisper", **fields}
    return client.post(f"/v1/audio/{task}", data=form, files=files)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status of a refusal, and the field that it names."""
    return answer.status_code, str(answer.json()["error"]["param"])


@pytest.mark.parametrize(("kind", "label"), MEDIA_TYPES.items())
def test_speech_is_of_the_format_that_was_asked_for(client: httpx.Client, kind: str, label: str) -> None:
    answer = spoken(client, response_format=kind)

    assert answer.headers["content-type"] == label
    assert answer.content == speak("How are you?", kind)


def test_speech_is_mp3_unless_something_else_is_asked_for(client: httpx.Client) -> None:
    assert spoken(client).content == speak("How are you?", "mp3")


def test_speech_knows_its_speed_and_its_voice(client: httpx.Client) -> None:
    quick = spoken(client, speed=2, voice={"id": "my-own"}).content

    assert quick == speak("How are you?", "mp3", 2, "my-own")


def test_speech_in_events_is_the_same_sound(client: httpx.Client) -> None:
    answer = spoken(client, stream_format="sse")
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]

    assert answer.headers["content-type"] == "text/event-stream"
    assert b"".join(base64.b64decode(event["audio"]) for event in events[:-1]) == speak("How are you?", "mp3")
    assert events[-1]["type"] == "speech.audio.done"
    assert events[-1]["usage"]["total_tokens"] == events[-1]["usage"]["input_tokens"] + 60


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": 5}, "input"),
        ({"input": "x" * 4097}, "input"),
        ({"voice": None}, "voice"),
        ({"voice": "nobody"}, "voice"),
        ({"voice": {"id": 5}}, "voice"),
        ({"voice": ["alloy"]}, "voice"),
        ({"response_format": "midi"}, "response_format"),
        ({"speed": 0.2}, "speed"),
        ({"speed": "fast"}, "speed"),
        ({"instructions": 1}, "instructions"),
        ({"stream_format": "raw"}, "stream_format"),
    ],
)
def test_speech_that_cannot_be_made_is_refused_by_name(client: httpx.Client, fields: Any, param: str) -> None:
    assert refused(spoken(client, **fields)) == (400, param)


def test_the_longest_text_is_spoken(client: httpx.Client) -> None:
    assert spoken(client, input="好" * 4096, response_format="flac").status_code == 200


def test_a_transcript_is_json_unless_something_else_is_asked_for(client: httpx.Client) -> None:
    answer = written(client)

    assert answer.json() == {"text": WORDS, "usage": {"type": "duration", "seconds": 2}}
    assert schema_errors("openai/audio.transcriptions.json#/$defs/strict", answer.json()) == []


def test_a_transcript_can_be_plain_text(client: httpx.Client) -> None:
    answer = written(client, response_format="text")

    assert answer.text == WORDS + "\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(("kind", "numbers"), [("srt", [1, 2]), ("vtt", [None, None])])
def test_a_transcript_can_be_subtitles(client: httpx.Client, kind: str, numbers: list[int | None]) -> None:
    found = subtitles(written(client, response_format=kind).text, kind)

    assert found.problem == ""
    assert [cue.number for cue in found.cues] == numbers
    assert [cue.text for cue in found.cues] == ["hello world,", "this is a test"]
    assert (found.cues[0].start, found.cues[-1].end) == (0.0, pytest.approx(1.66))


def test_a_long_transcript_has_its_times(client: httpx.Client) -> None:
    found = written(client, response_format="verbose_json").json()

    assert schema_errors("openai/audio.transcriptions.json#/$defs/strict-verbose", found) == []
    assert (found["task"], found["duration"], found["text"]) == ("transcribe", 1.66, WORDS)
    assert "".join(segment["text"] for segment in found["segments"]) == WORDS
    assert "words" not in found


def test_times_of_words_come_when_they_are_asked_for(client: httpx.Client) -> None:
    found = written(client, response_format="verbose_json", **WORD_TIMES).json()

    assert [word["word"] for word in found["words"]] == ["hello", "world", "this", "is", "a", "test"]
    assert "segments" not in found


def test_a_transcript_in_events_adds_up(client: httpx.Client) -> None:
    *lines, end, _ = written(client, stream="true").text.split("\n\n")
    events = [json.loads(line.removeprefix("data: ")) for line in lines]

    assert end == "data: [DONE]"
    assert "".join(event.get("delta", "") for event in events) == events[-1]["text"] == WORDS


def test_what_the_relay_speaks_it_understands(client: httpx.Client) -> None:
    assert written(client, spoken(client).content).json()["text"] == "How are you?"


def test_a_sound_without_words_is_described(client: httpx.Client) -> None:
    assert written(client, (ASSETS / "tone.wav").read_bytes()).json()["text"] == "A sound of 0.8 seconds."


def test_german_is_translated(client: httpx.Client) -> None:
    answer = written(client, (ASSETS / "gruss.wav").read_bytes(), "translations")

    assert answer.json() == {"text": "Good morning, how are you?"}


def test_a_long_translation_says_what_it_is(client: httpx.Client) -> None:
    found = written(client, HELLO, "translations", response_format="verbose_json", stream="true").json()

    assert schema_errors("openai/audio.translations.json#/$defs/strict-verbose", found) == []
    assert (found["task"], found["text"]) == ("translate", WORDS.capitalize())


@pytest.mark.parametrize(
    ("file", "fields", "param"),
    [
        (None, {}, "file"),
        (b"", {}, "file"),
        (b"RIFF but no sound", {}, "file"),
        (HELLO, {"model": ""}, "model"),
        (HELLO, {"response_format": "docx"}, "response_format"),
        (HELLO, {"temperature": "2"}, "temperature"),
        (HELLO, {"temperature": "hot"}, "temperature"),
        (HELLO, {"stream": "maybe"}, "stream"),
        (HELLO, WORD_TIMES, "timestamp_granularities[]"),
        (
            HELLO,
            {"response_format": "verbose_json", "timestamp_granularities[]": "letter"},
            "timestamp_granularities[]",
        ),
    ],
)
def test_what_cannot_be_written_down_is_refused_by_name(
    client: httpx.Client, file: bytes | None, fields: dict[str, str], param: str
) -> None:
    assert refused(written(client, file, **fields)) == (400, param)


def test_a_temperature_is_taken(client: httpx.Client) -> None:
    assert [written(client, temperature=value).status_code for value in ("0", "0.5", "1")] == [200, 200, 200]


def test_a_fault_is_heard(client: httpx.Client) -> None:
    answer = client.post("/fault/speech-format-ignored/v1/audio/speech", json=SPEECH | {"response_format": "flac"})
    found = sound(answer.content)

    assert found is not None
    assert found.kind == "mp3"
    assert heard(answer.content)[0] == "How are you?"
