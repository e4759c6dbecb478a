"""The matrix of parameter support: what became of each optional parameter of the valid requests."""

from __future__ import annotations

from typing import Any

import pytest
from judging.runs import (
    CHUNKS,
    COMPLETION,
    ERROR,
    HEAD,
    MODELS,
    USAGE,
    answer,
    exchange,
    generated,
    ledger,
    minimised,
    sse,
    wrong,
)

from conformance.model import Case, Exchange, Response
from conformance.support import Row, Support, observe, parameter_support

OBSCURE = answer({"error": {"message": "Bad request.", "type": "invalid"}}, 400)
BROKEN = answer({"error": {"message": "oops", "type": "server_error"}}, 500)
FINE = answer(COMPLETION)
RULE = "generated.valid.accepted"


def said(*contents: Any, finish: str = "stop", usage: Any = USAGE, logprobs: Any = None) -> Response:
    """An answer with a choice for each content."""
    choices = [
        {"index": place, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
        | {"logprobs": logprobs}
        for place, content in enumerate(contents)
    ]
    return answer(COMPLETION | {"choices": choices, "usage": usage})


def streamed(*texts: str, finish: str = "stop", usage: bool = True) -> Response:
    """A stream of one choice."""
    pieces = [HEAD | {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in texts]
    end = HEAD | {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
    return answer(sse([CHUNKS[0], *pieces, end, *(CHUNKS[3:] * usage)]))


def rows(*exchanges: Exchange, **changes: Any) -> dict[str, Row]:
    """The matrix by parameter."""
    return {row.parameter: row for row in parameter_support(ledger(exchanges, **changes))}


def sent(response: Response | None, kind: str = "", **fields: Any) -> Exchange:
    """A generated request with these fields, answered so."""
    return exchange(generated(**fields), response, kind)


LOGPROBS = {"content": [{"token": "OK", "logprob": -0.1, "bytes": None, "top_logprobs": []}], "refusal": None}
JSON = {"type": "json_object"}
SEEN: dict[str, tuple[str, Any, Response, Support]] = {
    "n given": ("n", 2, said("a", "b"), Support.HONOURED),
    "n dropped": ("n", 2, said("a"), Support.IGNORED),
    "n of one": ("n", 1, said("a"), Support.ACCEPTED),
    "n null": ("n", None, said("a"), Support.ACCEPTED),
    "n without choices": ("n", 2, answer({"choices": "none"}), Support.IGNORED),
    "n of a body that is no object": ("n", 2, answer([1]), Support.IGNORED),
    "stop kept out": ("stop", ["x", "y"], said("ab"), Support.ACCEPTED),
    "stop text in the answer": ("stop", "b", said("ab"), Support.IGNORED),
    "stop list in the answer": ("stop", ["x", "b"], said("a", "b"), Support.IGNORED),
    "stop of another type": ("stop", 5, said("ab"), Support.ACCEPTED),
    "stop list of another type": ("stop", [5, ""], said("ab"), Support.ACCEPTED),
    "limit met": ("max_tokens", 3, said("a", finish="length"), Support.HONOURED),
    "limit not reached": ("max_tokens", 3, said("a"), Support.ACCEPTED),
    "limit passed": ("max_tokens", 2, said("a"), Support.IGNORED),
    "the other limit passed": ("max_completion_tokens", 2, said("a"), Support.IGNORED),
    "limit of another type": ("max_tokens", "2", said("a"), Support.ACCEPTED),
    "limit without usage": ("max_tokens", 2, said("a", usage=None), Support.ACCEPTED),
    "limit with odd usage": (
        "max_tokens",
        2,
        said("a", usage=USAGE | {"completion_tokens": "9", "completion_tokens_details": 5}),
        Support.ACCEPTED,
    ),
    "limit passed by thinking only": (
        "max_tokens",
        2,
        said("a", usage=USAGE | {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}),
        Support.ACCEPTED,
    ),
    "json given": ("response_format", JSON, said('{"a": 1}'), Support.HONOURED),
    "json of a schema given": ("response_format", {"type": "json_schema"}, said('{"a": 1}'), Support.HONOURED),
    "prose instead of json": ("response_format", JSON, said('{"a": 1}', "Hello"), Support.IGNORED),
    "a list instead of an object": ("response_format", JSON, said("[1]"), Support.IGNORED),
    "json that was cut": ("response_format", JSON, said('{"a":', finish="length"), Support.ACCEPTED),
    "plain text asked for": ("response_format", {"type": "text"}, said("Hello"), Support.ACCEPTED),
    "format of another type": ("response_format", "json", said("Hello"), Support.ACCEPTED),
    "json without text": ("response_format", JSON, said(None), Support.ACCEPTED),
    "logprobs given": ("logprobs", True, said("OK", logprobs=LOGPROBS), Support.HONOURED),
    "logprobs dropped": ("logprobs", True, said("OK"), Support.IGNORED),
    "logprobs not wanted": ("logprobs", False, said("OK"), Support.ACCEPTED),
    "logprobs of no text": ("logprobs", True, said(""), Support.ACCEPTED),
    "top logprobs given": ("top_logprobs", 2, said("OK", logprobs=LOGPROBS), Support.HONOURED),
    "top logprobs dropped": ("top_logprobs", 2, said("OK"), Support.IGNORED),
    "no top logprobs wanted": ("top_logprobs", 0, said("OK"), Support.ACCEPTED),
    "stream given": ("stream", True, streamed("OK"), Support.HONOURED),
    "stream dropped": ("stream", True, FINE, Support.IGNORED),
    "an empty stream": ("stream", True, answer(b"data: [DONE]\n\n"), Support.HONOURED),
    "stream against the request": ("stream", False, streamed("OK"), Support.IGNORED),
    "no stream": ("stream", False, FINE, Support.HONOURED),
    "usage given": ("stream_options", {"include_usage": True}, streamed("OK"), Support.HONOURED),
    "usage dropped": ("stream_options", {"include_usage": True}, streamed("OK", usage=False), Support.IGNORED),
    "usage not wanted": ("stream_options", {"include_usage": False}, streamed("OK"), Support.ACCEPTED),
    "stream options of another type": ("stream_options", 5, streamed("OK"), Support.ACCEPTED),
    "stream options without a stream": ("stream_options", {"include_usage": True}, FINE, Support.ACCEPTED),
    "n in a stream": ("n", 2, streamed("OK"), Support.IGNORED),
    "stop in a stream": ("stop", ["OK"], streamed("O", "K"), Support.IGNORED),
    "an effect that cannot be seen": ("temperature", 0.5, FINE, Support.ACCEPTED),
    "unknown": ("invented", {"a": 1}, FINE, Support.ACCEPTED),
}


@pytest.mark.parametrize("name", SEEN)
def test_an_answer_shows_what_became_of_a_parameter(name: str) -> None:
    parameter, value, response, support = SEEN[name]
    found = sent(response, **{parameter: value})

    assert observe(found, parameter) is support
    assert rows(found) == {parameter: Row(parameter, support, 1, "chat/generated-1")}


def test_choices_share_the_room_of_a_limit() -> None:
    assert rows(sent(said("a", "b"), max_tokens=2, n=2))["max_tokens"].support is Support.ACCEPTED
    assert rows(sent(said("a", "b"), max_tokens=1, n=2))["max_tokens"].support is Support.IGNORED


def test_a_number_of_choices_of_another_type_says_nothing_of_a_limit() -> None:
    assert rows(sent(said("a"), max_tokens=1, n="2"))["max_tokens"].support is Support.ACCEPTED


def test_a_stop_string_may_cut_json() -> None:
    assert rows(sent(said('{"a"'), response_format=JSON, stop=["}"]))["response_format"].support is Support.ACCEPTED


def test_choices_that_are_no_objects_are_passed_over() -> None:
    odd = answer(COMPLETION | {"choices": [5, {"message": 5, "finish_reason": "stop"}]})

    assert rows(sent(odd, stop="a", n=1))["stop"].support is Support.ACCEPTED


def test_rows_are_sorted_and_count_the_requests() -> None:
    first, second = generated("chat/generated-1", user="a", n=2), generated("chat/generated-2", user="b")

    found = parameter_support(ledger([exchange(first, said("a", "b")), exchange(second, FINE)]))

    assert [(row.parameter, row.sent, row.exchange) for row in found] == [
        ("n", 1, "chat/generated-1"),
        ("user", 2, "chat/generated-1"),
    ]


def refusing(part: str, status: int = 400) -> Response:
    """A plain refusal of one part."""
    return answer({"error": {"message": f"{part} is not supported", "type": "invalid", "param": part}}, status)


def test_a_plain_refusal_is_charged_to_the_parameter_that_it_names() -> None:
    found = rows(sent(refusing("n"), n=2, seed=1))

    assert {name: row.support for name, row in found.items()} == {"n": Support.REFUSED}


IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}
PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "messages[].role developer": ("developer", {"role": "developer", "content": "Be brief"}),
    "messages[].name": ("name", {"role": "user", "content": "Hi", "name": "ann"}),
    "messages[].content image_url": ("image_url", {"role": "user", "content": [IMAGE]}),
    "messages[].content as parts or empty": ("content", {"role": "user", "content": ""}),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_messages_have_rows_too(name: str) -> None:
    part, message = PARTS[name]
    fields = {"messages": [message, {"role": "user", "content": "Hi"}], "seed": 1}

    assert rows(sent(refusing(part), **fields)) == {name: Row(name, Support.REFUSED, 1, "chat/generated-1", 1)}
    assert rows(sent(FINE, **fields))[name].support is Support.ACCEPTED
    assert rows(sent(BROKEN, **fields))[name].support is Support.BREAKS


def test_a_refusal_that_names_nothing_optional_leaves_all_to_blame() -> None:
    assert rows(sent(refusing("messages"), seed=1))["seed"].support is Support.BREAKS


def test_a_parameter_that_works_somewhere_is_not_called_refused() -> None:
    found = rows(sent(refusing("n"), name="chat/generated-1", n=2), sent(said("a", "b"), name="chat/generated-2", n=2))

    assert (found["n"].support, found["n"].sent, found["n"].exchange) == (Support.HONOURED, 2, "chat/generated-2")
    assert found["n"].refused == 1


@pytest.mark.parametrize("response", [OBSCURE, BROKEN, answer(ERROR, 500)])
def test_what_was_never_accepted_is_blamed_for_a_failure(response: Response) -> None:
    found = rows(
        sent(response, name="chat/generated-1", seed=1, user="a"), sent(FINE, name="chat/generated-2", user="b")
    )

    assert found["seed"].support is Support.BREAKS
    assert found["user"].support is Support.ACCEPTED


def test_the_smallest_failing_request_shows_who_is_to_blame_and_beside_whom() -> None:
    case = generated(seed=1, user="a", stop=["x"], n=2, max_tokens=5)
    least = generated(stop=["x"], n=2, max_tokens=5)
    failed = exchange(case, BROKEN)
    good = sent(said("a", "b"), name="chat/generated-2", n=2, stop="y")

    found = rows(failed, good, minimised=(minimised(case, least, BROKEN, RULE),))

    assert set(found) == {"n", "stop"}
    assert (found["n"].support, found["n"].beside, found["n"].exchange) == (Support.BREAKS, ("stop",), case.id)
    assert (found["stop"].support, found["stop"].beside) == (Support.BREAKS, ("n",))


def test_an_output_limit_that_is_always_left_is_never_guilty() -> None:
    case, least = generated(seed=1, max_tokens=5), generated(max_tokens=5)

    assert rows(exchange(case, BROKEN), minimised=(minimised(case, least, BROKEN, RULE),)) == {}


def test_a_failure_that_did_not_come_again_blames_as_if_nothing_had_been_tried() -> None:
    case = generated(seed=1, user="a")
    again = minimised(case, case, FINE, RULE, reproduced=False, smallest=0)

    found = rows(exchange(case, BROKEN), minimised=(again,))

    assert {row.support for row in found.values()} == {Support.BREAKS}
    assert found["seed"].beside == ()


def test_only_what_breaks_is_said_to_need_others() -> None:
    """The smallest request of another rule says nothing about why an answer ignored a parameter."""
    case = generated(n=2, stop="a")

    found = rows(exchange(case, said("a")), minimised=(minimised(case, case, FINE, "chat.n.count"),))

    assert {name: (row.support, row.beside) for name, row in found.items()} == {
        "n": (Support.IGNORED, ()),
        "stop": (Support.IGNORED, ()),
    }


WITHOUT: dict[str, Exchange] = {
    "a bad request": exchange(wrong(), OBSCURE),
    "a request without a body": exchange(generated(body=None), FINE),
    "another operation": exchange(generated("models.list/generated", seed=1), answer(MODELS)),
    "no answer": sent(None, "timeout", seed=1),
    "half an answer": sent(FINE, "reset", seed=1),
    "no route": sent(answer(ERROR, 404), seed=1),
    "a web page": sent(answer(b"<html>"), seed=1),
    "no credit": sent(answer({"error": {"message": "insufficient quota"}}, 403), seed=1),
    "a stream that was broken off": sent(streamed("OK"), seed=1, stop_after_events=2),
    "nothing optional": sent(FINE),
    **{f"HTTP {status}": sent(answer({}, status), seed=1) for status in (408, 429, 502, 503, 504, 529)},
}


@pytest.mark.parametrize("name", WITHOUT)
def test_what_says_nothing_of_a_parameter_is_left_out(name: str) -> None:
    assert rows(WITHOUT[name]) == {}


def test_a_fixed_request_tells_as_well() -> None:
    case: Case = generated("chat/fixed", probes=frozenset({"n"}), feature="n", n=2)

    assert rows(exchange(case, said("a", "b")))["n"].support is Support.HONOURED
    assert rows(exchange(case, refusing("n")))["n"].support is Support.REFUSED
    assert rows(exchange(case, refusing("seed")))["n"].support is Support.BREAKS


def test_being_a_stream_is_not_to_blame_for_what_a_stream_shows() -> None:
    case = generated("chat.stream/generated-1", stream=True, temperature=None, seed=1)
    least = generated("chat.stream/generated-1", stream=True, temperature=None)
    again = minimised(case, least, BROKEN, "generated.valid.no-5xx")
    found = {
        row.parameter: row.support for row in parameter_support(ledger([exchange(case, BROKEN)], minimised=(again,)))
    }

    assert found == {"temperature": Support.BREAKS}
