"""Strategies: whatever is drawn satisfies its schema, also the odd ones; unusable schemas are named."""

import ipaddress
import json
import re
import subprocess
import sys
import time
import uuid
from datetime import date, datetime
from random import Random

import jsonschema
import pytest
from hypothesis.configuration import set_hypothesis_home_dir, storage_directory

from conformance.errors import DataError
from conformance.generate import coverage, generate_cases, reference_schema
from conformance.generate.documents import Document
from conformance.generate.draw import Drawer
from conformance.generate.strategies import strategy

TREE = {
    "$defs": {
        "tree": {
            "type": "object",
            "required": ["value"],
            "properties": {
                "value": {"type": "integer"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
                "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
            },
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/tree",
}
CHAT_LIKE = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": {"type": "string", "enum": ["gpt-4o", "gpt-4o-mini"]},
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {"$ref": "#/components/schemas/Message"},
        },
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 2},
    },
    "components": {
        "schemas": {
            "Message": {
                "type": "object",
                "required": ["role", "content"],
                "properties": {
                    "role": {"type": "string", "enum": ["system", "user"]},
                    "content": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                },
            }
        }
    },
}
SCHEMAS = {
    "anything": True,
    "no keywords": {"title": "whatever"},
    "every type": {"type": ["null", "boolean", "integer", "number", "string", "array", "object"]},
    "const": {"const": {"a": [1, None]}},
    "enum that is narrowed": {"enum": ["a", 1, None, 2.5], "type": ["string", "number"]},
    "integer bounds": {"type": "integer", "minimum": -3, "exclusiveMaximum": 3},
    "integer, exclusive both": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 2},
    "integer with broken bounds": {"type": "integer", "minimum": 0.5, "maximum": 7.5},
    "integer from below only": {"type": "integer", "minimum": 10**12},
    "integer from above only": {"type": "integer", "maximum": -(10**12)},
    "int64": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "integer multiple": {"type": "integer", "multipleOf": 7, "minimum": 1},
    "integer multiple of a half": {"type": "integer", "multipleOf": 0.5},
    "number bounds": {"type": "number", "minimum": 0, "maximum": 2},
    "number exclusive": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "number of one value": {"type": "number", "minimum": 1.5, "maximum": 1.5},
    "number multiple": {"type": "number", "multipleOf": 0.25, "minimum": -1, "maximum": 1},
    "number multiple of a tenth": {"type": "number", "multipleOf": 0.1, "maximum": 5},
    "number multiple, whole": {"type": "number", "multipleOf": 3},
    "string lengths": {"type": "string", "minLength": 2, "maxLength": 5},
    "string pattern": {"type": "string", "pattern": "^[a-zA-Z0-9_-]+$", "maxLength": 64},
    "string pattern, digits": {"type": "string", "pattern": r"^\d{3}-\w+$"},
    "string pattern, anywhere": {"type": "string", "pattern": "b+"},
    "unknown format": {"type": "string", "format": "colour"},
    "array": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 4},
    "array of unique": {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 2},
    "tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}], "items": False},
    "tuple and more": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "boolean"}},
    "tuple cut short": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}], "maxItems": 1},
    "array of nothing": {"type": "array", "items": False},
    "array with": {"type": "array", "items": {"enum": [1, 2]}, "contains": {"const": 1}},
    "array of impossible tuple": {"type": "array", "prefixItems": [False]},
    "object": {"type": "object", "required": ["a"], "properties": {"a": {"type": "null"}, "b": {"type": "string"}}},
    "closed object": {"type": "object", "properties": {"a": {"type": "null"}}, "additionalProperties": False},
    "required but not described": {"type": "object", "required": ["x"], "additionalProperties": {"type": "integer"}},
    "optional that is impossible": {"type": "object", "properties": {"a": False, "b": {"type": "null"}}},
    "map": {"type": "object", "additionalProperties": {"type": "integer", "minimum": -100, "maximum": 100}},
    "map of impossible": {"type": "object", "additionalProperties": {"enum": []}},
    "patterned names": {"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "minProperties": 1},
    "patterned names of nothing": {"type": "object", "patternProperties": {"^x-": False}},
    "patterned names and others": {
        "type": "object",
        "patternProperties": {"^x": {"type": "integer"}},
        "additionalProperties": {"type": "string"},
        "minProperties": 2,
    },
    "minProperties": {"type": "object", "minProperties": 3, "properties": {"a": {"type": "null"}}},
    "maxProperties": {
        "type": "object",
        "maxProperties": 1,
        "properties": {"a": {"type": "null"}, "b": {"type": "null"}, "c": {"type": "null"}},
    },
    "dependent": {
        "type": "object",
        "properties": {"a": {"type": "null"}, "b": {"type": "null"}, "c": {"type": "null"}},
        "dependentRequired": {"a": ["b"], "b": ["c"]},
        "additionalProperties": False,
    },
    "dependent on a required one": {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "null"}, "b": {"type": "null"}},
        "dependentRequired": {"a": ["b"]},
    },
    "oneOf with overlap": {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 0}]},
    "anyOf beside type": {"type": "string", "anyOf": [{"minLength": 3}, {"maxLength": 1}]},
    "allOf": {
        "allOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "number", "minimum": 0}}},
            {"required": ["a", "b"], "properties": {"a": {"maximum": 1}, "b": {"enum": [1, 2]}}},
            {"properties": {"b": {"enum": [2, 3]}}, "dependentRequired": {"a": ["b"]}},
            {"dependentRequired": {"a": ["c"]}, "patternProperties": {"^c": {"type": "boolean"}}},
            {"patternProperties": {"^c": {"const": True}}},
        ]
    },
    "allOf with numbers": {"allOf": [{"type": "number"}, {"type": ["integer", "string"]}, {"minimum": 3}]},
    "allOf of arrays": {
        "allOf": [
            {"type": "array", "items": {"type": "integer"}, "uniqueItems": False},
            {"items": {"minimum": 0}, "uniqueItems": True, "minItems": 1},
        ]
    },
    "allOf of two enums": {"allOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]},
    "allOf of two patterns": {"type": "string", "allOf": [{"pattern": "^a"}, {"pattern": "a"}]},
    "contradicting branches": {"anyOf": [{"allOf": [{"enum": [1]}, {"enum": [2]}]}, {"type": "null"}]},
    "not": {"type": "integer", "minimum": 0, "maximum": 9, "not": {"const": 5}},
    "if": {"type": "integer", "minimum": 0, "maximum": 9, "if": {"minimum": 5}, "then": {"multipleOf": 2}},
    "recursive": TREE,
    "escaped pointer": {"$defs": {"a/b~c": {"type": "null"}}, "$ref": "#/$defs/a~1b~0c"},
    "openapi": CHAT_LIKE,
    "sizes with a decimal point": {"type": "string", "minLength": 1.0, "maxLength": 2.0},
    "impossible kinds are left out": {"anyOf": [{"type": "string", "minLength": 5, "maxLength": 2}, {"type": "null"}]},
    "impossible number is left out": {"anyOf": [{"type": "number", "minimum": 5, "maximum": 2}, {"type": "null"}]},
    "impossible integer is left out": {"anyOf": [{"type": "integer", "minimum": 5, "maximum": 2}, {"const": 0}]},
    "impossible multiple is left out": {
        "anyOf": [{"type": "number", "multipleOf": 4, "minimum": 5, "maximum": 7}, {"const": 0}]
    },
    "impossible array is left out": {
        "anyOf": [{"type": "array", "items": False, "minItems": 1}, {"type": "array", "minItems": 900}, {"const": 0}]
    },
    "allOf with additional properties": {
        "type": "object",
        "additionalProperties": {"type": "integer"},
        "allOf": [{"additionalProperties": {"minimum": 3}}],
    },
    "impossible object is left out": {
        "anyOf": [{"type": "object", "required": ["a"], "properties": {"a": False}}, {"const": 0}]
    },
}


