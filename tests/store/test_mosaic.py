"""Arrays put together from chunks, against numpy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.loading import ChunkCache
from brickfield.model import ChunkId
from brickfield.model.requests import ChunkFailure, ChunkState, Hole, LoadedChunk
from brickfield.store.image_store import ChunkedImageStore
from brickfield.store.mosaic import Mosaic, cut_axis
from brickfield.testing import MemorySource

ALL = (range(16), range(16), range(16))


def chunk_of(array, level, index, edge=8, selection=()):
    z, y, x = (slice(i * edge, (i + 1) * edge) for i in index)
    key = ChunkId(level, index).key
    return LoadedChunk(key, selection, ChunkState.LOADED, array[z, y, x])


class Shelf:
    """Chunks at hand."""

    def __init__(self, *chunks):
        self.chunks = {(c.selection, c.key): c for c in chunks}

    def peek(self, selection, key):
        return self.chunks.get((selection, key))


@pytest.fixture
def fine():
    return np.random.default_rng(1).integers(1, 200, (16, 16, 16)).astype("u1")


@pytest.fixture
def coarse(fine):
    return np.ascontiguousarray(fine[::2, ::2, ::2] // 2 + 1)


@pytest.fixture
def store(fine, coarse):
    source = MemorySource([fine, coarse], (8, 8, 8), chunk=(8, 8, 8))
    with ChunkedImageStore(source, cache=ChunkCache(1 << 20)) as made:
        yield made


def mosaic_of(store, picks=ALL, level=0):
    return Mosaic(store.pyramid, level, picks, [()], np.dtype("u1"))


def damaged_chunk(array, index, low, high):
    chunk = chunk_of(array, 0, index)
    failure = ChunkFailure(chunk.chunk_id, "key", "broken")
    data = chunk.data.copy()
    hole = Hole(low, high, failure)
    data[hole.box] = 0
    return replace(chunk, data=data, failure=failure, holes=(hole,))


def test_of_a_damaged_chunk_the_good_voxels_are_painted_and_coarser_ones_in_its_hole(
    store, fine, coarse
):
    """Whichever of the two comes first; and it does not count as painted."""
    chunk = damaged_chunk(fine, (0, 1, 0), (0, 0, 4), (8, 8, 8))
    shelf = Shelf(chunk_of(coarse, 1, (0, 0, 0)))
    expected = coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    expected[:8, 8:, :4] = fine[:8, 8:, :4]
    for is_first in (True, False):
        mosaic = mosaic_of(store)
        if is_first:
            assert not mosaic.paint(chunk)
        mosaic.paint_coarser(shelf.peek)
        if not is_first:
            assert not mosaic.paint(chunk)
        assert np.array_equal(mosaic.out[0], expected)
    assert mosaic.paint(chunk_of(fine, 0, (0, 1, 0)))
    assert np.array_equal(mosaic.out[0, :8, 8:, :8], fine[:8, 8:, :8])


def test_a_damaged_coarser_chunk_stands_in_with_its_good_voxels_only(store, fine):
    coarse = np.full((8, 8, 8), 9, np.uint8)
    chunk = replace(damaged_chunk(coarse, (0, 0, 0), (0, 0, 0), (4, 8, 8)),
                    key=ChunkId(1, (0, 0, 0)).key)  # fmt: skip
    mosaic = mosaic_of(store)
    mosaic.paint_coarser(Shelf(chunk).peek)
    assert (mosaic.out[0, 8:] == 9).all()
    assert not mosaic.out[0, :8].any()


@given(
    st.integers(-40, 80), st.integers(-40, 80), st.integers(-9, 9), st.integers(1, 20)
)
def test_cuts_of_an_axis_give_the_same_voxels_as_the_picks(start, stop, step, edge):
    line = np.arange(41)
    picks = range(41)[start : stop : step or 1]
    out = np.full(len(picks), -1)
    for cut in cut_axis(picks, edge):
        out[cut.target] = line[cut.index * edge : (cut.index + 1) * edge][cut.source]
    assert out.tolist() == list(picks)


def test_painted_chunks_lie_where_numpy_has_them(store, fine):
    mosaic = mosaic_of(store, (range(3, 4), range(14, 1, -3), range(16)))
    for z, y, x in np.ndindex(2, 2, 2):
        mosaic.paint(chunk_of(fine, 0, (z, y, x)))
    assert np.array_equal(mosaic.out[0], fine[3:4, 14:1:-3])


def test_only_chunks_under_the_picks_are_named(store):
    mosaic = mosaic_of(store, (range(3, 4), range(16), range(8, 16)))
    names = {ChunkId.from_key(key).index for _, key in mosaic.names}
    assert names == {(0, 0, 1), (0, 1, 1)}


def test_a_chunk_that_is_not_wanted_is_not_painted(store, fine):
    mosaic = mosaic_of(store, (range(8), range(8), range(8)))
    assert not mosaic.paint(chunk_of(fine, 0, (1, 0, 0)))
    assert not mosaic.out.any()


def test_a_missing_chunk_is_painted_with_the_fill_value(fine):
    source = MemorySource([fine], (8, 8, 8), chunk=(8, 8, 8), fill_value=7)
    with ChunkedImageStore(source) as store:
        mosaic = mosaic_of(store)
    mosaic.out[:] = 99
    key = ChunkId(0, (0, 0, 1)).key
    mosaic.paint(LoadedChunk(key, (), ChunkState.MISSING))
    assert (mosaic.out[0, :8, :8, 8:] == 7).all()
    assert (mosaic.out[0, :, :, :8] == 99).all()


def test_coarser_voxels_stand_in_at_the_nearest_place(store, coarse):
    shelf = Shelf(chunk_of(coarse, 1, (0, 0, 0)))
    mosaic = mosaic_of(store)
    mosaic.paint_coarser(shelf.peek)
    # The centre of fine voxel i lies nearest to coarse voxel i // 2.
    expected = coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    assert np.array_equal(mosaic.out[0], expected)


def test_coarser_voxels_are_never_laid_over_exact_ones(store, fine, coarse):
    shelf = Shelf(chunk_of(coarse, 1, (0, 0, 0)))
    mosaic = mosaic_of(store)
    exact = chunk_of(fine, 0, (1, 0, 1))
    mosaic.paint(exact)
    mosaic.paint_coarser(shelf.peek)
    expected = coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    expected[8:, :8, 8:] = fine[8:, :8, 8:]
    assert np.array_equal(mosaic.out[0], expected)


def test_the_finest_level_at_hand_stands_in():
    """Level 1 under one half, level 2 under the other."""
    levels = [
        np.full(s, v, "u1") for s, v in (((16,) * 3, 1), ((8,) * 3, 2), ((4,) * 3, 3))
    ]
    source = MemorySource(levels, (4, 4, 4), chunk=(4, 4, 4))
    with ChunkedImageStore(source) as store:
        mosaic = mosaic_of(store)
    halves = [chunk_of(levels[1], 1, (z, y, 0), 4) for z in (0, 1) for y in (0, 1)]
    shelf = Shelf(*halves, chunk_of(levels[2], 2, (0, 0, 0), 4))
    mosaic.paint_coarser(shelf.peek)
    assert (mosaic.out[0, :, :, :8] == 2).all()
    assert (mosaic.out[0, :, :, 8:] == 3).all()


def test_nothing_at_hand_leaves_the_fill_value(store):
    mosaic = mosaic_of(store)
    lacking = mosaic.paint_known(Shelf().peek)
    mosaic.paint_coarser(Shelf().peek)
    assert len(lacking) == len(mosaic) == 8
    assert not mosaic.out.any()


def test_levels_that_are_shifted_stand_in_where_they_lie_in_the_world():
    """Every second voxel, taken at odd places: fine voxel 1 lies on coarse voxel 0."""
    fine = np.arange(1, 9, dtype="u1").reshape(1, 1, 8)
    source = MemorySource([fine, fine[..., 1::2]], (1, 1, 8), chunk=(1, 1, 8))
    level = source.info.pyramid.levels[1]
    from dataclasses import replace

    moved = replace(level, translation=(0.0, 0.0, 1.0))
    pyramid = replace(
        source.info.pyramid, levels=(source.info.pyramid.levels[0], moved)
    )
    mosaic = Mosaic(pyramid, 0, (range(1), range(1), range(8)), [()], np.dtype("u1"))
    shelf = Shelf(chunk_of(fine[..., 1::2], 1, (0, 0, 0)))
    mosaic.paint_coarser(shelf.peek)
    # Halfway between two, numpy rounds to the even one.
    assert mosaic.out[0, 0, 0, [1, 3, 5, 7]].tolist() == [2, 4, 6, 8]


def test_complex_voxels_give_their_magnitude():
    data = np.array([3 + 4j, 0, -2], dtype="c8").reshape(1, 1, 3)
    source = MemorySource([data], (1, 1, 3), chunk=(1, 1, 3))
    with ChunkedImageStore(source) as store:
        picks = (range(1), range(1), range(3))
        mosaic = Mosaic(store.pyramid, 0, picks, [()], np.dtype("f4"))
    mosaic.paint(chunk_of(data, 0, (0, 0, 0)))
    assert mosaic.out.ravel().tolist() == [5, 0, 2]
