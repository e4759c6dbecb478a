"""A provider's own page as a judge."""

from __future__ import annotations

import pytest
from judging.runs import CASES, COMPLETION, answer, claim, exchange, page

from conformance.contract import SchemaSet
from conformance.documented import Documented
from conformance.errors import DataError

MINIMAL = CASES["chat/minimal"]
SHAPE = {"required": ["x"], "x-source": "a.txt:3", "properties": {"id": {"type": "integer", "x-weak": True}}}


def test_a_page_describes_the_operations_whose_answers_it_shows() -> None:
    assert Documented(page(response={"type": "object"})).describes("chat")
    assert not Documented(page(request={"type": "object"})).describes("chat")
    assert not Documented(page(response={"type": "object"})).describes("models.list")
    assert not Documented(page(schemas={"page/chat.json": {}})).describes("chat")


def test_the_first_entry_of_an_operation_is_its_claim() -> None:
    first, second = claim("Chat", "chat", line=3), claim("Chat with images", "chat", variant="images")
    documented = Documented(page(claim("About"), first, second))

    assert documented.claim("chat") is first
    assert documented.claim("models.list") is None


def test_errors_say_where_the_page_states_it_and_what_is_a_guess() -> None:
    found = Documented(page(response=SHAPE)).errors(exchange(MINIMAL, answer(COMPLETION)))

    assert [(error.at, error.source, error.weak) for error in found] == [("/x", "a.txt:3", False), ("/id", "", False)]


def test_a_guess_needs_a_source_to_be_known_as_one() -> None:
    weak = {"properties": {"id": {"type": "integer", "x-source": "a.txt:5", "x-weak": True}}}
    (found,) = Documented(page(response=weak)).errors(exchange(MINIMAL, answer(COMPLETION)))

    assert (found.source, found.weak) == ("a.txt:5", True)


def test_an_answer_that_is_as_shown_breaks_nothing() -> None:
    assert Documented(page(response={"required": ["id"]})).errors(exchange(MINIMAL, answer(COMPLETION))) == ()


def test_errors_of_an_exchange_are_looked_up_once_for_each_page() -> None:
    asked = exchange(MINIMAL, answer(COMPLETION))
    one, other = Documented(page(response=SHAPE)), Documented(page(response=SHAPE, digest="e" * 64))

    assert one.errors(asked) is one.errors(asked)
    assert one.errors(asked) is not other.errors(asked)


@pytest.mark.parametrize("schema", [True, {"properties": {"id": True}, "required": ["y"]}])
def test_schemas_that_say_little_are_understood(schema: object) -> None:
    found = Documented(page(response=schema)).errors(exchange(MINIMAL, answer(COMPLETION)))

    assert [error.at for error in found] == ([] if schema is True else ["/y"])


def test_a_schema_that_allows_nothing_says_so() -> None:
    (found,) = Documented(page(response=False)).errors(exchange(MINIMAL, answer(COMPLETION)))

    assert (found.at, found.source) == ("", "")


def test_schemas_of_one_set_are_kept_apart_from_another() -> None:
    strict = SchemaSet({"a.json": {"$defs": {"x": {"type": "integer"}}}})
    loose = SchemaSet({"a.json": {"$defs": {"x": {}}}})

    assert not strict.is_valid("a.json#/$defs/x", "text")
    assert loose.is_valid("a.json#/$defs/x", "text")
    assert [error.expected for error in strict.errors("a.json#/$defs/x", "text")] == ["integer"]


def test_a_document_that_is_not_in_the_set_is_named() -> None:
    with pytest.raises(DataError, match=r"there is no schema 'b\.json'") as caught:
        SchemaSet({"a.json": {}}).is_valid("b.json#", 1)
    assert caught.value.hint == "known: a.json"
