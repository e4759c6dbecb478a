"""Files to sources: what is no text is refused in words that say what to do."""

import gzip
import hashlib

import pytest

from conformance.derive import source as module
from conformance.derive.nouns import DeriveError
from conformance.derive.source import read_source, read_sources


def saved(tmp_path, data, name="page.txt"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        "模型\nmodel\n".encode(),
        "\ufeff模型\nmodel\n".encode(),
        "模型\r\nmodel\r\n".encode(),
        "模型\rmodel\r".encode(),
        "模型\nmodel\n".encode("utf-16"),
        b"\xfe\xff" + "模型\nmodel\n".encode("utf-16-be"),
    ],
)
def test_text_is_read_whatever_its_line_ends_and_byte_order_mark(tmp_path, data):
    source = read_source(saved(tmp_path, data))
    assert source.text == "模型\nmodel\n"
    assert source.sha256 == hashlib.sha256(data).hexdigest()
    assert source.at(2) == "page.txt:2"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        ("\ufeff \n".encode(), "nothing but blanks"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF file"),
        (b"PK\x03\x04....", "zip archive"),
        (gzip.compress(b"page", mtime=0), "gzip"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"one\ntwo\x00three", "byte 0x00 in line 2"),
        (b"one\x07", "byte 0x07 in line 1"),
        (b"\xff\xfe" + "one\ntwo\0".encode("utf-16-le"), "a zero in line 2"),
        (b"\xff\xfea", "is not UTF-16"),
        (b"ok\n\xff\xff\n", "line 2 is not UTF-8: byte 0xff"),
    ],
)
def test_what_is_no_text_is_refused_with_the_line(tmp_path, data, words):
    with pytest.raises(DeriveError) as caught:
        read_source(saved(tmp_path, data))
    assert words in caught.value.message
    assert "page.txt" in caught.value.message
    assert caught.value.hint


def test_gbk_is_named_with_its_line_and_the_way_out(tmp_path):
    with pytest.raises(DeriveError, match=r"line 2 is not UTF-8 \(it reads as GBK\)") as caught:
        read_source(saved(tmp_path, "page\n聊天接口\n".encode("gbk")))
    assert caught.value.hint == "save the file as UTF-8"


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(DeriveError, match="this is a folder"):
        read_source(tmp_path)
    with pytest.raises(DeriveError, match="there is no such file"):
        read_source(tmp_path / "nothing.txt")
    with pytest.raises(DeriveError, match="cannot be read"):
        read_source(saved(tmp_path, b"x") / "below.txt")


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(DeriveError, match="cannot be read"):
        read_source(tmp_path / ("x" * 5000))


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "page.txt"
    with path.open("wb") as file:
        file.truncate(module.LARGEST + 1)
    with pytest.raises(DeriveError, match="more than 8 MiB"):
        read_source(path)


def test_an_endless_line_is_refused(tmp_path):
    with pytest.raises(DeriveError, match="line 2 has more than"):
        read_source(saved(tmp_path, b"ok\n" + b"x" * (module.LONGEST_LINE + 1)))


def test_terminal_codes_are_text_but_not_in_a_name(tmp_path):
    source = read_source(saved(tmp_path, b"\x1b[31mred", "a\nb.txt"))
    assert source.text == "\x1b[31mred"
    assert source.name == "a_b.txt"


def test_the_order_of_inputs_changes_nothing(tmp_path):
    paths = [saved(tmp_path, b"1", "b.txt"), saved(tmp_path, b"2", "a.txt")]
    assert read_sources(paths) == read_sources(paths[::-1])
    assert [source.name for source in read_sources(paths)] == ["a.txt", "b.txt"]


def test_two_inputs_of_one_name_cannot_be_told_apart_in_evidence(tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(DeriveError, match=r"two inputs are called page.txt"):
        read_sources([saved(tmp_path, b"1"), saved(tmp_path / "other", b"2")])
