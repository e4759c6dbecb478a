"""YAML and JSON to values that know their lines, within bounds."""

import json
import time

import pytest

from conformance.derive import tree
from conformance.derive.nouns import DeriveError, Source
from conformance.derive.tree import read_json, read_yaml


def yaml(text, first_line=1):
    return read_yaml(Source("spec.yaml", text, ""), text, first_line)


def from_json(text, first_line=1):
    return read_json(Source("spec.json", text, ""), text, first_line)


def test_yaml_scalars_are_those_of_json_and_everything_else_is_text():
    text = "[~, null, true, False, 12, -1.5, .5, 1e3, 2024-01-16, yes, 'true', \"1\", 0x10, 1:30, !!python/name:os x]"
    plain = [None, None, True, False, 12, -1.5, 0.5, 1000.0]
    assert yaml(text) == [*plain, "2024-01-16", "yes", "true", "1", "0x10", "1:30", "x"]


def test_keys_are_the_text_that_stands_there():
    found = yaml("200: a\n2024-01-16: b\nnull: c\ntrue: d\n")
    assert found == {"200": "a", "2024-01-16": "b", "null": "c", "true": "d"}


@pytest.mark.parametrize(
    ("read", "text"),
    [(yaml, "a:\n  b: 1\n  c:\n    - d: 2\n"), (from_json, '{"a":\n {"b": 1,\n "c": [\n {"d": 2}]}}')],
)
def test_every_key_knows_its_line(read, text):
    found = read(text, 10)
    assert found == {"a": {"b": 1, "c": [{"d": 2}]}}
    assert found["a"].at == {"b": 11, "c": 12}
    assert found["a"]["c"][0].at == {"d": 13}


def test_json_is_read_as_json_reads_it():
    text = '{"t\\u00e9\\/": ["\\ud83d\\ude00, [1]: {}", -1.5e3, null, true,\t{}, []], "emp\\"ty": ""}'
    assert from_json(text) == json.loads(text)


def test_an_alias_is_what_it_stands_for():
    assert yaml("a: &x {b: 1}\nc: *x\nd: &y 2\ne: *y\n") == {"a": {"b": 1}, "c": {"b": 1}, "d": 2, "e": 2}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", r"spec.yaml:3: the name 'a' stands twice \(first in line 1\)"),
        ("a: &x\n  b: *x\n", r"spec.yaml:2: the alias \*x stands for nothing, or for what contains it"),
        ("a: 1\nb: [", "spec.yaml:[23]: not YAML"),
        ("a: *none\n", "not YAML|stands for nothing"),
        ("? [a, b]\n: 1\n", "spec.yaml:1: a mapping or list as a key"),
        ("a: &x 1\n*x : 2\n", "spec.yaml:2: an alias as a key"),
        ("a: \t- b\n\t- c", "not YAML"),
        ("a: \x1b", "not YAML"),
    ],
)
def test_what_yaml_cannot_mean_is_refused_with_the_line(text, words):
    with pytest.raises(DeriveError, match=words):
        yaml(text)


@pytest.mark.parametrize(
    ("text", "line"), [('{"a": 1,\n}', 2), ("{\n\n'a'", 3), ('{"a": NaN}', 1), ('{"a":\n "', 2), ("{}\n{}", 2)]
)
def test_what_is_no_json_is_refused_with_the_line(text, line):
    with pytest.raises(DeriveError, match=rf"spec.json:{line}: "):
        from_json(text)


def test_a_doubled_name_in_json_is_refused_as_in_yaml():
    with pytest.raises(DeriveError, match=r"spec.json:2: the name 'a' stands twice"):
        from_json('{"a": 1,\n"a": 2}')


@pytest.mark.parametrize("read", [yaml, from_json])
def test_nesting_is_bounded(read):
    with pytest.raises(DeriveError, match="nested deeper than"):
        read("[" * 5000 + "]" * 5000)


def test_aliases_that_multiply_are_refused_quickly():
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    began = time.monotonic()
    with pytest.raises(DeriveError, match="aliases expanded"):
        yaml("\n".join(rows))
    assert time.monotonic() - began < 5


def test_only_the_first_document_is_read_and_none_is_nothing():
    assert yaml("a: 1\n---\nb: 2\n") == {"a": 1}
    assert yaml("# nothing\n") is None


def test_a_scalar_alone_is_a_value():
    assert yaml("12") == 12
    assert tree.MOST > tree.DEEPEST
