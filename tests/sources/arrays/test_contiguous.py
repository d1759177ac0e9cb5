"""An array in one piece is read by chunks, and a cut file costs only what is cut off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import ChunkReadError
from brickfield.sources.arrays.contiguous import MAX_CHUNK_BYTES, ContiguousArray


@given(
    shape=st.lists(st.integers(1, 70), min_size=2, max_size=3),
    offset=st.integers(0, 40),
    kind=st.sampled_from(["<u2", ">i4", "u1", ">f8"]),
    depth=st.sampled_from([-3, 0]),
)
def test_any_array_is_read_whole_by_its_chunks(
    tmp_path_factory, shape, offset, kind, depth
):
    path = tmp_path_factory.mktemp("raw") / "a.raw"
    data = np.random.default_rng(0).integers(0, 99, shape).astype(kind)
    path.write_bytes(b"x" * offset + data.tobytes())
    array = ContiguousArray(
        path, offset, tuple(shape), dtype=np.dtype(kind), depth_axis=depth
    )
    grid = [-(-n // c) for n, c in zip(shape, array.chunk_shape, strict=True)]
    for index in np.ndindex(*grid):
        read = array.read_chunk(index)
        where = tuple(
            slice(i * c, (i + 1) * c)
            for i, c in zip(index, array.chunk_shape, strict=True)
        )
        assert np.array_equal(read.data, data[where])
        assert read.stored_bytes == array.chunk_bytes(index) == read.data.nbytes
    path.unlink()


def test_chunks_of_wide_data_stay_small(tmp_path):
    array = ContiguousArray(
        tmp_path / "a", 0, (3000, 30000, 30000), dtype=np.dtype("f4")
    )
    assert np.prod(array.chunk_shape) * 4 <= MAX_CHUNK_BYTES
    assert array.chunk_shape[2] == 30000


def test_a_file_cut_off_is_a_failure_of_the_chunks_behind_the_cut(tmp_path):
    path = tmp_path / "a.raw"
    data = np.ones((128, 64, 64), "u2")
    path.write_bytes(data.tobytes()[: data.nbytes * 3 // 4])
    array = ContiguousArray(path, 0, data.shape, dtype=data.dtype)
    assert (array.read_chunk((0, 0, 0)).data == 1).all()
    with pytest.raises(ChunkReadError, match="cut off"):
        array.read_chunk((1, 0, 0))


def test_a_file_that_vanished_is_a_failure(tmp_path):
    array = ContiguousArray(tmp_path / "a", 0, (8, 8), dtype=np.dtype("u1"))
    with pytest.raises(ChunkReadError, match="cannot read"):
        array.read_chunk((0, 0))
