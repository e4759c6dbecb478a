"""A file is there as a whole or as it was; links, pipes and permissions are left as they are."""

import os
import threading
from pathlib import Path

import pytest

from conformance.whole_files import write_whole


def test_folders_above_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"

    assert write_whole(path, "text") == path
    assert path.read_text() == "text"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_half_a_character_is_no_reason_to_lose_the_rest(tmp_path: Path) -> None:
    assert write_whole(tmp_path / "file", "a\ud800b").read_text() == "a\\ud800b"


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to("there")
    write_whole(tmp_path / "link", "new")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "new"


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_who_may_read_it_stays(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    write_whole(path, "new")

    assert path.stat().st_mode & 0o777 == mode


def test_a_new_file_is_as_open_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    write_whole(tmp_path / "file", "new")

    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, "text")
    reader.join()

    assert read == ["text"]
    assert pipe.is_fifo()


def test_several_who_write_the_same_leave_one_of_their_texts(tmp_path: Path) -> None:
    path = tmp_path / "file"
    writers = [threading.Thread(target=write_whole, args=(path, str(number) * 10_000)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(set(path.read_text())) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder") as error:
        write_whole(tmp_path / "folder", "text")

    assert error.value.filename == str(tmp_path / "folder")
