"""A dask cluster gives what threads give, and a lost worker costs no block."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from brickfield.blockwise import executors as cluster
from brickfield.blockwise.blocks import BlockGrid
from brickfield.blockwise.executors import open_executor
from brickfield.blockwise.gathering import GatherOptions, gather
from brickfield.blockwise.jobs import BlockJob, JobOptions, run_jobs
from brickfield.errors import StoreUnreachableError

distributed = pytest.importorskip("distributed")


def test_a_scheduler_that_does_not_answer_is_one_sentence(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    with pytest.raises(StoreUnreachableError, match="dask scheduler at"):
        open_executor("tcp://127.0.0.1:9")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process with a signal")
def test_a_worker_killed_in_the_middle_costs_no_block(tmp_path):
    """Two processes; one is killed with SIGKILL after the first batches."""
    grid = BlockGrid((400,), (1,))
    folder, victims = str(tmp_path), []

    def function(block):  # sent by value, since workers cannot import this test
        from pathlib import Path as LocalPath
        from time import sleep

        sleep(0.005)  # work that lasts, so that the kill meets a worker at it
        (LocalPath(folder) / str(block.index[0])).write_text(str(block.start[0] ** 2))
        return 1

    def kill_one(done, total, n_bytes, left):
        if done and not victims:
            pid = next(iter(client.run(os.getpid).values()))
            victims.append(pid)
            os.kill(pid, signal.SIGKILL)

    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=50,
        ) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):
        executor = open_executor(local.scheduler_address)
        result = run_jobs(
            [BlockJob("a", grid, function)], executor, JobOptions(progress=kill_one)
        )
        executor.close()
    assert len(victims) == 1
    assert result.is_complete
    assert result.failures == ()
    written = {int(p.name): int(p.read_text()) for p in Path(folder).iterdir()}
    assert written == {i: i**2 for i in range(400)}


def test_values_are_gathered_from_a_cluster_in_block_order():
    grid = BlockGrid((60,), (1,))
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        dashboard_address=None,
        silence_logs=50,
    ) as local:
        executor = open_executor(local.scheduler_address)
        options = GatherOptions(stride=7)
        found = gather(grid, _square, _append, [], executor, options)
        executor.close()
    order = [*range(0, 60, 7), *(i for i in range(60) if i % 7)]
    assert found.require() == [i**2 for i in order]


def _square(block):
    return block.start[0] ** 2


def _append(state, block, value):
    return [*state, value]
