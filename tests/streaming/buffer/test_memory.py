"""Memory of frames is ready before they come, and stays within its bounds."""

import threading

import numpy as np

from brickfield.streaming import StreamWriter
from brickfield.streaming.buffer.memory import (
    LEAST_WARM,
    SPARE_SLABS,
    ReadyMemory,
    Room,
)


def _kept(room: Room, n_bytes: int, lock: threading.Condition) -> int:
    """Count slabs that are at hand, once no thread makes any more."""
    for thread in threading.enumerate():
        if thread.name == "brickfield-stream-memory":
            thread.join(10)
    with lock:
        taken = []
        while (memory := room.take(n_bytes)) is not None:
            taken.append(memory)
        return len(taken)


def test_the_first_slab_is_there_at_once_and_others_soon():
    room, lock = Room(4 * LEAST_WARM), threading.Condition()
    ReadyMemory(room, lock, LEAST_WARM).begin()
    with lock:
        first = room.take(LEAST_WARM)
    assert first is not None
    assert first.nbytes == LEAST_WARM
    room.release(first)
    assert _kept(room, LEAST_WARM, lock) == 4 > SPARE_SLABS


def test_no_more_is_made_ready_than_the_buffer_holds():
    room, lock = Room(LEAST_WARM + 1), threading.Condition()
    ReadyMemory(room, lock, LEAST_WARM).begin()
    assert _kept(room, LEAST_WARM, lock) == 1
    assert room.peak <= room.most_bytes


def test_small_slabs_are_not_worth_a_thread():
    room, lock = Room(1 << 20), threading.Condition()
    ReadyMemory(room, lock, 1 << 10).begin()
    assert not [t for t in threading.enumerate() if t.name.endswith("stream-memory")]


def test_memory_that_was_given_back_is_given_out_again():
    room = Room(3 * LEAST_WARM)
    memory = room.take(LEAST_WARM)
    assert memory is not None
    memory[:] = 7
    room.release(memory)
    again = room.take(LEAST_WARM)
    assert again is memory
    assert room.used == room.peak == LEAST_WARM


def test_a_writer_of_blocks_takes_no_memory_for_frames(tmp_path):
    with StreamWriter(
        tmp_path / "a.ome.zarr", (64, 512, 512), "zyx", make_ready=False
    ) as writer:
        writer.write((0, 0, 0), np.ones((4, 8, 8), np.uint16))
        assert not [
            t for t in threading.enumerate() if t.name.endswith("stream-memory")
        ]
    assert writer.stats()["bytes_in"] == 512
