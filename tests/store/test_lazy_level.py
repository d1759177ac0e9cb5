"""Lazy levels against numpy arrays with the same voxels."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import ChunkReadError, OptionError
from brickfield.loading import ChunkCache
from brickfield.store.chunk_loading import load_ahead
from brickfield.store.image_store import ChunkedImageStore
from brickfield.store.lazy_level import LazyLevel
from brickfield.testing import MemorySource

ARRAY = np.random.default_rng(0).integers(0, 60_000, (2, 3, 11, 13, 17)).astype("u2")


def store_of(*levels, axes="tczyx", storage=None, budget=1 << 22, **options):
    storage = storage or (1,) * (levels[0].ndim - 3) + (4, 4, 4)
    options.setdefault("chunk", (4, 4, 4))
    source = MemorySource(levels, storage, axes=axes, **options)
    return ChunkedImageStore(source, cache=ChunkCache(budget))


@pytest.fixture(scope="module")
def level():
    with store_of(ARRAY) as store:
        yield LazyLevel(store, 0, channel=1)


def an_index(n):
    whole = st.integers(-n, n - 1)
    ends = st.none() | st.integers(-2 * n, 2 * n)
    steps = st.none() | st.integers(-5, 5).filter(bool)
    return whole | st.builds(slice, ends, ends, steps)


@given(
    st.tuples(an_index(2), an_index(11), an_index(13), an_index(17)), st.integers(0, 4)
)
def test_indexing_gives_what_numpy_gives(level, index, n_axes):
    expected = ARRAY[:, 1][index[:n_axes]]
    assert np.array_equal(np.asarray(level[index[:n_axes]]), expected)
    assert level[index[:n_axes]].shape == expected.shape


@pytest.mark.parametrize(
    "index",
    [
        np.s_[..., 3],
        np.s_[1, ..., ::2],
        np.s_[0, [1, -3, 5]],
        np.s_[0, [[1, 2], [3, 4]], [5], 2],
        np.s_[None, 0, 3],
        np.s_[0, 3, None, :, 2:4],
        np.s_[0, 5:5],
        np.s_[:, :, np.arange(13) % 5 == 1],
        np.s_[np.array(1), np.int64(4)],
    ],
    ids=str,
)
def test_other_indices_give_what_numpy_gives(level, index):
    expected = ARRAY[:, 1][index]
    assert np.array_equal(np.asarray(level[index]), expected)


def test_a_mask_of_several_axes_gives_what_numpy_gives(level):
    mask = ARRAY[:, 1] > 50_000
    assert np.array_equal(level[mask], ARRAY[:, 1][mask])


def test_indices_of_indices_add_up(level):
    view = level[1][2:9:2][1:][:, ::-1]
    assert np.array_equal(np.asarray(view), ARRAY[1, 1, 2:9:2][1:][:, ::-1])


def test_indexing_reads_nothing():
    with store_of(ARRAY) as store:
        level = LazyLevel(store, 0)
        _ = (
            level[0, 3:5, ::-1][..., 2],
            level.shape,
            level.size,
            level.nbytes,
            repr(level),
        )
        assert not store.source.reads


def test_a_single_voxel_is_a_number(level):
    assert level[1, 2, 3, 4] == ARRAY[1, 1, 2, 3, 4]
    assert isinstance(level[1, 2, 3, 4], np.uint16)


def test_it_says_what_it_is(level):
    assert level.shape == (2, 11, 13, 17)
    assert level.ndim == 4
    assert len(level) == 2
    assert level.size == 2 * 11 * 13 * 17
    assert level.nbytes == 2 * level.size
    assert level.dtype == np.uint16
    assert level.chunks == (1, 4, 4, 4)
    assert level.axis_names == ("t", "z", "y", "x")
    assert level.n_spatial == 3
    assert repr(level) == "<LazyLevel 'test' level 0 (2, 11, 13, 17) uint16>"


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (np.s_[2], "out of range"),
        (np.s_[0, 0, 0, 0, 0], "at most 4 indices"),
        (np.s_[..., ...], "one ellipsis"),
        (np.s_[[0, 5]], "from -2 to 1"),
        (np.s_[[0.5]], "integers, slices or masks"),
    ],
)
def test_an_index_that_does_not_fit_is_an_index_error(level, index, says):
    with pytest.raises(IndexError, match=says):
        level[index]


def test_going_through_it_ends(level):
    assert [part.shape for part in level] == [(11, 13, 17)] * 2


# -- stored otherwise -------------------------------------------------------------


@pytest.mark.parametrize("axes", ["xyz", "zxyc", "cxtyz"])
def test_space_is_always_last_and_in_the_order_z_y_x(axes):
    n = dict(zip("tczyx", (2, 3, 5, 6, 7), strict=True))
    array = np.random.default_rng(2).integers(0, 99, [n[a] for a in axes]).astype("i2")
    storage = [2 if a in "zyx" else 1 for a in axes]
    with store_of(array, axes=axes, storage=tuple(storage)) as store:
        level = LazyLevel(store, 0, channel=2) if "c" in axes else LazyLevel(store, 0)
        shown = [a for a in axes if a == "t"] + list("zyx")
        picked = array.take(2, axes.index("c")) if "c" in axes else array
        rest = [a for a in axes if a != "c"]
        expected = picked.transpose([rest.index(a) for a in shown])
        assert level.axis_names == tuple(shown)
        assert np.array_equal(np.asarray(level), expected)


def test_an_image_without_z_has_no_z():
    array = ARRAY[:, 0, 0]
    with store_of(array, axes="tyx", storage=(1, 4, 4), chunk=(1, 4, 4)) as store:
        level = LazyLevel(store, 0)
        assert level.shape == array.shape
        assert level.axis_names == ("t", "y", "x")
        assert level.n_spatial == 2
        assert np.array_equal(np.asarray(level[1, 2:]), array[1, 2:])


def test_without_a_channel_chosen_channels_are_an_axis():
    with store_of(ARRAY) as store:
        level = LazyLevel(store, 0, channel=None)
        assert level.axis_names == ("t", "c", "z", "y", "x")
        assert np.array_equal(np.asarray(level[0, ::2, 3]), ARRAY[0, ::2, 3])


@pytest.mark.parametrize(
    ("stored", "shown"), [(">u2", "<u2"), ("?", "?"), ("c8", "f4"), ("f2", "f2")]
)
def test_types_are_native_and_real(stored, shown):
    array = (ARRAY[0, 0] % 3).astype(stored)
    with store_of(array, axes="zyx") as store:
        level = LazyLevel(store, 0)
        assert level.dtype == np.dtype(shown)
        assert np.asarray(level).dtype == np.dtype(shown)
        assert np.array_equal(np.asarray(level), abs(array.astype("c8")).astype(shown))


def test_a_mask_can_be_given_out_as_bytes():
    array = ARRAY[0, 0] % 2 == 1
    with store_of(array, axes="zyx") as store:
        level = LazyLevel(store, 0, dtype="u1")
        assert np.array_equal(np.asarray(level[3]), array[3].astype("u1"))


def test_nan_stays_nan():
    array = ARRAY[0, 0].astype("f4")
    array[3, 4, 5] = np.nan
    with store_of(array, axes="zyx") as store:
        assert np.array_equal(np.asarray(LazyLevel(store, 0)), array, equal_nan=True)


def test_chunks_that_are_not_stored_are_the_fill_value():
    with store_of(ARRAY[0, 0], axes="zyx", fill_value=9) as store:
        store.source.missing.add((0, (0, 0, 0)))
        expected = ARRAY[0, 0].copy()
        expected[:4, :4, :4] = 9
        assert np.array_equal(np.asarray(LazyLevel(store, 0)), expected)


# -- reading ----------------------------------------------------------------------


def test_a_slice_that_was_read_is_not_read_again():
    with store_of(ARRAY) as store:
        level = LazyLevel(store, 0)
        np.asarray(level[0, 3])
        n_reads = store.source.reads.total()
        np.asarray(level[0, 2, 5:])
        assert store.source.reads.total() == n_reads


@pytest.mark.parametrize(
    "index", [np.s_[0], np.s_[0, ::-2, 1::3], np.s_[0:2, 3:9, ::2]]
)
def test_what_is_too_large_for_the_cache_is_read_past_it(index):
    with store_of(ARRAY, budget=4096) as store:
        level = LazyLevel(store, 0, channel=2)
        assert np.array_equal(np.asarray(level[index]), ARRAY[:, 2][index])
        assert not len(store.manager.cache)


@pytest.mark.parametrize(
    "budget", [4096, 1 << 22], ids=["past the cache", "through it"]
)
def test_a_chunk_that_cannot_be_read_is_an_error_that_says_why(budget):
    with store_of(ARRAY, budget=budget) as store:
        store.source.fail(0, (0, 0, 1, 0, 0))
        level = LazyLevel(store, 0)
        with pytest.raises(ChunkReadError, match="corrupt"):
            np.asarray(level[0])
        assert np.array_equal(np.asarray(level[0, 9]), ARRAY[0, 0, 9])


def test_a_store_that_is_closed_gives_an_error_and_no_wait():
    store = store_of(ARRAY)
    level = LazyLevel(store, 0)
    store.close()
    with pytest.raises(ChunkReadError, match="closed"):
        np.asarray(level[0, 0])
    store.close()


def test_any_number_of_threads_may_read():
    with store_of(ARRAY) as store:
        level = LazyLevel(store, 0)
        found = {}

        def read(z):
            found[z] = np.asarray(level[1, z])

        threads = [threading.Thread(target=read, args=(z,)) for z in range(11)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(np.array_equal(found[z], ARRAY[1, 0, z]) for z in range(11))


def test_a_type_can_be_asked_for(level):
    assert np.asarray(level[0, 0], dtype="f8").dtype == np.float64
    assert level[0, 0].astype("i4").dtype == np.int32


def test_voxels_that_must_not_be_copied_cannot_be_read(level):
    with pytest.raises(ValueError, match="copy=False"):
        level.__array__(copy=False)


def test_a_reading_may_answer_instead():
    asked = []

    def reading(view):
        asked.append(view.shape)
        return np.zeros(view.shape, view.dtype) if view.ndim == 2 else None

    with store_of(ARRAY) as store:
        level = LazyLevel(store, 0, reading=reading)
        assert not np.asarray(level[0, 0]).any()
        assert np.array_equal(np.asarray(level[0]), ARRAY[0, 0])
        assert np.array_equal(level[0, 0].read(), ARRAY[0, 0, 0])
    assert asked == [(13, 17), (11, 13, 17)]


# -- back to the store ------------------------------------------------------------


def test_indices_of_sliders_become_a_selection():
    with store_of(ARRAY) as store:
        level = LazyLevel(store, 0, channel=1)
        assert level.selection_at((1,)) == (1, 1)
        assert level.selection_at() == (0, 1)
        assert level.selection_at((7,)) == (1, 1)
        assert LazyLevel(store, 0, channel=None).selection_at((1, 2)) == (1, 2)
        assert level[1].selection_at() == (1, 1)


def test_a_part_of_a_level_does_not_pass_for_the_image():
    with store_of(ARRAY, ARRAY[..., ::2, ::2, ::2]) as store:
        level = LazyLevel(store, 0)
        assert level.is_whole
        assert level[1].is_whole
        assert not level[:, 2:].is_whole
        assert not level[..., 3].is_whole
        assert not LazyLevel(store, 1).is_whole


@pytest.mark.parametrize("options", [{"level": 1}, {"level": 0, "channel": 3}])
def test_what_the_store_does_not_have_is_refused(options):
    with (
        store_of(ARRAY) as store,
        pytest.raises(OptionError, match=r"expected a .* from 0"),
    ):
        LazyLevel(store, **options)


@pytest.mark.parametrize("level", [0, 1])
def test_a_plane_can_be_moved_along_one_stored_axis(level):
    fine = np.arange(3 * 8 * 8 * 8, dtype=np.uint16).reshape(3, 8, 8, 8)
    levels = [fine, np.ascontiguousarray(fine[:, ::2, ::2, ::2])]
    store = store_of(*levels, axes="tzyx")
    view = LazyLevel(store, level)[0:1, 2]
    along_time = view.moved_to(0, 2)
    assert np.array_equal(along_time.read(), levels[level][2:3, 2])
    assert np.array_equal(view.moved_to(1, 6).read(), levels[level][0:1, 6 >> level])
    # An axis that is shown whole stays as it is, and so does one that there is not.
    assert view.moved_to(3, 1).picks == view.picks == view.moved_to(7, 1).picks
    store.close()


def test_what_was_loaded_ahead_is_found_in_the_cache():
    with store_of(ARRAY) as store:
        view, manager = LazyLevel(store, 0, channel=1)[1, 3], store.manager
        names = [*view.mosaic().names]
        load_ahead(manager, names * 2, timeout_s=60)
        assert not view.mosaic().paint_known(manager.peek)
        read = store.source.reads.total()
        load_ahead(manager, names, timeout_s=60)
        assert np.array_equal(view.read(), ARRAY[1, 1, 3])
        assert store.source.reads.total() == read


def test_chunks_of_a_store_that_is_closed_are_not_waited_for():
    with store_of(ARRAY) as store:
        names = [*LazyLevel(store, 0)[0, 0].mosaic().names]
    load_ahead(store.manager, names, timeout_s=60)
