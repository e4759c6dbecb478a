"""How values of a client's objects reach its user: given as objects that only look like the client's."""

from __future__ import annotations

from types import SimpleNamespace as Made
from typing import Any

import pytest

from conformance.clients.readings import Content, ToolCall
from conformance.clients.using import Streamed, Unusable, bytes_text, chat_content, text_of, tokens_of, tool_call

USAGE = Made(prompt_tokens=8, completion_tokens=2)


def call(arguments: Any, name: Any = "f", index: Any = 0, call_id: Any = "t") -> Made:
    return Made(id=call_id, index=index, function=Made(name=name, arguments=arguments))


def answer(*choices: Made, **more: Any) -> Made:
    return Made(choices=list(choices), **more)


def choice(text: Any = "Hi", finish: Any = "stop", index: Any = 0, calls: Any = None) -> Made:
    said = Made(content=text, tool_calls=calls)
    return Made(index=index, message=said, delta=said, finish_reason=finish)


def test_a_chat_answer_is_read_as_users_read_it() -> None:
    found = chat_content(answer(choice(), choice(None, None, 1, [call('{"a":1}')]), usage=USAGE))

    assert found == Content(("Hi", ""), (ToolCall("f", '{"a": 1}', "t"),), ("stop", ""), (8, 2))
    assert chat_content(answer(choice())).usage is None


def test_an_answer_without_choices_is_of_no_use() -> None:
    with pytest.raises(Unusable, match="no choices"):
        chat_content(answer())


CHUNKS = [
    answer(choice("", None), choice("", None, 1), usage=None),
    answer(choice(None, None, 1, [call("", index=0)])),
    answer(choice("a", None), choice(None, None, 1, [call('{"a":', None, 0, None)])),
    answer(choice("b", "length"), choice("c", "tool_calls", 1, [call("1}", None, 0, "late")])),
    Made(choices=None, usage=USAGE),
]


def test_the_chunks_of_several_choices_are_told_apart() -> None:
    found = Streamed(several=True)
    for chunk in CHUNKS:
        found.take(chunk)

    assert found.content() == Content(("ab", "c"), (ToolCall("f", '{"a": 1}', "t"),), ("length", "tool_calls"), (8, 2))


def test_with_one_choice_nobody_looks_at_its_index() -> None:
    found = Streamed()
    for index, text in enumerate("abc"):
        found.take(answer(choice(text, None, index)))

    assert found.content() == Content(texts=("abc",), finishes=("",))


def test_a_stream_without_chunks_says_nothing() -> None:
    assert Streamed().content() == Content()


@pytest.mark.parametrize("value", [5, ["a"], {"a": 1}])
def test_what_is_no_text_is_of_no_use(value: Any) -> None:
    with pytest.raises(Unusable, match="where text belongs"):
        text_of(value)


@pytest.mark.parametrize("pair", [("8", 2), (None, None), (8, 2.5)])
def test_what_is_no_count_is_of_no_use(pair: tuple[Any, Any]) -> None:
    with pytest.raises(Unusable, match="where token counts belong"):
        tokens_of(*pair)


def test_only_the_output_may_be_uncounted() -> None:
    assert tokens_of(8, None) == (8, 0)


@pytest.mark.parametrize("arguments", ["", "{"])
def test_arguments_that_are_no_json_are_of_no_use(arguments: str) -> None:
    with pytest.raises(Unusable, match="the arguments of a tool call are no JSON"):
        tool_call("f", arguments, "t")


def test_bytes_that_differ_look_different() -> None:
    assert bytes_text(b"AB").startswith("2 bytes ")
    assert bytes_text(b"AB") != bytes_text(b"AC")
