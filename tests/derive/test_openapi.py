"""OpenAPI 3.0 and 3.1 to documents."""

import json

import pytest

from conformance.derive import openapi
from conformance.derive.nouns import DeriveError, Source
from conformance.derive.openapi import looks_like, read_openapi

SPEC = """\
openapi: 3.0.1
info: {title: 样例 API, version: 1.0.0}
servers:
  - {}
  - url: https://{host}/v1/
    variables: {host: {default: api.example.com}}
security: [{key: []}]
paths:
  /chat/completions:
    parameters:
      - $ref: '#/components/parameters/Trace'
    post:
      summary: 聊天接口
      description: ' A chat. '
      x-apifox-folder: 模型接口/聊天接口(Chat)
      parameters:
        - {name: Accept, in: header, required: true, example: application/json}
        - {name: page, in: query}
      requestBody:
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/Chat'
              description: the body
            example: '{"model": "m-1"}'
      responses:
        default: {description: error}
        '201':
          description: OK
          content:
            application/json:
              schema: {type: object, properties: {id: {type: string}}, example: {id: x}}
  /models:
    get:
      operationId: listModels
      tags: [Models, Other]
      security: []
      responses:
        default:
          content:
            text/plain: {}
  /speech:
    get:
      responses: {}
    unknown: {}
components:
  parameters:
    Trace: {name: X-Trace, in: header, schema: {type: string, default: 7}}
  securitySchemes:
    key: {type: http, scheme: bearer}
  schemas:
    Chat:
      type: object
      title: 请求
      required: [model, absent, model]
      properties:
        model: {type: string, title: 模型, enum: [a, b], nullable: true, example: a}
        temperature: {type: number, minimum: 0, exclusiveMinimum: true, maximum: 2}
        tags: {type: array, items: {type: string}, minItems: 1, maxItems: -1}
        tree: {$ref: '#/components/schemas/Tree'}
        metadata: {type: object, additionalProperties: {type: string}}
        closed: {type: object, additionalProperties: false}
        either: {anyOf: [{type: string}, {type: array, items: {}}, nonsense]}
        odd: {type: [string, 'null', strange], title: [], format: 3, enum: [], uniqueItems: 1, multipleOf: 0}
        bound: {exclusiveMaximum: 3, minLength: 1, const: null}
        anything: true
        far: {$ref: 'https://elsewhere.example/x.json'}
        dead: {$ref: '#/components/schemas/None'}
    Tree:
      type: object
      properties:
        child: {$ref: '#/components/schemas/Tree'}
"""


def read(text, name="spec.yaml"):
    return read_openapi(Source(name, text, ""))


@pytest.fixture(scope="module")
def chat():
    return read(SPEC).endpoints[0]


def property_of(endpoint, name):
    found = dict(endpoint.request.schema["properties"][name])
    assert found.pop("x-source").startswith("spec.yaml:")
    assert found.pop("x-evidence") == ["openapi"]
    return found


def test_the_document_names_its_title_and_its_operations():
    document = read(SPEC)
    assert (document.kind, document.title, document.nav) == ("openapi", "样例 API", ())
    assert [(each.method, each.url, each.title) for each in document.endpoints] == [
        ("POST", "https://api.example.com/v1/chat/completions", "聊天接口"),
        ("GET", "https://api.example.com/v1/models", "listModels"),
        ("GET", "https://api.example.com/v1/speech", "/speech"),
    ]


def test_folders_come_from_apifox_or_from_the_first_tag():
    folders = [each.folder for each in read(SPEC).endpoints]
    assert folders == [("模型接口", "聊天接口(Chat)"), ("Models",), ()]


def test_an_endpoint_has_line_description_and_headers(chat):
    assert (chat.line, chat.description, chat.status) == (12, "A chat.", 201)
    assert [(each.name, each.required, each.example) for each in chat.headers] == [
        ("X-Trace", None, "7"),
        ("Accept", True, "application/json"),
    ]


