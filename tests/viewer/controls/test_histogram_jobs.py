"""What a store holds is counted quickly, or wholly."""

import numpy as np
import pytest

from brickfield.errors import ChunkReadError, OptionError
from brickfield.loading import ChunkCache
from brickfield.store import ChunkedImageStore
from brickfield.testing import MemorySource
from brickfield.viewer.controls import histogram_jobs
from brickfield.viewer.controls.histogram import histogram_of
from brickfield.viewer.controls.histogram_jobs import (
    coarsest_histogram,
    exact_histogram,
)


def levels(dtype=np.uint8, factor=1):
    fine = np.arange(8 * 12 * 16).reshape(8, 12, 16) % 251 * factor
    return [fine.astype(dtype), fine[::2, ::2, ::2].astype(dtype)]


def store_of(arrays, **options):
    source = MemorySource(
        arrays, **{"storage": (4, 4, 4), "axes": "zyx", "chunk": (4, 4, 4)} | options
    )
    return ChunkedImageStore(source, cache=ChunkCache(1 << 24))


@pytest.fixture
def store():
    store = store_of(levels())
    yield store
    store.close()


def test_the_coarsest_level_is_counted(store):
    expected, found = histogram_of(levels()[1]), coarsest_histogram(store)
    np.testing.assert_array_equal(found.counts, expected.counts)
    np.testing.assert_array_equal(found.edges, expected.edges)
    assert found.share == 1


def test_what_is_not_stored_counts_as_the_fill_value():
    store = store_of(levels(), fill_value=7)
    store.source.missing = {(1, (0, 0, 0))}
    data = levels()[1].copy()
    data[:4, :4, :4] = 7
    np.testing.assert_array_equal(
        coarsest_histogram(store).counts, histogram_of(data).counts
    )
    store.close()


@pytest.mark.parametrize(
    ("dtype", "factor"),
    [(np.uint8, 1), (np.int16, -100), (np.uint16, 200), (np.int32, 10**6)],
)
def test_all_voxels_are_counted_block_by_block(monkeypatch, dtype, factor):
    monkeypatch.setattr(histogram_jobs, "BLOCK_BYTES", 4 * 4 * 8 * 4)
    store = store_of(levels(dtype, factor))
    seen = []
    found = exact_histogram(store, 0, on_progress=lambda *p: seen.append(p))
    expected = histogram_of(levels(dtype, factor)[0])
    np.testing.assert_array_equal(found.counts, expected.counts)
    np.testing.assert_array_equal(found.edges, expected.edges)
    assert (found.low, found.high) == (expected.low, expected.high)
    assert found.share == 1
    assert len(seen) >= 4
    assert seen[-1][0] == seen[-1][1] == len(seen)
    store.close()


def test_floats_leave_nan_and_infinity_out():
    data = np.linspace(-3, 5, 8 * 12 * 16).reshape(8, 12, 16).astype(np.float32)
    data[0, 0, :3] = np.nan, np.inf, np.nan
    store = store_of([data, data[::2, ::2, ::2]])
    found, expected = exact_histogram(store), histogram_of(data)
    np.testing.assert_array_equal(found.counts, expected.counts)
    assert (found.n_nan, found.n_infinite) == (2, 1)
    store.close()


def test_a_cancelled_count_stops_and_says_nothing(monkeypatch, store):
    monkeypatch.setattr(histogram_jobs, "BLOCK_BYTES", 64)
    done = []
    found = exact_histogram(
        store, on_progress=lambda n, _: done.append(n), cancelled=lambda: len(done) >= 3
    )
    assert found is None
    assert len(done) == 3


def test_what_cannot_be_read_is_left_out_and_told(monkeypatch):
    monkeypatch.setattr(histogram_jobs, "BLOCK_BYTES", 64)
    store = store_of(levels())
    whole = store.source.read_storage_chunk

    def read(level, index):
        if (level, index) == (0, (1, 1, 1)):
            raise ChunkReadError("the chunk is corrupt", key="0/1/1/1")
        return whole(level, index)

    store.source.read_storage_chunk = read
    found = exact_histogram(store)
    assert found.n_values == 8 * 12 * 16 - 64
    assert found.share == pytest.approx(1 - 64 / (8 * 12 * 16))
    store.close()


def test_a_level_that_is_not_there_is_refused(store):
    with pytest.raises(OptionError, match="a level from 0 to 1; found 2"):
        exact_histogram(store, 2)