def draws(schema, count=25, root=None):
    """Some values of a schema."""
    drawer = Drawer(Random(7))
    found = strategy(schema, root if root is not None else schema)
    return [drawer.draw(found) for _ in range(count)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_drawn_satisfies_the_schema(name):
    validator = jsonschema.Draft202012Validator(SCHEMAS[name])
    for value in draws(SCHEMAS[name]):
        assert validator.is_valid(json.loads(json.dumps(value))), value


@pytest.mark.parametrize(
    ("schema", "same"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": ["string", "null"], "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"enum": ["a", None]}),
        ({"const": 1, "nullable": True}, {"enum": [1, None]}),
        ({"type": "integer", "oneOf": [{"minimum": 3}], "nullable": True}, {"type": ["integer", "null"], "minimum": 3}),
        (
            {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1, "exclusiveMaximum": False},
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        ),
        ({"type": "number", "exclusiveMinimum": True}, {"type": "number"}),
    ],
)
def test_openapi_spellings_mean_what_they_mean(schema, same):
    values = draws(schema, 40)
    assert all(jsonschema.Draft202012Validator(same).is_valid(value) for value in values)
    assert not schema.get("nullable") or None in values


def test_a_part_is_drawn_with_the_references_of_its_root():
    part = {"$ref": "#/$defs/tree", "nullable": True}
    values = draws(part, root=TREE)
    assert {type(value) for value in values} == {dict, type(None)}


