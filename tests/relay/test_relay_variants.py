"""Faults: the catalogue, the prefixes, and that every fault can be seen."""

from __future__ import annotations

import asyncio
import json
import re
import time
from functools import cache
from typing import TYPE_CHECKING

import httpx
import pytest

from conformance.errors import UsageError
from conformance.materialise import Target, materialise
from conformance.model import Provider
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, MODELS, catalogue, create_app, variants
from conformance.relay.call import Stage, family
from conformance.relay.faults.base import GENERATED, fault
from conformance.relay.variants import Address
from conformance.roles import ROLES, pick_models

from .driver import call

if TYPE_CHECKING:
    from conformance.relay import BackgroundRelay
    from conformance.relay.call import Call
    from conformance.relay.wire import ASGIApp

    from .conftest import Ask, Events

NUMBERS = "Write the numbers from one to sixty in English words, separated by commas."
IN_TIME = {"stream-all-at-once", "cut-by-next-request", "hang-up-poisons"}
"""Faults that show in when something comes, not in what."""
IN_STEPS = {"quota-error-in-200", "retrieve-custom-404", "tool-result-lost", "tool-result-refused"}
"""Faults that show in what follows an answer, or beside chat only."""

_FRESH = re.compile(
    rb"(?:chatcmpl-|call_)[0-9a-f]{24}|msg_[0-9a-f]{24}|\"created\":1[0-9]{9,12}|\"created\":\"1[0-9]{9}\""
)


@cache
def requests() -> list[tuple[str, str, bytes, tuple[tuple[bytes, bytes], ...]]]:
    """Every request of the plan for chat and models: method, path, body, headers."""
    provider = Provider("http://relay/v1", DEFAULT_MODEL)
    models = pick_models({"chat": DEFAULT_MODEL}, MODELS, ROLES)
    target = Target(provider.base_url, provider, Secrets({provider.key_env: DEFAULT_KEY}), models=models)
    made = [
        materialise(case, target)
        for case in plan(dear=True)
        if case.operation.partition(".")[0] in {"chat", "models", "gateway"}
    ]
    found = [
        (
            each.method,
            each.url.removeprefix("http://relay"),
            each.body,
            tuple((name.lower().encode(), value.encode()) for name, value in each.headers),
        )
        for each in made
    ]
    # Once more what has a memory: the second list of models, the second time at temperature 0.
    again = [request for request in found if request[1] == "/v1/models" or b'"temperature": 0,' in request[2]]
    return [*dict.fromkeys(found), *again]


Seen = tuple[int, bytes, list[tuple[bytes, bytes]]]
"""Status, body, headers."""


async def everything(app: ASGIApp) -> list[Seen]:
    """What a relay answers to all of them, what is fresh each time masked but not lost."""
    answers = []
    for method, path, body, headers in requests():
        answer = await call(app, method, path, body, headers=headers)
        shown = [(name, b"" if name == b"x-request-id" else value) for name, value in answer.headers]
        answers.append((answer.status, _FRESH.sub(_masked, answer.body), shown))
    return answers


def _masked(found: re.Match[bytes]) -> bytes:
    return b"msg_" if found[0].startswith(b"msg_") else b"%d" % len(found[0])


@cache
def honest() -> list[Seen]:
    return asyncio.run(everything(create_app()))


def differs(app: ASGIApp) -> bool:
    """Whether some answer is not that of the honest relay."""
    return asyncio.run(everything(app)) != honest()


def test_the_honest_relay_answers_alike_twice() -> None:
    assert not differs(create_app())


FIXED = {
    name
    for name, entry in catalogue().items()
    if entry.needs != GENERATED
    and {family(stage) for stage, _ in entry.hooks} <= {"", "chat", "models"}
    and {rule.partition(".")[0] for rule in entry.trips} & {"chat", "models", "http", "auth", "error", "gateway"}
}
"""Faults that the fixed requests meet; the others are in test_relay_formats.py."""


@pytest.mark.parametrize("name", sorted(FIXED - IN_TIME - IN_STEPS - {"id-replayed", "created-per-chunk"}))
def test_a_fault_can_be_seen(name: str) -> None:
    assert differs(create_app(faults=[name]))


def test_the_catalogue_says_what_each_fault_is() -> None:
    for name, entry in catalogue().items():
        assert entry.name == name
        assert entry.sentence.endswith(".")
        assert entry.zh
        assert entry.trips


def test_ids_are_replayed_with_that_fault(ask: Ask) -> None:
    first, second = (ask(prefix="fault/id-replayed").json()["id"] for _ in range(2))
    assert first == second
    assert ask("Say hello.", prefix="fault/id-replayed").json()["id"] != first


def test_chunks_differ_in_time_with_that_fault(ask: Ask, events: Events) -> None:
    chunks = events(ask(prefix="fault/created-per-chunk", stream=True))[:-1]
    assert len({chunk["created"] for chunk in chunks}) == len(chunks)


