"""Sending: what goes out, how much of it at once, and what is done when the relay says no."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hostile.server import KEY, MODEL, Answer, Call, Server, completion, first_honest, honest
from judging.runs import generated, wrong
from plans import core_plan

from conformance.errors import UsageError
from conformance.judging import judge
from conformance.model import Exchange, Ledger, Limits, Phase, Provider, Stop
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY, BackgroundRelay, create_app
from conformance.send import record, record_async

FEW = ("chat.id.fresh",)
SECRETS = Secrets({"RELAY_API_KEY": KEY})
QUICK = Limits(timeout=10.0, backoff=0.01, longest_wait=5.0)


def sent(
    server_url: str, folder: Path, only: tuple[str, ...] = FEW, *, key_env: str = "RELAY_API_KEY", **limits: Any
) -> Ledger:
    """A run with few requests."""
    provider = Provider(server_url, MODEL, key_env)
    return record(
        core_plan(only), provider, folder / "ledger.jsonl", secrets=SECRETS, limits=replace(QUICK, **limits), rules=only
    )


def stopped(ledger: Ledger) -> Stop:
    """Why the run stopped."""
    assert ledger.stop is not None
    return ledger.stop


def below(prefix: str, answer: Answer = honest) -> Answer:
    """An API below a path of its own; web pages everywhere else."""

    async def routed(call: Call) -> None:
        if call.path.startswith(prefix):
            await answer(replace_path(call, "/v1" + call.path.removeprefix(prefix)))
        else:
            await call.reply(b"<!doctype html><title>home</title>", content_type="text/html")

    return routed


def replace_path(call: Call, path: str) -> Call:
    """The same call on another path."""
    return replace(call, path=path)


@pytest.mark.parametrize(
    ("prefix", "given"),
    [
        ("/v1", ""),
        ("/v1", "/"),
        ("/v1", "/v1"),
        ("/v1", "/v1/"),
        ("/v1", "/v1/chat/completions"),
        ("/v1", "/v1/models/"),
        ("/api/v1", "/api"),
        ("/api/v1", "/api/v1"),
        ("/api", "/api"),
        ("", "/v1"),
        ("/openai", "/openai/v1"),
    ],
)
def test_the_base_url_is_found_however_it_is_written(prefix: str, given: str, tmp_path: Path) -> None:
    with Server(below(prefix)) as server:
        ledger = sent(server.url + given, tmp_path)

    assert ledger.stop is None
    assert ledger.provider.base_url == server.url + prefix
    assert all(exchange.status == 200 for exchange in ledger.exchanges)


def test_what_is_no_base_url_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        sent("ftp://127.0.0.1", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_plan_without_the_first_two_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the plan lacks"):
        record(plan()[3:], Provider("http://127.0.0.1:9", MODEL), tmp_path / "ledger.jsonl")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("concurrency", [1, 2, 8, 16, 32])
def test_no_more_than_the_limit_is_in_flight_and_everything_is_sent(concurrency: int, tmp_path: Path) -> None:
    async def slow(call: Call) -> None:
        await asyncio.sleep(0.02)
        await honest(call)

    with Server(slow) as server:
        ledger = sent(server.base_url, tmp_path, (), concurrency=concurrency)

    unsent = {exchange.case.id for exchange in ledger.exchanges if exchange.failure}
    assert len(ledger.exchanges) == len(ledger.plan)
    assert server.busiest <= max(2, concurrency)
    assert concurrency < 16 or server.busiest > 8
    assert unsent == ({"chat.stream/at-once-1-second", "chat.stream/at-once-2-second"} if concurrency == 1 else set())


def test_one_busy_client_does_not_hold_up_requests_while_another_is_free(tmp_path: Path) -> None:
    async def uneven(call: Call) -> None:
        await asyncio.sleep(0.6 if call.number % 2 else 0)
        await honest(call)

    with Server(uneven) as server:
        ledger = sent(server.base_url, tmp_path, (), concurrency=16)

    assert max(exchange.seconds for exchange in ledger.exchanges) < 5


def test_with_room_for_one_the_run_comes_to_its_end(tmp_path: Path) -> None:
    with BackgroundRelay() as relay:
        provider = Provider(relay.base_url, MODEL)
        secrets = Secrets({"RELAY_API_KEY": DEFAULT_KEY})
        ledger = record(plan(alone=True), provider, tmp_path / "a", secrets=secrets, limits=Limits(concurrency=1))

    assert ledger.complete
    assert not [exchange for exchange in ledger.exchanges if exchange.failure]


def refusing(status: int, message: str, **headers: str) -> Answer:
    """The same refusal for every request."""

    async def answer(call: Call) -> None:
        await call.value({"error": {"message": message, "type": "t", "param": None, "code": None}}, status, **headers)

    return answer


REFUSALS: dict[str, tuple[int, str, str]] = {
    "rejected-key": (401, "Incorrect API key provided", "key-rejected"),
    "forbidden": (403, "Not in this country", "key-rejected"),
    "quota": (429, "You exceeded your current quota", "no-credit"),
    "payment": (402, "Insufficient balance", "no-credit"),
    "quota-in-chinese": (403, "用户额度不足", "no-credit"),
    "model-by-404": (404, "The model `mock-chat` does not exist", "model-unknown"),
    "model-by-503": (503, "当前分组下对于模型 mock-chat 无可用渠道", "model-unknown"),
    "model-by-403": (403, "no access to model mock-chat", "model-unknown"),
    "no-route": (404, "no such path", "no-chat"),
    "not-implemented": (501, "not here", "no-chat"),
    "busy": (429, "slow down", "unavailable"),
    "down": (502, "bad gateway", "unavailable"),
    "timeout": (408, "too slow", "unavailable"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_run_that_makes_no_sense_stops_with_one_clear_message(name: str, tmp_path: Path) -> None:
    status, message, code = REFUSALS[name]

    with Server(refusing(status, message)) as server:
        ledger = sent(server.base_url, tmp_path, (), retries=0)

    stop = stopped(ledger)
    assert stop.code == code
    assert message in stop.message
    assert f"HTTP {status}" in stop.zh
    assert len(server.calls) <= 4
    assert {call.path.rpartition("/")[2] for call in server.calls} == {"models", "completions"}


def test_an_unknown_model_is_answered_with_the_nearest_that_is_listed(tmp_path: Path) -> None:
    models = {"object": "list", "data": [{"id": "mock-chat-mini"}, {"id": "other"}, {"nothing": 1}, "x"]}

    async def answer(call: Call) -> None:
        if call.method == "GET":
            await call.value(models)
        else:
            await refusing(404, "model not found")(call)

    with Server(answer) as server:
        ledger = sent(server.base_url, tmp_path)

    assert stopped(ledger).hint.startswith("listed are: mock-chat-mini")


def test_a_refusal_of_the_smallest_request_goes_on_to_be_judged(tmp_path: Path) -> None:
    with Server(refusing(422, "messages: unknown field")) as server:
        ledger = sent(server.base_url, tmp_path)

    assert ledger.stop is None
    assert len(ledger.exchanges) == len(ledger.plan)


def test_a_relay_whose_chat_is_a_web_page_is_stopped_there(tmp_path: Path) -> None:
    async def answer(call: Call) -> None:
        if call.method == "GET":
            await honest(call)
        else:
            await call.reply(b"<html>", content_type="text/html")

    with Server(answer) as server:
        ledger = sent(server.base_url, tmp_path)

    assert stopped(ledger).code == "wrong-base-url"
    assert len(server.calls) == 2


def only_other_limit(call: Call) -> Any:
    """A reasoning model: `max_tokens` is refused by name."""
    if "max_tokens" in call.json:
        message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
        return call.value(
            {"error": {"message": message, "type": "invalid_request_error", "param": "max_tokens", "code": None}}, 400
        )
    return honest(call)


def test_a_model_that_takes_the_other_limit_is_asked_with_it(tmp_path: Path) -> None:
    with Server(only_other_limit) as server:
        ledger = sent(server.base_url, tmp_path)

    assert ledger.stop is None
    assert ledger.limit_field == "max_completion_tokens"
    assert [exchange.status for exchange in ledger.preflight] == [400]
    assert all(exchange.status == 200 for exchange in ledger.exchanges)
    assert b'"max_completion_tokens": 16' in ledger.by_case["chat/minimal"].request.body


def test_where_neither_name_of_the_limit_is_taken_the_first_answer_is_judged(tmp_path: Path) -> None:
    def neither(call: Call) -> Any:
        message = "max_tokens and max_completion_tokens are not supported"
        return call.value({"error": {"message": message, "type": "t", "param": "max_tokens", "code": None}}, 400)

    with Server(neither) as server:
        ledger = sent(server.base_url, tmp_path)

    assert ledger.limit_field == "max_tokens"
    assert b'"max_tokens"' in ledger.by_case["chat/minimal"].request.body
    assert b'"max_completion_tokens"' in ledger.preflight[-1].request.body


def test_a_continued_run_remembers_the_other_limit(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with Server(only_other_limit) as server:
        sent(server.base_url, tmp_path)
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))
        ledger = record((), Provider(server.base_url, MODEL), path, secrets=SECRETS, limits=QUICK, resume=True)

    assert ledger.complete
    assert all(exchange.status == 200 for exchange in ledger.exchanges)


def busy(times: int, **headers: str) -> Callable[[], Answer]:
    """After an honest beginning, so many refusals of each request before an answer."""

    def made() -> Answer:
        seen: dict[bytes, int] = {}

        async def answer(call: Call) -> None:
            seen[call.body] = seen.get(call.body, 0) + 1
            if seen[call.body] <= times:
                await refusing(429, "slow down", **headers)(call)
            else:
                await honest(call)

        return first_honest(answer)

    return made


def retried(ledger: Ledger) -> list[Exchange]:
    """Exchanges with earlier attempts."""
    return [exchange for exchange in ledger.exchanges if exchange.attempts]


def test_a_refused_request_is_sent_again_and_every_attempt_is_recorded(tmp_path: Path) -> None:
    with Server(busy(1)()) as server:
        ledger = sent(server.base_url, tmp_path, ("chat.usage.grows",))

    assert all(exchange.status == 200 for exchange in ledger.exchanges)
    assert [attempt.status for exchange in retried(ledger) for attempt in exchange.attempts] == [429] * len(
        retried(ledger)
    )
    assert len(server.calls) == len(ledger.plan) + len(retried(ledger))


@pytest.mark.parametrize(
    ("given", "waited"),
    [("0", 0.0), ("0.3", 0.3), ("-5", 0.0), ("soon", 0.01), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.01)],
)
def test_what_the_relay_asks_to_wait_is_waited(given: str, waited: float, tmp_path: Path) -> None:
    with Server(busy(1, Retry_After=given)()) as server:
        ledger = sent(server.base_url, tmp_path, ("chat.usage.grows",))

    exchange = retried(ledger)[0]
    assert exchange.attempts[0].waited == waited
    assert exchange.status == 200


@pytest.mark.parametrize("given", ["3600", "1e400", "nan", "inf"])
def test_a_wait_that_is_too_long_is_not_waited(given: str, tmp_path: Path) -> None:
    with Server(busy(1, Retry_After=given)()) as server:
        ledger = sent(server.base_url, tmp_path, ("chat.usage.grows",))

    assert all(attempt.waited <= 5 for exchange in retried(ledger) for attempt in exchange.attempts)
    assert ledger.complete


@pytest.mark.parametrize("requests", [1, 2, 3, 5, 9])
def test_the_ceiling_of_requests_holds_whatever_is_repeated(requests: int, tmp_path: Path) -> None:
    with Server(busy(100)()) as server:
        ledger = sent(server.base_url, tmp_path, (), requests=requests)

    assert len(server.calls) <= requests
    assert ledger.complete
    assert requests > 1 or stopped(ledger).code == "not-sent"


def test_repeating_does_not_take_what_others_need(tmp_path: Path) -> None:
    with Server(busy(100)()) as server:
        planned = len(plan(("chat.usage",)))
        ledger = sent(server.base_url, tmp_path, ("chat.usage",), requests=planned + 3)

    assert len(server.calls) == planned + 3
    assert all(exchange.response for exchange in ledger.exchanges)


@pytest.mark.parametrize("tokens", [0, 16, 40, 200])
def test_the_ceiling_of_tokens_holds(tokens: int, tmp_path: Path) -> None:
    async def silent_about_usage(call: Call) -> None:
        value = completion()
        del value["usage"]
        await (honest(call) if call.method == "GET" else call.value(value))

    with Server(silent_about_usage) as server:
        ledger = sent(server.base_url, tmp_path, (), output_tokens=tokens)

    asked = [call.json.get("max_tokens") or call.json.get("max_completion_tokens") or 0 for call in server.calls]
    assert sum(number for number in asked if isinstance(number, int)) <= tokens
    assert ledger.complete


def test_after_its_time_a_run_sends_nothing_more(tmp_path: Path) -> None:
    async def slow(call: Call) -> None:
        await asyncio.sleep(0.2)
        await honest(call)

    with Server(slow) as server:
        ledger = sent(server.base_url, tmp_path, (), run_seconds=0.5, concurrency=2)

    unsent = [exchange for exchange in ledger.exchanges if exchange.failure]
    assert len(ledger.exchanges) == len(ledger.plan)
    assert len(unsent) > 10
    assert {exchange.failure.detail for exchange in unsent if exchange.failure} == {"the run took longer than 0.5 s"}


def test_a_rate_is_kept(tmp_path: Path) -> None:
    with Server(honest) as server:
        ledger = sent(server.base_url, tmp_path, FEW, rate=20.0)

    assert ledger.seconds >= (len(ledger.plan) - 1) / 20


def test_without_a_key_none_is_sent(tmp_path: Path) -> None:
    with Server(honest) as server:
        sent(server.base_url, tmp_path, key_env="")

    assert not any("authorization" in call.headers for call in server.calls)


def test_the_key_is_sent_but_not_written(tmp_path: Path) -> None:
    with Server(honest) as server:
        ledger = sent(server.base_url, tmp_path)

    masked = "Bearer <KEY" + "*" * (len(KEY) - 5) + ">"
    assert {call.headers["authorization"] for call in server.calls} == {f"Bearer {KEY}"}
    assert {dict(exchange.request.headers)["Authorization"] for exchange in ledger.exchanges} == {masked}


def encoded(name: str, data: bytes, size: int) -> Answer:
    """An encoded answer in pieces of some bytes."""

    async def answer(call: Call) -> None:
        await call.head(Content_Encoding=name)
        for at in range(0, len(data), size):
            await call.send(data[at : at + size])
            await asyncio.sleep(0)

    return answer


def raw_deflate(data: bytes) -> bytes:
    """Deflate as some servers send it, without a header."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "upper-case": ("GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate-without-header": ("deflate", raw_deflate),
    "deflate-that-is-gzip": ("deflate", gzip.compress),
    "identity": ("identity", bytes),
}


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("name", PACKERS)
def test_an_encoded_answer_is_read(name: str, size: int, tmp_path: Path) -> None:
    said, pack = PACKERS[name]
    body = json.dumps(completion()).encode()

    with Server(first_honest(encoded(said, pack(body), size))) as server:
        ledger = sent(server.base_url, tmp_path)

    response = ledger.by_case["chat/twice-1"].response
    assert response is not None
    assert response.body == body


