"""Every block of a job is done once, tried again once, and resumed after an interruption."""

from __future__ import annotations

import json
from threading import Event

import pytest

from brickfield.blockwise.batches import run_batch
from brickfield.blockwise.blocks import BlockGrid
from brickfield.blockwise.executors import InlineExecutor, ThreadExecutor
from brickfield.blockwise.jobs import BlockJob, JobOptions, run_jobs
from brickfield.blockwise.journal import Journal
from brickfield.errors import StoreWriteError

GRID = BlockGrid((20,), (1,))


@pytest.fixture(params=["inline", "threads"])
def executor(request):
    e = InlineExecutor() if request.param == "inline" else ThreadExecutor(2)
    yield e
    e.close()


def test_every_block_is_worked_on_once(executor):
    calls = []
    result = run_jobs(
        [BlockJob("a", GRID, lambda b: calls.append(b.index) or 5)], executor
    )
    assert sorted(calls) == [b.index for b in GRID]
    assert (result.n_done, result.n_total, result.bytes_written) == (20, 20, 100)
    assert result.is_complete


def test_a_block_that_fails_once_is_tried_again(executor):
    tries = {}

    def function(block):
        tries[block.index] = tries.get(block.index, 0) + 1
        if block.index == (3,) and tries[block.index] == 1:
            raise OSError("busy")
        return 1

    result = run_jobs([BlockJob("a", GRID, function)], executor)
    assert result.is_complete
    assert tries[3,] == 2


def test_a_block_that_fails_twice_is_listed_and_the_others_go_on(executor):
    def function(block):
        if block.index == (3,):
            raise OSError("unreadable")
        return 1

    later = []
    jobs = [BlockJob("a", GRID, function), BlockJob("b", GRID, later.append)]
    result = run_jobs(jobs, executor)
    assert [(f.job, f.index, f.reason) for f in result.failures] == [
        ("a", (3,), "unreadable")
    ]
    assert result.n_done == 19
    assert not result.is_complete
    assert later == []


def test_failed_blocks_can_be_given_up(executor):
    def function(block):
        if block.index == (3,):
            raise OSError("unreadable")
        return 1

    jobs = [BlockJob("a", GRID, function), BlockJob("b", GRID, lambda b: 1)]
    result = run_jobs(jobs, executor, JobOptions(skip_failed=True))
    assert (result.n_done, len(result.failures)) == (39, 1)
    assert result.is_complete


def test_progress_ends_with_all_blocks_and_no_time_left(executor):
    told = []
    run_jobs(
        [BlockJob("a", GRID, lambda b: 2)],
        executor,
        JobOptions(progress=lambda *p: told.append(p)),
    )
    assert told[0] == (0, 20, 0, None)
    assert told[-1] == (20, 20, 40, 0)
    assert [p[0] for p in told] == sorted(p[0] for p in told)


def test_a_cancelled_job_stops_and_a_journal_lets_it_go_on(executor, tmp_path):
    cancel, calls = Event(), []

    def function(block):
        calls.append(block.index)
        if len(calls) == 5:
            cancel.set()
        return 1

    grid = BlockGrid((500,), (1,))
    job = BlockJob("a", grid, function)
    with Journal(tmp_path / "j", {}) as journal:
        first = run_jobs([job], executor, JobOptions(journal, None, cancel))
    assert 5 <= first.n_done < 500
    assert not first.is_complete
    with Journal(tmp_path / "j", {}) as journal:
        second = run_jobs([job], executor, JobOptions(journal))
    assert (second.n_resumed, second.n_done) == (first.n_done, 500 - first.n_done)
    assert sorted(calls) == [b.index for b in grid]


def test_no_room_to_write_ends_the_job_at_once_with_one_sentence(executor, tmp_path):
    calls = []

    def function(block):
        calls.append(block.index)
        if len(calls) > 3:
            raise StoreWriteError("the disk is full")
        return 1

    with Journal(tmp_path / "j", {}) as journal:
        with pytest.raises(StoreWriteError, match=r"disk is full \(after 3 of 20"):
            run_jobs([BlockJob("a", GRID, function)], executor, JobOptions(journal))
        assert sum(journal.mask("a", 20)) == 3
    assert len(calls) < 20


@pytest.mark.parametrize("pause_s", [-1.0, 3600.0], ids=["each", "at the end"])
def test_blocks_are_settled_before_they_are_noted_as_done(
    executor, tmp_path, monkeypatch, pause_s
):
    """What they wrote is on disk then; a block that wrote nothing needs none of it."""
    monkeypatch.setattr("brickfield.blockwise.jobs.SETTLE_S", pause_s)
    settled = []

    def settle(blocks):
        told = read_journal(path)
        assert not {b.index[0] for b in blocks} & told
        settled.extend(b.index[0] for b in blocks)

    path = tmp_path / "j"
    with Journal(path, {}) as journal:
        job = BlockJob("a", GRID, lambda b: b.index[0] % 2, settle)
        result = run_jobs([job], executor, JobOptions(journal))
        assert sorted(settled) == list(range(1, 20, 2))
        assert read_journal(path) == set(range(20))
    assert result.is_complete


def read_journal(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    return {n for line in lines for n in line["done"]}


def test_batches_get_smaller_towards_the_end_so_that_all_workers_end_together():
    class Noting(InlineExecutor):
        n_workers = 4

        def run(self, function, blocks, cancel, priority=0):
            self.most = []
            for numbered in blocks:
                self.most.append(blocks.most_at_once)
                yield run_batch(function, [numbered])[0]

    noting = Noting()
    grid = BlockGrid((100,), (1,))
    assert run_jobs([BlockJob("a", grid, lambda _: 1)], noting).n_done == 100
    assert noting.most == sorted(noting.most, reverse=True)
    assert (noting.most[0], noting.most[-1]) == (99 // 12, 1)
