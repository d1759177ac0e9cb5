"""Boxes of voxels out of the storage chunks of tiles, which are kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Generic, Protocol, TypeVar

import numpy as np

from brickfield.errors import BrickfieldError, ChunkReadError
from brickfield.model import Int3, Pyramid, ScaleLevel
from brickfield.sources.io.cancellation import (
    LONGEST_S,
    SLOWEST,
    wait_for,
    while_wanted,
)
from brickfield.sources.mosaic.blend import AnyArray
from brickfield.sources.mosaic.tile import Tile, TilePlace

_Key = tuple[str, int, tuple[int, ...]]
"""Name of the tile, level and place in the storage grid."""


class Kept:
    """Decoded storage chunks of tiles, the last used ones. Any thread."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._chunks: OrderedDict[_Key, AnyArray | None]
        self._chunks = OrderedDict()
        self._bytes = 0
        self._coming: dict[_Key, threading.Event] = {}

    def get(self, key: _Key) -> tuple[bool, AnyArray | None]:
        """Return whether a chunk is kept, and its voxels (None: nothing is stored)."""
        with self._lock:
            if key not in self._chunks:
                return False, None
            self._chunks.move_to_end(key)
            return True, self._chunks[key]

    def put(self, key: _Key, data: AnyArray | None) -> None:
        """Keep a chunk; the ones used longest ago go.

        Parameters
        ----------
        key : tuple
            Name of the tile, level and place in the storage grid.
        data : ndarray or None
            None where nothing is stored.
        """
        with self._lock:
            if key in self._chunks:
                return
            self._chunks[key] = data
            self._bytes += 0 if data is None else data.nbytes
            while self._bytes > self._most and len(self._chunks) > 1:
                _, gone = self._chunks.popitem(last=False)
                self._bytes -= 0 if gone is None else gone.nbytes

    def begin(self, key: _Key) -> threading.Event | None:
        """Say that a chunk is going to be read.

        Returns
        -------
        Event or None
            None for the caller to read it, and to call :meth:`end` in any case; else
            what is set once another thread has read it.
        """
        with self._lock:
            if key in self._coming:
                return self._coming[key]
            self._coming[key] = threading.Event()
            return None

    def end(self, key: _Key) -> None:
        """Say that reading a chunk has ended, well or not."""
        with self._lock:
            self._coming.pop(key).set()

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._chunks.clear()
            self._bytes = 0


class HasBytes(Protocol):
    """Something whose memory is known."""

    @property
    def n_bytes(self) -> int:
        """Memory of its arrays."""


PartKey = tuple[Hashable, ...]
"""Tells a box of the mosaic's voxels from all others."""
T = TypeVar("T", bound=HasBytes)


