"""An image gets longer along its first axis while it is shown."""

from __future__ import annotations

import json

import numpy as np
import pytest

from brickfield.errors import OptionError, StoreFormatError
from brickfield.loading import ChunkCache
from brickfield.model import ImageInfo
from brickfield.sources import ReplaceableSource, open_source
from brickfield.store.hold import StoreHold
from brickfield.store.image_store import ChunkedImageStore
from brickfield.store.lazy_level import LazyLevel
from brickfield.store.open import open_store
from brickfield.testing import MemorySource
from brickfield.testing.zarr_stores import image_attributes, write_array, write_image

MOVIE = np.arange(5 * 8 * 16 * 16, dtype=np.uint16).reshape(5, 8, 16, 16)
LOOK = image_attributes("tzyx", [[1, 1, 1, 1]])


@pytest.fixture
def place(tmp_path):
    return write_image(tmp_path / "a.zarr", [MOVIE[:2]], LOOK, chunks=(1, 8, 8, 8))


def opened(place) -> ChunkedImageStore:
    """Open an image with a cache of its own."""
    source = ReplaceableSource(lambda: open_source(place))
    return ChunkedImageStore(source, cache=ChunkCache(1 << 24))


@pytest.fixture
def store(place):
    with opened(place) as made:
        yield made


def lengthen(place, n: int) -> None:
    """Say in the metadata that there are more time points, and write them."""
    meta = json.loads((place / "0/.zarray").read_text())
    write_array(place / "0", MOVIE[:n], chunks=meta["chunks"])


def test_what_was_written_behind_the_old_end_is_read(store, place):
    level = LazyLevel(store, 0)
    with pytest.raises(OptionError, match="index from 0 to 1"):
        store.read(0, selection=(3,))
    lengthen(place, 5)
    store.grow((5, 8, 16, 16))
    assert level.follow_growth()
    assert level.shape == (5, 8, 16, 16)
    assert np.array_equal(np.asarray(level), MOVIE)
    assert np.array_equal(store.read(0, selection=(4,)), MOVIE[4])


def test_what_was_read_before_is_not_read_again(store, place):
    level = LazyLevel(store, 0)
    np.asarray(level[0])
    n_reads = store.manager.counters.requests
    lengthen(place, 5)
    store.grow((5, 8, 16, 16))
    np.asarray(level[0])
    assert store.manager.counters.requests == n_reads


def test_a_longer_storage_chunk_at_the_old_end_is_read(tmp_path):
    """Storage chunks of four time points are cut at the end of the axis."""
    place = write_image(tmp_path / "a.zarr", [MOVIE[:2]], LOOK, chunks=(4, 8, 8, 8))
    with opened(place) as store:
        level = LazyLevel(store, 0)
        assert np.array_equal(np.asarray(level[1]), MOVIE[1])
        lengthen(place, 5)
        store.grow((5, 8, 16, 16))
        level.follow_growth()
        assert np.array_equal(np.asarray(level[2:]), MOVIE[2:])


def test_what_grew_beyond_is_not_shown_until_it_is_asked_for(tmp_path):
    """Also where the last storage chunk is longer on disk than it is said to be."""
    place = write_image(tmp_path / "a.zarr", [MOVIE[:2]], LOOK, chunks=(4, 8, 8, 8))
    with opened(place) as store:
        level = LazyLevel(store, 0)
        np.asarray(level)
        lengthen(place, 5)
        store.mark_changed(0)
        assert store.pyramid.levels[0].shape[0] == 2
        assert np.array_equal(np.asarray(level), MOVIE[:2])
        store.grow((3, 8, 16, 16))
        level.follow_growth()
        assert np.array_equal(np.asarray(level), MOVIE[:3])
        with pytest.raises(StoreFormatError):
            store.reload()


def test_whoever_listens_is_told_the_new_info_each_time(store, place):
    told: list[ImageInfo] = []
    store.grown.connect(told.append)
    before = store.info
    lengthen(place, 4)
    store.grow((3, 8, 16, 16))  # and it has grown further meanwhile
    store.grow((4, 8, 16, 16))
    store.grow((4, 8, 16, 16))
    assert [info.pyramid.levels[0].shape[0] for info in told] == [3, 4]
    assert store.info is told[-1]
    assert before.pyramid.levels[0].shape[0] == 2  # a value, which stays


def test_arrays_that_were_indexed_out_of_a_level_stay_as_they_are(store, place):
    part, whole = LazyLevel(store, 0)[:2], LazyLevel(store, 0)
    first, last = whole[:1], whole[..., 3]
    lengthen(place, 5)
    store.grow((5, 8, 16, 16))
    assert not first.follow_growth()
    assert first.shape == (1, 8, 16, 16)
    assert last.shape == (2, 8, 16)
    assert part.shape == (2, 8, 16, 16)


