"""Tiles of a source, each storage chunk decoded once.

How many tiles need a chunk follows from the plan. A chunk that one tile needs is copied
out and forgotten; one that several need is kept until the last of them is made, in
memory as long as there is room, in the scratch folder then. Two threads that want the
same chunk wait for one decoding.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import BlockGrid, Slices, ThreadBuffers, intersect, shift
from brickfield.errors import ChunkReadError
from brickfield.imaris.reading.inputs import ChannelInput
from brickfield.imaris.reading.staging import Scratch, read_part
from brickfield.model import Int3
from brickfield.sources import ChunkSource

AnyArray = NDArray[Any]
Index = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A storage chunk that could not be read and was filled.

    Attributes
    ----------
    key : str
        Its name in the source.
    reason : str
        One sentence.
    """

    key: str
    reason: str


@dataclass(eq=False)
class _Kept:
    """A chunk that several tiles need."""

    uses: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    data: AnyArray | None = None
    path: Path | None = None
    is_read: bool = False


@dataclass(frozen=True)
class Demand:
    """Which tiles there are, to count those that need a chunk.

    Attributes
    ----------
    origin, shape, tile : tuple of int
        First voxel, voxels and tile (z, y, x) of the region.
    parts : mapping of (int, int, int) to int
        Time point (of the source), number of the source, channel (of the source) still
        to be read, and how often.
    """

    origin: Int3
    shape: Int3
    tile: Int3
    parts: Mapping[tuple[int, int, int], int]

    def n_tiles(self, region_zyx: Slices) -> int:
        """Tiles of one time point and channel that share voxels with a region."""
        n = 1
        for s, o, m, t in zip(
            region_zyx, self.origin, self.shape, self.tile, strict=True
        ):
            low, high = max(s.start - o, 0), min(s.stop - o, m)
            n *= 0 if high <= low else (high - 1) // t - low // t + 1
        return n


