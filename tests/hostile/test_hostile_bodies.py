"""Bodies that are no JSON, or JSON that no client should have to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.model import Verdict

from .runs import EVERY, FEW, vet
from .server import Answer, Call, Server, chunks, completion, first_honest, last_chunk

WHOLE = json.dumps(completion("MARK"))

NO_JSON = {
    "invalid-utf-8": WHOLE.encode().replace(b"MARK", b"\xff\xfe\xc3"),
    "truncated": WHOLE.encode()[:-20],
    "empty": b"",
    "nan": WHOLE.encode().replace(b'"prompt_tokens": 9', b'"prompt_tokens": NaN'),
    "infinity": WHOLE.encode().replace(b'"prompt_tokens": 9', b'"prompt_tokens": -Infinity'),
    "1e999": WHOLE.encode().replace(b'"prompt_tokens": 9', b'"prompt_tokens": 1e999'),
    "ten-thousand-digits": WHOLE.encode().replace(b'"prompt_tokens": 9', b'"prompt_tokens": ' + b"9" * 10_000),
    "hundred-thousand-levels": b"[" * 100_000 + b"]" * 100_000,
    "deep-objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "deep-and-doubled": b'{"a": 1, "a": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    "unended-string": b"[" * 200 + b'"' + b'\\"' * 100_000,
    "nul": b"\0" * 100,
    "text": b"upstream connect error",
}

ODD_JSON = {
    "huge-integer": WHOLE.encode().replace(b'"prompt_tokens": 9', b'"prompt_tokens": 1' + b"0" * 400),
    "huge-integers": WHOLE.encode().replace(b": 9", b": 1" + b"0" * 4000).replace(b": 10", b": 1" + b"0" * 4000),
    "huge-created": WHOLE.encode().replace(b'"created": 1', b'"created": 1' + b"0" * 400),
    "huge-float": WHOLE.encode().replace(b'"prompt_tokens": 9', b'"prompt_tokens": 1e308'),
    "negative": WHOLE.encode().replace(b'"prompt_tokens": 9', b'"prompt_tokens": -9'),
    "doubled-keys": WHOLE.encode().replace(b'"id":', b'"id": "other", "id":'),
    "a-thousand-doubled-keys": b"{" + b",".join(b'"%d":1,"%d":2' % (n, n) for n in range(5000)) + b"}",
    "lone-surrogate": WHOLE.encode().replace(b"MARK", b"\\ud83d \\udc00"),
    "escaped-nul": WHOLE.encode().replace(b"MARK", b"a\\u0000b"),
    "number": b"42",
    "string": b'"OK"',
    "null": b"null",
    "list": b"[]",
    "nothing-inside": b"{}",
    "null-inside": json.dumps(dict.fromkeys(completion())).encode(),
    "lists-inside": json.dumps({name: [] for name in completion()}).encode(),
    "choices-of-nulls": json.dumps(completion() | {"choices": [None, 1, "x", [], {}]}).encode(),
    "error-is-text": b'{"error": "quota"}',
    "error-is-a-list": b'{"error": ["a", {"b": 1}]}',
    "ids-are-objects": json.dumps(
        {"object": "list", "data": [{"id": {"a": 1}}, {"id": None}, 3, {"id": "x\ud800"}]}
    ).encode(),
}


def body(data: bytes, status: int = 200) -> Answer:
    """The same bytes for every request: plain, or as the data of a frame."""

    async def answer(call: Call) -> None:
        if call.streamed and status == 200:
            await call.head(content_type="text/event-stream")
            await call.send(b"".join(chunks("O")) + b"data: " + data + b"\n\n" + last_chunk())
        else:
            await call.reply(data, status)

    return answer


@pytest.mark.parametrize("name", NO_JSON)
def test_a_body_that_is_no_json_fails_from_the_first_request_on(name: str, tmp_path: Path) -> None:
    with Server(body(NO_JSON[name])) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    assert run.stopped == ""
    assert run.verdict("http.body.json", "chat") is Verdict.FAIL
    assert run.verdict("http.body.json", "models.list") is Verdict.FAIL
    assert run.violated & {"chat.stream.data-json", "chat.stream.utf8"}


@pytest.mark.parametrize("name", NO_JSON)
def test_a_body_that_is_no_json_fails_later_too(name: str, tmp_path: Path) -> None:
    with Server(first_honest(body(NO_JSON[name]))) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    assert run.verdict("http.body.json", "chat") is Verdict.FAIL
    assert run.violated & {"chat.stream.data-json", "chat.stream.utf8"}


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("name", ODD_JSON)
def test_odd_json_is_judged_without_a_mistake_of_ours(name: str, status: int, tmp_path: Path) -> None:
    with Server(first_honest(body(ODD_JSON[name], status))) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    assert run.stopped == ""


@pytest.mark.parametrize("name", ODD_JSON)
def test_odd_json_in_the_first_answers_is_survived(name: str, tmp_path: Path) -> None:
    with Server(body(ODD_JSON[name])) as server:
        vet(server.base_url, tmp_path / "good", FEW, EVERY)
    with Server(body(ODD_JSON[name], 404)) as server:
        run = vet(server.base_url, tmp_path / "bad", FEW, EVERY)

    assert run.stopped in {"no-chat", "model-unknown"}


def test_doubled_keys_are_a_warning(tmp_path: Path) -> None:
    with Server(body(ODD_JSON["doubled-keys"])) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    assert run.verdict("http.body.unique-keys", "chat") is Verdict.WARN
    assert run.verdict("http.body.unique-keys", "chat.stream") is Verdict.WARN


def page(call: Call) -> Any:
    """A web page, as a relay answers with whose web root is elsewhere."""
    return call.reply(b"<!doctype html><html><body><script>alert(1)</script></body></html>", content_type="text/html")


def test_a_web_page_stops_the_run_as_a_wrong_base_url(tmp_path: Path) -> None:
    with Server(page) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    assert run.stopped == "wrong-base-url"
    assert len(server.calls) == 4
    assert {judgement.verdict for judgement in run.judgements} == {Verdict.INCONCLUSIVE}


def test_web_pages_after_an_honest_beginning_fail(tmp_path: Path) -> None:
    with Server(first_honest(page)) as server:
        run = vet(server.base_url, tmp_path, FEW, EVERY)

    assert run.verdict("http.body.never-html", "chat") is Verdict.FAIL


LOCATIONS = [
    "http://elsewhere.invalid/v1",
    "//xn--a/",
    "http://[::1",
    "http://h:99999/",
    "",
    "\x1b[31m/v1",
    "/other",
    "%",
]


@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_stops_the_run_wherever_it_points(location: str, status: int, tmp_path: Path) -> None:
    def redirect(call: Call) -> Any:
        return call.reply(b"", status, Location=location)

    with Server(redirect) as server:
        run = vet(server.base_url, tmp_path, FEW)

    assert run.stopped == "redirected"
    assert run.ledger.stop is not None
    assert location in run.ledger.stop.message


@pytest.mark.parametrize("requests", [0, 2])
def test_the_key_does_not_travel_to_another_host(requests: int, tmp_path: Path) -> None:
    async def never(call: Call) -> None:
        await call.value(completion())

    with Server(never) as elsewhere:

        def redirect(call: Call) -> Any:
            return call.reply(b"", 307, Location=f"{elsewhere.url}{call.path}")

        with Server(first_honest(redirect, requests)) as server:
            run = vet(server.base_url, tmp_path, FEW, EVERY)

    assert elsewhere.calls == []
    assert run.verdict("chat.response.compat") in {Verdict.INCONCLUSIVE, Verdict.PASS}


def test_cookies_are_not_sent_back(tmp_path: Path) -> None:
    async def baking(call: Call) -> None:
        await call.value(completion(), Set_Cookie=f"session={call.number}; Path=/")

    with Server(baking) as server:
        vet(server.base_url, tmp_path, FEW, EVERY)

    assert not any("cookie" in call.headers for call in server.calls)
