"""Rows of the page table reach the GPU, however they are spread."""

from __future__ import annotations

import numpy as np
import pytest
import wgpu

from brickfield.gpu.material import MOST_RUNS, RowSender

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("counts", [(1, 64, 65), (3000, 7)])
def test_scattered_rows_are_sent_in_one_piece_and_lie_where_they_belong(
    adapter, counts
):
    usage = wgpu.BufferUsage
    use = usage.STORAGE | usage.COPY_DST | usage.COPY_SRC
    buffer = adapter.device.create_buffer(size=16 * 4096, usage=use)
    sender, rng = RowSender(adapter.device), np.random.default_rng(0)
    rows = np.zeros((4096, 4), np.uint32)
    for n in counts:
        at = np.sort(rng.choice(len(rows), n, replace=False))
        rows[at] = rng.integers(0, 1 << 32, (n, 4), np.uint32)
        assert sender.send(buffer, rows, at) == 20 * (n + 1)
        found = np.frombuffer(adapter.device.queue.read_buffer(buffer), np.uint32)
        np.testing.assert_array_equal(found.reshape(-1, 4), rows)
    sender.close()


def test_many_changes_cost_their_rows_and_not_the_table(stages, harness):
    array = np.random.default_rng(0).integers(0, 200, (160, 160, 80), np.uint8)
    stage = stages(array, chunk=(8, 8, 8))
    names = harness.all_names(stage.pyramid)
    stage.put(names)
    stage.bricks.flush()
    table = stage.bricks.table
    before = stage.bricks.page_bytes_per_brick * stage.bricks.n_committed
    for name in names[::40]:
        table.set(name, table.value_of(name) ^ 1 << 28, 7)
    stage.bricks.flush()
    sent = stage.bricks.page_bytes_per_brick * stage.bricks.n_committed - before
    n = len(names[::40])
    assert n > 8 * MOST_RUNS
    assert sent <= 20 * (n + 1) + 1
