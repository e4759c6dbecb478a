"""What a stranger did to pages and to profiles, and what came of it."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from conformance.cli import main

PAGE = Path(__file__).resolve().parents[1] / "docs" / "howto" / "example-page.txt"
TEXT = PAGE.read_text(encoding="utf-8")

COPIES = {
    "windows": lambda text: text.replace("\n", "\r\n"),
    "old-mac": lambda text: text.replace("\n", "\r"),
    "byte-order-mark": lambda text: "\ufeff" + text,
    "trailing-blanks": lambda text: text.replace("\n", "   \n"),
    "trailing-tabs": lambda text: text.replace("\n", "\t\n"),
    "full-width": lambda text: text.replace("(", "(").replace(":", ":").replace(",其值", ",其值"),
    "preformatted": lambda text: f"<pre>{text}</pre>",
}
"""How a page comes out of a clipboard; lines stay where they are."""


def run(monkeypatch, *words):
    """The exit code of a command line."""
    monkeypatch.setattr(sys, "argv", ["relay-conformance", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def derived(monkeypatch, folder, text):
    """What is written for a page: names and texts of files."""
    folder.mkdir()
    page, out = folder / "page.txt", folder / "out"
    page.write_text(text, encoding="utf-8", newline="")
    assert run(monkeypatch, "derive", page, "--name", "sky", "--out", out) == 0
    return {each.name: each.read_text(encoding="utf-8") for each in out.iterdir()}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_by_another_way_gives_the_same_facts(monkeypatch, tmp_path, copy):
    plain = derived(monkeypatch, tmp_path / "plain", TEXT)
    other = derived(monkeypatch, tmp_path / "other", COPIES[copy](TEXT))
    assert other["chat.json"] == plain["chat.json"]
    assert other.keys() == plain.keys()


@pytest.mark.parametrize("name", ["../x", "a/b", "openai", "formats", "Sky", "", "-x", "sky\n"])
def test_a_name_that_is_no_folder_name_is_refused(monkeypatch, tmp_path, name):
    assert run(monkeypatch, "derive", PAGE, f"--name={name}", "--out", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("file", ["chat.json", "profile.toml", "DEFECTS.md"])
def test_a_file_of_somebody_else_stays(monkeypatch, tmp_path, file):
    (tmp_path / file).write_text("mine\n", encoding="utf-8")
    assert run(monkeypatch, "derive", PAGE, "--name", "sky", "--out", tmp_path) == 2
    assert [(each.name, each.read_text(encoding="utf-8")) for each in tmp_path.iterdir()] == [(file, "mine\n")]


def test_words_of_a_page_neither_steer_a_terminal_nor_become_markup(monkeypatch, tmp_path, capsys):
    hostile = "\x1b[31m<script>alert(1)</script>|[x](javascript:1)"
    files = derived(monkeypatch, tmp_path / "page", TEXT.replace("晴空", hostile))
    assert run(monkeypatch, "profiles", tmp_path / "page" / "out") == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err + "".join(files.values())
    assert "<script>" not in files["DEFECTS.md"]
    assert not re.search(r"(?<!\\)\]\(", files["DEFECTS.md"])


def test_no_file_tells_where_the_page_lay(monkeypatch, tmp_path):
    files = derived(monkeypatch, tmp_path / "secret-folder", TEXT)
    assert not [name for name, text in files.items() if "secret-folder" in text or str(tmp_path) in text]


def test_a_schema_whose_page_is_gone_is_surplus_and_then_removed(monkeypatch, tmp_path, capsys):
    schema = {"type": "object", "properties": {"model": {"type": "string"}}}
    body = {"content": {"application/json": {"schema": schema}}}
    operation = {"post": {"requestBody": body, "responses": {"200": {"description": "x", **body}}}}
    both = {"/chat/completions": operation, "/embeddings": operation}
    page, out = tmp_path / "api.json", tmp_path / "out"
    page.write_text(json.dumps({"openapi": "3.1.0", "paths": both}), encoding="utf-8")
    assert run(monkeypatch, "derive", page, "--name", "x", "--out", out) == 0
    del both["/embeddings"]
    page.write_text(json.dumps({"openapi": "3.1.0", "paths": both}), encoding="utf-8")
    capsys.readouterr()
    assert run(monkeypatch, "derive", page, "--name", "x", "--out", out, "--check") == 1
    assert re.search(r"surplus\s+\S*embeddings\.json", capsys.readouterr().out)
    assert run(monkeypatch, "derive", page, "--name", "x", "--out", out) == 0
    assert not (out / "embeddings.json").exists()


SPOILED = {
    "schema-elsewhere": ("profile.toml", lambda text: text.replace('"chat.json"', '"../../chat.json"')),
    "no-toml": ("profile.toml", lambda text: text + "\nx = [\n"),
    "no-json": ("chat.json", lambda _: "{\n"),
    "no-schema": ("chat.json", lambda text: text.replace('"type": "string"', '"type": "strnig"')),
    "reference-to-itself": ("chat.json", lambda text: text.replace('"type": "string"', '"$ref": "#/$defs/request"', 1)),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_spoiled_profile_is_an_error_that_names_the_file(monkeypatch, tmp_path, capsys, case):
    file, spoil = SPOILED[case]
    derived(monkeypatch, tmp_path / "page", TEXT)
    profile = shutil.copytree(tmp_path / "page" / "out", tmp_path / "own")
    (profile / file).write_text(spoil((profile / file).read_text(encoding="utf-8")), encoding="utf-8")
    capsys.readouterr()
    words = ("plan", "https://x.example", "--model", "m", "--profile", profile, "--generated", 5)
    assert run(monkeypatch, *words) == 2
    assert f"own/{file}" in capsys.readouterr().err.replace("\n", "")
