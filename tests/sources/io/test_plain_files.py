"""Files are regular ones, and sized before they are read."""

import os
from pathlib import Path

import pytest

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.sources.io.plain_files import (
    open_regular,
    plain_chunk,
    read_head,
    read_whole,
)

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_pipe_is_refused_without_waiting_for_a_writer(pipe):
    with pytest.raises(StoreFormatError, match=r"regular file at .*pipe; found a pipe"):
        open_regular(pipe)


def test_a_link_to_a_device_is_refused(tmp_path):
    path = tmp_path / "endless"
    path.symlink_to("/dev/zero")
    with pytest.raises(StoreFormatError, match="found a device"):
        read_whole(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)


def test_a_link_to_a_file_is_read(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    assert read_whole(tmp_path / "link") == b"abc"


def test_a_file_of_just_the_limit_is_read(tmp_path):
    (tmp_path / "file").write_bytes(b"abcd")
    assert read_whole(tmp_path / "file", 4) == b"abcd"


def test_a_longer_file_is_refused_before_it_is_read(tmp_path):
    """A sparse file of 40 GiB takes no room on the disk and none in memory."""
    with (tmp_path / "file").open("wb") as file:
        file.truncate(40 << 30)
    with pytest.raises(StoreFormatError, match=r"at most 64 MiB .* found 40 GiB"):
        read_whole(tmp_path / "file")


def test_the_head_of_a_long_file_is_read_alone(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        file.write(b"head")
        file.truncate(40 << 30)
    assert read_head(tmp_path / "file", 4) == b"head"


def test_a_file_of_the_system_that_tells_no_size_is_read():
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("needs /proc")
    assert read_whole(path).startswith(b"Name:")


def test_what_keeps_a_chunk_from_being_read_is_a_failure_of_the_chunk(pipe):
    with (
        pytest.raises(ChunkReadError, match="found a pipe") as caught,
        plain_chunk(pipe, "0/1"),
    ):
        open_regular(pipe)
    assert caught.value.key == "0/1"


def test_that_nothing_is_there_is_no_failure_yet(tmp_path):
    with plain_chunk(tmp_path / "none", "0/1"):
        open_regular(tmp_path / "none")
