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


BEGIN = """
import os, signal, sys
from brickfield.streaming import StreamWriter
from brickfield.streaming.arrays import StreamArray
create, n_left = StreamArray.create, [int(sys.argv[2])]
def create_some(array):
    if not n_left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    n_left[0] -= 1
    create(array)
StreamArray.create = create_some
StreamWriter(sys.argv[1], (None, 4, 256, 256), "tzyx", chunks=(1, 4, 32, 32))
"""


@pytest.mark.parametrize("n_made", [0, 2])
def test_a_writer_that_is_killed_while_it_is_made_leaves_nothing_in_the_way(
    tmp_path, n_made
):
    place = tmp_path / "a.ome.zarr"
    command = [sys.executable, "-c", BEGIN, str(place), str(n_made)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not place.exists()
    with StreamWriter(place, (None, 4, 256, 256), "tzyx", chunks=(1, 4, 32, 32)):
        yaozarrs.validate_zarr_store(place)
    assert [p.name for p in tmp_path.iterdir()] == [place.name]


def test_what_was_there_stays_until_another_stream_has_begun(tmp_path):
    place = tmp_path / "a.ome.zarr"
    with StreamWriter(place, (4, 96, 96), "zyx") as writer:
        writer.append(np.full((96, 96), 7, np.uint16))
    command = [
        sys.executable,
        "-c",
        BEGIN.replace('"tzyx",', '"tzyx", overwrite=True,'),
    ]
    command += [str(place), "1"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert (zarr.open_group(place, mode="r")["0"][0] == 7).all()
