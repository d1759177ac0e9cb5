"""Which chunks a plane comes to, and that reading them disturbs nobody."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.model import pack_keys, unpack_keys
from brickfield.store import ChunkedImageStore
from brickfield.testing import MemorySource
from brickfield.viewer.live.drawing.prefetch import ChunkPrefetch, chunks_ahead


class Plan:
    """The part of a plan that is looked at."""

    def __init__(self, *leaves, others=()):
        keys = [int(pack_keys(level, np.array(i))) for level, i in (*leaves, *others)]
        self.keys = np.array(keys, dtype=np.int64)
        self.is_leaf = np.arange(len(keys)) < len(leaves)


def opened(chunk):
    """Two levels of 64 and 32 voxels along each axis."""
    levels = [np.zeros((n,) * 3, np.uint8) for n in (64, 32)]
    return ChunkedImageStore(MemorySource(levels, chunk, chunk=chunk))


def indices_of(keys):
    levels, indices = unpack_keys(keys)
    return [(int(k), *i) for k, i in zip(levels, indices.tolist(), strict=True)]


@pytest.mark.parametrize(("sign", "expected"), [(1, [3]), (-1, [1])])
def test_the_next_chunks_along_the_axis_are_ahead(sign, expected):
    with opened((32, 16, 32)) as store:
        plan = Plan((0, (1, 2, 0)), (0, (0, 2, 1)))
        keys = chunks_ahead(plan, store.pyramid, 1, sign)
    near = indices_of(keys)[:2]
    assert near == [(0, 1, expected[0], 0), (0, 0, expected[0], 1)]


def test_thin_chunks_are_read_layer_by_layer_the_nearest_first():
    with opened((4, 64, 64)) as store:
        keys = chunks_ahead(Plan((0, (3, 0, 0))), store.pyramid, 0, 1)
    assert indices_of(keys) == [(0, z, 0, 0) for z in range(4, 12)]


def test_beyond_the_volume_and_in_the_plan_there_is_nothing_ahead():
    with opened((32, 32, 32)) as store:
        pyramid = store.pyramid
        assert not len(chunks_ahead(Plan((0, (1, 0, 0))), pyramid, 0, 1))
        both = Plan((0, (0, 0, 0)), (0, (1, 0, 0)))
        assert not len(chunks_ahead(both, pyramid, 0, 1))
        assert not len(chunks_ahead(Plan(), pyramid, 0, 1))
        covered = Plan((0, (0, 0, 0)), others=[(1, (0, 0, 0))])
        assert indices_of(chunks_ahead(covered, pyramid, 0, 1)) == [(0, 1, 0, 0)]


def test_what_is_ahead_is_read_into_the_cache_and_handed_to_nobody():
    with opened((32, 32, 32)) as store:
        ahead = ChunkPrefetch(store.manager, "view")
        key = pack_keys(0, np.array([[1, 0, 0]]))
        ahead.want(key, 32**3, ((),))
        assert store.manager.wait("view-ahead", 10)
        assert ahead.at_hand(key, ((),)) == [True]
        ahead.close()
