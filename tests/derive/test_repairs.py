"""Every row of the defect table: the mistake is found, named with its line, and mended where it can be."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import jsonschema_rs
import pytest
from pagewriter import ANSWER, MESSAGES, REQUEST, RESPONSE, Page, Row

from conformance.derive import apifox, reference
from conformance.derive.nouns import Body, Document, Endpoint, Source
from conformance.derive.repairs import page_defects, repair

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "pages"
GOOD = Page()
PARTS = [{"role": "user", "content": [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": "u"}}]}]
FULL = {
    **ANSWER,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": None, "refusal": None, "tool_calls": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "total_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": None,
    },
    "service_tier": None,
    "system_fingerprint": None,
    "more": 1,
}


def without(value, *names):
    return {key: inner for key, inner in value.items() if key not in names}


def changed(rows, **new):
    """The rows with some replaced: by a row, by a requirement, or by nothing."""
    found = [new.get(row.name, row) for row in rows]
    rows = [replace(old, required=row) if isinstance(row, bool) else row for old, row in zip(rows, found, strict=True)]
    return tuple(row for row in rows if row is not None)


def answer_rows(**new):
    return GOOD.but(response=changed(RESPONSE, **new))


def asking(**more):
    return {"model": "small-1", "messages": MESSAGES, **more}


def derived(page, operation="chat"):
    document = apifox.read_page(page.source())
    repaired, found = repair(document, document.endpoints[0], operation)
    return repaired["$defs"], [*page_defects(document), *found]


def only(page, row, operation="chat"):
    """The one defect of this row, and the schemas."""
    schemas, found = derived(page, operation)
    return next(each for each in found if each.row == row), schemas


def test_a_page_as_good_as_the_form_allows_shows_no_errors_and_keeps_the_message_closed():
    assert [(each.row, each.where) for each in derived(GOOD)[1]] == [
        ("D25", "response"),
        ("D30", "response choices[].message"),
    ]


def test_content_that_is_a_text_everywhere_is_widened_without_a_word():
    assert field_of(GOOD, "messages.[].content")["type"] == ["string", "array"]


COLLAPSED = GOOD.but(request=(), response=())
ROWS = {
    "D1": GOOD.with_request(Row("temperature", "integer", description="介于 0 和 2 之间,例如 0.7。")),
    "D2": GOOD.with_request(Row("presence_penalty", "integer", description="A number between -2.0 and 2.0.")),
    "D3": GOOD.with_request(Row("logit_bias", "null", description="从 -100 到 100 的偏差。")),
    "D4": GOOD.but(asked={"model": "small-1", "messages": PARTS}),
    "D5": GOOD.but(request=changed(REQUEST, role=False)),
    "D6": GOOD.but(request=changed(REQUEST, role=Row("role", "string", True, "system | user"))),
    "D7": GOOD.with_request(Row("stop", "string", description="最多 4 个序列。")),
    "D8": GOOD.with_request(Row("max_tokens", "number")),
    "D9": answer_rows(finish_reason=False),
    "D10": answer_rows(index=Row("index", "integer", True), finish_reason=Row("logprobs", "null")),
    "D11": GOOD.but(response=(*RESPONSE, Row("system_fingerprint", "string", True))),
    "D12": GOOD.but(response=changed(RESPONSE, model=None), answered=without(ANSWER, "model")),
    "D13": COLLAPSED.but(answered=without(ANSWER, "model")),
    "D14": GOOD.but(answered={**ANSWER, "id": "chatcmpl-123"}),
    "D15": GOOD.but(asked=asking(user="")),
    "D16": GOOD.but(headers=(Row("Authorization", "string", False),)),
    "D17": GOOD.but(auth=False),
    "D18": GOOD.but(headers=(Row("Accept", "string", True),)),
    "D19": GOOD.but(url="/chat/completions"),
    "D20": GOOD.but(nav="  • 语音\n    • TTS 朗读\n      GET"),
    "D21": GOOD.with_request(
        Row("stream", "boolean", description="事件 data: [DONE]发送,由消息终止。", extra=("默认值:", "false"))
    ),
    "D22": GOOD.but(asked=asking(user="https://img.example/a.png这是什么")),
    "D23": COLLAPSED,
    "D24": GOOD.but(headers=()),
    "D25": GOOD,
    "D26": GOOD.but(nav="  • 聊天\n    • gemini-pro\n      POST"),
    "D27": GOOD.but(request=changed(REQUEST, stream=Row("stream", "boolean")), asked=asking(stream=False)),
    "D28": GOOD.but(description="它还可以返回替代标记的概率。"),
    "D29": GOOD.but(nav="  • 图像\n    • gpt-4-all(生成图片)"),
    "D30": GOOD.but(
        response=(*RESPONSE, Row("completion_tokens_details", "object")),
        answered={**ANSWER, "usage": {**ANSWER["usage"], "completion_tokens_details": {"reasoning_tokens": 0}}},
    ),
    "D31": GOOD.but(
        response=(), response_media="application/json\nBody\nobject {0}\u00a0", answered="// an audio file"
    ),
    "D32": GOOD.but(answered='{"id": "a", "model": "b", // a remark\n "object": "c",}'),
}
UNREPAIRED = {"D20", "D21", "D22", "D25"}


@pytest.mark.parametrize("row", [f"D{number}" for number in range(1, 33)])
def test_every_row_of_the_defect_table_is_found_with_its_line(row):
    page = ROWS[row]
    defect, schemas = only(page, row)
    name, line = defect.source.split(":")
    assert (name, 0 < int(line) <= len(page.text().split("\n"))) == ("page.txt", True)
    assert all((defect.where, defect.documented, defect.evidence, defect.repair))
    assert defect.repaired is (row not in UNREPAIRED)
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("row", [f"D{number}" for number in range(1, 33) if number not in (25, 30)])
def test_the_row_is_not_found_on_a_page_without_the_mistake(row):
    assert row not in {each.row for each in derived(GOOD)[1]}


def test_the_line_of_a_defect_is_the_line_of_the_field():
    page = ROWS["D1"]
    defect, _ = only(page, "D1")
    assert page.text().split("\n")[int(defect.source.split(":")[1]) - 1] == "temperature"


def without_stamps(node):
    """A schema without where its facts come from."""
    if not isinstance(node, dict):
        return node
    return {key: without_stamps(value) for key, value in node.items() if not key.startswith("x-")}


def field_of(page, path, side="request"):
    node = derived(page)[0][side]
    for step in path.split("."):
        node = node["properties"][step] if step != "[]" else node["items"]
    return node


@pytest.mark.parametrize(
    ("row", "path", "expected"),
    [
        ("D1", "temperature", {"type": ["number", "null"], "minimum": 0, "maximum": 2}),
        ("D2", "presence_penalty", {"type": ["number", "null"], "minimum": -2, "maximum": 2}),
        (
            "D3",
            "logit_bias",
            {
                "type": ["object", "null"],
                "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100},
            },
        ),
        (
            "D7",
            "stop",
            {"type": ["string", "array", "null"], "minItems": 1, "maxItems": 4, "items": {"type": "string"}},
        ),
        ("D8", "max_tokens", {"type": ["integer", "null"], "minimum": 1}),
        ("D27", "stream", {"type": ["boolean", "null"], "default": False}),
    ],
)
def test_a_field_is_mended_and_says_so(row, path, expected):
    node = field_of(ROWS[row], path)
    assert without_stamps(node) == expected
    assert f"repair {row}" in node["x-evidence"]


def test_content_is_a_text_or_parts_with_the_shape_of_the_example():
    node = field_of(ROWS["D4"], "messages.[].content")
    assert node["type"] == ["string", "array"]
    assert node["items"]["required"] == ["type"]
    assert set(node["items"]["properties"]) == {"type", "text", "image_url"}


def test_role_stays_open_and_every_known_one_is_named():
    node = field_of(ROWS["D6"], "messages.[].role")
    assert "enum" not in node
    assert node["examples"] == ["system", "user", "assistant", "tool", "developer"]


def test_a_whole_list_of_roles_is_no_defect_and_is_kept():
    listed = ("枚举值:", "system", "user", "assistant", "tool", "developer")
    page = GOOD.but(request=changed(REQUEST, role=Row("role", "string", True, extra=listed)))
    schemas, found = derived(page)
    assert "D6" not in {each.row for each in found}
    assert schemas["request"]["properties"]["messages"]["items"]["properties"]["role"]["enum"] == list(listed[1:])


def test_what_clients_need_is_required_and_what_relays_leave_out_is_not():
    optional = replace(RESPONSE[5], required=False)
    needed = derived(GOOD.but(response=changed(RESPONSE, index=optional)))[0]["response"]
    assert set(needed["properties"]["choices"]["items"]["required"]) == {"index", "message", "finish_reason"}
    schema = derived(ROWS["D11"])[0]["response"]
    assert "system_fingerprint" not in schema["required"]
    only_promise = GOOD.but(response=(Row("system_fingerprint", "string", True),), answered=None)
    assert derived(only_promise)[0]["response"]["required"] == ["model"]


@pytest.mark.parametrize(("row", "line"), [("D12", "page.txt"), ("D13", "page.txt")])
def test_an_answer_without_model_gets_one(row, line):
    schema = derived(ROWS[row])[0]["response"]
    assert "model" in schema["required"]
    assert f"repair {row}" in schema["properties"]["model"]["x-evidence"]
    assert schema["properties"]["model"]["x-source"].startswith(line)


def test_the_model_of_a_request_is_never_a_constant():
    page = GOOD.but(request=changed(REQUEST, model=Row("model", "string", True, extra=("枚举值:", "gemini-pro", "b"))))
    node = field_of(page, "model")
    assert (node["type"], node["minLength"]) == ("string", 1)
    assert not {"enum", "const", "default"} & set(node)


def test_a_retired_model_in_the_example_is_reported_at_the_endpoint():
    page = GOOD.but(asked={"model": "gpt-4-32k", "messages": MESSAGES})
    assert only(page, "D26")[0].documented == "the model gpt-4-32k"
    assert "D26" not in {each.row for each in derived(GOOD.but(asked={"model": 7, "messages": MESSAGES}))[1]}


def test_an_empty_example_value_must_not_be_empty_in_a_request():
    node = field_of(ROWS["D15"].with_request(Row("user", "string")), "user")
    assert node["minLength"] == 1


def test_an_answer_that_is_a_file_is_no_object():
    schema = derived(ROWS["D31"])[0]["response"]
    assert schema["contentMediaType"] == "application/octet-stream"
    assert "type" not in schema


def test_the_closed_object_has_the_fields_of_the_example():
    node = field_of(ROWS["D30"], "usage.completion_tokens_details", "response")
    assert set(node["properties"]) == {"reasoning_tokens"}


def test_a_closed_object_without_example_is_only_reported():
    page = GOOD.but(response=(*RESPONSE, Row("extra", "object")))
    found = [each for each in derived(page)[1] if each.where == "response extra"]
    assert [(each.row, each.repaired) for each in found] == [("D30", False)]


@pytest.mark.parametrize(
    ("row", "shown", "expected", "named"),
    [
        (Row("soft_limit_usd", "integer"), 1.5, "number", "D32"),
        (Row("cost", "integer"), 1, "number", "D32"),
        (Row("ratio", "integer"), 0.5, "number", "D32"),
        (Row("speed", "integer", description="between 0.25 and 4.0"), 1, "number", "D1"),
        (Row("words", "string"), ["a"], ["string", "array"], "D4"),
        (Row("words", "string"), {"a": 1}, ["string", "object"], "D4"),
        (Row("extra", "null"), "text", ["string", "null"], "D10"),
        (Row("extra", "null"), ["text"], ["array", "null"], "D10"),
    ],
)
def test_fields_that_the_protocol_does_not_know_are_mended_by_what_the_page_shows(row, shown, expected, named):
    page = GOOD.but(response=(*RESPONSE, row), answered={**ANSWER, row.name: shown})
    node = field_of(page, row.name, "response")
    assert node["type"] == expected
    assert f"repair {named}" in node["x-evidence"]


def test_the_range_of_a_bias_is_that_of_the_page():
    page = GOOD.with_request(Row("logit_bias", "null", description="从 -10 到 10 的偏差。"))
    node = field_of(page, "logit_bias")
    assert without_stamps(node["additionalProperties"]) == {"type": "number", "minimum": -10, "maximum": 10}
    assert node["additionalProperties"]["x-evidence"] == ["prose"]
    assert node["x-evidence"][:2] == ["table", "prose"]


def test_an_example_of_very_many_values_is_looked_at_in_part():
    page = COLLAPSED.but(asked={"model": "m", "messages": MESSAGES, "z": [""] * 20_001})
    assert "D15" in {each.row for each in derived(page)[1]}


def test_a_field_that_is_only_null_may_be_anything():
    page = GOOD.but(response=(*RESPONSE, Row("extra", "null")))
    node = field_of(page, "extra", "response")
    assert "type" not in node
    assert node["x-weak"]


def test_money_that_only_an_example_shows_as_whole_may_have_fractions():
    page = COLLAPSED.but(answered={**ANSWER, "total_usage": 3})
    assert field_of(page, "total_usage", "response")["type"] == "number"


@pytest.mark.parametrize(
    ("row", "asked", "expected"),
    [
        (Row("voice", "string", description="可选值: alloy、echo"), None, {"enum": ["alloy", "echo"], "x-weak": True}),
        (Row("voice", "string | null", description="one of a, b"), None, {"enum": ["a", "b", None]}),
        (Row("voice", "string", description="one of a, b"), "c", {"enum": ["a", "b"]}),
        (Row("voice", "string", description="最多 80 个字符"), None, {"maxLength": 80}),
        (Row("voices", "array [string]", description="at most 3 items"), None, {"maxItems": 3}),
        (Row("speed", "number", description="从 0.25 到 4"), None, {"minimum": 0.25, "maximum": 4}),
        (Row("speed", "number", description="从 0.25 到 4"), 9, {"minimum": 0.25, "maximum": 4}),
        (Row("size", "integer", description=">= 3"), True, {"minimum": 3}),
        (Row("voice", "string", extra=("枚举值:", "x", "y"), description="one of a, b"), None, {"enum": ["x", "y"]}),
    ],
)
def test_words_become_limits_also_where_the_example_contradicts_them(row, asked, expected):
    page = GOOD.with_request(row).but(asked=asking(**({row.name: asked} if asked is not None else {})))
    node = field_of(page, row.name)
    limits = {"enum", "minimum", "maximum", "maxItems", "maxLength"}
    assert {key: node[key] for key in limits & set(node)} == {key: expected[key] for key in limits & set(expected)}


def test_texts_of_the_page_do_not_reach_the_schema():
    page = GOOD.with_request(Row("temperature", "integer", title="温度", description="介于 0 和 2 之间"))
    text = json.dumps(derived(page)[0], ensure_ascii=False)
    assert not {"温度", "介于"} & {word for word in ("温度", "介于") if word in text}


def test_the_document_and_the_reference_are_left_as_they_were():
    document = apifox.read_page(ROWS["D7"].source())
    before, facts = copy.deepcopy(document), copy.deepcopy(reference.FAMILIES)
    repair(document, document.endpoints[0], "chat")
    assert (document, reference.FAMILIES) == (before, facts)


@pytest.fixture(scope="module")
def repaired_pages():
    return [derived(page)[0] for page in (GOOD, *ROWS.values())]


def test_an_honest_answer_fits_every_repaired_page(repaired_pages):
    for schemas in repaired_pages:
        jsonschema.validate(FULL, schemas["response"])


@pytest.mark.parametrize("row", sorted(set(ROWS) - {"D31"}))
def test_every_repaired_answer_needs_a_model(row):
    assert "model" in derived(ROWS[row])[0]["response"]["required"]


def fixtures(*expected):
    for path in sorted((ROOT / "fixtures" / "chat").glob("*.json")):
        case = json.loads(path.read_bytes())
        # A bare address of a picture is no form that any page documents.
        documented = isinstance(case.get("body"), dict) and path.stem != "vision-bare-url"
        if documented and case.get("expect", "success") in expected:
            yield pytest.param(case["body"], id=path.stem)


@pytest.mark.parametrize("body", list(fixtures("success", "either")))
def test_every_valid_request_of_ours_fits_every_repaired_page(body, repaired_pages):
    for schemas in repaired_pages:
        assert jsonschema_rs.is_valid(schemas["request"], body)


@pytest.mark.parametrize(
    ("path", "operation", "fact"),
    [
        ("/v1/completions", "", "text"),
        ("/v1/embeddings", "", "embedding"),
        ("/v1/chat/completions?x=1", "", "messages"),
        ("/v1/elsewhere", "chat", "messages"),
        ("/v1/elsewhere", "chat.stream", "messages"),
    ],
)
def test_the_facts_are_those_of_the_operation_or_else_of_the_path(path, operation, fact):
    family = reference.family_of(operation, path)[1]
    assert any(fact in each.path for each in (*family.request, *family.response))


def test_an_unknown_operation_has_facts_without_ranges_and_only_where_the_example_agrees():
    page = GOOD.but(url="/v1/else").with_request(Row("temperature", "integer"), Row("n", "string"))
    schema = derived(page.but(asked=asking(n="north")), "")[0]["request"]["properties"]
    assert schema["temperature"]["type"] == ["number", "null"]
    assert not {"minimum", "maximum"} & set(schema["temperature"])
    assert schema["n"]["type"] == "string"


def test_an_error_that_the_page_shows_counts():
    text = GOOD.text().replace("🟢200OK\n", "🟠404没有\napplication/json\nBody\n示例\n{}\n🟢200OK\n")
    assert "D25" not in {each.row for each in page_defects(apifox.read_page(Source("page.txt", text, "")))}


def openapi(schema, **more):
    """A document as another reader hands it on: no page, only a schema with evidence."""
    source = Source("api.yaml", more.pop("text", ""), "")
    body = Body("application/json", schema, None, 3)
    whole = {"title": "x", "folder": (), "method": "POST", "url": "/v1/chat/completions", "line": 2, "description": ""}
    endpoint = Endpoint(**whole, bearer=True, headers=(), request=body, response=more.pop("response", None))
    return Document(source, "openapi", "x", (), (endpoint,))


def test_a_schema_of_openapi_is_repaired_the_same_way():
    said = {"x-source": "api.yaml:9", "x-evidence": ["openapi"]}
    temperature = {"type": "integer", "description": "between 0 and 2", **said}
    stop = {"oneOf": [{"type": "string", "description": "a text"}, {"type": "array"}], **said}
    schema = {"type": "object", "properties": {"temperature": temperature, "stop": stop, "model": dict(said)}, **said}
    document = openapi(schema)
    repaired, found = repair(document, document.endpoints[0], "chat")
    fields = repaired["$defs"]["request"]["properties"]
    assert fields["temperature"]["type"] == ["number", "null"]
    assert [each["type"] for each in fields["stop"]["oneOf"]] == ["string", "array"]
    assert fields["model"]["type"] == "string"
    assert [(each.row, each.source) for each in found if each.row == "D1"] == [("D1", "api.yaml:9")]
    assert "response" not in repaired["$defs"]


@pytest.mark.parametrize(
    ("text", "found"), [("responses:\n  '200':\n   default: 4\n", ["D25"]), ("  '401':\n   description: x", [])]
)
def test_other_statuses_of_an_openapi_document_count(text, found):
    document = openapi({"type": "object"}, text=text, response=Body("application/json", {}, None, 4))
    assert [each.row for each in page_defects(document)] == found


def test_a_field_of_the_wrong_type_that_no_row_names_keeps_both_types():
    page = GOOD.but(request=changed(REQUEST, model=Row("model", "integer", True)))
    schemas, found = derived(page)
    assert schemas["request"]["properties"]["model"]["type"] == ["string", "integer"]
    assert "" in {each.row for each in found}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Row("temperature", "integer", description="如 0.8"), "decimal point"),
        (Row("temperature", "integer"), "the protocol"),
        (Row("stop", "string", description="最多 4 个序列"), "up to 4"),
    ],
)
def test_the_evidence_against_a_type_is_the_best_there_is(row, words):
    found = derived(GOOD.with_request(row))[1]
    assert any(words in each.evidence for each in found)


@pytest.mark.parametrize(
    ("row", "shown", "words"),
    [
        (Row("extra", "string", True), {}, "leaves it out"),
        (Row("extra", "string"), {"extra": 1}, "shows integer"),
        (Row("extra", "boolean"), {"extra": "yes"}, "shows string"),
    ],
)
def test_where_table_and_example_differ_the_author_is_told_and_the_table_stands(row, shown, words):
    page = GOOD.but(response=(*RESPONSE, row), answered={**ANSWER, **shown})
    schemas, found = derived(page)
    assert schemas["response"]["properties"]["extra"]["type"] == row.kind
    assert [(each.where, each.repaired) for each in found if words in each.evidence] == [("response extra", False)]


@pytest.mark.parametrize(("kind", "shown"), [("number", 1), ("string", "x"), ("string | null", "x")])
def test_an_example_that_fits_its_table_is_no_defect(kind, shown):
    page = GOOD.but(response=(*RESPONSE, Row("extra", kind)), answered={**ANSWER, "extra": shown})
    assert "" not in {each.row for each in derived(page)[1]}


EXPECTED = {
    "api-call-docs.txt": "D1 D2 D3 D4 D6 D8 D9 D10 D11 D15 D17 D25 D26 D27 D30",
    "api-zh-docs.txt": "D13 D14 D19 D23 D24 D25 D26",
    "mtu.txt": "D13 D14 D20 D22 D23 D24 D25 D26 D28",
    "tutujin.txt": "D13 D14 D23 D24 D25 D26 D27",
    "vman.txt": "D1 D3 D4 D5 D7 D9 D12 D13 D14 D16 D18 D21 D25 D26 D27 D29 D30",
}


@pytest.mark.skipif(not REAL.is_dir(), reason="the providers' pages are not beside this checkout")
@pytest.mark.parametrize("name", EXPECTED)
def test_the_defects_of_the_real_pages_are_those_of_the_sheet(name):
    document = apifox.read_page(Source(name, (REAL / name).read_text(encoding="utf-8"), ""))
    repaired, found = repair(document, document.endpoints[0], "chat")
    rows = {each.row for each in (*found, *page_defects(document))}
    assert sorted(rows, key=lambda row: int(row[1:])) == EXPECTED[name].split()
    jsonschema.validate(FULL, repaired["$defs"]["response"])
    for case in fixtures("success", "either"):
        jsonschema.validate(case.values[0], repaired["$defs"]["request"])
