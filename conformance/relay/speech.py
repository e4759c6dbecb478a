"""Speech: valid sound of the length of its text, in any format, at once or in events."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from conformance.relay.call import Stage
from conformance.relay.giving import give_bytes, give_events
from conformance.relay.reading import read_request
from conformance.relay.sounds import KINDS, speak
from conformance.relay.validate import check_fields, check_model, number, of, one_of, require
from conformance.relay.words import tokens

if TYPE_CHECKING:
    from conformance.relay.call import Call
    from conformance.relay.validate import Complaint

VOICES = tuple("alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split())  # noqa: SIM905
MEDIA_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_LONGEST = 4096
"""Characters."""
_PIECE = 1024
"""Bytes of sound in one event."""
_TOKENS_A_SECOND = 20


def answer(call: Call) -> None:
    """Do what the request asks."""
    read_request(call)
    call.at(Stage.SPEECH_REQUEST)
    request = call.request
    check_model(request.get("model"), call.state.models)
    require(request, "input", "voice")
    check_fields(request, _FIELDS)
    kind = request.get("response_format") or "mp3"
    voice = request["voice"] if isinstance(request["voice"], str) else request["voice"]["id"]
    call.body, call.media_type = speak(request["input"], kind, request.get("speed") or 1.0, voice), MEDIA_TYPES[kind]
    if request.get("stream_format") == "sse":
        call.events = [("", event) for event in _events(call)]
        give_events(call, Stage.SPEECH)
    else:
        give_bytes(call, Stage.SPEECH)


def _events(call: Call) -> list[dict[str, Any]]:
    """The sound in pieces, and what it cost."""
    pieces = [call.body[at : at + _PIECE] for at in range(0, len(call.body), _PIECE)]
    read, spoken = len(tokens(call.request["input"])), len(pieces) * _TOKENS_A_SECOND
    usage = {"input_tokens": read, "output_tokens": spoken, "total_tokens": read + spoken}
    deltas = [{"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()} for piece in pieces]
    return [*deltas, {"type": "speech.audio.done", "usage": usage}]


def _input(value: Any) -> Complaint | None:
    if not isinstance(value, str):
        return "invalid_type", "a string"
    return ("string_too_long", f"at most {_LONGEST} characters") if len(value) > _LONGEST else None


def _voice(value: Any) -> Complaint | None:
    """A name that there is, or the id of a voice of one's own."""
    if isinstance(value, dict):
        return None if isinstance(value.get("id"), str) else ("invalid_type", "an id that is a string")
    return one_of(*VOICES)(value)


_FIELDS = {
    "input": _input,
    "voice": _voice,
    "response_format": one_of(*KINDS),
    "speed": number(0.25, 4),
    "instructions": of(str, "a string"),
    "stream_format": one_of("audio", "sse"),
}
