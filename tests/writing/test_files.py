"""A file is whole or not there, and never something else's."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from brickfield.errors import OptionError, StoreWriteError
from brickfield.writing.files import (
    check_replaceable_file,
    partial_of,
    usable_path,
    write_text,
    write_whole,
)

posix = pytest.mark.skipif(os.name != "posix", reason="needs limits and signals")

FULL = """
import resource, signal, sys
from pathlib import Path
from brickfield.errors import StoreWriteError
from brickfield.writing.files import write_text
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_text(Path(sys.argv[1]), "x" * 5000)
except StoreWriteError as error:
    sys.exit(f"{error}")
"""


@posix
@pytest.mark.parametrize("before", [None, "old"])
def test_a_full_disk_leaves_the_old_file_or_none(tmp_path, before):
    """A limit of file sizes stands for the full disk."""
    path = tmp_path / "receipt.json"
    if before is not None:
        path.write_text(before)
    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "expected to write" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert [p.read_text() for p in tmp_path.iterdir()] == ([before] if before else [])


def test_a_failure_while_writing_leaves_nothing(tmp_path):
    def fail(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.bin", fail)
    assert list(tmp_path.iterdir()) == []


@posix
def test_what_a_killed_run_left_beside_a_file_goes_with_the_next(tmp_path):
    path = tmp_path / "a.json"
    own = partial_of(path).name
    with subprocess.Popen([sys.executable, "-c", "pass"]) as over:
        over.wait()
    left = tmp_path / own.replace(str(os.getpid()), str(over.pid))
    left.write_text("half")
    others = tmp_path / own.replace(str(os.getpid()), str(os.getppid()))
    others.write_text("at work")
    write_text(path, "whole")
    assert path.read_text() == "whole"
    assert not left.exists()
    assert others.exists()


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@posix
def test_the_rights_of_a_replaced_file_stay(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o640)
    write_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@posix
def test_a_device_is_written_to_and_never_replaced(tmp_path):
    from pathlib import Path

    write_text(Path(os.devnull), "away")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_a_name_of_any_allowed_length_can_be_written(tmp_path):
    path = tmp_path / ("ä" * 127)
    write_text(path, "x")
    assert path.read_text() == "x"


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "d/" * 5000])
def test_a_path_that_no_system_takes_is_refused_in_one_sentence(path):
    with pytest.raises(OptionError, match="expected --receipt") as error:
        usable_path(path, "--receipt")
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("kind", "content", "is_fine"),
    [
        ("png", b"\x89PNG\r\n\x1a\nrest", True),
        ("png", b"", True),
        ("png", b"II*\0 a TIFF", False),
        ("receipt", json.dumps({"bytes_read": 1}).encode(), True),
        ("receipt", b"", True),
        ("receipt", b'{"axes": []}', False),
        ("receipt", b"my notes", False),
        ("receipt", b"[" * 100_000, False),
    ],
)
def test_only_a_file_of_the_same_kind_is_replaced(tmp_path, kind, content, is_fine):
    path = tmp_path / "out"
    path.write_bytes(content)
    if is_fine:
        check_replaceable_file(path, option="-o", kind=kind)
        return
    with pytest.raises(OptionError, match="expected -o to be a new file"):
        check_replaceable_file(path, option="-o", kind=kind)


def test_a_folder_is_no_file_to_write(tmp_path):
    with pytest.raises(OptionError, match="found a folder"):
        check_replaceable_file(tmp_path, option="-o", kind="png")
    with pytest.raises(StoreWriteError, match="expected to write"):
        write_text(tmp_path, "x")


@pytest.mark.parametrize(
    "text", ["https://example.org/a.zarr", Path("s3://bucket/a.zarr"), "gs:/b/a.zarr"]
)
def test_an_address_elsewhere_is_no_place_to_write_to(text, tmp_path, monkeypatch):
    """A path made of it is a folder below the current one."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match="on this machine"):
        usable_path(text, "a folder")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_have_a_name_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "day3:").mkdir()
    assert usable_path("day3:/a.zarr") == Path("day3:/a.zarr")
