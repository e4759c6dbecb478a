from __future__ import annotations

import json

import pytest

from conformance.comparison import jsondiff
from conformance.comparison.jsondiff import DEEPEST, MOST_LINES, MOST_LOOKED_AT, Diff, Kind, diff

LEFT = {"id": "a", "choices": [{"message": {"content": "Yes"}, "finish_reason": "stop"}], "usage": {"total_tokens": 3}}


def of(left: object, right: object, at: str = "") -> Diff:
    return diff(json.dumps(left), json.dumps(right), at)


def told(found: Diff) -> dict[str, str]:
    """Pointer -> kind of every line that differs."""
    return {line.pointer: line.kind.value for line in found.lines if line.kind not in {Kind.SAME, Kind.SKIPPED}}


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": 1}, {"a": True}, {"/a": "type"}),
        ({"a": 1}, {"a": 2}, {"/a": "value"}),
        ({"a": 1}, {"a": "1"}, {"/a": "type"}),
        ({"a": 1}, {"a": None}, {"/a": "type"}),
        ({"a": {}}, {"a": []}, {"/a": "type"}),
        ({"a": 1}, {}, {"/a": "removed"}),
        ({}, {"a": {"b": [1]}}, {"/a": "added"}),
        ([1, 2], [1], {"/1": "removed"}),
        ([1], [1, {"x": 2}], {"/1": "added"}),
        ({"a/b": {"~": 1}}, {"a/b": {"~": 2}}, {"/a~1b/~0": "value"}),
        ("x", "y", {"/": "value"}),
        ([], {}, {"/": "type"}),
    ],
)
def test_json_is_compared_by_structure(left, right, expected):
    found = of(left, right)
    assert (found.form, told(found), found.different) == ("json", expected, len(expected))


def test_the_finding_is_marked_where_it_points():
    right = json.loads(json.dumps(LEFT))
    right["choices"][0]["finish_reason"] = None
    marked = [line.pointer for line in of(LEFT, right, "/choices/0/finish_reason").lines if line.marked]
    assert marked == ["/choices/0/finish_reason"]


def test_what_only_one_side_has_is_marked_too():
    right = {"id": "a", "choices": LEFT["choices"]}
    line = next(line for line in of(LEFT, right, "/usage").lines if line.marked)
    assert (line.pointer, line.kind, line.right) == ("/usage", Kind.REMOVED, "")


def test_a_place_that_neither_has_marks_what_is_nearest_above():
    found = of(LEFT, LEFT, "/choices/0/message/tool_calls/0/id")
    assert [line.pointer for line in found.lines if line.marked] == ["/choices/0/message"]


@pytest.mark.parametrize("at", ["status", "header:X-Id", "/nowhere", ""])
def test_a_place_outside_the_body_marks_nothing(at):
    assert not any(line.marked for line in of(LEFT, {**LEFT, "id": "b"}, at).lines)


def test_what_is_alike_is_counted_instead_of_shown():
    found = of(LEFT, {**LEFT, "id": "b"})
    assert [line.kind for line in found.lines] == [Kind.VALUE, Kind.SKIPPED]
    assert found.lines[-1].count == 7


def test_fields_matter_more_than_words_where_there_is_no_room():
    left = {f"k{number}": number for number in range(400)}
    right = {f"k{number}": number + 1 for number in range(399)}
    found = of(left, right)
    assert told(found)["/k399"] == "removed"
    assert len([line for line in found.lines if line.kind is not Kind.SKIPPED]) <= MOST_LINES + DEEPEST
    assert found.different == 400


def test_a_change_stands_in_what_it_belongs_to():
    right = json.loads(json.dumps(LEFT))
    del right["choices"][0]["message"]["content"]
    names = [(line.depth, line.name) for line in of(LEFT, right).lines if line.kind is not Kind.SKIPPED]
    assert names == [(1, "choices"), (2, "0"), (3, "message"), (4, "content")]


def test_events_of_streams_are_compared_at_the_pointers_of_findings():
    def sse(*values):
        return "".join(f"data: {json.dumps(value)}\n\n" for value in values) + "data: [DONE]\n\n"

    found = diff(sse({"choices": []}, {"choices": [1]}), sse({"choices": []}, {"choices": None}), "/events/1/choices")
    assert found.form == "stream"
    assert told(found) == {"/events/1/choices": "type"}
    assert [line.pointer for line in found.lines if line.marked] == ["/events/1/choices"]


def test_other_text_is_compared_by_line():
    found = diff("<html>\nBad gateway\nnginx\n", "<html>\nToo many\nnginx\nmore\n")
    assert found.form == "text"
    assert [(line.kind, line.left, line.right) for line in found.lines if line.kind is not Kind.SKIPPED] == [
        (Kind.VALUE, "Bad gateway", "Too many"),
        (Kind.ADDED, "", "more"),
    ]
    assert told(diff("a\nb", "a")) == {"2": "removed"}


def test_json_and_other_text_are_compared_as_text():
    assert diff("{}", "<html>").form == "text"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("[" * 5_000, "[" * 5_000),
        ("[" * 100 + "]" * 100, "[" * 100 + "1" + "]" * 100),
        ('{"a": NaN}', '{"a": 1e999}'),
        ("", ""),
        ("", "data: x"),
        ("data: " + "x" * 2_000_000, "data: y\n\n"),
        ("data: x\n\n" * 500, "data: {}\n\n" * 500),
        ("\ud800", "\x00\x1b[31m"),
        ("9" * 5_000, "8" * 5_000),
        (json.dumps({"k" * 100_000: {"k" * 100_000: list(range(100))}}), "{}"),
    ],
)
def test_hostile_answers_are_compared_within_bounds(left, right):
    for found in (diff(left, right, "/a/0"), diff(right, left, "x" * 10_000)):
        assert len(found.lines) <= 2 * MOST_LINES + DEEPEST
        assert all(len(line.left) < 300 and len(line.right) < 300 and len(line.name) < 300 for line in found.lines)


def test_what_is_too_long_is_compared_in_part_and_says_so():
    assert of(list(range(10)), [1]).whole
    assert not of(list(range(MOST_LOOKED_AT + 10)), []).whole


def test_deep_values_are_compared_as_a_whole():
    def nested(value, levels=DEEPEST + 3):
        for _ in range(levels):
            value = {"a": value}
        return value

    found = of(nested(1), nested(2))
    assert list(told(found)) == ["/a" * DEEPEST]
    assert not told(of(nested(1), nested(1)))


def test_what_would_hide_is_shown():
    line = of({"a\u202e": "x\x1b"}, {"a\u202e": 1}).lines[0]
    assert line.name == "a\\u{202e}"
    assert "\x1b" not in line.left


def test_no_kind_is_without_a_weight():
    assert set(jsondiff._WEIGHTS) == set(Kind) - {Kind.SKIPPED}
