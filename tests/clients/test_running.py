"""Clients read in processes of their own: nothing that one does stops or misleads the others."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from clients.recorded import completion, exchange, ledger
from conformance.clients import running
from conformance.clients.readings import ClientRun
from conformance.clients.running import jobs_for, run_clients
from conformance.clients.table import CLIENTS, Client
from conformance.clients.worker import serve
from conformance.model import Exchange, Ledger
from conformance.relay import BackgroundRelay
from conformance.replay_app import Replay
from conformance.replaying import Recording

FAKE = Client("fake", "Fake", "fake", "clients.fakes", ("chat", "chat.stream"), several=False)
OPENAI = CLIENTS["openai"]


def run(recorded: Ledger, *clients: Client) -> list[ClientRun]:
    with BackgroundRelay(Replay(Recording(recorded))) as server:
        return run_clients(recorded, clients, server.url)


def chats(*names: str) -> Ledger:
    return ledger(*(exchange(f"chat/{name}", completion(name)) for name in names))


def test_a_client_reads_every_answer_at_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    (found,) = run(chats("a", "b"), FAKE)

    assert (found.client, found.version, found.trouble) == ("fake", "1.0", "")
    contents = [reading.content for reading in found.readings]
    assert [json.loads(content.texts[0]) for content in contents if content] == [completion("a"), completion("b")]
    assert [content.items[0] for content in contents if content] == ["no key", "no key"]


def test_what_a_client_raises_is_told() -> None:
    (found,) = run(chats("refused", "raises", "far"), FAKE)

    told = [(each.outcome, each.error, each.status, each.message) for each in found.readings]
    assert told == [
        ("refused", "ApiError", 404, "no such model"),
        ("raised", "Unusable", 0, "no choices"),
        ("raised", "NetworkRefusedError", 0, "192.0.2.1: only this machine may be spoken to"),
    ]


@pytest.mark.parametrize("trouble", ["hangs", "dies"])
def test_a_client_that_is_lost_on_one_answer_reads_the_others(trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "READ_SECONDS", 1.0)
    monkeypatch.setattr(running, "END_SECONDS", 0.1)
    (found,) = run(chats("a", trouble, "b"), FAKE)

    assert [reading.outcome for reading in found.readings] == ["read", "hung", "read"]
    assert found.trouble == ""


def test_a_client_that_is_lost_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MOST_STARTS", 2)
    recorded = ledger(*(exchange("chat/dies", {}) for _ in range(3)))
    (found,) = run(recorded, FAKE)

    assert [reading.outcome for reading in found.readings] == ["hung", "hung"]
    assert found.trouble == "it hung on chat/dies"


def test_a_process_that_has_gone_is_no_surprise() -> None:
    with running._Worker("clients.fakes") as worker:
        worker.start()
        worker._process.kill()
        worker._process.wait()
        job = jobs_for(chats("a"), FAKE, "http://127.0.0.1:9")[0]

        assert worker.ask(replace(job, asked={"x": "y" * 100_000})) is None


def test_a_client_that_is_not_installed_is_not_run() -> None:
    absent = replace(FAKE, name="absent", module="clients.no_such_module")
    found = run(chats("a"), FAKE, absent)

    assert [each.version for each in found] == ["1.0", ""]
    assert found[1].trouble == "No module named 'clients.no_such_module'"


def test_a_client_that_does_not_start_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "START_SECONDS", 0.0)
    monkeypatch.setattr(running, "END_SECONDS", 0.0)
    (found,) = run(chats("a"), FAKE)

    assert (found.version, found.trouble) == ("", "it did not start")


def test_without_clients_nothing_is_run() -> None:
    assert run(chats("a")) == []


SKIPPED: dict[str, Exchange] = {
    "another-operation": exchange("messages/a", {}),
    "no-answer": exchange("chat/a", None, failure="timeout"),
    "cut-off": exchange("chat/a", b"{", failure="reset"),
    "broken-off-by-us": exchange("chat.stream/a", b"", stop_after_events=1),
    "a-redirect": exchange("chat/a", b"", 302),
    "a-stream-of-sound": exchange("audio.transcriptions/a", b"data: {}", asked={"stream": True}),
    "several-streamed": exchange("chat.stream/a", b"", asked={"n": 2}),
}


@pytest.mark.parametrize("name", SKIPPED)
def test_what_a_client_cannot_judge_is_not_read(name: str) -> None:
    assert jobs_for(ledger(SKIPPED[name]), FAKE, "http://127.0.0.1:9") == []


@pytest.mark.parametrize(
    ("client", "each"),
    [
        (FAKE, exchange("chat/a", {}, 500)),
        (FAKE, exchange("chat/a", {}, asked={"n": 2})),
        (FAKE, exchange("chat.stream/a", b"", asked={"n": 1})),
        (OPENAI, exchange("chat.stream/a", b"", asked={"n": 2})),
        (OPENAI, exchange("models.list/a", {})),
    ],
)
def test_what_a_client_can_judge_is_read(client: Client, each: Exchange) -> None:
    assert len(jobs_for(ledger(each), client, "http://127.0.0.1:9")) == 1


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({"stream_options": {"include_usage": True}}, {"include_usage": True}),
        ({"stream_options": {"include_usage": False}}, {}),
        ({"stream_options": None, "response_format": {"type": "json_object"}}, {}),
        ({"response_format": "srt", "n": 1}, {"response_format": "srt"}),
        ({"response_format": "json", "n": 3}, {"n": 3}),
        ({"n": []}, {"n": []}),
        ({"encoding_format": "base64"}, {"encoding_format": "base64"}),
    ],
)
def test_a_job_says_what_the_reading_depends_on(body: Any, asked: Any) -> None:
    (job,) = jobs_for(ledger(exchange("chat/a", {}, asked=body)), FAKE, "http://127.0.0.1:9")

    assert job.asked == asked
    assert job.base_url == "http://127.0.0.1:9/__cases/chat/a/v1"


def test_generated_answers_are_left_out_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MOST_JOBS", 2)
    generated = exchange("chat/generated-1", {})
    generated = replace(generated, case=replace(generated.case, probes=frozenset({"generated"})))
    recorded = ledger(generated, exchange("chat/a", {}), exchange("chat/b", {}))

    assert [job.case for job in jobs_for(recorded, FAKE, "")] == ["chat/a", "chat/b"]


def test_the_worker_says_its_version_then_answers_each_line() -> None:
    jobs = [json.dumps(vars(job)) for job in jobs_for(chats("refused"), FAKE, "http://127.0.0.1:9")]

    said = list(serve("clients.fakes", jobs))

    assert said[0] == {"version": "1.0"}
    assert [each["outcome"] for each in said[1:]] == ["refused"]
    assert list(serve("clients.no_such_module", [])) == [{"missing": "No module named 'clients.no_such_module'"}]
