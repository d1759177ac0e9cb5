"""Other processes: one that is killed while it writes, and one that reads meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import yaozarrs
import zarr

from brickfield.streaming import StreamWriter, read_acquisition

SHAPE = (None, 4, 96, 96)
CHUNKS = (1, 4, 32, 32)
WRITE = """
import sys, numpy as np
from brickfield.streaming import StreamWriter
w = StreamWriter(sys.argv[1], (None, 4, 96, 96), "tzyx", chunks=(1, 4, 32, 32),
                 version=sys.argv[2], compressor=sys.argv[3])
i = 0
while True:
    w.append(np.full((96, 96), i % 60_000 + 1, np.uint16))
    i += 1
"""


def wait_for(is_true, limit_s: float = 60.0) -> None:
    end = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


@pytest.fixture
def begin(tmp_path):
    """Begin a process that writes frames without end, each of one value."""
    running = []

    def begin(name: str, version: str, compressor: str):
        place = tmp_path / name
        command = [sys.executable, "-c", WRITE, str(place), version, compressor]
        running.append(subprocess.Popen(command, env=os.environ))
        wait_for(lambda: (read_acquisition(place) or {"frames": 0})["frames"] > 0)
        return place, running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("version", "compressor"), [("0.5", "blosc"), ("0.4", "zstd"), ("0.5", "none")]
)
def test_what_is_said_to_be_stored_survives_a_kill_at_any_moment(
    begin, version, compressor
):
    """Every frame that the metadata count is whole, and writing goes on behind them."""
    place, process = begin("a.ome.zarr", version, compressor)
    time.sleep(random.random() * 0.7)
    process.send_signal(signal.SIGKILL)
    process.wait()
    yaozarrs.validate_zarr_store(place)
    n = read_acquisition(place)["frames"]
    assert not read_acquisition(place)["complete"]
    whole = zarr.open_group(place, mode="r")["0"][...].reshape(-1, 96, 96)
    assert len(whole) >= n
    expected = np.arange(1, n + 1)
    assert (whole[:n] == expected[:, None, None]).all()
    with StreamWriter.resume(place) as writer:
        assert writer.frames == n
        for i in range(n, n + 8):
            writer.append(np.full((96, 96), i + 1, np.uint16))
    yaozarrs.validate_zarr_store(place)
    whole = zarr.open_group(place, mode="r")["0"][...].reshape(-1, 96, 96)
    assert (whole[: n + 8] == np.arange(1, n + 9)[:, None, None]).all()
    assert read_acquisition(place)["complete"]


def test_a_reader_beside_the_writer_never_meets_half_a_chunk(begin):
    """Each plane has one value or is not there; those counted are there."""
    place, process = begin("a.ome.zarr", "0.5", "blosc")
    end = time.monotonic() + 2.0
    n_looks = 0
    while time.monotonic() < end:
        n = read_acquisition(place)["frames"]
        yaozarrs.validate_zarr_store(place)
        array = zarr.open_group(place, mode="r")["0"]
        last = np.asarray(array[max(0, array.shape[0] - 3) :]).reshape(-1, 96, 96)
        first = 4 * max(0, array.shape[0] - 3)
        values = last[:, 0, 0]
        for number, plane in enumerate(last, first):
            seen = set(np.unique(plane).tolist())
            assert seen <= {0, number + 1}
            assert number >= n or seen == {number + 1}
        n_looks += len(values)
    assert process.poll() is None
    assert n_looks > 0
