"""Decoded storage chunks are kept within the budget of the cache."""

from __future__ import annotations

import numpy as np

from brickfield.loading.cache.chunk_cache import ChunkCache
from brickfield.loading.cache.storage_chunks import KeptStorage
from brickfield.loading.storage_layout import LevelLayout
from brickfield.sources import StorageChunk, from_arrays


def kept(budget):
    """Kept storage of an image of 8³ chunks in a cache of so many bytes."""
    pyramid = from_arrays(np.zeros((64, 64, 64), "u1")).info.pyramid
    cache = ChunkCache(budget)
    return cache, KeptStorage(cache, "image", LevelLayout.of(pyramid, 0))


def test_storage_chunks_are_kept_within_the_budget_of_the_cache():
    cache, storage = kept(1000)
    storage.keep((0, 0, 0), StorageChunk(np.zeros(10_000, "u1"), 7))
    assert storage.find((0, 0, 0)) is None
    storage.keep((0, 0, 0), StorageChunk(np.arange(100, dtype="u1"), 7))
    found = storage.find((0, 0, 0))
    assert np.array_equal(found.data, np.arange(100))
    assert found.stored_bytes == 0, "it costs nothing any more"
    assert 100 < cache.nbytes <= 1000


def test_what_is_not_stored_is_known_not_to_be():
    _, storage = kept(1000)
    storage.keep((0, 0, 0), StorageChunk(None, 0))
    assert storage.find((0, 0, 0)) == StorageChunk(None, 0)


def test_what_was_dropped_is_gone_and_its_memory_free():
    cache, storage = kept(1000)
    storage.keep((0, 0, 0), StorageChunk(np.zeros(100, "u1"), 7))
    storage.drop((0, 0, 0))
    storage.keep((0, 0, 0), StorageChunk(np.zeros(100, "u1"), 7))
    storage.clear()
    assert storage.find((0, 0, 0)) is None
    assert cache.nbytes == 0
