"""Values of blocks are merged in order, in bounded memory, by any number of workers."""

from __future__ import annotations

import doctest
import os
import pickle
from threading import Event, Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.blockwise import gathering as gather_module
from brickfield.blockwise import reduce as reduce_module
from brickfield.blockwise.batches import run_batch
from brickfield.blockwise.blocks import BlockGrid
from brickfield.blockwise.buffers import ThreadBuffers
from brickfield.blockwise.executors import InlineExecutor, ThreadExecutor
from brickfield.blockwise.gathering import GatherOptions, gather, map_values, size_of
from brickfield.errors import ChunkReadError, OptionError

GRID = BlockGrid((40,), (3,))


@pytest.fixture(params=["inline", "threads"])
def executor(request):
    e = InlineExecutor() if request.param == "inline" else ThreadExecutor(3)
    yield e
    e.close()


@pytest.fixture
def threads():
    e = ThreadExecutor(3)
    yield e
    e.close()


def add(state, block, value):
    return state + value


def indices(state, block, value):
    return [*state, block.index[0]]


@pytest.mark.parametrize("module", [gather_module, reduce_module])
def test_the_examples_of_the_docstrings_run(module):
    if not hasattr(os, "preadv"):
        pytest.skip("reads into a buffer by preadv")
    assert doctest.testmod(module).failed == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60), st.integers(1, 7), st.integers(1, 9), st.integers(1, 4))
def test_every_block_is_merged_once_in_the_order_of_the_stride(n, edge, stride, w):
    grid, executor = BlockGrid((n,), (edge,)), ThreadExecutor(w)
    options = GatherOptions(stride=stride)
    found = gather(grid, lambda b: None, indices, [], executor, options)
    executor.close()
    every = list(range(len(grid)))
    assert found.value == every[::stride] + [i for i in every if i % stride]
    assert found.is_complete


def test_sums_of_floats_are_the_same_bits_for_any_number_of_workers():
    data = np.random.default_rng(3).normal(size=40).astype(np.float32) * 1e6
    sums = set()
    for workers in (1, 2, 5):
        executor = ThreadExecutor(workers)
        found = gather(GRID, lambda b: data[b.slices].sum(), add, 0, executor)
        sums.add(found.require().tobytes())
        executor.close()
    assert len(sums) == 1


def test_values_that_wait_are_bounded_by_the_budget_whatever_block_is_slow(threads):
    """The first block ends last; the others may only run so far ahead of it."""
    value, gate, begun = np.zeros(1000, np.uint8), Event(), []
    grid = BlockGrid((300,), (1,))

    def function(block):
        begun.append(block.index[0])
        if block.index[0] == 6 and not gate.wait(0.3):
            gate.set()
        return value

    most = []

    def watch(state, block, _):
        most.append(len(begun) - state)
        return state + 1

    options = GatherOptions(budget_bytes=10 * size_of(value))
    assert gather(grid, function, watch, 0, threads, options).require() == 300
    assert max(most) <= 10


def test_a_preview_is_told_after_the_strided_pass_and_before_the_rest(executor):
    told, seen = [], []
    options = GatherOptions(stride=4, preview=lambda state: told.append(list(state)))
    gather(GRID, lambda b: seen.append(b.index[0]), indices, [], executor, options)
    assert told == [[0, 4, 8, 12]]
    assert sorted(seen) == list(range(14))


def test_previews_go_on_when_they_are_asked_for(executor):
    told = []
    options = GatherOptions(preview=told.append, preview_s=0.0)
    gather(GRID, lambda b: 1, add, 0, executor, options)
    assert told == [14]
    told.clear()
    options = GatherOptions(stride=7, preview=told.append, preview_s=0.0)
    gather(GRID, lambda b: 1, add, 0, executor, options)
    assert told == list(range(2, 15))


def test_progress_counts_bytes(executor):
    told = []
    options = GatherOptions(bytes_per_voxel=8, progress=lambda *a: told.append(a))
    found = gather(GRID, lambda b: 1, add, 0, executor, options)
    assert [done for done, *_ in told] == [*range(24, 320, 24), 320]
    assert {total for _, total, _, _ in told} == {320}
    assert told[-1][3] == 0
    assert found.bytes_done == 320


