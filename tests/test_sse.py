"""Server-sent events: any cut gives what the whole gives."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.sse import Decoder, Event, EventTooLarge

always = settings(derandomize=True, database=None, deadline=None)
lines = st.sampled_from(
    [b"data: a", b"data:b", b"data", b"data: ", b": note", b"event: error", b"id: 1", b"retry: 2", b"x", b"data:  c"]
)
endings = st.sampled_from([b"\n", b"\r\n", b"\r"])
bodies = st.lists(st.one_of(st.tuples(lines, endings).map(b"".join), endings, st.binary(max_size=4))).map(b"".join)


def whole(body: bytes) -> list[Event]:
    """The events of a body that came at once."""
    decoder = Decoder()
    return decoder.feed(body) + decoder.close()


@always
@given(bodies, st.lists(st.integers(0, 200)))
def test_events_do_not_depend_on_where_the_bytes_are_cut(body: bytes, cuts: list[int]) -> None:
    decoder = Decoder()
    at = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    events = [event for start, end in pairwise(at) for event in decoder.feed(body[start:end])]

    assert events + decoder.close() == whole(body)


@always
@given(bodies)
def test_one_byte_at_a_time_is_the_same_and_ends_lie_inside(body: bytes) -> None:
    decoder = Decoder()
    events = [event for at in range(len(body)) for event in decoder.feed(body[at : at + 1])] + decoder.close()

    assert events == whole(body)
    assert all(0 < event.end <= len(body) for event in events)
    assert [event.end for event in events] == sorted(event.end for event in events)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_all_three_line_endings_end_events_where_they_stand(ending: str) -> None:
    body = f"data: a{ending}data: b{ending}{ending}event: x{ending}data: c{ending}{ending}".encode()

    first, second = whole(body)

    assert (first.data, first.name) == ("a\nb", "")
    assert (second.data, second.name) == ("c", "x")
    assert body[first.end :].startswith(b"event")
    assert second.end == len(body)


def test_events_that_end_in_carriage_returns_come_as_they_are_written() -> None:
    decoder = Decoder()

    assert decoder.feed(b"data: a\r\r") == []
    assert [event.data for event in decoder.feed(b"data: b\r\r")] == ["a"]


def test_an_open_event_is_delivered_at_the_end() -> None:
    assert whole(b"data: a") == [Event("a", "", 7)]
    assert whole(b"data: a\r") == [Event("a", "", 8)]


def test_a_name_without_data_is_forgotten() -> None:
    assert whole(b"event: x\n\ndata: a\n\n") == [Event("a", "", 19)]


def test_comments_are_counted() -> None:
    decoder = Decoder()
    decoder.feed(b": a\n:b\n\n")

    assert decoder.comments == 2


def test_a_byte_order_mark_is_passed_over_at_the_beginning_only() -> None:
    mark = b"\xef\xbb\xbf"

    assert [event.data for event in whole(mark + b"data: a\n\n")] == ["a"]
    assert whole(b"\n" + mark + b"data: a\n\n") == []


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert whole(b"data: \xff\n\n")[0].data == "\ufffd"


@pytest.mark.parametrize("body", [b"data: " + b"x" * 100, b"data: 12345678\n" * 10, b"data\n" * 100, b"x" * 100])
def test_an_event_that_is_too_large_is_refused(body: bytes) -> None:
    with pytest.raises(EventTooLarge, match="more than 50 bytes"):
        Decoder(50).feed(body)


def test_many_small_events_are_not_too_large() -> None:
    assert len(Decoder(50).feed(b"data: 1234567890\n\n" * 100)) == 100
