"""Chunks that are kept while blocks need them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.transforms.baking.chunk_cache import ChunkCache

KIB = np.zeros(1024, np.uint8)


def test_a_chunk_is_read_once_for_all_who_wait():
    cache, gate, reads = ChunkCache(1 << 20), threading.Event(), []

    def read():
        gate.wait(10)
        reads.append(1)
        return KIB

    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(cache.get, (0,), read) for _ in range(4)]
        gate.set()
        assert all(f.result(10) is KIB for f in waiting)
    assert len(reads) == 1


def test_a_failure_reaches_all_and_is_tried_anew():
    cache = ChunkCache(1 << 20)

    def fail():
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 -- the very one
        cache.get((0,), fail)
    assert cache.get((0,), lambda: KIB) is KIB


def test_a_chunk_larger_than_the_cache_is_not_kept():
    cache = ChunkCache(1000)
    cache.get((0,), lambda: KIB)
    assert cache.n_bytes == 0


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 8))
def test_the_bytes_are_never_exceeded_and_the_latest_stay(asked, n_kept):
    cache, reads = ChunkCache(n_kept * 1024), []
    recent = []
    for i in asked:
        n_before = len(reads)
        cache.get((i,), lambda: reads.append(1) or KIB)
        assert (len(reads) == n_before) == (i in recent)
        recent = ([i] + [r for r in recent if r != i])[:n_kept]
        assert cache.n_bytes == 1024 * len(recent) <= 1024 * n_kept