def test_bodies_have_schema_example_and_lines(chat):
    assert (chat.request.media_type, chat.request.example, chat.request.example_line) == (
        "application/json",
        {"model": "m-1"},
        25,
    )
    assert chat.request.schema["x-source"] == "spec.yaml:22"
    assert chat.request.schema["description"] == "the body"
    assert chat.request.schema["required"] == ["model"]
    assert chat.request.has_table
    assert chat.response.example == {"id": "x"}


def test_a_response_without_a_schema_is_no_table():
    response = read(SPEC).endpoints[1].response
    assert (response.media_type, response.schema, response.example, response.has_table) == (
        "text/plain",
        None,
        None,
        False,
    )
    assert read(SPEC).endpoints[2].response is None


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("model", {"type": ["string", "null"], "title": "模型", "enum": ["a", "b", None], "examples": ["a"]}),
        ("temperature", {"type": "number", "minimum": 0, "exclusiveMinimum": 0, "maximum": 2}),
        ("closed", {"type": "object", "additionalProperties": False}),
        ("odd", {"type": ["string", "null"]}),
        ("bound", {"exclusiveMaximum": 3, "minLength": 1, "const": None}),
        ("anything", {"x-weak": True}),
        ("far", {"x-weak": True, "x-unresolved": "https://elsewhere.example/x.json"}),
        ("dead", {"x-weak": True, "x-unresolved": "#/components/schemas/None"}),
    ],
)
def test_a_schema_becomes_2020_12(chat, name, schema):
    assert property_of(chat, name) == schema


def test_schemas_inside_schemas_are_converted_with_their_lines(chat):
    tags = property_of(chat, "tags")
    assert tags["items"] == {"type": "string", "x-source": "spec.yaml:59", "x-evidence": ["openapi"]}
    assert (tags["minItems"], "maxItems" in tags) == (1, False)
    assert property_of(chat, "metadata")["additionalProperties"]["type"] == "string"
    assert [each.get("type") for each in property_of(chat, "either")["anyOf"]] == ["string", "array"]


def test_a_cycle_of_references_ends_in_anything(chat):
    child = property_of(chat, "tree")["properties"]["child"]
    assert child == {"x-source": "spec.yaml:72", "x-evidence": ["openapi"], "x-weak": True}


@pytest.mark.parametrize(
    ("scheme", "bearer"),
    [
        ({"type": "http", "scheme": "Bearer"}, True),
        ({"type": "apiKey", "in": "header", "name": "authorization"}, True),
        ({"type": "apiKey", "in": "query", "name": "key"}, False),
        (None, None),
    ],
)
def test_bearer_is_what_the_security_scheme_says(scheme, bearer):
    security = [{"key": []}] if scheme else None
    operation = {"responses": {}, **({"security": security} if security else {})}
    spec = {
        "openapi": "3.1.0",
        "paths": {"/x": {"post": operation}},
        "components": {"securitySchemes": {"key": scheme}},
    }
    assert read(json.dumps(spec)).endpoints[0].bearer is bearer


def test_a_header_of_its_own_is_bearer_too():
    header = {"name": "Authorization", "in": "header"}
    spec = {"openapi": "3.1.0", "paths": {"/x": {"post": {"parameters": [header]}}}}
    assert read(json.dumps(spec)).endpoints[0].bearer is True


def example_of(media):
    spec = {"openapi": "3.1.0", "paths": {"/x": {"post": {"requestBody": {"content": {"application/json": media}}}}}}
    return read(json.dumps(spec, indent=1)).endpoints[0].request.example


@pytest.mark.parametrize(
    ("media", "example"),
    [
        ({"examples": {"one": {"summary": "no value"}, "two": {"value": {"a": 1}}}}, {"a": 1}),
        ({"example": "{not json"}, None),
        ({"example": "plain"}, "plain"),
        ({"example": [1]}, [1]),
        ({"schema": {"examples": [{"a": 2}]}}, {"a": 2}),
        ({"schema": {"examples": "odd"}}, None),
        ({"schema": {}}, None),
    ],
)
def test_examples_are_found_wherever_they_stand(media, example):
    assert example_of(media) == example


