"""Sizes that no array can have, and chunks that no memory can hold."""

import json
import os

import numpy as np
import pytest

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.sources.limits.chunk_sizes import check_sizes
from brickfield.sources.open import open_source


def write_array(folder, shape, chunks, chunk=None):
    """A zarr 2 array of two-byte voxels, with one stored chunk."""
    folder.mkdir()
    meta = {"zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": "<u2"}
    meta |= {"compressor": None, "filters": None, "fill_value": 0, "order": "C"}
    (folder / ".zarray").write_text(json.dumps(meta))
    if chunk is not None:
        (folder / "0.0.0").write_bytes(chunk)
    return folder


def test_the_largest_array_has_2_to_the_63_bytes_less_one():
    check_sizes("a", (2**63 - 1,), (1,), 1)
    with pytest.raises(StoreFormatError, match="shape of 1 to"):
        check_sizes("a", (2**62,), (1,), 2)


def test_a_chunk_has_voxels():
    with pytest.raises(StoreFormatError, match="chunks of 1 to"):
        check_sizes("a", (4, 4), (0, 4), 2)


def test_numbers_of_any_length_are_told_in_short():
    with pytest.raises(StoreFormatError, match=r"found 10\*\*400x7 voxels"):
        check_sizes("a", (10**400, 7), (1, 1), 1)


def test_chunks_larger_than_memory_are_a_finding_and_a_failed_chunk(tmp_path):
    """A store of one kilobyte declares a chunk of 4000 x 40960 x 40960."""
    shape = [4000, 40960, 40960]
    source = open_source(write_array(tmp_path / "a", shape, shape, b"x" * 1000))
    (found,) = [f for f in source.info.findings if f.code == "chunk-too-large"]
    assert found.severity == "error"
    assert "4000x40960x40960 uint16 (12.21 TiB)" in found.text
    with pytest.raises(ChunkReadError, match=r"12\.21 TiB decoded"):
        source.read_storage_chunk(0, (0, 0, 0))
    source.close()


def test_an_array_of_ordinary_chunks_has_no_such_finding(tmp_path):
    source = open_source(write_array(tmp_path / "a", [100] * 3, [64] * 3))
    assert not [f for f in source.info.findings if f.code == "chunk-too-large"]
    source.close()


@pytest.mark.parametrize("size", [10**18, 1e30])
def test_an_array_of_more_bytes_than_can_be_counted_is_refused(tmp_path, size):
    folder = write_array(tmp_path / "a", [size] * 3, [64] * 3)
    with pytest.raises(StoreFormatError, match=r"expected shape of 1 to 2\*\*63 - 1"):
        open_source(folder)


@pytest.mark.parametrize("chunk", [10**18, 10**5])
def test_a_chunk_of_precomputed_is_bounded_too(tmp_path, chunk):
    scale = {"key": "a", "size": [10**5] * 3, "resolution": [1] * 3}
    scale |= {"voxel_offset": [0] * 3, "chunk_sizes": [[chunk] * 3], "encoding": "raw"}
    about = {"type": "image", "data_type": "uint8", "num_channels": 1}
    (tmp_path / "info").write_text(json.dumps(about | {"scales": [scale]}))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "_".join(["0-100000"] * 3)).write_bytes(b"x" * 1000)
    with pytest.raises((StoreFormatError, ChunkReadError), match=r"2\*\*63|TiB"):
        open_source(tmp_path).read_storage_chunk(0, (0, 0, 0, 0))


@pytest.mark.parametrize("n5", [True, False])
def test_a_chunk_file_of_40_gib_is_not_read(tmp_path, n5):
    folder = tmp_path / "a"
    if n5:
        folder = tmp_path / "a.n5"
        folder.mkdir()
        meta = {"dimensions": [100] * 3, "blockSize": [64] * 3, "dataType": "uint8"}
        meta |= {"compression": {"type": "raw"}}
        (folder / "attributes.json").write_text(json.dumps(meta))
        (folder / "0" / "0").mkdir(parents=True)
    else:
        write_array(folder, [100] * 3, [64] * 3)
    with (folder / ("0/0/0" if n5 else "0.0.0")).open("wb") as file:
        file.truncate(40 << 30)
    with pytest.raises(ChunkReadError, match="found 40 GiB"):
        open_source(folder).read_storage_chunk(0, (0, 0, 0))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("name", ["a.xml", "a.tif", "a.h5", "a.ims", ".zattrs"])
def test_a_pipe_in_place_of_a_file_is_refused_at_once(tmp_path, name):
    os.mkfifo(tmp_path / name)
    place = tmp_path if name == ".zattrs" else tmp_path / name
    with pytest.raises(StoreFormatError, match="found a pipe"):
        open_source(place)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_in_place_of_a_chunk_is_a_failed_chunk(tmp_path):
    source = open_source(write_array(tmp_path / "a", [100] * 3, [64] * 3))
    os.mkfifo(tmp_path / "a" / "0.0.0")
    with pytest.raises(ChunkReadError, match="found a pipe"):
        source.read_storage_chunk(0, (0, 0, 0))
    assert np.array_equal(source.missing_chunks(0, np.array([[1, 1, 1]])), [True])
    source.close()
