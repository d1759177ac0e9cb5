"""A TIFF file that was cut off says so, and gives what is in it."""

from __future__ import annotations

import logging
from contextlib import closing

import numpy as np
import pytest
import tifffile

from brickfield.errors import ChunkReadError
from brickfield.sources.tiff.source import open_source

STACK = np.random.default_rng(1).integers(0, 4000, (12, 20, 28)).astype("u2")


def cut_off(path, share, **options):
    """Write STACK and keep a share of the file's bytes."""
    tifffile.imwrite(path, STACK, **options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return str(path)


def planes(source):
    """The planes that can be read, by z, and the keys of those that fail."""
    read, failed = {}, set()
    for z in range(source.info.pyramid.levels[0].shape[0]):
        try:
            read[z] = source.read_storage_chunk(0, (z, 0, 0)).data.reshape(20, 28)
        except ChunkReadError as error:
            failed.add(error.key)
    return read, failed


LAYOUTS = {
    "contiguous": {"photometric": "minisblack"},
    "big-endian": {"photometric": "minisblack", "byteorder": ">"},
    "bigtiff": {"photometric": "minisblack", "bigtiff": True},
    "imagej-compressed": {"imagej": True, "compression": "zlib"},
}


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_planes_before_the_cut_are_read_and_each_behind_it_fails(
    tmp_path, layout, share
):
    uri = cut_off(tmp_path / "a.tif", share, **LAYOUTS[layout])
    with closing(open_source(uri)) as source:
        assert "truncated" in {f.code for f in source.info.findings}
        read, failed = planes(source)
        assert 0 < len(read) < 12
        assert len(read) + len(failed) == 12
        for z, plane in read.items():
            assert np.array_equal(plane, STACK[z])


@pytest.mark.parametrize("share", [0.2, 0.5])
@pytest.mark.parametrize("options", [{"imagej": True}, {"tile": (16, 16)}])
def test_a_stack_of_which_one_page_is_left_does_not_look_whole(
    tmp_path, options, share
):
    uri = cut_off(tmp_path / "a.tif", share, **options)
    with closing(open_source(uri)) as source:
        (finding,) = [f for f in source.info.findings if f.code == "truncated"]
        assert finding.severity == "error"
        assert "only 1 of its pages" in finding.text


def test_a_lost_list_of_pages_is_a_warning_where_all_voxels_are_there(tmp_path):
    uri = cut_off(tmp_path / "a.tif", 0.9, photometric="minisblack")
    with closing(open_source(uri)) as source:
        (finding,) = [f for f in source.info.findings if f.code == "truncated"]
        assert finding.severity == "warning"
        chunk = source.read_storage_chunk(0, (0, 0, 0))
        assert np.array_equal(chunk.data, STACK)


def test_a_whole_file_has_no_such_finding(tmp_path):
    uri = cut_off(tmp_path / "a.tif", 1.0, compression="zlib")
    with closing(open_source(uri)) as source:
        assert "truncated" not in {f.code for f in source.info.findings}


def test_nothing_of_tifffile_reaches_the_terminal_and_its_log_is_left_as_it_was(
    tmp_path, capfd
):
    handlers = list(logging.getLogger("tifffile").handlers)
    uri = cut_off(tmp_path / "a.tif", 0.5, imagej=True)
    open_source(uri).close()
    assert capfd.readouterr().err == ""
    assert logging.getLogger("tifffile").handlers == handlers