def test_references_may_quote_their_names():
    spec = {
        "openapi": "3.0.0",
        "paths": {"/x": {"post": {"requestBody": {"$ref": "#/components/requestBodies/%E8%81%8A a~1b"}}}},
        "components": {"requestBodies": {"聊 a/b": {"content": {"application/json": {"schema": {"type": "object"}}}}}},
    }
    assert read(json.dumps(spec)).endpoints[0].request.schema["type"] == "object"


def test_references_that_go_round_outside_schemas_end():
    spec = {
        "openapi": "3.0.0",
        "paths": {"/x": {"post": {"requestBody": {"$ref": "#/components/a"}}}},
        "components": {"a": {"$ref": "#/components/b"}, "b": {"$ref": "#/components/a"}},
    }
    assert read(json.dumps(spec)).endpoints[0].request is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("openapi: 3.0.1\n", "OpenAPI without paths"),
        ("openapi: 3.0.1\npaths: []\n", "OpenAPI without paths"),
        ("openapi: 3.0.1\npaths: {}\n", "spec.yaml:2: no operation is documented"),
        ("openapi: 3.0.1\npaths: {/x: {post: 3}}\n", "no operation is documented"),
        ("openapi: 3.0.1\npaths: [", "spec.yaml:[23]: not YAML"),
        ('{"openapi": "3.0.1", "paths": }', "spec.yaml:1: not JSON"),
        ("- openapi: 3.0.1\n", "OpenAPI without paths"),
    ],
)
def test_what_documents_nothing_is_refused_with_the_line(text, words):
    with pytest.raises(DeriveError, match=words):
        read(text)


def test_too_many_operations_are_refused():
    paths = {f"/{number}": {"get": {}} for number in range(openapi.MOST_ENDPOINTS + 1)}
    with pytest.raises(DeriveError, match="more than 2,000 operations"):
        read(json.dumps({"openapi": "3.0.0", "paths": paths}))


def test_references_that_multiply_are_refused():
    schemas = {
        f"s{n}": {"properties": {f"p{k}": {"$ref": f"#/components/schemas/s{n + 1}"} for k in range(8)}}
        for n in range(12)
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/s0"}}}}
    spec = {
        "openapi": "3.0.0",
        "paths": {"/x": {"post": {"requestBody": body}}},
        "components": {"schemas": {**schemas, "s12": {}}},
    }
    with pytest.raises(DeriveError, match="references written out"):
        read(json.dumps(spec))


def test_deep_schemas_end_in_anything():
    schema = {"type": "string"}
    for _ in range(45):
        schema = {"items": schema}
    body = {"content": {"application/json": {"schema": schema}}}
    spec = {"openapi": "3.0.0", "paths": {"/x": {"post": {"requestBody": body}}}}
    found = read(json.dumps(spec)).endpoints[0].request.schema
    for _ in range(openapi.DEEPEST):
        found = found["items"]
    assert found["x-weak"]


@pytest.mark.parametrize(
    ("text", "recognised"),
    [
        ("openapi: 3.0.1\n", True),
        ("# comment\nopenapi: '3.1.0'\n", True),
        ('{"openapi":"3.1.0"}', True),
        ('{"info":{},"openapi": "3.1.0"}', True),
        ("\n" * 300_000 + "x", False),
        ("{ ,\n" * 100_000, False),
        ('{\n  "info": {},\n  "openapi": "3.0.3"\n}', True),
        ("swagger: '2.0'\n", False),
        ("we speak openapi: 3.0\n", False),
        ("", False),
    ],
)
def test_openapi_is_recognised_by_its_own_name(text, recognised):
    assert looks_like(text) is recognised