def test_a_file_that_grows_in_an_event_loop_of_the_callers(tmp_path: Path) -> None:
    async def run(url: str) -> Ledger:
        provider = Provider(url, MODEL)
        return await record_async(plan(FEW), provider, tmp_path / "a", secrets=SECRETS, limits=QUICK)

    with Server(honest) as server:
        assert asyncio.run(run(server.base_url)).complete


def test_a_stream_is_broken_off_where_the_case_says_so(tmp_path: Path) -> None:
    with BackgroundRelay(create_app(latency=0.1)) as relay:
        secrets = Secrets({"RELAY_API_KEY": DEFAULT_KEY})
        only = ("chat.stream.survives-hang-up",)
        ledger = record(plan(only), Provider(relay.base_url, MODEL), tmp_path / "a", secrets=secrets)

    broken = ledger.by_case["chat.stream/disconnect"]
    assert broken.answered
    assert broken.stream.done == ()
    assert ledger.by_case["chat.stream/after-disconnect-1"].started >= broken.started
    assert judge(ledger, only)[0].verdict.label == "pass"


def test_a_refused_connection_later_is_tried_again(tmp_path: Path) -> None:
    with Server(first_honest(refusing(503, "overloaded"))) as server:
        ledger = sent(server.base_url, tmp_path)

    assert {len(exchange.attempts) for exchange in ledger.exchanges if exchange.status == 503} == {1}


