"""Cases of several steps, each made from the answers before it.

A scenario is a generator: it yields a case and is sent the exchange that came of it. Its steps are fixtures like all
others (`scenario` and `step`), so that they are announced and paid for like all others; what the generator adds is
what only an earlier answer can tell. It ends early where that answer gives nothing to go on with.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.errors import DataError

if TYPE_CHECKING:
    from conformance.model import Case, Exchange

Steps = Generator["Case", "Exchange", None]
"""What a scenario is while it runs."""

_OK = range(200, 300)
_LONGEST_SOUND = 2 * 1024 * 1024
"""Bytes that are sent back: far more than a short sentence takes."""


def check(cases: Iterable[Case]) -> None:
    """Raise DataError for a case of a scenario that there is not."""
    for case in cases:
        if case.scenario and case.scenario not in SCENARIOS:
            known = f"known: {', '.join(SCENARIOS)}"
            raise DataError(f"{case.id}: there is no scenario {case.scenario!r}", known)


def begin(cases: Sequence[Case]) -> Steps:
    """Start the scenario of these steps, which `check` has seen."""
    steps = sorted(cases, key=lambda case: case.step)
    return SCENARIOS[steps[0].scenario](*steps)


def advance(running: Steps, exchange: Exchange) -> Case | None:
    """Tell a scenario what came of its last step; its next one, or None when it is over."""
    try:
        return running.send(exchange)
    except StopIteration:
        return None
    except (LookupError, TypeError, ValueError, AttributeError):  # the answer is of another shape than it should be
        return None


def _good(exchange: Exchange) -> bool:
    return exchange.answered and exchange.status in _OK


def with_body(case: Case, **fields: Any) -> Case:
    """The case with these fields of its body set."""
    return replace(case, body={**(case.body or {}), **fields})


def models_then_retrieve(listing: Case, single: Case) -> Steps:
    """Ask for the first model of the list by its own name."""
    listed = yield listing
    if _good(listed):
        name = listed.json["data"][0]["id"]
        yield replace(single, path=f"/models/{name}")


def tool_round(asking: Case, telling: Case) -> Steps:
    """Give the results of the calls that the first answer made, by their own ids."""
    asked = yield asking
    if _good(asked):
        message = asked.json["choices"][0]["message"]
        calls = [_call_again(call) for call in message["tool_calls"]]
        *turns, result = (telling.body or {})["messages"]
        said = {"role": "assistant", "content": message.get("content"), "tool_calls": calls}
        results = [{**result, "tool_call_id": call["id"]} for call in calls]
        if results and _can_be_sent(said):
            yield with_body(telling, messages=[*turns, said, *results])


def _call_again(call: Any) -> dict[str, Any]:
    """A call as a client repeats it."""
    function = {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
    return {"id": call["id"], "type": "function", "function": function}


def _can_be_sent(message: Any) -> bool:
    """Whether a message is text, and asks for nothing of ours: a string that begins with `$` is a placeholder."""
    return b'"$' not in json.dumps(message, ensure_ascii=False).encode()


def previous_response(told: Case, asked: Case) -> Steps:
    """Go on from an answer that was just given, by its own id."""
    answer = yield told
    if _good(answer) and isinstance(answer.json["id"], str):
        yield with_body(asked, previous_response_id=answer.json["id"])


def speech_then_transcription(spoken: Case, heard: Case) -> Steps:
    """Transcribe the very sound that the relay made of a text."""
    answer = yield spoken
    sound = answer.response.body if _good(answer) and answer.response else b""
    if sound and answer.document.problem and len(sound) <= _LONGEST_SOUND:
        file = {"base64": base64.b64encode(sound).decode(), "name": "speech.mp3", "type": "audio/mpeg"}
        yield replace(heard, form={"file": file, **(heard.form or {})})


SCENARIOS: dict[str, Callable[..., Steps]] = {
    "models-then-retrieve": models_then_retrieve,
    "previous-response": previous_response,
    "tool-round": tool_round,
    "speech-then-transcription": speech_then_transcription,
}
