"""The RAM cache stays within its budget, is read-only, and keeps what is pinned."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import BudgetError
from brickfield.loading.cache.chunk_cache import (
    ENTRY_BYTES,
    ChunkCache,
    cost_of,
    default_cache,
)
from brickfield.model.requests import ChunkState, LoadedChunk


def chunk(key, nbytes=1000, selection=()):
    data = np.zeros((1, 1, nbytes), np.uint8)
    return LoadedChunk(key, selection, ChunkState.LOADED, data, 0, 0)


def missing(key):
    return LoadedChunk(key, (), ChunkState.MISSING, None, 0, 0)


def budget_for(n):
    return n * (1000 + ENTRY_BYTES)


def test_the_array_itself_is_handed_out_and_cannot_be_written():
    cache = ChunkCache(budget_for(2))
    c = chunk(1)
    assert cache.put("s", c)
    found = cache.get("s", (), 1)
    assert found.data is c.data
    with pytest.raises(ValueError, match="read-only"):
        found.data[...] = 1


def test_the_least_recently_used_goes_first():
    cache = ChunkCache(budget_for(2))
    cache.put("s", chunk(1))
    cache.put("s", chunk(2))
    cache.get("s", (), 1)
    cache.put("s", chunk(3))
    assert [cache.peek("s", (), k) is not None for k in (1, 2, 3)] == [
        True,
        False,
        True,
    ]


def test_peek_does_not_count_as_use():
    cache = ChunkCache(budget_for(2))
    cache.put("s", chunk(1))
    cache.put("s", chunk(2))
    cache.peek("s", (), 1)
    cache.put("s", chunk(3))
    assert cache.peek("s", (), 1) is None


def test_peek_waits_for_no_lock():
    cache = ChunkCache(budget_for(2))
    cache.put("s", chunk(1))
    cache.pin("s", (), [1])
    with cache._lock:
        assert cache.peek("s", (), 1) is not None
        assert cache.peek("s", (), 2) is None
        assert cache.peek("t", (), 1) is None


def test_sources_and_selections_do_not_mix():
    cache = ChunkCache(budget_for(9))
    cache.put("s", chunk(1, selection=(0,)))
    assert cache.get("s", (1,), 1) is None
    assert cache.get("t", (0,), 1) is None


def test_what_is_larger_than_the_budget_is_not_kept():
    cache = ChunkCache(500)
    assert not cache.put("s", chunk(1))
    assert cache.nbytes == 0


def test_a_pinned_entry_stays():
    cache = ChunkCache(budget_for(2))
    cache.put("s", chunk(1), pins=1)
    cache.put("s", chunk(2))
    cache.put("s", chunk(3))
    assert cache.peek("s", (), 1) is not None
    assert cache.unpin("s", (), [1])[0].key == 1
    cache.put("s", chunk(4))
    cache.put("s", chunk(5))
    assert cache.peek("s", (), 1) is None


def test_pins_that_are_released_together_count_one_by_one():
    cache = ChunkCache(budget_for(2))
    cache.put("s", chunk(1), pins=2)
    cache.put("s", chunk(2), pins=1)
    cache.release_pins("s", (), [1, 2, 9])
    cache.put("s", chunk(3))
    assert cache.peek("s", (), 1) is not None
    assert cache.peek("s", (), 2) is None
    cache.release_pins("s", (), [1])
    cache.put("s", chunk(4))
    cache.put("s", chunk(5))
    assert cache.peek("s", (), 1) is None


def test_nothing_is_kept_when_pins_leave_no_room():
    cache = ChunkCache(budget_for(1))
    cache.put("s", chunk(1), pins=1)
    assert not cache.put("s", chunk(2))
    assert not cache.reserve(1000)


def test_a_reservation_makes_room_and_becomes_an_entry():
    cache = ChunkCache(budget_for(2))
    cache.put("s", chunk(1))
    cache.put("s", chunk(2))
    cost = cost_of(chunk(3))
    assert cache.reserve(cost)
    assert len(cache) == 1
    assert cache.put("s", chunk(3), reserved=cost)
    assert cache.reserved_bytes == 0
    assert len(cache) == 2


def test_missing_chunks_cost_next_to_nothing_but_not_nothing():
    cache = ChunkCache(10 * ENTRY_BYTES)
    for key in range(50):
        cache.put("s", missing(key))
    assert len(cache) == 10


def test_lowering_the_budget_forgets_at_once():
    cache = ChunkCache(budget_for(4))
    for key in range(4):
        cache.put("s", chunk(key))
    cache.budget_bytes = budget_for(1)
    assert len(cache) == 1
    assert cache.nbytes <= cache.budget_bytes


def test_dropping_a_source_leaves_the_others():
    cache = ChunkCache(budget_for(4))
    cache.put("s", chunk(1), pins=1)
    cache.put("t", chunk(1))
    cache.drop("s")
    assert len(cache) == 1
    assert cache.nbytes == cost_of(chunk(1))


def test_a_budget_below_one_byte_is_refused():
    with pytest.raises(BudgetError, match="above 0"):
        ChunkCache(0)


def test_the_process_has_one_default_cache():
    assert default_cache() is default_cache()


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 9), st.integers(0, 900)),
        st.tuples(st.just("pinned"), st.integers(0, 9), st.integers(0, 900)),
        st.tuples(st.just("pin"), st.integers(0, 9)),
        st.tuples(st.just("unpin"), st.integers(0, 9)),
        st.tuples(st.just("release"), st.integers(0, 9)),
        st.tuples(st.just("get"), st.integers(0, 9)),
        st.tuples(st.just("reserve"), st.integers(0, 900)),
        st.tuples(st.just("unreserve")),
    ),
    max_size=60,
)


@given(steps, st.integers(1, 4000))
def test_the_cache_is_never_above_its_budget(steps, budget):
    cache = ChunkCache(budget)
    reserved, kept = [], {}
    for step, *rest in steps:
        if step in ("put", "pinned"):
            c = chunk(*rest)
            if cache.put("s", c, pins=int(step == "pinned")):
                kept[c.key] = c
        elif step == "pin":
            cache.pin("s", (), rest)
        elif step == "unpin":
            cache.unpin("s", (), rest)
        elif step == "release":
            cache.release_pins("s", (), rest)
        elif step == "get":
            found = cache.get("s", (), rest[0])
            assert found is None or found is kept[rest[0]]
        elif step == "reserve" and cache.reserve(rest[0]):
            reserved.append(rest[0])
        elif step == "unreserve" and reserved:
            cache.unreserve(reserved.pop())
        here = [c for k in range(10) if (c := cache.peek("s", (), k)) is not None]
        assert cache.nbytes == sum(map(cost_of, here)) + sum(reserved)
        assert cache.nbytes <= cache.peak_bytes <= budget


def test_many_threads_leave_the_sums_right():
    cache = ChunkCache(budget_for(8))

    def work(seed):
        rng = np.random.default_rng(seed)
        for key in rng.integers(0, 30, 300).tolist():
            if cache.reserve(1000 + ENTRY_BYTES):
                cache.put("s", chunk(key), reserved=1000 + ENTRY_BYTES, pins=1)
                cache.unpin("s", (), [key])
            cache.get("s", (), key)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.reserved_bytes == 0
    here = [c for k in range(30) if (c := cache.peek("s", (), k)) is not None]
    assert cache.nbytes == sum(map(cost_of, here))
    assert cache.peak_bytes <= cache.budget_bytes


moves = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["put", "pin", "get"]), st.integers(0, 9)),
        st.tuples(st.just("release"), st.lists(st.integers(0, 9))),
        st.tuples(st.just("budget"), st.integers(1, 6)),
    ),
    max_size=40,
)


@given(moves)
def test_pins_released_by_many_are_as_if_they_were_taken_off_one_by_one(moves):
    """Also of chunks that come back in the meantime, and in the order of use."""
    together, apart = ChunkCache(budget_for(4)), ChunkCache(budget_for(4))
    for move, what in moves:
        for cache in (together, apart):
            if move == "put":
                cache.put("s", chunk(what), pins=what % 2)
            elif move == "pin":
                cache.pin("s", (), [what])
            elif move == "get":
                cache.get("s", (), what)
            elif move == "budget":
                cache.budget_bytes = budget_for(what)
        if move == "release":
            together.release_pins("s", (), what)
            apart.unpin("s", (), what)
        here = [
            [k for k in range(10) if cache.peek("s", (), k) is not None]
            for cache in (together, apart)
        ]
        assert here[0] == here[1]
        assert together.nbytes == apart.nbytes


def test_pins_that_were_released_wait_in_no_queue_without_end():
    cache = ChunkCache(budget_for(9))
    for _ in range(100):
        cache.release_pins("s", (), [1])
    assert len(cache._released) < 20
