"""When the flushing thread takes every processor, and when it leaves one."""

from __future__ import annotations

import time

import numpy as np

from brickfield.streaming import StreamWriter


def test_a_processor_is_left_to_the_caller_while_frames_can_be_followed(tmp_path):
    """Every processor encodes only when parts wait, or the caller waits for the end."""
    frame = np.ones((32, 32), np.uint16)
    place = tmp_path / "a.ome.zarr"
    with StreamWriter(place, (None, 4, 32, 32), "tzyx", max_age=60) as writer:
        array = writer._flusher._array
        hurried, write = [], array.write

        def note(region, data, *, in_a_hurry):
            hurried.append(in_a_hurry)
            return write(region, data, in_a_hurry=in_a_hurry)

        array.write = note
        for _ in range(4):
            writer.append(frame)
        end = time.monotonic() + 20
        while writer.frames_on_disk < 4 and time.monotonic() < end:
            time.sleep(0.01)
        assert hurried == [False]
        writer.append(frame)
        writer.flush()
        assert hurried == [False, True]
