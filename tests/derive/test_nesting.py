"""Which field is whose, when a page has printed two levels one below the other."""

import pytest
from pagewriter import Page, Row

from conformance.derive import apifox
from conformance.derive.nouns import DeriveError


def request(rows, asked=None, nbsp="\u00a0"):
    document = apifox.read_page(
        Page(request=tuple(rows), asked=asked, response=(), answered={"a": 1}, nbsp=nbsp).source()
    )
    return document.endpoints[0].request.schema


def shape(schema):
    """The tree as names only; a list around those of an array."""
    names = {name: shape(node) for name, node in schema.get("properties", {}).items()}
    return [shape(schema["items"])] if "items" in schema and schema.get("type") == "array" else names


def test_a_count_takes_exactly_that_many_fields():
    rows = [Row("list", "array [object {2}]"), Row("a", "string"), Row("b", "integer"), Row("c", "string")]
    assert shape(request(rows)) == {"list": [{"a": {}, "b": {}}], "c": {}}


def test_a_count_of_an_object_takes_fields_too_and_none_of_an_empty_one():
    rows = [Row("box", "object {1}"), Row("a", "string"), Row("empty", "object {0}"), Row("c", "string")]
    assert shape(request(rows)) == {"box": {"a": {}}, "empty": {}, "c": {}}


def test_without_a_count_the_example_says_which_fields_are_inside():
    rows = [Row("box", "object"), Row("a", "string"), Row("b", "string"), Row("c", "string")]
    assert shape(request(rows, {"box": {"a": "1", "b": "2"}, "c": "3"})) == {"box": {"a": {}, "b": {}}, "c": {}}


def test_a_name_that_is_inside_and_outside_goes_inside_when_the_other_one_is_documented_too():
    asked = {"id": "1", "box": {"id": "2", "name": "x"}, "name": "y"}
    rows = [
        Row("id", "string"),
        Row("box", "object"),
        Row("id", "string"),
        Row("name", "string"),
        Row("name", "string"),
    ]
    assert shape(request(rows, asked)) == {"id": {}, "box": {"id": {}, "name": {}}, "name": {}}
    once = [Row("box", "object"), Row("name", "string")]
    assert shape(request(once, {"box": {"name": "x"}, "name": "y"})) == {"box": {"name": {}}, "name": {}}
    assert request(once, {"box": {"name": "x"}, "name": "y"})["properties"]["name"]["x-evidence"] == ["table"]


def test_a_count_ends_where_the_example_has_a_field_outside():
    asked = {"list": [{"a": "1"}], "c": "x"}
    rows = [Row("list", "array [object {3}]"), Row("a", "string"), Row("c", "string")]
    assert shape(request(rows, asked)) == {"list": [{"a": {}}], "c": {}}


def test_without_count_and_example_known_objects_are_guessed():
    rows = [Row("usage", "object"), Row("prompt_tokens", "integer"), Row("total_tokens", "integer"), Row("c", "string")]
    schema = request(rows)
    assert shape(schema) == {"usage": {"prompt_tokens": {}, "total_tokens": {}}, "c": {}}
    assert schema["properties"]["usage"]["x-weak"]
    listed = request([Row("messages", "array [object]"), Row("role", "string")])
    assert shape(listed) == {"messages": [{"role": {}}]}
    assert listed["properties"]["messages"]["x-weak"]


def test_unknown_objects_take_nothing():
    assert shape(request([Row("box", "object"), Row("a", "string")])) == {"box": {}, "a": {}}


def test_a_closed_object_of_the_second_level_has_the_fields_of_the_example():
    rows = [
        Row("list", "array [object {2}]"),
        Row("inner", "object {2}"),
        Row("deep", "array [object]"),
        Row("c", "string"),
    ]
    asked = {"list": [{"inner": {"x": 1, "y": [{"z": 1}]}, "deep": [{"w": 1}]}], "c": ""}
    schema = request(rows, asked)
    assert shape(schema) == {"list": [{"inner": {"x": {}, "y": [{"z": {}}]}, "deep": [{"w": {}}]}], "c": {}}
    inner = schema["properties"]["list"]["items"]["properties"]["inner"]
    assert inner["x-evidence"] == ["table"]
    assert inner["properties"]["x"]["x-evidence"] == ["example"]


def test_fields_of_the_example_only_are_optional_and_weak():
    schema = request([Row("a", "string", True)], {"a": "x", "b": 1})
    assert schema["required"] == ["a"]
    assert schema["properties"]["b"]["x-weak"]


def test_where_the_table_does_not_say_required_the_example_does():
    schema = request([Row("a", "string", None), Row("b", "string", None)], {"a": "x"})
    assert schema["required"] == ["a"]
    assert "required" not in request([Row("a", "string", None)], [{}] and {"z": 1})


def test_an_array_of_any_items_is_described_by_the_example():
    schema = request([Row("list", "array"), Row("flat", "array [string]")], {"list": [{"a": 1}], "flat": ["x"]})
    assert shape(schema) == {"list": [{"a": {}}], "flat": [{}]}


@pytest.mark.parametrize("asked", [{"list": "text"}, {"list": [1]}, [1], "text"])
def test_an_example_that_has_no_place_for_the_fields_is_refused(asked):
    rows = [Row("list", "array [object {2}]"), Row("a", "string"), Row("b", "string")]
    with pytest.raises(DeriveError, match=r"^page\.txt:\d+: "):
        request(rows, f'"{asked}"' if asked == "text" else asked)


def test_a_root_that_is_a_list_has_the_fields_in_its_items():
    page = Page(
        response=(Row("a", "integer"),),
        answered=[{"a": 1, "b": 2}],
        response_media="application/json\nBody\narray [object {1}]\u00a0",
    )
    schema = apifox.read_page(page.source()).endpoints[0].response.schema
    assert shape(schema) == [{"a": {}, "b": {}}]
    empty = apifox.read_page(page.but(answered=[]).source()).endpoints[0].response.schema
    assert shape(empty) == [{"a": {}}]
    bare = apifox.read_page(page.but(response=(), answered=None).source()).endpoints[0].response.schema
    assert bare["type"] == "array"
