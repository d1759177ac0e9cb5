"""Slicing foreign arrays: failures become chunk failures, never more."""

from __future__ import annotations

import numcodecs
import numpy as np
import pytest
import zarr

from brickfield.errors import ChunkReadError
from brickfield.sources.array_libraries.wrapping import as_stored_array
from brickfield.sources.geometry import default_axes


def _wrapped(array):
    return as_stored_array(array, default_axes(array.shape), "0")


class _Broken:
    shape = (8, 8, 8)
    dtype = np.dtype("u1")

    def __getitem__(self, key):
        raise ZeroDivisionError("no luck")


def test_an_array_that_raises_gives_a_chunk_failure_with_its_reason():
    with pytest.raises(ChunkReadError, match="no luck"):
        _wrapped(_Broken()).read_chunk((0, 0, 0))


def test_an_array_that_gives_the_wrong_shape_is_a_failure():
    class Short(_Broken):
        def __getitem__(self, key):
            return np.zeros((2, 2, 2), "u1")

    with pytest.raises(ChunkReadError, match="expected"):
        _wrapped(Short()).read_chunk((0, 0, 0))


def test_a_chunk_outside_the_grid_is_a_failure():
    with pytest.raises(ChunkReadError, match="inside"):
        _wrapped(np.zeros((8, 8))).read_chunk((0, 1))


def test_a_memory_map_of_a_file_cut_off_later_is_a_failure_not_a_crash(tmp_path):
    path = tmp_path / "a.raw"
    mapped = np.memmap(path, dtype="u2", mode="w+", shape=(64, 64, 64))
    array = _wrapped(mapped[10:])
    mapped.flush()
    with path.open("r+b") as file:
        file.truncate(4096)
    with pytest.raises(ChunkReadError, match="cut off"):
        array.read_chunk((0, 0, 0))


def test_a_truncated_blosc_chunk_of_a_zarr_array_is_a_failure_not_a_crash(tmp_path):
    root = tmp_path / "a.zarr"
    array = zarr.create_array(
        root,
        shape=(64, 64, 64),
        chunks=(32, 32, 32),
        dtype="u2",
        zarr_format=2,
        compressors=numcodecs.Blosc(cname="lz4"),
    )
    array[:] = np.random.default_rng(0).integers(0, 9000, array.shape)
    path = next(p for p in root.rglob("0*0*0") if p.is_file())
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ChunkReadError):
        _wrapped(array).read_chunk((0, 0, 0))


def test_sharded_zarr_is_read_in_inner_chunks(tmp_path):
    array = zarr.create_array(
        tmp_path / "a.zarr",
        shape=(64, 64),
        chunks=(16, 16),
        shards=(32, 32),
        dtype="u1",
    )
    assert _wrapped(array).chunk_shape == (16, 16)
