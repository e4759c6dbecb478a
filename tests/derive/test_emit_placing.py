"""Derived files into their folder: all or none, and nothing of anybody else's is touched."""

import pytest

from conformance.derive import placing
from conformance.derive.emit import defects_md, profile_toml, schema_json
from conformance.derive.placing import compare, place
from conformance.errors import UsageError

SCHEMA = schema_json("vman", "chat", "POST /x", ["a.txt:1"], {"request": {"type": "object"}})
PROFILE = profile_toml({"name": "vman", "operations": []})
FILES = {"chat.json": SCHEMA, "profile.toml": PROFILE, "DEFECTS.md": defects_md("vman", "", [])}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_files_are_written_and_equal_afterwards(tmp_path):
    folder = tmp_path / "deep" / "vman"
    place(FILES, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert names(folder.parent) == ["vman"]
    assert compare(FILES, folder) == []


def test_writing_again_changes_nothing_and_drops_only_what_is_ours(tmp_path):
    mine = {
        "notes.md": b"mine",
        "other.json": b"{}",
        "bad.json": b"[",
        "x.toml": b"format = 1",
        "deep.json": b"[" * 9999,
    }
    for name, content in mine.items():
        (tmp_path / name).write_bytes(content)
    place({**FILES, "old.json": SCHEMA}, tmp_path)
    assert [each.file for each in compare(FILES, tmp_path)] == ["old.json"]
    assert compare(FILES, tmp_path)[0].what == "surplus"
    place(FILES, tmp_path)
    assert names(tmp_path) == sorted([*FILES, *mine])


def test_differences_are_shown_and_cut(tmp_path):
    place(FILES, tmp_path)
    (tmp_path / "chat.json").write_bytes(SCHEMA.replace(b"object", b"\x1b[31m\xff"))
    (tmp_path / "profile.toml").unlink()
    (tmp_path / "DEFECTS.md").write_text("other\n" * 100)
    found = {each.file: each for each in compare(FILES, tmp_path)}
    assert {name: each.what for name, each in found.items()} == {
        "DEFECTS.md": "differs",
        "chat.json": "differs",
        "profile.toml": "missing",
    }
    assert '-      "type": "\\u{1b}[31m\ufffd"' in found["chat.json"].lines
    assert '+      "type": "object"' in found["chat.json"].lines
    assert len(found["DEFECTS.md"].lines) == placing.MOST_LINES + 1
    assert found["DEFECTS.md"].lines[-1].endswith("more lines")


def test_checking_a_folder_that_is_not_there_writes_nothing(tmp_path):
    assert {each.what for each in compare(FILES, tmp_path / "none")} == {"missing"}
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("DEFECTS.md", b"# mine"),
        ("chat.json", b'{"$id": "https://example.com/chat.json"}'),
        ("chat.json", b"[]"),
        ("chat.json", b"\xff"),
        ("profile.toml", b"name = 1"),
        ("profile.toml", b"name ="),
    ],
)
def test_a_file_that_is_not_ours_is_not_overwritten(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match="was not written by this command"):
        place(FILES, tmp_path)
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == content


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "chat.json").mkdir()
    with pytest.raises(UsageError, match="was not written by this command"):
        place(FILES, tmp_path)


def test_out_must_not_be_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        place(FILES, path)
    with pytest.raises(UsageError, match="cannot be written"):
        place(FILES, path / "below")


def test_a_disk_that_fails_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(placing.Path, "replace", full)
    with pytest.raises(UsageError, match="No space left"):
        place(FILES, tmp_path / "vman")
    assert names(tmp_path / "vman") == []
    assert names(tmp_path) == ["vman"]


def test_a_huge_file_there_is_not_read(tmp_path, monkeypatch):
    place(FILES, tmp_path)
    monkeypatch.setattr(placing, "_LARGEST", 5)
    assert {each.what for each in compare(FILES, tmp_path)} == {"missing"}


def test_a_file_that_cannot_be_read_counts_as_missing(tmp_path):
    found = compare({"x" * 5000: b""}, tmp_path)
    assert [each.what for each in found] == ["missing"]
