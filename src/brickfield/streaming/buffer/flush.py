"""Writes what was gathered, on a thread of its own.

A part is written when it is full, when its first voxels are old, or when room is
needed. What could not be written stays in the buffer: the next call of the writer
raises the error and lets it be tried again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Slices
from brickfield.errors import BrickfieldError, StoreWriteError
from brickfield.streaming.arrays import StreamArray
from brickfield.streaming.buffer.tiles import Buffer, Part

logger = logging.getLogger(__name__)
IN_FLIGHT_BYTES = 32 << 20
"""Voxels that are encoded at once, at least one storage unit."""
LEAST_AGE_S = 0.05


@dataclass
class FlushCounts:
    """What was written.

    Attributes
    ----------
    bytes_written : int
        Voxels of storage units, before compression.
    chunks_written, chunks_rewritten : int
        Storage units, and those of them that were there before.
    """

    bytes_written: int = 0
    chunks_written: int = 0
    chunks_rewritten: int = 0

    def count(self, n_bytes: int, *, was_there: bool) -> None:
        """Count one storage unit.

        Parameters
        ----------
        n_bytes : int
        was_there : bool
            Whether it was written before.
        """
        self.bytes_written += n_bytes
        self.chunks_written += 1
        self.chunks_rewritten += was_there

    def __add__(self, other: FlushCounts) -> FlushCounts:
        """Return the sums."""
        return FlushCounts(
            self.bytes_written + other.bytes_written,
            self.chunks_written + other.chunks_written,
            self.chunks_rewritten + other.chunks_rewritten,
        )


@dataclass(frozen=True)
class Written:
    """A part that is on disk.

    Attributes
    ----------
    part : Part
    regions : list of (Slices, bool)
        Of each storage unit under it, and whether all of it was there.
    """

    part: Part
    regions: list[tuple[Slices, bool]]


@dataclass(frozen=True)
class _Flying:
    """A storage unit on its way to disk; the voxels stay until it is there."""

    future: Any
    region: Slices
    data: NDArray[Any]
    was_there: bool


class Flusher:
    """Writes closed parts of a buffer, the first closed first.

    Parameters
    ----------
    array : StreamArray
        Level 0.
    buffer : Buffer
    max_age_s : float
        After which what came is written, whole or not.
    on_written : callable
        Told of each part on disk, on the flushing thread.

    Attributes
    ----------
    counts : FlushCounts
    """

    def __init__(
        self,
        array: StreamArray,
        buffer: Buffer,
        on_written: Callable[[Written], None],
        *,
        max_age_s: float,
    ) -> None:
        self.counts = FlushCounts()
        self._array = array
        self._buffer = buffer
        self._on_written = on_written
        self._is_draining = False
        self._max_age_s = max(LEAST_AGE_S, max_age_s)
        self._thread = threading.Thread(
            target=self._run, name="brickfield-stream-flush", daemon=True
        )
        self._thread.start()

    def _run(self) -> None:
        buffer = self._buffer
        while True:
            with buffer.lock:
                part = self._next()
                while part is None:
                    if buffer.is_ending:
                        return
                    buffer.lock.wait(self._wait_s())
                    part = self._next()
                # The lock is held while a part is chosen and while it is taken off the
                # lists, never while it is encoded: a frame that comes meanwhile must
                # not wait for the disk.
                buffer.writing.append(part)
            error: Exception | None = None
            try:
                regions = self._write(part)
            except Exception as caught:  # noqa: BLE001 -- raised where frames come
                error, regions = as_write_error(caught, self._array), []
            self._end(part, error)
            # Listeners are told before the part is off the list, so whoever waits for
            # the part also has what the listeners do about it (metadata, coarse
            # levels).
            if error is None:
                self._tell(Written(part, regions))
            with buffer.lock:
                buffer.writing.remove(part)
                buffer.lock.notify_all()

    def _tell(self, written: Written) -> None:
        try:
            self._on_written(written)
        except Exception as caught:  # noqa: BLE001 -- raised where frames come
            with self._buffer.lock:
                self._buffer.error = as_write_error(caught, self._array)

    def _next(self) -> Part | None:
        """Take the part that is written next (locked)."""
        buffer = self._buffer
        # Nothing more is tried until a caller has seen the error: on a full disk every
        # part would fail in the same way, many times a second.
        if buffer.error is not None:
            return None
        buffer.close_older(monotonic() - self._max_age_s)
        return buffer.waiting.pop(0) if buffer.waiting else None

    def _wait_s(self) -> float | None:
        oldest = self._buffer.oldest_since()
        if oldest is None or self._buffer.error is not None:
            return None
        # Not 0 when a part is due within the resolution of the clock, or the loop would
        # spin.
        return max(0.005, oldest + self._max_age_s - monotonic())

    def _end(self, part: Part, error: Exception | None) -> None:
        buffer = self._buffer
        with buffer.lock:
            if error is not None:
                logger.warning("%s", error)
                buffer.error = error
                # In front: of two versions of one storage unit the later must be
                # written last.
                buffer.waiting.insert(0, part)
            elif part.memory is not None:
                buffer.room.release(part.memory)
                part.memory = part.voxels = None
            buffer.lock.notify_all()

    # -- writing -----------------------------------------------------------------

    def _write(self, part: Part) -> list[tuple[Slices, bool]]:
        """Write all storage units of a part; return their regions."""
        done: list[tuple[Slices, bool]] = []
        if part.voxels is None:
            return done
        flying: list[_Flying] = []
        n_flying = 0
        for region, voxels, covered in part.pieces():
            whole = voxels if covered is None else self._merged(region, voxels, covered)
            # Asked before the write is sent; afterwards every unit is there.
            was_there = not self._array.is_missing(region)
            future = self._array.write(region, whole, in_a_hurry=self._in_a_hurry())
            flying.append(_Flying(future, region, whole, was_there))
            done.append((region, covered is None or part.is_last))
            n_flying += whole.nbytes
            # Several units are encoded at once, on threads of tensorstore, straight
            # from the memory in this list; the limit keeps that memory small.
            if n_flying >= IN_FLIGHT_BYTES:
                self._land(flying)
                n_flying = 0
        self._land(flying)
        return done

    def _in_a_hurry(self) -> bool:
        """Tell whether frames come faster than they are written, or none come."""
        # Otherwise a processor is left to the thread that copies frames: where all
        # encode, it waits for a tick of the system now and then.
        return bool(self._buffer.waiting) or self._is_draining

    def _merged(
        self, region: Slices, voxels: NDArray[Any], covered: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Put what is on disk where nothing new came."""
        if self._array.is_missing(region):
            # The memory is used again without being cleared: where no voxel came it
            # holds those of an older part.
            return np.where(covered, voxels, voxels.dtype.type(0))
        return np.where(covered, voxels, self._array.read(region))

    def _land(self, flying: list[_Flying]) -> None:
        for one in flying:
            one.future.result()
            self.counts.count(one.data.nbytes, was_there=one.was_there)
            self._array.begin_sync(one.region)
        flying.clear()

    # -- waiting -----------------------------------------------------------------

    def drain(self) -> None:
        """Close all parts and wait until they are on disk.

        Raises
        ------
        StoreWriteError
        """
        buffer = self._buffer
        self._is_draining = True
        try:
            with buffer.lock:
                buffer.close_all()
                buffer.lock.wait_for(
                    lambda: (
                        buffer.error is not None
                        or not (buffer.waiting or buffer.writing)
                    )
                )
                raise_error(buffer)
        finally:
            self._is_draining = False

    def stop(self) -> None:
        """End the thread after what it is doing."""
        with self._buffer.lock:
            self._buffer.is_ending = True
            # Empty after :meth:`drain`; otherwise the writer was abandoned and what
            # waits is not wanted.
            self._buffer.waiting.clear()
            self._buffer.lock.notify_all()
        self._thread.join()


def raise_error(buffer: Buffer) -> None:
    """Raise what could not be written, and let it be tried again (locked)."""
    error, buffer.error = buffer.error, None
    if error is not None:
        buffer.lock.notify_all()
        raise error


def as_write_error(error: Exception, array: StreamArray) -> Exception:
    """Convert an error of writing into one sentence for the user.

    Parameters
    ----------
    error : Exception
    array : StreamArray
        That could not be written.
    """
    if isinstance(error, BrickfieldError):
        return error
    reason = str(error).split(" [")[0].split("\n")[0]
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    msg = (
        f"expected to write to {array.folder}; found: {reason}: what came is kept while"
        " there is memory; make room or allow it, and go on"
    )
    return StoreWriteError(msg)
