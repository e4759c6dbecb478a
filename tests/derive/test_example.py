"""Examples as authors write them, what they prove, and files that hold nothing else."""

import pytest

from conformance.derive import example
from conformance.derive.nouns import DeriveError, Source

REQUEST = '{"model": "m", "messages": [{"role": "user", "content": "Hi"}]}'
ANSWER = '{"id": "a", "object": "chat.completion", "choices": [{"index": 0}]}'


def source(text):
    return Source("pair.txt", text, "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('// first\n{"a": 1, // one\n "b": [1, 2,],}', {"a": 1, "b": [1, 2]}),
        ('{"a": /* two */ 2}', {"a": 2}),
        ("[1, 2, ...]", [1, 2]),
        ('{"a": ..., "b": …}', {"a": None, "b": None}),
        ('{"a": "line\nbreak // no comment"}', {"a": "line\nbreak // no comment"}),
        ('{"a": 1,, "b": 2}', {"a": 1, "b": 2}),
        ('{,"a": }', {"a": None}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('"text" // end', "text"),
        ("\ufeff12", 12),
        ('{"u": "https://x.example/a"}', {"u": "https://x.example/a"}),
    ],
)
def test_json_with_what_people_add_is_read(text, value):
    assert example.read_json_tolerantly(text) == value


@pytest.mark.parametrize("text", ["", "{", '{"a": "', "no json", "{} {}", "[" * 500 + "]" * 500, "{'a': 1}", "/", "]"])
def test_what_is_no_json_is_refused_with_its_place(text):
    with pytest.raises(DeriveError, match=r"^page\.txt:7"):
        example.read_json_tolerantly(text, "page.txt:7")


def test_an_endless_example_is_refused():
    with pytest.raises(DeriveError, match="longer"):
        example.read_json_tolerantly(" " * 4_000_001)


def test_a_schema_says_what_the_example_shows_and_where():
    text = '\n{"a": 1,\n "b": [{"c": "x"}, {"c": null, "d": 1.5}],\n "e": {}, "f": [], "g": null, "h": true, '
    text += '"i": [1, 0.5]}'
    schema = example.infer(example.read_json_tolerantly(text), source(text), 2)
    assert schema["type"] == "object"
    assert "required" not in schema
    found = schema["properties"]
    assert [node.get("type") for node in found.values()] == [
        "integer",
        "array",
        "object",
        "array",
        None,
        "boolean",
        "array",
    ]
    assert {name: node["type"] for name, node in found["b"]["items"]["properties"].items()} == {
        "c": "string",
        "d": "number",
    }
    assert found["i"]["items"]["type"] == "number"
    assert found["b"]["items"]["properties"]["d"]["x-source"] == "pair.txt:3"
    assert (found["h"]["x-source"], found["h"]["x-evidence"], found["h"]["x-weak"]) == ("pair.txt:4", ["example"], True)


def test_elements_of_several_types_allow_all_of_them():
    schema = example.infer(["a", 1, {"b": 1}, ["c"], [2]], source(""), 1)
    assert schema["items"]["type"] == ["string", "integer", "object", "array"]
    assert schema["items"]["items"]["type"] == ["string", "integer"]
    assert schema["items"]["x-source"] == "pair.txt:1"


def test_a_deep_or_wide_example_is_cut():
    deep = 1
    for _ in range(100):
        deep = {"a": deep}
    assert example.infer(deep, source(""), 0)["type"] == "object"
    wide = example.infer({str(number): 1 for number in range(5_000)}, source(""), 1)
    assert len(wide["properties"]) == 2_000


def read(text):
    document = example.read_pair(source(text))
    return document, document.endpoints[0]


@pytest.mark.parametrize(
    "text",
    [
        f"{REQUEST}\n\n{ANSWER}",
        f"# Chat\nPOST /v1/chat/completions\n\n## Response\n{ANSWER}\n\n## Request\n{REQUEST}",
        f"{REQUEST}\n---\n{ANSWER}\n",
        f"请求\n{REQUEST}\n返回\n{ANSWER}",
        f"curl https://r.example/v1/chat/completions -H 'Authorization: Bearer x' -d '{REQUEST}'\n\n{ANSWER}",
        f"{ANSWER}\n{REQUEST}",
        f"curl 'https://r.example/v1/chat/completions' \\\n  --data-raw '{REQUEST}'\n{ANSWER}",
    ],
)
def test_request_and_answer_are_told_apart(text):
    assert example.looks_like(text)
    document, endpoint = read(text)
    assert document.kind == "example"
    assert set(endpoint.request.schema["properties"]) == {"model", "messages"}
    assert set(endpoint.response.schema["properties"]) == {"id", "object", "choices"}
    assert endpoint.url.endswith("/v1/chat/completions")
    assert endpoint.method == "POST"


def test_curl_gives_headers_and_evidence():
    _, endpoint = read(f"curl 'https://r.example/v1/x' -X PUT -H 'Authorization: Bearer x' -d '{REQUEST}'")
    assert (endpoint.method, endpoint.url, endpoint.bearer) == ("PUT", "https://r.example/v1/x", True)
    assert [(each.name, each.evidence, each.line) for each in endpoint.headers] == [("Authorization", "curl", 1)]
    assert endpoint.request.schema["x-evidence"] == ["curl"]
    assert endpoint.response is None


@pytest.mark.parametrize(
    ("text", "method", "url", "title"),
    [
        (ANSWER, "POST", "/v1/chat/completions", "pair.txt"),
        ('Quota\n{"object": "list", "data": []}', "GET", "", "Quota"),
        ('{"input": "x", "model": "m"}', "POST", "/v1/embeddings", "pair.txt"),
        (
            '# Own\nGET https://r.example/v1/models\n\nResponse\n{"object": "list"}',
            "GET",
            "https://r.example/v1/models",
            "Own",
        ),
        ('{"a": 1}\n{"b": 2}', "POST", "", "pair.txt"),
        ("[1]\n[2]", "POST", "", "pair.txt"),
        ('Request\n[1]\nResponse\n"x"\n[2]', "POST", "", "Request"),
    ],
)
def test_one_value_or_few_words_are_enough(text, method, url, title):
    _, endpoint = read(text)
    assert (endpoint.method, endpoint.url, endpoint.title) == (method, url, title)


def test_a_file_of_many_values_is_read_in_part():
    _, endpoint = read(f"{REQUEST}\n{ANSWER}\n" + '{"a": 1}\n' * 50)
    assert endpoint.response.example["id"] == "a"


@pytest.mark.parametrize("text", ["", "words only", "{ broken", " " * 4_000_001])
def test_a_file_without_json_is_refused_with_its_place(text):
    with pytest.raises(DeriveError, match=r"^pair\.txt:1"):
        read(text)


def test_a_text_without_json_does_not_look_like_examples():
    assert not example.looks_like("Some words\nand a {brace}")
