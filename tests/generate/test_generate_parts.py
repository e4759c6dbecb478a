"""What a schema names, and which of it bodies have: also of odd, circular and hostile schemas."""

import time

import pytest

from conformance.errors import DataError
from conformance.generate import coverage
from conformance.generate.parts import NEVER

TREE = {
    "$defs": {
        "tree": {
            "type": "object",
            "required": ["value"],
            "properties": {"value": {"type": "boolean"}, "next": {"$ref": "#/$defs/tree"}},
        }
    },
    "$ref": "#/$defs/tree",
}


def ids(schema):
    return {part.id for part in coverage([], schema).parts}


def test_a_schema_inside_itself_is_named_once():
    assert ids(TREE) == {"property /value", "property /next", "enum /value true", "enum /value false"}


def test_what_lies_deeper_counts_where_it_first_lies():
    found = coverage([{"value": True}, {"value": True, "next": {"value": False}}], TREE)
    assert {part.id for part in found.missing} == {"enum /value false"}


def test_bodies_deeper_than_any_schema_are_read_to_a_depth():
    body: dict = {"value": True}
    for _ in range(200):
        body = {"value": True, "next": body}
    assert coverage([body], TREE).share("property") == 1


@pytest.mark.parametrize(
    ("schema", "body", "share"),
    [
        ({"allOf": [{"properties": {"a": {"const": 1}}}]}, {"a": 1}, 1),
        ({"allOf": [{"properties": {"a": {"const": 1}}}]}, {"a": 2}, 0.5),
        ({"properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]}, {"a": None}, 2 / 3),
        ({"properties": {"a": {"minimum": 1, "maximum": 2}}, "required": ["a"]}, {"a": 2}, 2 / 3),
        ({"properties": {"a": {"minLength": 1, "maxItems": 1}}, "required": ["a"]}, {"a": "x"}, 2 / 3),
        ({"additionalProperties": {"const": 1}}, {"any": 1}, 1),
        ({"properties": {"a": {"items": {"enum": [1, 2]}}}}, {"a": [2]}, 2 / 3),
        ({"properties": {"a": {"items": {"enum": [1, 2]}}}}, {"a": 2}, 1 / 3),
        ({"properties": {"a": {"x-not-generated": "a reason", "enum": [1, 2]}}}, {"a": 1}, 1),
        ({"anyOf": [{"title": "one", "required": ["a"]}, {"title": "other", "required": ["b"]}]}, {"b": 1}, 0.5),
        ({"properties": {"a": True, "b": True}}, {"a": 1, "b": 1}, 1),
        (True, {"a": 1}, 1),
    ],
)
def test_what_a_body_has_is_covered(schema, body, share):
    assert coverage([body], schema).share() == pytest.approx(share)


def test_a_chain_of_references_is_followed_to_a_depth():
    chain = {f"d{number}": {"$ref": f"#/$defs/d{number + 1}"} for number in range(40)}
    assert ids({"$defs": {**chain, "d40": {"properties": {"a": {}}}}, "$ref": "#/$defs/d0"}) == set()


def test_a_place_that_two_parts_describe_is_named_once():
    part = {"$ref": "#/$defs/a"}
    schema = {"$defs": {"a": {"properties": {"b": {"enum": [1]}}}}, "allOf": [part, part]}
    assert ids(schema) == {"property /b", "enum /b 1"}


@pytest.mark.parametrize(
    "schema",
    [
        {
            "$defs": {
                f"d{number}": {"properties": {name: {"$ref": f"#/$defs/d{number + 1}"} for name in "ab"}}
                for number in range(30)
            }
            | {"d30": {}},
            "$ref": "#/$defs/d0",
        },
        {"properties": {f"field{number}": {} for number in range(5000)}},
    ],
)
def test_a_schema_of_too_many_parts_is_refused(schema):
    started = time.process_time()
    with pytest.raises(DataError, match="parts"):
        coverage([], schema)
    assert time.process_time() - started < 5


def test_parts_that_are_never_generated_have_reasons():
    assert all(len(reason) > 10 for reason in NEVER.values())
