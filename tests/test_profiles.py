"""Profiles: what a provider's pages claim, loaded from ours or from a user's folder."""

import dataclasses
import json
import re

import pytest
from click.testing import CliRunner

from conformance import profiles as module
from conformance.commands.profiles_command import profiles_command
from conformance.contract import load_schemas
from conformance.derive.emit import profile_toml
from conformance.errors import DataError, UsageError
from conformance.profiles import bundled_profiles, load_profile

OPERATION = {
    "title": "聊天接口",
    "folder": ["接口", "聊天"],
    "kind": "endpoint",
    "operation": "chat",
    "method": "POST",
    "path": "/v1/chat/completions",
    "file": "p.txt",
    "line": 7,
}
STATED = {
    "name": "mine",
    "title": "Mine",
    "base_path": "/v1",
    "hosts": ["api.example.com"],
    "models": ["m-1"],
    "defects": 3,
    "weak": 1,
    "authentication": {"scheme": "bearer", "header": "Authorization", "documented": True, "source": "p.txt:9"},
    "sources": [{"file": "p.txt", "sha256": "0" * 64, "kind": "apifox-text", "title": "Mine"}],
    "operations": [
        OPERATION,
        {**OPERATION, "title": "gpts", "variant": "gpts"},
        {"title": "Imagine", "kind": "endpoint", "operation": "mj.imagine"},
        {"title": "常见问题", "folder": ["帮助"], "kind": "text"},
    ],
}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "POST /v1/chat/completions",
    "$defs": {
        "request": {"type": "object", "required": ["model"], "properties": {"model": {}, "$ref": {"type": "string"}}},
        "response": {"type": "object"},
    },
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "profile.toml").write_bytes(profile_toml(STATED))
    (tmp_path / "chat.json").write_text(json.dumps(SCHEMA))
    (tmp_path / "DEFECTS.md").write_text("# Mine\n")
    (tmp_path / "notes.txt").write_text("not part of it")
    return tmp_path


def shown(*arguments):
    result = CliRunner().invoke(profiles_command, [str(each) for each in arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.output


def test_a_folder_of_the_user_s_is_loaded(folder):
    profile = load_profile(str(folder))
    assert (profile.name, profile.title, profile.base_path, profile.defects, profile.weak) == (
        "mine",
        "Mine",
        "/v1",
        3,
        1,
    )
    assert (profile.hosts, profile.models) == (("api.example.com",), ("m-1",))
    assert profile.schemas == {"mine/chat.json": SCHEMA}
    assert profile.operations == ("chat", "mj.imagine")


def test_claims_say_whether_there_are_rules_for_them(folder):
    claims = load_profile(str(folder)).claims
    assert [(claim.title, claim.checked) for claim in claims] == [
        ("聊天接口", True),
        ("gpts", True),
        ("Imagine", False),
        ("常见问题", False),
    ]
    first, variant, unseen, text = claims
    assert (first.folder, first.method, first.path, first.file, first.line) == (
        ("接口", "聊天"),
        "POST",
        "/v1/chat/completions",
        "p.txt",
        7,
    )
    assert (variant.variant, unseen.method, text.kind) == ("gpts", "", "text")


def test_a_profile_cannot_be_changed(folder):
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_profile(str(folder)).name = "other"


def test_the_digest_is_that_of_the_files(folder):
    before = load_profile(str(folder)).digest
    (folder / "notes.txt").write_text("still not part of it")
    assert load_profile(str(folder)).digest == before
    (folder / "DEFECTS.md").write_text("# Mine\n\n")
    assert load_profile(str(folder)).digest != before


def test_what_a_page_need_not_say_has_defaults(tmp_path):
    stated = {"name": "a", "title": "A", "base_path": "", "hosts": [], "models": [], "operations": []}
    (tmp_path / "profile.toml").write_bytes(profile_toml(stated))
    profile = load_profile(str(tmp_path))
    assert (profile.claims, profile.schemas, profile.defects, profile.weak) == ((), {}, 0, 0)
    assert (profile.sources, profile.authentication) == ((), None)
    assert "not known" in shown(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = \n", r"profile.toml: not TOML: .*line 1"),
        ("format = 1\nname = 3", r"profile.toml: .*"),
        (profile_toml({**STATED, "name": "../x"}).decode(), "at /name"),
        (profile_toml({**STATED, "operations": [{"title": "x", "kind": "odd"}]}).decode(), "at /operations/0/kind"),
        (profile_toml({**STATED, "more": 1}).decode(), "more"),
        ("format = 1\nname = 2024-01-01", "profile.toml"),
        ("a = " + "[" * 5000, "not TOML"),
    ],
)
def test_a_broken_profile_is_named_with_its_place(folder, text, words):
    (folder / "profile.toml").write_text(text)
    with pytest.raises(DataError, match=words):
        load_profile(str(folder))


def test_a_profile_that_is_not_utf_8_is_named_with_its_line(folder):
    (folder / "profile.toml").write_bytes(b"format = 1\nname = '\xff'")
    with pytest.raises(DataError, match="line 2 is not UTF-8"):
        load_profile(str(folder))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{\n"a": }', r"chat.json: not JSON.*\(line 2\)"),
        ("[]", "chat.json: no JSON object"),
        ("[" * 9999, "chat.json: nested deeper"),
        ('{"type": "strange"}', "chat.json: not a JSON schema.* at /type"),
        ('{"type": 3}', "at /type"),
        ('{"minimum": "x"}', "at /minimum"),
        ('{"pattern": "("}', "chat.json: not a JSON schema"),
        ('{"pattern": "a\\\\Z"}', 'is not a "regex"$'),
        ('{"$defs": {"a": {"anyOf": [{"$ref": "https://elsewhere.example/x.json"}]}}}', "without \\$ref"),
        ('{"$ref": "#"}', "without \\$ref"),
    ],
)
def test_a_broken_schema_is_named_with_its_place(folder, text, words):
    (folder / "chat.json").write_text(text)
    with pytest.raises(DataError, match=words):
        load_profile(str(folder))


