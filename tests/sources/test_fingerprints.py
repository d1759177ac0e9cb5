"""A fingerprint tells whether data are still the same."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

from brickfield.sources.array_libraries.source import from_arrays
from brickfield.sources.fingerprints import (
    fingerprint,
    has_same_content,
    is_same,
    of_files,
)
from brickfield.sources.open import open_source
from brickfield.testing.http_server import FaultServer
from brickfield.testing.zarr_stores import write_image

PAGE = 4096


@pytest.fixture
def file(tmp_path):
    """A file of a thousand pages."""
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(1000 * PAGE))
    return path


def rewrite(path, place, value=b"\1"):
    """Change one byte in place and set the times back."""
    about = path.stat()
    with path.open("r+b") as opened:
        opened.seek(place)
        opened.write(value)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def test_what_was_only_read_is_the_same(file):
    first = of_files([file])
    file.read_bytes()
    assert is_same(first, of_files([file]))
    assert is_same(json.loads(json.dumps(first)), of_files([file]))


def test_another_time_size_or_file_is_another_one(file, tmp_path):
    first = of_files([file])
    about = file.stat()
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns + 1))
    assert not is_same(first, of_files([file]))
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert is_same(first, of_files([file]))
    copy = tmp_path / "copy"
    copy.write_bytes(file.read_bytes())
    os.utime(copy, ns=(about.st_atime_ns, about.st_mtime_ns))
    copy.replace(file)
    assert not is_same(first, of_files([file]))


@pytest.mark.parametrize("place", [0, PAGE - 1, 1000 * PAGE - 1])
def test_a_head_or_tail_that_was_rewritten_with_the_times_set_back(file, place):
    first = of_files([file])
    rewrite(file, place)
    assert not is_same(first, of_files([file]))


def test_a_file_that_was_rewritten_as_a_whole_with_the_times_set_back(file):
    first = of_files([file])
    rewrite(file, 0, b"\2" * (1000 * PAGE))
    assert not is_same(first, of_files([file]))


def test_the_full_hash_reads_every_byte(file):
    """A single byte between the pages is seen by it alone."""
    first, whole = of_files([file]), of_files([file], full=True)
    rewrite(file, 500 * PAGE + 77)
    assert is_same(first, of_files([file]))
    assert not is_same(whole, of_files([file], full=True))


def test_a_full_hash_and_a_sample_of_the_same_data_agree(file):
    first, whole = of_files([file]), of_files([file], full=True)
    assert is_same(first, whole)
    assert is_same(whole, first)
    rewrite(file, 0)
    assert not is_same(whole, of_files([file]))


def test_the_sample_notices_a_byte_in_one_of_its_pages(file):
    first = of_files([file])
    # The 66 pages of head, tail and between begin at multiples of 999 / 65 pages.
    rewrite(file, int(999 * PAGE * 20 / 65) + 5)
    assert not is_same(first, of_files([file]))


def test_reading_in_full_tells_how_far_it_is_and_can_be_ended(file):
    told = []
    of_files([file], full=True, on_read=told.append)
    assert sum(told) == 1000 * PAGE

    def stop(n_bytes):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        of_files([file], full=True, on_read=stop)


def test_data_that_were_moved_have_the_same_content(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "0").write_bytes(b"abc")
    (folder / "1").write_bytes(b"de")
    first = of_files([folder], full=True)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert not is_same(first, of_files([copy]))
    assert has_same_content(first, of_files([copy]))
    assert has_same_content(first, of_files([copy], full=True))
    (copy / "0").write_bytes(b"abcd")
    (copy / "1").write_bytes(b"e")
    assert not has_same_content(first, of_files([copy], full=True))
    assert not has_same_content({}, {})


def test_a_folder_is_all_files_below_it_through_links(tmp_path):
    far = tmp_path / "far"
    far.mkdir()
    (far / "0").write_bytes(b"abc")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(far)
    (far / "round").symlink_to(folder)
    first = of_files([folder])
    (far / "0").write_bytes(b"abcd")
    assert not is_same(first, of_files([folder]))
    (far / "1").write_bytes(b"")
    assert of_files([folder])["files"] == 2


def test_only_the_level_that_is_read_counts(tmp_path):
    data = np.ones((8, 8, 8), np.uint8)
    image = write_image(tmp_path / "a.zarr", [data, data[::2, ::2, ::2]])
    source = open_source(image)
    first = fingerprint(source, 0)
    (image / "1" / "0").mkdir(exist_ok=True)
    (image / "1" / "more").write_text("x")
    (image / ".zattrs").write_text("{}")
    assert is_same(first, fingerprint(source, 0))
    (image / "0" / "more").write_text("x")
    assert not is_same(first, fingerprint(source, 0))


def test_an_array_in_memory_has_nothing_to_tell():
    source = from_arrays(np.ones((8, 8, 8), np.uint8))
    assert fingerprint(source) == {}
    assert is_same({}, fingerprint(source))
    assert not is_same(None, {})


def test_data_on_a_server_are_told_by_their_voxels_and_tags(tmp_path):
    rng = np.random.default_rng(1)
    data = rng.integers(0, 255, (16, 16, 16), np.uint8)
    image = write_image(tmp_path / "a.zarr", [data], chunks=(8, 8, 8))
    with FaultServer(tmp_path) as server:
        source = open_source(f"{server.url}/a.zarr")
        first = fingerprint(source)
        assert len(first["voxels"]) == 8
        assert is_same(first, fingerprint(source))
        assert is_same(first, fingerprint(source, reads_voxels=False))
        write_image(image, [255 - data], chunks=(8, 8, 8))
        assert not is_same(first, fingerprint(source))


def test_what_one_of_two_does_not_know_makes_no_difference():
    one = {"tags": {"0/0": "a", "0/1": "b"}, "voxels": {"(0,)": "x"}}
    assert is_same(one, {"tags": {"0/0": "a"}})
    assert not is_same(one, {"tags": {"0/1": "c"}})
    assert not is_same(one, {"voxels": {"(0,)": "y"}})
