"""What is measured of a run: first attempts that went well, and nothing else."""

from dataclasses import replace

import pytest

from conformance.measures import FIRST_BYTE, FIRST_CONTENT, TOKEN_RATE, Measure, measures, reliability
from conformance.model import Attempt, Exchange, Expectation, Failure, Ledger, Response

from .samples import answer, case, exchange, ledger, stream

CHUNK = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
USAGE = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 20, "total_tokens": 21}}


def test_a_good_answer_has_its_first_byte() -> None:
    assert measures(ledger(exchange())) == [Measure("chat", FIRST_BYTE, (0.25,))]


@pytest.mark.parametrize(
    "other",
    [
        exchange(response=answer(status=400)),
        exchange(response=None, failure=Failure("reset", "gone")),
        exchange(attempts=(Attempt(429, (), None, 0.5),)),
    ],
    ids=["refused", "unanswered", "retried"],
)
def test_what_went_wrong_first_is_no_sample(other: Exchange) -> None:
    assert measures(ledger(other)) == []


def test_a_stream_has_its_first_content_and_its_rate() -> None:
    streamed = exchange("chat.stream/minimal", response=stream(CHUNK, CHUNK, USAGE))
    found = {each.what: each.values for each in measures(ledger(streamed))}

    first, last = streamed.stream.first_content, streamed.stream.times[-1]
    assert found[FIRST_CONTENT] == (first,)
    assert found[TOKEN_RATE] == (pytest.approx(20 / (last - first)),)


def test_a_burst_has_no_rate() -> None:
    burst = stream(CHUNK, USAGE)
    at_once = replace(burst, arrivals=((0.2, len(burst.body)),))
    found = {each.what for each in measures(ledger(exchange("chat.stream/minimal", response=at_once)))}

    assert found == {FIRST_BYTE, FIRST_CONTENT}


def test_the_median_of_many_has_an_interval() -> None:
    found = Measure("chat", FIRST_BYTE, tuple(float(value) for value in range(20))).interval

    assert found is not None
    assert found.low == 5
    assert found.high == 14


@pytest.mark.parametrize(
    ("response", "failure", "attempts", "good"),
    [
        (answer(), None, (), 1),
        (answer(status=400), None, (), 1),
        (answer(status=429), None, (), 0),
        (answer(status=502), None, (), 0),
        (None, Failure("timeout", "60 s"), (), 0),
        (answer(), None, (Attempt(503, (), None, 0.5),), 0),
    ],
)
def test_a_retry_is_no_success(
    response: Response | None, failure: Failure | None, attempts: tuple[Attempt, ...], good: int
) -> None:
    found = reliability(ledger(exchange(response=response, failure=failure, attempts=attempts)))

    assert (found.answered, found.asked) == (good, 1)


def test_what_was_held_back_counts_nowhere() -> None:
    held: Ledger = ledger(exchange(response=None, failure=Failure("no-model", "embeddings")))

    assert reliability(held).asked == 0


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("chat/missing-messages", 500, {"error": {"message": "list index out of range", "type": "server_error"}}),
        ("messages/minimal", 500, {"message": "messages is not supported by openai"}),
        ("messages/minimal", 404, {"detail": "Not Found"}),
    ],
    ids=["bad-request", "not-built", "no-route"],
)
def test_an_error_that_no_good_request_met_is_no_outage(name: str, status: int, body: dict[str, object]) -> None:
    expect = Expectation.REFUSAL if "missing" in name else Expectation.SUCCESS
    other = exchange(name, case=case(name, expect=expect), response=answer(body, status=status))
    found = reliability(ledger(exchange(), other))

    assert (found.answered, found.asked) == (1, 1)
