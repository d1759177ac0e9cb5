"""The picture before stands in while the next one loads, for a moment."""

import numpy as np
import pytest

from brickfield.loading import ChunkCache
from brickfield.plugin.slicing import progressive_slice
from brickfield.plugin.slicing.progressive_slice import ProgressiveSlice
from brickfield.store import ChunkedImageStore, LazyLevel, load_ahead
from brickfield.testing import MemorySource

DATA = np.random.default_rng(0).integers(1, 60_000, (4, 8, 32, 32)).astype("u2")
COARSE = np.ascontiguousarray(DATA[:, ::2, ::2, ::2])


def store_of(*levels):
    source = MemorySource(levels, (1, 8, 16, 16), axes="tzyx", chunk=(8, 16, 16))
    return ChunkedImageStore(source, cache=ChunkCache(1 << 24))


@pytest.fixture
def store():
    with store_of(DATA) as made:
        yield made


def sliced_at(store, t, before=None) -> ProgressiveSlice:
    return ProgressiveSlice(LazyLevel(store, 0)[t, 3], store.manager, before)


def load_slice(store, t, level=0) -> None:
    view = LazyLevel(store, level)[t, 3 >> level]
    load_ahead(store.manager, view.mosaic().names, 60)


def take(sliced, name) -> None:
    manager = sliced.view.store.manager
    load_ahead(manager, [name], 60)
    sliced.take(manager.peek(*name))


def test_the_picture_before_stays_until_chunks_come(store):
    load_slice(store, 0)
    following = sliced_at(store, 1, sliced_at(store, 0))
    assert np.array_equal(following.array, DATA[0, 3])
    expected = DATA[0, 3].copy()
    place = LazyLevel(store, 0)[1, 3].mosaic()._places
    for name in list(following.lacking):
        take(following, name)
        _, _, (_, _, y, x) = place[name]
        expected[y, x] = DATA[1, 3, y, x]
        assert np.array_equal(following.array, expected)
    assert np.array_equal(following.array, DATA[1, 3])
    assert not following.end_hold(store.manager)


def test_after_a_moment_what_is_not_loaded_is_the_fill_value(store, monkeypatch):
    load_slice(store, 0)
    following = sliced_at(store, 1, sliced_at(store, 0))
    first = next(iter(following.lacking))
    take(following, first)
    assert not following.end_hold(store.manager)
    monkeypatch.setattr(progressive_slice, "monotonic", lambda: following.held_until)
    assert following.end_hold(store.manager)
    _, _, (_, _, y, x) = LazyLevel(store, 0)[1, 3].mosaic()._places[first]
    expected = np.zeros_like(DATA[0, 3])
    expected[y, x] = DATA[1, 3, y, x]
    assert np.array_equal(following.array, expected)


def test_going_on_does_not_hold_a_picture_for_longer(store):
    load_slice(store, 0)
    second = sliced_at(store, 1, sliced_at(store, 0))
    third = sliced_at(store, 2, second)
    assert third.held_until == second.held_until
    assert np.array_equal(third.array, DATA[0, 3])


def test_what_failed_has_no_picture_of_another_time(store):
    load_slice(store, 0)
    following = sliced_at(store, 1, sliced_at(store, 0))
    following.give_up()
    assert following.end_hold(store.manager)
    assert not following.array.any()


def test_coarser_voxels_of_the_same_time_come_before_finer_ones_of_another():
    with store_of(DATA, COARSE) as store:
        load_slice(store, 0)
        load_slice(store, 1, level=1)
        following = sliced_at(store, 1, sliced_at(store, 0))
        near = COARSE[1, 1].repeat(2, 0).repeat(2, 1)
        assert not np.array_equal(following.array, DATA[0, 3])
        assert np.isin(following.array, near).all()


def test_another_shape_or_a_jump_of_two_axes_holds_nothing(store):
    load_slice(store, 0)
    level = LazyLevel(store, 0)
    before = ProgressiveSlice(level[0, 3], store.manager)
    assert not ProgressiveSlice(level[1, 3, :8], store.manager, before).array.any()
    assert not progressive_slice.follows(before.view, level[1, 4])
    assert progressive_slice.follows(before.view, level[1, 3])
    assert progressive_slice.follows(before.view, level[0, 3])
