"""What was derived, as bytes: stable, diff-friendly, and harmless whatever a page says."""

import json
import tomllib

import pytest

from conformance.derive.emit import MARK, clean, defects_md, escaped, profile_toml, schema_json
from conformance.derive.nouns import Defect


def schema(parts, sources=("a.txt:1",)):
    return schema_json("vman", "chat", "POST /v1/chat/completions", sources, parts).decode()


def fact(**more):
    return {"x-evidence": ["table"], "x-source": "a.txt:2", **more}


def test_a_schema_says_what_it_is():
    found = json.loads(schema({"request": fact(type="object")}))
    assert found["$id"] == "https://relay-conformance.invalid/vman/chat.json"
    assert found["$schema"].endswith("2020-12/schema")
    assert (found["title"], found["x-source"]) == ("POST /v1/chat/completions", "a.txt:1")
    assert "x-sources" not in found


def test_several_pages_are_all_named():
    assert json.loads(schema({}, ("a.txt:1", "b.txt:2")))["x-sources"] == ["a.txt:1", "b.txt:2"]


def test_the_order_of_keys_changes_nothing_but_that_of_properties_is_the_page_s():
    one = fact(required=["b", "a"], type="object", properties={"b": fact(minimum=1, type="integer"), "a": {}})
    other = dict(reversed(one.items()))
    assert schema({"response": one, "request": {}}) == schema({"request": {}, "response": other})
    assert list(json.loads(schema({"request": one}))["$defs"]["request"]["properties"]) == ["b", "a"]
    assert json.loads(schema({"request": one}))["$defs"]["request"]["required"] == ["a", "b"]


def test_a_property_may_be_called_like_a_keyword():
    properties = {"required": fact(type="boolean"), "x-source": fact(), "items": fact(anyOf=[{"type": "null"}])}
    assert list(json.loads(schema({"request": {"properties": properties}}))["$defs"]["request"]["properties"]) == [
        "required",
        "x-source",
        "items",
    ]


def test_examples_are_kept_as_they_are():
    value = {"b": [2, 1], "a": {"required": ["z", "y"]}}
    parts = {"request": {"examples": [value], "default": value, "const": value}}
    found = json.loads(schema(parts))["$defs"]["request"]
    assert found == parts["request"]
    assert list(found["default"]) == ["b", "a"]


def test_a_file_is_indented_by_two_ends_with_a_newline_and_keeps_short_lists_on_a_line():
    text = schema({"request": fact(required=["a", "b"], enum=["a" * 40, "b" * 40, 'c"'])})
    assert text.endswith("}\n")
    assert '\n  "title"' in text
    assert '"x-evidence": ["table"]' in text
    assert '"required": ["a", "b"]' in text
    assert '"enum": [\n        "aaa' in text
    assert '"enum": [\n' in schema({"request": {"enum": ["a" * 50, "b" * 50]}})


def test_text_that_looks_like_a_list_stays_text():
    title = '[\n "a"\n]'
    assert json.loads(schema({"request": {"title": title}}))["$defs"]["request"]["title"] == title


@pytest.mark.parametrize("text", ["\u202e evil", "\ud800", "\x1b[31m", "\u200b"])
def test_hostile_characters_are_escaped_and_not_lost(text):
    found = schema({"request": {"title": text}})
    assert found.isascii()
    assert json.loads(found)["$defs"]["request"]["title"] == text


def test_plain_chinese_stays_readable():
    assert "聊天接口" in schema({"request": {"title": "聊天接口"}})


def test_a_profile_has_its_scalars_before_its_tables():
    text = profile_toml(
        {"authentication": {"scheme": "bearer"}, "operations": [{"title": "聊天"}], "name": "vman", "hosts": []}
    ).decode()
    assert tomllib.loads(text) == {
        "format": 1,
        "name": "vman",
        "hosts": [],
        "authentication": {"scheme": "bearer"},
        "operations": [{"title": "聊天"}],
    }
    assert text.startswith("format = 1\n")


def defect(**more):
    stated = {"row": "D1", "source": "a.txt:80", "where": "request temperature", "documented": "integer"}
    return Defect(**{**stated, "evidence": "the text says 0.8", "repair": "number", "repaired": True, **more})


def test_defects_are_listed_by_page_and_line():
    found = [
        defect(),
        defect(source="b.txt:3"),
        defect(source="a.txt:9", row=""),
        defect(source="odd:x", repaired=False),
    ]
    text = defects_md("vman", "VMAN", found).decode()
    assert text == defects_md("vman", "VMAN", found[::-1]).decode()
    rows = [line for line in text.splitlines() if line.startswith(("| ", "## "))]
    shown = [row.split(" | ")[:2] for row in rows if not row.startswith(("| row", "| ---"))]
    assert shown == [
        ["## a.txt"],
        ["| other", "9"],
        ["| D1", "80"],
        ["## b.txt"],
        ["| D1", "3"],
        ["## odd"],
        ["| D1", "x"],
    ]
    assert "number (reported only)" in text
    assert text.startswith(MARK)
    assert text.endswith("|\n")


def test_no_defects_is_said():
    assert "# vman: 0 defects" in defects_md("vman", "", []).decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a | b\n| c", "a \\| b \\| c"),
        ("[x](javascript:y) `z` *b* _i_ # h", "\\[x\\](javascript:y) \\`z\\` \\*b\\* \\_i\\_ # h"),
        ("\x1b[31m", "\\\\u{1b}\\[31m"),
        ("<!-- -->", "&lt;!-- --&gt;"),
        ("see https://x.example and WWW.x.example", "see https:\\//x.example and WWW\\.x.example"),
        ("", " "),
    ],
)
def test_a_page_s_text_marks_nothing_up(text, shown):
    assert escaped(text) == shown


def test_a_page_s_text_is_cut():
    assert clean("x" * 1000).startswith("x" * 300 + "…")
