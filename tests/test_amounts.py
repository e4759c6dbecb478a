"""How many requests of which operation: what people write, and what comes of it."""

import pytest

from conformance.amounts import GENERATED_OPERATIONS, amounts, parse_amounts
from conformance.errors import UsageError
from conformance.planning import plan

CHEAP = ["chat", "completions", "embeddings", "rerank", "moderations", "responses", "messages", "gemini.generate"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ((), {}),
        (("100",), {"chat": 100}),
        (("100,embeddings=20", "responses = 20"), {"chat": 100, "embeddings": 20, "responses": 20}),
        (("chat=5", "7"), {"chat": 7}),
        (("all=20,chat=0",), {"all": 20, "chat": 0}),
    ],
)
def test_amounts_are_read_from_what_people_write(given, found):
    assert parse_amounts(given) == found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("embedings=3", "no requests are generated for the operation 'embedings'"),
        ("responses.stream=3", "no requests are generated for the operation 'responses.stream'"),
        ("-1", "'-1' is no count"),
        ("chat=5001", "is no count from 0 to 5000"),
        ("chat=٣", "is no count"),
        ("", "'' is no count"),
        ("1,,2", "'' is no count"),
        ("chat=" + "9" * 5000, "is no count"),
    ],
)
def test_what_is_no_amount_is_refused(given, said):
    with pytest.raises(UsageError, match=said):
        parse_amounts([given])


def test_the_nearest_operation_is_named():
    with pytest.raises(UsageError) as caught:
        parse_amounts(["embedings=3"])
    assert caught.value.hint == "did you mean 'embeddings'?"
    with pytest.raises(UsageError) as caught:
        parse_amounts(["zzz=3"])
    assert caught.value.hint.startswith("operations: all, chat, ")


def test_a_number_is_about_chat_and_all_about_every_operation_that_may_be_asked():
    assert amounts(3, dear=False) == {"chat": 3}
    assert amounts(0, dear=True) == {}
    assert list(amounts({"all": 2}, dear=False)) == CHEAP
    assert tuple(amounts({"all": 2}, dear=True)) == GENERATED_OPERATIONS
    assert amounts({"all": 2, "rerank": 0, "chat": 9}, dear=False)["chat"] == 9
    assert "rerank" not in amounts({"all": 2, "rerank": 0}, dear=False)


@pytest.mark.parametrize("generated", [{"chat": -1}, {"nothing": 1}, -1, {"images.edits": 1}])
def test_a_plan_of_amounts_that_make_no_sense_is_refused(generated):
    with pytest.raises(UsageError):
        plan(generated=generated)


def test_a_dear_operation_may_be_named_without_a_request():
    assert amounts({"images.edits": 0}, dear=False) == {}


def test_a_plan_has_what_was_asked_for_and_its_chats_do_not_depend_on_the_others():
    chats = [case for case in plan(generated=12, seed=3) if "generated" in case.probes]
    mixed = [case for case in plan(generated={"all": 12}, seed=3) if "generated" in case.probes]
    assert {case.operation.partition(".")[0] for case in mixed} == {name.partition(".")[0] for name in CHEAP}
    assert [case for case in mixed if case.operation.startswith("chat")] == chats
