"""Takes frames and blocks into the parts that they belong to.

Invariant: what is given twice is written in the order in which it was given. Frames
gather in slabs, blocks in single storage units; where one comes while the other is
open, the open one is closed first, and is written first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.blockwise import BlockGrid, Slices, intersect, shift
from brickfield.errors import OptionError
from brickfield.streaming.arrays import ENDLESS
from brickfield.streaming.buffer.flush import raise_error
from brickfield.streaming.buffer.memory import ReadyMemory
from brickfield.streaming.buffer.tiles import Buffer, Part
from brickfield.streaming.plan import StreamPlan

MOST_TIMES = 100_000
"""Calls of `append` whose times are remembered."""
Change = Callable[[NDArray[Any], tuple[int, ...]], None]
"""Changes voxels of a piece, given its first voxel."""


class Intake:
    """The caller's side of a stream.

    Thread rule: one thread at a time calls; the buffer's lock is taken here.

    Parameters
    ----------
    plan : StreamPlan
    buffer : Buffer
    frames : int
        Number of the first frame that comes.
    length : int
        Of a first axis that grows, so far.

    Attributes
    ----------
    frames : int
        Frames that came or were skipped; the number of the next one.
    reach : int
        How far along the first axis anything was given, at least 1.
    bytes_in : int
    waited_s : float
        For room in the buffer.
    times : deque of float
        Seconds that the last frames took.
    """

    def __init__(
        self, plan: StreamPlan, buffer: Buffer, frames: int, *, length: int
    ) -> None:
        self.frames = frames
        self.reach = max(1, length)
        self.bytes_in = 0
        self.waited_s = 0.0
        self.times: deque[float] = deque(maxlen=MOST_TIMES)
        self._plan = plan
        self._buffer = buffer
        self._shape = (ENDLESS, *plan.shape[1:]) if plan.grows else plan.shape

    def make_ready(self) -> None:
        """Have memory for the first frames, so that they do not wait for it."""
        lead = (0,) * (len(self._shape) - 2)
        n_bytes = self._new_part(lead, None).n_bytes
        ReadyMemory(self._buffer.room, self._buffer.lock, n_bytes).begin()

    # -- frames ------------------------------------------------------------------

    def take_frame(self, frame: ArrayLike) -> None:
        """Copy the next frame.

        Raises
        ------
        OptionError
            When it has another shape or data type, or there is no frame left.
        StoreWriteError
            When what came before could not be written; this frame was not taken.
        """
        data = self._checked(frame, self._plan.frame_shape)
        self._check_room_for(1)
        part, at = self._part_for_frame(self.frames)
        try:
            # Copied without the lock, so that the flushing thread goes on meanwhile;
            # the part is marked busy and is not closed under the copy.
            part.put_frame(at, data)
        finally:
            self._release(part)
        self._count(part, at)
        self.bytes_in += data.nbytes

    def skip(self, n: int) -> None:
        """Leave out frames.

        Raises
        ------
        OptionError
        """
        if int(n) != n or n < 0:
            msg = f"expected a number of frames from 0 on; found {n}"
            raise OptionError(msg)
        self._check_room_for(int(n))
        for _ in range(int(n)):
            part, at = self._open_slab(self.frames)
            part.clear_frame(at)
            self._count(part, at)

    def _part_for_frame(self, frame: int) -> tuple[Part, tuple[int, ...]]:
        """Return the slab of a frame, with memory and kept open, and where in it."""
        while True:
            part, at = self._open_slab(frame)
            if part.memory is not None or self._give_memory(part):
                with self._buffer.lock:
                    # Its age may have closed it while memory was waited for.
                    if self._buffer.open.get(part.key) is part:
                        part.is_busy = True
                        return part, at

    def _open_slab(self, frame: int) -> tuple[Part, tuple[int, ...]]:
        index, slab_shape = self._plan.index_of(frame), self._plan.slab_shape
        slab = tuple(i // s for i, s in zip(index, slab_shape, strict=True))
        at = tuple(i % s for i, s in zip(index, slab_shape, strict=True))
        with self._buffer.lock:
            part = self._buffer.open.get((slab, None))
            if part is None:
                # A storage unit never lies in two open parts: of two writes of the same
                # voxels the later has to win, and open parts have no order.
                for other in [k for k in self._buffer.open if k[0] == slab]:
                    self._buffer.close_part(self._buffer.open[other])
                part = self._new_part(slab, None)
                part.first_frame = frame
                part.begin_frames()
                self._buffer.open[part.key] = part
        return part, at

    def _new_part(self, slab: tuple[int, ...], unit: tuple[int, int] | None) -> Part:
        plan, shape = self._plan, self._shape
        lead = [i * s for i, s in zip(slab, plan.slab_shape, strict=True)]
        edges = plan.unit[-2:]
        y, x = (0, 0) if unit is None else (unit[0] * edges[0], unit[1] * edges[1])
        size = plan.frame_shape if unit is None else edges
        start = (*lead, y, x)
        extent = tuple(
            min(e, n - a)
            for e, n, a in zip((*plan.slab_shape, *size), shape, start, strict=True)
        )
        return Part(
            (slab, unit), start, (edges[0], edges[1]), extent, plan.dtype, monotonic()
        )

    def _give_memory(self, part: Part) -> bool:
        """Give a part memory, waiting for it; False when others have to go first."""
        buffer, began = self._buffer, None
        with buffer.lock:
            while True:
                raise_error(buffer)
                # Closed by its age or for room while memory was waited for: a new one
                # is begun.
                if buffer.open.get(part.key) is not part:
                    return False
                memory = buffer.room.take(part.n_bytes)
                if memory is not None:
                    break
                began = began or perf_counter()
                self._make_room(part)
                buffer.lock.wait(0.5)
        if began is not None:
            self.waited_s += perf_counter() - began
        part.use(memory)
        # Its age counts from its first voxel, not from when it began to wait.
        part.since = monotonic()
        return True

    def _make_room(self, for_part: Part) -> None:
        """Close the oldest part when nothing else is on its way to disk (locked)."""
        buffer = self._buffer
        # What is on its way to disk frees memory in a moment. A part that is closed
        # early is written once more when the rest of it comes.
        if buffer.waiting or buffer.writing:
            return
        others = [
            p
            for p in buffer.open.values()
            if p is not for_part and p.memory is not None
        ]
        if others:
            buffer.close_part(min(others, key=lambda p: p.since))

    def _release(self, part: Part) -> None:
        with self._buffer.lock:
            part.is_busy = False
            self._buffer.lock.notify_all()

    def _count(self, part: Part, at: tuple[int, ...]) -> None:
        """Note that a frame came or will not come; close the slab with its last."""
        self.frames += 1
        reach = self._plan.index_of(self.frames - 1)
        if reach:
            self.reach = max(self.reach, reach[0] + 1)
        with self._buffer.lock:
            part.count_frame(at)
            is_last = self.frames == self._plan.n_frames
            part.is_last |= is_last or at == tuple(n - 1 for n in part.lead)
            if part.is_last:
                self._buffer.close_part(part)

    # -- blocks ------------------------------------------------------------------

    def take_block(self, start: Sequence[int], block: ArrayLike) -> None:
        """Copy a block to any place.

        Parameters
        ----------
        start : sequence of int
            First voxel, all axes.
        block : array-like, all axes

        Raises
        ------
        OptionError
            When it has other axes or another data type, or lies outside.
        StoreWriteError
        """
        data = self._checked(block, None)
        region = self._checked_place(start, data.shape)
        if data.size == 0:
            return
        self.reach = max(self.reach, region[0].stop)
        for slab, unit in self._parts_under(region):
            self._write_part(slab, unit, region, data)
        self.bytes_in += data.nbytes

    def modify(
        self, region: Slices, change: Change, read: Callable[[Slices], NDArray[Any]]
    ) -> None:
        """Change voxels where they are in memory; those on disk are read first.

        Parameters
        ----------
        region : tuple of slice
            All axes.
        change : callable
            Takes an array to be changed, and its first voxel.
        read : callable
            Reads a region from disk.

        Raises
        ------
        OptionError
        StoreWriteError
        """
        start = [s.start for s in region]
        self._checked_place(start, tuple(s.stop - s.start for s in region))
        self.reach = max(self.reach, region[0].stop)
        for slab, unit in self._parts_under(region):
            part = self._open_part(slab, unit)
            try:
                self._load(part, read)
                assert part.voxels is not None
                change(part.voxels, part.start)
            finally:
                self._release(part)

    def _load(self, part: Part, read: Callable[[Slices], NDArray[Any]]) -> None:
        """Put what is on disk into a part where nothing new came."""
        if part.n_left == 0:
            return
        buffer = self._buffer
        # What is on disk is out of date while a part of the same slab is on its way
        # there.
        with buffer.lock:
            buffer.lock.wait_for(
                lambda: (
                    buffer.error is not None
                    or not any(
                        p.key[0] == part.key[0]
                        for p in (*buffer.waiting, *buffer.writing)
                    )
                )
            )
            raise_error(buffer)
        assert part.voxels is not None
        assert part.covered is not None
        np.copyto(part.voxels, read(part.region), where=~part.covered)
        part.covered[...] = True
        part.n_left = 0

    def _parts_under(
        self, region: Slices
    ) -> Iterator[tuple[tuple[int, ...], tuple[int, int]]]:
        shape = self._shape
        grid = BlockGrid(shape, (*self._plan.slab_shape, *self._plan.unit[-2:]))
        for block in grid.overlapping(region):
            *slab, y, x = block.index
            yield tuple(slab), (y, x)

    def _write_part(
        self,
        slab: tuple[int, ...],
        unit: tuple[int, int],
        region: Slices,
        data: NDArray[Any],
    ) -> None:
        part = self._open_part(slab, unit)
        common = intersect(part.region, region)
        inside = shift(common, part.start)
        part.put_block(inside, data[shift(common, tuple(s.start for s in region))])
        with self._buffer.lock:
            part.is_busy = False
            if part.n_left == 0:
                self._buffer.close_part(part)

    def _open_part(self, slab: tuple[int, ...], unit: tuple[int, int]) -> Part:
        """Return the part of a storage unit, with memory and kept open."""
        buffer = self._buffer
        while True:
            with buffer.lock:
                frames = buffer.open.get((slab, None))
                if frames is not None:
                    # Order is kept on disk: whole frames first, then the block.
                    buffer.close_part(frames)
                part = buffer.open.get((slab, unit))
                if part is None:
                    part = self._new_part(slab, unit)
                    buffer.open[part.key] = part
            if part.memory is None and not self._give_memory(part):
                continue
            with buffer.lock:
                if buffer.open.get(part.key) is not part:
                    continue
                part.is_busy = True
                return part

    # -- checks ------------------------------------------------------------------

    def _checked(
        self, values: ArrayLike, shape: tuple[int, ...] | None
    ) -> NDArray[Any]:
        data = np.asarray(values)
        if data.dtype.newbyteorder("=") != self._plan.dtype:
            msg = f"expected voxels of type {self._plan.dtype}; found {data.dtype}"
            raise OptionError(msg)
        if shape is not None and data.shape != shape:
            msg = f"expected a frame of shape {shape}, rows and columns; found {data.shape}"
            raise OptionError(msg)
        return data

    def _check_room_for(self, n: int) -> None:
        most = self._plan.n_frames
        if most is not None and self.frames + n > most:
            msg = (
                f"expected at most {most} frames, as the shape says; found"
                f" {self.frames + n}"
            )
            raise OptionError(msg)

    def _checked_place(self, start: Sequence[int], shape: tuple[int, ...]) -> Slices:
        whole = self._shape
        place = tuple(int(i) for i in start)
        is_inside = (
            len(place) == len(shape) == len(whole)
            and all(int(i) == i for i in start)
            and all(
                a >= 0 and a + n <= m
                for a, n, m in zip(place, shape, whole, strict=True)
            )
        )
        if not is_inside:
            msg = (
                f"expected a block within {self._plan.options.shape}, all axes; found"
                f" one of shape {shape} at {place}"
            )
            raise OptionError(msg)
        return tuple(slice(a, a + n) for a, n in zip(place, shape, strict=True))