def test_a_fault_on_a_prefix_leaves_the_others_alone(ask: Ask) -> None:
    assert ask(prefix="fault/choices-empty").json()["choices"] == []
    assert ask(prefix="fault/usage-missing").json()["choices"]
    assert ask().json()["choices"]


def test_several_faults_work_together(ask: Ask) -> None:
    body = ask(prefix="fault/choices-empty+usage-missing").json()
    assert body["choices"] == []
    assert "usage" not in body
    assert ask(prefix="fault/choices-empty/fault/usage-missing").json().keys() == body.keys()


def test_each_prefix_has_a_state_of_its_own(client: httpx.Client) -> None:
    lists = [len(client.get("/fault/models-unsteady+models-success/v1/models").json()["data"]) for _ in range(3)]
    assert lists == [len(MODELS), len(MODELS) - 1, len(MODELS)]
    assert len(client.get("/fault/models-unsteady+json-nan/v1/models").json()["data"]) == len(MODELS)


def test_an_unknown_fault_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="there is no fault 'n-ignore'") as caught:
        create_app(faults=["n-ignore"])
    assert caught.value.hint == "did you mean 'n-ignored'?"


def test_an_unknown_fault_without_a_near_name_is_refused_too() -> None:
    with pytest.raises(UsageError) as caught:
        create_app(faults=["qqqqqqqqqqqq"])
    assert "catalogue" in caught.value.hint


@pytest.mark.parametrize("prefix", ["fault/n-ignore", "quirks/many"])
def test_an_unknown_prefix_is_not_found(client: httpx.Client, prefix: str) -> None:
    answer = client.get(f"/{prefix}/v1/models")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]


def test_a_malformed_fault_is_refused_at_import() -> None:
    def undocumented(call: Call) -> None:
        del call

    with pytest.raises(ValueError, match="needs a new name"):
        fault("undocumented", Stage.ANSWER, trips={"a.b"}, zh="无")(undocumented)


def test_variants_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "_MOST_VARIANTS", 2)
    app = create_app()
    for seed in (1, 2, 3):
        assert asyncio.run(call(app, "GET", f"/quirks/{seed}/v1/models")).status == 200
    kept = app._variants._states  # type: ignore[attr-defined]
    assert [seed for _, seed in kept] == ["2", "3"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/models", Address((), "", "/v1/models")),
        ("/fault/a+b/quirks/7/v1", Address(("a", "b"), "7", "/v1", "/fault/a+b/quirks/7")),
        ("/openai/v1/v1/models", Address((), "", "/v1/v1/models", "/openai")),
        ("/fault", Address((), "", "", "/fault")),
        ("", Address((), "", "")),
        ("/v1beta/models/m:generateContent", Address((), "", "/v1beta/models/m:generateContent")),
        ("/quirks/7/dashboard/billing/usage", Address((), "7", "/dashboard/billing/usage", "/quirks/7")),
    ],
)
def test_a_path_is_taken_apart(path: str, expected: Address) -> None:
    assert Address.of(path) == expected


def test_a_new_request_cuts_the_running_stream_with_that_fault(relay: BackgroundRelay, client: httpx.Client) -> None:
    url = f"{relay.variant('fault/cut-by-next-request')}/chat/completions"
    body = {"model": "mock-chat", "messages": [{"role": "user", "content": NUMBERS}], "stream": True}
    with client.stream("POST", url, json=body) as running:
        received = running.iter_bytes()
        next(received)
        client.post(url, json=body | {"stream": False})
        with pytest.raises(httpx.RemoteProtocolError):
            list(received)


def test_a_stream_comes_all_at_once_after_a_wait_with_that_fault() -> None:
    body = {"model": "mock-chat", "messages": [{"role": "user", "content": NUMBERS}], "stream": True}
    started = time.monotonic()
    app = create_app(faults=["stream-all-at-once"])
    answer = asyncio.run(call(app, "POST", "/v1/chat/completions", json.dumps(body).encode()))
    assert time.monotonic() - started > 1
    assert len(answer.pieces) == 1


def test_faults_of_long_streams_leave_short_ones_alone(ask: Ask) -> None:
    started = time.monotonic()
    answer = ask(prefix=f"fault/{'+'.join(sorted(IN_TIME))}", stream=True)
    assert answer.text.endswith("data: [DONE]\n\n")
    assert time.monotonic() - started < 0.5


def test_a_hang_up_poisons_the_next_streams_with_that_fault(ask: Ask, client: httpx.Client) -> None:
    path = "/fault/hang-up-poisons/v1/chat/completions"
    body = {"model": "mock-chat", "messages": [{"role": "user", "content": NUMBERS}], "stream": True}
    short = {"prefix": "fault/hang-up-poisons", "stream": True, "max_tokens": 16}
    assert ask(**short).status_code == 200
    with client.stream("POST", path, json=body) as running:
        next(running.iter_bytes())
    deadline = time.monotonic() + 2
    while ask(**short).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ask(**short).status_code == 500
    assert ask(prefix="fault/hang-up-poisons").status_code == 200