@pytest.mark.parametrize("concurrency", [1, 4])
def test_bad_generated_requests_wait_until_every_good_one_has_ended(concurrency: int, tmp_path: Path) -> None:
    ended: list[tuple[bool, int]] = []
    good_ones = [generated(f"chat/generated-{number}", n=1, seed=number) for number in range(6)]
    bad_ones = [wrong(f"chat/generated-{number}", n="x", seed=number) for number in range(6, 9)]
    after = generated("chat/generated-9", phase=Phase.INVALID, follows=bad_ones[0].id, seed=9)

    async def answer(call: Call) -> None:
        bad, good_before = call.json.get("n") == "x", sum(not bad for bad, _ in ended)
        await asyncio.sleep(0.2 if call.json.get("seed") == 0 else 0)
        ended.append((bad, good_before))
        await honest(call)

    with Server(answer) as server:
        provider = Provider(server.base_url, MODEL)
        cases = [*plan(FEW), *good_ones, *bad_ones, after]
        limits = replace(QUICK, concurrency=concurrency)
        ledger = record(cases, provider, tmp_path / "ledger.jsonl", secrets=SECRETS, limits=limits)

    good = len(ended) - len(bad_ones) - 1
    assert ledger.complete
    assert len(ledger.exchanges) == len(cases)
    assert min(before for bad, before in ended if bad) >= good
