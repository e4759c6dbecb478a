"""TOML from anybody is read in bounded time, and never quoted."""

from pathlib import Path

import pytest

from conformance.errors import DataError
from conformance.tomltext import parse_toml, read_toml

PATH = Path("given.toml")


def test_a_megabyte_of_blank_lines_is_read_at_once() -> None:
    assert parse_toml(PATH, b"\n" * 2**20 + b"a = 1") == {"a": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a" + b".a" * 200 + b" = 1", "line 1 has a hundred dots"),
        (b"\n\nkey = sk-secret", "not TOML: line 3, column 7"),
        (b"a = 1\n\xff", "line 2 is not UTF-8"),
        (b"a = " + b"[" * 5_000, "not TOML"),
    ],
)
def test_what_is_wrong_is_said_by_its_place_alone(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        parse_toml(PATH, content)

    assert "sk-secret" not in error.value.message


def test_dots_in_a_comment_and_a_byte_order_mark_are_no_matter() -> None:
    assert parse_toml(PATH, b"\xef\xbb\xbf # " + b"." * 200 + b"\na = 1") == {"a": 1}


def test_a_file_that_is_too_large_or_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_bytes(b"#" * (2**20 + 1))
    for name, said in (("large.toml", "more than 1 MiB"), ("none.toml", "cannot be read"), ("a\0b", "null")):
        with pytest.raises(DataError, match=said):
            read_toml(tmp_path / name, 2**20, "a hint")
