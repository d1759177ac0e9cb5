"""A source in memory for tests: any storage chunks, counted reads, faults, gates.

The arrays are cut into storage chunks of any shape. What is read is counted, and
each storage chunk can be made to be missing, to fail, or to wait for a gate, so
that a test decides what happens when without a clock.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.model import (
    Axis,
    AxisKind,
    Channel,
    ImageInfo,
    Int3,
    Pyramid,
    ScaleLevel,
)
from brickfield.sources import StorageChunk

_KINDS: dict[str, AxisKind] = {
    "t": "time",
    "c": "channel",
    "z": "space",
    "y": "space",
    "x": "space",
}
Name = tuple[int, tuple[int, ...]]
"""Level and position in the storage grid."""


class MemorySource:
    """Storage chunks out of arrays in memory. Thread-safe.

    Parameters
    ----------
    levels : sequence of ndarray
        Finest first, all axes in stored order.
    storage : tuple of int or sequence of tuple
        Storage chunk, all axes; one for all levels or one per level.
    axes : str
        One letter per axis, in stored order: t, c, z, y, x, or another.
    chunk : tuple of int
        Planned chunk (z, y, x) of every level.
    concurrency : int
    fill_value : float

    Attributes
    ----------
    tells_missing : bool
        Whether :meth:`missing_chunks` answers; True at first.
    missing : set
        Storage chunks, as (level, index), that are not stored.
    reads : collections.Counter
        Tries to read each storage chunk.
    order : list
        Storage chunks in the order in which reading began.
    gate : threading.Event
        Reads wait for it; set at first.
    max_at_once : int
        Most reads that ever ran at once.
    """

    is_remote = False

    def __init__(
        self,
        levels: Sequence[NDArray[Any]],
        storage: tuple[int, ...] | Sequence[tuple[int, ...]],
        *,
        axes: str = "zyx",
        chunk: Int3 = (64, 64, 64),
        concurrency: int = 4,
        fill_value: float = 0,
    ) -> None:
        self.arrays = list(levels)
        units = np.broadcast_to(np.array(storage), (len(levels), len(axes)))
        self.storage: list[tuple[int, ...]] = [tuple(u) for u in units.tolist()]
        self.info = _info(self.arrays, self.storage, axes, chunk, fill_value)
        self.source_id = f"memory:{uuid.uuid4()}"
        self.concurrency = concurrency
        self.tells_missing = True
        self.missing: set[Name] = set()
        self.reads: Counter[Name] = Counter()
        self.order: list[Name] = []
        self.gate = threading.Event()
        self.gate.set()
        self.max_at_once = 0
        self.is_closed = False
        self._faults: dict[Name, list[Exception]] = {}
        self._always: dict[Name, Exception] = {}
        self._stalled: dict[Name, threading.Event] = {}
        self._changed = threading.Condition()
        self._n_now = 0

    # -- switches ----------------------------------------------------------------

    def fail(
        self, level: int, index: tuple[int, ...], *, times: int | None = None
    ) -> None:
        """Let one storage chunk fail.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        times : int, optional
            How often, as a transient failure; None for always, as a corrupt chunk.
        """
        key = self.storage_key(level, index)
        if times is None:
            error = ChunkReadError("the chunk is corrupt", key=key)
            self._always[level, index] = error
        else:
            busy = ChunkReadError("the server is busy", is_transient=True, key=key)
            self._faults[level, index] = [busy] * times

    def fail_with(self, level: int, index: tuple[int, ...], error: Exception) -> None:
        """Let one storage chunk always raise an error.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        error : Exception
        """
        self._always[level, index] = error

    def stall(self, level: int, index: tuple[int, ...]) -> None:
        """Let reads of one storage chunk wait until :meth:`heal`.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        self._stalled[level, index] = threading.Event()

    def heal(self) -> None:
        """Let nothing fail or stall any more."""
        self._faults.clear()
        self._always.clear()
        while self._stalled:
            self._stalled.popitem()[1].set()

    def wait_until_reading(self, n: int, timeout: float = 10.0) -> bool:
        """Wait until a number of reads have begun in total; tell whether they have.

        Parameters
        ----------
        n : int
            Reads.
        timeout : float
            Seconds.
        """
        with self._changed:
            return self._changed.wait_for(lambda: len(self.order) >= n, timeout)

    # -- ChunkSource -------------------------------------------------------------

    def read_storage_chunk(self, level: int, index: tuple[int, ...]) -> StorageChunk:
        """Read one storage chunk; see :class:`ChunkSource`.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        name = (level, index)
        with self._changed:
            self.reads[name] += 1
            self.order.append(name)
            self._n_now += 1
            self.max_at_once = max(self.max_at_once, self._n_now)
            self._changed.notify_all()
        try:
            self.gate.wait()
            if (stall := self._stalled.get(name)) is not None:
                stall.wait()
            return self._read(name)
        finally:
            with self._changed:
                self._n_now -= 1

    def _read(self, name: Name) -> StorageChunk:
        level, index = name
        if self.is_closed:
            msg = "expected an open source; found a closed one"
            raise ChunkReadError(msg, key=self.storage_key(level, index))
        if name in self._always:
            raise self._always[name]
        if self._faults.get(name):
            raise self._faults[name].pop()
        if name in self.missing:
            return StorageChunk(None, 0)
        data = np.array(self.arrays[level][self._slices(name)])
        return StorageChunk(data, data.nbytes)

    def _slices(self, name: Name) -> tuple[slice, ...]:
        level, index = name
        return tuple(
            slice(i * s, (i + 1) * s)
            for i, s in zip(index, self.storage[level], strict=True)
        )

    def storage_key(self, level: int, index: tuple[int, ...]) -> str:
        """Name a storage chunk, for example ``"0/c/0/1/2"``.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        return "/".join([str(level), "c", *map(str, index)])

    def stored_bytes(self, level: int, index: tuple[int, ...]) -> int | None:
        """Return the bytes of one storage chunk.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        if (level, index) in self.missing:
            return 0
        return int(self.arrays[level][self._slices((level, index))].nbytes)

    def missing_chunks(
        self, level: int, indices: NDArray[np.int64]
    ) -> NDArray[np.bool_] | None:
        """Tell which storage chunks are not stored.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, ndim), int64
            Positions in the storage grid.

        Returns
        -------
        ndarray, shape (n,), bool, or None
            None where the source does not tell.
        """
        if not self.tells_missing:
            return None
        names = [(level, tuple(row)) for row in indices.tolist()]
        return np.array([name in self.missing for name in names], dtype=np.bool_)

    def places(self) -> tuple[Path | str, ...]:
        """Nothing on disk is read."""
        return ()

    def close(self) -> None:
        """Let reading fail from now on."""
        self.is_closed = True


def _info(
    arrays: list[NDArray[Any]],
    storage: list[tuple[int, ...]],
    axes: str,
    chunk: Int3,
    fill_value: float,
) -> ImageInfo:
    named = tuple(Axis(a, _KINDS.get(a, "other")) for a in axes)
    z, y, x = (axes.find(a) for a in "zyx")
    levels = []
    for i, (array, unit) in enumerate(zip(arrays, storage, strict=True)):
        ratio = [n / m for n, m in zip(arrays[0].shape, array.shape, strict=True)]
        levels.append(
            ScaleLevel(
                path=str(i),
                shape=array.shape,
                dtype=array.dtype,
                storage_chunk_shape=unit,
                voxel_size=tuple(ratio),
                translation=tuple((r - 1) / 2 for r in ratio),
                spatial_axes=(z, y, x),
                chunk_shape=chunk,
                fill_value=fill_value,
            )
        )
    n_channels = arrays[0].shape[axes.index("c")] if "c" in axes else 1
    return ImageInfo(
        uri="memory:test",
        format="arrays in memory",
        name="test",
        pyramid=Pyramid(named, tuple(levels)),
        channels=tuple(Channel(str(i)) for i in range(n_channels)),
    )