def test_a_schema_that_cannot_be_read_is_named(folder, monkeypatch):
    (folder / "more.json").mkdir()
    with pytest.raises(DataError, match=r"more.json: cannot be read"):
        load_profile(str(folder))
    (folder / "more.json").rmdir()
    monkeypatch.setattr(module, "LARGEST", 10)
    with pytest.raises(DataError, match="MiB"):
        load_profile(str(folder))
    monkeypatch.setattr(module, "MOST_FILES", 1)
    with pytest.raises(DataError, match="more than 1 schemas"):
        load_profile(str(folder))


@pytest.mark.parametrize(
    ("name", "words"),
    [("vmann", "did you mean vman"), ("zzz", "known: .*vman"), ("", "known: "), ("x" * 5000, "known: ")],
)
def test_an_unknown_name_is_answered_with_near_ones(name, words):
    with pytest.raises(UsageError, match="there is no profile") as caught:
        load_profile(name)
    assert re.search(words, caught.value.hint)


def test_a_folder_without_a_profile_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"holds no profile.toml"):
        load_profile(str(tmp_path))


@pytest.mark.parametrize("name", ["api-call-docs", "api-zh-docs", "mtu", "tutujin", "vman"])
def test_the_profiles_that_we_ship_can_be_loaded(name):
    assert name in bundled_profiles()
    profile = load_profile(name)
    assert profile.name == name
    assert "chat" in profile.operations
    for key, schema in profile.schemas.items():
        assert load_schemas()[key] == schema
        assert schema["$id"].endswith(key)


def test_all_profiles_are_listed_with_their_counts():
    rows = shown().splitlines()
    assert rows[0].split() == ["name", "operations", "checked", "schemas", "defects", "title"]
    assert [row.split()[0] for row in rows[1:]] == list(bundled_profiles())


def test_one_profile_is_explained(folder):
    text = shown(folder)
    for line in (
        "Mine (mine)",
        "page            p.txt (apifox-text, sha256 000000000000)",
        "base path       /v1",
        "authentication  bearer in Authorization (documented at p.txt:9)",
        "operations      2 named, 1 of them checked",
        f"defects         3, listed in {folder / 'DEFECTS.md'}",
        "weak facts      1 (guessed from an example alone)",
        "接口 / 聊天",
        "  checked  POST  chat  聊天接口",
        "(top)",
        "  not yet checked  -  mj.imagine  Imagine",
        "mine/chat.json  POST /v1/chat/completions",
        "  request   2 fields, required: model",
        "  response  0 fields, required: nothing",
    ):
        assert line in text.splitlines(), line


def test_a_page_that_says_nothing_of_authentication_is_told_apart(folder):
    stated = {**STATED, "authentication": {"scheme": "bearer", "header": "Authorization", "documented": False}}
    (folder / "profile.toml").write_bytes(profile_toml(stated))
    assert "bearer in Authorization (no page says so)" in shown(folder)


def test_hostile_titles_are_shown_harmlessly(folder):
    stated = {**STATED, "title": "\u202eMine\x1b[31m"}
    (folder / "profile.toml").write_bytes(profile_toml(stated))
    assert "\\u{202e}Mine\\u{1b}[31m (mine)" in shown(folder)


@pytest.mark.parametrize("bodies", [{"request": True}, {"response": []}, []], ids=str)
def test_bodies_that_are_no_objects_are_refused(folder, bodies):
    (folder / "chat.json").write_text(json.dumps({**SCHEMA, "$defs": bodies}))
    with pytest.raises(DataError, match=r"chat\.json: \$defs must hold request and response as objects"):
        load_profile(str(folder))


def test_a_number_of_thousands_of_digits_is_refused(folder):
    stated = (folder / "profile.toml").read_text(encoding="utf-8")
    (folder / "profile.toml").write_text(stated.replace("defects = 3", f"defects = 0x{'f' * 6000}"), encoding="utf-8")
    with pytest.raises(DataError, match=r"profile\.toml"):
        load_profile(str(folder))
