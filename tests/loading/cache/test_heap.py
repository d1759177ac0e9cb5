"""What the cache forgets goes back to the system, and not only to the C library."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from brickfield.loading import ChunkCache
from brickfield.loading.cache import chunk_cache, heap
from brickfield.model.requests import ChunkState, LoadedChunk

MIB = 1 << 20


def _fill(cache, n, first=0):
    for key in range(first, first + n):
        data = np.ones((1, 1, MIB), np.uint8)
        cache.put("a", LoadedChunk(key, (), ChunkState.LOADED, data))


def test_gaps_are_given_back_once_for_so_many_forgotten_bytes(monkeypatch):
    given = []
    cache = ChunkCache(4 * MIB + 4096)
    # Who asks holds no lock: others may use the cache meanwhile.
    monkeypatch.setattr(
        chunk_cache,
        "release_freed_memory",
        lambda: given.append(cache.get("a", (), 0)),
    )
    _fill(cache, 4)
    assert not given, "nothing was forgotten"
    n = 3 * heap.RELEASE_EVERY // MIB
    _fill(cache, n, first=4)
    assert len(given) == 3
    cache.budget_bytes = MIB
    assert len(given) == 3, "three more MiB are too few"


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or heap._trim() is None,
    reason="the C library cannot be asked",
)
def test_the_memory_of_forgotten_chunks_leaves_the_process():
    psutil = pytest.importorskip("psutil")
    process = psutil.Process()
    # Large enough for the heap, too small for mappings of their own after a while.
    many = [np.ones(MIB // 4, np.uint8) for _ in range(512)]
    kept = many[::8]
    held = process.memory_info().rss
    del many
    heap.release_freed_memory()
    assert process.memory_info().rss < held - 64 * MIB
    assert len(kept) == 64


def test_where_it_cannot_be_asked_nothing_happens(monkeypatch):
    monkeypatch.setattr(heap, "_trim", lambda: None)
    heap.release_freed_memory()
