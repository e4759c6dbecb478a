"""A relay that repeats the key in any spelling, and one whose every string is an attack on who reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.model import Verdict

from .behaviours import echoes
from .runs import EVERY, FEW, Run, spelled_in, vet
from .server import KEY, Answer, Call, Server, chunks, completion, first_honest, last_chunk

ESCAPES = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m \u202eevil\u202c \u200b <script>alert('x')</script> \ud800 \0 ]]> &amp; {{7*7}}"
)


def filled(value: Any, text: str) -> Any:
    """The value with a text put into every string, names of keys left alone."""
    if isinstance(value, dict):
        return {name: filled(inner, text) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, text) for inner in value]
    return value + text if isinstance(value, str) else value


def error(text: str) -> dict[str, Any]:
    """An error envelope that says something."""
    return {"error": {"message": f"Incorrect API key provided: {text}", "type": text, "param": text, "code": text}}


def echoing(spelling: str, status: int) -> Answer:
    """Repeats raw JSON text in bodies, frames and headers."""

    async def answer(call: Call) -> None:
        value = completion("MARK") if status == 200 else error("MARK")
        named = {"X_Echo": spelling} | ({spelling: "1"} if re.fullmatch(r"[A-Za-z0-9%+-]+", spelling) else {})
        if call.streamed and status == 200:
            await call.head(200, "text/event-stream", **named)
            frames = b"".join(chunks("MARK")) + last_chunk()
            await call.send(frames.replace(b"MARK", spelling.encode()))
        else:
            body = json.dumps(value).encode().replace(b"MARK", spelling.encode())
            await call.reply(body, status, **named)

    return answer


def check(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that was printed holds the key either."""
    out, err = capsys.readouterr()
    assert spelled_in(out + err) == []
    assert run.ledger.by_case or run.ledger.preflight