class TileReader:
    """Reads tiles of the channels of one source. From any thread.

    Parameters
    ----------
    source : ChunkSource
    level : int
    demand : Demand
    scratch : Scratch
    room_bytes : int
        For chunks that are kept.
    skip_failed : bool
        Put the fill value in place of what cannot be read.
    number : int
        Of the source, in names of scratch files.

    Attributes
    ----------
    n_decoded : int
        Storage chunks decoded so far.
    failures : list of ReadFailure
    """

    def __init__(  # noqa: PLR0913 -- all that reading depends on
        self,
        source: ChunkSource,
        level: int,
        demand: Demand,
        scratch: Scratch,
        room_bytes: int,
        *,
        skip_failed: bool,
        number: int = 0,
    ) -> None:
        self._source = source
        self._level = level
        self._about = source.info.pyramid.levels[level]
        self._grid = BlockGrid(self._about.shape, self._about.storage_chunk_shape)
        self._demand = demand
        self._scratch = scratch
        self._room = room_bytes
        self._skips = skip_failed
        self._number = number
        arrays = getattr(source, "in_memory", ())
        self._array = arrays[level] if arrays else None
        self._tiles = ThreadBuffers()
        self._lock = threading.Lock()
        self._kept: OrderedDict[Index, _Kept] = OrderedDict()
        self._kept_bytes = 0
        self.n_decoded = 0
        self.failures: list[ReadFailure] = []

    def read(self, time: int, channel: ChannelInput, region: Slices) -> AnyArray:
        """Read a tile.

        Parameters
        ----------
        time : int
            On the source's time axis.
        channel : ChannelInput
        region : tuple of slice
            Voxels (z, y, x) of the source's level.

        Returns
        -------
        ndarray
            Shape of the region; may be read-only. Valid until the same thread reads
            again.

        Raises
        ------
        ChunkReadError
            Unless what fails is skipped.
        """
        stored = self._stored(time, channel.index, region)
        if self._array is not None:
            # A copy all the same: the array may be changed meanwhile, and what is
            # counted must be what is written.
            copied = self._buffer(stored)
            copied[...] = self._array[stored]
            return self._spatial(copied)
        blocks = list(self._grid.overlapping(stored))
        self._announce(blocks)
        whole = self._whole(blocks, stored)
        out = whole
        if out is None:
            out = self._buffer(stored)
            origin = tuple(s.start for s in stored)
            for block in blocks:
                common = intersect(block.slices, stored)
                part = self._part(block.index, shift(common, block.start))
                out[shift(common, origin)] = part
        for block in blocks:
            self._release(block.index)
        return self._spatial(out)

    def _buffer(self, stored: Slices) -> AnyArray:
        shape = tuple(s.stop - s.start for s in stored)
        return self._tiles.take(shape, _native(self._about.dtype))

    def _announce(self, blocks: list[Any]) -> None:
        """Tell a source that reads elsewhere what will be read here first."""
        announce = getattr(self._source, "announce", None)
        if announce is not None:
            with self._lock:
                new = [b.index for b in blocks if b.index not in self._kept]
            announce(self._level, new)

    def _whole(self, blocks: list[Any], stored: Slices) -> AnyArray | None:
        """Return a tile that is one storage chunk, without a copy."""
        # A tile that is one stored chunk is handed on without a copy.
        if len(blocks) == 1 and blocks[0].slices == stored:
            found = self._part(blocks[0].index, tuple(slice(None) for _ in stored))
            if isinstance(found, np.ndarray) and found.ndim:
                return found
        return None

    def _stored(self, time: int, channel: int, region: Slices) -> Slices:
        pyramid = self._source.info.pyramid
        stored = [slice(0, 1)] * len(self._about.shape)
        if pyramid.time_axis is not None:
            stored[pyramid.time_axis] = slice(time, time + 1)
        if pyramid.channel_axis is not None:
            stored[pyramid.channel_axis] = slice(channel, channel + 1)
        for axis, s in zip(self._about.spatial_axes, region, strict=True):
            if axis >= 0:
                stored[axis] = s
        return tuple(stored)

    def _spatial(self, data: AnyArray) -> AnyArray:
        """Bring a tile of all stored axes to (z, y, x)."""
        axes = self._about.spatial_axes
        spatial = [a for a in axes if a >= 0]
        others = [a for a in range(data.ndim) if a not in spatial]
        turned = data.transpose([*others, *spatial])
        # An axis that is not stored has one voxel, wherever it stands among the others.
        return turned.reshape([1 if a < 0 else data.shape[a] for a in axes])

    def _part(self, index: Index, part: Slices) -> Any:
        """Return a part of a chunk, or its fill value."""
        kept = self._keep(index)
        if kept is None:
            data = self._decode(index)
            return self._about.fill_value if data is None else data[part]
        with kept.lock:
            if not kept.is_read:
                kept.data = self._decode(index)
                kept.is_read = True
                self._count(0 if kept.data is None else kept.data.nbytes)
            if kept.path is not None:
                return read_part(kept.path, part)
            found = None if kept.data is None else kept.data[part]
        self._make_room()
        return self._about.fill_value if found is None else found

    def _keep(self, index: Index) -> _Kept | None:
        """Return where a chunk is kept; None when no other tile needs it."""
        with self._lock:
            kept = self._kept.get(index)
            if kept is None:
                uses = self._uses(index)
                # Read once and never again: there is nothing to keep it for.
                if uses < 2:
                    return None
                kept = self._kept[index] = _Kept(uses)
            self._kept.move_to_end(index)
            return kept

    def _uses(self, index: Index) -> int:
        block = self._grid.at(index)
        pyramid = self._source.info.pyramid
        t, c = (
            range(1) if a is None else range(block.start[a], block.slices[a].stop)
            for a in (pyramid.time_axis, pyramid.channel_axis)
        )
        parts = self._demand.parts
        n_parts = sum(parts.get((i, self._number, j), 0) for i in t for j in c)
        region = tuple(
            block.slices[a] if a >= 0 else slice(0, 1) for a in self._about.spatial_axes
        )
        return n_parts * self._demand.n_tiles(region)

    def _release(self, index: Index) -> None:
        with self._lock:
            kept = self._kept.get(index)
            if kept is None:
                return
            # Uses are counted from the plan of all tiles, so a chunk goes at its last
            # use, not when memory runs short.
            kept.uses -= 1
            if kept.uses:
                return
            del self._kept[index]
        with kept.lock:
            if kept.data is not None:
                self._count(-kept.data.nbytes)
                kept.data = None
            if kept.path is not None:
                kept.path.unlink(missing_ok=True)

    def _count(self, n_bytes: int) -> None:
        with self._lock:
            self._kept_bytes += n_bytes

    def _make_room(self) -> None:
        """Put the chunks unused for longest on disk until the rest fits."""
        for key, kept in self._oldest():
            if self._kept_bytes <= self._room:
                return
            # A locked chunk is in use: it is not one of the oldest.
            if not kept.lock.acquire(blocking=False):
                continue
            try:
                if kept.data is None:
                    continue
                name = "-".join(map(str, (self._number, *key)))
                kept.path = self._scratch.put(name, kept.data)
                self._count(-kept.data.nbytes)
                kept.data = None
            finally:
                kept.lock.release()

    def _oldest(self) -> Iterator[tuple[Index, _Kept]]:
        with self._lock:
            if self._kept_bytes <= self._room:
                return iter(())
            return iter(list(self._kept.items()))

    def _decode(self, index: Index) -> AnyArray | None:
        with self._lock:
            self.n_decoded += 1
        try:
            return self._read_twice(index)
        except ChunkReadError as error:
            key = self._source.storage_key(self._level, index)
            if not self._skips:
                msg = (
                    f"cannot read {key} of {self._source.info.name}: {error.reason}: mend"
                    " the source, or leave such places out with skip_failed"
                )
                raise ChunkReadError(msg, key=key) from error
            with self._lock:
                self.failures.append(ReadFailure(key, error.reason))
            return None

    def _read_twice(self, index: Index) -> AnyArray | None:
        try:
            return self._source.read_storage_chunk(self._level, index).data
        except ChunkReadError:
            return self._source.read_storage_chunk(self._level, index).data


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(dtype).newbyteorder("=")
