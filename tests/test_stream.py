"""What a chat stream says: lenient reading, honest times."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.stream import Stream

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "index", "content", "finish_reason", "usage", "error", "role"]), inner
        )
    ),
    max_leaves=12,
)


def frames(*entries: Any) -> bytes:
    """Each entry as one frame."""
    return b"".join(b"data: " + json.dumps(entry).encode() + b"\n\n" for entry in entries)


def delta(index: int = 0, finish: Any = None, **fields: Any) -> dict[str, Any]:
    """A chunk with one choice."""
    return {"choices": [{"index": index, "delta": fields, "finish_reason": finish}]}


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(values, max_size=4))
def test_no_chunks_make_it_raise(entries: list[Any]) -> None:
    stream = Stream.read(frames(*entries))

    assert len(stream.chunks) + len(stream.problems) == len(entries)
    assert stream.first_content == 0.0
    assert all(choice.finish is not None and choice.text is not None for choice in stream.choices.values())
    assert len(stream.errors) + len(stream.usages) <= 2 * len(entries)


def test_the_pieces_of_each_choice_are_joined() -> None:
    stream = Stream.read(
        frames(
            delta(0, role="assistant", content=""),
            delta(1, content="b"),
            delta(0, content="a"),
            delta(1, content="b"),
            delta(0, "stop"),
            delta(1, "", content="c"),
            delta(1, "length"),
        )
        + b"data: [DONE]\n\n"
    )

    assert {index: choice.text for index, choice in stream.choices.items()} == {0: "a", 1: "bbc"}
    assert {index: choice.finish for index, choice in stream.choices.items()} == {0: "stop", 1: "length"}
    assert stream.choices[0].roles == [(0, "assistant")]
    assert stream.done == (7,)


def test_what_comes_after_a_finish_is_noted() -> None:
    stream = Stream.read(frames(delta(content="a"), delta(0, "stop", content="b"), delta(content="c")))

    assert stream.choices[0].late == [2]


def test_reasoning_and_tools_are_no_content() -> None:
    stream = Stream.read(frames(delta(reasoning_content="hm"), delta(reasoning="so"), delta(tool_calls=[{"id": "x"}])))

    choice = stream.choices[0]
    assert (choice.text, choice.reasoning, choice.other) == ("", ["hm", "so"], True)


def test_problems_duplicates_comments_and_bad_bytes_have_their_places() -> None:
    body = b': ping\n\ndata: nope\n\ndata: [1]\n\ndata: {"a": 1, "a": 2}\n\ndata: "\xff"\n\n'

    stream = Stream.read(body)

    assert [(problem.event, problem.problem.partition(":")[0]) for problem in stream.problems] == [
        (0, "not JSON"),
        (1, "not a JSON object"),
        (3, "not a JSON object"),
    ]
    assert stream.duplicates == ((2, "a"),)
    assert stream.comments == 1
    assert stream.utf8_problem == f"byte 0xff at offset {body.index(0xFF)}"


def test_an_event_has_the_time_of_the_arrival_that_completed_it() -> None:
    body = frames(delta(content="a"), delta(content="b"), delta(content="c"))
    third = len(body) // 3

    stream = Stream.read(body, ((0.1, third - 1), (0.2, 2 * third), (0.3, 3 * third)))

    assert stream.times == (0.2, 0.2, 0.3)
    assert stream.first_content == 0.2


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_times_do_not_depend_on_the_line_ending(ending: bytes) -> None:
    pieces = [frames(delta(content=text)).replace(b"\n", ending) for text in "abc"]
    sizes = [len(b"".join(pieces[: number + 1])) for number in range(3)]

    stream = Stream.read(b"".join(pieces), tuple(zip((0.1, 0.2, 0.3), sizes, strict=True)))

    assert stream.times == (0.1, 0.2, 0.3)


def test_errors_and_usages_are_found() -> None:
    stream = Stream.read(frames({"error": {"message": "no"}}, {"usage": {"total_tokens": 1}}, {"usage": None}))

    assert [chunk.event for chunk in stream.errors] == [0]
    assert [chunk.event for chunk in stream.usages] == [1]


def test_a_stream_that_cannot_be_held_is_said_to_be_too_large() -> None:
    assert Stream.read(b"data: " + b"x" * 2_000_000).oversized