@pytest.mark.parametrize("spelling", echoes().values(), ids=echoes())
def test_an_echoed_key_is_masked_and_warned_about(
    spelling: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(echoing(spelling, 200)) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    check(run, capsys)
    assert run.verdict("http.key.not-echoed", "chat") is Verdict.WARN
    assert run.verdict("http.key.not-echoed", "chat.stream") is Verdict.WARN


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
@pytest.mark.parametrize("spelling", ["plain", "json-escapes", "base64", "slashes-escaped"])
def test_a_key_in_a_refusal_is_masked_also_where_the_run_says_why_it_stops(
    spelling: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(echoing(echoes()[spelling], status)) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    check(run, capsys)
    assert run.ledger.stop is not None
    assert "<KEY***" in run.ledger.stop.message


def test_a_key_in_the_address_of_a_redirect_is_masked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def redirect(call: Call) -> None:
        await call.reply(b"", 302, Location=f"https://elsewhere.invalid/login?key={KEY}")

    with Server(redirect) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    check(run, capsys)
    assert run.stopped == "redirected"


async def illegal_header(call: Call) -> None:
    """No HTTP, with the key in what the client library complains about."""
    await call.send(f"HTTP/1.1 200 OK\r\n {'x' * 150} {KEY} \0\r\n\r\n".encode())


def test_a_key_in_a_message_about_broken_http_is_masked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Server(illegal_header) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    check(run, capsys)
    assert {exchange.failure.kind for exchange in run.ledger.preflight if exchange.failure} == {"protocol"}


Frames = Callable[[list[str]], list[bytes]]


def in_content(pieces: list[str]) -> list[bytes]:
    """One piece in each delta."""
    return chunks(*pieces)


def escaped(pieces: list[str]) -> list[bytes]:
    """The same with every character escaped."""
    spelled = {piece: "".join(f"\\u{ord(character):04x}" for character in piece) for piece in ["", *pieces]}
    return [
        frame.replace(f'"content": "{piece}"'.encode(), f'"content": "{spelled[piece]}"'.encode())
        for piece, frame in zip(["", *pieces], chunks(*pieces), strict=True)
    ]


def in_two_choices(pieces: list[str]) -> list[bytes]:
    """Two choices that take turns, each with the whole key."""
    return [frame.replace(b'"index": 0', b'"index": %d' % index) for frame in chunks(*pieces) for index in range(2)]


def outside_choices(pieces: list[str]) -> list[bytes]:
    """In a field that no client knows."""
    return [
        frame[:-3] + b', "debug": {"note": ' + json.dumps(piece).encode() + b"}}\n\n"
        for piece, frame in zip(pieces, chunks(*"x" * len(pieces))[1:], strict=True)
    ]


def in_logprobs(pieces: list[str]) -> list[bytes]:
    """All tokens in one frame."""
    tokens = json.dumps({"content": [{"token": piece} for piece in pieces]}).encode()
    return [chunks("x")[1].replace(b'"finish_reason"', b'"logprobs": ' + tokens + b', "finish_reason"')]


def as_text(pieces: list[str]) -> list[bytes]:
    """Frames that are no JSON."""
    return [f"data: {piece}\n\n".encode() for piece in pieces]


def with_surrogates(pieces: list[str]) -> list[bytes]:
    """Between halves of pairs."""
    return [b'data: {"choices": [{"delta": {"content": "\\ud800"}}]}\n\n', *chunks(*pieces)]


@pytest.mark.parametrize("size", [1, 3, 7])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize(
    "frames", [in_content, escaped, in_two_choices, outside_choices, in_logprobs, as_text, with_surrogates]
)
def test_a_key_in_pieces_is_put_together_nowhere(size: int, ending: bytes, frames: Frames, tmp_path: Path) -> None:
    pieces = [KEY[at : at + size] for at in range(0, len(KEY), size)]
    body = b"".join(frames(pieces)) + last_chunk()

    async def answer(call: Call) -> None:
        await call.head(content_type="text/event-stream")
        await call.send(body.replace(b"\n", ending))

    with Server(first_honest(answer)) as server:
        run = vet(server.base_url, tmp_path, ("chat.stream.usage-chunk",))

    stream = run.ledger.by_case["chat.stream/usage"]
    assert stream.response is not None
    assert len(stream.response.body) == len(body.replace(b"\n", ending))
    assert all(spelled_in(choice.text) == [] for choice in stream.stream.choices.values())
    assert spelled_in("".join(event.data for event in stream.stream.events)) == []
    everything = stream.response.body.decode()
    assert sum(everything.count(f'"{piece}"') for piece in set(pieces) if len(piece) > 1) == 0


def test_a_key_cut_off_where_an_answer_breaks_is_masked(tmp_path: Path) -> None:
    async def answer(call: Call) -> None:
        await call.head(Content_Length="1000")
        await call.send(f'{{"error": "{KEY[:-1]}'.encode())

    with Server(first_honest(answer)) as server:
        vet(server.base_url, tmp_path, FEW)

    assert KEY[:-1] not in (tmp_path / "ledger.jsonl").read_text()


def attack(status: int) -> Answer:
    """Honest in shape, hostile in every string."""

    async def answer(call: Call) -> None:
        shown = ESCAPES.encode("latin-1", "replace").decode("latin-1").replace("\0", "")
        if call.streamed and status == 200:
            await call.head(content_type="text/event-stream", X_Request_Id=shown)
            for frame in [*chunks("O", "K"), last_chunk().partition(b"\n\n")[0]]:
                value = filled(json.loads(frame.removeprefix(b"data: ")), ESCAPES)
                await call.send(b"data: " + json.dumps(value).encode() + b"\n\n")
            await call.send(f"data: {ESCAPES}\n\n".encode(errors="surrogatepass"))
        else:
            value = filled(completion() if status == 200 else error(ESCAPES), ESCAPES)
            await call.value(value, status, X_Request_Id=shown)

    return answer


def harmless(text: str) -> bool:
    """No character that a terminal or a bidirectional renderer would obey."""
    return not any(character in text for character in "\x1b\x9b\x07\0\u202e\u202c\u200b\ud800")


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("requests", [0, 2])
def test_hostile_strings_are_shown_but_do_nothing(
    status: int, requests: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server(first_honest(attack(status), requests)) as server:
        vet(server.base_url, tmp_path, FEW, EVERY)

    out, err = capsys.readouterr()
    assert harmless(out + err)
    assert harmless((tmp_path / "report.html").read_text())
    assert harmless((tmp_path / "junit.xml").read_text())
    assert "<script>alert" not in (tmp_path / "report.html").read_text()