@pytest.mark.parametrize(
    ("form", "check"),
    [
        ("date-time", lambda text: datetime.fromisoformat(text).tzinfo),
        ("date", date.fromisoformat),
        ("time", lambda text: re.fullmatch(r"\d\d:\d\d:\d\dZ", text)),
        ("email", lambda text: re.fullmatch(r"[a-z]+@[a-z.]+", text)),
        ("hostname", lambda text: re.fullmatch(r"[a-z.]+", text)),
        ("uri", lambda text: re.fullmatch(r"https://[a-z.]+/[a-z]+", text)),
        ("uri-reference", lambda text: text.startswith("/")),
        ("uuid", uuid.UUID),
        ("ipv4", ipaddress.IPv4Address),
        ("ipv6", ipaddress.IPv6Address),
    ],
)
def test_formats_are_kept(form, check):
    assert all(check(text) for text in draws({"type": "string", "format": form, "minLength": 2}))


@pytest.mark.parametrize("pattern", ["(", "(?<n>a)(?P=n)[", "(a+)+$", "a{1,99999}", "x" * 500, r"\p{Han}"])
def test_a_pattern_that_cannot_be_used_leaves_a_plain_string(pattern):
    assert all(isinstance(text, str) for text in draws({"type": "string", "pattern": pattern}))
    assert draws({"type": "object", "patternProperties": {pattern: False}, "minProperties": 1}, 3)


