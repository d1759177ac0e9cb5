"""Keys name chunks and sort like them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brickfield.model.chunks import INDEX_BITS, ChunkId, pack_keys, unpack_keys

indices = st.tuples(*[st.integers(0, 2**INDEX_BITS - 1)] * 3)
levels = st.integers(0, 15)


@given(levels, indices)
def test_a_key_gives_its_chunk_back(level, index):
    chunk = ChunkId(level, index, (3, 1))
    assert ChunkId.from_key(chunk.key, (3, 1)) == chunk
    assert 0 <= chunk.key < 2**63


@given(st.lists(st.tuples(levels, indices), max_size=20))
def test_packed_arrays_agree_with_single_keys(names):
    level = np.array([n[0] for n in names], dtype=np.int64)
    index = np.array([n[1] for n in names], dtype=np.int64).reshape(-1, 3)
    keys = pack_keys(level, index)
    assert keys.dtype == np.int64
    assert keys.tolist() == [ChunkId(*n).key for n in names]
    back = unpack_keys(keys)
    np.testing.assert_array_equal(back[0], level)
    np.testing.assert_array_equal(back[1], index)


@given(levels, indices, levels, indices)
def test_keys_sort_by_level_then_z_y_x(level, index, other_level, other_index):
    a, b = ChunkId(level, index), ChunkId(other_level, other_index)
    assert (a.key < b.key) == ((level, index) < (other_level, other_index))


def test_one_level_packs_many_indices():
    index = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint8)
    assert pack_keys(2, index).tolist() == [
        ChunkId(2, (1, 2, 3)).key,
        ChunkId(2, (4, 5, 6)).key,
    ]


def test_a_numpy_key_gives_plain_numbers():
    chunk = ChunkId.from_key(pack_keys(1, np.array([[7, 8, 9]]))[0])
    assert chunk == ChunkId(1, (7, 8, 9))
    assert all(type(i) is int for i in (chunk.scale_level, *chunk.index))