class KeptGiven(Generic[T]):
    """What tiles gave for boxes, the last used ones. Any thread.

    Parameters
    ----------
    most_bytes : int
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._boxes: OrderedDict[
            PartKey, tuple[dict[int, tuple[TilePlace, T | None]], int]
        ] = OrderedDict()
        self._bytes = 0

    def find(self, key: PartKey) -> dict[int, tuple[TilePlace, T | None]]:
        """Return what is kept for a box, for the caller to change."""
        with self._lock:
            if key not in self._boxes:
                return {}
            self._boxes.move_to_end(key)
            return dict(self._boxes[key][0])

    def keep(self, key: PartKey, found: dict[int, tuple[TilePlace, T | None]]) -> None:
        """Keep something for a box; the boxes used longest ago go.

        Parameters
        ----------
        key : tuple
        found : dict
        """
        size = sum(g.n_bytes for _, g in found.values() if g is not None)
        with self._lock:
            self._bytes += size - self._boxes.pop(key, ({}, 0))[1]
            self._boxes[key] = (found, size)
            while self._bytes > self._most and self._boxes:
                self._bytes -= self._boxes.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._boxes.clear()
            self._bytes = 0


@dataclass
class Reading:
    """Reads boxes of tiles for one chunk of the mosaic, and counts. One thread."""

    kept: Kept
    stored_bytes: int = 0
    requests: int = 0
    failed: dict[int, ChunkReadError] = field(default_factory=dict)
    """Why something of a tile cannot be read, by the tile's position."""

    def add(self, other: Reading) -> None:
        """Count what another one has read, too."""
        self.stored_bytes += other.stored_bytes
        self.requests += other.requests
        self.failed |= other.failed

    def fail(self, at: int, error: BrickfieldError) -> None:
        """Note that something of a tile cannot be read.

        Parameters
        ----------
        at : int
            Position of the tile.
        error : BrickfieldError
        """
        is_read = isinstance(error, ChunkReadError)
        self.failed[at] = error if is_read else ChunkReadError(str(error))  # type: ignore[assignment]  # as seen

    def box(
        self, tile: Tile, level: int, lead: tuple[int, ...], low: Int3, high: Int3
    ) -> AnyArray:
        """Read voxels of a tile.

        Parameters
        ----------
        tile : Tile
        level : int
        lead : tuple of int
            Index on the axes beside space.
        low, high : tuple of int
            Corners (z, y, x), voxels of the level; the upper one is excluded.

        Returns
        -------
        ndarray, shape (z, y, x)
            The fill value where nothing is stored.
        """
        about = tile.source.info.pyramid.levels[level]
        pyramid = tile.source.info.pyramid
        chunk = about.storage_chunk_zyx
        spans = [
            range(a // c, (b - 1) // c + 1)
            for a, b, c in zip(low, high, chunk, strict=True)
        ]
        result = np.full(np.subtract(high, low), about.fill_value, about.dtype)
        for place in product(*spans):
            data = self._chunk(tile, level, _index(pyramid, about, lead, place))
            if data is None:
                continue
            picked = _spatial(data, pyramid, about, lead)
            start = np.multiply(place, chunk)
            first = np.maximum(start, low)
            last = np.minimum(start + picked.shape, high)
            inner = tuple(
                slice(*p) for p in zip(first - start, last - start, strict=True)
            )
            outer = tuple(slice(*p) for p in zip(first - low, last - low, strict=True))
            result[outer] = picked[inner]
        return result

    def _chunk(self, tile: Tile, level: int, index: tuple[int, ...]) -> AnyArray | None:
        key = (tile.name, level, index)
        while True:
            is_kept, data = self.kept.get(key)
            if is_kept:
                return data
            other = self.kept.begin(key)
            if other is None:
                break
            # Neighbouring chunks of the mosaic need the same one at the same time.
            wait_for(other)
        about = tile.source.info.pyramid.levels[level]
        n_bytes = prod(about.storage_chunk_shape) * about.dtype.itemsize
        # Time runs for each tile anew: a box of the mosaic may need a thousand of them.
        limit_s = LONGEST_S + n_bytes / SLOWEST
        try:
            with while_wanted(lambda: True, limit_s):
                found = tile.source.read_storage_chunk(level, index)
            self.stored_bytes += found.stored_bytes
            self.requests += found.requests
            self.kept.put(key, found.data)
        finally:
            self.kept.end(key)
        return found.data


def _index(
    pyramid: Pyramid, about: ScaleLevel, lead: tuple[int, ...], place: Sequence[int]
) -> tuple[int, ...]:
    """Return the place of a storage chunk on all axes."""
    index = [0] * len(about.shape)
    for axis, at in zip(pyramid.other_axes, lead, strict=True):
        index[axis] = at // about.storage_chunk_shape[axis]
    for axis, at in zip(about.spatial_axes, place, strict=True):
        if axis >= 0:
            index[axis] = int(at)
    return tuple(index)


def _spatial(
    data: AnyArray, pyramid: Pyramid, about: ScaleLevel, lead: tuple[int, ...]
) -> AnyArray:
    """Pick the voxels (z, y, x) of one place on the other axes out of a chunk."""
    picks: list[int | slice] = [slice(None)] * data.ndim
    for axis, at in zip(pyramid.other_axes, lead, strict=True):
        picks[axis] = at % about.storage_chunk_shape[axis]
    volume = data[tuple(picks)]
    # The axes that are left, in the order z, y, x; absent ones are one thick.
    left = sorted(a for a in about.spatial_axes if a >= 0)
    order = [left.index(a) for a in about.spatial_axes if a >= 0]
    volume = volume.transpose(order)
    sizes = iter(volume.shape)
    return volume.reshape([next(sizes) if a >= 0 else 1 for a in about.spatial_axes])