@pytest.mark.parametrize(
    "schema",
    [False, {"enum": []}, {"type": "integer", "minimum": 2, "maximum": 1}, {"type": "string", "minLength": 10**9},
     {"allOf": [{"type": "string"}, {"type": "integer"}]},
     {"type": "string", "pattern": r"^\u2603$"},
     {"type": "integer", "not": {}}, {"type": "number", "multipleOf": 1e-300, "minimum": 1e308}],
)  # fmt: skip
def test_where_nothing_can_be_drawn_it_is_said(schema):
    with pytest.raises(DataError, match="nothing"):
        draws(schema, 1)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/missing"},
        {"$ref": "other.json#/a"},
        {"$ref": 3},
        {"$ref": "#/x/a", "x": {"a": {"$ref": 3}}},
        {"$ref": "#/default", "default": {}},
        {"$ref": "#/components/responses/a", "components": {"responses": {"a": {}}}},
        {"$ref": "#/anyOf/2", "anyOf": [{}, {}]},
        {"$ref": "#/anyOf/a", "anyOf": [{}, {}]},
        {"$ref": "#/$defs/%zz", "$defs": {"%zz": {}}},
        {"$ref": "#/$defs/%ff", "$defs": {"\ufffd": {}}},
        {"$defs": {"\ud800": {}}},
        {"unevaluatedProperties": {"$ref": "http://127.0.0.1:9/"}},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/b"},
        {"type": "no-such-type"},
        {"properties": {"a": 3}},
        {"properties": 3},
        {"oneOf": 3},
        {"minimum": "1"},
        {"minimum": float("inf")},
        {"enum": {"a": 1}},
        {"enum": 3, "type": "string", "nullable": True},
        {"default": object()},
        {"patternProperties": []},
        {"patternProperties": {"a": 3}},
        [],
        None,
    ],
)
def test_a_schema_that_cannot_be_read_is_refused(schema):
    with pytest.raises(DataError):
        draws(schema, 1)


def test_a_schema_without_end_is_refused():
    schema: dict = {}
    for _ in range(60):
        schema = {"items": schema}
    with pytest.raises(DataError, match="40 levels"):
        Document(schema)
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DataError):
        Document({"default": deep})


def doubling(keyword, levels=30):
    """A schema in which each definition names the next one twice."""
    chain = {
        f"d{number}": keyword({"$ref": f"#/$defs/d{number + 1}"}, {"$ref": f"#/$defs/d{number + 1}"})
        for number in range(levels)
    }
    return {"$defs": {**chain, f"d{levels}": {"type": "object"}}, "$ref": "#/$defs/d0"}


MULTIPLYING = {
    "allOf": doubling(lambda one, other: {"allOf": [one, other]}),
    "anyOf": doubling(lambda one, other: {"anyOf": [one, other]}),
    "not": doubling(lambda one, other: {"not": {"anyOf": [one, other]}}),
    "if and else": doubling(lambda one, other: {"if": one, "then": other, "else": other}),
    "items": doubling(lambda one, other: {"allOf": [{"items": one}, {"items": other}, {"contains": one}]}),
    "names": doubling(
        lambda one, other: {"allOf": [{"properties": {"a": one}}, {"patternProperties": {"a": other}}, {"not": one}]}
    ),
    "tuple": doubling(lambda one, other: {"allOf": [{"prefixItems": [one]}] * 3, "unevaluatedItems": other}),
    "dependent": doubling(lambda one, other: {"dependentSchemas": {"a": one, "b": other}}),
    "itself": {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"additionalProperties": {"$ref": "#/$defs/a"}}] * 40}}},
    "dependent on itself": {"dependentSchemas": {"a": {"$ref": "#"}}},
}


@pytest.mark.parametrize("name", MULTIPLYING)
def test_references_that_multiply_are_refused(name):
    started = time.process_time()
    with pytest.raises(DataError, match="multiply"):
        Document(MULTIPLYING[name])
    assert time.process_time() - started < 2


def linked(definitions):
    """A schema whose definitions each name only the next."""
    chain = {f"d{number}": {"$ref": f"#/$defs/d{number + 1}"} for number in range(definitions)}
    return {"$defs": chain | {f"d{definitions}": {"const": 7}}, "$ref": "#/$defs/d0"}


def test_long_chains_of_references_are_refused_and_short_ones_followed():
    with pytest.raises(DataError, match="100 references"):
        Document(linked(5000))
    backwards = linked(5000)
    backwards["$defs"] = dict(reversed(backwards["$defs"].items()))
    with pytest.raises(DataError, match="references"):
        Document(backwards)
    assert Document(linked(90)).accepts(7)
    assert draws(linked(10), 1) == [7]


@pytest.mark.parametrize("value", [object(), {1: 2}, float("nan"), "\ud800"])
def test_what_is_no_json_is_not_valid(value):
    assert not Document({"type": ["object", "number", "string"]}).accepts(value)


