"""Transcription and translation: the words that lie hidden in a file, in any format.

Nobody listens: `sounds.heard` finds the words in the comment of the file. A sound without one is described.
"""

from __future__ import annotations

import math
import re
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from conformance.relay import wire
from conformance.relay.call import Refusal, Stage, Upload
from conformance.relay.giving import give_bytes, give_events
from conformance.relay.reading import read_form
from conformance.relay.sounds import heard
from conformance.relay.validate import check_fields, check_model, of, one_of, refuse
from conformance.relay.words import tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conformance.relay.call import Call
    from conformance.relay.validate import Complaint

FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
_ENGLISH = {
    "guten": "good",
    "morgen": "morning",
    "wie": "how",
    "geht": "are",
    "es": "",
    "dir": "you",
    "hallo": "hello",
    "welt": "world",
}
_SPOKEN = re.compile(r"[^\W_]+", re.UNICODE)
_SEGMENT = re.compile(r"[^,.;:!?]+[,.;:!?]*\s*")
_PRECISION = 2


def answer(call: Call) -> None:
    """Write down what was said."""
    _answer(call, "transcribe", lambda text: text)


def answer_translated(call: Call) -> None:
    """Write down in English what was said."""
    _answer(call, "translate", translate)


def _answer(call: Call, task: str, change: Callable[[str], str]) -> None:
    read_form(call)
    call.at(Stage.TRANSCRIPTION_REQUEST)
    fields = {name: values[0] for name, values in call.form.items()}
    check_model(fields.get("model"), call.state.models)
    words, seconds = _listen(fields.get("file"))
    check_fields(fields, _FIELDS)
    granularities = _granularities(call)
    text = change(words) or f"A sound of {seconds:.1f} seconds."
    call.answer = _verbose(task, text, seconds, granularities)
    call.at(Stage.TRANSCRIPTION)
    if fields.get("stream") == "true" and task == "transcribe":
        call.events = [("", event) for event in _events(call.answer)]
        give_events(call, Stage.TRANSCRIPTION_TEXT, done=True)
        return
    call.body, call.media_type = _written(call.answer, str(fields.get("response_format", "json")))
    give_bytes(call, Stage.TRANSCRIPTION_TEXT)


def _listen(file: object) -> tuple[str, float]:
    """The words in an uploaded file, and its seconds."""
    if not isinstance(file, Upload):
        raise refuse("file", "missing_required_parameter", "Missing required parameter: 'file'.")
    words, seconds = heard(file.data)
    if not seconds:
        raise Refusal(400, "Invalid file format: this file is no sound that we know.", param="file")
    return words, round(seconds, _PRECISION)


def _granularities(call: Call) -> list[str]:
    """Of what times are wanted: of segments, of words."""
    name = "timestamp_granularities[]"
    wanted = [str(value) for value in call.form.get(name, call.form.get("timestamp_granularities", []))]
    if any(each not in {"word", "segment"} for each in wanted):
        raise refuse(name, "invalid_value", f"Invalid value for '{name}': expected word or segment.")
    if wanted and call.form.get("response_format") != ["verbose_json"]:
        raise refuse(name, "invalid_value", f"'{name}' is only allowed with response_format 'verbose_json'.")
    return wanted or ["segment"]


def translate(text: str) -> str:
    """A text in English, word by word; words that are not known stay as they are."""
    english = _SPOKEN.sub(lambda word: _ENGLISH.get(word[0].lower(), word[0]), text)
    return re.sub(r"\s+", " ", english).strip().capitalize()


def _verbose(task: str, text: str, seconds: float, granularities: Iterable[str]) -> dict[str, Any]:
    """The whole answer, of which other formats are parts."""
    found: dict[str, Any] = {"task": task, "language": "english", "duration": seconds, "text": text}
    if task == "transcribe":
        found["usage"] = {"type": "duration", "seconds": math.ceil(seconds)}
    parts = _timed(_SEGMENT.findall(text) or [text], seconds)
    found["segments"] = [_segment(number, *part) for number, part in enumerate(parts)]
    found["words"] = [
        {"word": word, "start": start, "end": end} for word, start, end in _timed(_SPOKEN.findall(text), seconds)
    ]
    for name in ("segment", "word"):
        if name not in granularities:
            found[f"{name}s"] = None
    return found


def _timed(parts: list[str], seconds: float) -> list[tuple[str, float, float]]:
    """Parts of a text, each with its start and end, as long as it has letters."""
    ends = [round(seconds * end / sum(map(len, parts)), _PRECISION) for end in accumulate(map(len, parts))]
    return list(zip(parts, [0.0, *ends], ends, strict=False))


def _segment(number: int, text: str, start: float, end: float) -> dict[str, Any]:
    return {
        "id": number,
        "seek": 0,
        "start": start,
        "end": end,
        "text": text,
        "tokens": [len(token) for token in tokens(text)],
        "temperature": 0.0,
        "avg_logprob": -0.25,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.01,
    }


def _written(found: dict[str, Any], kind: str) -> tuple[bytes, str]:
    """The answer in the format that was asked for, and its media type."""
    if kind == "verbose_json":
        whole = {name: value for name, value in found.items() if value is not None}
        return wire.encode(whole), "application/json"
    if kind == "json":
        short = {name: value for name, value in found.items() if name in {"text", "usage"}}
        return wire.encode(short), "application/json"
    if kind == "text":
        return _utf8(found["text"] + "\n"), "text/plain; charset=utf-8"
    mark, head, kind_of = (",", "", "application/x-subrip") if kind == "srt" else (".", "WEBVTT\n\n", "text/vtt")
    blocks = [_block(segment, mark) for segment in found["segments"]]
    return _utf8(head + "\n".join(blocks)), f"{kind_of}; charset=utf-8"


def _utf8(text: str) -> bytes:
    return text.encode(errors="replace")


def _block(segment: dict[str, Any], mark: str) -> str:
    """One subtitle; only SRT numbers them."""
    number = f"{segment['id'] + 1}\n" if mark == "," else ""
    return f"{number}{_clock(segment['start'], mark)} --> {_clock(segment['end'], mark)}\n{segment['text'].strip()}\n"


def _clock(seconds: float, mark: str) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{mark}{thousandths:03}"


def _events(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The text token by token, and then whole."""
    deltas = [{"type": "transcript.text.delta", "delta": token} for token in tokens(found["text"])]
    return [*deltas, {"type": "transcript.text.done", "text": found["text"], "usage": found["usage"]}]


def _temperature(value: Any) -> Complaint | None:
    inside = isinstance(value, str) and re.fullmatch(r"0?\.\d+|0|1(\.0*)?|0\.", value)
    return None if inside else ("out_of_range", "a number from 0 to 1")


_FIELDS = {
    "response_format": one_of(*FORMATS),
    "language": of(str, "a string"),
    "prompt": of(str, "a string"),
    "temperature": _temperature,
    "stream": one_of("true", "false"),
}
