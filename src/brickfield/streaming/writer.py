"""Frames and blocks to OME-Zarr as they come: :class:`StreamWriter`.

Invariant: the image is valid OME-Zarr from the moment the constructor returns, every
storage unit on disk is whole, and no more than the buffer is kept in memory. A frame
is copied once, into the storage units that it belongs to; a thread of its own encodes
and writes them when they are full, when they are old, or when room is needed. When the
buffer is full, the caller waits.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import weakref
from collections.abc import Sequence
from dataclasses import asdict, replace
from math import prod
from time import perf_counter
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from psygnal import Signal

from brickfield.blockwise import Slices
from brickfield.errors import BrickfieldError, OptionError
from brickfield.streaming.acquisition import image_group, put_windows
from brickfield.streaming.arrays import sync_all
from brickfield.streaming.buffer.flush import FlushCounts, Flusher, Written
from brickfield.streaming.buffer.intake import Change, Intake
from brickfield.streaming.buffer.memory import Room
from brickfield.streaming.buffer.tiles import Buffer
from brickfield.streaming.growth import Growth
from brickfield.streaming.levels import CoarseLevels
from brickfield.streaming.plan import StreamOptions, check_age, make_plan
from brickfield.streaming.recovery import Recovered, arrays_of, recover
from brickfield.writing import building
from brickfield.writing.place import local_path

logger = logging.getLogger(__name__)
PathLike = str | os.PathLike[str]


class StreamWriter:
    """Writes an image while it is acquired.

    Thread rule: one thread at a time calls; it may be any.

    Parameters
    ----------
    path : path-like
        New folder, `NAME.ome.zarr`.
    shape : sequence of (int or None)
        Of all axes, y and x last; None for a first axis that grows.
    axes : str
        One letter each, in the order of OME-Zarr, as ``"tczyx"``.
    dtype : dtype
    scale, translation : sequence of float, optional
        Voxel size, and where the centre of voxel 0 lies, world units; default 1, 0.
    units : sequence of (str or None), optional
        As OME-Zarr names them, for example ``"micrometer"``.
    channels : sequence of str, optional
        Names, one for each index of the channel axis.
    chunks, shards : sequence of int, optional
        Storage chunk and shard along all axes; default 16, 256, 256 along z, y, x.
    version : {"0.5", "0.4"}
    compressor : {"blosc", "zstd", "none"} or None
        Blosc has zstd inside, shuffled.
    levels : int, optional
        Of the pyramid; default until the coarsest is one small chunk.
    factors : sequence of int, optional
        Voxels (z, y, x) joined into one of the next level; default 2 along each axis
        whose voxels are about as small as the smallest.
    buffer : str or int
        Bytes kept in memory, at most.
    max_age : float
        Seconds after which what came is written, though its chunk is not full.
    overwrite : bool
        Replace an image that is there.
    make_ready : bool
        Take the memory of the first frames now, so that none of them waits for it; no
        use where only blocks come.

    Attributes
    ----------
    dirty : psygnal.SignalInstance
        Emits (level, box): those voxels are on disk now; on a thread of the writer.

    Raises
    ------
    OptionError
        A ValueError, naming the option that cannot be used.
    BudgetError
        When the buffer does not hold one frame.
    StoreWriteError
        When there is no room or no right to write.

    Examples
    --------
    >>> import tempfile
    >>> place = tempfile.mkdtemp() + "/a.ome.zarr"
    >>> with StreamWriter(place, (None, 4, 32, 32), "tzyx", "uint16") as writer:
    ...     for i in range(8):
    ...         writer.append(np.full((32, 32), i, np.uint16))
    >>> writer.stats()["frames"]
    8
    """

    dirty = Signal(int, object)

    def __init__(  # noqa: PLR0913 - what a user can choose, in one place
        self,
        path: PathLike,
        shape: Sequence[int | None],
        axes: str = "tczyx",
        dtype: DTypeLike = "uint16",
        *,
        scale: Sequence[float] | None = None,
        translation: Sequence[float] | None = None,
        units: Sequence[str | None] | None = None,
        channels: Sequence[str] | None = None,
        chunks: Sequence[int] | None = None,
        shards: Sequence[int] | None = None,
        version: str = "0.5",
        compressor: str | None = "blosc",
        levels: int | None = None,
        factors: Sequence[int] | None = None,
        buffer: str | int = "256 MiB",
        max_age: float = 2.0,
        overwrite: bool = False,
        make_ready: bool = True,
    ) -> None:
        options = StreamOptions.of(
            shape=tuple(shape),
            axes="".join(axes),
            dtype=dtype,
            scale=scale,
            translation=translation,
            units=units,
            channels=channels or (),
            chunks=chunks,
            shards=shards,
            version=version,
            compressor="none" if compressor is None else compressor,
            levels=levels,
            factors=factors,
        )
        plan = make_plan(options, buffer)
        check_age(max_age)
        root = local_path(os.fspath(path)).absolute()
        group = image_group(root, plan, root.name.split(".")[0])
        # Whole or not there: who finds the folder may open every array that it names,
        # and a writer that is killed here leaves nothing in the way.
        with building(root, overwrite=overwrite) as folder:
            for array in arrays_of(folder, plan):
                array.create()
            replace(group, root=folder).publish()
        arrays = arrays_of(root, plan)
        self._begin(Recovered(root, plan, arrays, group, 0, ()), max_age)
        if make_ready:
            self._intake.make_ready()

    @classmethod
    def resume(
        cls, path: PathLike, *, buffer: str | int = "256 MiB", max_age: float = 2.0
    ) -> Self:
        """Go on after the last frame that is on disk, for example after a crash.

        Parameters
        ----------
        path : PathLike
        buffer : str or int
            Memory for frames.
        max_age : float
            Seconds that a frame may wait before it is on disk.

        Raises
        ------
        StoreNotFoundError, StoreFormatError
            When there is no image that a stream wrote.
        """
        check_age(max_age)
        writer = cls.__new__(cls)
        found = recover(local_path(os.fspath(path)).absolute(), buffer)
        writer._begin(found, max_age)
        writer._intake.make_ready()
        for level, unit in found.stale:
            writer._levels.mark(level, unit)
        return writer

    def _begin(self, found: Recovered, max_age: float) -> None:
        self.path, self._plan, self._arrays = found.root, found.plan, found.arrays
        self._group = found.group
        self._call = threading.RLock()
        self._is_closed = False
        for array in self._arrays:
            array.open()
        self._buffer = Buffer(Room(self._plan.buffer_bytes))
        self._intake = Intake(
            self._plan, self._buffer, found.frames, length=found.length
        )
        self._growth = Growth(
            found.group, self._arrays, self.dirty.emit, grows=self._plan.grows
        )
        self._coarse_counts = FlushCounts()
        self._levels = CoarseLevels(
            self._plan, self._arrays, self._on_coarse, patience_s=2 * max_age
        )
        _unfinished.add(self)
        self._flusher = Flusher(
            self._arrays[0], self._buffer, self._on_written, max_age_s=max_age
        )

    # -- what it is --------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Of level 0, the first axis as far as anything was given."""
        first = self._intake.reach if self._plan.grows else self._plan.shape[0]
        return (first, *self._plan.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the voxels."""
        return self._plan.dtype

    @property
    def frames(self) -> int:
        """How many frames came or were skipped; the number of the next one."""
        return self._intake.frames

    @property
    def frames_on_disk(self) -> int:
        """So many frames from the first on are on disk."""
        with self._buffer.lock:
            return self._buffer.first_frame(self._intake.frames)

    @property
    def buffered_share(self) -> float:
        """How full the buffer is, 0 to 1; from any thread."""
        room = self._buffer.room
        return room.used / room.most_bytes

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._is_closed

    # -- frames ------------------------------------------------------------------

    def append(self, frame: ArrayLike) -> None:
        """Take the next frame, in C order of the leading axes.

        Parameters
        ----------
        frame : ndarray, shape (y, x)
            Of the image's data type; copied before this returns.

        Raises
        ------
        OptionError
            A ValueError: wrong shape or data type, no frame left, or closed.
        StoreWriteError
            What came before could not be written; this frame was not taken.
        """
        began = perf_counter()
        with self._call:
            self._check_open()
            self._intake.take_frame(frame)
            self._intake.times.append(perf_counter() - began)

    def skip(self, n: int = 1) -> None:
        """Leave out frames that will not come: they have the fill value, 0.

        Raises
        ------
        OptionError
            When there are not so many left, or closed.
        """
        with self._call:
            self._check_open()
            self._intake.skip(n)

    # -- blocks ------------------------------------------------------------------

    def write(self, start: Sequence[int], block: ArrayLike) -> None:
        """Take a block at any place; of what is written twice the later stays.

        Parameters
        ----------
        start : sequence of int
            First voxel, all axes.
        block : ndarray
            All axes, of the image's data type; copied before this returns.

        Raises
        ------
        OptionError
            A ValueError: wrong axes, data type or place, or closed.
        StoreWriteError
        """
        with self._call:
            self._check_open()
            self._intake.take_block(start, block)

    def modify(self, region: Slices, change: Change) -> None:
        """Change voxels that are there, or the fill value.

        Parameters
        ----------
        region : tuple of slice
            All axes.
        change : callable
            Called with each piece under the region, an array to be changed, and its
            first voxel, all axes.

        Raises
        ------
        OptionError
            A ValueError: a place outside, or closed.
        StoreWriteError
        """
        with self._call:
            self._check_open()
            self._intake.modify(region, change, self._arrays[0].read)

    def read(self, region: Slices, level: int = 0) -> NDArray[Any]:
        """Read voxels, those that are still in memory, too; also after closing.

        Of a coarser level what is on disk is read, see :meth:`update_levels`.

        Parameters
        ----------
        region : tuple of slice
            With start and stop, all axes.
        level : int

        Returns
        -------
        ndarray, shape of the region
        """
        with self._call:
            if level == 0 and not self._is_closed:
                self._flusher.drain()
            return self._arrays[level].read(region)

    def update_levels(self) -> None:
        """Make all levels of what came so far; does nothing after closing.

        Raises
        ------
        StoreWriteError
        """
        with self._call:
            if not self._is_closed:
                self._flusher.drain()
                self._levels.catch_up()

    # -- checks ------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._is_closed:
            msg = f"expected an open stream; found that {self.path} was closed"
            raise OptionError(msg)

    # -- on disk -----------------------------------------------------------------

    def _clipped(self, region: Slices) -> Slices:
        """Cut a region at the end of a first axis that grows."""
        if not self._plan.grows:
            return region
        stop = max(region[0].start + 1, min(region[0].stop, self._intake.reach))
        return (slice(region[0].start, stop), *region[1:])

    def _on_written(self, written: Written) -> None:
        """Take up that a part is on disk; on the flushing thread."""
        for region, is_whole in written.regions:
            self._levels.note(region, is_whole=is_whole)
        if written.regions:
            self._growth.add(0, self._clipped(written.part.region))
        with self._buffer.lock:
            # The part is in the list until this returns: `drain` waits for it, too.
            is_idle = not self._buffer.waiting
            frames = self._buffer.first_frame(self._intake.frames, written.part)
        self._growth.publish(frames, is_last_word=is_idle)

    def _on_coarse(self, level: int, region: Slices, was_there: bool) -> None:
        """Take up that a unit of a coarser level is on disk; on their thread."""
        n = prod(s.stop - s.start for s in region) * self._plan.dtype.itemsize
        self._coarse_counts.count(n, was_there=was_there)
        self._growth.add(level, self._clipped(region))
        self._growth.publish(self.frames_on_disk, is_last_word=True)

    def flush(self) -> None:
        """Have on disk everything taken so far when this returns.

        Does nothing after :meth:`close`.

        Raises
        ------
        StoreWriteError
        """
        with self._call:
            if self._is_closed:
                return
            self._flusher.drain()
            self._levels.wait()
            self._growth.publish(
                self._intake.frames, length=self._intake.reach, is_last_word=True
            )
            sync_all(self._arrays)

    def close(self) -> None:
        """Flush, make all levels up to date, and write that it is complete.

        May be called twice.

        Raises
        ------
        StoreWriteError
            What came is kept: make room and call it again.
        """
        with self._call:
            if self._is_closed:
                return
            self._flusher.drain()
            self._levels.finish()
            self._flusher.stop()
            self._growth.publish(
                self._intake.frames, length=self._intake.reach, is_last_word=True
            )
            sync_all(self._arrays)
            frames = self._intake.frames
            put_windows(self._group, self._plan, self._arrays[-1], frames)
            # After the voxels: a crash before leaves an image to resume, not a false
            # end.
            self._growth.complete(frames, self._intake.reach)
            self._is_closed = True

    def abandon(self) -> None:
        """Stop without writing what is in memory; what is on disk stays."""
        with self._call:
            if not self._is_closed:
                self._is_closed = True
                self._flusher.stop()
                self._levels.stop()

    def stats(self) -> dict[str, Any]:
        """Return counts and times so far.

        Returns
        -------
        dict
            ``frames`` (came or skipped), ``bytes_in``, ``bytes_written`` (before
            compression, all levels), ``chunks_written`` and ``chunks_rewritten``
            (storage units of all levels), ``buffered_bytes``, ``buffered_peak``,
            ``append_ms`` (median and p99), ``waited_s`` (for room).
        """
        times = np.array(self._intake.times or [0.0]) * 1e3
        with self._buffer.lock:
            used, peak = self._buffer.room.used, self._buffer.room.peak
        return {
            "frames": self._intake.frames,
            "bytes_in": self._intake.bytes_in,
            **asdict(self._flusher.counts + self._coarse_counts),
            "buffered_bytes": used,
            "buffered_peak": peak,
            "append_ms": {
                "median": float(np.median(times)),
                "p99": float(np.percentile(times, 99)),
            },
            "waited_s": self._intake.waited_s,
        }

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the writer."""
        self.close()


_unfinished: weakref.WeakSet[StreamWriter] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Close what nobody closed before the program ends: its threads end with it."""
    # The threads are daemons and would stop in the middle of a storage unit.
    for writer in list(_unfinished):
        try:
            writer.close()
        except BrickfieldError:
            logger.exception("%s was not closed and could not be", writer.path)
            writer.abandon()
