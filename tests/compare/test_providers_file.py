"""providers.toml: what is wrong with it is said with file, provider and field, and no key is repeated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compare.providers_of_tests import ROOT, run
from conformance.errors import ConformanceError
from conformance.providers import control_of, read_providers

KEY = "sk-abcdef0123456789abcdef"
TWO = """format = 1
[[providers]]
name = "first"
base_url = "http://127.0.0.1:1/v1"
{}
[[providers]]
name = "second"
base_url = "http://127.0.0.1:1/v1"
model = "m"
"""


def written(folder: Path, more: str) -> Path:
    path = folder / "providers.toml"
    path.write_text(TWO.format(more), encoding="utf-8")
    return path


def test_the_documented_example_can_be_read():
    entries = read_providers(ROOT / "docs" / "examples" / "providers.toml")
    assert [entry.folder for entry in entries] == ["official", "relay-A", "relay-B", "my-own"]
    assert control_of(entries) == "official"
    assert entries[2].waivers == ROOT / "docs" / "examples" / "waivers-b.toml"
    assert entries[3].key_env == ""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (f'model = "m"\nkey_env = "{KEY}"', "key_env: holds what looks like a key"),
        (f'model = "m"\nheaders = {{ X = "{KEY}" }}', "headers.X: holds what looks like a key"),
        (f'model = "m"\nheaders = {{ {KEY} = "X" }}', "headers: holds what looks like a key"),
        ('model = "m"\napi_key = "whatever"', "api_key: keys do not stand"),
        ('model = "m"\nkey_env = "A1B2C3D4E5F6A7B8C9D0E1"', "key_env: is not the name"),
        ('model = "m"\nconcurency = 3', "did you mean 'concurrency'?"),
        ('model = "m"\nconcurrency = 300', "concurrency: 300"),
        ('model = "m"\nrate = 0.001', "rate: "),
        ('model = "m"\nno_key = true\nkey_env = "X"', "both key_env and no_key"),
        ("", "no model is given"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(more: str, said: str, tmp_path: Path):
    path = written(tmp_path, more)
    with pytest.raises(ConformanceError) as raised:
        read_providers(path)
    told = f"{raised.value.message} {raised.value.hint}"
    assert str(path) in told
    assert '"first"' in told
    assert said in told
    assert KEY not in told
    assert "A1B2C3D4" not in told
    assert raised.value.hint


@pytest.mark.parametrize("text", ["", "x", "format = 2\nproviders = []", f"format = 1\nkey = {KEY}", "providers = 3"])
def test_what_is_no_such_file_is_refused(text: str, tmp_path: Path):
    path = tmp_path / "providers.toml"
    path.write_text(text)
    with pytest.raises(ConformanceError) as raised:
        read_providers(path)
    assert KEY not in raised.value.message


def test_a_mark_of_the_byte_order_is_no_mistake(tmp_path: Path):
    path = written(tmp_path, 'model = "m"')
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [entry.name for entry in read_providers(path)] == ["first", "second"]


@pytest.mark.parametrize("line", ["." * 99 + "a", "[" + "a." * 99 + "a]"])
def test_a_name_of_a_hundred_parts_is_refused_before_it_is_read(line: str, tmp_path: Path):
    path = written(tmp_path, "# " + "." * 200)
    path.write_text(f"{path.read_text('utf-8')}\na.{line} = 1\n", encoding="utf-8")
    with pytest.raises(ConformanceError, match="hundred dots"):
        read_providers(path)


@pytest.mark.parametrize(
    ("name", "other"),
    [("a", "A"), ("a", "a."), ("a", "a "), ("caf\u00e9", "cafe\u0301"), ("a", "\uff41"), ("stra\u00dfe", "STRASSE")],
)
def test_names_that_a_disk_or_a_reader_takes_for_the_same_are_refused(name: str, other: str, tmp_path: Path):
    path = written(tmp_path, 'model = "m"')
    path.write_text(path.read_text("utf-8").replace("first", name).replace("second", other), encoding="utf-8")
    with pytest.raises(ConformanceError, match="its folder would be that of"):
        read_providers(path)


@pytest.mark.parametrize(
    ("name", "folder"),
    [("CON", "provider-CON"), ("nul.txt", "provider-nul.txt"), ("-.-", "provider"), ("conrad", "conrad")],
)
def test_a_folder_has_a_name_that_every_disk_takes(name: str, folder: str, tmp_path: Path):
    path = written(tmp_path, 'model = "m"')
    path.write_text(path.read_text("utf-8").replace("first", name), encoding="utf-8")
    assert read_providers(path)[0].folder == folder


def test_all_missing_variables_are_named_at_once(tmp_path: Path):
    path = written(tmp_path, 'model = "m"\nkey_env = "NOT_SET_A"\nheaders = { X-T = "NOT_SET_B" }')
    done = run(str(path), RELAY_API_KEY="sk-some-key-of-the-second")
    assert done.returncode == 2
    assert "NOT_SET_A, NOT_SET_B" in done.stderr
    assert not (Path.cwd() / "reports" / "compare").exists()


@pytest.mark.parametrize(
    "arguments", [("providers.toml", "run"), ("run", "other", "--dear"), ("a.toml", "--resume"), ("run",)]
)
def test_arguments_that_make_no_sense_are_refused(arguments: tuple[str, ...], tmp_path: Path):
    done = run(*(str(tmp_path / each) if not each.startswith("--") else each for each in arguments))
    assert done.returncode == 2
    assert "hint: " in done.stderr
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - shorter than asking whether an iterator is empty
