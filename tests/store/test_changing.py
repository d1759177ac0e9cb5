"""Single chunks are read anew when the store is told that they changed."""

from __future__ import annotations

import numpy as np
import pytest
import tensorstore as ts

from brickfield.errors import OptionError
from brickfield.loading import ChunkCache, LevelLayout
from brickfield.store.changing import change_of
from brickfield.store.image_store import ChunkedImageStore
from brickfield.store.lazy_level import LazyLevel
from brickfield.store.open import open_store
from brickfield.testing import MemorySource
from brickfield.testing.zarr_stores import write_image

HALF = (slice(0, 32), slice(0, 64), slice(0, 64))


@pytest.fixture
def source():
    fine = np.full((64, 64, 64), 1, np.uint8)
    coarse = fine[::2, ::2, ::2].copy()
    return MemorySource([fine, coarse], (16, 16, 16), chunk=(32, 32, 32))


@pytest.fixture
def store(source):
    with ChunkedImageStore(source, cache=ChunkCache(1 << 24)) as opened:
        yield opened


def test_only_the_changed_chunks_are_read_again(source, store):
    level = LazyLevel(store, 0)
    assert (level.read() == 1).all()
    n_reads = store.manager.counters.requests
    source.arrays[0][:32] = 2
    assert (level.read() == 1).all()  # nobody said so
    store.mark_changed(0, HALF)
    found = level.read()
    assert (found[:32] == 2).all()
    assert (found[32:] == 1).all()
    assert store.manager.counters.requests - n_reads == n_reads // 2


def test_whoever_listens_is_told_the_change(store):
    told = []
    store.changed.connect(told.append)
    store.mark_changed(0, HALF)
    assert [(c.level, c.low, c.high) for c in told] == [(0, (0, 0, 0), (1, 2, 2))]
    assert store.changes.version == 1


def test_the_whole_level_changes_without_a_box(store):
    change = change_of(store.pyramid, 1, None)
    assert (change.low, change.high) == ((0, 0, 0), (1, 1, 1))
    assert LevelLayout.of(store.pyramid, 1).shape_zyx == (32, 32, 32)


@pytest.mark.parametrize(
    ("level", "box"),
    [
        (2, None),
        (0, (slice(0, 1),)),
        (0, (slice(0, 64, 2), slice(None), slice(None))),
        (0, (slice(5, 5), slice(None), slice(None))),
    ],
)
def test_a_box_that_there_is_not_is_refused(store, level, box):
    with pytest.raises(OptionError, match="expected a"):
        store.mark_changed(level, box)


def test_a_chunk_that_was_not_stored_before_is_found(tmp_path):
    """The source has listed the folder, and holds the chunk for missing."""
    data = np.zeros((32, 32, 32), np.uint8)
    data[:16] = 1
    image = write_image(tmp_path / "a.zarr", [data], chunks=(16, 16, 16))
    for chunk in (image / "0").glob("1/*/*"):
        chunk.unlink()
    with open_store(image) as store:
        level = LazyLevel(store, 0)
        indices = np.array([[1, 0, 0]])
        assert store.source.missing_chunks(0, indices).all()
        assert not level.read()[16:].any()
        spec = {"driver": "zarr", "kvstore": {"driver": "file", "path": f"{image}/0/"}}
        array = ts.open(spec).result()
        array[16:].write(np.full((16, 32, 32), 7, np.uint8)).result()
        store.mark_changed(0, (slice(16, 32), slice(None), slice(None)))
        assert (level.read()[16:] == 7).all()
