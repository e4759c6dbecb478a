"""Several pages of one operation as one schema."""

import itertools

import pytest

from conformance.derive.merging import merge


def table(line=1, **more):
    return {**more, "x-source": f"a.txt:{line}", "x-evidence": ["table"]}


def example(line=1, **more):
    return {**more, "x-source": f"b.txt:{line}", "x-evidence": ["example"], "x-weak": True}


def bare(schema):
    return {key: value for key, value in schema.items() if not key.startswith("x-")}


def test_one_page_is_what_it_is():
    assert merge([table(type="string")]) == table(type="string")


def test_two_pages_that_agree_are_both_named():
    assert merge([table(1, type="string"), table(2, type="string")]) == {
        "type": "string",
        "x-source": "a.txt:1",
        "x-sources": ["a.txt:1", "a.txt:2"],
        "x-evidence": ["table"],
    }


@pytest.mark.parametrize("order", [1, -1])
def test_a_table_beats_an_example_whichever_comes_first(order):
    found = merge([table(type="number", minimum=0), example(type="integer", maximum=3, title="t")][::order])
    assert bare(found) == {"type": "number", "minimum": 0, "title": "t"}
    assert (found["x-source"], found["x-evidence"]) == ("a.txt:1", ["table", "example"])
    assert "x-weak" not in found


def test_two_guesses_stay_a_guess_in_what_they_share():
    found = merge([example(1, type="string", title="t"), example(2, type="null")])
    assert bare(found) == {"type": ["string", "null"], "title": "t"}


def test_two_tables_that_differ_allow_what_either_allows():
    found = merge([table(type="number", minimum=0, maximum=2), table(2, type="integer", minimum=0, maximum=1)])
    assert bare(found) == {"type": ["number", "integer"], "minimum": 0}
    assert bare(merge([table(enum=["a"]), table(enum=["a", "b"])])) == {"enum": ["a", "b"]}
    assert bare(merge([table(type="string", enum=["a"]), table(type="string")])) == {"type": "string"}
    assert bare(merge([table(type="string"), table()])) == {}


def test_what_is_said_of_other_properties_is_kept_where_pages_agree():
    left = table(type="object", minProperties=1, additionalProperties=table(1, type="number"))
    right = table(type=["object", "null"], additionalProperties=table(2, type="number"))
    assert bare(merge([left, right])["additionalProperties"]) == {"type": "number"}
    other = table(type=["object", "null"], additionalProperties=table(2, type="string"))
    assert "additionalProperties" not in merge([left, other])


def test_properties_of_all_pages_are_kept_in_the_order_of_the_first():
    left = table(type="object", properties={"b": table(type="string"), "a": table(type="string")})
    right = table(type="object", properties={"c": table(type="null"), "a": table(type="integer")})
    found = merge([left, right])["properties"]
    assert list(found) == ["b", "a", "c"]
    assert found["a"]["type"] == ["string", "integer"]


@pytest.mark.parametrize(
    ("schemas", "required"),
    [
        ([table(required=["a", "b"]), table(required=["b", "c"])], ["b"]),
        ([table(required=["b", "a"]), example(required=["c"])], ["a", "b"]),
        ([example(required=["b", "a"]), example(required=["b"])], ["b"]),
        ([table(required=["a"]), table()], None),
        ([table(), example(required=["a"])], None),
    ],
)
def test_required_is_what_every_table_requires(schemas, required):
    properties = {name: {} for name in "abc"}
    for order in itertools.permutations(schemas):
        found = merge([{**each, "properties": properties} for each in order])
        assert found.get("required") == required


def test_an_object_that_only_one_page_opens_is_opened():
    opened = {"properties": {"a": table(type="string")}, "type": "object"}
    assert bare(merge([table(type="object"), table(2, **opened)])) == opened
    assert bare(merge([table(2, **opened), table(type="object")])) == opened


def test_items_are_merged_or_taken_from_the_page_that_has_them():
    left, right = table(type="array", items=table(type="string")), table(type="array", items=table(type="null"))
    assert merge([left, right])["items"]["type"] == ["string", "null"]
    assert merge([table(type="array"), left])["items"]["type"] == "string"
    assert merge([left, table(type="array")])["items"]["type"] == "string"


def test_an_example_opens_what_a_table_left_closed_only_below_what_both_open():
    left = table(type="object", properties={"a": table(type="integer")})
    right = example(type="object", properties={"a": example(type="string"), "b": example(type="string")})
    found = merge([left, right])["properties"]
    assert (found["a"]["type"], found["b"]["type"], found["b"]["x-weak"]) == ("integer", "string", True)


def test_choices_are_joined():
    choice = table(anyOf=[{"type": "string"}, {"type": "array"}])
    assert bare(merge([choice, table(anyOf=[{"type": "array"}, {"type": "null"}], title="t")])) == {
        "anyOf": [{"type": "string"}, {"type": "array"}, {"type": "null"}],
        "title": "t",
    }
    found = merge([choice, table(2, type="number")])
    assert [each["type"] for each in found["anyOf"]] == ["string", "array", "number"]


def test_a_property_called_like_a_note_counts():
    left = table(type="object", properties={"title": table(type="string")})
    right = table(type="object", properties={"title": table(type="null")})
    assert merge([left, right])["properties"]["title"]["type"] == ["string", "null"]


def test_what_has_no_source_is_merged_too():
    assert merge([{"type": "string"}, {"type": "null"}]) == {"type": ["string", "null"]}


def test_a_repair_is_named_after_the_words_for_evidence():
    repaired = table(type="number") | {"x-evidence": ["table", "repair D1"]}
    assert merge([repaired, example(type="integer")])["x-evidence"] == ["table", "example", "repair D1"]
