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
from urllib.parse import quote

from conformance.errors import DataError
from conformance.rules.views import linked_pictures

if TYPE_CHECKING:
    from conformance.model import Case, Exchange

Steps = Generator["Case", "Exchange", None]
"""What a scenario is while it runs."""

_OK = range(200, 300)
_LARGEST_PICTURE = 4 * 1024 * 1024  # what OpenAI takes
_LONGEST_ADDRESS = 8_000
_LONGEST_NAME = 2_000
"""Characters of a name that is asked for again; some gateways pack a lot into the id of a response."""
_LONGEST_TURNS = 40_000
"""Characters of a conversation that is sent back, which is paid for: an honest one has some hundreds."""
_MAGIC = {b"\x89PNG": "png", b"\xff\xd8": "jpeg", b"RIFF": "webp"}
_SOUNDS = (
    (b"WAVE", "wav", "audio/wav"),
    (b"OggS", "ogg", "audio/ogg"),
    (b"fLaC", "flac", "audio/flac"),
)
"""What a sound begins with, and how a client names such a file; anything else is taken for mp3."""
_MARKED = 12
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


def literal(value: Any) -> Any:
    """What an answer said, for a request: no text of it is taken for a placeholder of ours.

    Raises ValueError for text that cannot be sent, such as half of a surrogate pair.
    """
    if isinstance(value, str):
        return f"${_sendable(value)}" if value.startswith("$") else _sendable(value)
    if isinstance(value, dict):
        return {_sendable(name): literal(inner) for name, inner in value.items()}
    return [literal(inner) for inner in value] if isinstance(value, list) else value


def _sendable(text: str) -> str:
    text.encode()
    return text


def _name(value: Any) -> str:
    """A name that an answer gave; raises ValueError for what is none that can be asked for."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
        raise ValueError("no name")
    return value


def models_then_retrieve(listing: Case, *later: Case) -> Steps:
    """Ask for the last model of the list by its own name: the one that is asked all the time may be a special case."""
    listed = yield listing
    if _good(listed):
        name = _name(listed.json["data"][-1]["id"])
        for single in later if ".." not in name.split("/") else ():
            yield replace(single, path=f"/models/{quote(name, safe='/:@')}")


def tool_round(asking: Case, *later: Case) -> Steps:
    """Give the results of the calls that the first answer made, by their own ids, where that is planned as well."""
    asked = yield asking
    for telling in later if _good(asked) else ():
        message = asked.json["choices"][0]["message"]
        calls = [_call_again(call) for call in message["tool_calls"]]
        *turns, result = (telling.body or {})["messages"]
        said = {"role": "assistant", "content": message.get("content"), "tool_calls": calls}
        results = [{**result, "tool_call_id": literal(call["id"])} for call in calls]
        messages = [*turns, literal(said), *results]
        if results and len(json.dumps(messages)) <= _LONGEST_TURNS:
            yield with_body(telling, messages=messages)


def _call_again(call: Any) -> dict[str, Any]:
    """A call as a client repeats it; Gemini wants back what it signed, in `extra_content`."""
    function = {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
    signed = {"extra_content": call["extra_content"]} if "extra_content" in call else {}
    return {"id": call["id"], "type": "function", "function": function, **signed}


def previous_response(told: Case, *later: Case) -> Steps:
    """Go on from an answer that was just given, by its own id."""
    answer = yield told
    for asked in later if _good(answer) else ():
        yield with_body(asked, previous_response_id=literal(_name(answer.json["id"])))


def speech_then_transcription(spoken: Case, *later: Case) -> Steps:
    """Transcribe the very sound that the relay made of a text, where that is planned as well."""
    answer = yield spoken
    sound = answer.response.body if _good(answer) and answer.response else b""
    if sound and answer.document.problem and len(sound) <= _LONGEST_SOUND:
        kind, media_type = next((named for magic, *named in _SOUNDS if magic in sound[:_MARKED]), ("mp3", "audio/mpeg"))
        file = {"base64": base64.b64encode(sound).decode(), "name": f"speech.{kind}", "type": media_type}
        for heard in later:
            yield replace(heard, form={"file": file, **(heard.form or {})})


def picture_then_fetch(ask: Case, *later: Case) -> Steps:
    """Fetch the picture that an answer points to, where that is planned as well."""
    answered = yield ask
    for fetch in later:
        if _good(answered) and (address := _address(answered)):
            yield replace(fetch, path=address)


def generate_then_edit(generate: Case, *later: Case) -> Steps:
    """Have a picture made, fetch it where the answer points to it, and have it edited."""
    made = yield generate
    if not _good(made) or not later:
        return
    fetch, *edits = later
    address = _address(made)
    if address:
        fetched = yield replace(fetch, path=address)
        picture = fetched.response.body if fetched.response and _good(fetched) else b""
    else:
        picture = base64.b64decode(made.json["data"][0]["b64_json"])
    kind = next((kind for begin, kind in _MAGIC.items() if picture.startswith(begin)), "")
    if kind and len(picture) <= _LARGEST_PICTURE:
        written = base64.b64encode(picture).decode()
        image = {"base64": written, "name": f"picture.{kind}", "type": f"image/{kind}"}
        for edit in edits:
            yield replace(edit, form={**(edit.form or {}), "image": image})


def in_turn(*steps: Case) -> Steps:
    """One step after the other, as long as they are sent."""
    for step in steps:
        done = yield step
        if not done.was_sent:
            return


def drawing_then_fetch(ask: Case, *fetch: Case) -> Steps:
    """Fetch the picture that the text of a chat answer links to, where that is planned as well."""
    answered = yield ask
    if _good(answered):
        links = linked_pictures(answered.json["choices"][0]["message"]["content"])
        for step in fetch if links else ():
            yield replace(step, path=links[0])


def _address(exchange: Exchange) -> str:
    """Where the first picture of an answer is; empty where it is in the answer itself."""
    url = exchange.json["data"][0].get("url")
    usable = isinstance(url, str) and url.lower().startswith(("http://", "https://")) and len(url) <= _LONGEST_ADDRESS
    return url if usable else ""


SCENARIOS: dict[str, Callable[..., Steps]] = {
    "models-then-retrieve": models_then_retrieve,
    "previous-response": previous_response,
    "tool-round": tool_round,
    "speech-then-transcription": speech_then_transcription,
    "generate-then-edit": generate_then_edit,
    "picture-by-address": picture_then_fetch,
    "picture-of-size": picture_then_fetch,
    "picture-masked": picture_then_fetch,
    "picture-varied": picture_then_fetch,
    "drawing-then-fetch": drawing_then_fetch,
    "quota": in_turn,
}
