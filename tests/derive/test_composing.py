"""`allOf`: what one part requires and another describes."""

import json

import pytest

from conformance.derive import openapi
from conformance.derive.nouns import Source
from conformance.derive.repairs import repair


def read(schema, **components):
    content = {"application/json": {"schema": schema}}
    paths = {"/v1/chat/completions": {"post": {"requestBody": {"content": content}, "responses": {"200": {}}}}}
    text = json.dumps({"openapi": "3.1.0", "paths": paths, "components": {"schemas": components}}, indent=1)
    document = openapi.read_openapi(Source("api.json", text, ""))
    return document, document.endpoints[0].request.schema


MODEL = {"type": "object", "properties": {"model": {"type": "string"}, "tenant": {"type": "string"}}}
MESSAGES = {"type": "object", "properties": {"messages": {"type": "array"}}, "required": ["messages", "tenant", "gone"]}


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [MODEL, MESSAGES]},
        {"allOf": [{"$ref": "#/components/schemas/Model"}, MESSAGES]},
        {**MESSAGES, "allOf": [MODEL]},
        {"allOf": [{"allOf": [MODEL]}, MESSAGES]},
        {"allOf": [MODEL, {"required": ["tenant", "messages"]}, {"properties": {"messages": {"type": "array"}}}]},
    ],
)
def test_parts_become_one_object_with_all_that_is_required(schema):
    document, found = read(schema, Model=MODEL)
    assert "allOf" not in found
    assert set(found["properties"]) == {"model", "tenant", "messages"}
    assert set(found["required"]) == {"tenant", "messages"}
    repaired = repair(document, document.endpoints[0], "chat")[0]["$defs"]["request"]
    assert set(repaired["required"]) == {"model", "tenant", "messages"}


@pytest.mark.parametrize(
    "other",
    [
        {"oneOf": [{"required": ["model"]}], "required": ["tenant"]},
        {"properties": {"model": {"maxLength": 3}}, "required": ["tenant"]},
        {"type": ["object", "null"], "required": ["tenant"]},
        {"additionalProperties": False, "required": ["tenant"]},
    ],
)
def test_parts_that_say_more_stay_parts_and_keep_what_they_require(other):
    _, found = read({"allOf": [MODEL, other]})
    assert [part.get("required") for part in found["allOf"]] == [None, ["tenant"]]


def test_parts_without_properties_stay_as_they_are():
    assert "allOf" in read({"allOf": [{"type": "object"}]})[1]


def test_an_object_of_parts_without_requirements_has_none():
    assert "required" not in read({"allOf": [MODEL]})[1]


def test_parts_that_refer_to_each_other_end():
    parts = {
        "A": {"allOf": [{"$ref": "#/components/schemas/B"}] * 2},
        "B": {"allOf": [{"$ref": "#/components/schemas/A"}] * 2},
    }
    assert read({"$ref": "#/components/schemas/A"}, **parts)[1]["x-source"]


def secured(scheme, *headers):
    operation = {"security": [{"k": []}] if scheme else [], "parameters": list(headers), "responses": {"200": {}}}
    body = {"openapi": "3.1.0", "paths": {"/v1/models": {"get": operation}}}
    text = json.dumps({**body, "components": {"securitySchemes": {"k": scheme} if scheme else {}}}, indent=1)
    return text.split("\n"), openapi.read_openapi(Source("api.json", text, "")).endpoints[0]


def header(name):
    return {"in": "header", "name": name, "required": True}


@pytest.mark.parametrize(
    ("scheme", "headers", "expected"),
    [
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, (), (False, "X-Key", True)),
        ({"type": "http", "scheme": "bearer"}, (), (True, "", True)),
        ({"type": "apiKey", "in": "query", "name": "key"}, (), (False, "", False)),
        ({}, (header("X-Api-Key"),), (False, "X-Api-Key", True)),
        ({}, (header("Authorization"),), (True, "", True)),
        ({}, (header("X-Trace"),), (None, "", False)),
    ],
)
def test_the_key_of_a_specification_has_its_line(scheme, headers, expected):
    lines, found = secured(scheme, *headers)
    assert (found.bearer, found.key_header, bool(found.key_line)) == expected
    assert not found.key_line or lines[found.key_line - 1].strip().endswith("{")
