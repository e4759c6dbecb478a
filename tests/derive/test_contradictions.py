"""Where an example says other things than the page: both lines are named, and schema and list of defects agree."""

import pytest
from pagewriter import ANSWER, MESSAGES, Page, Row

from conformance.derive import apifox
from conformance.derive.nouns import Body, Document, Endpoint, Source
from conformance.derive.repairs import repair

GOOD = Page()


def derived(page, operation="chat"):
    document = apifox.read_page(page.source())
    repaired, found = repair(document, document.endpoints[0], operation)
    return repaired["$defs"], found


def asking(row, value):
    return GOOD.with_request(row).but(asked={"model": "small-1", "messages": MESSAGES, row.name: value})


@pytest.mark.parametrize(
    ("row", "shown", "kept", "documented"),
    [
        (Row("temperature", "number", description="介于 0 和 1.5 之间"), 9, {"maximum": 1.5}, "the range 0 to 1.5"),
        (Row("n", "integer", description="范围 1-10"), 11, {"minimum": 1, "maximum": 10}, "the range 1 to 10"),
        (Row("speed", "number", description="至少 2"), 1, {"minimum": 2}, "at least 2"),
        (Row("speed", "number", description="不能超过 1.5"), 2.5, {"maximum": 1.5}, "at most 1.5"),
        (Row("size", "string", extra=("枚举值:", "a", "b")), "c", {"enum": ["a", "b"]}, "one of a, b"),
        (Row("size", "string", description="one of a, b"), "c", {"enum": ["a", "b"]}, "one of a, b"),
        (Row("name", "string", description="最多 3 个字符"), "long", {"maxLength": 3}, "at most 3 characters"),
        (Row("tags", "array [string]", description="at most 1 items"), ["a", "b"], {"maxItems": 1}, "at most 1 items"),
        (Row("flag", "boolean"), "yes", {"type": "boolean"}, "type boolean"),
        (Row("label", "string"), None, {"type": "string"}, "type string"),
        (Row("created_at", "integer"), 1.5, {"type": "integer"}, "type integer"),
    ],
)
def test_what_the_page_states_stands_and_the_example_is_named(row, shown, kept, documented):
    page = asking(row, shown)
    schemas, found = derived(page)
    node = schemas["request"]["properties"][row.name]
    assert {key: node[key] for key in kept} == kept
    defect = next(each for each in found if each.where == f"request {row.name}" and not each.row)
    lines = page.text().split("\n")
    assert lines[int(defect.source.split(":")[1]) - 1] == row.name
    assert (defect.documented, defect.repaired) == (documented, False)
    where = int(defect.evidence.split("page.txt:")[1].split(" ")[0])
    assert f'"{row.name}"' in lines[where - 1]


def test_an_example_that_the_protocol_refuses_is_told_too():
    page = GOOD.but(asked={"model": "small-1", "messages": MESSAGES, "n": "x"})
    defect = next(each for each in derived(page)[1] if each.where == "request n")
    assert "protocol" in defect.documented


def test_an_example_breaks_a_schema_in_few_rows():
    names = [f"f{number}" for number in range(80)]
    page = GOOD.with_request(*(Row(name, "string") for name in names))
    page = page.but(asked={"model": "m", "messages": MESSAGES, **dict.fromkeys(names, 1)})
    assert len([each for each in derived(page)[1] if not each.row]) == 50


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (Row("ratio", "number"), 1),
        (Row("size", "integer"), 2.0),
        (Row("id", "any"), []),
        (Row("x", "string | null"), None),
    ],
)
def test_an_example_that_fits_is_no_defect(row, shown):
    assert [each for each in derived(asking(row, shown))[1] if not each.row] == []


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (GOOD.but(answered={key: each for key, each in ANSWER.items() if key != "model"}), ["D13"]),
        (
            GOOD.but(
                response=tuple(row for row in GOOD.response if row.name != "model"),
                answered={key: each for key, each in ANSWER.items() if key != "model"},
            ),
            ["D12", "D13"],
        ),
        (GOOD.but(response=tuple(row for row in GOOD.response if row.name != "model"), answered=None), ["D12"]),
        (GOOD.but(answered=None), []),
    ],
)
def test_an_example_answer_without_model_has_its_row(page, expected):
    schemas, found = derived(page)
    assert [each.row for each in found if each.where == "response model"] == expected
    assert "model" in schemas["response"]["required"]


@pytest.mark.parametrize(
    ("row", "asked", "expected"),
    [
        (Row("stream", "boolean"), {"model": "m", "messages": MESSAGES}, ["D27"]),
        (Row("stream", "boolean"), None, []),
        (None, {"model": "m", "messages": MESSAGES}, []),
    ],
)
def test_a_default_is_missed_only_where_field_and_example_are(row, asked, expected):
    rows = (*(each for each in GOOD.request if each.name != "stream"), *([row] if row else []))
    schemas, found = derived(GOOD.but(request=rows, asked=asked))
    assert [each.row for each in found if each.row == "D27"] == expected
    assert schemas["request"]["properties"].get("stream", {}).get("default") is (False if row else None)


def test_the_repair_of_a_type_is_the_type_of_the_schema():
    parts = [{"role": "user", "content": [{"type": "text", "text": "?"}]}]
    rows = tuple(Row("content", "string | null", True) if row.name == "content" else row for row in GOOD.request)
    schemas, found = derived(GOOD.but(request=rows, asked={"model": "m", "messages": parts}))
    content = schemas["request"]["properties"]["messages"]["items"]["properties"]["content"]
    assert content["type"] == ["string", "array", "null"]
    assert next(each for each in found if each.row == "D4").repair == "type string | array | null"


def test_money_is_spoken_of_where_there_is_money_only():
    plain = GOOD.but(response=(*GOOD.response, Row("ratio", "integer")), answered={**ANSWER, "ratio": 0.5})
    assert next(each for each in derived(plain)[1] if each.row == "D32").repair == "type number"
    money = GOOD.but(response=(*GOOD.response, Row("cost", "integer")), answered={**ANSWER, "cost": 0.5})
    assert "dollars" in next(each for each in derived(money)[1] if each.row == "D32").repair


def test_a_choice_is_not_held_against_the_example():
    stamp = {"x-source": "api.json:2", "x-evidence": ["openapi"]}
    kinds = [{"type": "object", "properties": {"type": {"enum": [kind], **stamp}}, **stamp} for kind in ("a", "b")]
    schema = {"type": "object", "properties": {"part": {"oneOf": kinds, **stamp}}, **stamp}
    body = Body("application/json", schema, {"part": {"type": "b"}}, 2, 3)
    endpoint = Endpoint("x", (), "POST", "/v1/own", 1, "", True, (), body, None)
    document = Document(Source("api.json", "", ""), "openapi", "x", (), (endpoint,))
    assert repair(document, endpoint, "")[1] == []
