"""Executors hold few batches at a time and leave no thread behind."""

from __future__ import annotations

from threading import Event, active_count

import pytest

from brickfield.blockwise.batches import Batcher
from brickfield.blockwise.blocks import BlockGrid
from brickfield.blockwise.executors import ThreadExecutor, open_executor
from brickfield.errors import OptionError

GRID = BlockGrid((500,), (1,))


def numbered():
    return ((i, GRID[i]) for i in range(len(GRID)))


def test_only_a_window_of_blocks_is_taken_at_a_time():
    executor, taken, done = ThreadExecutor(2), [], []
    stream = (taken.append(i) or (i, b) for i, b in numbered())
    started = Event()

    def function(block):
        started.wait()
        return 1

    run = executor.run(function, stream, Event())
    try:
        started.set()
        for outcomes in run:
            done += outcomes
            # Batches at most double: what is out is bounded by what came back.
            assert len(taken) - len(done) <= 4 * max(2 * len(done), 1)
    finally:
        run.close()
        executor.close()
    assert sorted(o.number for o in done) == list(range(500))


def test_giving_up_early_leaves_no_thread():
    before = active_count()
    executor = ThreadExecutor(3)
    run = executor.run(lambda b: 1, numbered(), Event())
    next(run)
    run.close()
    executor.close()
    assert active_count() == before


def test_batches_grow_to_the_wished_time_and_shrink_again():
    batches = Batcher(numbered(), seconds=0.1)
    sizes = []
    for _ in range(6):
        batch = batches.take()
        sizes.append(len(batch))
        batches.observe(len(batch), 0.01 * len(batch))
    assert sizes == [1, 2, 4, 8, 11, 11]
    batches.observe(1, 5.0)
    assert len(batches.take()) == 1


@pytest.mark.parametrize("scheduler", [None, "threads", "inline"])
def test_an_executor_is_opened_by_name(scheduler):
    executor = open_executor(scheduler, 2)
    done = [
        o
        for outcomes in executor.run(lambda b: 1, numbered(), Event())
        for o in outcomes
    ]
    executor.close()
    assert len(done) == 500


def test_an_unknown_executor_is_refused_with_the_known_ones():
    with pytest.raises(OptionError, match="threads"):
        open_executor("spark")


def test_no_workers_are_refused():
    with pytest.raises(OptionError, match="at least 1"):
        open_executor("threads", 0)