@pytest.mark.parametrize(
    "shape", [(5, 8, 16), (5, 8, 12, 16), (1, 8, 16, 16)], ids=["axes", "y", "shorter"]
)
def test_another_change_than_growth_is_refused(store, shape):
    with pytest.raises(OptionError, match="longer axes"):
        store.grow(shape)


def test_growth_that_is_not_stored_is_refused_and_nothing_changes(store):
    with pytest.raises(StoreFormatError, match="or more; found others"):
        store.grow((5, 8, 16, 16))
    assert store.pyramid.levels[0].shape[0] == 2
    assert np.array_equal(store.read(0), MOVIE[0])


STACK = np.random.default_rng(1).integers(1, 250, (96, 64, 80)).astype("u1")
SCALES = image_attributes("zyx", [[1, 1, 1], [2, 2, 2]])


def stack(place, shape, *, coarse=None):
    """Write a stack of two levels, the coarser one as far as it is said."""
    fine = STACK[tuple(map(slice, shape))]
    half = fine[::2, ::2, ::2][: coarse or len(fine)]
    return write_image(place, [fine, half], SCALES, chunks=(16, 16, 16))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_axis_of_space_may_grow(tmp_path, axis):
    place, shape = tmp_path / "a.zarr", [40, 30, 50]
    with opened(stack(place, shape)) as store:
        levels = [LazyLevel(store, i) for i in range(2)]
        before = [np.asarray(level) for level in levels]
        assert np.array_equal(before[0], STACK[:40, :30, :50])
        for n in (shape[axis] + 3, STACK.shape[axis]):
            shape[axis] = n
            stack(place, shape)
            store.grow(shape)
            expected = STACK[tuple(map(slice, shape))]
            assert all(level.follow_growth() for level in levels)
            assert np.array_equal(np.asarray(levels[0]), expected)
            assert np.array_equal(np.asarray(levels[1]), expected[::2, ::2, ::2])
            assert np.array_equal(store.read(0), expected)


def test_only_chunks_at_the_old_end_are_read_again(tmp_path):
    place = stack(tmp_path / "a.zarr", (80, 64, 64))
    with opened(place) as store:
        level = LazyLevel(store, 0)
        np.asarray(level)
        told = []
        store.changed.connect(told.append)
        stack(place, (96, 64, 64))
        store.grow((96, 64, 64))
        level.follow_growth()
        assert np.array_equal(np.asarray(level), STACK[:, :, :64])
        # Planned chunks are 64 voxels thick: the second one ended after one slab.
        assert [(change.level, change.box[0]) for change in told] == [(0, (64, 80))]
        assert store.manager.counters.rereads == 4 * 4


def test_nothing_is_read_again_where_chunks_ended(tmp_path):
    place = stack(tmp_path / "a.zarr", (64, 64, 64))
    with opened(place) as store:
        np.asarray(LazyLevel(store, 0))
        told, n_reads = [], store.manager.counters.requests
        store.changed.connect(told.append)
        stack(place, (96, 64, 64))
        store.grow((96, 64, 64))
        np.asarray(LazyLevel(store, 0)[:64])
        assert store.manager.counters.requests == n_reads
        assert not [change for change in told if change.level == 0]


def test_a_coarser_level_that_lags_behind_is_waited_for(tmp_path):
    place = stack(tmp_path / "a.zarr", (64, 64, 64))
    with opened(place) as store:
        stack(place, (96, 64, 64), coarse=32)
        with pytest.raises(StoreFormatError, match="or more"):
            store.grow((96, 64, 64))
        assert store.pyramid.levels[0].shape == (64, 64, 64)
        stack(place, (96, 64, 64))
        store.grow((96, 64, 64))
        assert [level.shape[0] for level in store.pyramid.levels] == [96, 48]


def test_further_channels_are_refused(tmp_path):
    look = image_attributes("cyx", [[1, 1, 1]])
    place = write_image(tmp_path / "a.zarr", [MOVIE[0]], look, chunks=(1, 8, 8))
    with (
        open_store(place) as store,
        pytest.raises(OptionError, match="same channels"),
    ):
        store.grow((16, 16, 16))


def test_arrays_in_memory_cannot_be_opened_again():
    source = MemorySource([MOVIE], (1, 8, 8, 8), chunk=(8, 8, 8), axes="tzyx")
    with (
        ChunkedImageStore(source) as store,
        pytest.raises(OptionError, match="address"),
    ):
        store.grow((6, 8, 16, 16))


def test_a_hold_that_let_its_store_go_takes_a_longer_one(place):
    store = open_store(place)
    hold = StoreHold(store, lambda: open_store(place))
    level = LazyLevel(hold, 0)
    hold.release()
    store.close()
    del store
    lengthen(place, 5)
    assert np.array_equal(np.asarray(level), MOVIE[:2])
    assert level.follow_growth()
    assert np.array_equal(np.asarray(level), MOVIE)
    hold.store.close()