def test_cancelling_ends_within_the_block_and_tells_that_something_lacks(executor):
    cancel = Event()

    def function(block):
        if block.index[0] == 2:
            cancel.set()
        return 1

    options = GatherOptions(cancel=cancel)
    found = gather(GRID, function, add, 0, executor, options)
    assert not found.is_complete
    assert found.n_done < 14
    with pytest.raises(ChunkReadError, match="cancelled"):
        found.require()


def test_a_batch_looks_at_cancel_before_each_of_its_blocks():
    cancel, seen = Event(), []

    def function(block):
        seen.append(block.index[0])
        cancel.set()
        return 1

    outcomes, _ = run_batch(function, [(i, GRID[i]) for i in range(5)], cancel)
    assert seen == [0]
    assert [o.number for o in outcomes] == [0]


def failing(block):
    if block.index[0] in (3, 9):
        raise OSError("unreadable")
    return 1


def test_the_first_block_that_fails_twice_ends_the_pass_and_is_named(executor):
    found = gather(GRID, failing, add, 0, executor)
    assert (found.value, found.n_done, found.is_complete) == (3, 3, False)
    assert [f.index for f in found.failures] == [(3,)]
    with pytest.raises(ChunkReadError, match=r"unreadable \(block 3\)"):
        found.require()
    with pytest.raises(ChunkReadError, match="unreadable"):
        list(map_values(GRID, failing, executor))


def test_failed_blocks_are_given_up_on_request(executor):
    options = GatherOptions(skip_failed=True)
    found = gather(GRID, failing, add, 0, executor, options)
    assert (found.require(), found.is_complete) == (12, True)
    assert [f.index for f in found.failures] == [(3,), (9,)]


def test_values_are_yielded_in_block_order(executor):
    found = list(map_values(GRID, lambda b: b.start[0], executor))
    assert [(b.index, v) for b, v in found] == [((i,), 3 * i) for i in range(14)]


def test_leaving_the_values_early_leaves_the_executor_usable(threads):
    values = map_values(GRID, lambda b: 1, threads)
    next(values)
    values.close()
    assert gather(GRID, lambda b: 1, add, 0, threads).require() == 14


def test_a_run_of_higher_priority_goes_first():
    """The lower one is under way; while the higher lasts it gets single batches."""
    executor, begun, order = ThreadExecutor(1), Event(), []
    low, high = BlockGrid((200,), (1,)), BlockGrid((10,), (1,))

    def slow(block):
        order.append("low")
        begun.set()
        Event().wait(0.005)
        return 1

    def quick(block):
        order.append("high")
        return 1

    background = Thread(target=gather, args=(low, slow, add, 0, executor))
    background.start()
    begun.wait()
    gather(high, quick, add, 0, executor, GatherOptions(priority=1))
    last = len(order) - order[::-1].index("high")
    assert order[:last].count("low") < 200
    background.join()
    executor.close()
    assert order.count("low") == 200


@pytest.mark.parametrize("options", [{"stride": 0}, {"budget_bytes": 0}])
def test_options_that_cannot_be_are_refused(options):
    with pytest.raises(OptionError, match="at least"):
        GatherOptions(**options)


def test_a_thread_gets_the_same_memory_for_every_block():
    buffers = ThreadBuffers()
    first = buffers.take((4, 5), np.uint16)
    second = buffers.take((3, 3), np.float32)
    assert np.shares_memory(first, second)
    assert (second.shape, second.dtype) == ((3, 3), np.float32)


def test_threads_share_no_memory_and_other_processes_begin_with_none():
    buffers, other = ThreadBuffers(), []
    mine = buffers.take((10,), np.uint8)
    thread = Thread(target=lambda: other.append(buffers.take((10,), np.uint8)))
    thread.start()
    thread.join()
    assert not np.shares_memory(mine, other[0])
    assert pickle.loads(pickle.dumps(buffers)).take((2,), np.uint8).shape == (2,)