def test_references_that_double_with_the_levels_of_a_value_end_in_time():
    schema = doubling(lambda one, other: {"allOf": [{"items": one}, {"items": other}]})
    started = time.process_time()
    assert all(Document(schema).accepts(value) for value in draws(schema, 5))
    assert coverage([{"a": [[[[[]]]]]}], schema).share() == 1
    assert generate_cases(20, 1, [reference_schema(), schema])
    assert time.process_time() - started < 5


def test_references_that_are_followed_often_but_not_too_often_are_allowed():
    half = doubling(lambda one, other: {"allOf": [one, other]}, 10)
    assert draws(half, 2)
    assert Document({"properties": {"a": half["$defs"]["d10"]}}).accepts({"a": {}})


def test_alternatives_that_multiply_end_in_time():
    ones = {"anyOf": [{"enum": [number]} for number in range(32)]}
    others = {"anyOf": [{"enum": [number]} for number in range(31, 63)]}
    both = {"allOf": [ones, others]}
    schema = {
        "type": "object",
        "properties": {f"field{number}": {**both, "title": f"{number}"} for number in range(120)},
    }
    started = time.process_time()
    drawn = draws(schema, 20)
    assert {value for each in drawn for value in each.values()} == {31}
    assert {"field0", "field119"} & {name for each in drawn for name in each} == {"field0"}
    assert time.process_time() - started < 10


def test_of_thousands_of_parts_the_first_are_drawn():
    schema = {"type": "array", "prefixItems": [{"const": number} for number in range(6000)], "maxItems": 2}
    assert draws(schema, 3) == [[0, 1]] * 3


@pytest.mark.parametrize(
    ("key", "reference"),
    [
        ("消息", "#/$defs/消息"),
        ("消息", "#/$defs/%E6%B6%88%E6%81%AF"),
        ("a b", "#/$defs/a b"),
        ("a b", "#/$defs/a%20b"),
        ("a/b~", "#/$defs/a~1b~0"),
        ("a%b", "#/$defs/a%25b"),
        ("const", "#/$defs/const"),
    ],
)
def test_references_lead_to_names_of_any_script(key, reference):
    assert draws({"$defs": {key: {"const": 7}}, "$ref": reference}, 2) == [7, 7]


def test_references_lead_into_lists():
    schema = {"anyOf": [{"const": 7}, {"const": 8}], "properties": {"a": {"$ref": "#/anyOf/1"}}}
    assert draws({"$ref": "#/anyOf/1"}, 2, root=schema) == [8, 8]


PATTERNS = ("^[a-f]{3}$", "b+", r"^\\d{3}-\\w+$", "^[^a]$", "^.$", "^☃$", "^[一-龥]{2}$")
PATTERN_SCRIPT = """
import re, sys
from random import Random
from conformance.generate.draw import Drawer
from conformance.generate.strategies import strategy
drawer = Drawer(Random(1))
for pattern in sys.argv[1:]:
    schema = {"type": "string", "pattern": pattern}
    assert re.search(pattern, drawer.draw(strategy(schema, schema)))
"""


def test_drawing_from_a_pattern_leaves_no_files(tmp_path):
    environment = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-W", "error", "-c", PATTERN_SCRIPT, *PATTERNS]
    subprocess.run(command, check=True, cwd=tmp_path, env=environment)
    assert list(tmp_path.iterdir()) == []


def test_where_the_users_own_hypothesis_writes_stays_as_it_was(tmp_path):
    set_hypothesis_home_dir(tmp_path)
    try:
        draws({"type": "string", "pattern": "^a$"}, 1)
        assert storage_directory().home_directory == tmp_path
    finally:
        set_hypothesis_home_dir(None)


def test_a_bound_beyond_all_floats_is_named():
    with pytest.raises(DataError, match="nothing can be drawn"):
        draws({"type": "number", "minimum": 10**400, "maximum": 10**401}, 1)
