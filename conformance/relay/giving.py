"""Sends what was made: JSON, text, bytes, or events; after the hooks of its stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay import wire

if TYPE_CHECKING:
    from conformance.relay.call import Call, Stage


def give_json(call: Call, stage: Stage) -> None:
    """Send `answer` as JSON."""
    call.at(stage)
    call.body = wire.encode(call.answer)
    call.reply_headers.append(wire.JSON_TYPE)


def give_bytes(call: Call, stage: Stage) -> None:
    """Send `body` as what `media_type` says."""
    call.at(stage)
    call.reply_headers.append((b"content-type", call.media_type.encode("latin-1", "replace")))


def give_events(call: Call, stage: Stage, *, done: bool = False) -> None:
    """Send `events` as a stream; `done`: with `[DONE]` at its end."""
    call.streaming = True
    call.at(stage)
    call.frames = [wire.event(value, name) for name, value in call.events]
    if done:
        call.frames.append(wire.DONE)
    call.pause = call.spread = call.pause / 2
    call.reply_headers += (wire.SSE_TYPE, wire.NO_CACHE)
